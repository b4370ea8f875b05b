"""A command's result on stdout, as JSON, YAML or a table. Text from outside can't control the terminal."""

from __future__ import annotations

import io
import json
import math
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from airflow_provider_outbound.errors import printable
from airflow_provider_outbound.model.changes import Change, Content, Field, from_difference
from airflow_provider_outbound.model.codec import decode
from airflow_provider_outbound.model.values import utf8_safe

LONGEST_CELL = 400  # characters; JSON and YAML show all

COLOURS = {"created": "bold green", "updated": "bold yellow", "removed": "bold red"}

Row = dict[str, Any]


def print_result(output: str, data: Any, rows: Sequence[Row]) -> None:
    """Print a result on stdout, in UTF-8.

    :param output: ``json`` or ``yaml``, for the data; ``table`` or ``plain``, for the rows.
    :param data: the result as plain JSON.
    :param rows: the same as rows of a table.
    """
    _use_utf8()
    formats = {"json": lambda: _json(data), "yaml": lambda: _yaml(data), "plain": lambda: _plain(rows)}
    if shown := formats.get(output, lambda: _table(rows))():
        print(shown)


def _use_utf8() -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")


def print_changes(output: str, changes: Sequence[Change[Content]]) -> None:
    """Print changes on stdout: as JSON, YAML or plain rows, or like a diff, in colour on a terminal.

    :param output: ``json``, ``yaml`` or ``plain``; ``table`` for a diff.
    :param changes: what to print.
    """
    if output == "table":
        _use_utf8()
        _print_diff(changes)
    else:
        print_result(output, list(map(_change, changes)), [row for change in changes for row in _rows(change)])


def _change(change: Change[Content]) -> Row:
    """Return a change as JSON; a value that is missing on one side has no key there."""
    data = {**_subject(change), "fields": [_values(*field) for field in change.fields]}
    if change.kind != "updated":
        side = "before" if change.before else "after"
        data[side] = decode(change.states[0].raw)
    return data


def _values(path: str, before: str | None, after: str | None) -> Row:
    sides = {"before": before, "after": after}
    return {"path": path, **{side: decode(value.encode()) for side, value in sides.items() if value is not None}}


def _rows(change: Change[Content]) -> Iterator[Row]:
    for path, before, after in change.fields or [Field("", None, None)]:
        old, new = from_difference(before, after, longest=LONGEST_CELL)
        yield {**_subject(change), "field": path, "before": old, "after": new}


def _subject(change: Change[Content]) -> Row:
    state = change.states[0]
    places = ["/".join(filter(None, place)) for place in state.places]
    return {"kind": change.kind, "id": state.id, "name": next(iter(state.names), None), "channels": places}


def _print_diff(changes: Sequence[Change[Content]]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(markup=False, emoji=False, highlight=False, soft_wrap=True)
    for change in changes:
        subject = {key: _cell(value) for key, value in _subject(change).items()}
        heading = [subject[key] for key in ("name", "channels", "id") if subject[key]]
        console.print(Text(change.kind, COLOURS[change.kind]), *heading)
        for path, *values in change.fields:
            console.print(Text(f"  {printable(path, LONGEST_CELL)}", "cyan"))
            shown = from_difference(*values, longest=LONGEST_CELL)
            for sign, style, value in zip("-+", ("red", "green"), shown, strict=True):
                if value is not None:
                    console.print(Text(f"    {sign} {printable(value, LONGEST_CELL)}", style))


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
    from airflow.utils import yaml

    plain = _finite(json.loads(utf8_safe(json.dumps(data, ensure_ascii=False))))

    def dump(allow_unicode: bool) -> str:
        return str(yaml.dump(plain, allow_unicode=allow_unicode, sort_keys=False)).rstrip("\n")

    shown = dump(allow_unicode=True)
    # YAML counts characters that change the direction of text as printable.
    return shown if shown.replace("\n", "").isprintable() else dump(allow_unicode=False)


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
