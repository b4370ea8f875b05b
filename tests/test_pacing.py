"""The pace: never too many in a second, and everybody in turn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_outbound.client.pacing import Pace, pace


def test_pace_spreads_requests() -> None:
    now = [100.0]
    turns = Pace(10, clock=lambda: now[0])
    assert [round(turns.turn(), 6) for _ in range(4)] == [0.0, 0.103, 0.206, 0.309]
    now[0] = 100.25
    assert round(turns.until_free(), 6) == round(turns.turn(), 6) == 0.162
    now[0] = 200.0
    assert turns.until_free() == turns.turn() == 0.0
    assert not turns.take()
    now[0] += turns.until_free()
    assert turns.take()
    assert not turns.take()
    assert round(turns.turn(), 6) == 0.103


@pytest.mark.fault("R1")
@given(
    rate=st.integers(1, 50),
    lates=st.lists(st.tuples(st.floats(0, 0.5), st.floats(0, 0.03)), min_size=1, max_size=99),
)
def test_no_second_has_too_many_requests(rate: int, lates: list[tuple[float, float]]) -> None:
    """Requests come when they like and arrive up to 30 ms late: no second sees more than are allowed."""
    now, arrivals = 0.0, []
    turns = Pace(rate, clock=lambda: now)
    for pause, late in lates:
        now += pause
        arrivals.append(now + turns.turn() + late)
    arrivals.sort()
    assert all(after - before >= 1 for before, after in zip(arrivals, arrivals[rate:], strict=False))


def test_one_pace_per_host() -> None:
    assert pace("a.example", 10) is pace("a.example", 10)
    assert pace("a.example", 10) is not pace("b.example", 10)
