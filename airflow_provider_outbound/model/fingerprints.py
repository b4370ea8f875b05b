"""Fingerprints of what a customer sees, to tell whether it is still the approved content.

A channel's fingerprint is a digest of its content, ``-``, and a short hint for each of its parts. Only whole
fingerprints are compared; the hints only let messages name what differs. Dates, ids and texts are not in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from hashlib import blake2b
from struct import Struct
from typing import Any
from zlib import crc32

import msgspec

from airflow_provider_outbound.errors import ConfigError, printable
from airflow_provider_outbound.model.items import COMPONENTS, SPELLINGS, Item, components, field

#: A channel's fields that say who sends a message, and which template WhatsApp sends.
#: Source: "Data fields definitions" of LivePerson's Outbound Configuration API page.
SENDER = ("outboundnumber", "serviceAccountName", "appNames")
TEMPLATE = ("namespace", "templatename")

#: Fields that no customer sees, of a component, and of a configuration, which a bare channel may carry.
UNSEEN = ("id", "createdAt", "updatedAt")
UNSEEN_OF_CONFIGURATION = (*UNSEEN, "name", "lookbackPeriodDay", "lookbackPeriodHour", "routeAllWithinLookback")

#: What is not among a channel's other fields. Unknown ones are: they may be seen.
_NOT_OTHER = {
    *UNSEEN_OF_CONFIGURATION,
    "type",
    "language",
    *SENDER,
    *SPELLINGS.values(),
    *TEMPLATE,
    "messageComponents",
}

#: The parts of a channel, in the order of their hints, and how messages name them.
PARTS = {
    "channel": "channel",
    "language": "language",
    "sender": "sender",
    "template": "WhatsApp template",
    **{kind: kind for kind in COMPONENTS},
    "button": "buttons",
    "other": "other content",
}
DIGEST, HINT, SHORT = 32, 4, 8  # hexadecimal digits

_CHANNEL = rf"[0-9a-f]{{{DIGEST}}}-[0-9a-f]{{{HINT * len(PARTS)}}}"
_WHOLE = re.compile(rf"{_CHANNEL}(\+{_CHANNEL})*")
_pack = Struct(f">{len(PARTS)}H").pack
_sorted = msgspec.json.Encoder(order="sorted").encode


def fingerprint(channels: Iterable[Any]) -> str | None:
    """Return the fingerprint of a configuration; None if it has no channel.

    :param channels: its channels; one that is not an object does not count.
    """
    return joined(channel_fingerprint(each) for each in channels if isinstance(each, dict))


def joined(fingerprints: Iterable[str | None]) -> str | None:
    """Return one fingerprint for several channels; None if there is none.

    :param fingerprints: of each channel; None for one that is not an object.
    """
    return "+".join(filter(None, fingerprints)) or None


def channel_fingerprint(channel: Item) -> str:
    """Return the fingerprint of a channel, whether in its configuration or bare.

    :param channel: the channel.
    """
    contents: list[tuple[str, Any]] = [("channel", channel.get("type")), ("language", channel.get("language"))]
    for part, keys in (("sender", SENDER), ("template", TEMPLATE), ("other", channel.keys() - _NOT_OTHER)):
        contents += [(part, {key: value for key in keys if (value := field(channel, key)) is not None})]
    contents += [(_part(component), _seen(component)) for component in components(channel)]
    hints, texts = dict.fromkeys(PARTS, 0), []
    for part, content in contents:
        text = _canonical(content)
        hints[part] = crc32(text, hints[part])
        texts.append(text)
    digest = blake2b(b"\n".join(texts), digest_size=DIGEST // 2).hexdigest()  # JSON has no line break of its own
    return f"{digest}-{_pack(*[hint & 0xFFFF for hint in hints.values()]).hex()}"


def _part(component: Any) -> str:
    kind = component.get("type") if isinstance(component, dict) else None
    return kind if kind in COMPONENTS else "other"


def _seen(component: Any) -> Any:
    """Return a component without what nobody sees, with its variables under one spelling."""
    if not isinstance(component, dict):
        return component
    seen = {key: value for key, value in component.items() if value is not None and key not in UNSEEN}
    if (variables := seen.pop(SPELLINGS["variables"], None)) is not None:
        seen.setdefault("variables", variables)
    return seen


def _canonical(value: Any) -> bytes:
    """Return JSON text that does not depend on the order of keys."""
    try:
        text = _sorted(value)
        if b"null" not in text:  # msgspec writes NaN as null
            return text
    except ValueError:  # half a surrogate pair
        pass
    return json.dumps(value, sort_keys=True).encode()


def parse(text: Any) -> list[str]:
    """Return the fingerprint of each channel in a fingerprint.

    :param text: the fingerprint of a configuration or of a channel.
    :raises ConfigError: if it is not a whole fingerprint.
    """
    if not isinstance(text, str) or not _WHOLE.fullmatch(text):
        raise ConfigError(
            f"template fingerprint is {printable(repr(text), 60)}: give a complete one, as in an export's column "
            "fingerprint, the sensor's XCom or airflow outbound list -o json"
        )
    return text.split("+")


def short(text: str | None) -> str | None:
    """Return the first digits of each channel's fingerprint, for people to read.

    :param text: a whole fingerprint; None for a configuration without channels.
    """
    return text and "+".join(each[:SHORT] for each in text.split("+"))


def changed(now: str, approved: Collection[str]) -> str:
    """Return how a channel differs from all approved fingerprints; empty if it has one of them.

    :param now: the channel's fingerprint.
    :param approved: the approved channels' fingerprints; at least one.
    """
    if now in approved:
        return ""
    differing = [_differing(now, each) for each in approved]
    nearest = min((parts for parts in differing if "channel" not in parts), key=len, default=None)
    if nearest is None:
        return "the fingerprint is of other channels"
    if not nearest:
        return "the order of its components changed since that fingerprint"
    *names, last = [PARTS[part] for part in nearest]
    return f"its {' and '.join(filter(None, [', '.join(names), last]))} changed since that fingerprint"


def _differing(one: str, other: str) -> list[str]:
    starts = range(DIGEST + 1, len(one), HINT)
    pairs = [(one[start : start + HINT], other[start : start + HINT]) for start in starts]
    return [part for part, (here, there) in zip(PARTS, pairs, strict=True) if here != there]
