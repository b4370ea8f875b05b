"""Which template is meant, and what is there in its place."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from airflow_provider_outbound.errors import ConfigError
from airflow_provider_outbound.model.fingerprints import fingerprint
from airflow_provider_outbound.model.matching import Criteria, TemplateIndex
from tests.fake import configuration
from tests.listed import records


def index(items: Iterable[dict[str, Any]]) -> TemplateIndex:
    return TemplateIndex(records(items))


def item(name: str | None = "sale", updated: str = "2026-01-01", **channel: Any) -> dict[str, Any]:
    body = {"type": "body", "content": "${{1}} ${{2}}", "variables": ["1", "2"]}
    whole = {"type": "wa", "language": "en", "messageComponents": [body], **channel}
    return {"id": "7", "name": name, "updatedAt": updated, "channels": [whole]}


@pytest.mark.parametrize(
    "criteria",
    [
        Criteria("sale"),
        Criteria("sale", "wa"),
        Criteria("sale", "wa", "en"),
        Criteria("sale", "wa", "en", ["2", "1"]),
        Criteria("sale", variables=(1, 2)),
    ],
)
def test_found(criteria: Criteria) -> None:
    match = criteria.match(index([item("other"), item()]))
    assert match.seen == "Found sale in wa/en"
    assert match.summary() == {
        "id": "7",
        "name": "sale",
        "updated_at": "2026-01-01",
        "channels": ["wa"],
        "language": "en",
        "variables": ["1", "2"],
        "header_variables": [],
        "fingerprint": fingerprint(item()["channels"]),
        "components": [{"type": "body", "sub_type": None, "variables": ["1", "2"]}],
    }


def test_a_name_that_is_a_number_is_found_as_the_tables_show_it() -> None:
    assert Criteria("2024").match(index([{**item(), "name": 2024}])).item
    assert Criteria("7.5").match(index([item(None, templatename=7.5)])).item


def test_found_by_whatsapp_name_in_a_bare_channel() -> None:
    bare = {"type": "wa", "language": "en", "templatename": "sale", "messageComponents": []}
    assert Criteria("sale").match(index([bare])).summary() == {
        "id": None,
        "name": "sale",
        "updated_at": None,
        "channels": ["wa"],
        "language": "en",
        "variables": [],
        "header_variables": [],
        "fingerprint": fingerprint([bare]),
        "components": [],
    }


@pytest.mark.fault("P9")
def test_bare_channels_with_their_configurations_id_are_found_by_language() -> None:
    bare = [{"id": "7", "name": "sale", "type": "wa", "language": language} for language in ("en", "de", "fr")]
    for each in bare:
        match = Criteria("sale", "wa", each["language"]).match(index(bare))
        assert match.item == each
        assert (match.summary()["id"], match.summary()["language"]) == ("7", each["language"])


@pytest.mark.fault("D1")
@pytest.mark.parametrize("unreadable", [[{"name": "1"}], {"1": "a"}, [True]])
def test_variables_that_cannot_be_read_fit_no_list(unreadable: object) -> None:
    listing = index([item(messageComponents=[{"type": "body", "content": "${{1}}", "variables": unreadable}])])
    for variables in ([], ["1"]):
        match = Criteria("sale", variables=variables).match(listing)
        words = "sale declares variables in wa/en in a form that can't be read"
        assert (match.item, match.seen) == (None, f"Not there yet: {words}")
    assert Criteria("sale").match(listing).item


@pytest.mark.parametrize(
    "more",
    [
        {"type": "header", "sub_type": "image", "variables": [{"name": "1"}]},  # is not compared
        {"type": "footer", "variables": {}},
        {"type": "button", "variables": False},
    ],
)
def test_unreadable_variables_that_do_not_matter_hold_no_gate(more: dict[str, Any]) -> None:
    body = {"type": "body", "content": "${{1}}", "variables": ["1"]}
    assert Criteria("sale", variables=["1"]).match(index([item(messageComponents=[body, more])])).item


def test_a_summary_can_be_stored_by_postgresql() -> None:
    match = Criteria("sale").match(index([{**item(templatename="sale"), "name": "spring\0sale"}]))
    assert match.summary()["name"] == "spring\ufffdsale"


def test_media_headers_are_apart_from_the_variables() -> None:
    header = {"type": "header", "sub_type": "image", "content": "{{1}}", "variables": ["1"]}
    body = {"type": "body", "content": "${{1}} ${{2}}", "variables": ["2", "1"]}
    found = Criteria("sale", variables=["1", "2"]).match(index([item(messageComponents=[header, body])])).summary()
    assert found["variables"] == ["1", "2"]
    assert found["header_variables"] == ["image"]
    assert found["components"] == [
        {"type": "header", "sub_type": "image", "variables": ["1"]},
        {"type": "body", "sub_type": None, "variables": ["1", "2"]},
    ]
    alone = Criteria("sale", variables=["1"]).match(index([item(messageComponents=[header])]))
    assert alone.seen == "Not there yet: sale has variables [] in wa/en, not ['1']"


def test_of_several_the_one_updated_last() -> None:
    old, new = item(updated="2026-01-01"), item(updated="2026-02-01T00:00:00Z")
    for items in ([old, new], [new, old]):
        assert Criteria("sale").match(index(items)).item == new


def test_several_channels_that_fit_are_all_named() -> None:
    both = item()
    both["channels"] += [{"type": "wa", "language": "de"}, {"type": "inapp"}]
    assert Criteria("sale").match(index([both])).seen == "Found sale in wa/en, wa/de, inapp"


@pytest.mark.fault("W5")
@pytest.mark.parametrize(
    ("criteria", "items", "seen"),
    [
        (Criteria("sale"), [], "none of 0 configurations is named sale"),
        (Criteria("sale"), [item("Sale")], "none of 1 configurations is named sale"),
        (Criteria("the sale"), [item()], "none of 1 configurations is named 'the sale'"),
        (Criteria("sale", "inapp"), [item()], "sale is in wa, not in inapp"),
        (Criteria("sale", "wa", "de"), [item()], "sale is in wa/en, not in wa/de"),
        (Criteria("sale", language="de"), [item()], "sale is in wa/en, not in de"),
        (Criteria("sale", language="de"), [item(language=None)], "sale is in wa, not in de"),
        (Criteria("sale", "wa"), [item(type=None)], "sale is in a channel without type, not in wa"),
        (
            Criteria("sale", "wa", "fr"),
            [item(), item(language="de"), item()],
            "sale is in wa/en, not in wa/fr; is in wa/de, not in wa/fr",
        ),
        (
            Criteria("sale", variables=["1"]),
            [item()],
            "sale has variables ['1', '2'] in wa/en, not ['1']",
        ),
        (Criteria("sale", variables=[]), [item()], "sale has variables ['1', '2'] in wa/en, not []"),
        (Criteria("sale"), [{"id": "7", "name": "sale", "channels": []}], "sale has no channel yet"),
        (Criteria("sale"), [{"id": "7", "name": "sale", "channels": ["odd", 5]}], "sale has no channel yet"),
        (
            Criteria("sale"),
            [{"name": ["sale"], "channels": [{"templatename": {}}]}],
            "none of 1 configurations is named sale",
        ),
        (
            Criteria("sale", variables=["1"]),
            [item(messageComponents=[{"type": "body", "content": "{{1}} $3 $100", "variables": ["3"]}])],
            "sale has variables ['3'] in wa/en (its texts use ['1', '3']), not ['1']",
        ),
    ],
)
def test_not_found_says_what_is_there_instead(criteria: Criteria, items: list[dict[str, Any]], seen: str) -> None:
    match = criteria.match(index(items))
    assert match.item is None
    assert match.seen == f"Not there yet: {seen}"


def test_many_near_misses_are_cut() -> None:
    match = Criteria("sale", language="xx").match(index(item(language=f"l{number}") for number in range(1000)))
    assert len(match.seen) == 600


@pytest.mark.fault("D4")
def test_odd_names_stay_on_one_line() -> None:
    odd = item("sale", language="\x1b[31m\n\u202een", type="w\na")
    seen = Criteria("sale", language="en").match(index([odd])).seen
    assert seen.isprintable()
    assert "\\x1b[31m\\n\\u202een" in seen
    assert Criteria("a\nb\x1b").match(index([])).seen.isprintable()
    assert Criteria("sale").match(index([odd])).seen.isprintable()


@pytest.mark.parametrize(
    ("criteria", "shown"),
    [
        (Criteria("spring_sale"), "spring_sale"),
        (Criteria("spring sale", "wa"), "'spring sale' in wa"),
        (Criteria("spring_sale", "wa", "en", [2, 1]), "spring_sale in wa/en with variables ['1', '2']"),
        (Criteria("spring_sale", language="en", variables=[]), "spring_sale in en with variables []"),
        (Criteria("a\nb"), "'a\\nb'"),
        (
            Criteria("sale", fingerprint=f"{'0a' * 16}-{'0' * 48}", updated_after="2026-05-03"),
            "sale with fingerprint 0a0a0a0a updated after 2026-05-03T00:00:00Z",
        ),
    ],
)
def test_criteria_in_messages(criteria: Criteria, shown: str) -> None:
    assert str(criteria) == shown


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": ""},
        {"name": " "},
        {"name": None},
        {"name": "x", "channel": ""},
        {"name": "x", "language": 7},
        {"name": "x", "variables": "1"},
        {"name": "x", "variables": [None]},
        {"name": "x", "variables": 1},
        {"name": "x", "variables": b"1"},
        {"name": "x", "fingerprint": ""},
        {"name": "x", "fingerprint": ["a"]},
        {"name": "x", "updated_after": ""},
        {"name": "x", "updated_after": "None"},
        {"name": "x", "updated_after": "10:00"},
        {"name": "x", "updated_after": 1777802400000},
        {"name": "x", "updated_after": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))},
    ],
)
def test_criteria_that_nothing_can_meet(arguments: dict[str, Any]) -> None:
    with pytest.raises(
        ConfigError, match="template ((name|channel|language|fingerprint|updated_after) is|variables are)"
    ):
        Criteria(**arguments)


APPROVED = fingerprint(item()["channels"]) or ""
REWORDED = [{"type": "body", "content": "Now ${{1}} ${{2}}", "variables": ["1", "2"]}]


def both(**of_second: Any) -> dict[str, Any]:
    """Return a configuration with a channel in English and one in German."""
    whole = item()
    whole["channels"] += item(language="de", **of_second)["channels"]
    return whole


def test_the_approved_content_is_found_whatever_its_dates_and_id() -> None:
    later = {**item(updated="2026-02-01"), "id": "8", "createdAt": "2026-02-01"}
    assert Criteria("sale", fingerprint=APPROVED).match(index([later])).item == later


@pytest.mark.parametrize(
    ("items", "criteria", "seen"),
    [
        (
            [item(messageComponents=REWORDED)],
            Criteria("sale", "wa", "en", fingerprint=APPROVED),
            "sale is in wa/en, but its body changed since that fingerprint",
        ),
        (
            [both()],
            Criteria("sale", fingerprint=APPROVED),
            "sale is in wa/de, but its language changed since that fingerprint",
        ),
        (
            [both(messageComponents=REWORDED)],
            Criteria("sale", fingerprint=fingerprint(both()["channels"])),
            "sale is in wa/de, but its body changed since that fingerprint",
        ),
        (
            [item(type="inapp")],
            Criteria("sale", fingerprint=APPROVED),
            "sale is in inapp/en, but the fingerprint is of other channels",
        ),
        (
            [item(messageComponents=REWORDED, language="de")],
            Criteria("sale", "wa", "en", fingerprint=APPROVED),
            "sale is in wa/de, not in wa/en",
        ),
    ],
)
def test_content_that_was_not_approved_is_not_found(
    items: list[dict[str, Any]], criteria: Criteria, seen: str
) -> None:
    match = criteria.match(index(items))
    assert (match.item, match.seen) == (None, f"Not there yet: {seen}")


def test_only_channels_that_meet_the_other_criteria_need_approval() -> None:
    reworded = both(messageComponents=REWORDED)
    english = Criteria("sale", "wa", "en", fingerprint=APPROVED).match(index([reworded]))
    assert english.item == reworded
    assert english.summary()["fingerprint"] == APPROVED


def test_several_approved_channels_may_stand_in_any_order_or_alone() -> None:
    approved = fingerprint(both()["channels"])
    turned = {**both(), "channels": both()["channels"][::-1]}
    for here in (both(), turned, item()):
        assert Criteria("sale", fingerprint=approved).match(index([here])).item == here


def test_of_configurations_of_one_name_the_approved_one_is_found_though_another_is_newer() -> None:
    approved, newer = item(), {**item(updated="2026-02-01", messageComponents=REWORDED), "id": "8"}
    for items in ([approved, newer], [newer, approved]):
        assert Criteria("sale", fingerprint=APPROVED).match(index(items)).item == approved


@pytest.mark.fault("P9")
@pytest.mark.parametrize("carried", [{"id": "7"}, {}])
def test_bare_channels_of_a_configuration_are_approved_together(carried: dict[str, str]) -> None:
    english, german = ({"name": "sale", **carried, **channel} for channel in both()["channels"])
    reworded = {**german, "messageComponents": REWORDED}
    approved = fingerprint([english, german])
    assert Criteria("sale", fingerprint=approved).match(index([english, german])).item == german
    for items in ([english, reworded], [reworded, english]):
        match = Criteria("sale", fingerprint=approved).match(index(items))
        words = "sale is in wa/de, but its body changed since that fingerprint"
        assert (match.item, match.seen) == (None, f"Not there yet: {words}")
    other = {**reworded, "id": "8"}
    assert Criteria("sale", fingerprint=approved).match(index([english, other])).item == english


@pytest.mark.parametrize(
    ("after", "found"),
    [
        ("2026-05-03T09:59:59.999Z", True),
        ("2026-05-03T10:00:00Z", False),
        ("2026-05-03", True),
        ("2026-05-03 09:59", True),
        ("2026-05-03T11:30:00+02:00", True),
        ("2026-05-03T12:00:00+02:00", False),
        (datetime(2026, 5, 3, 9, 59), True),
        (datetime(2026, 5, 3, 10, 0), False),
        (datetime(2026, 5, 3, 11, 59, tzinfo=timezone(timedelta(hours=2))), True),
    ],
)
def test_updated_after_is_a_point_in_time_and_utc_without_a_zone(after: datetime | str, found: bool) -> None:
    here = item(updated="2026-05-03T10:00:00Z")
    match = Criteria("sale", updated_after=after).match(index([here]))
    assert match.item == (here if found else None)
    if not found:
        words = "sale was last updated 2026-05-03T10:00:00Z, not after 2026-05-03T10:00:00Z"
        assert match.seen == f"Not there yet: {words}"


@pytest.mark.parametrize("updated", [None, "", "soon", ["\ud800"], float("nan")])
def test_a_date_that_cannot_be_read_is_after_nothing(updated: Any) -> None:
    match = Criteria("sale", updated_after="2026-05-03").match(index([item(updated=updated)]))
    words = "sale has no readable updatedAt, so it may not be updated after 2026-05-03T00:00:00Z"
    assert match.seen == f"Not there yet: {words}"


def test_an_old_configuration_does_not_hide_the_one_updated_since() -> None:
    old, new = item(updated="2026-01-01"), {**item(updated="2026-02-01"), "id": "8"}
    for items in ([old, new], [new, old]):
        assert Criteria("sale", updated_after="2026-01-15").match(index(items)).item == new


@pytest.mark.fault("W11")
def test_an_index_gives_the_garbage_collector_nothing_to_visit() -> None:
    before = index([])
    gc.collect()
    tracked = len(gc.get_objects())
    found = index(configuration(number) for number in range(5000))
    gc.collect()
    assert len(gc.get_objects()) - tracked < 100
    assert (len(before.raws), len(found.raws)) == (0, 5000)
