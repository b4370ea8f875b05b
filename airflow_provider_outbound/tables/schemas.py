"""The columns of all tables, which are fixed.

Importing this module does not load pyarrow; using it does.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from airflow_provider_outbound.errors import ConfigError, printable

if TYPE_CHECKING:
    import pyarrow as pa

#: The tables that a listing becomes.
TABLES = ("configurations", "components")

#: Kept in the metadata of tables and files; changes with the columns.
SCHEMA_VERSION = "2"

#: Column, type and the item's field; a column without a field is computed.
Columns: TypeAlias = tuple[tuple[str, str, "str | None"], ...]

ID = ("id", "string", "id")
NAME = ("name", "string", "name")
CONFIGURATIONS: Columns = (
    ID,
    NAME,
    ("lookback_period_day", "int64", "lookbackPeriodDay"),
    ("lookback_period_hour", "int64", "lookbackPeriodHour"),
    ("route_all_within_lookback", "bool", "routeAllWithinLookback"),
    ("created_at", "timestamp", "createdAt"),
    ("updated_at", "timestamp", "updatedAt"),
    ("channel_types", "strings", None),
    ("languages", "strings", None),
    ("template_names", "strings", None),
    ("variables", "strings", None),
    ("fingerprint", "string", None),
    ("account_id", "string", None),
    ("fetched_at", "timestamp", None),
    ("raw", "string", None),
)
CHANNEL: Columns = (
    ("channel_type", "string", "type"),
    ("language", "string", "language"),
    ("outbound_number", "string", "outboundnumber"),
    ("namespace", "string", "namespace"),
    ("template_name", "string", "templatename"),
    ("app_names", "strings", "appNames"),
    ("service_account_name", "string", "serviceAccountName"),
    ("card_orientation", "string", "cardOrientation"),
)
COMPONENT: Columns = (
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
COMPONENTS: Columns = (
    ("configuration_id", "string", None),
    ("configuration_name", "string", None),
    ("channel_index", "int64", None),
    *CHANNEL,
    ("fingerprint", "string", None),
    ("component_index", "int64", None),
    *COMPONENT,
    ("placeholders", "strings", None),
    ("raw", "string", None),
)
#: A problem that a check found.
PROBLEMS: Columns = (
    ("code", "string", None),
    ("severity", "string", None),
    ("configuration_index", "int64", None),
    ("configuration_id", "string", None),
    ("configuration_name", "string", None),
    ("channel_index", "int64", None),
    ("channel_type", "string", None),
    ("language", "string", None),
    ("component_index", "int64", None),
    ("component_type", "string", None),
    ("detail", "string", None),
    ("account_id", "string", None),
    ("fetched_at", "timestamp", None),
)
#: A field that changed, or a configuration that was created or removed.
CHANGES: Columns = (
    ("kind", "string", None),
    ID,
    NAME,
    ("channel_types", "strings", None),
    ("languages", "strings", None),
    ("template_names", "strings", None),
    ("field", "string", None),
    ("before", "string", None),
    ("after", "string", None),
    ("account_id", "string", None),
    ("previously_fetched_at", "timestamp", None),
    ("fetched_at", "timestamp", None),
)
#: A state of a configuration, and when it was valid.
HISTORY: Columns = (
    ("key", "string", None),
    ("valid_from", "timestamp", None),
    ("valid_to", "timestamp", None),
    ("is_current", "bool", None),
    *(column for column in CONFIGURATIONS if column[0] != "fetched_at"),
)
_COLUMNS = {
    "configurations": CONFIGURATIONS,
    "components": COMPONENTS,
    "changes": CHANGES,
    "problems": PROBLEMS,
    "history": HISTORY,
}


def check_tables(names: Collection[str]) -> None:
    """Check that names are tables of an export.

    :param names: ``configurations``, ``components`` or both.
    :raises ConfigError: for another table, none at all, or one text.
    """
    if isinstance(names, str) or not names:
        raise ConfigError(f"names is {printable(repr(names), 60)}: give a list such as {list(TABLES)}")
    for name in names:
        if name not in TABLES:
            raise ConfigError(f"table is {printable(repr(name), 60)}: give configurations or components")


@cache
def types() -> dict[str, pa.DataType]:
    """Return the columns' types, by the names that they have above."""
    import pyarrow as pa

    return {
        "string": pa.string(),
        "int64": pa.int64(),
        "bool": pa.bool_(),
        "timestamp": pa.timestamp("ms", tz="UTC"),
        "strings": pa.list_(pa.string()),
    }


@cache
def schema(table: str) -> pa.Schema:
    """Return the fixed schema of a table.

    :param table: ``configurations``, ``components``, ``changes``, ``problems`` or ``history``.
    """
    import pyarrow as pa

    fields = [pa.field(column, types()[kind]) for column, kind, _ in _COLUMNS[table]]
    return pa.schema(fields, {"schema_version": SCHEMA_VERSION})
