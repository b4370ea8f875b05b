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

from airflow_provider_outbound.client.listing import page_of
from airflow_provider_outbound.errors import ConfigError
from airflow_provider_outbound.hooks import OutboundHook
from airflow_provider_outbound.model.codec import decode
from airflow_provider_outbound.model.fingerprints import channel_fingerprint, fingerprint
from airflow_provider_outbound.model.items import Record, channels, components
from airflow_provider_outbound.model.matching import Criteria, TemplateIndex
from airflow_provider_outbound.tables import build as tables
from airflow_provider_outbound.tables.schemas import TABLES, schema
from tests.fake import configuration
from tests.listed import NOW, Built, pages, records
from tests.strategies import ITEMS

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))


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
    assert set(built.anomalies) <= {"components whose variables and placeholders differ"}


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
        "fingerprint": fingerprint(item["channels"]),
        "account_id": "12345678",
        "fetched_at": NOW,
    }
    (row,) = built.components.to_pylist()
    assert json.loads(row.pop("raw")) == component
    first = {"configuration_id": "7", "configuration_name": "n", "channel_index": 0, "component_index": 0}
    assert {name: row.pop(name) for name in first} == first
    assert row.pop("placeholders") == ["1", "2"]
    assert row.pop("fingerprint") == channel_fingerprint(item["channels"][0])
    assert list(row.values()) == [*channel.values(), *component.values()]
    assert not built.anomalies


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
    assert built.anomalies == {
        "unreadable name": 1,
        "unreadable lookback_period_hour": 1,
        "unreadable updated_at": 1,
        "unreadable button_index": 1,
        "unreadable channel_type": 1,
        "channels of unknown type 'viber', None": 4,
        "components of unknown type 'carousel', None": 2,
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
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
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
    Criteria("wa", variables=["1"]).match(TemplateIndex(records(items))).seen.encode()


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
    assert built.anomalies == {
        "name with half a surrogate pair, replaced": 1,
        "content with half a surrogate pair, replaced": 1,
        "variables with half a surrogate pair, replaced": 1,
        "components whose variables and placeholders differ": 1,
    }


def test_tables_in_parts_are_those_of_the_whole() -> None:
    count = 2 * tables.PART + tables.CHUNK // 2
    items = [configuration(number, lookbackPeriodDay=number or "odd") for number in range(count)]
    parts = list(tables.parts(pages(items), "12345678", lambda: NOW, anomalies := Counter()))
    rows = [part.tables["configurations"].num_rows for part in parts]
    assert rows == [tables.PART, tables.PART, tables.CHUNK // 2]
    assert [part.offset for part in parts] == [0, tables.PART, 2 * tables.PART]
    whole = tables.concat_parts(part.tables for part in parts)
    assert whole["configurations"]["id"].to_pylist() == [item["id"] for item in items]
    assert whole["components"]["configuration_id"].to_pylist() == [item["id"] for item in items]
    assert anomalies == {"unreadable lookback_period_day": 1}


@pytest.mark.parametrize(("count", "size"), [(500, 300_000), (tables.CHUNK // 2, 1_400_000)])
def test_parts_of_large_items_have_fewer(count: int, size: int) -> None:
    items = [configuration(number, filler="x" * size) for number in range(count)]
    sizes = [
        sum(table.nbytes for table in part.tables.values())
        for part in tables.parts(pages(items, 10), "12345678", lambda: NOW, Counter())
    ]
    assert len(sizes) == 2
    assert max(sizes) < 2 * tables.PART_SIZE


@pytest.mark.fault("P6")
def test_empty_account_gives_typed_tables() -> None:
    built = Built()
    assert built.configurations.schema == schema("configurations")
    assert built.components.schema == schema("components")
    assert built.components.num_rows == 0


@pytest.mark.parametrize("table", ["channels", "changes"])
def test_table_that_a_listing_does_not_become(table: str) -> None:
    with pytest.raises(ConfigError, match="give configurations or components"):
        OutboundHook("nowhere").get_table(table)


def test_no_type_is_inferred() -> None:
    assert pa.null() not in schema("components").types


@pytest.mark.fault("D1")
def test_raw_is_the_bytes_that_came() -> None:
    raw = [
        b'{"id" : "1",\n "lookbackPeriodDay": 1.50, "id": "2"}',
        b'{"name":"\\u00e9 \xc3\xa9 \\ud800"}',
        b'{"a":"\xed\xa0\x80"}',
    ]
    listed = [Record(text, decode(text)) for text in raw]
    (part,) = tables.parts([page_of(0, listed)], "12345678", lambda: NOW, Counter())
    table = part.tables["configurations"]
    assert table["raw"].to_pylist() == [text.decode(errors="replace") for text in raw]
    assert table["id"].to_pylist() == ["2", None, None]


@pytest.mark.fault("D6")
def test_the_spelling_that_has_a_value_is_read() -> None:
    channels: list[Any] = [
        {
            "type": "inapp",
            "appNames": None,
            "appName": "app",
            "messageComponents": {"variables": None, "Variables": ["4"]},
        },
        {
            "type": "inapp",
            "appNames": ["a"],
            "appName": None,
            "messageComponents": {"variables": [], "Variables": ["4"]},
        },
    ]
    rows = Built({"id": "1", "channels": channels}).components.to_pylist()
    assert [row["app_names"] for row in rows] == [["app"], ["a"]]
    assert [row["variables"] for row in rows] == [["4"], []]


def test_fingerprints_are_those_of_each_channel() -> None:
    wa, sms = {"type": "wa", "messageComponents": [{}, {}]}, {"type": "sms-twilio"}
    built = Built({"id": "1", "channels": [wa, "odd", sms]}, {"id": "2"}, {"id": "3", **sms})
    assert built.configurations["fingerprint"].to_pylist() == [fingerprint([wa, sms]), None, fingerprint([sms])]
    of = [channel_fingerprint(wa), channel_fingerprint(wa), None, *[channel_fingerprint(sms)] * 2]
    assert built.components["fingerprint"].to_pylist() == of


@pytest.mark.fault("D7")
def test_a_price_is_no_placeholder() -> None:
    body = {"type": "body", "content": "Only $100, {{name}}"}
    built = Built({"id": "1", "channels": [{"type": "wa", "messageComponents": [body]}]})
    assert built.components["placeholders"].to_pylist() == [["name"]]
    assert built.configurations["variables"].to_pylist() == [["name"]]


@pytest.mark.fault("D8")
def test_numbers_in_other_notations_are_null_and_counted() -> None:
    built = Built(
        *[configuration(number, lookbackPeriodDay=day) for number, day in enumerate(["1_000", "５", "5"])]
    )
    assert built.configurations["lookback_period_day"].to_pylist() == [None, None, 5]
    assert built.anomalies == {"unreadable lookback_period_day": 2}


@pytest.mark.fault("D9")
def test_thousands_of_unknown_types_are_one_anomaly() -> None:
    channel = [{"type": f"c{number}", "messageComponents": [{"type": f"m{number}"}]} for number in range(5000)]
    built = Built(*[{"id": str(number), "channels": [each]} for number, each in enumerate(channel)])
    assert built.anomalies == {
        "channels of unknown type 'c0', 'c1', 'c2', 'c3', 'c4' and 4995 others": 5000,
        "components of unknown type 'm0', 'm1', 'm2', 'm3', 'm4' and 4995 others": 5000,
    }


@pytest.mark.parametrize("table", TABLES)
def test_tables_and_files_tell_the_version_of_their_schema(table: str) -> None:
    built = Built(configuration(1)).tables[table]
    buffer = BytesIO()
    pq.write_table(built, buffer)
    assert built.schema.metadata == pq.read_schema(buffer).metadata == {b"schema_version": b"2"}
