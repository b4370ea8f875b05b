"""What changed between two listings, found from digests."""

from __future__ import annotations

import json
import random
from copy import deepcopy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_outbound.model.changes import Change, compare, leaves, read_states
from airflow_provider_outbound.model.codec import encode
from tests.fake import bare, configuration
from tests.strategies import ITEMS, JSON

Items = list[dict[str, Any]]


def changes(before: Items, after: Items) -> list[Change]:
    """Compare two listings, as a watch does that saw both."""
    known = read_states(map(encode, before), {})
    return compare(known, read_states(map(encode, after), known))


def shown(found: list[Change]) -> list[tuple[str, str, list[str]]]:
    return [(change.kind, change.states[0].names[0], change.fields) for change in found]


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


def reordered(value: Any) -> Any:
    """Return JSON with the keys of every object in another order."""
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    return [reordered(each) for each in value] if isinstance(value, list) else value


@given(st.lists(ITEMS, max_size=6), st.randoms())
def test_the_order_of_keys_and_of_configurations_is_no_change(items: Items, random: random.Random) -> None:
    again = reordered(items)
    random.shuffle(again)
    assert changes(items, again) == []


@given(st.lists(ITEMS, max_size=6), st.lists(ITEMS, max_size=6))
def test_the_way_back_is_the_reverse(before: Items, after: Items) -> None:
    reverse = {"created": "removed", "removed": "created", "updated": "updated"}

    def found(one: Items, other: Items, names: dict[str, str]) -> list[Any]:
        return sorted((names[each.kind], each.states[0].key, sorted(each.fields)) for each in changes(one, other))

    assert found(before, after, dict(zip(reverse, reverse, strict=True))) == found(after, before, reverse)


@given(st.dictionaries(st.integers(0, 9), JSON), st.dictionaries(st.integers(0, 9), JSON))
def test_random_edits_are_what_comes_out(before: dict[int, Any], after: dict[int, Any]) -> None:
    found = changes(
        [configuration(number, edited=value) for number, value in before.items()],
        [configuration(number, edited=value) for number, value in after.items()],
    )
    expected = {f"n{number}": "created" for number in after.keys() - before.keys()}
    expected |= {f"n{number}": "removed" for number in before.keys() - after.keys()}
    written = [{key: json.dumps(value, sort_keys=True) for key, value in each.items()} for each in (before, after)]
    both = before.keys() & after.keys()
    expected |= {f"n{number}": "updated" for number in both if written[0][number] != written[1][number]}
    assert {change.states[0].names[0]: change.kind for change in found} == expected
    assert len(found) == len(expected)


@pytest.mark.parametrize("value", [{}, [], {"a": []}, {"a": {"b": [1, {"c": None}]}}, {"a.b": 1, "a": {"b": 2}}])
def test_each_leaf_has_a_path_of_its_own(value: Any) -> None:
    paths = [path for path, _ in leaves(value)]
    assert len(set(paths)) == len(paths) > 0


def test_a_state_holds_no_content() -> None:
    (state,) = read_states([encode(configuration(1, secret="canary"))], {}).values()
    assert b"canary" not in msgspec.json.encode(state)
    assert b"Hi " not in msgspec.json.encode(state)
