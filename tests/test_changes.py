"""What changed between two listings, found from digests."""

from __future__ import annotations

import json
import math
import random
from copy import deepcopy
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_outbound.model.changes import (
    Change,
    Content,
    Field,
    State,
    compare,
    differences,
    fields,
    read_states,
)
from airflow_provider_outbound.model.codec import decode, encode
from tests.fake import bare, configuration
from tests.strategies import ITEMS, SCALARS

Items = list[dict[str, Any]]

#: Items of which many share an id, or the names of a bare channel.
ALIKE = (
    ITEMS | st.builds(configuration, st.integers(0, 2), x=SCALARS) | st.builds(bare, st.integers(0, 2), x=SCALARS)
)
LISTINGS = st.tuples(st.lists(ALIKE, max_size=5), st.lists(ALIKE, max_size=5))

#: Paths of a configuration, each with the steps that lead there.
PLACES: dict[str, list[str | int]] = {
    "x": ["x"],
    "updatedAt": ["updatedAt"],
    '["a.b[0]"]': ["a.b[0]"],
    "a.b[1]": ["a", "b", 1],
    '[""]["\\ud83d"]': ["", "\ud83d"],
    "channels[0].language": ["channels", 0, "language"],
    "channels[0].messageComponents[1].content": ["channels", 0, "messageComponents", 1, "content"],
}


def changes(before: Items, after: Items) -> list[Change[State]]:
    """Compare two listings, as a watch does that saw both."""
    known = read_states(map(encode, before), [])
    return compare(known, read_states(map(encode, after), known))


def listed(before: Items, after: Items) -> list[Change[Content]]:
    """Compare two listings with all that they hold."""
    return differences(map(encode, before), map(encode, after))


def shown(found: list[Change[Any]]) -> list[tuple[str, str, list[str]]]:
    return [(change.kind, change.states[0].names[0], [field.path for field in change.fields]) for change in found]


def test_created_updated_and_removed_configurations_are_told_apart() -> None:
    before = [configuration(number) for number in range(4)]
    after = deepcopy(before)
    after[1]["channels"][0]["messageComponents"][0]["content"] = "Hello ${{1}}"
    after[1]["updatedAt"] = "2026-02-02"
    del after[2]
    after.append(configuration(9))
    assert shown(changes(before, after)) == [
        ("updated", "n1", ["updatedAt", "channels[0].messageComponents[0].content"]),
        ("created", "n9", []),
        ("removed", "n2", []),
    ]


def test_a_field_that_comes_or_goes_is_named() -> None:
    assert shown(changes([configuration(1, old=[])], [configuration(1, new={"a b": 1})])) == [
        ("updated", "n1", ['new["a b"]', "old"])
    ]


def test_json_types_are_no_equals() -> None:
    for one, other in ((1, "1"), (1, 1.0), (True, 1), (None, ""), ([], {}), ("a", "A")):
        assert shown(changes([configuration(1, x=one)], [configuration(1, x=other)])) == [("updated", "n1", ["x"])]


def test_bare_channels_are_known_by_their_names() -> None:
    before = [bare(1), bare(2), bare(2, outboundnumber="+1")]
    after = [bare(2, outboundnumber="+1", footer="x"), bare(1), bare(3)]
    assert [(kind, names) for kind, names, _ in shown(changes(before, after))] == [
        ("updated", "t2"),
        ("created", "t3"),
        ("removed", "t2"),
    ]


def test_equal_bare_channels_count() -> None:
    assert shown(changes([bare(1)], [bare(1), bare(1)])) == [("created", "t1", [])]
    assert shown(changes([bare(1), bare(1), bare(1)], [bare(1)])) == [("removed", "t1", [])] * 2


def placed(number: int, values: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration with values at some of PLACES."""
    components = [{"type": "header"}, {"type": "body"}]
    item: dict[str, Any] = {
        "id": f"id-{number}",
        "": {"y": 1},
        "a": {"b": [0]},
        "channels": [{"type": "wa", "messageComponents": components}],
    }
    for path, value in values.items():
        at: Any = item
        *way, last = PLACES[path]
        for step in way:
            at = at[step]
        if isinstance(last, int):
            at.append(value)
        else:
            at[last] = value
    return item


def read(text: str | None) -> str | None:
    """Return JSON text as Python writes it."""
    return None if text is None else json.dumps(decode(text.encode()))


def reordered(value: Any) -> Any:
    """Return JSON with the keys of every object in another order."""
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    return [reordered(each) for each in value] if isinstance(value, list) else value


def test_equal_items_with_one_key_are_unchanged() -> None:
    one, other, new = (configuration(1, x=value) for value in ("one", "other", "new"))
    assert changes([one, other], [other, one]) == []
    assert [(change.kind, change.before) for change in listed([one, other], [other])] == [
        ("removed", listed([one], [])[0].before)
    ]
    assert listed([one, other], [new, new]) == listed([other, one], [new, new])
    (change,) = listed([other, one, one], [one, new, one])
    assert change.fields == [("x", '"other"', '"new"')]


@given(st.lists(ITEMS, max_size=6), st.randoms())
def test_the_order_of_keys_and_of_configurations_is_no_change(items: Items, random: random.Random) -> None:
    again = reordered(items)
    random.shuffle(again)
    assert changes(items, again) == listed(items, again) == []


@given(LISTINGS)
def test_the_way_back_is_the_reverse(listings: tuple[Items, Items]) -> None:
    reverse = {"created": "removed", "removed": "created", "updated": "updated"}

    def values(one: Content | None) -> list[tuple[str, str]]:
        return sorted(one.fields().items()) if one else []

    before, after = listings
    there = [
        (change.kind, values(change.before), values(change.after), sorted(change.fields))
        for change in listed(before, after)
    ]
    back = [
        (
            reverse[change.kind],
            values(change.after),
            values(change.before),
            sorted(Field(field.path, field.after, field.before) for field in change.fields),
        )
        for change in listed(after, before)
    ]
    assert sorted(there, key=repr) == sorted(back, key=repr)


@given(LISTINGS)
@example(([{}], [{"id": None, "appNames": []}, {"name": None, "appNames": None}]))
def test_digests_tell_the_same_changes_as_values(listings: tuple[Items, Items]) -> None:
    told = [
        sorted((each.kind, each.states[0].key, sorted(field.path for field in each.fields)) for each in found)
        for found in (changes(*listings), listed(*listings))
    ]
    assert told[0] == told[1]


@given(st.data())
def test_random_edits_are_found(data: st.DataObject) -> None:
    """Some configurations have random values, or none, at known paths; then some are made, edited and removed."""
    values = st.dictionaries(st.sampled_from(list(PLACES)), SCALARS)
    before = data.draw(st.dictionaries(st.integers(0, 9), values))
    after = {number: data.draw(st.just(held) | values) for number, held in before.items()}
    after |= data.draw(st.dictionaries(st.integers(5, 14), values))
    for number in data.draw(st.sets(st.integers(0, 9))):
        after.pop(number, None)
    expected = {}
    for number in before.keys() | after.keys():
        if number not in before or number not in after:
            expected[f"id-{number}"] = ("created" if number in after else "removed", {})
            continue
        old, new = ({path: json.dumps(value) for path, value in held[number].items()} for held in (before, after))
        edited = {path: (old.get(path), new.get(path)) for path in PLACES if old.get(path) != new.get(path)}
        if edited:
            expected[f"id-{number}"] = ("updated", edited)
    sides = [[placed(number, held) for number, held in side.items()] for side in (before, after)]
    found = listed(*(data.draw(st.permutations(side)) for side in sides))
    assert len(found) == len(expected)
    for change in found:
        kind, edited = expected[change.states[0].id]
        assert change.kind == kind
        assert {field.path: tuple(map(read, field[1:])) for field in change.fields} == edited


@pytest.mark.parametrize("value", [math.nan, -0.0, 2**70, "\ud83d", "x" * 10**6, "null", None, {}, [[]]])
def test_odd_values_are_equal_to_themselves_and_differ_from_others(value: Any) -> None:
    assert listed([configuration(1, x=value)], [configuration(1, x=value)]) == []
    (change,) = listed([configuration(1, x=[1, value])], [configuration(1, x=[1, value], a=1)])
    assert change.fields == [("a", None, "1")]
    (change,) = listed([configuration(1, x=0)], [configuration(1, x=value)])
    fields = {field.path: field for field in change.fields}
    assert fields.keys() <= {"x", "x[0]"}
    (new,) = [field.after for field in fields.values() if field.after]
    assert encode(decode(new.encode())) == encode([] if value == [[]] else value)


@pytest.mark.parametrize("raw", [b"", b"{", b"5", b"[]", b'"x"', b"null", b'{"a":\xff}'])
def test_json_that_is_not_an_object_is_refused(raw: bytes) -> None:
    assert differences([raw], [raw]) == []
    with pytest.raises(ValueError):  # noqa: PT011 - whatever the reader of JSON says
        differences([raw], [])


def leaves(value: Any) -> int:
    """Return how many values in JSON contain no other."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return sum(map(leaves, members)) if members else 1


@pytest.mark.parametrize("value", [{}, [], {"a": []}, {"a": {"b": [1, {"c": None}]}}, {"a.b": 1, "a": {"b": 2}}])
def test_each_leaf_has_a_path_of_its_own(value: Any) -> None:
    assert len(fields(value)) == leaves(value)


def test_a_state_holds_no_content() -> None:
    (state,) = read_states([encode(configuration(1, secret="canary"))], [])
    assert b"canary" not in msgspec.json.encode(state)
    assert b"Hi " not in msgspec.json.encode(state)
