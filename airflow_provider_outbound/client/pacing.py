"""When a request may leave: a limit of departures per second, as a sliding window."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

#: Seconds in which the limit applies: 3 % more than one, because requests may arrive closer together than they
#: left.
WINDOW = 1.03
LONGEST_WINDOW = 3600.0


class Pace:
    """Let at most so many requests leave in any one second; the first ones leave at once.

    LivePerson allows 10 a second per account and API (retry policy page).

    :param per_second: requests allowed in a second, such as 0.5 for one in two seconds; 0 for no limit.
    :param clock: monotonic seconds.
    """

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._window = min(WINDOW * max(1.0, 1.0 / per_second), LONGEST_WINDOW) if per_second else 0.0
        self._departures: deque[float] = deque(maxlen=max(int(per_second), 1))  # reserved ones are in the future
        self._lock = threading.Lock()

    def delay(self) -> float:
        """Return the seconds until a place is free."""
        full = len(self._departures) == self._departures.maxlen
        return max(self._departures[0] + self._window - self._clock(), 0.0) if full else 0.0

    def try_acquire(self) -> bool:
        """Take a place if one is free now, and tell whether it was."""
        with self._lock:
            free = not self.delay()
            if free:
                self._departures.append(self._clock())
            return free

    def reserve(self) -> float:
        """Reserve the next place and return the seconds until then."""
        with self._lock:
            delay = self.delay()
            self._departures.append(self._clock() + delay)
            return delay


_PACES: dict[tuple[str, str, float], Pace] = {}


def pace_of(host: str, account_id: str, per_second: float) -> Pace:
    """Return the pace that this process keeps towards a host for an account.

    :param host: host and port.
    :param account_id: LivePerson's account (site) id.
    :param per_second: requests allowed in a second; 0 for no limit.
    """
    return _PACES.setdefault((host, account_id, per_second), Pace(per_second))  # atomic: threads get the same one
