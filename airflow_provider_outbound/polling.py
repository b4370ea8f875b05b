"""One poll for all triggers of an event loop on one Connection and channel, one token for its channels."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import CancelledError, Executor, Future
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, cast

from airflow.providers.common.compat.connection import get_async_connection
from airflow.sdk.log import mask_secret

from airflow_provider_outbound.client import threads
from airflow_provider_outbound.client.api import Access, Api, reuse_or_new
from airflow_provider_outbound.client.configurations import read_index
from airflow_provider_outbound.client.sender import Sender
from airflow_provider_outbound.connections import account_of, missing_connection
from airflow_provider_outbound.errors import TRANSIENT, ConnectionNotFound, OutboundError
from airflow_provider_outbound.model.checks import parse_codes, refuse
from airflow_provider_outbound.model.matching import Criteria, Match, TemplateIndex
from airflow_provider_outbound.model.problems import problems_of

#: Seconds between the starts of two accounts' polls, and the longest wait for a start: 64 polls that are due
#: together are spread over a second. Started at once, their threads would keep the interpreter lock from the loop.
START_GAP, LONGEST_START = 1 / 64, 1.0

#: The most seconds by which a poll may be early, since a wall clock and the loop's sleep differ a little.
EARLY = 0.05

#: How long Airflow may fail to find a Connection that it found before: a secrets backend that fails for a moment
#: looks the same as a Connection that was deleted.
LONGEST_OUTAGE = timedelta(minutes=10)


class Gate:
    """What one wait for a template has seen so far.

    :param criteria: which template is meant.
    :param looked: whether an earlier look of this wait found the Connection.
    :param fail_on: codes of checks that the template must pass, as the sensor takes them.
    :raises ConfigError: for an unknown code.
    """

    def __init__(
        self, criteria: Criteria, *, looked: bool = False, fail_on: str | Sequence[str] | None = None
    ) -> None:
        self._criteria, self._looked = criteria, looked
        self._codes = parse_codes(fail_on)
        self._missing_since: datetime | None = None

    def match(self, found: TemplateIndex | OutboundError, now: datetime) -> Match:
        """Look for the template in a listing; transient errors count as "not there yet".

        So does a Connection that Airflow found before and can't find now, for ten minutes at most.

        :param found: the listing, or the error that reading it raised.
        :param now: the time, in UTC.
        :raises ProblemsFound: if the template exists, but a check in ``fail_on`` finds a problem.
        :raises OutboundError: any other error.
        """
        missing = isinstance(found, ConnectionNotFound)
        self._looked = self._looked or not missing
        self._missing_since = (self._missing_since or now) if missing else None
        if isinstance(found, TemplateIndex):
            match = self._criteria.match(found)
            if match.item is not None and self._codes:
                problems = problems_of(match.item, match.channels, found.named(self._criteria.name))
                refuse(problems, self._codes)
            return match
        outage = now - (self._missing_since or now)
        if isinstance(found, TRANSIENT) or (missing and self._looked and outage < LONGEST_OUTAGE):
            return Match(None, [], f"Could not look for {self._criteria}: {found}".rstrip("."))
        raise found


class Poll(NamedTuple):
    """When a poll ended, and what it found: the listing, or the error that it raised."""

    at: datetime
    found: TemplateIndex | OutboundError


class Poller:
    """The polls of one Connection, one after the other: as few as its subscribers' intervals allow.

    :param conn_id: the Connection, read again for each poll.
    """

    def __init__(self, conn_id: str) -> None:
        self.subscribers: Counter[str | None] = Counter()  # of each channel; None for all
        self._conn_id = conn_id
        self._access: Access | None = None
        self._last: dict[str | None, Poll] = {}
        self._task: asyncio.Task[Poll] | None = None
        self._lock = asyncio.Lock()

    async def poll(self, channel: str | None, interval: float, now: Callable[[], datetime]) -> Poll:
        """Return the last poll, or a new one if the last is as old as the interval; concurrent callers share it.

        :param channel: a channel such as ``wa``; None for all.
        :param interval: seconds.
        :param now: the time, in UTC.
        """
        called, fresh = now(), interval - min(EARLY, interval / 10)
        async with self._lock:
            # Thousands may wake at once. Each takes its own step of the loop, so that none of them stalls it.
            await asyncio.sleep(0)
            if self._task:  # started by a caller that was cancelled
                await asyncio.wait([self._task])
            last = self._last.get(channel)
            # A poll of the future is from before the clock was set back.
            if last and last.at <= now() and (called - last.at).total_seconds() < fresh:
                return last
            self._task = asyncio.create_task(self._poll(channel, now))
            # Cancelling one caller must not cancel the poll of the others.
            return await asyncio.shield(self._task)

    async def _poll(self, channel: str | None, now: Callable[[], datetime]) -> Poll:
        from asgiref.sync import sync_to_async  # not needed where DAG files are parsed

        found: TemplateIndex | OutboundError
        cancelled = threading.Event()
        # asgiref's threads can call back into the loop, as Airflow's mask_secret does in a triggerer.
        executor = cast(Any, _DaemonThreads())  # any executor will do, though asgiref names only one
        read = sync_to_async(_read, thread_sensitive=False, executor=executor)
        try:
            with missing_connection(self._conn_id):
                # Not in a variable: a Connection's repr shows its password, and tracebacks may show variables.
                account = account_of(await get_async_connection(self._conn_id))
            # No retries: the next poll serves as one.
            self._access = reuse_or_new(self._access, account, retry_waits=(), mask=_mask)
            found = await read(self._access, channel, cancelled, _start_delay())
        except OutboundError as error:
            found = error
        finally:
            cancelled.set()
            self._task = None
        poll = Poll(now(), found)
        if channel in self.subscribers:  # all may have been cancelled meanwhile
            self._last[channel] = poll
        return poll


_MASKING = threading.Lock()


def _mask(token: str) -> None:
    """Keep a token out of logs. One at a time: Airflow compiles one regex of all secrets for each."""
    with _MASKING:
        mask_secret(token)


_last_start = 0.0  # of a poll, in monotonic seconds


def _start_delay() -> float:
    """Return the seconds until the next poll may start, and reserve that start."""
    global _last_start
    now = time.monotonic()
    _last_start = min(max(_last_start + START_GAP, now), now + LONGEST_START)
    return _last_start - now


def _read(access: Access, channel: str | None, cancelled: threading.Event, delay: float) -> TemplateIndex:
    """Read a listing in a thread; a cancelled poll ends before its next request, or during a wait."""

    def sleep(seconds: float) -> None:
        if cancelled.wait(seconds):
            raise CancelledError

    sleep(delay)
    # Nothing is sent ahead: one thread per account is enough, and more would slow the loop.
    with Sender(access.account, sleep) as send:
        return read_index(Api(access, send, sleep), channel)


class _DaemonThreads(Executor):
    """Run each call in a daemon thread of its own, which does not delay the process's exit.

    There is no limit, so that accounts whose servers hang delay no others.
    """

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return threads.start(partial(function, *args, **kwargs), "outbound-poll")


_POLLERS: dict[tuple[asyncio.AbstractEventLoop, str], Poller] = {}


@asynccontextmanager
async def subscribe(conn_id: str, channel: str | None) -> AsyncIterator[Poller]:
    """Share the polls of a Connection; when the last subscriber leaves, they end.

    :param conn_id: the Connection.
    :param channel: a channel such as ``wa``; None for all.
    """
    key = (asyncio.get_running_loop(), conn_id)
    poller = _POLLERS.setdefault(key, Poller(conn_id))
    poller.subscribers[channel] += 1
    try:
        yield poller
    finally:
        poller.subscribers -= Counter([channel])  # this drops a channel without subscribers
        if channel not in poller.subscribers:
            poller._last.pop(channel, None)
        if not poller.subscribers:
            del _POLLERS[key]
            if poller._task:
                poller._task.cancel()
                await asyncio.wait([poller._task])
