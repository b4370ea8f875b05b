"""The states that configurations had, and when: a slowly changing dimension of type 2.

Importing this module does not load pyarrow; using it does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from airflow_provider_outbound.client.listing import Page
from airflow_provider_outbound.errors import ConfigError, HistoryAhead, printable
from airflow_provider_outbound.model.changes import differences
from airflow_provider_outbound.model.codec import decode
from airflow_provider_outbound.model.items import Record
from airflow_provider_outbound.tables import build
from airflow_provider_outbound.tables.parquet import file_in
from airflow_provider_outbound.tables.schemas import SCHEMA_VERSION, schema, types

if TYPE_CHECKING:
    import pyarrow as pa
    from airflow.sdk import ObjectStoragePath

#: The columns that a history of any release has. The others follow from ``raw``.
LASTING = ("key", "valid_from", "valid_to", "is_current", "account_id", "raw")


def extend(folder: Path, stored: ObjectStoragePath, empty: pa.Table, begun: datetime) -> tuple[int, bool]:
    """Make ``history.parquet`` in an export's folder: the stored history with the changes of the new listing.

    :param folder: where ``configurations.parquet`` of the new listing is.
    :param stored: where the history is kept; it need not exist.
    :param empty: what :func:`begin` returns for this listing.
    :param begun: when the export began; for a listing without rows, whose table has no ``fetched_at``.
    :returns: the rows of the history, and whether it differs from the stored one. If not, no file is made.
    :raises ConfigError: if the stored file has no history, or that of another account or of other channels.
    :raises HistoryAhead: if the history has a change at the time of this listing or later.
    """
    import pyarrow.parquet as pq

    listing = pq.ParquetFile(file_in(folder, "configurations")).read().cast(schema("configurations"))
    fetched_at = listing["fetched_at"][0].as_py() if listing.num_rows else begun
    file, shown = folder / "history-before.parquet", printable(repr(str(stored)))
    try:
        # Not exists(), which is also false if storage fails: the old history would be replaced by a new one.
        stored.fs.get_file(stored.path, str(file))
    except FileNotFoundError:
        old = None
    else:
        old = read(file, empty, shown)
    new = update(empty if old is None else old, listing, fetched_at, shown)
    if new is not old:
        pq.write_table(new, file_in(folder, "history"), write_page_checksum=True)
    return new.num_rows, new is not old


def begin(account_id: str, channels: Sequence[str] | None) -> pa.Table:
    """Return a history without rows, whose metadata say what is listed.

    :param account_id: the account that is listed.
    :param channels: the channels that are listed; None for all.
    """
    source = f"account {account_id}, channel {','.join(sorted(channels)) if channels else 'all'}"
    return schema("history").with_metadata({"schema_version": SCHEMA_VERSION, "source": source}).empty_table()


def read(file: Path, empty: pa.Table, shown: str) -> pa.Table:
    """Return the history in a file. If another release wrote it, its columns are read from ``raw`` anew.

    :param file: a file on this machine.
    :param empty: what :func:`begin` returns for the listing.
    :param shown: what messages call the file.
    :raises ConfigError: if the file has no history, or that of another account or of other channels.
    """
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file, page_checksum_verification=True).read()
    except (ValueError, OSError) as error:
        raise ConfigError(
            f"history_path leads to {shown}, which is no Parquet file or damaged: restore it, or choose another "
            f"path to begin a new history. {printable(error)}"
        ) from error
    source = (table.schema.metadata or {}).get(b"source", b"")
    if not source or not set(LASTING) <= set(table.column_names):
        raise ConfigError(f"history_path leads to {shown}, which is not a history: choose another path")
    if source != empty.schema.metadata[b"source"]:
        has, reads = (
            printable(each.decode(errors="replace")) for each in (source, empty.schema.metadata[b"source"])
        )
        raise ConfigError(
            f"history_path leads to {shown}, the history of {has}, but this export reads {reads}: choose another "
            f"path, for example with {{channel}} or {{conn_id}} in it"
        )
    if table.schema.equals(empty.schema):
        return table.cast(empty.schema)
    records = [Record(raw, decode(raw)) for raw in _raws(table)]
    parts = build.parts([Page(0, records, [])], "", datetime.now, Counter(), ["configurations"])
    read_anew = build.concat_parts(part.tables for part in parts)["configurations"]
    return _table({**_columns(read_anew), **_columns(table.select(LASTING))}, empty.schema)


def update(history: pa.Table, listing: pa.Table, fetched_at: datetime, shown: str) -> pa.Table:
    """Return a history with the changes of a new listing; the same object if nothing has changed.

    :param history: the history so far.
    :param listing: the new listing's table ``configurations``.
    :param fetched_at: when it was read.
    :param shown: what messages call the history.
    :raises HistoryAhead: if the history has a change at that time or later.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    current, listed = _raws(history.filter(history["is_current"])), _raws(listing)
    changes = differences(current, listed)
    if not changes:
        return history
    now = pa.scalar(fetched_at, types()["timestamp"])
    latest = [pc.max(history[name]).as_py() for name in ("valid_from", "valid_to")]
    if (last := max(filter(None, latest), default=None)) and last >= now.as_py():
        raise HistoryAhead(
            f"history_path leads to {shown}, which has a change at {last}, but this export is of {now}: another "
            "run was faster, or a clock is wrong. Run one export at a time, and check the clocks of the workers"
        )
    keys = {change.after.raw: change.after.key for change in changes if change.after}
    begun = _pick(listed, [change.after.raw for change in changes if change.after])
    ended = iter(_pick(current, [change.before.raw for change in changes if change.before]))
    begins = [keys[raw] if is_new else None for raw, is_new in zip(listed, begun, strict=True)]
    ends = [bool(is_current) and next(ended) for is_current in history["is_current"].to_pylist()]
    return pa.concat_tables([_end(history, ends, now), _begin(listing, begins, now, history.schema)])


def _pick(raws: list[bytes], wanted: list[bytes]) -> list[bool]:
    """Tell of each item whether it is among the wanted ones. Of equal items, only as many are as are wanted."""
    left, picked = Counter(wanted), []
    for raw in raws:
        picked.append(left[raw] > 0)
        left[raw] -= 1
    return picked


def _end(history: pa.Table, ends: list[bool], now: pa.Scalar[Any]) -> pa.Table:
    """Return a history in which some states have ended.

    :param ends: which rows.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    valid_to = pc.if_else(pa.array(ends, pa.bool_()), now, history["valid_to"])
    own = {"valid_to": valid_to, "is_current": pc.is_null(valid_to)}
    return _table({**_columns(history), **own}, history.schema)


def _begin(listing: pa.Table, keys: list[str | None], now: pa.Scalar[Any], wanted: pa.Schema) -> pa.Table:
    """Return the states of a listing that have begun.

    :param keys: the key of each row; None for a state that has not begun now.
    """
    import pyarrow as pa

    key = pa.array(keys, pa.string())
    rows, count = listing.filter(key.is_valid()), len(keys) - key.null_count
    own = {"valid_from": [now] * count, "valid_to": [None] * count, "is_current": [True] * count}
    return _table({**_columns(rows), **own, "key": key.drop_null()}, wanted)


def _raws(table: pa.Table) -> list[bytes]:
    import pyarrow as pa

    return cast("list[bytes]", table["raw"].cast(pa.binary()).to_pylist())


def _columns(table: pa.Table) -> dict[str, Any]:
    return dict(zip(table.column_names, table.columns, strict=True))


def _table(columns: dict[str, Any], wanted: pa.Schema) -> pa.Table:
    import pyarrow as pa

    return pa.table([columns[name] for name in wanted.names], schema=wanted)
