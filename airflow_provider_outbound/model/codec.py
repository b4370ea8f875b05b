"""JSON text: read and written by msgspec, and by Python's ``json`` where msgspec is stricter.

Python reads what servers send although JSON forbids it: half a surrogate pair, NaN, a byte order mark.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

_SPACE = re.compile(r"[ \t\n\r]*")


def decode(text: bytes) -> Any:
    """Return the value of JSON text.

    :param text: JSON in UTF-8.
    :raises ValueError: if it is not JSON.
    :raises RecursionError: if it is nested too deeply.
    """
    try:
        return msgspec.json.decode(text)
    except (ValueError, msgspec.MsgspecError):  # older versions of msgspec do not derive it from ValueError
        return json.loads(text)


def encode(value: Any) -> bytes:
    """Return a value as JSON text in UTF-8 that ``decode`` reads back unchanged.

    :param value: what ``decode`` returned.
    """
    try:
        text = msgspec.json.encode(value)
        if b"null" not in text:  # msgspec writes NaN as null
            return text
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except ValueError:  # half a surrogate pair, which has to be written as an escape
        return json.dumps(value, separators=(",", ":")).encode()


def split(body: bytes) -> list[bytes]:
    """Return the members of a JSON list as the bytes that the body holds.

    :param body: a JSON list. A member that is not valid UTF-8 is returned all the same; ``decode`` refuses it.
    :raises ValueError: if it is not a JSON list.
    :raises RecursionError: if it is nested too deeply.
    """
    try:
        # Copies: a Raw would keep the whole body in memory.
        return [bytes(member) for member in msgspec.json.decode(body, type=list[msgspec.Raw])]
    except (ValueError, msgspec.MsgspecError):
        text = body.decode(json.detect_encoding(body), "surrogatepass")
        return [member.encode("utf-8", "surrogatepass") for member in _members(text)]


def _members(text: str) -> list[str]:
    """Return the members of a JSON list as Python reads it."""
    read = json.JSONDecoder().raw_decode
    members: list[str] = []
    at = _after("[", text, _after("", text, 0))
    while text[at : at + 1] != "]":
        if members:
            at = _after(",", text, at)
        _, end = read(text, at)
        members.append(text[at:end])
        at = _after("", text, end)
    if _after("]", text, at) != len(text):
        raise ValueError("there is text after the list")
    return members


def _after(mark: str, text: str, at: int) -> int:
    """Return where the text goes on after a mark, which must stand there, and white space."""
    found = _SPACE.match(text, at + len(mark))
    if not text.startswith(mark, at) or not found:
        raise ValueError(f"there is no {mark} at character {at}")
    return found.end()
