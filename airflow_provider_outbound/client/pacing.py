"""When a request may leave: a limit of arrivals per second, as a sliding window."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

#: Seconds by which a request may arrive later than the quickest one, so that it is closer to those that follow: at
#: most, as long as its response is not there, and in addition to what the response shows.
MOST_LATE, LEAST_LATE = 0.03, 0.002
LONGEST_WINDOW = 3600.0


@dataclass
class Departure:
    """A request's place.

    :param at: when the request may leave, in monotonic seconds; once its response is there, when it left.
    :param delay: seconds until it may leave, when the place was taken.
    :param took: seconds to its response; infinite until that arrives.
    """

    at: float
    delay: float
    took: float = math.inf


class Pace:
    """Let at most so many requests arrive in any one second; the first ones leave at once.

    LivePerson allows 10 a second per account and API (retry policy page). A request leaves a second after the
    tenth before it, and later by what the tenth's response took longer than the quickest one: by no more can the
    tenth have arrived late.

    :param per_second: requests allowed in a second, such as 0.5 for one in two seconds; 0 for no limit.
    :param clock: monotonic seconds.
    """

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seconds = max(1.0, 1.0 / per_second) if per_second else 0.0
        # Reserved ones are in the future.
        self._departures: deque[Departure] = deque(maxlen=max(int(per_second), 1))
        self._quickest = LONGEST_WINDOW  # seconds to a response
        self._lock = threading.Lock()

    def delay(self) -> float:
        """Return the seconds until a place is free."""
        if len(self._departures) != self._departures.maxlen:
            return 0.0
        before = self._departures[0]
        late = min(max(before.took - self._quickest, 0.0) + LEAST_LATE, MOST_LATE)
        return max(before.at + min((1 + late) * self._seconds, LONGEST_WINDOW) - self._clock(), 0.0)

    def try_acquire(self) -> Departure | None:
        """Take a place if one is free now."""
        with self._lock:
            return None if self.delay() else self._take(0.0)

    def reserve(self) -> Departure:
        """Take the next place, which may be later."""
        with self._lock:
            return self._take(self.delay())

    def _take(self, delay: float) -> Departure:
        departure = Departure(self._clock() + delay, delay)
        self._departures.append(departure)
        return departure

    def responded(self, departure: Departure, took: float) -> None:
        """Note that the response to a request arrives now, so many seconds after the request was sent."""
        departure.at, departure.took = max(departure.at, self._clock() - took), took
        self._quickest = min(self._quickest, took)


_PACES: dict[tuple[str, str, float], Pace] = {}


def pace_of(host: str, account_id: str, per_second: float) -> Pace:
    """Return the pace that this process keeps towards a host for an account.

    :param host: host and port.
    :param account_id: LivePerson's account (site) id.
    :param per_second: requests allowed in a second; 0 for no limit.
    """
    key = (host, account_id, per_second)
    return _PACES.get(key) or _PACES.setdefault(key, Pace(per_second))  # atomic: threads get the same one
