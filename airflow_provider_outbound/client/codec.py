"""JSON as text: read and written by msgspec, which Airflow brings, and by Python where that is stricter.

Python takes what servers do send although JSON forbids it: half a surrogate pair, NaN, numbers of any size.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec


def decode(text: bytes) -> Any:
    """Return the value of JSON text.

    :param text: JSON in UTF-8.
    :raises ValueError: if it is none.
    :raises RecursionError: if it is nested too deeply.
    """
    try:
        return msgspec.json.decode(text)
    except (ValueError, msgspec.MsgspecError):  # which is no ValueError in older versions
        return json.loads(text)


def encode(value: Any) -> bytes:
    """Return a value as JSON text in UTF-8, from which ``decode`` makes the same value again.

    :param value: what ``decode`` gave.
    """
    try:
        text = msgspec.json.encode(value)
        if b"null" not in text:  # it may stand for NaN
            return text
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except ValueError:  # half a surrogate pair, which is then written as an escape
        return json.dumps(value, separators=(",", ":")).encode()
