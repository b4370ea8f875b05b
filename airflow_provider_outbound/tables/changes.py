"""The changes from one export to another as a table.

Importing this module does not load pyarrow; using it does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_outbound.model.changes import Change, Content, Kind, differences
from airflow_provider_outbound.tables import build
from airflow_provider_outbound.tables.earlier import Export, check_same_source
from airflow_provider_outbound.tables.parquet import file_in
from airflow_provider_outbound.tables.schemas import schema

if TYPE_CHECKING:
    import pyarrow as pa

PART = 1000  # changes that become rows at once
#: Columns that the table configurations has as well.
SHARED = ("id", "name", "channel_types", "languages", "template_names")


def compare(before: Export, after: Export) -> list[Change[Content]]:
    """Return the changes from one export to another.

    :param before: the earlier one.
    :param after: the later one.
    :raises ConfigError: if they can't be read, or are of different accounts or channels.
    """
    check_same_source(before, after.account_id, after.source)
    return differences(before.raws(), after.raws())


def write(before: Export | None, after: Export, folder: Path) -> Counter[Kind]:
    """Make ``changes.parquet`` beside an export's other files; return how many configurations changed, by kind.

    :param before: the earlier export; None if there is none, which makes a file without rows.
    :param after: the export.
    :param folder: a folder of :func:`.parquet.make`.
    """
    import pyarrow.parquet as pq

    before = before or after  # a baseline has no changes
    changes = compare(before, after)
    file = file_in(folder, "changes")
    with pq.ParquetWriter(file, schema("changes"), write_page_checksum=True) as writer:
        for offset in range(0, len(changes), PART):
            writer.write_table(_table(changes[offset : offset + PART], before, after))
    return Counter(change.kind for change in changes)


def _table(changes: Sequence[Change[Content]], before: Export, after: Export) -> pa.Table:
    """Return the rows of some changes."""
    import pyarrow as pa

    rows = [(number, change.kind, *field) for number, change in enumerate(changes) for field in _fields(change)]
    numbers, kinds, paths, olds, news = zip(*rows, strict=True)
    listed = build.configurations([change.states[0].raw for change in changes])
    listed = listed.select(SHARED).take(pa.array(numbers))  # without raw, which would be repeated for each field
    columns: dict[str, Any] = {name: listed[name] for name in SHARED}
    columns |= {"kind": kinds, "field": paths, "before": olds, "after": news}
    columns["account_id"] = [after.account_id or before.account_id] * len(rows)
    columns["previously_fetched_at"] = [before.fetched_at] * len(rows)
    columns["fetched_at"] = [after.fetched_at] * len(rows)
    return pa.table({name: columns[name] for name in schema("changes").names}, schema=schema("changes"))


def _fields(change: Change[Content]) -> Sequence[tuple[str | None, str | None, str | None]]:
    """Return path, before and after for each row of a change."""
    if change.kind == "updated":
        return change.fields
    before, after = (state.raw.decode() if state else None for state in (change.before, change.after))
    return [(None, before, after)]
