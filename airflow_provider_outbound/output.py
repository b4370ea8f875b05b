"""A command's result on stdout, as JSON, YAML or a table. Text from outside can't control the terminal."""

from __future__ import annotations

import io
import json
import math
import sys
from collections.abc import Sequence
from typing import Any

from airflow_provider_outbound.errors import printable
from airflow_provider_outbound.model.values import xcom_safe

LONGEST_CELL = 400  # characters; JSON and YAML show all

Row = dict[str, Any]


def print_result(output: str, data: Any, rows: Sequence[Row]) -> None:
    """Print a result on stdout, in UTF-8.

    :param output: ``json`` or ``yaml``, for the data; ``table`` or ``plain``, for the rows.
    :param data: the result as plain JSON.
    :param rows: the same as rows of a table.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    formats = {"json": lambda: _json(data), "yaml": lambda: _yaml(data), "plain": lambda: _plain(rows)}
    if shown := formats.get(output, lambda: _table(rows))():
        print(shown)


def _json(data: Any) -> str:
    try:
        shown = json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False)
    except ValueError:  # JSON has no NaN
        shown = json.dumps(_finite(data), ensure_ascii=False, indent=2)
    # All that is not printable is in strings, where an escape means the same.
    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in shown)


def _finite(value: Any) -> Any:
    """Return JSON data with text in place of NaN and infinity."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _yaml(data: Any) -> str:
    import yaml  # type: ignore[import-untyped]

    class Dumper(yaml.SafeDumper):  # type: ignore[misc]
        """Quotes text that is not printable, so that an escape means the same."""

        def represent_str(self, text: str) -> yaml.ScalarNode:
            style = None if text.replace("\n", "").isprintable() else '"'
            return self.represent_scalar("tag:yaml.org,2002:str", text, style)

    Dumper.add_representer(str, Dumper.represent_str)
    shown = yaml.dump(xcom_safe(data), Dumper=Dumper, allow_unicode=True, sort_keys=False).rstrip("\n")
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in shown)


def _plain(rows: Sequence[Row]) -> str:
    from tabulate import tabulate  # type: ignore[import-untyped]

    # numparse would turn a name such as 2024.10 into 2024.1.
    return tabulate(_cells(rows), headers="keys", tablefmt="plain", disable_numparse=True) if rows else ""


def _table(rows: Sequence[Row]) -> str:
    from airflow.cli.simple_table import AirflowConsole

    # Rich must not interpret markup or emoji codes in templates.
    console = AirflowConsole(markup=False, emoji=False, highlight=False)
    with console.capture() as captured:
        console.print_as_table(_cells(rows))
    return captured.get().rstrip()


def _cells(rows: Sequence[Row]) -> list[dict[str, str]]:
    return [{key: _cell(value) for key, value in row.items()} for row in rows]


def _cell(value: Any) -> str:
    values = value if isinstance(value, list) else [] if value is None else [value]
    return printable(", ".join(map(str, values)), LONGEST_CELL)
