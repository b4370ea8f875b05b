"""The shape of items: spellings, placeholders, variables, ids, and several states of one configuration."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_outbound.model.items import (
    channels,
    content_key,
    declared,
    header_variables,
    is_bare,
    item_id,
    merged,
    placeholders,
    variables,
)
from tests.strategies import ITEMS


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hi ${{1}}", ["1"]),
        ("https://example.com/{{2}}?x={{1}}", ["2", "1"]),
        ("Seats - $4 - $5", ["4", "5"]),
        ("$10 and $1", ["10", "1"]),
        ("${{10}}${{1}}", ["10", "1"]),
        ("{{ 3 }}", ["3"]),
        ("$1 $1", ["1"]),
        ("US$ {1} ${} $$ {{}} {{two words}}", []),
        ("", []),
    ],
)
def test_placeholders(text: str, found: list[str]) -> None:
    component = {"type": "body", "content": text, "variables": ["1", "4", "5", "10"]}
    assert placeholders(component) == found


def test_placeholders_of_all_texts() -> None:
    component = {"type": "text", "messageText": "$3", "notificationTitle": "we $1", "notificationMessage": "$2"}
    assert placeholders({**component, "variables": [1, 2, 3]}) == ["3", "1", "2"]


@pytest.mark.fault("D7")
@pytest.mark.parametrize(
    ("component", "found"),
    [
        ({"content": "Only $100 today"}, []),
        ({"content": "Only $100 today", "variables": []}, []),
        ({"content": "$100 for $1", "variables": ["1"]}, ["1"]),
        ({"content": "$1 of $10", "variables": "1"}, ["1"]),
        ({"content": "$1", "variables": {"odd": True}}, []),
        ({"content": "${{name}} ${{ order_id }}"}, ["name", "order_id"]),
        ({"url": "https://example.com/{{name}}?at=$5"}, ["name"]),
    ],
)
def test_a_dollar_and_digits_are_a_variable_only_where_declared(
    component: dict[str, Any], found: list[str]
) -> None:
    assert placeholders(component) == found


@pytest.mark.parametrize(
    ("component", "names"),
    [
        ({"content": "$1", "variables": ["1"]}, ["1"]),
        ({"content": "$1 for $5 only", "variables": ["1"]}, ["1"]),
        ({"content": "${{1}} ${{2}}"}, ["1", "2"]),
        ({"content": "$1 $2"}, []),
        ({"content": "$1", "variables": []}, []),
        ({"content": "${{1}}", "variables": []}, []),
        ({"url": "$4", "Variables": ["4"]}, ["4"]),
        ({"variables": [10, 9]}, ["9", "10"]),
        ({"variables": "1"}, ["1"]),
        ({"content": "${{1}}", "variables": {"odd": True}}, ["1"]),
        ({"content": "${{name}}"}, ["name"]),
        ({"type": "header", "content": "${{1}}"}, ["1"]),
        ({"type": "header", "sub_type": "text", "variables": ["1"]}, ["1"]),
        ({"type": "header", "sub_type": "image", "variables": ["1"]}, []),
        ({"type": "image", "Variables": ["4"]}, ["4"]),
    ],
)
def test_variables(component: dict[str, Any], names: list[str]) -> None:
    assert variables({"type": "wa", "messageComponents": [component]}) == names


@pytest.mark.fault("D6")
@pytest.mark.parametrize(
    ("component", "value"),
    [
        ({"variables": None, "Variables": ["4"]}, ["4"]),
        ({"variables": ["4"], "Variables": None}, ["4"]),
        ({"variables": [], "Variables": ["4"]}, []),
        ({"variables": None, "Variables": None}, None),
        ({}, None),
    ],
)
def test_the_spelling_that_has_a_value_counts(component: dict[str, Any], value: object) -> None:
    assert declared(component) == value


@pytest.mark.parametrize("kind", ["image", "video", "document"])
@pytest.mark.parametrize(
    ("header", "taken"),
    [
        ({"content": "$1", "variables": ["1"]}, True),
        ({"content": "{{1}}"}, True),
        ({"content": "https://example.com/{{1}}.png", "variables": []}, True),
        ({"variables": ["1"]}, True),
        ({"content": "", "variables": ["1"]}, True),
        ({"content": "https://example.com/1.pdf", "variables": ["1"]}, False),  # as on LivePerson's page
        ({"content": "HTTP://example.com/1.pdf", "variables": ["1"]}, False),
        ({"content": "https://example.com/1.pdf", "variables": []}, False),
        ({"content": "https://example.com/1.pdf"}, False),
        ({"content": "$1"}, False),
        ({}, False),
    ],
)
def test_media_headers_that_take_a_variable(kind: str, header: dict[str, Any], taken: bool) -> None:
    body = {"type": "body", "content": "${{1}}", "variables": ["1"]}
    channel = {"type": "wa", "messageComponents": [{"type": "header", "sub_type": kind, **header}, body]}
    assert header_variables(channel, channel, "odd") == ([kind] if taken else [])
    assert variables(channel) == ["1"]


@pytest.mark.fault("D8")
@pytest.mark.parametrize(
    ("item", "key"),
    [
        ({"id": "1"}, "1"),
        ({"id": 1}, "1"),
        ({"id": "H123456789", "channels": []}, "H123456789"),
        ({}, ""),
        *[({"id": none}, "") for none in ("", None, [], {}, 0, False, True, ["7"], 1.5)],
    ],
)
def test_an_id_is_text(item: dict[str, Any], key: str) -> None:
    assert item_id(item) == key


@pytest.mark.fault("P9")
def test_a_bare_channel_has_no_id_of_its_own() -> None:
    bare = {"id": "7", "type": "wa", "language": "en"}
    assert (item_id(bare), is_bare(bare), channels(bare)) == ("", True, [bare])
    assert is_bare({"messageComponents": []})
    assert not is_bare({"id": "7", "type": "wa", "channels": None})
    assert not is_bare({"id": "7"})


def test_content_is_the_same_in_any_order_of_keys() -> None:
    assert content_key({"a": [1, {"b": 2, "c": 3}], "d": 4}) == content_key({"d": 4, "a": [1, {"c": 3, "b": 2}]})
    assert content_key([1, 2]) != content_key([2, 1])


WA = {"type": "wa", "language": "en"}
WA_DE = {"type": "wa", "language": "de"}
SMS = {"type": "sms-twilio", "language": "en"}
UNTYPED = {"language": "en", "messageComponents": []}


def state(*channels: Any, updated: Any = "2026-01-01", **more: Any) -> dict[str, Any]:
    return {"id": "7", "updatedAt": updated, "channels": list(channels), **more}


@pytest.mark.fault("P10")
@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([state(WA), state(SMS)], [WA, SMS]),
        ([state(WA), state(WA)], [WA]),
        ([state(WA), state(dict(reversed(WA.items())))], [WA]),
        ([state(WA, WA_DE), state(WA)], [WA, WA_DE]),
        ([state(WA), state(WA_DE)], [WA, WA_DE]),
        ([state(SMS), state(WA, WA_DE)], [WA, WA_DE, SMS]),
        ([state(SMS, WA), state(WA, SMS)], [SMS, WA]),
        ([state(UNTYPED), state(WA), state(UNTYPED)], [UNTYPED, WA]),
        ([state(UNTYPED), state({**UNTYPED, "language": "de"})], [UNTYPED, {**UNTYPED, "language": "de"}]),
        ([state("odd"), state(WA), state("odd", [5])], ["odd", 5, WA]),
        ([state(), {"id": "7"}, state(WA)], [WA]),
    ],
)
def test_every_distinct_channel_of_several_listings_is_kept(
    states: list[dict[str, Any]], expected: list[Any]
) -> None:
    assert channels(merged(states)) == expected


@pytest.mark.fault("P10")
def test_the_fields_are_those_of_the_state_updated_last() -> None:
    old, new = state(SMS, WA, name="old", gone=1), state(WA, updated="2026-02-01T00:00:00Z", name="new")
    assert merged([old, new]) == merged([new, old]) == {**new, "channels": [SMS, WA]}
    whole = state(SMS, WA, updated="2026-02-01", name="new")
    assert merged([old, whole]) is merged([whole, old]) is whole
    assert merged([old]) is old


@pytest.mark.fault("P10")
@settings(max_examples=100)
@given(st.lists(ITEMS, min_size=1, max_size=4))
def test_merging_keeps_every_channel_once_whatever_came(states: list[dict[str, Any]]) -> None:
    states = [{"channels": None, **each} for each in states]
    keys = [content_key(channel) for channel in channels(merged(states))]
    assert set(keys) == {content_key(channel) for each in states for channel in channels(each)}
    assert len(keys) == len(set(keys))


@pytest.mark.fault("D6")
def test_a_channel_beside_null_channels_is_a_bare_channel() -> None:
    item = {"id": "1", "type": "wa", "channels": None, "messageComponents": [{"type": "body"}]}
    assert channels(item) == [item]
