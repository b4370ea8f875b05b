"""A command's result on stdout, as JSON, YAML or a table. Text from outside can't control the terminal."""

from __future__ import annotations

import io
import json
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
        shown = json.dumps(xcom_safe(data), ensure_ascii=False, indent=2)
    # All that is not printable is in strings, where an escape means the same.
    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in shown)


def _yaml(data: Any) -> str:
    from airflow.utils import yaml

    return str(yaml.dump(xcom_safe(data), allow_unicode=True, sort_keys=False)).rstrip("\n")


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
