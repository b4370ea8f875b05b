"""The shape of items: placeholders, variables, and which template is meant."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from airflow_provider_outbound.errors import ConfigError
from airflow_provider_outbound.model import items as templates
from airflow_provider_outbound.model.items import Catalogue, Criteria


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
        ("US$ {1} {{name}} ${} $$", []),
        ("", []),
    ],
)
def test_placeholders(text: str, found: list[str]) -> None:
    assert templates.placeholders({"type": "body", "content": text}) == found


def test_placeholders_of_all_texts() -> None:
    component = {"type": "text", "messageText": "$3", "notificationTitle": "we $1", "notificationMessage": "$2"}
    assert templates.placeholders(component) == ["3", "1", "2"]


@pytest.mark.parametrize(
    ("component", "names"),
    [
        ({"content": "$1", "variables": ["1"]}, ["1"]),
        ({"content": "$1 for $5 only", "variables": ["1"]}, ["1"]),
        ({"content": "$1 $2"}, ["1", "2"]),
        ({"content": "$1", "variables": []}, []),
        ({"url": "$4", "Variables": ["4"]}, ["4"]),
        ({"variables": [10, 9]}, ["9", "10"]),
        ({"variables": "1"}, ["1"]),
        ({"content": "$1", "variables": {"odd": True}}, ["1"]),
    ],
)
def test_variables(component: dict[str, Any], names: list[str]) -> None:
    assert templates.variables({"type": "wa", "messageComponents": [component]}) == names


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-01T12:00:00Z",
        "2026-03-01T12:00:00.000Z",
        "2026-03-01T12:00:00.000+0000",
        "2026-03-01 12:00:00",
        "2026-03-01T14:00:00+02:00",
        1772366400000,
        "1772366400000",
    ],
)
def test_moment(value: object) -> None:
    assert templates.moment(value) == datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "value",
    ["", "soon", "²", "2026-13-01", 1772366400, True, None, [], 10**30, "9" * 5000, 1.5, "0001-01-01T00:00+23:59"],
)
def test_moment_that_is_none(value: object) -> None:
    assert templates.moment(value) is None


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
    look = criteria.look(Catalogue([item("other"), item()]))
    assert look.summary() == {
        "id": "7",
        "name": "sale",
        "updated_at": "2026-01-01",
        "channels": ["wa"],
        "variables": ["1", "2"],
    }


def test_found_by_whatsapp_name_in_a_bare_channel() -> None:
    bare = {"type": "wa", "language": "en", "templatename": "sale", "messageComponents": []}
    assert Criteria("sale").look(Catalogue([bare])).summary() == {
        "id": None,
        "name": "sale",
        "updated_at": None,
        "channels": ["wa"],
        "variables": [],
    }


def test_of_several_the_one_updated_last() -> None:
    old, new = item(updated="2026-01-01"), item(updated="2026-02-01T00:00:00Z")
    for items in ([old, new], [new, old]):
        assert Criteria("sale").look(Catalogue(items)).item is new


@pytest.mark.parametrize(
    ("criteria", "items", "seen"),
    [
        (Criteria("sale"), [], "none of 0 configurations has that name"),
        (Criteria("sale"), [item("Sale")], "none of 1 configurations has that name"),
        (Criteria("sale", "inapp"), [item()], "but in channel wa"),
        (Criteria("sale", language="de"), [item()], "but in channel wa, language en"),
        (
            Criteria("sale", variables=["1"]),
            [item()],
            "but in channel wa, language en, variables ['1', '2']",
        ),
        (Criteria("sale", variables=[]), [item()], "variables ['1', '2']"),
        (Criteria("sale"), [{"id": "7", "name": "sale", "channels": []}], "but it has no channel yet"),
        (Criteria("sale"), [{"id": "7", "name": "sale", "channels": ["odd", 5]}], "but it has no channel yet"),
        (Criteria("sale"), [{"name": ["sale"], "channels": [{"templatename": {}}]}], "none of 1 configurations"),
        (
            Criteria("sale", variables=["1"]),
            [item(messageComponents=[{"type": "body", "content": "$1 $3", "variables": ["3"]}])],
            "variables ['3'] (its texts use ['1', '3'])",
        ),
    ],
)
def test_not_found_says_what_is_there_instead(criteria: Criteria, items: list[dict[str, Any]], seen: str) -> None:
    look = criteria.look(Catalogue(items))
    assert look.item is None
    assert seen in look.seen
    assert str(criteria) in look.seen


@pytest.mark.fault("D4")
def test_odd_names_stay_on_one_line() -> None:
    odd = item("sale", language="\x1b[31m\n\u202een", type="w\na")
    seen = Criteria("sale", language="en").look(Catalogue([odd])).seen
    assert seen.isprintable()
    assert "\\x1b[31m\\n\\u202een" in seen
    assert Criteria("a\nb\x1b").look(Catalogue([])).seen.isprintable()


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
    ],
)
def test_criteria_that_nothing_can_meet(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="template (name|channel|language|variables) is"):
        Criteria(**arguments)
