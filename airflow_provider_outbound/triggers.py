"""The trigger that waits for a template on the triggerer's event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import timezone
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_outbound.connections import DEFAULT_CONN_ID
from airflow_provider_outbound.errors import OutboundError
from airflow_provider_outbound.model.matching import Criteria
from airflow_provider_outbound.polling import Gate, subscribe


@dataclass(kw_only=True, eq=False, repr=False)
class OutboundTemplateTrigger(BaseTrigger):
    """Wait until a template exists, then fire once. Triggers on one Connection and channel share polls.

    The event's payload is ``{"status": "success", "template": {...}}``, ``{"status": "timeout", "seen": str}``
    or ``{"status": "error", "message": str}``. Airflow stores the parameters and logs the event in clear; none of
    them holds a secret.

    :param template_name: a configuration's name, or a WhatsApp templatename.
    :param channel: the channel it must be in; None for any.
    :param language: the language it must be in; None for any.
    :param variables: exactly the variables it must take; None for any.
    :param outbound_conn_id: the Connection to use.
    :param poke_interval: seconds from one look to the next.
    :param next_look: when to look first, if this wait has already looked elsewhere; now unless given.
    :param deadline: when to give up, after one more look; never unless given.
    """

    template_name: str
    channel: str | None = None
    language: str | None = None
    variables: list[str] | None = None
    outbound_conn_id: str = DEFAULT_CONN_ID
    poke_interval: float = 60.0
    next_look: datetime | None = None
    deadline: datetime | None = None

    def __post_init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what recreates this trigger elsewhere; times are points in time, which no restart changes."""
        arguments = {field.name: getattr(self, field.name) for field in fields(self)}
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments

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
            criteria = Criteria(self.template_name, self.channel, self.language, self.variables)
            gate = Gate(criteria, looked=self.next_look is not None)
            async with subscribe(self.outbound_conn_id, self.channel) as poller:
                while True:
                    # At most the interval: a clock that was set back must not delay a look.
                    await sleep(min(_seconds(next_look - now()), self.poke_interval))
                    poll = await poller.poll(self.channel, self.poke_interval, now)
                    match = gate.match(poll.found, poll.at)
                    if match.item is not None:
                        return TriggerEvent({"status": "success", "template": match.summary()})
                    if self.deadline and now() > self.deadline:
                        return TriggerEvent({"status": "timeout", "seen": match.seen})
                    # Counted from the poll, so that all triggers that share it look again together.
                    next_look = poll.at + timedelta(seconds=self.poke_interval)
                    # In a thread: the pipe that takes a triggerer's log may be full, and would block the loop.
                    wait = _seconds(next_look - now())
                    await self.log.ainfo("%s. Next look in %.3g s.", match.seen, wait)
        except OutboundError as error:
            return TriggerEvent({"status": "error", "message": str(error)})


def _seconds(pause: timedelta) -> float:
    return max(pause.total_seconds(), 0.0)
