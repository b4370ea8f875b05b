"""Invented outbound configurations, such as an airline, a shop, a bank and a clinic would have.

Everything follows from a seed, and an item from the seed and its own position: an account of 90 and one of
9000 begin alike. Phone numbers are of the range kept for fiction (555-01xx), links lead to example.com.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

Json = dict[str, Any]

LANGUAGES = ("en", "en_US", "es", "pt_BR", "de", "fr", "he", "ja")

_START = datetime(2023, 1, 9, 8, tzinfo=timezone.utc)
_NAMESPACE = "5b1f0c2e_7a44_4d3b_9c61_0e8f2d6a9b13"  # WhatsApp gives one to a business, not one to a template
_AGENT = "c2m-5550142-grcs"
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")  # `${{1}}` in texts, `{{1}}` in URLs


class _Words(NamedTuple):
    """What every message in a language may need besides its own text."""

    footer: str
    opt_out: str
    accept: str
    decline: str
    link: str
    update: str


_WORDS = {
    "en": _Words("Do not reply here", "Reply STOP to opt out", "Yes", "No", "Details", "News for you."),
    "es": _Words("No responda aquí", "Responda STOP para la baja", "Sí", "No", "Detalles", "Novedades."),
    "pt": _Words("Não responda aqui", "Responda STOP para sair", "Sim", "Não", "Detalhes", "Novidades."),
    "de": _Words("Bitte nicht antworten", "Mit STOP abbestellen", "Ja", "Nein", "Mehr", "Neuigkeiten."),
    "fr": _Words("Ne pas répondre ici", "STOP pour arrêter", "Oui", "Non", "Détails", "Du nouveau."),
    "he": _Words("נא לא להשיב", "להסרה השיבו STOP", "כן", "לא", "פרטים", "יש לנו עדכון עבורך."),
    "ja": _Words("返信はできません", "配信停止は STOP", "はい", "いいえ", "詳細", "お知らせです。"),
}

_KINDS = ("appointment_reminder", "boarding_open", "order_shipped", "payment_due", "results_ready", "trip")

_TEXTS = {  # language -> for each kind of message, title and body
    "en": (
        ("See you soon, ${{1}} 🩺", "Hi ${{1}}, ${{2}} expects you on ${{3}} at ${{4}}. Coming?"),
        ("Time to board", "Flight ${{1}} to ${{2}} boards at gate ${{3}} from ${{4}}. Enjoy! ✈️"),
        ("On its way 📦", "Good news, ${{1}}: order ${{2}} has left us and arrives on ${{3}}."),
        ("A payment is due", "Dear ${{1}}, ${{2}} for your card ending in ${{3}} is due on ${{4}}."),
        ("Results are in", "The results of your visit are in the patient portal. No need to call."),
    ),
    "es": (
        ("Hasta pronto, ${{1}} 🩺", "Hola, ${{1}}: ${{2}} le espera el ${{3}} a las ${{4}}. ¿Viene?"),
        ("Hora de embarcar", "El vuelo ${{1}} a ${{2}} embarca por la puerta ${{3}} a las ${{4}}. ✈️"),
        ("En camino 📦", "Buenas noticias, ${{1}}: el pedido ${{2}} ya salió y llega el ${{3}}."),
        ("Pago pendiente", "${{1}}, el pago de ${{2}} de su tarjeta ${{3}} vence el ${{4}}."),
        ("Ya hay resultados", "Sus resultados están en el portal del paciente. No hace falta llamar."),
    ),
    "pt": (
        ("Até breve, ${{1}} 🩺", "Olá, ${{1}}! ${{2}} espera você em ${{3}}, às ${{4}}. Você vem?"),
        ("Hora de embarcar", "O voo ${{1}} para ${{2}} embarca no portão ${{3}} às ${{4}}. ✈️"),
        ("A caminho 📦", "Boas notícias, ${{1}}: o pedido ${{2}} já saiu e chega em ${{3}}."),
        ("Pagamento a vencer", "${{1}}, o pagamento de ${{2}} do cartão ${{3}} vence em ${{4}}."),
        ("Resultados prontos", "Seus resultados estão no portal do paciente. Não é preciso ligar."),
    ),
    "de": (
        ("Bis bald, ${{1}} 🩺", "Guten Tag ${{1}}, ${{2}} erwartet Sie am ${{3}} um ${{4}}. Passt das?"),
        ("Bitte einsteigen", "Flug ${{1}} nach ${{2}}: Einstieg an Gate ${{3}} ab ${{4}}. Gute Reise! ✈️"),
        ("Unterwegs 📦", "Gute Nachricht, ${{1}}: Bestellung ${{2}} ist unterwegs und kommt am ${{3}}."),
        ("Zahlung fällig", "Guten Tag ${{1}}, ${{2}} für Ihre Karte ${{3}} sind am ${{4}} fällig."),
        ("Befund verfügbar", "Ihr Befund liegt im Patientenportal. Ein Anruf ist nicht nötig."),
    ),
    "fr": (
        ("À bientôt, ${{1}} 🩺", "Bonjour ${{1}}, ${{2}} vous attend le ${{3}} à ${{4}}. Vous venez ?"),
        ("Embarquement", "Vol ${{1}} pour ${{2}} : embarquement porte ${{3}} dès ${{4}}. Bon voyage ! ✈️"),
        ("En route 📦", "Bonne nouvelle, ${{1}} : la commande ${{2}} est partie et arrive le ${{3}}."),
        ("Échéance proche", "${{1}}, le paiement de ${{2}} pour la carte ${{3}} est attendu le ${{4}}."),
        ("Résultats prêts", "Vos résultats sont sur le portail patient. Inutile d'appeler."),
    ),
    "he": (
        ("נתראה בקרוב, ${{1}} 🩺", "שלום ${{1}}, נקבע לך תור אצל ${{2}} ביום ${{3}} בשעה ${{4}}."),
        ("העלייה למטוס החלה", "טיסה ${{1}} אל ${{2}} עולה בשער ${{3}} משעה ${{4}}. נסיעה טובה! ✈️"),
        ("בדרך אליך 📦", "חדשות טובות, ${{1}}: הזמנה ${{2}} יצאה לדרך ותגיע ביום ${{3}}."),
        ("מועד תשלום קרב", "שלום ${{1}}, תשלום של ${{2}} בכרטיס ${{3}} ייגבה ביום ${{4}}."),
        ("התוצאות מוכנות", "תוצאות הביקור שלך מחכות באזור האישי. אין צורך להתקשר."),
    ),
    "ja": (
        ("${{1}}様、ご予約の確認 🩺", "${{1}}様、${{3}} ${{4}} に ${{2}} の診察がございます。"),
        ("搭乗開始", "${{2}} 行き ${{1}} 便は ${{4}} より ${{3}} 番ゲートでご搭乗いただけます。✈️"),
        ("発送しました 📦", "${{1}}様、ご注文 ${{2}} を発送しました。${{3}} に届く予定です。"),
        ("お支払いのご案内", "${{1}}様、カード ${{3}} のお支払い ${{2}} の期日は ${{4}} です。"),
        ("検査結果のお知らせ", "検査結果は患者様ページでご覧いただけます。お電話は不要です。"),
    ),
}

# Needs no translation, and has a variable 10: one that must not be read as variable 1 and a zero.
_TRIP = ("✈️", "🛫 ${{1}} ${{2}} ${{3}}\n🛬 ${{4}} ${{5}} ${{6}}\n💺 ${{7}} 🧳 ${{8}} 🚪 ${{9}} 🎫 ${{10}}")


class _Message(NamedTuple):
    """One message to word for a channel; `number` turns through what a channel may or may not have."""

    name: str
    language: str
    title: str
    body: str
    words: _Words
    number: int


def configurations(count: int, seed: int) -> list[Json]:
    """
    Invent the configurations of an account, in order of creation.

    :param count: How many; from the second on, the first ones stay the same.
    :param seed: The same seed gives the same configurations, in every process.
    """
    return [_configuration(index, seed) for index in range(count)]


def template(name: str, channel: str, language: str, variables: Sequence[str], at: datetime = _START) -> Json:
    """
    Build a configuration of one channel whose message has exactly these variables.

    :param name: Name of the configuration, and of its template on WhatsApp.
    :param channel: One of `CHANNELS`; ValueError for any other.
    :param language: Language code such as `en` or `pt_BR`; English words stand in where we have none.
    :param variables: Names of the placeholders, such as `["1", "2"]`.
    :param at: When it was created, with time zone.
    """
    if channel not in CHANNELS:
        raise ValueError(f"channel is {channel!r}, not one of {', '.join(CHANNELS)}")
    words = _WORDS.get(language[:2], _WORDS["en"])
    body = " ".join([words.update, *map(_placeholder, variables)])
    message = _Message(name, language, words.update, body, words, number=0)
    identity = "/".join((name, channel, language, *variables, at.isoformat()))
    return {
        "id": str(uuid5(NAMESPACE_URL, identity)),
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
    language = rng.choice(LANGUAGES)
    texts = zip(_KINDS, (*_TEXTS[language[:2]], _TRIP), strict=True)
    kind, (title, body) = rng.choice(list(texts))
    number, first = divmod(index, len(CHANNELS))
    main = list(CHANNELS)[first]
    others = rng.sample([channel for channel in CHANNELS if channel != main], rng.choice((0, 0, 1, 2)))
    message = _Message(f"{kind}_{index:04d}", language, title, body, _WORDS[language[:2]], number)
    created = _START + timedelta(hours=5 * index, milliseconds=rng.randrange(3_600_000))
    return {
        "id": str(UUID(int=rng.getrandbits(128), version=4)),
        "name": message.name,
        "lookbackPeriodDay": rng.choice((0, 0, 1, 3, 7, 14, 30)),
        "lookbackPeriodHour": rng.randrange(24),
        "routeAllWithinLookback": rng.random() < 0.3,
        "createdAt": _utc(created),
        "updatedAt": _utc(created + timedelta(minutes=rng.choice((0, 4, 95, 4000)))),
        "channels": [_channel(type_, message) for type_ in (main, *others)],
    }


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
    buttons = (_replies(message), _links(message, "https://example.com/go/{{1}}"), [])[message.number % 3]
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
    card = [
        *_replies(message),
        _component("media", content=picture, height="medium", thumbnailImageAlignment="right"),
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
    return {"appNames": ["com.example.shop"], "messageComponents": [text, image]}


CHANNELS = {"wa": _whatsapp, "sms-twilio": _sms, "apple-twilio": _apple, "googlercs": _rcs, "inapp": _in_app}


def _component(type_: str, **fields: str | int) -> Json:
    component = {"type": type_, **fields, "variables": _variables(*fields.values())}
    if type_ in ("button", "footer") and not component["variables"]:
        del component["variables"]  # these lack the list on LivePerson's page, others have an empty one
    return component


def _replies(message: _Message) -> list[Json]:
    labels = (message.words.accept, message.words.decline)
    buttons = ({"sub_type": "quick_reply", "content": label} for label in labels)
    return [_component("button", index=index, **button) for index, button in enumerate(buttons)]


def _links(message: _Message, url: str) -> list[Json]:
    call = {"sub_type": "phone_number", "content": "☎️ 202-555-0199", "phone_number": "+12025550199"}
    link = {"sub_type": "url", "content": message.words.link, "url": url}
    return [_component("button", index=0, **call), _component("button", index=1, **link)]


def _variables(*values: str | int) -> list[str]:
    names = set(_PLACEHOLDER.findall(" ".join(map(str, values))))
    return sorted(names, key=lambda name: (len(name), name))  # 10 comes after 9; translations move them about


def _next_placeholder(message: _Message) -> str:
    # In-app and RCS messages count their variables through all of their components.
    return _placeholder(len(_variables(message.title, message.body)) + 1)


def _placeholder(name: str | int) -> str:
    return "${{" + str(name) + "}}"


def _phone(message: _Message) -> str:
    return f"120255501{message.number % 99:02d}"  # 99 is the number to call back, in _links


def _utc(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
