"""The state that an asset's last events reported, kept in Airflow's asset state store through restarts."""

from __future__ import annotations

import asyncio
import base64
import zlib
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from airflow_provider_outbound.model.changes import State, States

#: Characters of one stored value. Airflow warns above 65,535 bytes (``[state_store] max_value_storage_bytes``).
PART = 60_000

#: Seconds to give the triggerer for handing an event over, which it does once a second.
HAND_OVER = 3.0

HEAD = "baseline"


class Store(Protocol):
    """One asset's part of Airflow's asset state store."""

    async def aget(self, key: str, default: Any = None) -> Any: ...
    async def aset(self, key: str, value: Any) -> None: ...


class Baseline:
    """The listing's states that the last events reported, and the number of baselines before them.

    A new baseline is written beside the old one, and takes effect when its head is written. If the process is
    killed before that, the old one stays in effect.

    :param store: where to keep it; None for memory.
    """

    def __init__(self, store: Store | None) -> None:
        self._store = store
        self._slot = 0  # 0 or 1; each write uses the other one
        self.states: States | None = None  # None before the first listing
        self.number = 0

    @property
    def lasts(self) -> bool:
        """Whether the baseline survives a restart of the triggerer."""
        return self._store is not None

    async def load(self) -> None:
        """Read the stored baseline, if there is one.

        :raises AirflowRuntimeError: if Airflow can't read it now.
        :raises ValueError: if the stored baseline can't be decoded.
        """
        head = await self._store.aget(HEAD) if self._store else None
        if self._store is None or head is None:
            return
        try:
            slot, parts = head["slot"], range(head["parts"])
            texts = [await self._store.aget(_part(slot, part), "") for part in parts]
            packed = zlib.decompress(base64.b85decode("".join(texts)))
            states = dict(msgspec.json.decode(packed, type=list[tuple[str, State]]))
            self.states, self.number, self._slot = states, head["number"], slot
        except (KeyError, TypeError, zlib.error, msgspec.MsgspecError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error

    async def keep(self, states: States) -> None:
        """Keep the states of a listing as the next baseline.

        :param states: by key.
        :raises AirflowRuntimeError: if Airflow can't store them now; call it again then.
        """
        if self._store:
            packed = await asyncio.to_thread(_pack, states)
            parts = [packed[at : at + PART] for at in range(0, len(packed), PART)]
            slot = 1 - self._slot
            for number, part in enumerate(parts):
                await self._store.aset(_part(slot, number), part)
            await self._store.aset(HEAD, {"number": self.number + 1, "slot": slot, "parts": len(parts)})
            self._slot = slot
        self.states, self.number = states, self.number + 1

    async def handed_over(self, sleep: Callable[[float], Awaitable[object]]) -> None:
        """Wait until the events yielded so far are in Airflow's metadata database.

        The triggerer's runner sends them to its supervisor with its next call, within about a second. The
        supervisor stores them before it reads another message, so a response to a later message proves that they
        are stored. The first round trip makes sure that no earlier call of the runner is still pending.

        :param sleep: makes the waits, in seconds.
        """
        for _ in range(2):
            await sleep(HAND_OVER)
            if self._store:
                await self._store.aget(HEAD)


def _part(slot: int, part: int) -> str:
    return f"{HEAD}/{slot}/{part}"


def _pack(states: States) -> str:
    text = msgspec.json.encode(list(states.items()))
    return base64.b85encode(zlib.compress(text)).decode()
