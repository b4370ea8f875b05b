"""The states that configurations had, and when: a slowly changing dimension of type 2.

Importing this module does not load pyarrow; using it does.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from airflow_provider_outbound.errors import ConfigError, HistoryAhead, printable
from airflow_provider_outbound.model.changes import differences
from airflow_provider_outbound.tables import build, parquet
from airflow_provider_outbound.tables.parquet import file_in
from airflow_provider_outbound.tables.schemas import SCHEMA_VERSION, schema, types

if TYPE_CHECKING:
    import pyarrow as pa
    from airflow.sdk import ObjectStoragePath

#: The columns that a history of any release has. The others follow from ``raw``.
LASTING = ("key", "valid_from", "valid_to", "is_current", "account_id", "raw")
_WRONG = "is damaged, or not a history: restore it, or choose another path to begin a new history"


def extend(folder: Path, stored: ObjectStoragePath, source: str, begun: datetime) -> tuple[int, bool]:
    """Make ``history.parquet`` in an export's folder: the stored history with the changes of the new listing.

    :param folder: where ``configurations.parquet`` of the new listing is.
    :param stored: where the history is kept; it need not exist.
    :param source: account and channels of the listing, see :func:`.parquet.source`.
    :param begun: when the export began; for a listing without rows, whose table has no ``fetched_at``.
    :returns: the rows of the history, and whether it differs from the stored one. If not, no file is made.
    :raises ConfigError: if the stored file is not a history, or that of another account or other channels.
    :raises HistoryAhead: if the history has a change at the time of this listing or later.
    """
    import pyarrow.parquet as pq

    listing = pq.ParquetFile(file_in(folder, "configurations")).read().cast(schema("configurations"))
    fetched_at = listing["fetched_at"][0].as_py() if listing.num_rows else begun
    file, name = folder / "history-before.parquet", f"history_path leads to {printable(repr(str(stored)))}, which"
    old = read(file, source, name) if parquet.get(stored, file, name) else None
    new = update(begin(source) if old is None else old, listing, fetched_at, name)
    if new is not old:
        pq.write_table(new, file_in(folder, "history"), write_page_checksum=True)
    return new.num_rows, new is not old


def begin(source: str) -> pa.Table:
    """Return a history without rows.

    :param source: its account and channels, see :func:`.parquet.source`.
    """
    return schema("history").with_metadata({"schema_version": SCHEMA_VERSION, "source": source}).empty_table()


def read(file: Path, source: str, name: str) -> pa.Table:
    """Return the history in a file. If another release wrote it, its columns are built again from ``raw``.

    :param file: a file on this machine.
    :param source: the account and channels that it must have, see :func:`.parquet.source`.
    :param name: what messages call it.
    :raises ConfigError: if the file is not a history, or that of another account or other channels.
    """
    import pyarrow as pa

    wanted = begin(source).schema
    with parquet.reading(file, name, _WRONG) as opened:
        table = opened.read()
        parquet.check_rows(table.num_rows, opened)
        found = (table.schema.metadata or {}).get(b"source", b"").decode(errors="replace")
        if not found or not set(LASTING) <= set(table.column_names):
            raise ValueError("it has no source in its metadata, or lacks a column")
        lasting = table.select(LASTING).cast(pa.schema([wanted.field(column) for column in LASTING]))
        _check(lasting)
        if not table.schema.equals(wanted):
            read_anew = build.configurations(_raws(lasting))
            table = _table({**_columns(read_anew), **_columns(lasting)}, wanted)
    if found != source:
        raise ConfigError(
            f"{name} is the history of {printable(found)}, but this export is of {printable(source)}: choose "
            "another path. In a path, {conn_id} and {channel} keep histories apart"
        )
    return table.cast(wanted)


def _check(lasting: pa.Table) -> None:
    """Check the columns that a history of any release has.

    :param lasting: these columns.
    :raises ValueError: if a value is wrong; or another error if Python can't hold it.
    """
    import pyarrow.compute as pc

    for column in LASTING:
        if lasting[column].null_count and column != "valid_to":
            raise ValueError(f"its column {column} has a null")
    for column in ("valid_from", "valid_to"):
        pc.min_max(lasting[column]).as_py()  # fails for times that Python cannot hold
    if not lasting["is_current"].equals(lasting["valid_to"].is_null()):
        raise ValueError("its columns is_current and valid_to disagree")
    parquet.raws(lasting["raw"])


def update(history: pa.Table, listing: pa.Table, fetched_at: datetime, name: str) -> pa.Table:
    """Return a history with the changes of a new listing; the same object if nothing has changed.

    :param history: the history so far.
    :param listing: the new listing's table ``configurations``.
    :param fetched_at: when it was read.
    :param name: what messages call the history.
    :raises HistoryAhead: if the history has a change at that time or later.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    current, listed = _raws(history.filter(history["is_current"])), _raws(listing)
    changes = differences(current, listed)
    if not changes:
        return history
    now = pa.scalar(fetched_at, types()["timestamp"])
    latest = [pc.max(history[column]).as_py() for column in ("valid_from", "valid_to")]
    if (last := max(filter(None, latest), default=None)) and last >= now.as_py():
        raise HistoryAhead(
            f"{name} has a change at {last}, but this export is of {now}: another run was faster, or a clock is "
            "wrong. Run one export at a time, and check the workers' clocks"
        )
    begun = {change.after.raw: change.after.key for change in changes if change.after}
    are_new = _pick(listed, [change.after.raw for change in changes if change.after])
    keys = [begun[raw] if is_new else None for raw, is_new in zip(listed, are_new, strict=True)]
    have_ended = iter(_pick(current, [change.before.raw for change in changes if change.before]))
    ends = [bool(is_current) and next(have_ended) for is_current in history["is_current"].to_pylist()]
    return pa.concat_tables([_end(history, ends, now), _begin(listing, keys, now, history.schema)])


def _pick(raws: list[bytes], wanted: list[bytes]) -> list[bool]:
    """Tell for each item whether it is wanted. Of equal items, only as many are picked as are wanted."""
    left, picked = Counter(wanted), []
    for raw in raws:
        picked.append(left[raw] > 0)
        left[raw] -= 1
    return picked


def _end(history: pa.Table, ends: list[bool], now: pa.Scalar[Any]) -> pa.Table:
    """Return a history in which some states have ended.

    :param ends: for each row, whether its state ends now.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    valid_to = pc.if_else(pa.array(ends, pa.bool_()), now, history["valid_to"])
    own = {"valid_to": valid_to, "is_current": pc.is_null(valid_to)}
    return _table({**_columns(history), **own}, history.schema)


def _begin(listing: pa.Table, keys: list[str | None], now: pa.Scalar[Any], wanted: pa.Schema) -> pa.Table:
    """Return the states of a listing that begin now.

    :param keys: the key of each row; None for a state that does not begin now.
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
