"""What the page says about each template: labels, dates and numbers as people write them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

import pendulum

from airflow_provider_outbound.catalogue.entries import Entry
from airflow_provider_outbound.catalogue.notes import described, notes
from airflow_provider_outbound.catalogue.pairs import channel_pairs
from airflow_provider_outbound.catalogue.phones import BUTTONS, LOOKS, Phone, phone_number
from airflow_provider_outbound.model import items as shapes
from airflow_provider_outbound.model.codec import decode
from airflow_provider_outbound.model.fingerprints import channel_fingerprint
from airflow_provider_outbound.model.items import COMPONENTS, IN_BRACES, Item
from airflow_provider_outbound.model.values import integer, parse_timestamp, sort_variables, strings, text


class Kind(NamedTuple):
    """How the page names a type of channel.

    :param glyph: its icon, and the class of its colour.
    :param label: its name where there is little room.
    :param name: its whole name.
    """

    glyph: str
    label: str
    name: str


LONGEST = 40  # characters of an unknown type that the page shows

_SHORT = {"googlercs": "RCS", "apple-twilio": "Apple"}
KINDS = {type_: Kind(glyph, _SHORT.get(type_, name), name) for type_, (glyph, name, _) in LOOKS.items()}


class Template(NamedTuple):
    """A template as the page shows it.

    :param entry: the template, its problems and its change.
    :param fragment: what follows ``#`` in the page's address; no other template has it.
    :param name: its name; without one, a WhatsApp templatename, its id, or its place in the listing.
    :param kinds: how the page names the type of each channel.
    :param channels: its channels; removed ones come last.
    :param pairs: each channel as it was and as it is; None for one that is missing.
    :param facts: what the page's script shows.
    """

    entry: Entry
    fragment: str
    name: str
    kinds: list[Kind]
    channels: list[Item]
    pairs: list[tuple[Item | None, Item | None]]
    facts: dict[str, Any]


def templates(entries: Iterable[Entry]) -> list[Template]:
    """Return templates as the page shows them, sorted by name.

    :param entries: the templates.
    """
    taken: set[str] = set()
    listed = [_template(number, entry, taken) for number, entry in enumerate(entries)]
    return sorted(listed, key=lambda each: (each.name.casefold(), each.name))


def kind(channel: Item) -> Kind:
    """Return how the page names a channel's type."""
    type_ = (text(channel.get("type")) or "unknown")[:LONGEST]
    return KINDS.get(type_) or Kind("other", type_, type_)


def date(moment: datetime | None) -> str | None:
    """Return a date as people write it, such as ``21 Nov 2026``."""
    return _written(moment, "D MMM YYYY")


def date_and_time(moment: datetime | None) -> str | None:
    """Return a time in UTC as people write it, such as ``21 Nov 2026, 08:14 UTC``."""
    return _written(moment, "D MMM YYYY, HH:mm [UTC]")


def _written(moment: datetime | None, form: str) -> str | None:
    return pendulum.instance(moment).in_timezone("UTC").format(form) if moment else None


def _template(number: int, entry: Entry, taken: set[str]) -> Template:
    """Return a template as the page shows it.

    :param number: its place in the listing.
    :param taken: fragments of other templates; several bare channels may carry the same id.
    """
    item = entry.item
    identity = text(item.get("id")) or ""
    fragment = quote(identity, safe="")
    while not fragment or fragment in taken:
        fragment += f"~{number}"
    taken.add(fragment)
    pairs = _pairs(entry)
    channels = [after or before or {} for before, after in pairs]
    called = [text(item.get("name")), *(text(channel.get("templatename")) for channel in channels), identity]
    name = next((each for each in called if each and each.strip()), f"configuration {number}")
    updated = parse_timestamp(item.get("updatedAt"))
    facts = {
        "id": identity,
        "name": name,
        "place": number,
        "change": entry.change.kind if entry.change else None,
        "updated": date_and_time(updated),
        "time": updated and int(updated.timestamp()),
        "lookback": lookback(item),
        "problems": [described(problem, item) for problem in entry.problems],
        "channels": [_facts(after or before or {}, gone=after is None) for before, after in pairs],
        "raw": entry.raw.decode(errors="replace"),
    }
    return Template(entry, fragment, name, [kind(each) for each in channels], channels, pairs, _full(facts))


def _pairs(entry: Entry) -> list[tuple[Item | None, Item | None]]:
    """Return a template's channels, each as it was and as it is; removed ones come last."""
    now = [channel for channel in shapes.channels(entry.item) if isinstance(channel, dict)]
    if not (entry.change and entry.change.before and entry.change.after):
        return [(None, channel) for channel in now]
    pairs = channel_pairs(decode(entry.change.before.raw), entry.item)
    earlier = {id(pair.after): pair.before for pair in pairs if isinstance(pair.before, dict)}
    gone = [(pair.before, None) for pair in pairs if isinstance(pair.before, dict) and pair.after is None]
    return [*((earlier.get(id(channel)), channel) for channel in now), *gone]


def _facts(channel: Item, gone: bool) -> dict[str, Any]:
    """Return what the page says about a channel.

    :param gone: whether the template no longer has it.
    """
    phone = Phone(channel)
    parts = [part for part in shapes.components(channel) if isinstance(part, dict)]
    orientation = text(channel.get("cardOrientation"))
    facts = {
        "kind": phone.look,
        "type": kind(channel).name if phone.look == "other" else None,
        "gone": gone or None,
        "card": orientation and f"{orientation.lower()} card",
        "language": text(channel.get("language")),
        "sender": phone_number(channel.get("outboundnumber") or channel.get("serviceAccountName")),
        "template": text(channel.get("templatename")),
        "apps": strings(shapes.field(channel, "appNames")),
        "header": shapes.header_variables(channel),
        "fingerprint": channel_fingerprint(channel),
        "notes": notes(phone),
        "buttons": [_button(part) for part in parts if part.get("type") == "button"],
    }
    return _full({**facts, **_variables(parts)})


def _variables(parts: list[Item]) -> dict[str, list[str]]:
    """Return the variables of a channel's components, and which of them are not declared, or not used."""
    declared, found, odd = set[str](), set[str](), set[str]()
    for part in parts:
        if shapes.media_header(part):
            continue
        stated, used = shapes.declared(part) or [], shapes.placeholders(part)
        declared.update(stated)
        found.update(used if part.get("type") in COMPONENTS else [*used, *stated])  # others may nest their texts
        odd.update(set(used) - set(stated))
    return {
        "variables": sort_variables(declared | found),
        "undeclared": sort_variables(odd),
        "unused": sort_variables(declared - found),
    }


def _button(part: Item) -> list[str]:
    """Return a button's glyph, its text, what it does, and its target: text and placeholders in turns."""
    sub_type = text(part.get("sub_type")) or "button"
    glyph, does = BUTTONS.get(sub_type, ("box", sub_type))
    target = text(part.get("url")) or text(part.get("phone_number"))
    return [glyph, text(part.get("content")) or does, does, *(IN_BRACES.split(target) if target else ())]


def lookback(item: Item) -> str | None:
    """Return how long after a message a reply still counts as one to it, such as ``1 day 12 hours``.

    :param item: the configuration.
    """
    given = [(integer(item.get(f"lookbackPeriod{unit}")), unit.lower()) for unit in ("Day", "Hour")]
    return " ".join(f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in given if count) or None


def _full(facts: dict[str, Any]) -> dict[str, Any]:
    """Return facts without the empty ones."""
    return {key: value for key, value in facts.items() if value not in (None, "", [])}
