"""The state that an asset's last events reported, kept in Airflow's asset state store through restarts."""

from __future__ import annotations

import asyncio
import base64
import secrets
import zlib
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from airflow_provider_outbound.model.changes import State, States

#: Characters of one stored value. Airflow warns above 65,535 bytes (``[state_store] max_value_storage_bytes``).
PART = 60_000

#: Seconds to give the triggerer for handing an event over, which it does once a second.
HAND_OVER = 3.0

HEAD = "baseline"


class Head(msgspec.Struct, frozen=True):
    """What is stored about a baseline beside its parts.

    :param epoch: made at random when the watch began.
    :param source: the Connection and the channel.
    :param number: how many baselines came before it.
    :param slot: where its parts are, 0 or 1.
    :param parts: how many there are; 0 before the first listing.
    """

    epoch: str
    source: str
    number: int = 0
    slot: int = 0
    parts: int = 0


class Store(Protocol):
    """One asset's part of Airflow's asset state store."""

    async def aget(self, key: str, default: Any = None) -> Any: ...
    async def aset(self, key: str, value: Any) -> None: ...


class Baseline:
    """The listing's states that the last events reported, and the number of baselines before them.

    A new baseline is written beside the old one, and takes effect when its head is written. If the process is
    killed before that, the old one stays in effect.

    :param store: where to keep it; None for memory.
    :param source: the Connection and the channel that are watched.
    """

    def __init__(self, store: Store | None, source: str) -> None:
        self._store = store
        self._head = Head(secrets.token_hex(8), source)
        self.states: States | None = None  # None before the first listing

    @property
    def lasts(self) -> bool:
        """Whether the baseline survives a restart of the triggerer."""
        return self._store is not None

    @property
    def version(self) -> str:
        """What no other baseline has, of this asset and of a watch before."""
        return f"{self._head.epoch} {self._head.number}"

    async def load(self) -> None:
        """Read the stored baseline, or begin one.

        :raises AirflowRuntimeError: if Airflow can't do it now; call it again then.
        :raises ValueError: if the stored baseline can't be decoded, or is of another Connection or channel.
        """
        if self._store is None:
            return
        stored = await self._store.aget(HEAD)
        if stored is None:
            # So that a watch that is killed before its first baseline gives the same events the same ids.
            await self._store.aset(HEAD, msgspec.to_builtins(self._head))
            return
        try:
            head = msgspec.convert(stored, Head)
            if head.source != self._head.source:
                raise ValueError(f"it is of {head.source!r}, not of {self._head.source!r}")
            texts = [await self._store.aget(_part(head.slot, part), "") for part in range(head.parts)]
            if texts:
                packed = zlib.decompress(base64.b85decode("".join(texts)))
                self.states = msgspec.json.decode(packed, type=list[State])
            self._head = head
        except (TypeError, zlib.error, msgspec.MsgspecError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error

    async def keep(self, states: States) -> None:
        """Keep the states of a listing as the next baseline.

        :param states: of its items.
        :raises AirflowRuntimeError: if Airflow can't store them now; call it again then.
        """
        head = replace(self._head, number=self._head.number + 1)
        if self._store:
            packed = await asyncio.to_thread(_pack, states)
            parts = [packed[at : at + PART] for at in range(0, len(packed), PART)]
            head = replace(head, slot=1 - head.slot, parts=len(parts))
            for number, part in enumerate(parts):
                await self._store.aset(_part(head.slot, number), part)
            await self._store.aset(HEAD, msgspec.to_builtins(head))
        self.states, self._head = states, head

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
    text = msgspec.json.encode(states)
    return base64.b85encode(zlib.compress(text)).decode()
