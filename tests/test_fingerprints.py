"""Fingerprints: what a customer sees, and nothing else."""

from __future__ import annotations

import copy
import json
import math
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_outbound.errors import ConfigError
from airflow_provider_outbound.model.codec import decode, encode
from airflow_provider_outbound.model.fingerprints import (
    PARTS,
    changed,
    channel_fingerprint,
    fingerprint,
    parse,
    short,
)
from airflow_provider_outbound.model.items import channels
from tests.strategies import ITEMS

CHANNEL: dict[str, Any] = {
    "type": "googlercs",
    "language": "en",
    "outboundnumber": "c2m-1-grcs",
    "namespace": "ns",
    "templatename": "sale",
    "appNames": ["app"],
    "serviceAccountName": "account",
    "cardOrientation": "VERTICAL",
    "messageComponents": [
        {"type": kind, "content": f"{kind} ${{{{1}}}}", "variables": ["1"]}
        for kind in ("header", "body", "footer", "button", "button", "media", "text", "image", "carousel")
    ],
}


def turned(value: Any) -> Any:
    """Return JSON data with the keys of its objects in reverse order."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return [turned(each) for each in value] if isinstance(value, list) else value


def edited(*path: Any, to: Any = "changed") -> dict[str, Any]:
    """Return the channel with another value at a path."""
    channel = copy.deepcopy(CHANNEL)
    place: Any = channel
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return channel


@pytest.mark.parametrize(
    ("channel", "words"),
    [
        (edited("language"), "its language changed"),
        (edited("outboundnumber"), "its sender changed"),
        (edited("appNames"), "its sender changed"),
        (edited("serviceAccountName"), "its sender changed"),
        (edited("namespace"), "its WhatsApp template changed"),
        (edited("templatename"), "its WhatsApp template changed"),
        (edited("cardOrientation"), "its other content changed"),
        (edited("mediaUrl"), "its other content changed"),
        (edited("messageComponents", 0, "content"), "its header changed"),
        (edited("messageComponents", 1, "content"), "its body changed"),
        (edited("messageComponents", 2, "variables"), "its footer changed"),
        (edited("messageComponents", 4, "unknown"), "its buttons changed"),
        (edited("messageComponents", 5, "content"), "its media changed"),
        (edited("messageComponents", 6, "content"), "its text changed"),
        (edited("messageComponents", 7, "content"), "its image changed"),
        (edited("messageComponents", 8, "content"), "its other content changed"),
        (edited("messageComponents", 8, to="odd"), "its other content changed"),
        (
            edited("messageComponents", to=[]),
            "header, body, footer, buttons, media, text, image and other content",
        ),
        (
            edited("messageComponents", to=CHANNEL["messageComponents"][::-1]),
            "the order of its components changed",
        ),
        (edited("type"), "the fingerprint is of other channels"),
    ],
)
def test_a_changed_part_is_named(channel: dict[str, Any], words: str) -> None:
    was, now = channel_fingerprint(CHANNEL), channel_fingerprint(channel)
    assert words in changed(now, [was])
    assert changed(now, [was, now]) == ""


def test_the_message_compares_with_the_nearest_approved_channel() -> None:
    german = edited("language", to="de")
    reworded = {**german, "messageComponents": CHANNEL["messageComponents"][1:]}
    approved = [channel_fingerprint(each) for each in (CHANNEL, german, edited("type"))]
    assert changed(channel_fingerprint(reworded), approved) == "its header changed since that fingerprint"


def test_a_fingerprint_does_not_depend_on_dates_ids_and_names() -> None:
    bare = {"id": "7", "name": "sale", "createdAt": "2026-01-01", "updatedAt": "2026-01-02", **CHANNEL}
    assert channel_fingerprint(bare) == channel_fingerprint(CHANNEL)

    body = {"id": 7, "createdAt": "2026-01-01", "updatedAt": "2026-01-02", **CHANNEL["messageComponents"][1]}
    assert channel_fingerprint(edited("messageComponents", 1, to=body)) == channel_fingerprint(CHANNEL)


def test_a_null_field_counts_as_missing() -> None:
    spelled = edited("messageComponents", 0, "title", to=None)
    assert channel_fingerprint({**spelled, "appName": None, "x": None}) == channel_fingerprint(CHANNEL)


def test_both_spellings_of_a_field_are_one_field() -> None:
    header, *others = CHANNEL["messageComponents"]
    spelled = {"type": "header", "content": header["content"], "Variables": header["variables"]}
    other = {key: value for key, value in CHANNEL.items() if key != "appNames"}
    other |= {"appName": CHANNEL["appNames"], "messageComponents": [spelled, *others]}
    assert channel_fingerprint(other) == channel_fingerprint(CHANNEL)


def test_numbers_that_json_does_not_have_differ() -> None:
    odd = [edited("messageComponents", 1, "x", to=each) for each in (math.nan, math.inf, -math.inf, [None])]
    assert len(set(map(channel_fingerprint, odd))) == 4


def test_nested_and_flat_components_have_the_same_fingerprint() -> None:
    nested = edited("messageComponents", to=[CHANNEL["messageComponents"]])
    assert channel_fingerprint(nested) == channel_fingerprint(CHANNEL)


@pytest.mark.fault("D2")
@pytest.mark.parametrize("odd", [math.nan, "half \ud83d", 2**70, {"\ud800": [None]}, [], "null", [["x"]]])
def test_odd_content_has_a_fingerprint_of_its_own(odd: Any) -> None:
    prints = [
        channel_fingerprint(edited("messageComponents", 1, "content", to=each)) for each in (odd, None, "half ?")
    ]
    assert len(set(prints)) == 3
    assert changed(prints[0], prints[1:]) == "its body changed since that fingerprint"


@pytest.mark.fault("D2")
@settings(max_examples=200)
@given(ITEMS)
def test_a_fingerprint_does_not_depend_on_the_order_of_keys_or_on_how_json_is_written(
    item: dict[str, Any],
) -> None:
    found = fingerprint(channels(item))
    assert fingerprint(channels(turned(item))) == found
    assert fingerprint(channels(decode(encode(item)))) == found
    assert fingerprint(channels(decode(json.dumps(item, indent=1).encode()))) == found
    assert found is None or len(parse(found)) == sum(isinstance(each, dict) for each in channels(item))


@given(st.lists(ITEMS, max_size=3))
def test_a_configurations_fingerprint_joins_those_of_its_channels(items: list[dict[str, Any]]) -> None:
    joined = fingerprint([*items, "no object", None])
    assert joined == ("+".join(map(channel_fingerprint, items)) or None)
    assert short(joined) == ("+".join(channel_fingerprint(each)[:8] for each in items) or None)


def test_fingerprints_are_the_same_in_every_release() -> None:
    """A stored fingerprint must be good for ever: if this fails, people have to approve everything again."""
    odd = {"type": "body", "content": 'é \u2028 "\\/\n\x01 😀', "factor": 1.5, "big": 1e16, "ok": True}
    channel = {**CHANNEL, "messageComponents": [*CHANNEL["messageComponents"], odd]}
    assert channel_fingerprint(channel) == (
        "3e00c414d37e8e7c0213d856908de757-5759b6af344931d08bac3cfbd687f47d5bda07bdef23e0dd"
    )
    half = edited("messageComponents", 1, "content", to="é \ud83d")
    assert channel_fingerprint(half) == (
        "df3ee6c0f12536cc147d16c9fedc3241-5759b6af344931d08bac6973d687f47d5bda07bdef23e0dd"
    )


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        " ",
        "None",
        7,
        ["x"],
        channel_fingerprint(CHANNEL)[:-1],
        channel_fingerprint(CHANNEL)[:32],
        channel_fingerprint(CHANNEL).upper(),
        channel_fingerprint(CHANNEL) + "\n",
        channel_fingerprint(CHANNEL) + "+",
        "\x1b[31m" * 1000,
    ],
)
def test_an_incomplete_fingerprint_is_an_error_on_one_line(text: Any) -> None:
    with pytest.raises(ConfigError, match="template fingerprint is .*give a complete one") as caught:
        parse(text)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 250


def test_a_fingerprint_contains_no_content() -> None:
    assert re.fullmatch(rf"[0-9a-f]{{32}}-[0-9a-f]{{{4 * len(PARTS)}}}", channel_fingerprint(CHANNEL))
