"""Triggers on the triggerer's event loop: one waits for a template, the other watches for changes."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, TypeVar

from airflow.sdk import Asset, timezone
from airflow.sdk.exceptions import AirflowRuntimeError
from airflow.triggers.base import BaseEventTrigger, BaseTrigger, TriggerEvent

from airflow_provider_outbound.baseline import Baseline
from airflow_provider_outbound.client.account import check_path_segment
from airflow_provider_outbound.connections import DEFAULT_CONN_ID
from airflow_provider_outbound.errors import TRANSIENT, ConfigError, OutboundError, printable
from airflow_provider_outbound.model.changes import KINDS, Change, State, States, compare, has_place, read_states
from airflow_provider_outbound.model.matching import Criteria
from airflow_provider_outbound.polling import Gate, subscribe

T = TypeVar("T")

MOST_NAMED = 100  # fields, channels or languages in one event


@dataclass(kw_only=True, eq=False, repr=False)
class OutboundTemplateTrigger(BaseTrigger):
    """Wait until a template exists, then fire once. Triggers on one Connection and channel share polls.

    The event's payload is ``{"status": "success", "template": {...}}``, ``{"status": "timeout", "seen": str}``
    or ``{"status": "error", "message": str}``. Airflow stores the parameters and logs the event in clear text.
    Neither contains a secret.

    :param template_name: a configuration's name, or a WhatsApp templatename.
    :param channel: the channel that the template must be in; None for any.
    :param language: the language that it must have; None for any.
    :param variables: exactly the variables that it must take; None for any.
    :param fingerprint: the approved fingerprint; None for any.
    :param updated_after: the time after which it must have been updated; None for any time.
    :param fail_on: codes of checks that the template must pass; None for no checks.
    :param outbound_conn_id: the Connection to use.
    :param poke_interval: seconds from one look to the next.
    :param next_look: when to look first, if the sensor has already looked in the worker; None for now.
    :param deadline: when to give up, after one more look; None for never.
    """

    template_name: str
    channel: str | None = None
    language: str | None = None
    variables: list[str] | None = None
    fingerprint: str | None = None
    updated_after: datetime | str | None = None
    fail_on: list[str] | None = None
    outbound_conn_id: str = DEFAULT_CONN_ID
    poke_interval: float = 60.0
    next_look: datetime | None = None
    deadline: datetime | None = None

    def __post_init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what recreates this trigger elsewhere; times are points in time, which no restart changes."""
        return _serialized(self)

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield the one event."""
        yield await self.wait()

    async def wait(
        self,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        now: Callable[[], datetime] = timezone.utcnow,
    ) -> TriggerEvent:
        """Look until the template is there, the deadline has passed, or a permanent error occurs.

        :param sleep: makes the waits, in seconds.
        :param now: the time, in UTC.
        """
        next_look = self.next_look or now()
        try:
            criteria = Criteria(
                self.template_name,
                self.channel,
                self.language,
                self.variables,
                self.fingerprint,
                self.updated_after,
            )
            gate = Gate(criteria, looked=self.next_look is not None, fail_on=self.fail_on)
            async with subscribe(self.outbound_conn_id, self.channel) as poller:
                while True:
                    await sleep(_pause(next_look - now(), self.poke_interval))
                    poll = await poller.poll(self.channel, self.poke_interval, now)
                    match = gate.match(poll.found, poll.at)
                    if match.item is not None:
                        return TriggerEvent({"status": "success", "template": match.summary()})
                    if self.deadline and now() > self.deadline:
                        return TriggerEvent({"status": "timeout", "seen": match.seen})
                    # Counted from the poll, so that all triggers that share it look again together.
                    next_look = poll.at + timedelta(seconds=self.poke_interval)
                    # In a thread: the pipe that takes a triggerer's log may be full, and would block the loop.
                    wait = round(_seconds(next_look - now()), 1)
                    await self.log.ainfo("%s. Next look in %g s.", match.seen, wait)
        except OutboundError as error:
            return TriggerEvent({"status": "error", "message": str(error)})


@dataclass(kw_only=True, eq=False, repr=False)
class OutboundTemplateEventTrigger(BaseEventTrigger):
    """Fire for each template that is created, updated or removed.

    ``template_asset`` creates an asset with this trigger. Templates that exist when the watch begins have an
    event only with ``existing``. A change that is undone before the next look has no event. Triggers on one
    Connection and channel share polls.

    From Airflow 3.3 on, the asset state store keeps the state that was last reported. Changes that are made while
    the triggerer is down have their events when it is back, and each change that a look finds has at least one
    event. If the triggerer is killed in the seconds between storing the event and storing the new state, the event
    is repeated, with the same ``event_id``.

    :param asset_name: the asset's name. Airflow merges triggers with the same arguments, and the name keeps the
        triggers of two assets apart.
    :param template_name: a pattern such as ``spring_*`` for the configuration's name or a WhatsApp templatename.
    :param channel: the channel that a template must be in; None for any.
    :param language: the language that it must have in that channel; None for any.
    :param kinds: what to fire for: ``created``, ``updated``, ``removed``.
    :param existing: also fire ``created`` for templates that exist when the watch begins.
    :param outbound_conn_id: the Connection to use.
    :param poke_interval: seconds from one look to the next.
    :raises ConfigError: for an argument that is blank or of another type, or that no template can match.
    """

    asset_name: str
    template_name: str = "*"
    channel: str | None = None
    language: str | None = None
    kinds: Sequence[str] = KINDS
    existing: bool = False
    outbound_conn_id: str = DEFAULT_CONN_ID
    poke_interval: float = 60.0

    def __post_init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        Criteria(self.template_name, self.channel, self.language)  # refuses blanks and what is not text
        if self.channel is not None:
            check_path_segment("channel", self.channel)
        for name, value in {"asset_name": self.asset_name, "outbound_conn_id": self.outbound_conn_id}.items():
            if not isinstance(value, str) or not value.strip():
                raise ConfigError(f"{name} is {printable(repr(value), 60)}: give text that is not empty")
        given = [self.kinds] if isinstance(self.kinds, str) else self.kinds
        if not given or not isinstance(given, Collection) or any(kind not in KINDS for kind in given):
            raise ConfigError(f"kinds is {printable(self.kinds)}: give one or more of {', '.join(KINDS)}")
        self.kinds = [kind for kind in KINDS if kind in given]  # in one order, because Airflow compares arguments
        if not isinstance(self.poke_interval, (int, float)) or not 0 < self.poke_interval < math.inf:
            shown = printable(repr(self.poke_interval), 60)
            raise ConfigError(f"poke_interval is {shown}: give a number of seconds above 0")

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what recreates this trigger elsewhere."""
        return _serialized(self)

    def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield an event for each change, without end."""
        return self.watch()

    async def watch(
        self,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        now: Callable[[], datetime] = timezone.utcnow,
    ) -> AsyncIterator[TriggerEvent]:
        """Look for changes until cancelled. An error is logged; the next look follows as usual.

        :param sleep: makes the waits, in seconds.
        :param now: the time, in UTC.
        """
        baseline = await self._baseline(sleep)
        async with subscribe(self.outbound_conn_id, self.channel) as poller:
            while True:
                poll = await poller.poll(self.channel, self.poke_interval, now)
                if isinstance(poll.found, OutboundError):
                    log = self.log.awarning if isinstance(poll.found, TRANSIENT) else self.log.aerror
                    await log("Could not look for changes for asset %s: %s", self.asset_name, poll.found)
                else:
                    begins = baseline.states is None
                    states, changes = await asyncio.to_thread(_differ, baseline.states or (), poll.found.raws)
                    meant = [each for each in changes if self._is_meant(each) and (self.existing or not begins)]
                    sent = Counter[str]()
                    for change in meant:
                        yield TriggerEvent(self._payload(change, baseline.version, sent))
                    if meant:
                        await self._persist(partial(baseline.handed_over, sleep), sleep)
                    if (changes or begins) and not await self._persist(partial(baseline.keep, states), sleep):
                        await self.log.ainfo("Asset %s: another triggerer has taken over", self.asset_name)
                        baseline = await self._baseline(sleep)
                    if begins:
                        await self.log.ainfo("Asset %s: watching %d configurations", self.asset_name, len(states))
                        if not states:
                            words = "Asset %s: 0 configurations, channel %s. Check that and the Connection's host"
                            await self.log.awarning(words, self.asset_name, self.channel or "all")
                    elif changes:
                        facts = (self.asset_name, len(changes), len(states), len(meant))
                        await self.log.ainfo("Asset %s: %d changes in %d configurations, %d events", *facts)
                # Counted from the poll, so that all triggers that share it look again together.
                next_look = poll.at + timedelta(seconds=self.poke_interval)
                await sleep(_pause(next_look - now(), self.poke_interval))

    async def _baseline(self, sleep: Callable[[float], Awaitable[object]]) -> Baseline:
        """Return the last reported state, from Airflow's asset state store if this asset has one."""
        stores, store = getattr(self, "asset_state_store", None), None  # from Airflow 3.3 on
        with suppress(KeyError):
            store = stores[Asset(name=self.asset_name)] if stores else None
        baseline = Baseline(store, f"{self.outbound_conn_id}/{self.channel or ''}")
        if not baseline.lasts:
            await self.log.awarning(
                "Asset %s: changes made while the triggerer is down will be missed. To catch them, use Airflow "
                "3.3 or later, and set asset_name to the asset's name",
                self.asset_name,
            )
        try:
            await self._persist(baseline.load, sleep)
        except ValueError as error:
            words = "Asset %s: the stored state can't be used, so the watch starts over: %s"
            await self.log.aerror(words, self.asset_name, printable(error))
        return baseline

    async def _persist(self, call: Callable[[], Awaitable[T]], sleep: Callable[[float], Awaitable[object]]) -> T:
        """Call until Airflow's asset state store responds. Until then, no event may be sent or dropped."""
        while True:
            try:
                return await call()
            except AirflowRuntimeError as error:
                words = "Asset %s: Airflow's asset state store failed: %s. Next try in %g s."
                await self.log.aerror(words, self.asset_name, printable(error), self.poke_interval)
            await sleep(self.poke_interval)

    def _is_meant(self, change: Change[State]) -> bool:
        """Tell whether the filters match the configuration before or after a change."""
        return change.kind in self.kinds and any(
            has_place(state, self.channel, self.language)
            # Only a pattern that matches everything matches a configuration without a name.
            and any(fnmatchcase(name, self.template_name) for name in state.names or ("",))
            for state in change.states
        )

    def _payload(self, change: Change[State], version: str, sent: Counter[str]) -> dict[str, Any]:
        """Return an event's payload, which never has contents.

        :param version: of the baseline, so that the same change at another time has another id.
        :param sent: counts equal changes of one look, so that two items without an id have two events.
        """
        state = change.states[0]
        digests = [each.digest if each else "" for each in (change.before, change.after)]
        identity = json.dumps([self.asset_name, version, state.key, *digests])
        sent[identity] += 1
        return {
            "event_id": hashlib.sha256(f"{identity} {sent[identity]}".encode()).hexdigest()[:32],
            "kind": change.kind,
            "id": state.id,
            "name": state.names[0] if state.names else None,
            "channels": list(dict.fromkeys(channel for channel, _ in state.places))[:MOST_NAMED],
            "languages": list(dict.fromkeys(language for _, language in state.places if language))[:MOST_NAMED],
            "fields": [field.path for field in change.fields[:MOST_NAMED]],
            "outbound_conn_id": self.outbound_conn_id,
        }


def _differ(before: States, raws: Sequence[bytes]) -> tuple[States, list[Change[State]]]:
    states = read_states(raws, before)
    return states, compare(before, states)


def _serialized(trigger: OutboundTemplateTrigger | OutboundTemplateEventTrigger) -> tuple[str, dict[str, Any]]:
    arguments = {field.name: getattr(trigger, field.name) for field in fields(trigger)}
    return f"{type(trigger).__module__}.{type(trigger).__qualname__}", arguments


def _seconds(pause: timedelta) -> float:
    return max(pause.total_seconds(), 0.0)


def _pause(left: timedelta, interval: float) -> float:
    """Return the seconds until a look: at most the interval, so that a clock that was set back delays none."""
    return min(_seconds(left), interval)
