"""Configurations as two typed tables with fixed schemas.

Importing this module loads neither pyarrow nor pandas; using it does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from airflow_provider_outbound.client.listing import Page
from airflow_provider_outbound.errors import ProtocolError, printable
from airflow_provider_outbound.model import items as shapes
from airflow_provider_outbound.model.codec import decode, encode
from airflow_provider_outbound.model.fingerprints import channel_fingerprint, joined
from airflow_provider_outbound.model.items import Item, Record
from airflow_provider_outbound.model.values import boolean, distinct_texts, integer, parse_timestamp, strings, text
from airflow_provider_outbound.tables import schemas

if TYPE_CHECKING:
    import pyarrow as pa

PART = 5000  # items of a part, and so of a row group in a file
PART_SIZE = 64 * 2**20  # bytes of a part, roughly; larger items make a part of fewer
CHUNK = 200  # items held as objects at once, because Python's garbage collector visits each again and again
EXAMPLES = 5  # of the values behind an anomaly

#: How often each anomaly occurred, by what it is and by the value that shows it, which may be empty.
_Found: TypeAlias = Counter[tuple[str, str]]

_NONE: Item = {}  # stands for the component of a channel without any


class Part(NamedTuple):
    """Tables, by name, of the configurations from number ``offset`` on; offset 0 discards the parts before it."""

    offset: int
    tables: dict[str, pa.Table]


def parts(
    pages: Iterable[Page],
    account_id: str,
    now: Callable[[], datetime],
    anomalies: Counter[str],
    names: Iterable[str] = schemas.TABLES,
) -> Iterator[Part]:
    """Make the tables of a listing in parts that fit into memory, at least one.

    :param pages: the listing's pages; one of offset 0 discards those before it.
    :param account_id: the account that lists them.
    :param now: returns the time in UTC; called before the first page is read.
    :param anomalies: gets, after the last part, the counts of unreadable values, unknown types, and components
        whose texts and variables disagree, by description.
    :param names: which tables to make, of those in ``schemas.TABLES``.
    """
    found, fetched_at, offset, size = _Found(), now(), 0, 0
    left: list[Record] = []
    made: list[dict[str, pa.Table]] = []
    for page in pages:
        if page.offset == 0:
            found, offset, size, left, made = _Found(), 0, 0, [], []
        left += page.records
        if len(left) < CHUNK and sum(len(record.raw) for record in left) < PART_SIZE:
            continue
        made.append(_tables(left, account_id, fetched_at, found, names))
        size += sum(table.nbytes for table in made[-1].values())
        left, end = [], page.offset + len(page.records)
        if end - offset >= PART or size >= PART_SIZE:
            yield Part(offset, concat_parts(made))
            offset, size, made = end, 0, []
    if left or not (made or offset):
        made.append(_tables(left, account_id, fetched_at, found, names))
    if made:
        yield Part(offset, concat_parts(made))
    anomalies.update(_described(found))


def configurations(raws: Iterable[bytes]) -> pa.Table:
    """Return configurations as a table; ignore its ``account_id`` and ``fetched_at``.

    :param raws: their JSON.
    """
    page = Page(0, [Record(raw, decode(raw)) for raw in raws], [])
    made = parts([page], "", datetime.now, Counter(), ["configurations"])
    return concat_parts(part.tables for part in made)["configurations"]


def _described(found: _Found) -> Counter[str]:
    """Return anomalies by one description each, with a few examples."""
    totals, examples = Counter[str](), dict[str, list[str]]()
    for (anomaly, example), count in found.items():
        totals[anomaly] += count
        examples.setdefault(anomaly, []).extend([example] if example else [])
    described = Counter[str]()
    for anomaly, count in totals.items():
        shown, more = examples[anomaly][:EXAMPLES], len(examples[anomaly]) - EXAMPLES
        described[f"{anomaly} {', '.join(shown)}{f' and {more} others' if more > 0 else ''}".rstrip()] = count
    return described


def _tables(
    records: list[Record], account_id: str, fetched_at: datetime, found: _Found, names: Iterable[str]
) -> dict[str, pa.Table]:
    import pyarrow as pa

    tables, new = {}, _Found()
    items = [record.item for record in records]
    prints = [
        [channel_fingerprint(each) if isinstance(each, dict) else None for each in shapes.channels(item)]
        for item in items
    ]
    try:
        if "configurations" in names:
            tables["configurations"] = _configurations(records, prints, account_id, fetched_at, new)
        if "components" in names:
            tables["components"] = _components(items, prints, new)
    except pa.ArrowInvalid as error:  # a column of more than 2 GiB
        if len(items) == 1:
            shown = printable(repr(items[0].get("id")), 60)
            raise ProtocolError(f"Configuration {shown} is too large for a table: {printable(error)}") from None
        middle = len(records) // 2
        halves = (records[:middle], records[middle:])
        return concat_parts(_tables(half, account_id, fetched_at, found, names) for half in halves)
    found.update(new)
    return tables


def concat_parts(parts: Iterable[dict[str, pa.Table]]) -> dict[str, pa.Table]:
    """Return the tables of a whole listing from those of its parts."""
    import pyarrow as pa

    pieces = list(parts)
    return {name: pa.concat_tables(part[name] for part in pieces) for name in pieces[0]}


def _configurations(
    records: list[Record], prints: list[list[str | None]], account_id: str, fetched_at: datetime, found: _Found
) -> pa.Table:
    import pyarrow as pa

    items = [record.item for record in records]
    channels = [[each for each in shapes.channels(item) if isinstance(each, dict)] for item in items]
    columns = _read(schemas.CONFIGURATIONS, items, found)
    for column, key in (("channel_types", "type"), ("languages", "language"), ("template_names", "templatename")):
        columns[column] = [distinct_texts(channel.get(key) for channel in each) for each in channels]
    columns["variables"] = [shapes.variables(*each) for each in channels]
    columns["fingerprint"] = [joined(each) for each in prints]
    columns["raw"] = [record.raw.decode(errors="replace") for record in records]
    columns["account_id"] = pa.repeat(account_id, len(items))
    moment = pa.scalar(fetched_at, schemas.types()["timestamp"])
    columns["fetched_at"] = pa.repeat(moment, len(items))  # type: ignore[call-overload]
    return _table("configurations", columns)


def _components(items: list[Item], prints: list[list[str | None]], found: _Found) -> pa.Table:
    import pyarrow as pa

    # Each channel with the number of its item and its own within that; each component likewise.
    channels = [
        (number, index, channel)
        for number, item in enumerate(items)
        for index, channel in enumerate(shapes.channels(item))
    ]
    rows = [
        (number, index, component)
        for number, (_, _, channel) in enumerate(channels)
        for index, component in enumerate(shapes.components(channel) or [_NONE])
    ]
    of_channel = pa.array([number for number, _, _ in rows], pa.int64())
    of_item = pa.array([number for number, _, _ in channels], pa.int64()).take(of_channel)
    items_own = _read((schemas.ID, schemas.NAME), items, _Found())  # the other table has counted its anomalies
    channels_own = _read(schemas.CHANNEL, [channel for _, _, channel in channels], found)
    columns = {f"configuration_{name}": array.take(of_item) for name, array in items_own.items()}
    columns |= {name: array.take(of_channel) for name, array in channels_own.items()}
    columns["fingerprint"] = pa.array(chain.from_iterable(prints), pa.string()).take(of_channel)
    columns["channel_index"] = pa.array([index for _, index, _ in channels], pa.int64()).take(of_channel)
    columns["component_index"] = [None if each is _NONE else index for _, index, each in rows]
    columns |= _read(schemas.COMPONENT, [component for _, _, component in rows], found)
    used = [None if each is _NONE else shapes.placeholders(each) for _, _, each in rows]
    columns["placeholders"] = used
    columns["raw"] = [None if each is _NONE else encode(each) for _, _, each in rows]

    for kind in channels_own["channel_type"].to_pylist():
        if kind not in shapes.CHANNELS:
            found["channels of unknown type", printable(repr(kind), 40)] += 1
    declared = columns["variables"].to_pylist()
    for kind, takes, uses in zip(columns["component_type"].to_pylist(), declared, used, strict=True):
        if uses is None:
            continue
        if kind not in shapes.COMPONENTS:
            found["components of unknown type", printable(repr(kind), 40)] += 1
        if set(uses) != set(takes or ()):
            found["components whose variables and placeholders differ", ""] += 1
    return _table("components", columns)


def _read(columns: schemas.Columns, sources: list[Any], found: _Found) -> dict[str, Any]:
    """Read fields of objects into typed columns."""
    objects = [each if isinstance(each, dict) else {} for each in sources]
    if odd := sum(not isinstance(each, dict) for each in sources):
        found["values that should be objects", ""] += odd
    read = {}
    for column, kind, key in columns:
        if key in shapes.SPELLINGS:
            values = [shapes.field(each, key) for each in objects]
        elif key is not None:
            values = [each.get(key) for each in objects]
        else:
            continue
        read[column] = _array(column, kind, values, found)
    return read


def _array(column: str, kind: str, values: list[Any], found: _Found) -> pa.Array[Any]:
    """Make a column: at once if all values are of its type, else with null for each that can't be read."""
    import pyarrow as pa

    lists = [each for each in values if each is not None] if kind == "strings" else []
    inner = chain.from_iterable(each for each in lists if isinstance(each, list))
    plain, read = _KINDS[kind]
    if set(map(type, values)) <= {plain, type(None)} and set(map(type, inner)) <= {str}:
        with suppress(UnicodeEncodeError, OverflowError):
            return pa.array(values, schemas.types()[kind])
    stored = [None if value is None else read(value) for value in values]
    if unreadable := stored.count(None) - values.count(None):
        found[f"unreadable {column}", ""] += unreadable
    if kind in ("string", "strings"):
        pairs = zip(values, stored, strict=True)
        if replaced := sum(_replaced(value, kept) for value, kept in pairs if kept is not None):
            found[f"{column} with half a surrogate pair, replaced", ""] += replaced
    return pa.array(stored, schemas.types()[kind])


def _replaced(value: Any, kept: Any) -> bool:
    """Tell whether text was changed, because UTF-8 can't hold it."""
    values, texts = (each if isinstance(each, list) else [each] for each in (value, kept))
    return any(isinstance(one, str) and one != other for one, other in zip(values, texts, strict=True))


#: The type of values that a column takes as they are, beside None, and what reads any other value.
_KINDS: dict[str, tuple[type, Callable[[Any], Any]]] = {
    "string": (str, text),
    "int64": (int, integer),
    "bool": (bool, boolean),
    "timestamp": (datetime, parse_timestamp),
    "strings": (list, strings),
}


def _table(name: str, columns: dict[str, Any]) -> pa.Table:
    import pyarrow as pa

    return pa.table([columns[column] for column in schemas.schema(name).names], schema=schemas.schema(name))
