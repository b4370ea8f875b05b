"""Invented outbound configurations, such as an airline, a shop, a bank and a clinic would have.

An item follows from the seed and its position alone: accounts of 90 and of 9000 begin alike. Phone numbers are
from the range reserved for fiction (555-01xx); links lead to example.com.

The limits are those of the Proactive web tool, by LivePerson's "Proactive Messaging user guide": channels in order
of preference, in-app never beside WhatsApp or SMS and for 4 apps at most, a lookback period of 1 hour to 30 days,
and 3 quick replies or 2 calls to action at most.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from airflow_provider_outbound.sandbox.texts import KINDS, LANGUAGES, ODD_TEXTS, TEXTS, TRIP, URLS, WORDS, Words

Json = dict[str, Any]

_START = datetime(2023, 1, 9, 8, tzinfo=timezone.utc)
_ODD_EVERY = 6  # prime to the number of channels: odd texts reach every channel
_NAMESPACE = "5b1f0c2e_7a44_4d3b_9c61_0e8f2d6a9b13"  # WhatsApp gives each business one, for all its templates
_AGENT = "c2m-5550142-grcs"
_APPS = ("com.example.shop", "com.example.shop.ios", "com.example.bank", "com.example.clinic")
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")  # `${{1}}` in texts, `{{1}}` in URLs

# Which channels may follow the first one; each as likely as the others.
_FALLBACKS: dict[str, tuple[tuple[str, ...], ...]] = {
    "wa": ((), ("sms-twilio",), ("apple-twilio", "sms-twilio"), ("googlercs", "sms-twilio")),
    "sms-twilio": ((),),
    "apple-twilio": ((), ("sms-twilio",)),
    "googlercs": ((), ("sms-twilio",)),
    "inapp": ((), ("apple-twilio",)),
}


class _Message(NamedTuple):
    """One message to word for a channel; `number` selects the channel's optional parts, 0 the plainest."""

    name: str
    language: str
    title: str
    body: str
    words: Words
    number: int


def configurations(count: int, seed: int) -> list[Json]:
    """Invent the configurations of an account, in order of creation.

    :param count: number of configurations; a smaller account is the beginning of a larger one.
    :param seed: the same seed gives the same configurations in every process.
    """
    return [_configuration(index, seed) for index in range(count)]


def template(name: str, channel: str, language: str, variables: Sequence[str], at: datetime = _START) -> Json:
    """Build a configuration of one channel whose message has exactly the given variables.

    :param name: name of the configuration, and of its template on WhatsApp.
    :param channel: one of `CHANNELS`; ValueError for any other.
    :param language: language code such as `en` or `pt_BR`; the text is English where `WORDS` lacks the language.
    :param variables: names of the placeholders, such as `["1", "2"]`.
    :param at: time of creation, with time zone.
    """
    if channel not in CHANNELS:
        raise ValueError(f"channel is {channel!r}, not one of {', '.join(CHANNELS)}")
    words = WORDS.get(language[:2], WORDS["en"])
    body = " ".join([words.update, *map(_placeholder, variables)])
    message = _Message(name, language, words.update, body, words, number=0)
    identity = "/".join((name, channel, language, *variables, at.isoformat()))
    return {
        "id": f"H{uuid5(NAMESPACE_URL, identity).int % 10**15:015}",  # longer than those of `configurations`
        "name": name,
        "lookbackPeriodDay": 0,
        "lookbackPeriodHour": 12,
        "routeAllWithinLookback": False,
        "createdAt": _utc(at),
        "updatedAt": _utc(at),
        "channels": [_channel(channel, message)],
    }


def _configuration(index: int, seed: int) -> Json:
    rng = random.Random(f"{seed}/{index}")  # a str is hashed with SHA-512, whatever PYTHONHASHSEED is
    message = _message(index, seed, rng)
    first = list(CHANNELS)[index % len(CHANNELS)]
    lookback_day, lookback_hour = divmod(rng.choice((1, 12, 24, 36, 7 * 24, 30 * 24)), 24)
    created = _START + timedelta(hours=5 * index, milliseconds=rng.randrange(3_600_000))
    return {
        "id": _id(index, seed),
        "name": message.name,
        "lookbackPeriodDay": lookback_day,
        "lookbackPeriodHour": lookback_hour,
        "routeAllWithinLookback": rng.random() < 0.3,
        "createdAt": _utc(created),
        "updatedAt": _utc(created + timedelta(minutes=rng.choice((0, 4, 95, 4000)))),
        "channels": [_channel(type_, message) for type_ in (first, *rng.choice(_FALLBACKS[first]))],
    }


def _id(index: int, seed: int) -> str:
    # The factor of the index is prime to the range, so ids repeat only after 900 million items.
    return f"H{100_000_000 + (index * 618_033_989 + seed * 367_879_441) % 900_000_000}"


def _message(index: int, seed: int, rng: random.Random) -> _Message:
    if index % _ODD_EVERY == _ODD_EVERY - 1:
        kind, language, body = ODD_TEXTS[index // _ODD_EVERY % len(ODD_TEXTS)]
        title = WORDS[language[:2]].update
    else:
        turn, place = divmod(index, len(LANGUAGES))  # each language once a turn: a small account has them all
        language = random.Random(f"{seed}/languages/{turn}").sample(LANGUAGES, len(LANGUAGES))[place]
        texts = zip(KINDS, (*TEXTS[language[:2]], TRIP), strict=True)
        kind, (title, body) = rng.choice(list(texts))
    name, number = f"{kind}_{index:04d}", index // len(CHANNELS)
    return _Message(name, language, title, body, WORDS[language[:2]], number)


def _channel(type_: str, message: _Message) -> Json:
    return {"type": type_, "language": message.language, **CHANNELS[type_](message)}


def _whatsapp(message: _Message) -> Json:
    header = (
        [],
        [_component("header", sub_type="image", content="${{1}}")],
        [_component("header", sub_type="document", content="https://example.com/files/terms.pdf")],
        [_component("header", sub_type="video", content="https://example.com/media/welcome.mp4")],
    )[message.number % 4]
    footer = [_component("footer", content=message.words.footer)] if message.number % 2 else []
    url = URLS[message.number // 3 % len(URLS)]
    buttons = (_replies(message), _links(message, url), [])[message.number % 3]
    return {
        "namespace": _NAMESPACE,
        "templatename": message.name,
        "outboundnumber": _phone(message),
        # On WhatsApp, each component counts its variables from 1.
        "messageComponents": [*header, _component("body", content=message.body), *footer, *buttons],
    }


def _sms(message: _Message) -> Json:
    body = _component("body", content=message.body, optOut=message.words.opt_out)
    return {"outboundnumber": f"+{_phone(message)}", "messageComponents": [body]}


def _apple(message: _Message) -> Json:
    body = _component("body", content=message.body)
    return {"outboundnumber": f"+{_phone(message)}", "messageComponents": [body]}


def _rcs(message: _Message) -> Json:
    if message.number % 3 == 0:  # a text with suggestions
        parts = [_component("body", content=message.body), *_links(message, "https://example.com/help")]
        return {"outboundnumber": _AGENT, "serviceAccountName": _AGENT, "messageComponents": parts}
    picture = _next_placeholder(message) if message.number % 3 == 1 else "https://example.com/media/hello.jpg"
    height = ("short", "medium", "tall")[message.number // 3 % 3]
    alignment = ("left", "right")[message.number // 2 % 2]
    card = [
        *_replies(message),
        _component("media", content=picture, height=height, thumbnailImageAlignment=alignment),
        _component("body", title=message.title, content=message.body),
    ]
    orientation = ("VERTICAL", "HORIZONTAL")[message.number % 2]
    return {"serviceAccountName": _AGENT, "cardOrientation": orientation, "messageComponents": card}


def _in_app(message: _Message) -> Json:
    same = bool(message.number % 2)
    text = _component(
        "text",
        messageText=message.body,
        notificationTitle=message.title,
        notificationMessage=message.body if same else message.words.update,
        isSameMessageForNotification=same,
    )
    banner = _next_placeholder(message) if same else "https://example.com/media/banner.png"
    image = _component("image", url=banner, isClickable=True, destinationUrl="https://example.com/app")
    image["Variables"] = image.pop("variables")  # LivePerson capitalises it here, and only here
    return {"appNames": list(_APPS[: 1 + message.number % len(_APPS)]), "messageComponents": [text, image]}


CHANNELS = {"wa": _whatsapp, "sms-twilio": _sms, "apple-twilio": _apple, "googlercs": _rcs, "inapp": _in_app}


def _component(type_: str, **fields: str | int) -> Json:
    component = {"type": type_, **fields, "variables": _variables(*fields.values())}
    if type_ in ("button", "footer") and not component["variables"]:
        del component["variables"]  # these lack the list on LivePerson's page, others have an empty one
    return component


def _replies(message: _Message) -> list[Json]:
    labels = (message.words.accept, message.words.decline, message.words.link)[: 2 + message.number % 2]
    buttons = ({"sub_type": "quick_reply", "content": label} for label in labels)
    return [_component("button", index=index, **button) for index, button in enumerate(buttons)]


def _links(message: _Message, url: str) -> list[Json]:
    call = {"sub_type": "phone_number", "content": "☎️ 202-555-0199", "phone_number": "+12025550199"}
    link = {"sub_type": "url", "content": message.words.link, "url": url}
    return [_component("button", index=0, **call), _component("button", index=1, **link)]


def _variables(*values: str | int) -> list[str]:
    names = set(_PLACEHOLDER.findall(" ".join(map(str, values))))
    return sorted(names, key=lambda name: (len(name), name))  # 9 before 10, wherever a translation puts them


def _next_placeholder(message: _Message) -> str:
    # In-app and RCS messages count their variables through all of their components.
    numbers = [int(name) for name in _variables(message.title, message.body) if name.isdigit()]
    return _placeholder(max(numbers, default=0) + 1)


def _placeholder(name: str | int) -> str:
    return "${{" + str(name) + "}}"


def _phone(message: _Message) -> str:
    return f"120255501{message.number % 99:02d}"  # 99 is the number to call back, in _links


def _utc(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
