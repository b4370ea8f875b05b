"""Channels to take pictures of: those of tests/samples, and others that show one matter each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]
SAMPLES = Path(__file__).parents[1] / "samples"


def _samples() -> dict[str, Json]:
    """Return the channels of LivePerson's page, and of WhatsApp's templates (see LICENSE there)."""
    found: dict[str, Json] = {}
    for path in (*sorted(SAMPLES.glob("*.json")), *sorted(SAMPLES.glob("whatsapp/*.json"))):
        data = json.loads(path.read_text())
        for at, item in enumerate(data if isinstance(data, list) else [data]):
            name = item.get("name") or f"{path.stem}{f'_{at + 1}' if at else ''}"
            for channel in item.get("channels", [item]):
                found[name] = channel if "messageComponents" in channel else wa(channel)
    return found


def wa(*parts: Json, language: str = "en", **fields: Any) -> Json:
    """Return a channel of WhatsApp."""
    return {
        "type": "wa",
        "language": language,
        "outboundnumber": "12025550142",
        "messageComponents": [*parts],
        **fields,
    }


def rcs(*parts: Json, **fields: Any) -> Json:
    """Return a channel of RCS."""
    agent = "c2m-5550142-grcs"
    return {
        "type": "googlercs",
        "language": "en",
        "serviceAccountName": agent,
        "messageComponents": [*parts],
        **fields,
    }


def part(kind: str, content: str | None = None, *variables: str, **fields: Any) -> Json:
    """Return a component."""
    text = {} if content is None else {"content": content}
    return {"type": kind, **text, "variables": [*variables], **fields}


def button(index: int, content: str, sub_type: str = "quick_reply", **fields: Any) -> Json:
    """Return a button."""
    return {"type": "button", "index": index, "sub_type": sub_type, "content": content, **fields}


PICTURE = "https://cdn.example.com/hello.jpg"
CARD = (
    part(
        "body",
        "Bring this message and an ID. We keep it until ${{2}}.",
        "2",
        title="Your order is ready for pickup",
    ),
    button(0, "Directions", "url", url="https://example.com/stores/12"),
    button(1, "Call the store", "phone_number", phone_number="+12025550199"),
)
FORMATTED = (
    "Hi *${{1}}*, your order *#${{2}}* has left.\n\nChoose a _safe place_, ~or not~, _*by*_ 20:00 (*really*).\n"
    "- a list\n- of *two*, the second of which is so long that it needs more than one line\n"
    "1. first\n2. second\n> a quote\nCode `AB-12` or ```mono ${{1}}```: 2*3*4, snake_case, * not *.\n"
    "More on https://example.com/offers/${{1}}. Bye"
)
SIX = [
    button(0, "Get a coffee"),
    button(1, "Upgrade my seat"),
    button(2, "Visit the lounge"),
    button(3, "Give points"),
    button(4, "Open the shop", "url", url="https://example.com/points"),
    button(5, "Call us", "phone_number", phone_number="+12025550199"),
]
OTHERS: dict[str, Json] = {
    "formatted": wa(part("body", FORMATTED, "1", "2")),
    "six_buttons": wa(
        part("header", "You have ${{1}} points", "1", sub_type="text"),
        part("body", "Good morning ${{1}} ☀️ What would you like to do with them?", "1"),
        part("footer", "Points expire on 31 December"),
        *SIX,
    ),
    "hebrew": wa(
        part("header", "https://cdn.example.com/film.mp4", sub_type="video"),
        part(
            "body",
            "🎉 מזל טוב ${{1}}!\n\nלכבוד יום ההולדת שלך קיבלת ${{2}} *הנחה* על כל הזמנה באתר Example עד ${{3}}.",
            *"123",
        ),
        part("footer", 'להסרה השיבו "הסר"'),
        button(0, "לקנייה באתר", "url", url="https://example.com/he/{{1}}"),
        button(1, "התקשרו אלינו", "phone_number", phone_number="+97235550110"),
        language="he",
    ),
    "problems": wa(
        part("header", sub_type="text"),
        part("body", "Hallo ${{1}}, das Paket kommt bis ${{3}}. Kosten: $100.", "1", "2"),
        button(0, "", "url", url="http://example.com"),
        language="de",
    ),
    "not_https": wa(
        part("header", "http://cdn.example.com/a.jpg", sub_type="image"),
        part("body", "The picture above has an unsafe link."),
    ),
    "hostile": wa(
        part("header", "javascript:alert(1)", sub_type="image"),
        part("body", "<script>alert(1)</script> \u202e <img src=x onerror=alert(1)> ${{<b>}}"),
        part("footer", "</p></div><style>*{display:none}</style>"),
        button(0, '"><svg onload=alert(1)>'),
        {"type": "<i>kind</i>", "x": "</pre><script>alert(1)</script>"},
        language='en" onload="alert(1)',
        outboundnumber="<b>me</b>",
    ),
    "sms_unicode": {
        "type": "sms-twilio",
        "language": "es_MX",
        "outboundnumber": "+14155550142",
        "messageComponents": [
            part(
                "body",
                "Hola ${{1}}, tu pago de ${{2}} venció el ${{3}}. Para evitar cargos y que tu reserva se cancele, "
                "paga hoy en example.com/pago. Si ya pagaste, ignora este mensaje.",
                *"123",
                optOut="Responde BAJA para no recibir más mensajes.",
            )
        ],
    },
    "apple": {
        "type": "apple-twilio",
        "language": "fr",
        "outboundnumber": "urn:biz:7f1c2a",
        "messageComponents": [
            part("body", "Bonjour ${{1}}, votre livraison est prévue ${{2}} entre ${{3}} et ${{4}}.", *"1234"),
            {"type": "listPicker", "title": "When?"},
        ],
    },
    "rcs_vertical_short": rcs(
        part("media", PICTURE, height="short"), *CARD, outboundnumber="x", cardOrientation="VERTICAL"
    ),
    "rcs_vertical_tall": rcs(part("media", PICTURE, height="tall"), *CARD, cardOrientation="VERTICAL"),
    "rcs_horizontal_left": rcs(part("media", "${{3}}", "3", height="tall"), *CARD, cardOrientation="HORIZONTAL"),
    "rcs_horizontal_right": rcs(
        part("media", PICTURE, thumbnailImageAlignment="right"), *CARD, cardOrientation="HORIZONTAL"
    ),
    "rcs_chips": rcs(part("body", "Flight ${{1}}-${{2}} is delayed. New departure: ${{3}}.", *"123"), *SIX[2:]),
    "inapp_two_texts": {
        "type": "inapp",
        "language": "en",
        "appNames": ["com.example.travel"],
        "messageComponents": [
            {
                "type": "text",
                "messageText": "${{3}}, your flight to Lisbon has free extra-legroom seats.",
                "notificationTitle": "More legroom for ${{1}}?",
                "notificationMessage": "Seats on flight ${{2}} are open. Tap to see them.",
                "isSameMessageForNotification": False,
                "variables": ["1", "2", "3"],
            },
            {"type": "image", "url": PICTURE, "isClickable": False},
        ],
    },
    "unknown_channel": {
        "type": "telegram",
        "language": "en",
        "messageComponents": [part("body", "Hi"), {"type": "poll"}],
    },
    "empty": wa(),
    "long_words": wa(part("body", "x" * 400), button(0, "y" * 120), outboundnumber="z" * 90),
}
CHANNELS: dict[str, Json] = {**_samples(), **OTHERS}
