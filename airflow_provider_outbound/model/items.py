"""The shape of what the API lists: configurations, channels, components and their variables.

Items, channels and components are decoded JSON of any kind: a field that is missing or malformed reads as absent,
never as an error.
Source: the response examples and "Data fields definitions" of LivePerson's Outbound Configuration API page.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from functools import reduce
from typing import Any, NamedTuple

from airflow_provider_outbound.errors import ConfigError, printable
from airflow_provider_outbound.model.values import parse_timestamp, sort_variables, strings

Item = dict[str, Any]

CHANNELS = ("wa", "sms-twilio", "apple-twilio", "googlercs", "inapp")
COMPONENTS = ("header", "body", "footer", "button", "media", "text", "image")

#: Headers whose variable a campaign call takes as ``headerVariables``, by sub_type, and not as ``variables``.
MEDIA_HEADERS = ("image", "video", "document")

#: Fields that LivePerson's page spells in two ways.
SPELLINGS = {"appNames": "appName", "variables": "Variables"}

#: ${{1}} in texts and {{1}} in URLs, as the API's source writes them.
IN_BRACES = re.compile(r"\$?\{\{ *(\w+) *\}\}")
#: These, and $1 as on LivePerson's page. If the component does not declare variable 1, $1 is read as a price.
PLACEHOLDER = re.compile(rf"{IN_BRACES.pattern}|\$([0-9]+)")


class Record(NamedTuple):
    """An item of a listing.

    :param raw: its JSON, byte for byte as the server sent it.
    :param item: the decoded object.
    """

    raw: bytes
    item: Item


def parse_channels(channel: str | Sequence[str] | None) -> list[str] | None:
    """Return the channels that are meant, each once; None for all.

    The client checks whether each is fit for a URL.

    :param channel: one channel, several, or several as text with commas (``wa,inapp``); None for all.
    :raises ConfigError: for an empty list, or a member that is blank or not text.
    """
    if channel is None:
        return None
    members = re.split(" *, *", channel) if isinstance(channel, str) else channel
    if not isinstance(members, Sequence) or not members:
        raise ConfigError(
            f"channel is {printable(repr(channel), 60)}: name at least one channel, or give None for all"
        )
    for each in members:
        if not isinstance(each, str) or not each.strip():
            shown = printable(repr(each), 60)
            raise ConfigError(f"channel is {shown}: give names such as {CHANNELS[0]}, or None for all channels")
    return list(dict.fromkeys(members))


def channels(item: Item) -> list[Any]:
    """Return a configuration's channels; a bare channel is its own only channel."""
    return [item] if is_bare(item) else _flat(item.get("channels"))


def is_bare(item: Item) -> bool:
    """Tell whether an item is a bare channel, which the API may list instead of its configuration."""
    if "channels" in item:
        return item["channels"] is None and "messageComponents" in item
    return "messageComponents" in item or "type" in item


def item_id(item: Item) -> str:
    """Return a configuration's id as text; empty for one without an id, and for a bare channel.

    A bare channel has no id of its own: the one that it carries is its configuration's, and several may carry it.
    """
    value = item.get("id")
    if not value or type(value) not in (str, int) or is_bare(item):
        return ""
    return str(value)


def content_key(value: Any) -> bytes:
    """Return a short hash of a JSON value, in which the order of keys does not matter."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()


def components(channel: Any) -> list[Any]:
    """Return a channel's message components, including those that LivePerson's page nests in a list."""
    return _flat(channel.get("messageComponents")) if isinstance(channel, dict) else []


def field(source: Item, key: str) -> Any:
    """Return a field's value under either of its spellings; None if neither has one."""
    value = source.get(key)
    return source.get(SPELLINGS[key]) if value is None and key in SPELLINGS else value


def placeholders(component: Any) -> list[str]:
    """Return the variables that a component's texts use, each once, in order of appearance.

    ``${{1}}`` and ``{{name}}`` are placeholders. ``$1`` is one only where the component declares variable 1;
    elsewhere it may be a price.
    """
    if not isinstance(component, dict):
        return []
    texts = [each for each in component.values() if isinstance(each, str) and ("$" in each or "{{" in each)]
    stated = set(declared(component) or ()) if texts else set()
    found = (match for each in texts for match in PLACEHOLDER.findall(each))
    return list(dict.fromkeys(name or number for name, number in found if name or number in stated))


def declared(component: Any) -> list[str] | None:
    """Return the variables that a component declares; None if it has no such field, or an unreadable one."""
    return strings(field(component, "variables")) if isinstance(component, dict) else None


def is_unreadable(component: Any) -> bool:
    """Tell whether a component declares variables in a form that can't be read."""
    return declared(component) is None and isinstance(component, dict) and bool(field(component, "variables"))


def takes(component: Any) -> list[str]:
    """Return the variables that a component takes: those it declares, or else those that its texts use."""
    stated = declared(component)
    return placeholders(component) if stated is None else stated


def media_header(component: Any) -> str | None:
    """Return the sub_type of a media header (``image``, ``video`` or ``document``); None for other components."""
    if not isinstance(component, dict) or component.get("type") != "header":
        return None
    sub_type = component.get("sub_type")
    return sub_type if sub_type in MEDIA_HEADERS else None


def variables(*channels: Any) -> list[str]:
    """Return the variables that channels' templates take, sorted, without those of media headers."""
    names: set[str] = set()
    for channel in channels:
        for component in components(channel):
            if not media_header(component):
                names.update(takes(component))
    return sort_variables(names)


def header_variables(*channels: Any) -> list[str]:
    """Return the media headers that take a variable, by sub_type, each once.

    A header takes one if its texts hold a placeholder, or if it declares a variable and its content is not a fixed
    URL: LivePerson's page has a document header that declares variable 1 but links to a fixed file.
    """
    found: dict[str, None] = {}
    for channel in channels:
        for component in components(channel):
            if sub_type := media_header(component):
                fixed = str(component.get("content")).lower().startswith(("http://", "https://"))
                if placeholders(component) or (takes(component) and not fixed):
                    found[sub_type] = None
    return list(found)


def newer(one: Item, other: Item) -> Item:
    """Return the state of a configuration that was updated last; the second one if that can't be told."""
    first, second = parse_timestamp(one.get("updatedAt")), parse_timestamp(other.get("updatedAt"))
    return one if first and (not second or first > second) else other


def merged(states: Sequence[Item]) -> Item:
    """Return one configuration from the states of it that several channels' listings contain.

    Its fields are those of the state updated last. Its channels are the distinct ones of all states: those of the
    longest list first, in its order, which is the order of preference.

    :param states: the states, in the order found; one at least.
    """
    newest = reduce(newer, states)
    distinct: dict[bytes, Any] = {}
    for state in sorted(states, key=lambda state: len(channels(state)), reverse=True):
        for channel in channels(state):
            distinct.setdefault(content_key(channel), channel)
    if [content_key(channel) for channel in channels(newest)] == list(distinct):
        return newest
    return {**newest, "channels": list(distinct.values())}


def _flat(value: Any) -> list[Any]:
    """Return the members of lists within lists; a single object counts as a list of one, null as an empty list."""
    if isinstance(value, list) and set(map(type, value)) == {dict}:  # nearly always
        return value
    members, left = [], [value]
    while left:
        each = left.pop()
        if isinstance(each, list):
            left.extend(reversed(each))
        elif each is not None:
            members.append(each)
    return members
