"""One poll for all triggers of an event loop that wait on a connection and channel, one token for its channels."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from airflow.providers.common.compat.connection import get_async_connection
from airflow.sdk.log import mask_secret

from airflow_provider_outbound.client.api import Api, renewed
from airflow_provider_outbound.client.configurations import configurations, indexed
from airflow_provider_outbound.client.listing import Listing
from airflow_provider_outbound.client.sender import Sender
from airflow_provider_outbound.client.transport import arun, in_thread
from airflow_provider_outbound.connections import account_of, missing_connection
from airflow_provider_outbound.errors import OutboundError
from airflow_provider_outbound.model.matching import TemplateIndex

#: The most seconds by which a poll may come early, since a wall clock and the loop's sleep differ a little.
EARLY = 0.05


@dataclass(frozen=True)
class Poll:
    """What a poll brought, and when.

    :param at: the time at which it ended.
    :param found: the listing, or the error that came instead.
    """

    at: datetime
    found: TemplateIndex | OutboundError


class Watch:
    """The polls of one account, one after the other: as few as its watchers' intervals allow.

    :param conn_id: the Connection, read anew for each poll.
    """

    def __init__(self, conn_id: str) -> None:
        self.watchers: Counter[str | None] = Counter()  # of each channel; None for all
        self._conn_id = conn_id
        self._api: Api | None = None
        self._last: dict[str | None, Poll] = {}
        self._task: asyncio.Task[Poll] | None = None
        self._turn = asyncio.Lock()

    async def poll(self, channel: str | None, interval: float, now: Callable[[], datetime]) -> Poll:
        """Return the last poll, or a new one if that is as old as the interval; whoever asks meanwhile shares it.

        :param channel: a channel such as ``wa``; None for all.
        :param interval: seconds.
        :param now: the time, in UTC.
        """
        asked = now()
        async with self._turn:
            # Thousands wake at the same moment: each gets a turn of the loop, so that none of them holds it up.
            await asyncio.sleep(0)
            if self._task:  # of one that was cancelled
                await asyncio.wait([self._task])
            last = self._last.get(channel)
            if last and (asked - last.at).total_seconds() < interval - min(EARLY, interval / 10):
                return last
            self._task = asyncio.create_task(self._poll(channel, now))
            # One that is cancelled must not take the poll from the others.
            return await asyncio.shield(self._task)

    async def _poll(self, channel: str | None, now: Callable[[], datetime]) -> Poll:
        found: TemplateIndex | OutboundError
        try:
            with missing_connection(self._conn_id):
                connection = await get_async_connection(self._conn_id)
            account = account_of(connection)
            self._api = renewed(self._api, account, retry_waits=())  # the next poll is the retry
            with Sender(account) as send:
                items = await arun(configurations(Listing(self._api, channel)), send, hide=mask_secret)
            # In a thread: ten thousand configurations would hold up the loop.
            found = await in_thread(indexed, items)
        except OutboundError as error:
            found = error
        finally:
            self._task = None
        poll = Poll(now(), found)
        if channel in self.watchers:  # all may have been cancelled meanwhile
            self._last[channel] = poll
        return poll

    async def leave(self, channel: str | None) -> None:
        """Forget a channel with its last watcher, and end a poll under way with the account's last one.

        :param channel: the channel that one watcher less waits on.
        """
        self.watchers -= Counter([channel])  # which drops a channel without any
        if channel not in self.watchers:
            self._last.pop(channel, None)
        if self._task and not self.watchers:
            self._task.cancel()
            await asyncio.wait([self._task])


_WATCHES: dict[tuple[asyncio.AbstractEventLoop, str], Watch] = {}


@asynccontextmanager
async def watching(conn_id: str, channel: str | None) -> AsyncIterator[Watch]:
    """Share the watch of an account; the last one to leave ends it.

    :param conn_id: the Connection.
    :param channel: a channel such as ``wa``; None for all.
    """
    key = (asyncio.get_running_loop(), conn_id)
    watch = _WATCHES.setdefault(key, Watch(conn_id))
    watch.watchers[channel] += 1
    try:
        yield watch
    finally:
        if watch.watchers.total() == 1:
            del _WATCHES[key]
        await watch.leave(channel)
