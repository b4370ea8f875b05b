"""JSON as Python reads it, only faster."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_outbound.model.codec import decode, encode, split
from tests.strategies import JSON


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


@pytest.mark.fault("D2")
def test_an_integer_that_is_too_long_for_python_is_text() -> None:
    digits = "9" * 5000
    text = f'[{{"long": {digits}, "negative": -{digits}, "nan": NaN}}]'.encode()
    (value,) = decode(text)
    assert (value["long"], value["negative"]) == (digits, f"-{digits}")
    assert split(text) == [text[1:-1]]


@pytest.mark.parametrize("text", [b"", b"[1", b"[1]x", b"{'a': 1}", b"\xff", b"nul", b'"\x01"', b"[" * 100])
def test_what_is_no_json_is_an_error(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's own words and msgspec's differ
        decode(text)


def test_what_is_nested_too_deeply_is_an_error() -> None:
    with pytest.raises(RecursionError):
        decode(b"[" * 100_000 + b"]" * 100_000)


@pytest.mark.fault("D2")
@given(
    st.lists(JSON, max_size=5), st.sampled_from([None, 0, 1, "\t"]), st.booleans(), st.sampled_from(["", " \r\n"])
)
def test_members_of_a_list_are_cut_as_they_stand(
    values: list[Any], indent: int | str | None, escaped: bool, space: str
) -> None:
    text = json.dumps(values, ensure_ascii=escaped, indent=indent)
    body = f"{space}{text}{space}".encode("utf-8", "surrogatepass")
    members = split(body)
    assert repr([decode(member) for member in members]) == repr(values)  # NaN is not equal to itself
    assert all(member in body for member in members)
    assert b"".join(members) == b"".join(member.strip() for member in members)


@pytest.mark.fault("D2")
@pytest.mark.parametrize(
    ("body", "members"),
    [
        (b'[{"b" : 1,"a":1.50},2]', [b'{"b" : 1,"a":1.50}', b"2"]),
        (b'\xef\xbb\xbf [ {"a": 1} , [ ] ]', [b'{"a": 1}', b"[ ]"]),
        (b'[ NaN,\n{"a" :"\\ud800"} ]', [b"NaN", b'{"a" :"\\ud800"}']),
        (b"[NaN]", [b"NaN"]),
        (b"\xef\xbb\xbf[ ]", []),
        (b'[{"a": 1, "a": 2}]', [b'{"a": 1, "a": 2}']),
    ],
)
def test_members_are_the_bytes_of_the_body(body: bytes, members: list[bytes]) -> None:
    assert split(body) == members


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"null",
        b"1",
        b"[1",
        b"[1,]",
        b"[,1]",
        b"[1 2]",
        b"[1]x",
        b"[NaN",
        b"[NaN,]",
        b"[NaN NaN]",
        b"[NaN]]",
    ],
)
def test_what_is_no_list_is_not_split(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's own words and msgspec's differ
        split(body)


def test_a_list_that_is_nested_too_deeply_is_not_split() -> None:
    with pytest.raises(RecursionError):
        split(b"[" * 100_000 + b"]" * 100_000)
