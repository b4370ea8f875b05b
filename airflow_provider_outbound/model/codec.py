"""JSON text: read and written by msgspec, and by Python's ``json`` where msgspec is stricter.

Python reads what servers send although JSON forbids it: half a surrogate pair, NaN, a byte order mark.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

TOO_DEEP = "LivePerson sent JSON that is nested too deeply. Report it to LivePerson's support"

_BETWEEN = re.compile(r"[ \t\n\r,]*")


def decode(text: bytes) -> Any:
    """Return the value of JSON text.

    :param text: JSON in UTF-8.
    :raises ValueError: if it is not JSON.
    :raises RecursionError: if it is nested too deeply.
    """
    try:
        return msgspec.json.decode(text)
    except (ValueError, msgspec.MsgspecError):  # older versions of msgspec do not derive it from ValueError
        return json.loads(text, parse_int=_integer)


def _integer(digits: str) -> int | str:
    """Return an integer; as text if it has more digits than Python reads."""
    try:
        return int(digits)
    except ValueError:
        return digits


def encode(value: Any) -> bytes:
    """Return a value as JSON text in UTF-8 that ``decode`` reads back unchanged."""
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
        if not isinstance(json.loads(text, parse_int=_integer), list):
            raise ValueError("the JSON is not a list") from None
        return [member.encode("utf-8", "surrogatepass") for member in _members(text)]


def _members(text: str) -> Iterator[str]:
    """Yield the members of a JSON list that Python can read."""
    read = json.JSONDecoder(parse_int=_integer).raw_decode
    at = _after(text, text.index("[") + 1)
    while text[at] != "]":
        _, end = read(text, at)
        yield text[at:end]
        at = _after(text, end)


def _after(text: str, at: int) -> int:
    """Return where a list goes on after white space and a comma."""
    found = _BETWEEN.match(text, at)
    return found.end() if found else at
