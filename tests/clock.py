"""Time that passes only when somebody waits."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta, timezone
from itertools import count
from typing import Any

import pytest

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


class AirflowClock:
    """Time that passes when somebody sleeps, and a little with each look at the clock.

    It is the trigger's by parameter, and that of Airflow's own sensor loop.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.time = BEGIN
        self.begun = self.time
        self.slept: list[float] = []
        self.then: Callable[[], object] = lambda: None
        monkeypatch.setattr("airflow.sdk.bases.sensor.time.sleep", self.pass_)
        monkeypatch.setattr("airflow.sdk.bases.sensor.time.monotonic", lambda: self.now().timestamp())
        monkeypatch.setattr("airflow.sdk.timezone.utcnow", self.now)

    def now(self) -> datetime:
        self.time += timedelta(microseconds=1)
        return self.time

    def pass_(self, seconds: float) -> None:
        self.slept.append(round(seconds))
        self.time += timedelta(seconds=seconds)
        self.then()

    async def apass(self, seconds: float) -> None:
        if seconds:
            self.pass_(seconds)

    @property
    def elapsed(self) -> float:
        return (self.time - self.begun).total_seconds()
