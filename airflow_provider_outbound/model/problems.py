"""Find the problems of templates."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any, TypeAlias

from airflow_provider_outbound.errors import printable
from airflow_provider_outbound.model import items as shapes
from airflow_provider_outbound.model.checks import LIMITS, TWIN, Problem
from airflow_provider_outbound.model.items import Item
from airflow_provider_outbound.model.values import strings, text

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

#: The fields of a component in which a campaign fills placeholders.
_FILLED = (
    *("content", "title", "messageText", "notificationTitle", "notificationMessage", "optOut"),
    *("url", "destinationUrl"),
)

_BRACES = re.compile(r"\{\{|\}\}")
_NUMBER = re.compile(r"[0-9]{1,9}")
#: E.164 has at most 15 digits. The shortest numbers in use have 7, such as that of Vienna's city hall, +43 1 4000.
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_SHORT_CODE = re.compile(r"[0-9]{3,8}")  # it may begin with 0
_LETTER = re.compile(r"[A-Za-z]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?=:)")
_UNSAFE = ("http", "javascript", "data", "file")
MOST_NAMES = 5  # in one detail

Found: TypeAlias = Iterator[tuple[str, str]]  # code and detail


def find_problems(items: Iterable[Item]) -> list[Problem]:
    """Check the configurations of a listing, and bare channels, in their order.

    :param items: decoded items.
    """
    problems: list[Problem] = []
    named: dict[tuple[str, str | None, str | None], tuple[int, str | None]] = {}
    for number, item in enumerate(items):
        identity, name = text(item.get("id")), text(item.get("name"))
        listed = [(at, each) for at, each in enumerate(shapes.channels(item)) if isinstance(each, dict)]
        own: dict[tuple[str | None, str | None, frozenset[str]], int] = {}
        if not listed:
            problems.append(
                Problem("empty", number, identity, name, None, None, None, None, None, "has no channel")
            )
        for index, channel in listed:
            kind, language = text(channel.get("type")), text(channel.get("language"))
            place = (number, identity, name or text(channel.get("templatename")), index, kind, language)
            parts = shapes.components(channel)
            objects = [part for part in parts if isinstance(part, dict)]
            found = [*_in_channel(kind, channel, objects)]
            if name:
                apps = frozenset(strings(shapes.field(channel, "appNames")) or ())
                first = named.setdefault((name, kind, language), (number, identity))
                twin = own.setdefault((kind, language, apps), index)
                if first[0] != number:
                    other = printable(first[1] or first[0], 40)
                    found.append(("duplicate", f"has the same name as configuration {other}"))
                elif twin != index:
                    found.append(("duplicate", f"{TWIN} {twin}"))
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
    others = [each for each in named if each != item and text(each.get("name")) == text(item.get("name"))]
    places = {(text(channel.get("type")), text(channel.get("language"))) for channel in channels}
    return [
        problem
        for problem in find_problems([{**item, "channels": channels}, *others])
        if problem.configuration_index == 0
        or (problem.code == "duplicate" and (problem.channel_type, problem.language) in places)
    ]


def _in_channel(kind: str | None, channel: Item, parts: Sequence[Item]) -> Found:
    """Yield the problems of a channel as a whole."""
    if _is_blank(text(channel.get("language"))):
        yield "language", "has no language"
    needed = _NEEDED.get(kind or "", ())
    if needed and not any(_is_content(part, needed) for part in parts):
        yield "empty", f"has no {' or '.join(needed)}"
    sender = text(channel.get("outboundnumber"))
    # On RCS, the sender is an agent's name. On SMS, it may be a name or a short code.
    short = sender and (_LETTER.search(sender) or _SHORT_CODE.fullmatch(sender))
    if sender and (kind == "wa" or (kind == "sms-twilio" and not short)):
        yield from _phone("outboundnumber", sender, bare=True)
    # A campaign fills all components from one map. Their numbers may continue, or begin at 1 in each component.
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


def _is_content(part: Item, needed: Sequence[str]) -> bool:
    """Tell whether a component can be all that a channel sends; one of an unknown type can.

    :param needed: the types of which the channel needs one.
    """
    type_ = text(part.get("type"))
    if type_ in ("media", "image"):
        url = part.get("content" if type_ == "media" else "url")
        return type_ in needed and not _is_blank(text(url))
    return type_ in needed or type_ not in shapes.COMPONENTS


def _is_blank(value: str | None) -> bool:
    """Tell whether text has no visible character: only white space, control and format characters."""
    return all(char.isspace() or unicodedata.category(char) in ("Cc", "Cf") for char in value or "")


def _is_card(kind: str | None, parts: Sequence[Item]) -> bool:
    return kind == "googlercs" and any(part.get("type") == "media" or part.get("title") for part in parts)


def _in_component(kind: str | None, type_: str | None, part: Item, card: bool) -> Found:
    """Yield the problems of one component.

    :param card: whether it is a part of an RCS card.
    """
    yield from _variables(type_, part)
    yield from _braces(type_, part)
    # WhatsApp adds the text of a one-time password's body, which has this field instead.
    texts = () if "add_security_recommendation" in part else _TEXTS.get(type_ or "", ())
    if texts and all(_is_blank(text(part.get(field))) for field in texts):
        yield "empty", "has no text"
    if type_ == "button":
        yield from _button(kind, part)
    if type_ in _URLS and (type_ != "header" or shapes.media_header(part)):
        for field in _URLS[type_]:
            # WhatsApp opens no apps. Source: Twilio's page <https://www.twilio.com/docs/whatsapp/buttons>.
            opens = field == "destinationUrl" or (type_ == "button" and kind in ("googlercs", "inapp"))
            yield from _url(field, text(part.get(field)) or "", opens)
    if type_ == "header" and part.get("sub_type") not in (None, "text"):
        return
    for field, most in _LIMITED.get((kind, "card" if card and type_ == "body" else type_), ()):
        value = part.get(field)
        if isinstance(value, str) and len(value) > most and (size := len(shapes.IN_BRACES.sub("x", value))) > most:
            yield "long", f"{field} has {size} characters, but only {most} are allowed"


def _variables(type_: str | None, part: Item) -> Found:
    used, stated = shapes.placeholders(part), shapes.declared(part) or []
    names = set(stated)
    if missing := [f"{{{{{name}}}}}" for name in used if name not in names]:
        yield "undeclared", f"uses {_list(missing)} but declares {f'only {_list(stated)}' if stated else 'none'}"
    names = set(used)
    idle = [name for name in stated if name not in names]
    # A component of unknown type may use its variables in nested fields. The URL of a media header without one is
    # a variable.
    if not idle or type_ not in shapes.COMPONENTS or (shapes.media_header(part) and not part.get("content")):
        return
    # LivePerson's page shows {{1}} in a URL as 1.
    words = {word for field in _URLS.get(type_, ()) for word in re.findall(r"\w+", text(part.get(field)) or "")}
    if idle := [name for name in idle if name not in words]:
        yield "unused", f"declares {_list(idle)} but does not use {'them' if idle[1:] else 'it'}"


def _braces(type_: str | None, part: Item) -> Found:
    """Yield the fields that have braces outside a placeholder; those of an unknown component may be JSON."""
    for field in _FILLED if type_ in shapes.COMPONENTS else ():
        value = part.get(field)
        if isinstance(value, str) and _BRACES.search(value) and _BRACES.search(shapes.IN_BRACES.sub(" ", value)):
            yield "malformed", f"{field} has {{{{ or }}}} outside a placeholder such as {{{{1}}}}"


def _button(kind: str | None, part: Item) -> Found:
    sub_type = part.get("sub_type")
    if sub_type == "phone_number":
        # Meta's own template order_confirmation has a number without a plus sign.
        yield from _phone("phone_number", text(part.get("phone_number")) or "", bare=kind == "wa")
    elif sub_type == "url":
        url = text(part.get("url")) or ""
        if not url:
            yield "url", "has no url"
        names = shapes.placeholders({"url": url, "variables": shapes.declared(part)})
        if kind == "wa" and len(names) > 1:
            yield "url", f"url takes variables {_list(names)}, but WhatsApp allows one"


def _url(field: str, url: str, opens: bool) -> Found:
    """Yield what is wrong with a URL.

    :param opens: whether it may have an app's own scheme, to open that app.
    """
    found = _SCHEME.match(url)
    scheme = found[0].lower() if found else ""
    if scheme and scheme != "https" and (scheme in _UNSAFE or not opens):
        yield "url", f"{field} is {printable(scheme, 20)}, not https"
    # A placeholder may stand for a whole URL, and content for a stored file.
    elif url and not scheme and field != "content" and url[0] not in "{$":
        yield "url", f"{field} does not begin with https"


def _phone(field: str, number: str, bare: bool) -> Found:
    """Yield what is wrong with a phone number.

    :param bare: whether it may lack the plus sign.
    """
    if not _PHONE.fullmatch(f"+{number.removeprefix('+')}" if bare else number):
        yield "phone", f"{field} {printable(repr(number), 30)} is not in E.164, such as +12025550123"


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return printable(", ".join(names[:MOST_NAMES]), 60) + more
