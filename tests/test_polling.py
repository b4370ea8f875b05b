"""Many triggers on one event loop: one poll and one token for all; each has its own criteria, interval, event."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog
from airflow.triggers.base import TriggerEvent
from structlog.testing import capture_logs

from airflow_provider_outbound import polling
from airflow_provider_outbound.errors import ConfigError, ConnectionNotFound, NetworkError
from airflow_provider_outbound.model.codec import decode, split
from airflow_provider_outbound.model.items import Record
from airflow_provider_outbound.model.matching import Criteria, TemplateIndex
from airflow_provider_outbound.polling import LONGEST_OUTAGE, Gate
from airflow_provider_outbound.triggers import OutboundTemplateTrigger
from tests.clock import BEGIN, World
from tests.fake import Fake, Hit, Reply, configuration, grant, paged

Connect = Callable[..., str]


class HeldBack:
    """Answers that wait until they may go on, once they are asked for."""

    def __init__(self, answer: Callable[[Hit], Any]) -> None:
        self._answer = answer
        self.asked, self.go_on = threading.Event(), threading.Event()

    def __call__(self, hit: Hit) -> Any:
        self.asked.set()
        self.go_on.wait(5)
        return self._answer(hit)


def trigger(number: int = 0, **more: Any) -> OutboundTemplateTrigger:
    deadline = BEGIN + timedelta(seconds=more.pop("timeout", 1000))
    return OutboundTemplateTrigger(**{"template_name": f"n{number}", "deadline": deadline, **more})


def start(world: World, trigger: OutboundTemplateTrigger) -> asyncio.Task[TriggerEvent]:
    return world.start(trigger.wait(world.sleep, world.now))


def in_world(story: Callable[[World], Awaitable[None]]) -> None:
    """Run a story on a loop of its own, and see that it leaves nothing behind."""

    async def live() -> None:
        await story(World())
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert not polling._POLLERS

    asyncio.run(live())
    for thread in threading.enumerate():
        if thread.name.startswith("outbound"):  # of a cancelled poll, whose request was under way
            thread.join(10)
            assert not thread.is_alive()
    gc.collect()  # an unclosed socket or a lost exception would warn, and warnings are errors here


@pytest.mark.fault("W4")
def test_one_poll_per_interval_and_one_token_for_all(connect: Connect) -> None:
    async def story(world: World) -> None:
        others = [configuration(number) for number in range(1000, 1090)]

        def listing(hit: Hit) -> Any:
            here = [configuration(number) for number in range(300)] if world.elapsed >= 290 else others
            return paged(here)(hit)

        with Fake(listing) as fake:
            connect(fake.connection(extra={"page_size": 1000}))
            # They join at all times of the first minute.
            tasks = [
                start(world, trigger(number, next_look=BEGIN + timedelta(seconds=number / 5)))
                for number in range(300)
            ]
            await world.run()
            found = [task.result().payload["template"]["name"] for task in tasks]
        assert found == [f"n{number}" for number in range(300)]
        assert world.elapsed < 290 + 61
        polls = fake.kinds().count("list") / 3  # a page, and two calls that prove the end
        assert polls <= 1 + world.elapsed / 60
        assert fake.kinds().count("token") == 1

    in_world(story)


@pytest.mark.fault("W4")
def test_each_keeps_its_own_interval_deadline_and_criteria(connect: Connect) -> None:
    async def story(world: World) -> None:
        with Fake(paged([configuration(number) for number in range(5)])) as fake:
            connect(fake.connection())
            there = start(world, trigger(3))
            elsewhere = start(world, trigger(3, language="de", timeout=100))
            quick = start(world, trigger(99, poke_interval=10, timeout=205))
            slow = start(world, trigger(99, poke_interval=300, timeout=305))
            ends = {}
            for name, task in (("there", there), ("elsewhere", elsewhere), ("quick", quick), ("slow", slow)):
                task.add_done_callback(lambda _, name=name: ends.setdefault(name, world.elapsed))
            await world.run()
        assert there.result().payload["status"] == "success"
        assert "n3 is in wa/en, not in de" in elsewhere.result().payload["seen"]
        assert quick.result().payload["status"] == slow.result().payload["status"] == "timeout"
        assert ends["there"] == 0
        assert 100 < ends["elsewhere"] <= 160
        assert 205 < ends["quick"] <= 215
        assert 305 < ends["slow"] <= 605
        assert fake.kinds().count("token") == 1

    in_world(story)


@pytest.mark.fault("W4")
@pytest.mark.parametrize(
    "scripts", [{"listing": [Reply(403, b"")]}, {"token": [Reply(401, b"")]}, {"listing": [Reply(body=b"<html>")]}]
)
def test_permanent_error_reaches_all_once_each(connect: Connect, scripts: dict[str, Any]) -> None:
    async def story(world: World) -> None:
        with Fake(**scripts) as fake:
            connect(fake.connection())
            tasks = [start(world, trigger(number)) for number in range(50)]
            await world.run()
        messages = {task.result().payload["message"] for task in tasks}
        assert len(messages) == 1
        assert fake.kinds().count("list") <= 1
        assert fake.kinds().count("token") == 1

    in_world(story)


@pytest.mark.fault("W4")
def test_transient_error_is_one_look_for_all(connect: Connect) -> None:
    async def story(world: World) -> None:
        with Fake([Reply(503, b"")]) as fake:
            connect(fake.connection())
            tasks = [start(world, trigger(number, timeout=290)) for number in range(50)]
            await world.run()
        assert all("Could not look for n" in task.result().payload["seen"] for task in tasks)
        assert fake.kinds().count("list") <= 1 + world.elapsed / 60

    in_world(story)


@pytest.mark.fault("W4")
def test_other_accounts_and_channels_are_polled_apart(connect: Connect) -> None:
    async def story(world: World) -> None:
        with Fake([[]]) as one, Fake([[]]) as other:
            connect(one.connection())
            connect(other.connection(), "other")
            start(world, trigger(timeout=10))
            start(world, trigger(channel="wa", timeout=10))
            start(world, trigger(outbound_conn_id="other", timeout=10))
            await world.run()
        assert {hit.path.rpartition("/")[2] for hit in one.hits if hit.kind == "list"} == {"list", "wa"}
        assert other.kinds()[:2] == ["token", "list"]

    in_world(story)


@pytest.mark.fault("W4")
def test_channels_of_an_account_share_its_token(connect: Connect) -> None:
    async def story(world: World) -> None:
        with Fake(paged([configuration(1)])) as fake:
            connect(fake.connection())
            channels = (None, "wa", "inapp")
            tasks = [start(world, trigger(2, channel=channel, timeout=100)) for channel in channels * 5]
            await world.run()
        assert all(task.result().payload["status"] == "timeout" for task in tasks)
        assert fake.kinds().count("token") == 1
        paths = [hit.path.rpartition("/")[2] for hit in fake.hits if hit.kind == "list"]
        polls = {path: paths.count(path) / 3 for path in paths}  # a page, and two calls that prove the end
        assert polls == {"list": 3, "wa": 3, "inapp": 3}  # at 0, 60 and 120 s

    in_world(story)


@pytest.mark.fault("W4")
def test_a_channel_is_forgotten_with_its_last_trigger(connect: Connect) -> None:
    async def story(world: World) -> None:
        with Fake([[]]) as fake:
            connect(fake.connection())
            start(world, trigger(1, timeout=200))
            start(world, trigger(1, channel="wa", timeout=10))
            await world.run(until=30)
            (poller,) = polling._POLLERS.values()
            assert poller._last.keys() == {None, "wa"}
            await world.run(until=150)
            assert poller._last.keys() == {None}
            await world.run()

    in_world(story)


@pytest.mark.fault("W4")
def test_the_loop_runs_between_any_two_looks(connect: Connect) -> None:
    async def story(world: World) -> None:
        looks = [0]
        bells = [asyncio.Event() for _ in range(3)]

        async def look() -> None:
            async with polling.subscribe("liveperson_outbound_default", None) as poller:
                for bell in bells:
                    await poller.poll(None, 60, world.now)
                    looks[-1] += 1
                    await bell.wait()

        with Fake([[]]) as fake:
            connect(fake.connection())
            tasks = [asyncio.create_task(look()) for _ in range(50)]
            for number, bell in enumerate(bells, start=1):
                while sum(looks) < 50 * number:
                    looks.append(0)
                    await asyncio.sleep(0)
                bell.set()  # all wake at once
            await asyncio.wait(tasks)
        assert max(looks) == 1
        assert fake.kinds().count("list") == 2  # one poll: an empty listing is read twice

    in_world(story)


@pytest.mark.fault("W4")
def test_no_log_line_is_written_on_the_loop(connect: Connect) -> None:
    """A triggerer's log goes through a pipe, which holds up whoever writes while it is full."""
    threads: list[threading.Thread] = []

    def note(logger: Any, method: str, event: Any) -> Any:
        if "according to RFC3986" not in event["event"]:  # Airflow 3.1 about the _ in the connection's type
            threads.append(threading.current_thread())
        return event

    async def story(world: World) -> None:
        with Fake([[]]) as fake, capture_logs():
            structlog.get_config()["processors"].insert(0, note)
            connect(fake.connection())
            start(world, trigger(timeout=100))
            await world.run()

    in_world(story)
    assert len(threads) == 2
    assert threading.main_thread() not in threads


@pytest.mark.fault("W4")
def test_poll_is_shared_by_all_who_asked_before_its_end(connect: Connect) -> None:
    async def story(world: World) -> None:
        def later() -> datetime:
            world.time += timedelta(seconds=1)
            return world.time

        with Fake([[]]) as fake:
            connect(fake.connection())
            triggers = [trigger(number, poke_interval=1, timeout=5) for number in range(10)]
            events = await asyncio.gather(*(each.wait(now=later) for each in triggers))
        assert all(event.payload["status"] == "timeout" for event in events)
        assert fake.kinds() == ["token", "list", "list"]  # one poll: an empty listing is read twice

    in_world(story)


@pytest.mark.fault("W6")
@pytest.mark.parametrize("leaving", [1, 3])
def test_cancelled_at_any_moment(connect: Connect, leaving: int) -> None:
    async def leave_after(passes: int) -> None:
        with Fake(paged([configuration(1)])) as fake:
            connect(fake.connection())
            channels = (None, None, "wa", None, "wa")
            tasks = [asyncio.create_task(trigger(1, channel=channel).wait()) for channel in channels]
            for _ in range(passes):
                await asyncio.sleep(0)
            for task in tasks[:leaving]:
                task.cancel()
            await asyncio.wait(tasks)
        assert all(task.cancelled() or task.result() for task in tasks[:leaving])
        assert all(task.result().payload["status"] == "success" for task in tasks[leaving:])
        assert fake.kinds().count("token") == 1
        assert fake.kinds().count("list") <= 6  # one poll of each channel

    async def story(world: World) -> None:
        # So many passes of the loop: before its turn, in it, while it polls, while another does, and after.
        for passes in (*range(12), 20, 50, 100, 200, 500, 1000, 2000):
            await leave_after(passes)

    in_world(story)


@pytest.mark.fault("W6")
def test_one_that_is_cancelled_does_not_take_the_poll_from_the_others(connect: Connect) -> None:
    async def story(world: World) -> None:
        slow = HeldBack(paged([configuration(1)]))

        with Fake(slow) as fake:
            connect(fake.connection())
            first, second = start(world, trigger(1)), start(world, trigger(1))
            life = asyncio.create_task(world.run())
            await asyncio.to_thread(slow.asked.wait, 5)
            first.cancel()
            slow.go_on.set()
            await life
        assert first.cancelled()
        assert second.result().payload["status"] == "success"
        assert fake.kinds().count("token") == 1

    in_world(story)


@pytest.mark.fault("W6")
def test_all_are_cancelled_while_a_poll_is_under_way(connect: Connect) -> None:
    async def story(world: World) -> None:
        slow = HeldBack(lambda hit: grant())

        with Fake(token=slow) as fake:
            connect(fake.connection())
            tasks = [start(world, trigger(number)) for number in range(10)]
            life = asyncio.create_task(world.run())
            await asyncio.to_thread(slow.asked.wait, 5)
            for task in tasks:
                task.cancel()
            await life
            slow.go_on.set()
        assert all(task.cancelled() for task in tasks)

    in_world(story)


@pytest.mark.fault("W6")
def test_cancelled_while_another_polls(connect: Connect) -> None:
    """It waits for its turn; so does one of another channel, which must not begin a second poll meanwhile."""

    async def story(world: World) -> None:
        slow = HeldBack(lambda hit: grant())

        with Fake(paged([configuration(1)]), token=slow) as fake:
            connect(fake.connection())
            polls, waits = start(world, trigger(1)), start(world, trigger(1))
            goes_on = start(world, trigger(1, channel="wa"))
            life = asyncio.create_task(world.run())
            await asyncio.to_thread(slow.asked.wait, 5)
            waits.cancel()
            polls.cancel()
            await asyncio.wait([waits, polls])
            assert fake.kinds() == ["token"]
            (poller,) = polling._POLLERS.values()
            slow.go_on.set()
            await life
        assert not poller._last  # of what nobody waits for any more
        assert waits.cancelled()
        assert goes_on.result().payload["status"] == "success"
        assert fake.kinds().count("token") == 1

    in_world(story)


@pytest.mark.fault("A8")
def test_rotated_secret_is_read_by_the_next_poll(connect: Connect) -> None:
    async def story(world: World) -> None:
        with Fake([[]]) as fake:
            connect(fake.connection())
            tasks = [start(world, trigger(number, timeout=100)) for number in range(20)]
            await world.run(until=30)
            connect(fake.connection(password="rotated"))
            await world.run()
        assert all(task.result().payload["status"] == "timeout" for task in tasks)
        logins = ["rotated" in hit.body for hit in fake.hits if hit.kind == "token"]
        assert logins == [False, True]

    in_world(story)


def test_world_is_fair() -> None:
    """The clock itself: two sleepers wake in order, at their times."""

    async def story(world: World) -> None:
        woken: list[tuple[str, float]] = []

        async def nap(name: str, seconds: float) -> None:
            await world.sleep(seconds)
            woken.append((name, world.elapsed))

        world.start(nap("late", 20))
        world.start(nap("early", 10))
        await world.run()
        assert woken == [("early", 10.0), ("late", 20.0)]

    in_world(story)


@pytest.mark.fault("W8")
@pytest.mark.parametrize("gone", [60, 500])
def test_a_connection_that_is_missing_for_some_minutes_is_waited_for(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, gone: float
) -> None:
    async def story(world: World) -> None:
        with Fake(lambda hit: paged([configuration(7)] if world.elapsed > 600 else [])(hit)) as fake:
            connect(fake.connection())
            waits = start(world, trigger(7, timeout=10_000))
            await world.run(until=30)
            monkeypatch.delenv("AIRFLOW_CONN_LIVEPERSON_OUTBOUND_DEFAULT")
            await world.run(until=30 + gone)
            connect(fake.connection())
            await world.run()
        assert waits.result().payload["status"] == "success"

    in_world(story)


@pytest.mark.fault("W8")
@pytest.mark.parametrize("restarted", [False, True])
def test_a_connection_that_is_missing_for_ten_minutes_fails(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, restarted: bool
) -> None:
    """Also for a trigger that a triggerer takes over while the Connection is missing."""

    async def story(world: World) -> None:
        with Fake([[]]) as fake:
            connect(fake.connection())
            if restarted:
                monkeypatch.delenv("AIRFLOW_CONN_LIVEPERSON_OUTBOUND_DEFAULT")
            waits = start(world, trigger(timeout=10_000, **({"next_look": BEGIN} if restarted else {})))
            if not restarted:
                await world.run(until=30)
                monkeypatch.delenv("AIRFLOW_CONN_LIVEPERSON_OUTBOUND_DEFAULT")
            await world.run()
        assert waits.result().payload["status"] == "error"
        assert "Airflow found no Connection" in waits.result().payload["message"]
        assert 600 <= world.elapsed <= 720

    in_world(story)


@pytest.mark.fault("W8")
def test_a_gate_counts_an_outage_from_its_beginning() -> None:
    gate, missing = Gate(Criteria("n")), ConnectionNotFound("There is none.")
    with pytest.raises(ConnectionNotFound):  # it was never there
        gate.match(missing, BEGIN)
    assert gate.match(NetworkError("no response"), BEGIN).item is None  # it is
    almost = LONGEST_OUTAGE - timedelta(seconds=1)
    for outage in (BEGIN, BEGIN + 2 * LONGEST_OUTAGE):
        for passed in (timedelta(), almost):
            assert gate.match(missing, outage + passed).seen == "Could not look for n: There is none"
        assert gate.match(TemplateIndex([]), outage + LONGEST_OUTAGE).item is None
    gate.match(missing, BEGIN)
    with pytest.raises(ConnectionNotFound):
        gate.match(missing, BEGIN + LONGEST_OUTAGE)
    with pytest.raises(ConfigError):
        gate.match(ConfigError("login is empty"), BEGIN)


@pytest.mark.fault("W9")
def test_accounts_whose_server_hangs_hold_up_no_other(connect: Connect) -> None:
    go_on = threading.Event()

    def hang(hit: Hit) -> Any:
        if "/account/good/" not in hit.path:
            go_on.wait(100)
        return grant(aud=None)

    async def story(world: World) -> None:
        with Fake(paged([configuration(1)]), token=hang) as fake:
            hanging = []
            for number in range(80):
                conn_id = connect(fake.connection(schema=f"bad{number}"), f"bad{number}")
                hanging.append(asyncio.create_task(trigger(1, outbound_conn_id=conn_id).wait()))
            connect(fake.connection(schema="good"), "good")
            while len(fake.hits) < len(hanging):
                assert not any(task.done() for task in hanging)
                await asyncio.sleep(0.01)
            event = await trigger(1, outbound_conn_id="good").wait()
            all_hung = not any(task.done() for task in hanging)
            for task in hanging:
                task.cancel()
            await asyncio.wait(hanging)
            go_on.set()
        assert event.payload["status"] == "success"
        assert all_hung

    in_world(story)


@pytest.mark.fault("W11")
def test_a_large_listing_is_parsed_and_indexed_off_the_loop(connect: Connect) -> None:
    items = [configuration(number) for number in range(20_000)]
    body = json.dumps(items).encode()
    begun = time.thread_time()
    TemplateIndex(Record(raw, decode(raw)) for raw in split(body))
    work = time.thread_time() - begun

    async def story(world: World) -> None:
        with Fake(paged(items)) as fake:
            connect(fake.connection(extra={"page_size": 1000}))
            begun = time.thread_time()
            event = await trigger(19_999).wait()
            assert event.payload["status"] == "success"
            assert time.thread_time() - begun < work / 2

    in_world(story)


@pytest.mark.fault("W6")
def test_a_cancelled_poll_sends_no_further_request(connect: Connect) -> None:
    async def story(world: World) -> None:
        slow = HeldBack(lambda hit: grant())
        with Fake([[]], token=slow) as fake:
            connect(fake.connection())
            task = asyncio.create_task(trigger(1).wait())
            await asyncio.to_thread(slow.asked.wait, 5)
            task.cancel()
            await asyncio.wait([task])
            slow.go_on.set()
            for thread in threading.enumerate():
                if thread.name == "outbound-poll":
                    thread.join(10)
            assert fake.kinds() == ["token"]

    in_world(story)
