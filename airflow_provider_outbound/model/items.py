"""The shape of what the API lists: channels, components, placeholders, and which template is meant.

Any JSON object is taken: fields that are missing or odd read as absent, never as an error.
Source: the response examples and "Data fields definitions" of LivePerson's Outbound Configuration API page.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, cast

from airflow_provider_outbound.errors import ConfigError, one_line

Item = dict[str, Any]

CHANNELS = ("wa", "sms-twilio", "apple-twilio", "googlercs", "inapp")
COMPONENTS = ("header", "body", "footer", "button", "media", "text", "image")

# ${{1}} in texts and {{1}} in URLs, as the API's source writes them, and $1, as LivePerson's page shows them.
PLACEHOLDER = re.compile(r"\$?\{\{ *([0-9]+) *\}\}|\$([0-9]+)")


def channels(item: Item) -> list[Any]:
    """Return a configuration's channels; a bare channel is its own only one."""
    if "channels" not in item:
        return [item] if item.keys() & {"messageComponents", "type"} else []
    return _flat(item["channels"])


def components(channel: Any) -> list[Any]:
    """Return a channel's message components, also those that LivePerson's page nests in a list."""
    return _flat(channel.get("messageComponents")) if isinstance(channel, dict) else []


def declared(component: Any) -> Any:
    """Return what a component says its variables are; the in-app image spells it ``Variables``."""
    if not isinstance(component, dict):
        return None
    return component.get("variables", component.get("Variables"))


def placeholders(component: Any) -> list[str]:
    """Return the numbers of the placeholders in a component's texts, each once, in order of appearance."""
    if not isinstance(component, dict):
        return []
    texts = (text for text in component.values() if isinstance(text, str) and ("$" in text or "{{" in text))
    found = (match for text in texts for match in PLACEHOLDER.finditer(text))
    return list(dict.fromkeys(match[1] or match[2] for match in found))


def variables(*channels: Any) -> list[str]:
    """Return the variables that channels' templates take, sorted.

    A component's own declaration counts; only where it makes none do its placeholders ("$5" may be a price).
    """
    names: set[str] = set()
    for channel in channels:
        for component in components(channel):
            stated = strings(declared(component))
            names.update(placeholders(component) if stated is None else stated)
    return in_order(names)


def in_order(names: Iterable[str]) -> list[str]:
    """Return variables' names each once, ``9`` before ``10``."""
    return sorted(sorted(set(names)), key=len)


def strings(value: Any) -> list[str] | None:
    """Return a list of strings from a list of strings or numbers, or from one; None if it is neither."""
    values = value if isinstance(value, list) else [value]
    texts = [text(each) for each in values]
    return None if None in texts else cast("list[str]", texts)


def storable(text: str) -> str:
    """Return text that UTF-8 can hold: half a surrogate pair becomes a question mark."""
    return text.encode(errors="replace").decode()


def text(value: Any) -> str | None:
    """Return a string or a number as text that can be stored; None for anything else."""
    if isinstance(value, str):
        return value if value.isascii() else storable(value)
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def plain(value: Any) -> Any:
    """Return JSON data as Airflow can pass it on: text that UTF-8 can hold, and no number out of bounds.

    :param value: what ``json.loads`` gave.
    """
    if isinstance(value, dict):
        return {storable(key): plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    return storable(value) if isinstance(value, str) else value


def moment(value: Any) -> datetime | None:
    """Return a date in UTC from ISO text or from milliseconds since 1970; None if it is neither."""
    try:
        if isinstance(value, str) and not value.isdigit():
            # Python 3.10 reads neither "Z" nor "+0000".
            text = value.strip().replace("Z", "+00:00")
            if text[-5:-4] in ("+", "-"):
                text = f"{text[:-2]}:{text[-2:]}"
            date = datetime.fromisoformat(text)
            return date.astimezone(timezone.utc) if date.tzinfo else date.replace(tzinfo=timezone.utc)
        if isinstance(value, (int, str)) and not isinstance(value, bool) and int(value) > 10**11:  # else seconds?
            return datetime.fromtimestamp(int(value) / 1000, timezone.utc)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def newer(one: Item, other: Item) -> Item:
    """Return the one of two states of a configuration that was updated last; the second if that is open."""
    first, second = moment(one.get("updatedAt")), moment(other.get("updatedAt"))
    return one if first and (not second or first > second) else other


def merged(one: Item, other: Item) -> Item:
    """Return a configuration that two channels' listings have: as updated last, with the channels of both."""
    base = newer(one, other)
    have = {str(channel.get("type")) for channel in channels(base) if isinstance(channel, dict)}
    rest = channels(one if base is other else other)
    missing = [each for each in rest if isinstance(each, dict) and str(each.get("type")) not in have]
    both = [*missing, *channels(base)] if base is other else [*channels(base), *missing]
    return {**base, "channels": both} if missing else base


@dataclass(frozen=True)
class Look:
    """What one look at a listing found: the template, or what there is instead of it.

    :param item: the configuration (or bare channel) that fits; None if there is none.
    :param channels: its channels that fit.
    :param seen: one line for logs and messages.
    """

    item: Item | None
    channels: list[Item]
    seen: str

    def summary(self) -> dict[str, Any]:
        """Return what a campaign needs to know of the template, as plain JSON."""
        item = self.item or {}
        return {
            "id": text(item.get("id")),
            "name": text(item.get("name")) or text(self.channels[0].get("templatename")),
            "updated_at": text(item.get("updatedAt")),
            "channels": [text(channel.get("type")) for channel in self.channels],
            "variables": variables(*self.channels),
        }


class Catalogue:
    """A listing by the names of its templates, for many who look for one each.

    :param items: configurations or bare channels.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self.count = 0
        self._by_name: dict[str, list[Item]] = {}
        for item in items:
            self.count += 1
            names = [name for channel in channels(item) for name in _names(item, channel)]
            for name in dict.fromkeys([*names, *_names(item, None)]):
                self._by_name.setdefault(name, []).append(item)

    def named(self, name: str) -> list[Item]:
        """Return the items that have a name, or a channel with that WhatsApp templatename.

        :param name: the name.
        """
        return self._by_name.get(name, [])


def _names(item: Item, channel: Any) -> list[str]:
    """Return what a channel's template goes by: its configuration's name, and its own on WhatsApp."""
    names = [item.get("name"), channel.get("templatename") if isinstance(channel, dict) else None]
    return [name for name in names if isinstance(name, str)]


@dataclass(frozen=True)
class Criteria:
    """Which template is meant.

    :param name: a configuration's ``name``, or a WhatsApp ``templatename``.
    :param channel: the type of channel that it must be in; None for any.
    :param language: the language that it must be in, as LivePerson writes it; None for any.
    :param variables: exactly the variables that it must take, in any order; None for any.
    :raises ConfigError: for a criterion that nothing can meet.
    """

    name: str
    channel: str | None = None
    language: str | None = None
    variables: Iterable[str | int] | None = None

    def __post_init__(self) -> None:
        given = {"channel": self.channel, "language": self.language}
        stated = {field: value for field, value in given.items() if value is not None}
        for field, value in {"name": self.name, **stated}.items():
            if not isinstance(value, str) or not value.strip():
                raise ConfigError(f"template {field} is {one_line(repr(value), 60)}: give a text that isn't empty")
        if self.variables is not None:
            several = isinstance(self.variables, (Sequence, Set)) and not isinstance(self.variables, str)
            wanted = strings(list(self.variables)) if several else None
            if wanted is None:
                shown = one_line(repr(self.variables), 60)
                raise ConfigError(f"template variables is {shown}: give a list such as ['1', '2']")
            object.__setattr__(self, "variables", tuple(in_order(wanted)))

    def look(self, catalogue: Catalogue) -> Look:
        """Find the template in a listing; the one updated last if several fit.

        :param catalogue: the listing.
        """
        found: Look | None = None
        near: list[str] = []
        for item in catalogue.named(self.name):
            objects = [channel for channel in channels(item) if isinstance(channel, dict)]
            named = [channel for channel in objects if self.name in _names(item, channel)]
            fitting = [channel for channel in named if not self._misfit(channel)]
            if fitting and (not found or newer(found.item or {}, item) is item):
                found = Look(item, fitting, f"{self} is there")
            near += [self._misfit(channel) for channel in named] or ["it has no channel yet"]
        if found:
            return found
        if near:
            others = "; ".join(dict.fromkeys(near))
            return Look(None, [], f"{self} is not there: a template of that name is, but {one_line(others, 600)}")
        return Look(None, [], f"{self} is not there: none of {catalogue.count} configurations has that name")

    def _misfit(self, channel: Item) -> str:
        """Return why a channel is not the one that is meant; empty if it is."""
        kind, language, takes = channel.get("type"), channel.get("language"), variables(channel)
        if self.channel not in (None, kind):
            return f"in channel {kind}"
        if self.language not in (None, language):
            return f"in channel {kind}, language {language}"
        if self.variables is not None and set(takes) != set(self.variables):
            used = in_order(number for component in components(channel) for number in placeholders(component))
            differ = f" (its texts use {used})" if used != takes else ""
            return f"in channel {kind}, language {language}, variables {takes}{differ}"
        return ""

    def __str__(self) -> str:
        variables = None if self.variables is None else list(self.variables)
        wanted = {"channel": self.channel, "language": self.language, "variables": variables}
        parts = [f"{field} {one_line(value)}" for field, value in wanted.items() if value is not None]
        return ", ".join([f"template {one_line(repr(self.name))}", *parts])


def _flat(value: Any) -> list[Any]:
    """Return the members of lists within lists; one object counts as a list of it, nothing as none."""
    if isinstance(value, list) and set(map(type, value)) == {dict}:  # as nearly always
        return value
    members, left = [], [value]
    while left:
        each = left.pop()
        if isinstance(each, list):
            left.extend(reversed(each))
        elif each is not None:
            members.append(each)
    return members
