"""What belongs together in two states of a configuration: its channels, and their components."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from airflow_provider_outbound.model import values
from airflow_provider_outbound.model.items import Item, channels, components


class Pair(NamedTuple):
    """A channel or component in two states.

    :param kind: its type; empty for what has none.
    :param number: which of its type it is, from 1.
    :param alone: whether it is the only one of its type.
    :param before: what it was; None if it was not there.
    :param after: what it is; None if it is not there.
    """

    kind: str
    number: int
    alone: bool
    before: Any
    after: Any


def channel_pairs(before: Item | None, after: Item | None) -> list[Pair]:
    """Return the channels of a configuration in two states, paired by type: the first with the first, and so on.

    :param before: the configuration as it was; None if it was not there.
    :param after: as it is; None if it is not there.
    """
    return _pairs(channels(before or {"channels": []}), channels(after or {"channels": []}))


def component_pairs(before: Any, after: Any) -> list[Pair]:
    """Return the components of a channel in two states, paired as by ``channel_pairs``; buttons in their order.

    :param before: the channel as it was.
    :param after: as it is.
    """
    return _pairs(components(before), components(after))


def kind_of(member: Any) -> str:
    """Return the type of a channel or component; empty if it has none."""
    return (values.text(member.get("type")) or "") if isinstance(member, dict) else ""


def _pairs(before: Sequence[Any], after: Sequence[Any]) -> list[Pair]:
    groups: dict[str, tuple[list[Any], list[Any]]] = defaultdict(lambda: ([], []))
    for side, members in ((1, after), (0, before)):  # in the order of the new state
        for member in members:
            groups[kind_of(member)][side].append(member)
    groups["button"][0].sort(key=place)
    groups["button"][1].sort(key=place)
    return [
        Pair(kind, number, max(map(len, sides)) == 1, old, new)
        for kind, sides in groups.items()
        for number, (old, new) in enumerate(zip_longest(*sides), 1)
    ]


def place(button: Item) -> int:
    """Return a button's place among the buttons, by its index."""
    return values.integer(button.get("index")) or 0
