"""Loose values as typed ones."""

from __future__ import annotations

from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.bases.xcom import BaseXCom
from hypothesis import given, settings

from airflow_provider_outbound.model.values import boolean, integer, parse_timestamp, strings, xcom_safe
from tests.strategies import JSON


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-01T12:00:00Z",
        "2026-03-01T12:00:00.000Z",
        "2026-03-01T12:00:00.000+0000",
        "2026-03-01 12:00:00",
        "2026-03-01T14:00:00+02:00",
        1772366400000,
        "1772366400000",
    ],
)
def test_timestamp(value: object) -> None:
    assert parse_timestamp(value) == datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


@pytest.mark.fault("D8")
@pytest.mark.parametrize("digits", range(1, 13))
def test_fractions_of_a_second_may_have_any_length(digits: int) -> None:
    fraction = "123456789123"[:digits]
    expected = datetime(2026, 3, 1, 12, 0, 0, int(fraction[:6].ljust(6, "0")), timezone.utc)
    for zone in ("", "Z", "+00:00", "+0000", "+00"):
        assert parse_timestamp(f" 2026-03-01T12:00:00.{fraction}{zone} ") == expected


@pytest.mark.fault("D8")
@pytest.mark.parametrize(
    ("text", "month", "day"), [("2026-03-02", 3, 2), ("2026-W10-1", 3, 2), ("2026-061", 3, 2)]
)
def test_a_date_is_its_midnight_in_utc(text: str, month: int, day: int) -> None:
    assert parse_timestamp(text) == datetime(2026, month, day, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "²",
        "2026-13-01",
        "12:00",
        "P1D",
        "2026",
        "20260301",
        "１７７２３６６４０００００",
        "\ud800",
        "\0",
        1772366400,
        202605031000,  # a date
        "20260503100000",
        True,
        None,
        [],
        10**30,
        "9" * 5000,
        1.5,
        "0001-01-01T00:00+23:59",
    ],
)
def test_what_is_no_point_in_time(value: object) -> None:
    assert parse_timestamp(value) is None


@pytest.mark.fault("D8")
@pytest.mark.parametrize(
    ("value", "number"),
    [
        (5, 5),
        ("5", 5),
        (" -5 ", -5),
        (5.0, 5),
        (2**63 - 1, 2**63 - 1),
        (str(-(2**63)), -(2**63)),
        *[
            (odd, None)
            for odd in ("1_000", "５", "٣", "", "x", "5.0", "1e3", "9" * 5000, 2**63, str(2**63), 5.5, True, [5])
        ],
        (float("nan"), None),
        (float("inf"), None),
        (None, None),
    ],
)
def test_integers(value: object, number: int | None) -> None:
    assert integer(value) == number


@pytest.mark.parametrize(
    ("value", "kept"), [(True, True), (" TRUE ", True), ("false", False), ("yes", None), (1, None), (None, None)]
)
def test_booleans(value: object, kept: bool | None) -> None:
    assert boolean(value) is kept


def test_strings() -> None:
    assert strings(["1", 2, 1.5]) == ["1", "2", "1.5"]
    assert strings("1") == ["1"]
    assert strings([]) == []
    assert strings([None]) is strings({}) is strings(None) is strings([True]) is None


@pytest.mark.fault("D2")
@settings(max_examples=100)
@given(JSON)
def test_any_json_is_read_without_an_error(value: Any) -> None:
    for read in (integer, boolean, strings, parse_timestamp):
        read(value)
    repr(xcom_safe(value)).encode()


@pytest.mark.fault("D2")
def test_an_xcom_has_no_character_that_postgresql_refuses() -> None:
    assert xcom_safe({"a\0": ["b\0"]}) == {"a\ufffd": ["b\ufffd"]}


@pytest.mark.fault("D1")
@pytest.mark.parametrize("key", ["__classname__", "__id__", "__type", "__version__"])
def test_keys_of_airflow_pass_through_an_xcom(key: str) -> None:
    stored = BaseXCom.serialize_value(xcom_safe({"a": {key: "datetime", "__var": 1, "__data__": 2}}))
    read = BaseXCom.deserialize_value(SimpleNamespace(value=stored))
    assert set(read["a"].values()) == {"datetime", 1, 2}
