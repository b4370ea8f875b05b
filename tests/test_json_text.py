"""JSON as Python reads it, only faster."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_outbound.client.codec import decode, encode
from tests.test_tables import JSON


@pytest.mark.fault("D2")
@given(JSON, st.booleans())
def test_what_python_reads_is_read_the_same(value: Any, escaped: bool) -> None:
    text = json.dumps(value, ensure_ascii=escaped).encode("utf-8", "replace")
    assert repr(decode(text)) == repr(json.loads(text))  # NaN is not equal to itself


@pytest.mark.fault("D2")
@given(JSON)
def test_what_is_written_is_read_the_same(value: Any) -> None:
    assert repr(decode(encode(value))) == repr(value)
    encode(value).decode()


@pytest.mark.parametrize("text", [b"", b"[1", b"[1]x", b"{'a': 1}", b"\xff", b"nul", b'"\x01"', b"[" * 100])
def test_what_is_no_json_is_an_error(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's own words and msgspec's differ
        decode(text)


def test_what_is_nested_too_deeply_is_an_error() -> None:
    with pytest.raises(RecursionError):
        decode(b"[" * 100_000 + b"]" * 100_000)
