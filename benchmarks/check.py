"""Read what a peer wrote back into configurations, and compare them with what the server held."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

Item = dict[str, Any]


def read(peer: str, folder: Path) -> list[Item]:
    """Return the configurations that a peer wrote.

    :param peer: whose columns they are.
    :param folder: what the peer was given to write to.
    """
    if peer == "provider":
        rows = pq.read_table(folder / "configurations.parquet", columns=["id", "name", "raw"]).to_pylist()
        return [{**json.loads(row["raw"]), "id": row["id"], "name": row["name"]} for row in rows]
    files = folder.glob("outbound/configurations/*.parquet" if peer == "dlt" else "*.parquet")
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    return [_of_dlt(row) for row in rows] if peer == "dlt" else [_without_nulls(row) for row in rows]


def _of_dlt(row: Item) -> Item:
    """Undo what dlt does: columns in snake_case, dates as timestamps, nested lists as JSON."""
    item = {_camel(column): value for column, value in row.items() if not column.startswith("_dlt")}
    dates = {name: value for name, value in item.items() if isinstance(value, datetime)}
    texts = {name: date.isoformat(timespec="milliseconds").replace("+00:00", "Z") for name, date in dates.items()}
    return {**item, **texts, "channels": json.loads(item["channels"])}


def _camel(column: str) -> str:
    first, *rest = column.split("_")
    return "".join([first, *map(str.capitalize, rest)])


def _without_nulls(value: Any) -> Any:
    """Undo what a struct does: a field that some other item has is null here. The server sends no null."""
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_nulls(each) for each in value]
    return value


def faults(found: Collection[Item], steady: Collection[Item], passing: Collection[str] = ()) -> str:
    """Return what is wrong with a file, such as "2 missing, 1 doubled"; empty if nothing is.

    :param found: the configurations in the file.
    :param steady: those that the account held from the start of the job to its end.
    :param passing: ids of those that came or went meanwhile; the file may have them or not.
    """
    wanted = {item["id"]: item for item in steady}
    counts = Counter(item["id"] for item in found)
    wrong = {
        "missing": len(wanted.keys() - counts.keys()),
        "doubled": sum(count > 1 for count in counts.values()),
        "changed": sum(item["id"] in wanted and item != wanted[item["id"]] for item in found),
        "unknown": len(counts.keys() - wanted.keys() - set(passing)),
    }
    return ", ".join(f"{count:,} {kind}" for kind, count in wrong.items() if count)
