"""Problems of templates, and notes on them, in words for a reader who sees the template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider_outbound.catalogue.pairs import kind_of
from airflow_provider_outbound.catalogue.phones import Phone
from airflow_provider_outbound.model import items as shapes
from airflow_provider_outbound.model.checks import TWIN, Problem
from airflow_provider_outbound.model.items import Item
from airflow_provider_outbound.model.values import text

#: The title of each check's problems.
TITLES = {
    "undeclared": "A placeholder is not declared",
    "empty": "There is nothing to send",
    "language": "The language is missing",
    "phone": "Not a phone number",
    "long": "The text is too long",
    "malformed": "A placeholder is broken",
    "unused": "A variable is not used",
    "gap": "The variables have a gap",
    "duplicate": "The name is used twice",
    "buttons": "Too many buttons",
    "url": "A link may not work",
}

#: What to do about each, for those who own the template.
_ADVICE = {
    "undeclared": "Campaigns fill declared variables only: declare what is missing, or take it out of the text.",
    "empty": "Add one, or do not send this template.",
    "language": "Choose one, or do not send this template.",
    "phone": "Write it with the country code.",
    "long": "Shorten it.",
    "malformed": "Correct it: no campaign fills it.",
    "unused": "Remove what the text does not need.",
    "gap": "Number them without a gap.",
    "duplicate": "Rename one. Otherwise a campaign may send the wrong one.",
    "buttons": "Remove some, or try it on a phone first.",
    "url": "Correct it, then try it on a phone.",
}
#: What people call the fields that the sentences of problems begin with.
_FIELDS = {
    "content": "text",
    "title": "title",
    "optOut": "opt-out text",
    "messageText": "message",
    "notificationTitle": "notification title",
    "notificationMessage": "notification",
    "url": "link",
    "destinationUrl": "link",
    "phone_number": "number",
    "outboundnumber": "sender",
}

_UNKNOWN = "One part has no preview"
_HEIGHT = "On a horizontal card the picture is as high as the card. The height counts on vertical cards only."


def described(problem: Problem, item: Item) -> list[Any]:
    """Return a problem for the page: severity, title, sentences, and its channel's place among those shown.

    :param problem: the problem.
    :param item: the configuration, or bare channel.
    """
    listed = shapes.channels(item)
    channel = None
    if problem.channel_index is not None:
        channel = sum(isinstance(each, dict) for each in listed[: problem.channel_index])
    parts = shapes.components(listed[problem.channel_index]) if problem.channel_index is not None else []
    subject = "The channel" if channel is not None else "The template"
    if problem.component_index is not None:
        subject = _named(parts, problem.component_index)
    title, sentences = TITLES[problem.code], f"{subject}{_detail(problem)}. {_ADVICE[problem.code]}"
    if problem.detail.startswith(TWIN):  # it counts channels from 0, the page from 1
        title = "Two channels are alike"
        sentences = f"{subject} has the type and language of another one in this template. Remove or change one."
    return [problem.severity, title, sentences, channel]


def _detail(problem: Problem) -> str:
    """Return what is wrong, after the name of its part. A field has the name that people give it."""
    field, _, rest = problem.detail.partition(" ")
    if field not in _FIELDS:
        return f" {'has no link' if problem.detail == 'has no url' else problem.detail}"
    return f"’s {'link' if problem.code == 'url' else _FIELDS[field]} {rest}"


def _named(parts: Sequence[Any], index: int) -> str:
    """Return what the page calls a component, such as ``The body`` or ``Button 2``."""
    type_ = parts[index].get("type")
    if type_ == "button":
        before = [part for part in parts[:index] if isinstance(part, dict) and part.get("type") == "button"]
        return f"Button {len(before) + 1}"
    return f"The {text(type_) or 'component'}"


def notes(phone: Phone) -> list[list[str]]:
    """Return notes on what is no problem, but may surprise a reader: title and sentence of each.

    :param phone: the channel.
    """
    kinds = dict.fromkeys(kind_of(part) or "without a type" for part in phone.unknown)
    found = [[_UNKNOWN, f"The component {kind} is shown as JSON."] for kind in kinds]
    if any(phone.header(part) == "text" and not part.get("content") for part in phone.parts["header"]):
        found.append(["The header has no text", "Customers see nothing there."])
    heights = [text(part.get("height")) for part in phone.parts["media"]]
    if phone.card == "horizontal" and any(heights):
        found.append([f"Height {heights[0]} has no effect", _HEIGHT])
    return found
