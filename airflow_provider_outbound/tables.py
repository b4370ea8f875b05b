"""Items as two typed tables with fixed schemas.

Importing this module loads neither pyarrow nor pandas; using it does.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider_outbound import templates
from airflow_provider_outbound.errors import ConfigError, one_line
from airflow_provider_outbound.templates import Item

if TYPE_CHECKING:
    import pyarrow as pa

TABLES = ("configurations", "components")
PART = 1000  # items in memory at once while tables are made

#: Column, type and the item's field; a column without a field is computed.
CONFIGURATIONS = (
    ("id", "string", "id"),
    ("name", "string", "name"),
    ("lookback_period_day", "int64", "lookbackPeriodDay"),
    ("lookback_period_hour", "int64", "lookbackPeriodHour"),
    ("route_all_within_lookback", "bool", "routeAllWithinLookback"),
    ("created_at", "timestamp", "createdAt"),
    ("updated_at", "timestamp", "updatedAt"),
    ("channel_types", "strings", None),
    ("languages", "strings", None),
    ("template_names", "strings", None),
    ("variables", "strings", None),
    ("account_id", "string", None),
    ("fetched_at", "timestamp", None),
    ("raw", "string", None),
)
_CHANNEL = (
    ("channel_type", "string", "type"),
    ("language", "string", "language"),
    ("outbound_number", "string", "outboundnumber"),
    ("namespace", "string", "namespace"),
    ("template_name", "string", "templatename"),
    ("app_names", "strings", "appNames"),
    ("service_account_name", "string", "serviceAccountName"),
    ("card_orientation", "string", "cardOrientation"),
)
_COMPONENT = (
    ("component_type", "string", "type"),
    ("sub_type", "string", "sub_type"),
    ("title", "string", "title"),
    ("content", "string", "content"),
    ("url", "string", "url"),
    ("phone_number", "string", "phone_number"),
    ("button_index", "int64", "index"),
    ("opt_out", "string", "optOut"),
    ("height", "string", "height"),
    ("thumbnail_image_alignment", "string", "thumbnailImageAlignment"),
    ("message_text", "string", "messageText"),
    ("notification_title", "string", "notificationTitle"),
    ("notification_message", "string", "notificationMessage"),
    ("is_same_message_for_notification", "bool", "isSameMessageForNotification"),
    ("is_clickable", "bool", "isClickable"),
    ("destination_url", "string", "destinationUrl"),
    ("variables", "strings", "variables"),
)
COMPONENTS = (
    ("configuration_id", "string", None),
    ("configuration_name", "string", None),
    ("channel_index", "int64", None),
    *_CHANNEL,
    ("component_index", "int64", None),
    *_COMPONENT,
    ("placeholders", "strings", None),
    ("raw", "string", None),
)
# LivePerson's page spells these both ways.
_ALSO = {"appNames": "appName", "variables": "Variables"}

Row = dict[str, Any]


class Tables(NamedTuple):
    """Both tables of a listing or of a part of it, and what is worth telling of them.

    :param configurations: one row per item.
    :param components: one row per message component, and one per channel without any.
    :param notes: how often a value could not be read, a type was unknown, or variables and texts disagree.
    """

    configurations: pa.Table
    components: pa.Table
    notes: Counter[str]


def parts(items: Iterable[Item], account_id: str, fetched_at: datetime) -> Iterator[Tables]:
    """Make the tables of a listing in parts that fit into memory, whatever their number; at least one.

    :param items: configurations or bare channels, as the API lists them.
    :param account_id: whose they are.
    :param fetched_at: when they were listed.
    """
    left = iter(items)
    part = list(islice(left, PART))
    while True:
        yield _build(part, account_id, fetched_at)
        if not (part := list(islice(left, PART))):
            return


def build(items: Iterable[Item], account_id: str, fetched_at: datetime) -> Tables:
    """Make the tables of a listing whole; the parameters are those of :func:`parts`."""
    return whole(parts(items, account_id, fetched_at))


def whole(parts: Iterable[Tables]) -> Tables:
    """Put the parts of a listing's tables together.

    :param parts: one at least.
    """
    import pyarrow as pa

    configurations, components, notes = zip(*parts, strict=True)
    return Tables(pa.concat_tables(configurations), pa.concat_tables(components), sum(notes, Counter()))


def _build(items: Iterable[Item], account_id: str, fetched_at: datetime) -> Tables:
    notes: Counter[str] = Counter()
    configurations: list[Row] = []
    components: list[Row] = []
    for item in items:
        row = _configuration(item, notes)
        configurations.append({**row, "account_id": account_id, "fetched_at": fetched_at})
        components += _components(item, row, notes)
    return Tables(_table(CONFIGURATIONS, configurations), _table(COMPONENTS, components), notes)


def _configuration(item: Item, notes: Counter[str]) -> Row:
    row = _read(CONFIGURATIONS, item, notes)
    channels = [channel for channel in templates.channels(item) if isinstance(channel, dict)]
    for column, key in (("channel_types", "type"), ("languages", "language"), ("template_names", "templatename")):
        values = (templates.text(channel.get(key)) for channel in channels)
        row[column] = list(dict.fromkeys(value for value in values if value is not None))
    variables = templates.in_order(name for channel in channels for name in templates.variables(channel))
    row["variables"] = variables
    row["raw"] = _json(item)
    return row


def _components(item: Item, configuration: Row, notes: Counter[str]) -> list[Row]:
    rows: list[Row] = []
    for channel_index, channel in enumerate(templates.channels(item)):
        shared = {
            "configuration_id": configuration["id"],
            "configuration_name": configuration["name"],
            "channel_index": channel_index,
            **_read(_CHANNEL, channel, notes),
        }
        if (kind := shared["channel_type"]) not in templates.CHANNELS:
            notes[f"unknown channel type {one_line(repr(kind), 40)}"] += 1
        components = templates.components(channel)
        if not components:
            rows.append(shared)
        for component_index, component in enumerate(components):
            row = {**shared, "component_index": component_index, **_read(_COMPONENT, component, notes)}
            if (kind := row["component_type"]) not in templates.COMPONENTS:
                notes[f"unknown component type {one_line(repr(kind), 40)}"] += 1
            row["placeholders"] = templates.placeholders(component)
            if set(row["placeholders"]) != set(row["variables"] or ()):
                notes["components whose variables and placeholders differ"] += 1
            row["raw"] = _json(component)
            rows.append(row)
    return rows


def _read(columns: Iterable[tuple[str, str, str | None]], source: Any, notes: Counter[str]) -> Row:
    """Read fields into typed columns: null, and noted, where a value is not of the type."""
    row: Row = {}
    fields = source if isinstance(source, dict) else {}
    if not isinstance(source, dict):
        notes["values that should be objects"] += 1
    for column, kind, key in columns:
        if key is None:
            continue
        value = fields.get(key, fields.get(_ALSO.get(key, key)))
        row[column] = None if value is None else _READERS[kind](value)
        if row[column] is None and value is not None:
            notes[f"unreadable {column}"] += 1
    return row


def _integer(value: Any) -> int | None:
    with suppress(ValueError, OverflowError):
        number = value if isinstance(value, int) else int(value) if isinstance(value, str) else None
        if isinstance(value, float) and value.is_integer():
            number = int(value)
        if number is not None and not isinstance(value, bool) and -(2**63) <= number < 2**63:
            return number
    return None


def _boolean(value: Any) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


_READERS: dict[str, Callable[[Any], Any]] = {
    "string": templates.text,
    "int64": _integer,
    "bool": _boolean,
    "timestamp": templates.moment,
    "strings": templates.strings,
}


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if templates.storable(text) == text else json.dumps(value)


@cache
def schema(table: str) -> pa.Schema:
    """Return the fixed schema of a table.

    :param table: ``configurations`` or ``components``.
    :raises ConfigError: for any other name.
    """
    if table not in TABLES:
        raise ConfigError(f"table is {one_line(repr(table), 60)}: give configurations or components")
    return _schema(CONFIGURATIONS if table == "configurations" else COMPONENTS)


def _schema(columns: Iterable[tuple[str, str, str | None]]) -> pa.Schema:
    import pyarrow as pa

    types = {
        "string": pa.string(),
        "int64": pa.int64(),
        "bool": pa.bool_(),
        "timestamp": pa.timestamp("ms", tz="UTC"),
        "strings": pa.list_(pa.string()),
    }
    return pa.schema([pa.field(column, types[kind]) for column, kind, _ in columns])


def _table(columns: Iterable[tuple[str, str, str | None]], rows: list[Row]) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pylist(rows, schema=_schema(columns))
