"""What the catalogue says about templates, before a browser shows it."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from airflow_provider_outbound.catalogue.entries import Snapshot, entries
from airflow_provider_outbound.catalogue.facts import Template, date, date_and_time, lookback, templates
from airflow_provider_outbound.catalogue.notes import _ADVICE, TITLES
from airflow_provider_outbound.catalogue.render import render
from airflow_provider_outbound.model.checks import CODES
from airflow_provider_outbound.sandbox.data import configurations
from tests import northwind

BODY = {"type": "body", "content": "Hello"}


def snapshot(*items: Any) -> Snapshot:
    return Snapshot([json.dumps(item).encode() for item in items])


def channel(*parts: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "wa", "language": "en", "messageComponents": list(parts), **fields}


def item(*channels: Any, **fields: Any) -> dict[str, Any]:
    return {"id": "H1", "name": "one", "channels": list(channels), **fields}


def shown(*items: Any) -> list[Template]:
    return templates(entries(snapshot(*items)))


def block(html: str) -> str:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found
    return found[1]


def data(html: str) -> Any:
    return json.loads(block(html))


def test_dates_are_in_utc_and_in_english() -> None:
    moment = datetime(2026, 11, 1, 1, 5, tzinfo=timezone(timedelta(hours=2)))
    assert date(moment) == "31 Oct 2026"
    assert date_and_time(moment) == "31 Oct 2026, 23:05 UTC"
    assert date(None) is None


@pytest.mark.parametrize(
    ("days", "hours", "expected"),
    [(30, 0, "30 days"), (1, 12, "1 day 12 hours"), (0, 1, "1 hour"), (0, 0, None), ("x", None, None)],
)
def test_a_lookback_period_is_days_and_hours(days: Any, hours: Any, expected: str | None) -> None:
    assert lookback({"lookbackPeriodDay": days, "lookbackPeriodHour": hours}) == expected


def test_templates_are_sorted_by_name_and_named_by_what_they_have() -> None:
    bare = channel(BODY, templatename="Zebra")
    listed = shown(item(name="b"), item(name="A", id="H2"), {"id": "H0", "channels": []}, bare, {"channels": []})
    assert [each.name for each in listed] == ["A", "b", "configuration 4", "H0", "Zebra"]


def test_each_template_has_an_address_of_its_own() -> None:
    addresses = [each.fragment for each in shown(item(), item(), {"channels": []}, item(id="ü /#"))]
    assert len(set(addresses)) == 4
    assert "%C3%BC%20%2F%23" in addresses


def test_facts_of_a_channel_are_those_that_it_has() -> None:
    fields = {"outboundnumber": "12535277322", "templatename": "t", "appNames": ["a", "b"]}
    (template,) = shown(
        item(channel(BODY, **fields, cardOrientation="VERTICAL"), updatedAt="2026-01-02T03:04:05Z")
    )
    facts = template.facts["channels"][0]
    assert facts.pop("fingerprint")
    assert facts == {
        "kind": "wa",
        "card": "vertical card",
        "language": "en",
        "sender": "+1 253 527 7322",
        "template": "t",
        "apps": ["a", "b"],
    }
    assert template.facts["updated"] == "2 Jan 2026, 03:04 UTC"


def test_a_channel_of_an_unknown_type_goes_by_that_type() -> None:
    (template,) = shown(item(channel(BODY, type="line")))
    assert template.facts["channels"][0]["type"] == "line"
    assert template.kinds[0] == ("other", "line", "line")


def test_variables_are_declared_used_or_both() -> None:
    parts = [
        {"type": "header", "sub_type": "image", "content": "{{1}}", "variables": ["1"]},
        {"type": "body", "content": "${{10}} ${{9}} ${{3}}", "variables": ["9", "10", "2"]},
        {"type": "carousel", "variables": ["7"]},  # it may use its variables anywhere
    ]
    (template,) = shown(item(channel(*parts)))
    facts = template.facts["channels"][0]
    assert facts["variables"] == ["2", "3", "7", "9", "10"]
    assert (facts["undeclared"], facts["unused"]) == (["3"], ["2"])
    assert facts["header"] == ["image"]


def test_the_target_of_a_button_is_text_and_variables_in_turns() -> None:
    parts = [
        {"type": "button", "sub_type": "url", "content": "Track", "url": "https://x.example/{{1}}?b=${{2}}"},
        {"type": "button", "sub_type": "phone_number", "content": "Call", "phone_number": "+12025550100"},
        {"type": "button", "sub_type": "quick_reply", "content": "Yes"},
        {"type": "button", "sub_type": "teleport"},
    ]
    (template,) = shown(item(channel(*parts)))
    assert template.facts["channels"][0]["buttons"] == [
        ["open", "Track", "Link", "https://x.example/", "1", "?b=", "2", ""],
        ["phone", "Call", "Call", "+12025550100"],
        ["reply", "Yes", "Quick reply"],
        ["box", "teleport", "teleport"],
    ]


def test_each_check_has_a_title_and_advice() -> None:
    assert sorted(TITLES) == sorted(_ADVICE) == sorted(CODES)


def test_a_problem_names_its_part_and_the_place_of_its_channel() -> None:
    link = {"type": "button", "sub_type": "url", "content": "Go", "url": "http://x.example"}
    call = {"type": "button", "sub_type": "quick_reply", "content": "Yes"}
    (template,) = shown(item("no object", channel(BODY), channel(BODY, call, link, language="")))
    assert template.facts["problems"] == [
        [
            "error",
            "The language is missing",
            "The channel has no language. Choose one, or do not send this template.",
            1,
        ],
        [
            "warning",
            "A link may not work",
            "Button 2’s link is http, not https. Correct it, then try it on a phone.",
            1,
        ],
    ]
    assert shown(item())[0].facts["problems"] == [
        [
            "error",
            "There is nothing to send",
            "The template has no channel. Add one, or do not send this template.",
            None,
        ]
    ]


def test_two_equal_channels_are_no_name_used_twice() -> None:
    (template,) = shown(item("no object", channel(BODY), channel(BODY)))
    assert template.facts["problems"] == [
        [
            "warning",
            "Two channels are alike",
            "The channel has the type and language of another one in this template. Remove or change one.",
            1,
        ]
    ]


def test_notes_tell_what_a_preview_leaves_open() -> None:
    media = {"type": "media", "content": "https://x.example/a.png", "height": "tall"}
    card = channel(media, BODY, type="googlercs", cardOrientation="HORIZONTAL")
    odd = channel({"type": "header", "sub_type": "text", "content": ""}, BODY, {"type": "carousel"})
    titles = [[note[0] for note in each["notes"]] for each in shown(item(card, odd))[0].facts["channels"]]
    assert titles == [["Height tall has no effect"], ["One part has no preview", "The header has no text"]]


def test_a_changed_template_is_paired_with_its_earlier_channels() -> None:
    sms = channel(BODY, type="sms-twilio")
    apple = channel(BODY, type="apple-twilio")
    before = item(channel(BODY), sms)
    after = item(apple, channel({**BODY, "content": "Hi"}))
    (template,) = templates(entries(snapshot(after), snapshot(before)))
    assert template.pairs == [(None, apple), (before["channels"][0], after["channels"][1]), (sms, None)]
    assert [each.get("gone") for each in template.facts["channels"]] == [None, None, True]


def test_the_json_of_a_template_is_kept_to_the_letter() -> None:
    raw = b'{"id":"H1", "n":12345678901234567890,"x":1.0,"name":"</script><!--&amp;\\u003c"}'
    html = render(Snapshot([raw])).html
    assert data(html)["templates"][0]["raw"].encode() == raw
    assert not set("<>&") & set(block(html))


def test_no_text_is_too_odd_for_utf_8() -> None:
    half = "\ud83d"  # of a pair

    def odd(value: str) -> Any:
        button = {"type": "button", "sub_type": half, "content": half, "url": f"https://x.example/{half}"}
        parts = [
            {"type": half, half: [value + half]},
            button,
            {"type": "body", "content": half, "variables": [half]},
            half,
        ]
        fields = {half: value, "appNames": [half], "cardOrientation": half, "outboundnumber": half}
        return item(channel(*parts, **fields, type=half), channel(*parts), name=half, **{half: value})

    html = render(snapshot(odd("new")), snapshot(odd("old"))).html.encode().decode()
    assert data(html)["templates"][0]["raw"] == json.dumps(odd("new"))


def test_the_page_says_where_and_when_it_was_read() -> None:
    html = render(northwind.now(), northwind.before()).html
    read = "exported 24 Nov 2026, 14:38 UTC · compared with 17 Nov 2026"
    assert f"<p>Account 12345678 · va.handoff.liveperson.net · {read}</p>" in html
    unknown = render(snapshot(item()), snapshot(item())).html
    assert "<p>compared with an earlier export</p>" in unknown


def test_channels_are_counted_in_each_template_once() -> None:
    html = render(
        snapshot(item(channel(BODY), channel(BODY, language="de")), item(channel(BODY, type="x<y")))
    ).html
    counts = re.findall(r'data-channel="(.*?)".*?<small>(\d+)', html)
    assert counts == [("WhatsApp", "1"), ("x&lt;y", "1")]


def test_a_thousand_templates_are_small() -> None:
    raws = [json.dumps(each, ensure_ascii=False).encode() for each in configurations(1000, seed=1)]
    assert len(render(Snapshot(raws, "12345678", "va.handoff.liveperson.net")).html.encode()) < 3_000_000


@pytest.mark.parametrize(
    ("before", "says"),
    [
        ("2026-11-23T08:00:00Z", "compared with 23 Nov 2026<"),
        ("2026-11-24T08:00:00Z", "compared with 24 Nov 2026, 08:00 UTC<"),
    ],
)
def test_two_listings_of_one_day_are_told_apart_by_their_times(before: str, says: str) -> None:
    now = Snapshot([], fetched_at=datetime.fromisoformat("2026-11-24T14:38:00+00:00"))
    earlier = Snapshot([], fetched_at=datetime.fromisoformat(before.replace("Z", "+00:00")))
    assert says in render(now, earlier).html
