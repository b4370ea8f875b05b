"""Time that passes only when somebody waits."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta, timezone
from itertools import count
from typing import Any

BEGIN = datetime(2026, 11, 22, tzinfo=timezone.utc)


class Clock:
    """Monotonic seconds that pass in waits, which it records."""

    def __init__(self) -> None:
        self.time = 0.0
        self.waits: list[float] = []
        self.on_wait: Callable[[float], object] = lambda seconds: None

    def __call__(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        """Let time pass. A wait of 0, such as before each request, is not recorded."""
        if seconds:
            self.waits.append(seconds)
            self.time += seconds
            self.on_wait(seconds)


class World:
    """The time of an event loop: it passes when all tasks that were started here sleep, until the first wakes."""

    def __init__(self) -> None:
        self.time = BEGIN
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._tasks: list[asyncio.Task[Any]] = []
        self._numbers = count()
        self._changed = asyncio.Event()

    def now(self) -> datetime:
        return self.time

    @property
    def elapsed(self) -> float:
        return (self.time - BEGIN).total_seconds()

    async def sleep(self, seconds: float) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.time + timedelta(seconds=seconds), next(self._numbers), done))
        self._changed.set()
        await done

    def start(self, life: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start a task that lives in this time.

        :param life: what it does; it waits by ``sleep`` only.
        """
        task = asyncio.create_task(life)
        task.add_done_callback(lambda _: self._changed.set())
        self._tasks.append(task)
        return task

    async def run(self, until: float = 10**9) -> None:
        """Let time pass up to that second, or until no task is left."""
        while living := [task for task in self._tasks if not task.done()]:
            sleepers = [entry for entry in self._sleepers if not entry[2].done()]
            if len(sleepers) < len(living):  # somebody is busy
                self._changed.clear()
                await self._changed.wait()
                continue
            self._sleepers = sorted(sleepers)
            wakes, _, done = heapq.heappop(self._sleepers)
            if (wakes - BEGIN).total_seconds() > until:
                heapq.heappush(self._sleepers, (wakes, next(self._numbers), done))
                return
            self.time = max(self.time, wakes)
            done.set_result(None)
            self._changed.clear()
            await self._changed.wait()
