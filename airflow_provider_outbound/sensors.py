"""The sensor that waits for a template."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)
from airflow.sdk import timezone

from airflow_provider_outbound.connections import DEFAULT_CONN_ID
from airflow_provider_outbound.errors import ConfigError, OutboundError, printable
from airflow_provider_outbound.hooks import OutboundHook, airflow_errors
from airflow_provider_outbound.links import TemplatesLink
from airflow_provider_outbound.model.checks import parse_codes
from airflow_provider_outbound.model.matching import Criteria, TemplateIndex
from airflow_provider_outbound.polling import Gate
from airflow_provider_outbound.triggers import OutboundTemplateTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

#: The default of criteria that must not be None: a missing approval must not open the gate for any content.
ANY: Any = type("Any", (), {"__repr__": lambda self: "any"})()

#: Seconds past the sensor's timeout and last look after which Airflow stops waiting for a triggerer.
GRACE = 600


class OutboundTemplateSensor(BaseSensorOperator):
    """Wait until a template exists, in the right channel, language and state, and with the right variables.

    Its XCom describes the configuration that was found; if several match, the last updated one.

    Transient errors (429, 5xx, network, a listing that keeps changing) count as "not there yet". If Airflow found
    the Connection before and can't find it now, that counts as "not there yet" for ten minutes, or in mode
    ``reschedule`` until ``timeout``. Any other error fails the task at once, even with ``soft_fail``; only
    ``never_fail`` makes it a skip. Apart from the ten minutes, all modes give the same result, errors and timeout
    message.

    :param template_name: a configuration's name, or a WhatsApp templatename. (templated)
    :param channel: the channel that the template must be in, such as ``wa``; None for any. (templated)
    :param language: the language that it must have, as LivePerson writes it; None for any. (templated)
    :param variables: exactly the variables that it must take, such as ``["1", "2"]``; None for any. (templated)
    :param fingerprint: the fingerprint of the approved configuration or channel. It must include the fingerprint
        of each channel that meets the criteria above. None fails the task. (templated)
    :param updated_after: the time, or its ISO 8601 text, after which the template must have been updated; UTC if
        it has no zone. None fails the task. (templated)
    :param fail_on: codes of checks, such as ``["empty", "undeclared"]``, or as text (``empty,undeclared``). If the
        template exists but does not pass one of them, the task fails. (templated)
    :param outbound_conn_id: the Connection to use. (templated)
    :param deferrable: wait in the triggerer, without a worker slot. The default is Airflow's option
        ``[operators] default_deferrable``.
    """

    template_fields: Sequence[str] = (
        "template_name",
        "channel",
        "language",
        "variables",
        "fingerprint",
        "updated_after",
        "fail_on",
        "outbound_conn_id",
    )
    operator_extra_links = (TemplatesLink(),)
    ui_color = "#f4dcc9"

    def __init__(
        self,
        *,
        template_name: str,
        channel: str | None = None,
        language: str | None = None,
        variables: list[str] | None = None,
        fingerprint: str | None = ANY,
        updated_after: datetime | str | None = ANY,
        fail_on: str | Sequence[str] | None = None,
        outbound_conn_id: str = DEFAULT_CONN_ID,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.template_name = template_name
        self.channel = channel
        self.language = language
        self.variables = variables
        self.fingerprint = None if fingerprint is ANY else fingerprint
        self.updated_after = None if updated_after is ANY else updated_after
        self.fail_on = fail_on
        self.outbound_conn_id = outbound_conn_id
        self.deferrable = deferrable
        given = {"fingerprint": fingerprint, "updated_after": updated_after}
        self._required = [name for name, value in given.items() if value is not ANY]
        self._hook: OutboundHook | None = None
        self._gate: Gate | None = None
        self._seen = "The triggerer reported nothing: check that one is running"
        self.template_id: str | None = None  # of what was found, for the link

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once."""
        with airflow_errors():
            if self._hook is None or self._gate is None:
                looked = bool(context.get("task_reschedule_count"))  # in another process
                # A look makes no retries: the sensor looks again anyway.
                self._hook = OutboundHook(self.outbound_conn_id, retry_waits=())
                self._gate = Gate(self._criteria(), looked=looked, fail_on=self.fail_on)
                if self.channel is not None and not looked:
                    self._hook.warn_of_unknown([self.channel])
            found: TemplateIndex | OutboundError
            try:
                found = self._hook.index_templates(self.channel)
            except OutboundError as error:
                found = error  # the gate decides
            match = self._gate.match(found, timezone.utcnow())
        self._seen = match.seen
        if match.item is None:
            self.log.info("%s. Next look in %g s.", match.seen, self.poke_interval)
            return PokeReturnValue(False)
        self.log.info("%s", match.seen)
        summary = match.summary()
        self.template_id = summary["id"]
        return PokeReturnValue(True, summary)

    def _criteria(self) -> Criteria:
        for name in self._required:
            if getattr(self, name) is None:
                raise ConfigError(
                    f"template {name} is None: check the task or template that gives it. To accept any {name}, "
                    "leave the argument out"
                )
        return Criteria(
            self.template_name, self.channel, self.language, self.variables, self.fingerprint, self.updated_after
        )

    def execute(self, context: Context) -> Any:
        """Wait, in the chosen mode."""
        with self._own_words():
            if not self.deferrable:
                return super().execute(context)
            started = timezone.utcnow()
            deadline = started + timedelta(seconds=self.timeout)
            if look := self.poke(context):
                return look.xcom_value
            if timezone.utcnow() > deadline:
                raise AirflowSensorTimeout
            criteria = self._criteria()
            return self.defer(
                trigger=OutboundTemplateTrigger(
                    template_name=self.template_name,
                    channel=self.channel,
                    language=self.language,
                    variables=None if criteria.variables is None else list(map(str, criteria.variables)),
                    fingerprint=self.fingerprint,
                    updated_after=criteria.updated_after,
                    fail_on=parse_codes(self.fail_on),
                    outbound_conn_id=self.outbound_conn_id,
                    poke_interval=self.poke_interval,
                    next_look=started + timedelta(seconds=self.poke_interval),
                    deadline=deadline,
                ),
                method_name="execute_complete",
                timeout=timedelta(seconds=self.timeout + self.poke_interval + GRACE),
            )

    def execute_complete(self, context: Context, event: Any = None) -> Any:
        """Return what the trigger found.

        :param context: the task's context.
        :param event: the trigger's payload.
        :raises AirflowSensorTimeout: if it found nothing in time.
        :raises AirflowFailException: if it met an error, or is of another release.
        """
        with airflow_errors():
            match event:
                case {"status": "success", "template": {"channels": [*channels]} as template}:
                    places = printable(", ".join(map(str, channels)))
                    self.log.info("Found %s in %s", printable(self.template_name), places)
                    self.template_id = template.get("id")
                    return template
                case {"status": "timeout", "seen": str(seen)}:
                    self._seen = seen
                    raise AirflowSensorTimeout
                case {"status": "error", "message": str(message)}:
                    raise OutboundError(message)
            raise OutboundError(
                f"The trigger sent {printable(repr(event))}, which this sensor can't read: install "
                "the same release of this provider on workers and triggerers"
            )

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Continue after the trigger's event."""
        with self._own_words():
            return super().resume_execution(next_method, next_kwargs, context)

    @contextmanager
    def _own_words(self) -> Iterator[None]:
        """Say what was seen last if the wait times out. ``soft_fail`` hides that; ``never_fail``, any error."""
        cause: BaseException
        try:
            yield
            return
        except (AirflowSensorTimeout, AirflowFailException) as error:
            cause = error
        except AirflowSkipException as error:  # raised by the base class, for soft_fail and never_fail
            cause = error.__cause__ or AirflowSensorTimeout()
        timed_out = isinstance(cause, AirflowSensorTimeout)
        message = f"Timed out after {self.timeout:g} s. {self._seen}" if timed_out else str(cause)
        if self.never_fail or (timed_out and self.soft_fail):
            raise AirflowSkipException(message) from cause
        raise AirflowSensorTimeout(message) if timed_out else cause
