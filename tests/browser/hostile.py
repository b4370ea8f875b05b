"""Templates that try to be more than text: hostile strings in every place of a template, also as keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from airflow_provider_outbound.catalogue.entries import Snapshot
from airflow_provider_outbound.model.codec import decode
from tests import northwind

#: Each tries one way out of text. None may make an element or an attribute x-evil.
STRINGS = {
    "markup": """"'><x-evil x-evil="1" onclick=alert(1)><script>alert(1)</script>"""
    "<img src=https://evil.example/i onerror=alert(1)><svg/onload=alert(1)><iframe srcdoc='<script>alert(1)'>",
    "script": "<script>alert(1)</script>",
    "end_tags": "</script x-evil></style/></template ></textarea></select></title>--></ul><script>alert(1)//",
    "comment": "<!--<script <x-evil><!-- --!><script>alert(1)//",
    "javascript": "javascript:alert(1)//<x-evil>",
    "javascript_in_disguise": "\x01 JaVa\tScRi\npt:alert(1)//https://evil.example",
    "data": "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "data_svg": "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "attribute": """https://evil.example/a" x-evil="1" onerror="alert(1)' x-evil='1' onerror='alert(1) x-evil=1""",
    "css": "red;background:url(https://evil.example/c)}body{display:none}@import 'https://evil.example/c';</style>",
    "jinja": "{{ 7 * 7 }}{% for x in '<x-evil>' %}{{ x|safe }}{% endfor %}{# #}${{1}}${alert(1)}`${alert(1)}`",
    "formatting": "*<x-evil>* _<x-evil>_ ~<x-evil>~ ```<x-evil>``` *_~<b x-evil>*_~ `<x-evil>`\n> <x-evil>",
    "entities": "&lt;x-evil&gt;&#60;x-evil&#62;&#x3c;script&#x3e;alert(1)&#x3c;/script&#x3e;&quot; x-evil=1",
    "unicode": "\0<\0x-evil>\u2028\u2029\ud83d\u202e\u2066\ufeff\x85\ue000<x-evil>\ue001\uf8ff\U0010fffd\x1b]",
    "prototype": "__proto__",
    "constructor": "constructor",
    "placeholders": "${{__proto__}} ${{constructor}} {{toString}} ${{valueOf}} $1 ${{1}} ${{hasOwnProperty}}",
    "host": "https://bank.example@evil.example/?<x-evil>#https://bank.example",
}


def listing(name: str) -> Snapshot:
    """Return templates that have one of the strings everywhere.

    :param name: the string's key in ``STRINGS``.
    """
    return Snapshot([*_raws(STRINGS[name])], STRINGS[name], STRINGS[name], northwind.READ_AT)


def earlier_listing(name: str) -> Snapshot:
    """Return the same templates with another string: all have changed.

    :param name: the key of the later listing's string.
    """
    names = [*STRINGS]
    other = names[names.index(name) - 1]
    return Snapshot([*_raws(STRINGS[other])], STRINGS[name], STRINGS[name], northwind.READ_BEFORE)


def _raws(text: str) -> Iterator[bytes]:
    samples = [decode(raw) for raw in northwind.now().raws]
    for number, sample in enumerate(samples):
        yield _item(_filled(sample, text, ("type", "sub_type"), replace=True), f"replaced {number}")
    for number, sample in enumerate(samples[::2]):
        yield _item(_filled(sample, text, ("type", "sub_type"), replace=False), f"appended {number}")
    for number, sample in enumerate(samples[::3]):  # without these, a button or a message is a box of JSON
        yield _item(_filled(sample, text, ("type",), replace=True), f"sub_type {number}")
        yield _item(_filled(sample, text, (), replace=True), f"type {number}")
    # These have no id but the string itself.
    yield _raw({"id": text, "name": text, "channels": [{"type": text, text: text, "messageComponents": text}]})
    yield _raw({text: text, "type": "wa", "messageComponents": [{"type": text, text: [text]}, text, None]})
    yield _raw({"id": {text: text}, "name": [text], "channels": {text: text}})


def _item(item: dict[str, Any], identity: str) -> bytes:
    """Return an item as JSON, with an id by which the listings' items can be compared."""
    return _raw({**item, "id": identity + STRINGS["markup"]})


def _raw(item: dict[str, Any]) -> bytes:
    return json.dumps(item).encode()


def _filled(value: Any, text: str, kept: tuple[str, ...], *, replace: bool) -> Any:
    """Return JSON with the text in place of each string, or behind it; and each object has it as a key."""
    if isinstance(value, str):
        return text if replace else value + text
    if isinstance(value, list):
        return [_filled(each, text, kept, replace=replace) for each in value]
    if not isinstance(value, dict):
        return value
    inner = {
        key: each if key in kept else _filled(each, text, kept, replace=replace) for key, each in value.items()
    }
    return {**inner, text: {text: text}}
