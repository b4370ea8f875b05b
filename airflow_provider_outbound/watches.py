"""One poll for all triggers of an event loop that wait on the same account and channel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from airflow.providers.common.compat.connection import get_async_connection
from airflow.sdk.log import mask_secret

from airflow_provider_outbound.api import Api, renewed
from airflow_provider_outbound.configurations import configurations
from airflow_provider_outbound.connections import account_of, missing_connection
from airflow_provider_outbound.errors import OutboundError
from airflow_provider_outbound.paging import Listing
from airflow_provider_outbound.sender import Sender
from airflow_provider_outbound.templates import Catalogue
from airflow_provider_outbound.transport import arun

#: The most seconds by which a poll may come early, since a wall clock and the loop's sleep differ a little.
EARLY = 0.05


@dataclass(frozen=True)
class Poll:
    """What a poll brought, and when.

    :param at: the time at which it ended.
    :param found: the listing, or the error that came instead.
    """

    at: datetime
    found: Catalogue | OutboundError


class Watch:
    """The polls of one account and channel: as few as its watchers' intervals allow.

    :param conn_id: the Connection, read anew for each poll.
    :param channel: a channel such as ``wa``; None for all.
    """

    def __init__(self, conn_id: str, channel: str | None) -> None:
        self.watchers = 0
        self._conn_id, self._channel = conn_id, channel
        self._api: Api | None = None
        self._last: Poll | None = None
        self._task: asyncio.Task[Poll] | None = None
        self._waiting = 0

    async def poll(self, interval: float, now: Callable[[], datetime]) -> Poll:
        """Return the last poll, or a new one if that is as old as the interval; whoever asks meanwhile shares it.

        :param interval: seconds.
        :param now: the time, in UTC.
        """
        if self._last:
            age = (now() - self._last.at).total_seconds()
            if age < interval - min(EARLY, interval / 10):
                return self._last
        self._task = task = self._task or asyncio.create_task(self._poll(now))
        self._waiting += 1
        try:
            # One that is cancelled must not take the poll from the others.
            return await asyncio.shield(task)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._task = None
                task.cancel()
                with suppress(asyncio.CancelledError, OutboundError):
                    await task

    async def _poll(self, now: Callable[[], datetime]) -> Poll:
        found: Catalogue | OutboundError
        try:
            with missing_connection(self._conn_id):
                connection = await get_async_connection(self._conn_id)
            account = account_of(connection)
            self._api = renewed(self._api, account, retry_waits=())  # the next poll is the retry
            with Sender(account) as send:
                flow = configurations(Listing(self._api, self._channel))
                found = Catalogue(await arun(flow, send, hide=mask_secret))
        except OutboundError as error:
            found = error
        self._last = Poll(now(), found)
        return self._last


_WATCHES: dict[tuple[asyncio.AbstractEventLoop, str, str | None], Watch] = {}


@contextmanager
def watching(conn_id: str, channel: str | None) -> Iterator[Watch]:
    """Share the watch of an account and channel; the last one to leave ends it.

    :param conn_id: the Connection.
    :param channel: a channel such as ``wa``; None for all.
    """
    key = (asyncio.get_running_loop(), conn_id, channel)
    watch = _WATCHES.setdefault(key, Watch(conn_id, channel))
    watch.watchers += 1
    try:
        yield watch
    finally:
        watch.watchers -= 1
        if not watch.watchers:
            del _WATCHES[key]
