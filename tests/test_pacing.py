"""The pace: never too many in a second, and everybody in turn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_outbound.client.pacing import LEAST_LATE, MOST_LATE, Pace, pace_of
from tests.clock import Clock

WINDOW = 1 + MOST_LATE


def test_the_first_ones_leave_at_once_and_the_next_when_a_second_has_passed() -> None:
    clock = Clock()
    pace = Pace(10, clock)
    clock.time = 100.0
    assert [pace.reserve().delay for _ in range(10)] == [0.0] * 10
    assert pace.delay() == pytest.approx(WINDOW)
    assert not pace.try_acquire()
    clock.time = 100.5
    assert [pace.reserve().delay for _ in range(2)] == [pytest.approx(WINDOW - 0.5)] * 2
    clock.time = 200.0
    assert pace.delay() == 0.0
    assert pace.try_acquire()
    assert pace.reserve().delay == 0.0


def test_nobody_overtakes_who_has_reserved_a_place() -> None:
    clock = Clock()
    pace = Pace(1, clock)
    assert pace.reserve().delay == 0.0
    assert pace.reserve().delay == pytest.approx(WINDOW)
    clock.time = 1.5 * WINDOW  # the place of the second one; the third one is free at twice the window
    assert not pace.try_acquire()
    assert pace.delay() == pytest.approx(0.5 * WINDOW)


@pytest.mark.parametrize(("rate", "gap"), [(0.5, 2 * WINDOW), (0.001, 1000 * WINDOW), (1e-9, 3600)])
def test_less_than_one_a_second_is_one_in_so_many_seconds(rate: float, gap: float) -> None:
    pace = Pace(rate, Clock())
    assert pace.reserve().delay == 0.0
    assert pace.reserve().delay == pytest.approx(gap)


@pytest.mark.fault("R1")
@given(
    rate=st.integers(1, 50),
    lates=st.lists(st.tuples(st.floats(0, 0.5), st.floats(0, 0.03)), min_size=1, max_size=99),
)
def test_no_second_has_too_many_requests(rate: int, lates: list[tuple[float, float]]) -> None:
    """Requests come when they like and arrive up to 30 ms late: no second sees more than are allowed."""
    clock, arrivals = Clock(), []
    pace = Pace(rate, clock)
    for pause, late in lates:
        clock.time += pause
        arrivals.append(clock.time + pace.reserve().delay + late)
    arrivals.sort()
    assert all(after - before >= 1 - 1e-9 for before, after in zip(arrivals, arrivals[rate:], strict=False))


def test_the_window_is_as_long_as_a_response_shows_that_its_request_may_have_been_late() -> None:
    clock = Clock()
    pace = Pace(4, clock)
    sent = [pace.reserve() for _ in range(4)]
    for clock.time, departure in zip((0.2, 0.21, 0.3), sent, strict=False):
        pace.responded(departure, clock.time)
    assert pace.reserve().at == pytest.approx(1 + LEAST_LATE)
    assert pace.reserve().at == pytest.approx(1.01 + LEAST_LATE)
    assert pace.reserve().at == pytest.approx(WINDOW)  # never longer
    assert pace.reserve().at == pytest.approx(WINDOW)  # not answered yet


@pytest.mark.fault("R1")
@given(
    rate=st.integers(1, 20),
    lates=st.lists(st.tuples(*[st.floats(0, 0.3), *[st.floats(0, 0.03)] * 2]), min_size=1, max_size=99),
)
def test_no_second_has_too_many_requests_where_responses_show_how_late_they_were(
    rate: int, lates: list[tuple[float, float, float]]
) -> None:
    """Each request waits for the response to the one before it. It is sent late, and on its way there and back."""
    clock, arrivals = Clock(), []
    pace = Pace(rate, clock)
    for before, there, back in [(0.0, 0.0, 0.0), *lates]:
        departure = pace.reserve()
        arrivals.append(departure.at + before + there)
        clock.time = arrivals[-1] + back
        pace.responded(departure, there + back)
    assert all(after - before >= 1 - 1e-9 for before, after in zip(arrivals, arrivals[rate:], strict=False))


@pytest.mark.fault("W10")
def test_each_account_on_a_host_has_its_own_pace() -> None:
    pace = pace_of("a.example", "1", 10)
    assert pace_of("a.example", "1", 10) is pace
    assert pace_of("b.example", "1", 10) is not pace
    assert pace_of("a.example", "2", 10) is not pace
