"""The tables: fixed schemas, every row, and whole files."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timezone
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_outbound.errors import ConfigError
from airflow_provider_outbound.model.codec import encode
from airflow_provider_outbound.model.items import Record, channels, components
from airflow_provider_outbound.model.matching import Criteria, TemplateIndex
from airflow_provider_outbound.tables import build as tables
from airflow_provider_outbound.tables.schemas import TABLES, schema
from tests.fake import configuration
from tests.strategies import ITEMS

NOW = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))


class Built:
    """Both tables of a listing, and what was odd in it."""

    def __init__(self, *items: Any) -> None:
        self.notes = Counter[str]()
        self.tables = tables.whole(tables.parts(items, "12345678", lambda: NOW, self.notes))
        self.configurations, self.components = (self.tables[name] for name in TABLES)


def sample(path: Path) -> list[dict[str, Any]]:
    """Return a sample as the API would list it: a component alone stands in a WhatsApp channel."""
    data = json.loads(path.read_text())
    if path.stem.startswith("component_"):
        data = {"type": "wa", "language": "en", "messageComponents": [data]}
    return data if isinstance(data, list) else [data]


# Of each example on LivePerson's page: components, their types, variables and placeholders.
EXPECTED = {
    "component_button_phone_number": [("button", "phone_number", None, [])],
    "component_button_quick_reply": [("button", "quick_reply", None, []), ("button", "quick_reply", None, [])],
    "component_button_url": [("button", "url", ["1"], [])],
    "component_header_document": [("header", "document", ["1"], [])],
    "component_header_image_dynamic": [("header", "image", ["1"], ["1"])],
    "component_header_image_static": [("header", "image", [], [])],
    "component_header_video": [("header", "video", [], [])],
    "googlercs": [
        ("button", "quick_reply", None, []),
        ("button", "url", None, []),
        ("media", None, ["3"], ["3"]),
        ("body", None, ["1", "2"], ["1", "2"]),
    ],
    "googlercs_media": [("media", None, [], []), ("media", None, ["1"], ["1"])],
    "googlercs_text_suggestions": [
        ("body", None, ["1"], ["1"]),
        ("button", "phone_number", None, []),
        ("button", "url", None, []),
    ],
    "inapp": [("text", None, ["1", "2", "3"], ["3", "1", "2"]), ("image", None, ["4"], ["4"])],
    "list_by_channel": [
        ("body", None, ["1"], []),
        ("body", None, ["1", "2"], []),
        ("body", None, ["1"], []),
    ],
    "sms_twilio": [("body", None, ["1"], ["1"])],
    "whatsapp": [("body", None, ["1", "2", "3", "4", "5"], ["1", "2", "3", "4", "5"])],
    "whatsapp_rich_content": [
        ("body", None, ["1", "2", "3", "4", "5"], ["1", "2", "3", "4", "5"]),
        ("footer", None, None, []),
    ],
}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("shape", ["bare", "profile"])
def test_samples_of_livepersons_page(path: Path, shape: str) -> None:
    items = sample(path)
    if shape == "profile":
        items = [{"id": str(number), "name": "n", "channels": [channel]} for number, channel in enumerate(items)]
    built = Built(*items)
    rows = built.components.select(["component_type", "sub_type", "variables", "placeholders"]).to_pylist()
    assert [tuple(row.values()) for row in rows] == EXPECTED[path.stem]
    assert built.configurations.num_rows == len(items)
    assert [json.loads(raw) for raw in built.configurations["raw"].to_pylist()] == items
    assert set(built.notes) <= {"components whose variables and placeholders differ"}


def test_every_field_has_its_column() -> None:
    channel = {
        "type": "wa",
        "language": "en",
        "outboundnumber": "+1",
        "namespace": "ns",
        "templatename": "tn",
        "appNames": ["a", "b"],
        "serviceAccountName": "sa",
        "cardOrientation": "VERTICAL",
    }
    component = {
        "type": "button",
        "sub_type": "url",
        "title": "t",
        "content": "c ${{1}}",
        "url": "https://x/{{2}}",
        "phone_number": "+2",
        "index": 1,
        "optOut": "STOP",
        "height": "tall",
        "thumbnailImageAlignment": "left",
        "messageText": "m",
        "notificationTitle": "nt",
        "notificationMessage": "nm",
        "isSameMessageForNotification": True,
        "isClickable": False,
        "destinationUrl": "https://y",
        "variables": ["1", "2"],
    }
    item = {
        "id": "7",
        "name": "n",
        "lookbackPeriodDay": 3,
        "lookbackPeriodHour": 4,
        "routeAllWithinLookback": False,
        "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": "2026-01-02T00:00:00Z",
        "channels": [{**channel, "messageComponents": [component]}],
    }
    built = Built(item)
    (configuration,) = built.configurations.to_pylist()
    raw = json.loads(configuration.pop("raw"))
    assert raw == item
    assert configuration == {
        "id": "7",
        "name": "n",
        "lookback_period_day": 3,
        "lookback_period_hour": 4,
        "route_all_within_lookback": False,
        "created_at": datetime(2026, 1, 1, tzinfo=timezone.utc),
        "updated_at": datetime(2026, 1, 2, tzinfo=timezone.utc),
        "channel_types": ["wa"],
        "languages": ["en"],
        "template_names": ["tn"],
        "variables": ["1", "2"],
        "account_id": "12345678",
        "fetched_at": NOW,
    }
    (row,) = built.components.to_pylist()
    assert json.loads(row.pop("raw")) == component
    first = {"configuration_id": "7", "configuration_name": "n", "channel_index": 0, "component_index": 0}
    assert {name: row.pop(name) for name in first} == first
    assert row.pop("placeholders") == ["1", "2"]
    assert list(row.values()) == [*channel.values(), *component.values()]
    assert not built.notes


ODD: list[Any] = [
    {"id": 5, "name": ["x"], "lookbackPeriodDay": "5", "lookbackPeriodHour": 2**70, "createdAt": 1772366400000},
    {"id": "6", "channels": {"type": "viber", "messageComponents": {"type": "carousel", "variables": "1"}}},
    {
        "id": "7",
        "channels": [{"type": "wa", "messageComponents": [[{"type": "body", "variables": [1, 2]}], "text", None]}],
    },
    {"id": "8", "channels": ["odd", 7, {"type": {"deep": []}}], "updatedAt": "yesterday", "more": {"x": [1]}},
    {"id": "9", "channels": None, "routeAllWithinLookback": "true"},
    {
        "type": "inapp",
        "appName": "app",
        "messageComponents": [{"type": "image", "Variables": ["4"], "index": "x"}],
    },
    {},
]


@pytest.mark.fault("D1")
def test_odd_data_is_kept_typed_and_counted() -> None:
    built = Built(*ODD)
    assert built.configurations.schema == schema("configurations")
    assert built.components.schema == schema("components")
    assert [json.loads(raw) for raw in built.configurations["raw"].to_pylist()] == ODD
    rows = built.configurations.to_pylist()
    assert rows[0]["id"] == "5"
    assert rows[0]["lookback_period_day"] == 5
    assert rows[0]["created_at"] == datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
    assert rows[4]["route_all_within_lookback"] is True
    assert built.notes == {
        "unreadable name": 1,
        "unreadable lookback_period_hour": 1,
        "unreadable updated_at": 1,
        "unreadable button_index": 1,
        "unreadable channel_type": 1,
        "unknown channel type 'viber'": 1,
        "unknown channel type None": 3,
        "unknown component type 'carousel'": 1,
        "unknown component type None": 1,
        "values that should be objects": 3,
        "components whose variables and placeholders differ": 3,
    }
    components = built.components.select(
        ["configuration_id", "component_type", "variables", "app_names"]
    ).to_pylist()
    assert [tuple(row.values()) for row in components] == [
        ("6", "carousel", ["1"], None),
        ("7", "body", ["1", "2"], None),
        ("7", None, None, None),
        ("8", None, None, None),
        ("8", None, None, None),
        ("8", None, None, None),
        (None, "image", ["4"], ["app"]),
    ]
    assert built.components["raw"].to_pylist()[2] == '"text"'


@pytest.mark.fault("D2")
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ITEMS, max_size=4))
def test_any_json_item_makes_whole_typed_rows(items: list[dict[str, Any]]) -> None:
    built = Built(*items)
    assert built.configurations.schema == schema("configurations")
    assert built.components.schema == schema("components")
    read = [json.loads(raw) for raw in built.configurations["raw"].to_pylist()]
    assert json.dumps(read, sort_keys=True) == json.dumps(items, sort_keys=True)  # NaN is not equal to itself
    ids = [item.get("id") for item in items]
    for stored, given_id in zip(built.configurations["id"].to_pylist(), ids, strict=True):
        assert stored == (given_id.encode(errors="replace").decode() if isinstance(given_id, str) else stored)
    rows = sum(max(1, len(components(channel))) for item in items for channel in channels(item))
    assert built.components.num_rows == rows
    buffer = BytesIO()
    pq.write_table(built.components, buffer)
    assert pq.read_table(buffer).equals(built.components)
    index = TemplateIndex(Record(encode(item), item) for item in items)
    Criteria("wa", variables=["1"]).match(index).seen.encode()


@pytest.mark.fault("D2")
def test_text_that_utf8_cannot_hold() -> None:
    half = "half \ud83d pair"
    body = {"type": "body", "content": half, "variables": ["1", half, 3]}
    item = {"id": "1", "name": half, "channels": [{"type": "wa", "messageComponents": [body]}]}
    built = Built(item)
    (row,), (component,) = built.configurations.to_pylist(), built.components.to_pylist()
    assert row["name"] == component["content"] == component["configuration_name"] == "half ? pair"
    assert component["variables"] == ["1", "half ? pair", "3"]
    assert (json.loads(row["raw"]), json.loads(component["raw"])) == (item, body)
    assert built.notes == {
        "name with half a character, replaced": 1,
        "content with half a character, replaced": 1,
        "variables with half a character, replaced": 1,
        "components whose variables and placeholders differ": 1,
    }


def test_tables_in_parts_are_those_of_the_whole() -> None:
    count = 2 * tables.PART + tables.CHUNK // 2
    items = [configuration(number, lookbackPeriodDay=number or "odd") for number in range(count)]
    parts = list(tables.parts(items, "12345678", lambda: NOW, notes := Counter()))
    assert [part["configurations"].num_rows for part in parts] == [tables.PART, tables.PART, tables.CHUNK // 2]
    whole = tables.whole(parts)
    assert whole["configurations"]["id"].to_pylist() == [item["id"] for item in items]
    assert whole["components"]["configuration_id"].to_pylist() == [item["id"] for item in items]
    assert notes == {"unreadable lookback_period_day": 1}


def test_parts_of_large_items_have_fewer() -> None:
    items = [configuration(number, filler="x" * 300_000) for number in range(5 * tables.CHUNK)]
    sizes = [
        sum(table.nbytes for table in part.values())
        for part in tables.parts(items, "12345678", lambda: NOW, Counter())
    ]
    assert len(sizes) == 2
    assert max(sizes) < 2 * tables.PART_SIZE


@pytest.mark.fault("P6")
def test_empty_account_gives_typed_tables() -> None:
    built = Built()
    assert built.configurations.schema == schema("configurations")
    assert built.components.schema == schema("components")
    assert built.components.num_rows == 0


def test_table_that_does_not_exist() -> None:
    with pytest.raises(ConfigError, match="give configurations or components"):
        schema("channels")


def test_no_type_is_inferred() -> None:
    assert pa.null() not in schema("components").types
