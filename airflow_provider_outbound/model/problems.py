"""Find the problems of templates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any, TypeAlias

from airflow_provider_outbound.errors import printable
from airflow_provider_outbound.model import items as shapes
from airflow_provider_outbound.model.checks import LIMITS, Problem
from airflow_provider_outbound.model.items import Item
from airflow_provider_outbound.model.values import text

_LIMITED: dict[tuple[Any, Any], list[tuple[str, int]]] = {}
for (_kind, _part, _field), (_most, _) in LIMITS.items():
    _LIMITED.setdefault((_kind, _part), []).append((_field, _most))

#: A channel must have one of these components. Source: LivePerson's API page and user guide.
_NEEDED = {
    "wa": ("body",),
    "sms-twilio": ("body",),
    "apple-twilio": ("body",),
    "googlercs": ("body", "media"),
    "inapp": ("text", "image"),
}
#: The fields of a component that hold its text, and those that hold a URL.
_TEXTS = {"body": ("content", "title"), "text": ("messageText",)}
_URLS = {"header": ("content",), "media": ("content",), "button": ("url",), "image": ("url", "destinationUrl")}

_IN_BRACES = re.compile(r"\$?\{\{[^{}]*\}\}")
_NUMBER = re.compile(r"[0-9]{1,9}")
_PHONE = re.compile(r"\+?[1-9][0-9]{1,14}")
_LETTER = re.compile(r"[A-Za-z]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?=:)")
MOST_NAMES = 5  # in one detail

Found: TypeAlias = Iterator[tuple[str, str]]  # code and detail


def find_problems(items: Iterable[Item]) -> list[Problem]:
    """Check the configurations of a listing, and bare channels, in their order.

    :param items: decoded items.
    """
    problems: list[Problem] = []
    named: dict[tuple[str, str | None, str | None], tuple[int, int, str | None]] = {}
    for number, item in enumerate(items):
        identity, name = text(item.get("id")), text(item.get("name"))
        listed = shapes.channels(item)
        if not listed:
            problems.append(
                Problem("empty", number, identity, name, None, None, None, None, None, "has no channel")
            )
        for index, channel in enumerate(listed):
            if not isinstance(channel, dict):
                continue
            kind, language = text(channel.get("type")), text(channel.get("language"))
            place = (number, identity, name or text(channel.get("templatename")), index, kind, language)
            parts = shapes.components(channel)
            objects = [part for part in parts if isinstance(part, dict)]
            found = [*_in_channel(kind, channel, objects)]
            if name:
                first = named.setdefault((name, kind, language), (number, index, identity))
                if first[0] != number:
                    other = printable(first[2] or first[0], 40)
                    found.append(("duplicate", f"has the same name as configuration {other}"))
                elif first[1] != index:
                    found.append(("duplicate", f"has the same channel and language as channel {first[1]}"))
            problems += [Problem(code, *place, None, None, detail) for code, detail in found]
            card = _is_card(kind, objects)
            for at, part in enumerate(parts):
                if isinstance(part, dict):
                    type_ = text(part.get("type"))
                    found = [*_in_component(kind, type_, part, card)]
                    problems += [Problem(code, *place, at, type_, detail) for code, detail in found]
    return problems


def problems_of(item: Item, channels: Sequence[Item], named: Iterable[Item]) -> list[Problem]:
    """Return the problems of one template: those of some of its channels, and duplicates of its name.

    :param item: the configuration, or bare channel.
    :param channels: the channels to check.
    :param named: all items that have the template's name.
    """
    places = {(text(channel.get("type")), text(channel.get("language"))) for channel in channels}
    return [
        problem
        for problem in find_problems(named)
        if (problem.channel_type, problem.language) in places
        and (problem.configuration_id == text(item.get("id")) or problem.code == "duplicate")
    ]


def _in_channel(kind: str | None, channel: Item, parts: Sequence[Item]) -> Found:
    """Yield the problems of a channel as a whole."""
    if not (text(channel.get("language")) or "").strip():
        yield "language", "has no language"
    types = {text(part.get("type")) for part in parts}
    needed = _NEEDED.get(kind or "", ())
    # A component of an unknown type may be the content.
    if needed and not any(each in needed or each not in shapes.COMPONENTS for each in types):
        yield "empty", f"has no {' or '.join(needed)}"
    sender = text(channel.get("outboundnumber"))
    # On RCS, the sender is an agent's name. On SMS, it may be a name.
    if sender and (kind == "wa" or (kind == "sms-twilio" and not _LETTER.search(sender))):
        yield from _phone("outboundnumber", sender)
    # Variables are numbered through all components of a channel; on WhatsApp, from 1 in each component.
    taken = {name for part in parts if not shapes.media_header(part) for name in shapes.takes(part)}
    numbers = {int(name) for name in taken if _NUMBER.fullmatch(name)}
    skipped = next(number for number in count(1) if number not in numbers)
    if skipped < max(numbers, default=0):
        yield "gap", f"takes variable {max(numbers)}, but not {skipped}"
    yield from _buttons(kind, parts)


def _buttons(kind: str | None, parts: Sequence[Item]) -> Found:
    buttons = [text(part.get("sub_type")) for part in parts if part.get("type") == "button"]
    replies = buttons.count("quick_reply")
    calls = buttons.count("url") + buttons.count("phone_number")
    if kind == "wa" and replies > 3:
        yield "buttons", f"has {replies} quick replies, but LivePerson's web tool allows 3"
    if kind == "wa" and calls > 2:
        yield "buttons", f"has {calls} calls to action, but LivePerson's web tool allows 2"
    most = 4 if _is_card(kind, parts) else 11
    if kind == "googlercs" and len(buttons) > most:
        yield "buttons", f"has {len(buttons)} buttons, but RCS allows {most} here"


def _is_card(kind: str | None, parts: Sequence[Item]) -> bool:
    return kind == "googlercs" and any(part.get("type") == "media" or part.get("title") for part in parts)


def _in_component(kind: str | None, type_: str | None, part: Item, card: bool) -> Found:
    """Yield the problems of one component.

    :param card: whether it is a part of an RCS card.
    """
    yield from _variables(type_, part)
    # WhatsApp adds the text of a one-time password's body, which has this field instead.
    if type_ in _TEXTS and "add_security_recommendation" not in part:
        texts = [text(part.get(field)) or "" for field in _TEXTS[type_]]
        if not "".join(texts).strip():
            yield "empty", "has no text"
    if type_ == "button":
        yield from _button(kind, part)
    if type_ in _URLS and (type_ != "header" or shapes.media_header(part)):
        for field in _URLS[type_]:
            yield from _url(field, text(part.get(field)) or "")
    if type_ == "header" and part.get("sub_type") not in (None, "text"):
        return
    for field, most in _LIMITED.get((kind, "card" if card and type_ == "body" else type_), ()):
        value = part.get(field)
        if isinstance(value, str) and len(value) > most and (size := len(_IN_BRACES.sub("x", value))) > most:
            yield "long", f"{field} has {size} characters, but only {most} are allowed"


def _variables(type_: str | None, part: Item) -> Found:
    used, stated = shapes.placeholders(part), shapes.declared(part) or []
    if missing := [f"{{{{{name}}}}}" for name in used if name not in stated]:
        yield "undeclared", f"uses {_list(missing)} but declares {f'only {_list(stated)}' if stated else 'none'}"
    idle = [name for name in stated if name not in used]
    # A component of unknown type may use its variables in nested fields. The URL of a media header without one is
    # a variable.
    if not idle or type_ not in shapes.COMPONENTS or (shapes.media_header(part) and not part.get("content")):
        return
    # LivePerson's page shows {{1}} in a URL as 1.
    urls = " ".join(text(part.get(field)) or "" for field in _URLS.get(type_, ()))
    if idle := [name for name in idle if not re.search(rf"\b{re.escape(name)}\b", urls)]:
        yield "unused", f"declares {_list(idle)} but does not use {'them' if idle[1:] else 'it'}"


def _button(kind: str | None, part: Item) -> Found:
    sub_type = part.get("sub_type")
    if sub_type == "phone_number":
        yield from _phone("phone_number", text(part.get("phone_number")) or "")
    elif sub_type == "url":
        url = text(part.get("url")) or ""
        if not url:
            yield "url", "has no url"
        names = shapes.placeholders({"url": url, "variables": shapes.declared(part)})
        if kind == "wa" and len(names) > 1:
            yield "url", f"url takes variables {_list(names)}, but WhatsApp allows one"


def _url(field: str, url: str) -> Found:
    found = _SCHEME.match(url)
    scheme = found[0].lower() if found else ""
    # destinationUrl may have an app's own scheme.
    own = field == "destinationUrl" and scheme not in ("http", "javascript", "data", "file")
    if scheme and scheme != "https" and not own:
        yield "url", f"{field} is {printable(scheme, 20)}, not https"
    # A placeholder may stand for a whole URL, and content for a stored file.
    elif url and not scheme and field != "content" and url[0] not in "{$":
        yield "url", f"{field} does not begin with https"


def _phone(field: str, number: str) -> Found:
    if not _PHONE.fullmatch(number):
        yield "phone", f"{field} {printable(repr(number), 30)} is not in E.164, such as +12025550123"


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return printable(", ".join(names[:MOST_NAMES]), 60) + more
