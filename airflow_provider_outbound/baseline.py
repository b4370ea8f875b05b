"""The state that an asset's last events reported, kept in Airflow's asset state store through restarts."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import zlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from airflow_provider_outbound.model.changes import State, States

#: Characters of one stored value. Airflow warns above 65,535 bytes (``[state_store] max_value_storage_bytes``).
PART = 60_000

#: Seconds to give the triggerer for handing an event over, which it does once a second.
HAND_OVER = 3.0


class Head(msgspec.Struct, frozen=True):
    """What is stored about a baseline beside its parts.

    :param epoch: made at random when the watch began.
    :param number: how many baselines came before it.
    :param parts: the keys of its parts; none before the first listing.
    """

    epoch: str
    number: int = 0
    parts: list[str] = []


class Store(Protocol):
    """One asset's part of Airflow's asset state store."""

    async def aget(self, key: str, default: Any = None) -> Any: ...
    async def aset(self, key: str, value: Any) -> None: ...
    async def adelete(self, key: str) -> None: ...


class Baseline:
    """The listing's states that the last events reported, and the number of baselines before them.

    A new baseline is written beside the old one, under keys that no other has, and takes effect when its head is
    written. If the process is killed before that, the old one stays in effect.

    :param store: where to keep it; None for memory.
    :param source: the Connection and the channel that are watched. Each has its own baseline.
    """

    def __init__(self, store: Store | None, source: str) -> None:
        self._store = store
        self._key = f"baseline/{hashlib.sha256(source.encode()).hexdigest()[:16]}"  # of its head
        self._stored: Any = None  # the head as it was stored when it was last seen
        self._head = Head(secrets.token_hex(8))
        self.states: States | None = None  # None before the first listing

    @property
    def lasts(self) -> bool:
        """Whether the baseline survives a restart of the triggerer."""
        return self._store is not None

    @property
    def version(self) -> str:
        """Identifies this baseline among all of this asset, including those of earlier watches."""
        return f"{self._head.epoch} {self._head.number}"

    async def load(self) -> None:
        """Read the stored baseline, or begin one.

        :raises AirflowRuntimeError: if Airflow can't do it now; call it again then.
        :raises ValueError: if the stored baseline can't be decoded.
        """
        if self._store is None:
            return
        self._stored = await self._store.aget(self._key)
        if self._stored is None:
            # A watch that is killed before its first baseline then gives the same events the same ids.
            await self._write(self._store, self._head)
            return
        try:
            head = msgspec.convert(self._stored, Head)
            texts = [await self._store.aget(part, "") for part in head.parts]
            if await self._replaced(self._store):  # and its parts deleted, perhaps before they were read
                await self.load()
                return
            if texts:
                packed = zlib.decompress(base64.b85decode("".join(texts)))
                self.states = msgspec.json.decode(packed, type=list[State])
            self._head = head
        except (TypeError, zlib.error, msgspec.MsgspecError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error

    async def keep(self, states: States) -> bool:
        """Keep the states of a listing as the next baseline.

        :param states: of its items.
        :returns: False if this triggerer was paused, and another one took over the watch and stored a baseline.
            That one, which may be newer, stays in effect.
        :raises AirflowRuntimeError: if Airflow can't store them now; call it again then.
        """
        head = replace(self._head, number=self._head.number + 1)
        if self._store:
            packed = await asyncio.to_thread(_pack, states)
            prefix = f"{self._key}/{secrets.token_hex(8)}"
            parts = {f"{prefix}/{at // PART}": packed[at : at + PART] for at in range(0, len(packed), PART)}
            head = replace(head, parts=list(parts))
            for key, part in parts.items():
                await self._store.aset(key, part)
            if await self._replaced(self._store):
                await self._delete(self._store, parts)
                return False
            await self._write(self._store, head)
            await self._delete(self._store, self._head.parts)
        self.states, self._head = states, head
        return True

    async def _replaced(self, store: Store) -> bool:
        """Tell whether another triggerer has written a head since this one last saw it."""
        return bool(await store.aget(self._key) != self._stored)

    async def _write(self, store: Store, head: Head) -> None:
        stored = msgspec.to_builtins(head)
        await store.aset(self._key, stored)
        self._stored = stored

    async def _delete(self, store: Store, parts: Iterable[str]) -> None:
        for key in parts:
            await store.adelete(key)

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
                await self._store.aget(self._key)


def _pack(states: States) -> str:
    text = msgspec.json.encode(states)
    return base64.b85encode(zlib.compress(text)).decode()
