"""Loose JSON values as typed ones: what can't be read is None, never an error."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import date, datetime, time, timezone
from typing import Any, cast

from pendulum.parsing import parse_iso8601

#: What Airflow's XComs use as keys of their own, now (``airflow.sdk.serde``) and in its first versions.
RESERVED = {"__classname__", "__id__", "__type"}
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,19}\s*")  # 19 digits hold any 64-bit integer


def utf8_safe(text: str) -> str:
    """Return text that UTF-8 can hold: half a surrogate pair becomes a question mark."""
    return text.encode(errors="replace").decode()


def text(value: Any) -> str | None:
    """Return a string or a number as text that UTF-8 can hold; None for anything else."""
    if isinstance(value, str):
        return value if value.isascii() else utf8_safe(value)
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def strings(value: Any) -> list[str] | None:
    """Return a list of strings from a list of strings or numbers, or from a single one; None for anything else."""
    if value is None:
        return None
    values = value if isinstance(value, list) else [value]
    if not values or (set(map(type, values)) == {str} and "".join(values).isascii()):  # nearly always
        return list(values)
    texts = [text(each) for each in values]
    return None if None in texts else cast("list[str]", texts)


def integer(value: Any) -> int | None:
    """Return a 64-bit integer from a number or from ASCII digits; None for anything else."""
    number: int | None = None
    if isinstance(value, str):
        number = int(value) if _INTEGER.fullmatch(value) else None
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, float) and value.is_integer():
        number = int(value)
    return number if number is not None and -(2**63) <= number < 2**63 else None


def boolean(value: Any) -> bool | None:
    """Return true or false from a boolean or from its text; None for anything else."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def parse_timestamp(value: Any) -> datetime | None:
    """Return a point in time, in UTC, from ISO 8601 text or from milliseconds since 1970; None for anything else.

    Pendulum reads the text, because Python's own parser takes more forms in each version.

    :param value: a JSON value. Text without a time is midnight, and without a zone UTC.
    """
    try:
        if isinstance(value, str) and not (value.isascii() and value.isdigit()):
            read = parse_iso8601(value.strip())
            if isinstance(read, datetime):
                return read.astimezone(timezone.utc) if read.tzinfo else read.replace(tzinfo=timezone.utc)
            # It also returns times and durations, which are not points in time.
            return datetime.combine(read, time(), timezone.utc) if isinstance(read, date) else None
        # 13 digits, from 2001 to 2286: fewer may be seconds, and 202605031000 or 20260503100000 is a date.
        if isinstance(value, (int, str)) and not isinstance(value, bool) and 10**12 <= int(value) < 10**13:
            return datetime.fromtimestamp(int(value) / 1000, timezone.utc)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def sort_variables(names: Iterable[str]) -> list[str]:
    """Return the names of variables each once, ``9`` before ``10``."""
    distinct = sorted(set(names))
    return sorted(distinct, key=len) if len(distinct) > 1 else distinct


def distinct_texts(values: Iterable[Any]) -> list[str]:
    """Return the texts of JSON values, each once; see :func:`text`."""
    return [each for each in dict.fromkeys(map(text, values)) if each is not None]


def xcom_safe(value: Any) -> Any:
    """Return JSON data as Airflow can store it.

    Text becomes what UTF-8 and PostgreSQL can hold, and numbers out of bounds become text. A key that Airflow
    keeps for its own objects gets an underscore more.
    """
    if isinstance(value, dict):
        return {f"_{key}" if key in RESERVED else xcom_safe(key): xcom_safe(each) for key, each in value.items()}
    if isinstance(value, list):
        return [xcom_safe(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    return utf8_safe(value).replace("\0", "\ufffd") if isinstance(value, str) else value
