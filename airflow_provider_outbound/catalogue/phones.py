"""What a phone shows of a channel, as the templates of ``page/previews.html`` take it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec
from markupsafe import Markup

from airflow_provider_outbound.catalogue import texts
from airflow_provider_outbound.catalogue.environment import environment
from airflow_provider_outbound.catalogue.pairs import place
from airflow_provider_outbound.catalogue.sms import Size, size
from airflow_provider_outbound.catalogue.words import changes
from airflow_provider_outbound.model import items, values
from airflow_provider_outbound.model.codec import encode
from airflow_provider_outbound.model.items import Item

#: The looks of channels: class, name, and the components that the channel can show.
#: Source: LivePerson's Outbound Configuration API page.
LOOKS = {
    "wa": ("wa", "WhatsApp", ("header", "body", "footer", "button")),
    "sms-twilio": ("sms", "SMS", ("body",)),
    "apple-twilio": ("apple", "Apple Messages", ("body",)),
    "googlercs": ("rcs", "Google RCS", ("media", "body", "button")),
    "inapp": ("inapp", "In-app", ("text", "image")),
}
#: Languages that are written from right to left, of those that WhatsApp has templates in.
#: Source: https://developers.facebook.com/docs/whatsapp/business-management-api/message-templates/supported-languages
RIGHT_TO_LEFT = ("ar", "fa", "he", "ps", "prs", "ur")

#: The glyphs of buttons, and what they do, by sub_type. Those after quick_reply are WhatsApp's own.
BUTTONS = {
    "url": ("open", "Link"),
    "phone_number": ("phone", "Call"),
    "quick_reply": ("reply", "Quick reply"),
    "copy_code": ("copy", "Copy code"),
    "otp": ("copy", "Copy code"),
    "catalog": ("list", "View catalog"),
    "mpm": ("list", "View items"),
    "spm": ("list", "View"),
    "flow": ("list", "Open"),
    "voice_call": ("phone", "Call"),
}
_LABELLED = ("copy_code", "otp", "catalog", "mpm", "spm")  # by WhatsApp, if they have no text
MOST_BUTTONS = 3  # of more, WhatsApp shows two and "See all options"
HEIGHTS = ("short", "medium", "tall")  # of media on RCS cards, in Google's terms

#: An https URL whose host can be read in one way only: no user, no letters that look like others, no IP address.
_HTTPS = re.compile(
    r"https://((?:[a-z0-9_-]+\.)+[a-z][a-z0-9-]*(?::[0-9]+)?)(?:[/?#].*)?", re.IGNORECASE | re.DOTALL
)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*")
_FILES = (("video", (".mp4", ".3gp", ".3gpp", ".m4v", ".mov", ".webm")), ("document", (".pdf",)))


@dataclass
class Media:
    """A picture, video or document.

    :param kind: ``image``, ``video`` or ``document``.
    :param url: its URL, with its placeholders.
    :param variables: the placeholders, if the URL comes with each message.
    :param host: the host that it would be loaded from; empty if it can't be loaded.
    :param changed: whether it differs in the other state.
    :param file: the changed end of a link whose host is the same in the other state; empty otherwise.
    """

    kind: str
    url: str
    variables: Markup
    host: str
    changed: bool
    file: str


@dataclass
class Phone:
    """A channel as its customer sees it.

    :param channel: the channel.
    :param mark: the element that marks what the other state does not have: ``ins`` or ``del``; empty for none.
    :param others: for each component, by ``id()``, its pair in the other state; None if it has none.
    """

    channel: Any
    mark: str = ""
    others: Mapping[int, Item | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        fields = self.channel if isinstance(self.channel, dict) else {}
        self.fields: Item = fields
        self.type = values.text(fields.get("type")) or ""
        self.look, self.name, shown = LOOKS.get(self.type, ("other", self.type[:60] or "This channel", ()))
        language = values.text(fields.get("language")) or ""
        self.language = language.replace("_", "-") if _LANGUAGE.fullmatch(language) else ""
        self.rtl = self.language.split("-")[0].lower() in RIGHT_TO_LEFT
        #: The components by type, and those that have no preview.
        self.parts: dict[str, list[Item]] = defaultdict(list)
        self.unknown: list[Any] = [] if isinstance(self.channel, dict) else [self.channel]
        for part in items.components(fields):
            kind = values.text(part.get("type")) if isinstance(part, dict) else None
            if kind in shown:
                self.parts[kind].append(part)
            else:
                self.unknown.append(part)
        self.parts["button"].sort(key=place)

    @property
    def sender(self) -> str:
        """Who sends the message: a phone number, an agent or an app."""
        if self.look == "inapp":
            return texts.visible(next(iter(values.strings(items.field(self.fields, "appNames")) or ()), None))
        agent = self.fields.get("serviceAccountName") if self.look == "rcs" else None
        return texts.visible(phone_number(agent or self.fields.get("outboundnumber")))

    def text(self, part: Item, key: str, *, formatted: bool = False) -> Markup:
        """Return a text of a component as HTML; empty if it has none.

        :param part: the component.
        :param key: the field.
        :param formatted: whether it has WhatsApp's formatting.
        """
        text = texts.visible(part.get(key))
        links = key in ("content", "optOut", "messageText") and part.get("type") in ("body", "text")
        return texts.html(
            text,
            items.declared(part) or (),
            links=links,
            formatted=formatted,
            changed=self._changed(part, key, text),
            mark=self.mark,
        )

    def _changed(self, part: Item, key: str, text: str) -> list[tuple[int, int]]:
        if not self.mark or id(part) not in self.others:
            return []
        other = self.others[id(part)]
        return changes(text, texts.visible((other or {}).get(key)))[0]

    def media(self, part: Item, key: str) -> Media:
        """Return the media of a component.

        :param part: the component.
        :param key: the field with its URL.
        """
        value = part.get(key)
        url = value.strip()[: texts.MOST] if isinstance(value, str) else ""
        kind = header = items.media_header(part)
        if kind is None:
            path = url.split("?")[0].lower()
            kind = next((kind for kind, ends in _FILES if path.endswith(ends)), "image")
        declared = items.declared(part) or ()
        names = items.placeholders({"url": url, "variables": list(declared)})
        if header:
            taken = items.header_variables({"messageComponents": [part]})
            variables = Markup('<var class="h">{}</var>').format(header) if taken else Markup()
        else:
            variables = Markup(" ").join(texts.variable(name, declared) for name in names)
        other = self.others.get(id(part), part)
        changed = bool(self.mark) and (not other or other.get(key) != value)
        at = "" if variables else host(url)
        file = _file(url, other.get(key)) if changed and other and at else ""
        return Media(kind, values.utf8_safe(url), variables, at, changed, file)

    def button(self, part: Item) -> tuple[str, str]:
        """Return the glyph of a button, and the label that WhatsApp gives it if it has no text."""
        sub_type = values.text(part.get("sub_type")) or ""
        glyph, does = BUTTONS.get(sub_type, ("", ""))
        return glyph, does if sub_type in _LABELLED else ""

    def header(self, part: Item) -> str:
        """Return the kind of a header: ``text``, a kind of media, or another one, such as ``location``."""
        return values.text(part.get("sub_type")) or "text"

    @property
    def shows_all_buttons(self) -> bool:
        """Whether WhatsApp shows all buttons below the message."""
        return len(self.parts["button"]) <= MOST_BUTTONS

    @property
    def size(self) -> tuple[Size, int]:
        """How long the SMS is without the values of its variables, and how many of those it takes."""
        lines = [
            texts.without_variables(line, items.declared(part) or ())
            for part in self.parts["body"]
            for key in ("content", "optOut")
            if (line := texts.visible(part.get(key)))
        ]
        return size("\n".join(fixed for fixed, _ in lines)), sum(count for _, count in lines)

    @cached_property
    def card(self) -> str:
        """The class of the RCS card: ``vertical`` or ``horizontal``; empty for a text or media alone."""
        media, bodies = self.parts["media"], self.parts["body"]
        if not bodies or not (media or any(texts.visible(body.get("title")) for body in bodies)):
            return ""
        given = [self.fields.get("cardOrientation"), *(part.get("cardOrientation") for part in media)]
        horizontal = any(str(each).upper() == "HORIZONTAL" for each in given if isinstance(each, str))
        return "horizontal" if horizontal and media else "vertical"

    def placed(self, part: Item) -> str:
        """Return the classes of a card's media: its height, and the side it is on."""
        height = str(part.get("height")).lower()
        right = str(part.get("thumbnailImageAlignment")).lower() == "right"
        return f"{height if height in HEIGHTS else 'medium'}{' right' if right else ''}"

    def notice(self, part: Item) -> str:
        """Return the field with the text of an in-app message's notification."""
        same = values.boolean(part.get("isSameMessageForNotification"))
        return "messageText" if same else "notificationMessage"

    def opens(self, part: Item) -> bool:
        """Tell whether a tap on an in-app picture opens something."""
        return bool(values.boolean(part.get("isClickable")))

    def json(self, part: Any) -> tuple[str, str]:
        """Return the type of a component that has no preview, and its JSON."""
        kind = values.text(part.get("type")) if isinstance(part, dict) else None
        shown = b"It is nested too deeply to be shown."
        with suppress(ValueError, msgspec.MsgspecError, RecursionError):
            shown = encode(part)
            shown = msgspec.json.format(shown, indent=2)  # refuses what only Python reads, such as NaN
        return (kind or "component")[:60], texts.visible(shown.decode())

    def html(self) -> Markup:
        """Return the phone."""
        return Markup(environment().get_template("previews.html").module.phone(self))  # type: ignore[attr-defined] # noqa: S704


def phone_number(value: Any) -> str:
    """Return who sends, as a phone shows it: an international number has a plus sign.

    :param value: a JSON value, such as ``12535277322``; what is no such number stays as it is.
    """
    text = (values.text(value) or "").strip()
    digits = text.removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 15) or digits[0] == "0":
        return text
    if len(digits) == 11 and digits[0] == "1":
        return f"+1 {digits[1:4]} {digits[4:7]} {digits[7:]}"
    return f"+{digits}"


def _file(url: str, other: Any) -> str:
    """Return the end of a URL that differs from another one of the same host; empty if the hosts differ."""
    if not isinstance(other, str) or host(other.strip()) != host(url):
        return ""
    ends = [each.strip().rpartition("/")[2] for each in (url, other)]
    return texts.visible(ends[0] if ends[0] and ends[0] != ends[1] else url.split("/", 3)[-1])


def host(url: str) -> str:
    """Return the host that a URL is loaded from; empty if it is not https, or its host is ambiguous.

    :param url: the URL.
    """
    found = _HTTPS.fullmatch(url)
    return found[1].lower() if found else ""
