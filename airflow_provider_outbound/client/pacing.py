"""When a request may go out: one pace for all that this process sends to a host."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

SLACK = 1.03  # times the gap between two requests: those that are late must not share a second with one too many


class Pace:
    """Spread requests to one host evenly over time: LivePerson asks to avoid bursts (retry policy page).

    It is that of departures: over a connection that has to be made first, a request arrives later.

    :param per_second: requests allowed in a second.
    :param clock: monotonic seconds.
    """

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._gap, self._clock = min(SLACK / per_second, 3600.0), clock
        self._next = clock()
        self._lock = threading.Lock()

    def until_free(self) -> float:
        """Return the seconds until a place is free that nobody has taken yet."""
        return max(self._next - self._clock(), 0.0)

    def take(self) -> bool:
        """Take a place if one is free now; tell whether it was."""
        with self._lock:
            now = self._clock()
            if self._next > now:
                return False
            self._next = now + self._gap
            return True

    def turn(self) -> float:
        """Take the next free place and return the seconds until then."""
        with self._lock:
            now = self._clock()
            place = max(self._next, now)
            self._next = place + self._gap
            return place - now


_PACES: dict[tuple[str, float], Pace] = {}
_PACES_LOCK = threading.Lock()


def pace(host: str, per_second: float) -> Pace:
    """Return the pace that all of this process keep towards a host."""
    with _PACES_LOCK:
        return _PACES.setdefault((host, per_second), Pace(per_second))
