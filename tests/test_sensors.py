"""The sensor and its trigger: the same result, errors and words in every mode."""

from __future__ import annotations

import asyncio
import gc
import json
import re
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import partial
from itertools import count
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    TaskDeferred,
)
from airflow.serialization.serialized_objects import BaseSerialization

from airflow_provider_outbound.model.fingerprints import fingerprint
from airflow_provider_outbound.sensors import OutboundTemplateSensor
from airflow_provider_outbound.triggers import OutboundTemplateTrigger
from tests.clock import AirflowClock
from tests.fake import SECRET, Fake, Hit, Reply, configuration, paged
from tests.versions import AirflowRescheduleException, TaskDeferralError

Connect = Callable[..., str]
Logs = Callable[[], list[str]]
EAST = timezone(timedelta(hours=2))
ITEMS = [configuration(number) for number in range(40)]
FOUND = {
    "id": "id-7",
    "name": "n7",
    "updated_at": "2026-01-01",
    "channels": ["wa"],
    "language": "en",
    "variables": ["1"],
    "header_variables": [],
    "fingerprint": fingerprint(ITEMS[7]["channels"]),
    "components": [{"type": "body", "sub_type": None, "variables": ["1"]}],
}


class TaskInstance:
    """As much of a task instance as a rescheduled sensor asks for."""

    def __init__(self, first: datetime) -> None:
        self.first = first

    def get_first_reschedule_date(self, context: Any) -> datetime:
        return self.first


def through_the_database(trigger: OutboundTemplateTrigger) -> OutboundTemplateTrigger:
    """Return the trigger as a triggerer makes it again from what Airflow stored."""
    path, arguments = trigger.serialize()
    assert path == "airflow_provider_outbound.triggers.OutboundTemplateTrigger"
    return OutboundTemplateTrigger(**BaseSerialization.deserialize(BaseSerialization.serialize(arguments)))


def wait(mode: str, world: AirflowClock, **arguments: Any) -> Any:
    """Run the sensor to its end in one of its modes, as Airflow would."""

    def make() -> OutboundTemplateSensor:
        return OutboundTemplateSensor(
            task_id="wait",
            poke_interval=60,
            deferrable=mode == "deferred",
            mode="reschedule" if mode == "reschedule" else "poke",
            **{"template_name": "n7", "timeout": 600, **arguments},
        )

    sensor = make()
    first, context = world.time, {"task_reschedule_count": 0}
    while True:
        try:
            return sensor.execute({"ti": TaskInstance(first), **context})
        except AirflowRescheduleException as later:
            world.pass_((later.reschedule_date - world.time).total_seconds())
            context["task_reschedule_count"] += 1
            sensor = make()  # in another process
        except TaskDeferred as deferred:
            trigger = through_the_database(deferred.trigger)  # type: ignore[arg-type]
            event = asyncio.run(trigger.wait(world.apass, world.now))
            return sensor.resume_execution(deferred.method_name, {"event": event.payload}, {})


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> AirflowClock:
    return AirflowClock(monkeypatch)


@pytest.fixture(params=["poke", "reschedule", "deferred"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def appears(world: AirflowClock, after: float, **more: Any) -> Callable[[Any], Any]:
    """List the wanted template from so many seconds on."""
    other = [{**ITEMS[0], **more}]
    return lambda hit: paged(ITEMS if world.elapsed >= after else other)(hit)


def test_there_already(mode: str, world: AirflowClock, connect: Connect) -> None:
    with Fake(paged(ITEMS)) as fake:
        connect(fake.connection())
        assert wait(mode, world, channel="wa", language="en", variables=["1"]) == FOUND
    assert world.slept == []
    assert fake.hits[1].path.endswith("/list/channel/wa")


def test_appears_later(mode: str, world: AirflowClock, connect: Connect, logs: Logs) -> None:
    with Fake(appears(world, 150)) as fake:
        connect(fake.connection())
        assert wait(mode, world) == FOUND
    assert world.slept == [60, 60, 60]
    looks = [line for line in logs() if "n7" in line]
    assert "Not there yet: none of 1 configurations is named n7. Next look in 60 s." in looks[0]
    assert "Found n7" in looks[-1]
    assert all(line.isprintable() for line in looks)


@pytest.mark.fault("W5")
@pytest.mark.parametrize("timeout", [0, 130])
@pytest.mark.parametrize("soft_fail", [False, True])
def test_timeout_says_what_was_seen_last(
    mode: str, world: AirflowClock, connect: Connect, timeout: float, soft_fail: bool
) -> None:
    with Fake(appears(world, 10_000, name="n7")) as fake:
        connect(fake.connection())
        kind = AirflowSkipException if soft_fail else AirflowSensorTimeout
        with pytest.raises(kind) as caught:
            wait(mode, world, language="de", timeout=timeout, soft_fail=soft_fail)
    assert str(caught.value) == f"Timed out after {timeout} s. Not there yet: n7 is in wa/en, not in de"
    assert world.slept == ([60, 60, 60] if timeout else [])


def reworded(number: int) -> dict[str, Any]:
    """Return a configuration with another text in its body."""
    item = configuration(number)
    (channel,) = item["channels"]
    body = {**channel["messageComponents"][0], "content": "Bye ${{1}}"}
    return {**item, "channels": [{**channel, "messageComponents": [body]}]}


def test_other_content_is_waited_out_until_it_is_the_approved_one_again(
    mode: str, world: AirflowClock, connect: Connect, logs: Logs
) -> None:
    with Fake(lambda hit: paged([ITEMS[7] if world.elapsed >= 100 else reworded(7)])(hit)) as fake:
        connect(fake.connection())
        assert wait(mode, world, fingerprint=FOUND["fingerprint"]) == FOUND
    assert world.slept == [60, 60]
    words = "Not there yet: n7 is in wa/en, but its body changed since that fingerprint"
    assert sum(f"{words}. Next look in 60 s." in line for line in logs()) == 2


def test_timeout_says_that_the_content_changed(mode: str, world: AirflowClock, connect: Connect) -> None:
    with Fake(paged([reworded(7)])) as fake:
        connect(fake.connection())
        with pytest.raises(AirflowSensorTimeout) as caught:
            wait(mode, world, fingerprint=FOUND["fingerprint"], timeout=100)
    words = "n7 is in wa/en, but its body changed since that fingerprint"
    assert str(caught.value) == f"Timed out after 100 s. Not there yet: {words}"


@pytest.mark.parametrize("after", ["2026-05-03T10:00:00Z", datetime(2026, 5, 3, 12, tzinfo=EAST)])
def test_an_update_is_waited_for(
    mode: str, world: AirflowClock, connect: Connect, logs: Logs, after: datetime | str
) -> None:
    def listing(hit: Hit) -> Any:
        updated = "2026-05-03T10:00:00.001Z" if world.elapsed >= 100 else "2026-05-03T10:00:00.000Z"
        return paged([{**ITEMS[7], "updatedAt": updated}])(hit)

    with Fake(listing) as fake:
        connect(fake.connection())
        assert wait(mode, world, updated_after=after)["updated_at"] == "2026-05-03T10:00:00.001Z"
    assert world.slept == [60, 60]
    words = "Not there yet: n7 was last updated 2026-05-03T10:00:00Z, not after 2026-05-03T10:00:00Z"
    assert sum(words in line for line in logs()) == 2


@pytest.mark.parametrize("criterion", ["fingerprint", "updated_after"])
def test_a_criterion_whose_xcom_has_no_value_fails_the_task(connect: Connect, criterion: str) -> None:
    with Fake(paged(ITEMS)) as fake:
        connect(fake.connection())
        sensor = OutboundTemplateSensor(task_id="wait", template_name="n7", **{criterion: "{{ a template }}"})
        setattr(sensor, criterion, None)  # as Airflow does when it renders the XCom of a task that returned None
        with pytest.raises(AirflowFailException, match=f"template {criterion} is None"):
            sensor.execute({})
    assert not fake.hits


@pytest.mark.fault("W3")
def test_a_trigger_stored_by_an_older_version_still_works(connect: Connect) -> None:
    stored = OutboundTemplateTrigger(template_name="n7", channel="wa", language="en", variables=["1"]).serialize()[
        1
    ]
    old = {name: value for name, value in stored.items() if name not in ("fingerprint", "updated_after")}
    with Fake(paged(ITEMS)) as fake:
        connect(fake.connection())
        event = asyncio.run(OutboundTemplateTrigger(**old).wait())
    assert event.payload == {"status": "success", "template": FOUND}


PERMANENT: dict[str, dict[str, Any]] = {
    "A2 refused login": {"token": [Reply(401, b"")]},
    "A3 forbidden": {"listing": [Reply(403, b"")]},
    "A1 second 401": {"listing": [Reply(401, b"")]},
    "R4 no JSON": {"listing": [Reply(body=b"<html>")]},
    "R5 blocked": {"listing": [Reply(451, b"")]},
    "P2 offset ignored": {"listing": lambda hit: ITEMS[:30]},
}


@pytest.mark.fault("W1")
@pytest.mark.parametrize("scripts", PERMANENT.values(), ids=PERMANENT)
@pytest.mark.parametrize("soft_fail", [False, True])
def test_permanent_error_fails_in_the_same_words(
    world: AirflowClock, connect: Connect, scripts: dict[str, Any], soft_fail: bool
) -> None:
    words = set()
    for mode in ("poke", "reschedule", "deferred"):
        # The first look works, so that the deferred sensor meets the error in its trigger.
        with Fake([[]]) as first, Fake(**scripts) as then:
            connect(first.connection())
            world.then = partial(connect, then.connection())
            with pytest.raises(AirflowFailException) as caught:
                wait(mode, world, soft_fail=soft_fail)
            words.add(str(caught.value).replace(then.host, "host"))
            assert SECRET not in str(caught.value)
    assert len(words) == 1


def test_never_fail_skips_in_every_mode(mode: str, world: AirflowClock, connect: Connect) -> None:
    with Fake([[]]) as first, Fake([Reply(403, b"")]) as then:
        connect(first.connection())
        world.then = partial(connect, then.connection())
        with pytest.raises(AirflowSkipException, match="scope and installation"):
            wait(mode, world, never_fail=True)


@pytest.mark.fault("A2")
def test_silent_fail_does_not_repeat_a_refused_login(mode: str, world: AirflowClock, connect: Connect) -> None:
    with Fake(token=[Reply(401, b"")]) as fake:
        connect(fake.connection())
        with pytest.raises(AirflowFailException, match="Check the Connection's login"):
            wait(mode, world, silent_fail=True)
    assert fake.kinds() == ["token"]


def test_soft_fail_does_not_hide_a_trigger_that_died() -> None:
    sensor = OutboundTemplateSensor(task_id="wait", template_name="n7", deferrable=True, soft_fail=True)
    with pytest.raises(TaskDeferralError, match="Trigger failure"):
        sensor.resume_execution("__fail__", {"error": "Trigger failure", "traceback": ["x"]}, {})


@pytest.mark.fault("W5")
def test_a_wait_that_no_triggerer_ends_says_so() -> None:
    sensor = OutboundTemplateSensor(task_id="wait", template_name="n7", deferrable=True, timeout=600)
    words = "Timed out after 600 s. The triggerer reported nothing: check that one is running"
    with pytest.raises(AirflowSensorTimeout, match=f"^{re.escape(words)}$"):
        sensor.resume_execution("__fail__", {"error": "Trigger timeout"}, {})


@pytest.mark.fault("D2")
@pytest.mark.parametrize("odd", [{"id": 2**70}, {"id": "\ud800"}, {"updatedAt": ["\ud800"]}])
def test_odd_values_reach_the_task_as_text(
    mode: str, world: AirflowClock, connect: Connect, odd: dict[str, Any]
) -> None:
    with Fake(appears(world, 30, **odd)) as fake:
        connect(fake.connection())
        found = wait(mode, world, template_name="n0", timeout=0)
    json.dumps(found).encode()
    assert found["id"] in ("id-0", str(2**70), "?")


@pytest.mark.fault("W1")
def test_arguments_that_are_wrong(mode: str, world: AirflowClock, connect: Connect) -> None:
    with Fake() as fake:
        connect(fake.connection())
        for arguments, words in (
            ({"template_name": ""}, "template name is ''"),
            ({"variables": "1"}, "template variables are '1'"),
            ({"fail_on": ["emtpy"]}, "fail_on has 'emtpy': the checks are undeclared, empty"),
            ({"fingerprint": "0a0a0a0a"}, "template fingerprint is '0a0a0a0a': give a complete one"),
            ({"fingerprint": None}, "template fingerprint is None: check the task or template"),
            ({"updated_after": "yesterday"}, "template updated_after is 'yesterday': give a time"),
            ({"updated_after": "202612010000"}, "template updated_after is '202612010000': give a time"),
            ({"updated_after": None}, "template updated_after is None: check the task or template"),
            ({"channel": "../x"}, "channel is '../x'"),
            ({"outbound_conn_id": "nowhere"}, "Airflow found no Connection 'nowhere'"),
        ):
            with pytest.raises(AirflowFailException, match=words):
                wait(mode, world, **arguments)
    assert not fake.hits


@pytest.mark.fault("W2")
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 599])
@pytest.mark.parametrize("call", ["listing", "token"])
def test_transient_errors_are_waited_through(
    mode: str, world: AirflowClock, connect: Connect, status: int, call: str
) -> None:
    with Fake(**{call: [Reply(status, b"", {"Retry-After": "1"})]}) as fake:
        connect(fake.connection())
        with pytest.raises(AirflowSensorTimeout, match=rf"Could not look for n7: .*status {status}"):
            wait(mode, world, timeout=590)
    failed = fake.kinds().count("list" if call == "listing" else "token")
    assert 10 <= failed <= 1 + world.elapsed / 60


@pytest.mark.fault("P3")
def test_a_listing_that_keeps_changing_is_waited_out(mode: str, world: AirflowClock, connect: Connect) -> None:
    calls = count()

    def listing(hit: Hit) -> Any:
        if world.elapsed >= 100:
            return paged(ITEMS)(hit)
        return [configuration(next(calls)) for _ in range(30)]  # no two pages go together

    with Fake(listing) as fake:
        connect(fake.connection())
        assert wait(mode, world) == FOUND
    assert world.slept == [60, 60]


def unfit(number: int, **more: Any) -> dict[str, Any]:
    """Return a configuration whose text uses a placeholder that is not declared."""
    body = {"type": "body", "content": "${{1}} ${{2}}", "variables": ["1"]}
    channel = {"type": "wa", "language": "en", "messageComponents": [body], **more}
    fallback = {"type": "sms-twilio", "language": "en", "messageComponents": []}
    return configuration(number, channels=[channel, fallback])


def test_a_template_with_a_problem_fails_at_once_in_the_same_words(
    mode: str, world: AirflowClock, connect: Connect
) -> None:
    # It appears later, so that the deferred sensor meets it in its trigger.
    with Fake(lambda hit: paged([*ITEMS[:3], unfit(7)] if world.elapsed >= 100 else ITEMS[:3])(hit)) as fake:
        connect(fake.connection())
        with pytest.raises(AirflowFailException) as caught:
            wait(mode, world, fail_on="empty, undeclared", channel="wa", soft_fail=True)
    assert str(caught.value) == (
        "1 template has problems: n7 (wa/en) body uses {{2}} but declares only 1 [undeclared]. Correct this "
        "in LivePerson's web tool, or remove the check from fail_on"
    )
    assert world.slept == [60, 60]


@pytest.mark.parametrize(
    ("criteria", "fail_on", "words"),
    [
        ({"channel": "sms-twilio"}, ["empty"], "n7 (sms-twilio/en) has no body"),
        ({"channel": "sms-twilio"}, ["undeclared"], None),
        ({"channel": "wa"}, ["empty"], None),
        ({}, ["empty"], "n7 (sms-twilio/en) has no body"),
        ({"template_name": "t7"}, ["undeclared"], "n7 (wa/en) body uses {{2}} but declares only 1"),
        ({"template_name": "n1"}, ["empty", "undeclared"], None),
        ({"template_name": "n1"}, ["duplicate"], "n1 (wa/en) has the same name as configuration id-1"),
        ({}, [], None),
    ],
)
def test_fail_on_is_about_the_channels_that_are_waited_for(
    mode: str,
    world: AirflowClock,
    connect: Connect,
    criteria: dict[str, Any],
    fail_on: list[str],
    words: str | None,
) -> None:
    double = {**unfit(1), "id": "id-99", "updatedAt": "2025-01-01"}
    with Fake(paged([*ITEMS[:3], unfit(7, templatename="t7"), double])) as fake:
        connect(fake.connection())
        if words is None:
            assert wait(mode, world, fail_on=fail_on, **criteria)["id"] in ("id-7", "id-1")
        else:
            with pytest.raises(AirflowFailException) as caught:
                wait(mode, world, fail_on=fail_on, **criteria)
            assert str(caught.value).startswith(f"1 template has problems: {words} [")
    assert world.slept == []


@pytest.mark.parametrize("name", ["whole", "part", "bare"])
def test_fail_on_is_about_no_other_template_of_the_name(
    mode: str, world: AirflowClock, connect: Connect, name: str
) -> None:
    good = configuration(1)["channels"][0]
    items = [
        configuration(1, name="whole", updatedAt="2026-02-01"),
        # The WhatsApp template of two configurations that have one name, which is another.
        *(configuration(each, name="other", channels=[{**good, "templatename": "whole"}]) for each in (2, 3)),
        configuration(4, channels=[{**good, "templatename": "part"}, {**good, "messageComponents": []}]),
        {**good, "templatename": "bare"},
        {**good, "templatename": "bare", "messageComponents": []},
    ]
    with Fake(paged(items)) as fake:
        connect(fake.connection())
        found = wait(mode, world, template_name=name, variables=["1"], fail_on=["empty", "duplicate"])
    assert found["channels"] == ["wa"]


def test_a_trigger_from_before_an_upgrade_knows_no_fail_on_and_goes_on(
    world: AirflowClock, connect: Connect
) -> None:
    _, arguments = OutboundTemplateTrigger(template_name="n7").serialize()
    del arguments["fail_on"]
    with Fake(paged([unfit(7)])) as fake:
        connect(fake.connection())
        event = asyncio.run(OutboundTemplateTrigger(**arguments).wait(world.apass, world.now))
    sensor = OutboundTemplateSensor(task_id="wait", template_name="n7", fail_on=["undeclared"], deferrable=True)
    assert sensor.resume_execution("execute_complete", {"event": event.payload}, {})["id"] == "id-7"


@pytest.mark.fault("W8")
def test_a_connection_that_is_missing_for_a_moment_ends_no_gate(
    mode: str, world: AirflowClock, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Fake(appears(world, 150)) as fake:
        connect(fake.connection())
        variable = "AIRFLOW_CONN_LIVEPERSON_OUTBOUND_DEFAULT"

        def hiccup() -> None:
            if 60 <= world.elapsed < 120:
                monkeypatch.delenv(variable)
            else:
                connect(fake.connection())

        world.then = hiccup
        assert wait(mode, world) == FOUND


@pytest.mark.fault("W8")
@pytest.mark.parametrize("mode", ["poke", "deferred"])  # a rescheduled sensor knows no beginning of an outage
def test_a_connection_that_is_missing_for_ten_minutes_fails(
    mode: str, world: AirflowClock, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Fake([[]]) as fake:
        connect(fake.connection())
        world.then = partial(monkeypatch.delenv, "AIRFLOW_CONN_LIVEPERSON_OUTBOUND_DEFAULT", raising=False)
        with pytest.raises(AirflowFailException, match="Airflow found no Connection"):
            wait(mode, world, timeout=10_000)
    assert 600 <= world.elapsed <= 720


@pytest.mark.fault("W2")
def test_server_that_is_gone(mode: str, world: AirflowClock, connect: Connect) -> None:
    with Fake() as fake:
        connect(fake.connection())
    with pytest.raises(AirflowSensorTimeout, match="Can't connect to 127.0.0.1:"):
        wait(mode, world, timeout=100)


@pytest.mark.fault("W3")
def test_everything_survives_a_restart() -> None:
    deadline = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
    trigger = OutboundTemplateTrigger(
        template_name="n",
        channel="wa",
        language="en",
        variables=["1"],
        fail_on=["empty"],
        fingerprint=FOUND["fingerprint"],
        updated_after=deadline + timedelta(milliseconds=1),
        outbound_conn_id="other",
        poke_interval=7.5,
        next_look=deadline - timedelta(hours=1),
        deadline=deadline,
    )
    again = through_the_database(through_the_database(trigger))
    assert again.serialize() == trigger.serialize()
    assert all(value is not None for value in trigger.serialize()[1].values())


@pytest.mark.fault("W3")
def test_restarted_trigger_keeps_its_deadline(world: AirflowClock, connect: Connect) -> None:
    trigger = OutboundTemplateTrigger(template_name="n7", deadline=world.time + timedelta(seconds=200))
    with Fake([[]]) as fake:
        connect(fake.connection())
        for killed_after in (90, 80, 50):
            world.time += timedelta(seconds=killed_after)
            trigger = through_the_database(trigger)
        event = asyncio.run(trigger.wait(world.apass, world.now))
    assert event.payload["status"] == "timeout"
    assert world.slept == []


@pytest.mark.fault("W3")
def test_a_clock_that_is_set_back_delays_no_look_beyond_the_interval(
    world: AirflowClock, connect: Connect
) -> None:
    with Fake(paged(ITEMS)) as fake:
        connect(fake.connection())
        trigger = OutboundTemplateTrigger(template_name="n7", next_look=world.time + timedelta(days=1))
        event = asyncio.run(trigger.wait(world.apass, world.now))
    assert event.payload["status"] == "success"
    assert world.slept == [60]


@pytest.mark.fault("W3")
def test_a_clock_that_is_set_back_between_looks_delays_none(world: AirflowClock, connect: Connect) -> None:
    found = world.time + timedelta(seconds=400)

    async def asleep(seconds: float) -> None:
        await world.apass(seconds)
        if len(world.slept) == 2:
            world.time -= timedelta(hours=1)

    with Fake(lambda hit: paged(ITEMS if len(world.slept) >= 5 else ITEMS[:3])(hit)) as fake:
        connect(fake.connection())
        event = asyncio.run(OutboundTemplateTrigger(template_name="n7").wait(asleep, world.now))
    assert event.payload["status"] == "success"
    assert world.slept == [60] * 5
    assert world.time < found


@pytest.mark.fault("A8")
def test_rotated_secret_is_read(mode: str, world: AirflowClock, connect: Connect) -> None:
    with Fake(appears(world, 100), token=[{"access_token": "old"}, {"access_token": "new"}]) as fake:
        connect(fake.connection())
        world.then = partial(connect, fake.connection(password="rotated"))
        assert wait(mode, world) == FOUND
    logins = [hit.body for hit in fake.hits if hit.kind == "token"]
    assert "rotated" not in logins[0]
    assert "rotated" in logins[-1]


def test_channel_that_liveperson_does_not_list_is_warned_of_once(
    mode: str, world: AirflowClock, connect: Connect, logs: Logs
) -> None:
    with Fake([[]]) as fake:
        connect(fake.connection())
        with pytest.raises(AirflowSensorTimeout, match="none of 0 configurations"):
            wait(mode, world, channel="whatsapp", timeout=100)
    warnings = [line for line in logs() if line.startswith("WARNING Unknown channel 'whatsapp': ")]
    assert len(warnings) == 1


def test_token_is_kept_between_looks(world: AirflowClock, connect: Connect) -> None:
    for mode, logins in (("poke", 1), ("deferred", 2)):  # deferred: one for the worker, one for the triggerer
        world.begun = world.time
        with Fake(appears(world, 150)) as fake:
            connect(fake.connection())
            wait(mode, world)
        assert fake.kinds().count("token") == logins


@pytest.mark.fault("W6")
def test_cancelled_trigger_leaves_nothing_behind(connect: Connect) -> None:
    async def cancel() -> None:
        trigger = OutboundTemplateTrigger(template_name="n7")
        looked = asyncio.Event()

        async def sleep(seconds: float) -> None:
            if seconds:
                looked.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(trigger.wait(sleep))
        await looked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    with Fake([[]]) as fake:
        connect(fake.connection())
        asyncio.run(cancel())
    gc.collect()  # an unclosed socket or session would warn, and warnings are errors here
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("outbound")]


@pytest.mark.fault("W7")
@pytest.mark.parametrize(
    "event",
    [
        None,
        {},
        "success",
        [],
        {"status": "ok", "template": {}},
        {"status": "success"},
        {"status": "Success", "template": {}},
        {"status": "timeout"},
        {"status": "error"},
        {"status": "error", "message": None},
    ],
)
@pytest.mark.parametrize("soft_fail", [False, True])
def test_only_the_success_word_is_success(event: Any, soft_fail: bool) -> None:
    sensor = OutboundTemplateSensor(task_id="wait", template_name="n7", deferrable=True, soft_fail=soft_fail)
    with pytest.raises(AirflowFailException, match="which this sensor can't read"):
        sensor.resume_execution("execute_complete", {"event": event}, {})


@pytest.mark.fault("S1")
def test_nothing_stored_or_logged_shows_a_secret(
    mode: str, world: AirflowClock, connect: Connect, logs: Logs
) -> None:
    canary = "canary-token-77"
    with Fake(appears(world, 100), token=[{"access_token": canary}]) as fake:
        connect(fake.connection())
        sensor = OutboundTemplateSensor(task_id="wait", template_name="n7", deferrable=True)
        with pytest.raises(TaskDeferred) as deferred:
            sensor.execute({})
        trigger: Any = deferred.value.trigger
        event = asyncio.run(trigger.wait(world.apass, world.now))
        result = wait(mode, world)
    shown = [*logs(), repr(sensor), repr(trigger), repr(trigger.serialize()), repr(event), repr(result)]
    shown += [repr(value) for value in vars(trigger).values()]
    assert any(header.headers.get("authorization") == f"Bearer {canary}" for header in fake.hits)
    assert not [text for text in shown if SECRET in text or canary in text]


def test_made_without_asking_anything() -> None:
    OutboundTemplateSensor(task_id="wait", template_name="{{ params.name }}", outbound_conn_id="nowhere")
    assert {"template_name", "fingerprint", "updated_after"} <= set(OutboundTemplateSensor.template_fields)
