"""Items as two typed tables with fixed schemas.

Importing this module loads neither pyarrow nor pandas; using it does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from airflow_provider_outbound.errors import ProtocolError, printable
from airflow_provider_outbound.model import items as model_items
from airflow_provider_outbound.model.codec import encode
from airflow_provider_outbound.model.items import Item
from airflow_provider_outbound.model.values import boolean, integer, parse_timestamp, strings, text
from airflow_provider_outbound.tables.schemas import (
    CHANNEL,
    COMPONENT,
    CONFIGURATIONS,
    ID,
    NAME,
    TABLES,
    Columns,
    schema,
    types,
)

if TYPE_CHECKING:
    import pyarrow as pa

PART = 5000  # items of a part, and so of a row group in a file
PART_SIZE = 64 * 2**20  # bytes of a part, about; past that it has fewer items
CHUNK = 100  # items at once as Python's objects: of more, its garbage collector would go through all in vain

# LivePerson's page spells these both ways.
_ALSO = {"appNames": "appName", "variables": "Variables"}

_NONE: Item = {}  # stands for the component of a channel without any


def parts(
    items: Iterable[Item],
    account_id: str,
    now: Callable[[], datetime],
    notes: Counter[str],
    names: Iterable[str] = TABLES,
) -> Iterator[dict[str, pa.Table]]:
    """Make the tables of a listing in parts that fit into memory, whatever their number; at least one.

    :param items: configurations or bare channels, as the API lists them.
    :param account_id: whose they are.
    :param now: tells when they were listed, once the first one is there.
    :param notes: counts how often a value could not be read, a type was unknown, or texts and variables disagree.
    :param names: which tables to make.
    :returns: of each part, the tables by name: one row per item, and one row per message component.
    """
    left = iter(items)
    chunk, fetched_at = list(islice(left, CHUNK)), now()
    while True:
        part: list[dict[str, pa.Table]] = []
        size = 0
        while size < PART_SIZE and len(part) < PART // CHUNK:
            part.append(_tables(chunk, account_id, fetched_at, notes, names))
            size += sum(table.nbytes for table in part[-1].values())
            if not (chunk := list(islice(left, CHUNK))):
                break
        yield whole(part)
        if not chunk:
            return


def _tables(
    items: list[Item], account_id: str, fetched_at: datetime, notes: Counter[str], names: Iterable[str]
) -> dict[str, pa.Table]:
    import pyarrow as pa

    tables, odd = {}, Counter[str]()
    try:
        if "configurations" in names:
            tables["configurations"] = _configurations(items, account_id, fetched_at, odd)
        if "components" in names:
            tables["components"] = _components(items, odd)
    except pa.ArrowInvalid as error:  # a column of more than 2 GiB
        if len(items) == 1:
            shown = printable(repr(items[0].get("id")), 60)
            raise ProtocolError(f"configuration {shown} is too large for a table: {printable(error)}") from None
        middle = len(items) // 2
        halves = (items[:middle], items[middle:])
        return whole(_tables(half, account_id, fetched_at, notes, names) for half in halves)
    notes.update(odd)
    return tables


def whole(parts: Iterable[dict[str, pa.Table]]) -> dict[str, pa.Table]:
    """Put the parts of a listing's tables together.

    :param parts: one at least.
    """
    import pyarrow as pa

    pieces = list(parts)
    return {name: pa.concat_tables(part[name] for part in pieces) for name in pieces[0]}


def _configurations(items: list[Item], account_id: str, fetched_at: datetime, notes: Counter[str]) -> pa.Table:
    channels = [[each for each in model_items.channels(item) if isinstance(each, dict)] for item in items]
    columns = _read(CONFIGURATIONS, items, notes)
    for column, key in (("channel_types", "type"), ("languages", "language"), ("template_names", "templatename")):
        values = ([text(channel.get(key)) for channel in each] for each in channels)
        columns[column] = [list(dict.fromkeys(each for each in texts if each is not None)) for texts in values]
    columns["variables"] = [model_items.variables(*each) for each in channels]
    columns["raw"] = list(map(encode, items))
    columns["account_id"] = [account_id] * len(items)
    columns["fetched_at"] = [fetched_at] * len(items)
    return _table("configurations", columns)


def _components(items: list[Item], notes: Counter[str]) -> pa.Table:
    import pyarrow as pa

    # Each channel after the number of its item and its own within that; components in the same way after these.
    channels = [
        (number, index, channel)
        for number, item in enumerate(items)
        for index, channel in enumerate(model_items.channels(item))
    ]
    rows = [
        (number, index, component)
        for number, (_, _, channel) in enumerate(channels)
        for index, component in _numbered(model_items.components(channel))
    ]
    of_channel = pa.array([number for number, _, _ in rows], pa.int64())
    of_item = pa.array([number for number, _, _ in channels], pa.int64()).take(of_channel)
    items_own = _read((ID, NAME), items, Counter())  # what is odd was counted with the other table
    channels_own = _read(CHANNEL, [channel for _, _, channel in channels], notes)
    columns = {f"configuration_{name}": array.take(of_item) for name, array in items_own.items()}
    columns |= {name: array.take(of_channel) for name, array in channels_own.items()}
    columns["channel_index"] = pa.array([index for _, index, _ in channels], pa.int64()).take(of_channel)
    columns["component_index"] = [index for _, index, _ in rows]
    columns |= _read(COMPONENT, [component for _, _, component in rows], notes)
    used = [None if each is _NONE else model_items.placeholders(each) for _, _, each in rows]
    columns["placeholders"] = used
    columns["raw"] = [None if each is _NONE else encode(each) for _, _, each in rows]

    for kind in channels_own["channel_type"].to_pylist():
        if kind not in model_items.CHANNELS:
            notes[f"unknown channel type {printable(repr(kind), 40)}"] += 1
    declared = columns["variables"].to_pylist()
    for kind, takes, uses in zip(columns["component_type"].to_pylist(), declared, used, strict=True):
        if uses is None:
            continue
        if kind not in model_items.COMPONENTS:
            notes[f"unknown component type {printable(repr(kind), 40)}"] += 1
        if set(uses) != set(takes or ()):
            notes["components whose variables and placeholders differ"] += 1
    return _table("components", columns)


def _numbered(components: list[Any]) -> Iterable[tuple[int | None, Any]]:
    return enumerate(components) if components else [(None, _NONE)]


def _read(columns: Columns, sources: list[Any], notes: Counter[str]) -> dict[str, Any]:
    """Read fields of objects into typed columns."""
    objects = [each if isinstance(each, dict) else {} for each in sources]
    if odd := sum(not isinstance(each, dict) for each in sources):
        notes["values that should be objects"] += odd
    found = {}
    for column, kind, key in columns:
        if key in _ALSO:
            values = [each.get(key, each.get(_ALSO[key])) for each in objects]
        elif key is not None:
            values = [each.get(key) for each in objects]
        else:
            continue
        found[column] = _array(column, kind, values, notes)
    return found


def _array(column: str, kind: str, values: list[Any], notes: Counter[str]) -> pa.Array[Any]:
    """Make a column: null, and noted, where a value is not of the type; at once where all are."""
    import pyarrow as pa

    lists = [each for each in values if each is not None] if kind == "strings" else []
    inner = chain.from_iterable(each for each in lists if isinstance(each, list))
    if set(map(type, values)) <= _PLAIN[kind] and set(map(type, inner)) <= {str}:
        with suppress(UnicodeEncodeError, OverflowError):
            return pa.array(values, types()[kind])
    stored = [None if value is None else _READERS[kind](value) for value in values]
    for value, kept in zip(values, stored, strict=True):
        if value is not None and kept is None:
            notes[f"unreadable {column}"] += 1
        elif kind in ("string", "strings") and _replaced(value, kept):
            notes[f"{column} with half a character, replaced"] += 1
    return pa.array(stored, types()[kind])


def _replaced(value: Any, kept: Any) -> bool:
    """Tell whether text was changed, because UTF-8 can't hold it."""
    values, texts = (each if isinstance(each, list) else [each] for each in (value, kept))
    return any(isinstance(one, str) and one != other for one, other in zip(values, texts, strict=True))


#: The types of values that a column takes as they are.
_PLAIN: dict[str, set[type]] = {
    "string": {str, type(None)},
    "int64": {int, type(None)},
    "bool": {bool, type(None)},
    "timestamp": {type(None)},
    "strings": {list, type(None)},
}
_READERS: dict[str, Callable[[Any], Any]] = {
    "string": text,
    "int64": integer,
    "bool": boolean,
    "timestamp": parse_timestamp,
    "strings": strings,
}


def _table(name: str, columns: dict[str, Any]) -> pa.Table:
    import pyarrow as pa

    return pa.table([columns[column] for column in schema(name).names], schema=schema(name))
