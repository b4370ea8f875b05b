"""A channel as its customer sees it: as a phone, as one line, and as it was beside what it is."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

from airflow_provider_outbound.catalogue import texts
from airflow_provider_outbound.catalogue.pairs import component_pairs
from airflow_provider_outbound.catalogue.phones import Phone
from airflow_provider_outbound.model import items

FIRST = 120  # characters of a snippet

#: Where a message's first words are, in order: type of the component and field.
_WORDS = (
    ("body", "content"),
    ("text", "messageText"),
    ("body", "title"),
    ("text", "notificationMessage"),
    ("header", "content"),
    ("footer", "content"),
)
_CHARACTER = re.compile("<var[^>]*>[^<]*</var>|&[^;]+;|.", re.DOTALL)


def preview(channel: Any) -> Markup:
    """Return the phone that shows a channel's message.

    :param channel: the channel: any JSON value.
    """
    return Phone(channel).html()


def snippet(channel: Any) -> Markup:
    """Return the first words of a channel's message, for a list.

    :param channel: the channel: any JSON value.
    """
    phone = Phone(channel)
    found = [(part, key) for kind, key in _WORDS for part in phone.parts[kind] if not items.media_header(part)]
    for part, key in found:
        formatted = phone.look == "wa" and key == "content"
        shown = texts.html(
            texts.visible(part.get(key)), items.declared(part) or (), formatted=formatted, plain=True
        )
        characters = _CHARACTER.findall(" ".join(shown.split()))
        if characters:
            more = "…" if len(characters) > FIRST else ""
            return Markup("".join(characters[:FIRST]) + more)  # noqa: S704 - texts.html escaped it
    media = any(phone.parts[kind] for kind in ("media", "image", "header"))
    return Markup("<i>media only</i>") if media else Markup("<i>no text</i>")


def comparison(before: Any, after: Any) -> Markup:
    """Return the phones of a channel in two states, with the changed words marked.

    :param before: the channel as it was; None if it was not there.
    :param after: as it is; None if it is not there.
    """
    pairs = component_pairs(before, after)
    figures = [
        ("Before", before, Phone(before, "del", {id(pair.before): pair.after for pair in pairs})),
        ("After", after, Phone(after, "ins", {id(pair.after): pair.before for pair in pairs})),
    ]
    shown = (
        Markup("<figure><figcaption>{}</figcaption>{}</figure>").format(
            title, Markup('<p class="absent">Not there</p>') if channel is None else phone.html()
        )
        for title, channel, phone in figures
    )
    return Markup('<div class="compare">{}</div>').format(Markup().join(shown))
