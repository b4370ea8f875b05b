"""The trigger that watches for changes: what it tells, and that nothing is lost when it is killed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time.comms import ErrorResponse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from airflow_provider_outbound.assets import template_asset
from airflow_provider_outbound.baseline import PART, Baseline
from airflow_provider_outbound.errors import ConfigError
from airflow_provider_outbound.model.changes import States, read_states
from airflow_provider_outbound.model.codec import encode
from airflow_provider_outbound.triggers import OutboundTemplateEventTrigger, OutboundTemplateTrigger
from tests.clock import World
from tests.fake import Fake, Hit, Reply, bare, configuration, paged

Connect = Callable[..., str]
Items = list[dict[str, Any]]


SOURCE = "liveperson_outbound_default/"


class Killed(BaseException):
    """The process was killed here."""


class Airflow:
    """As much of a triggerer as an event meets: a runner's queue, a supervisor, the database, and the state store.

    An event is in the database when the runner has sent it, in its next second, and the supervisor then answers.

    :param kills: numbers of the steps at which the process is killed.
    """

    def __init__(self, *kills: int) -> None:
        self.kills, self.steps = set(kills), 0
        self.queue: list[Any] = []
        self.sent: list[Any] = []
        self.told: list[Any] = []  # what is in the database
        self.values: dict[str, str] = {}
        self.fails = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps in self.kills:
            raise Killed

    async def aget(self, key: str, default: Any = None) -> Any:
        self.step()
        self.told += self.sent
        self.sent.clear()
        return json.loads(self.values[key]) if key in self.values else default

    async def aset(self, key: str, value: Any) -> None:
        self.step()
        if self.fails:
            self.fails -= 1
            raise AirflowRuntimeError(ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail={"reason": "down"}))
        self.values[key] = json.dumps(value)
        assert json.loads(self.values[key]) == value  # Airflow refuses what is no plain JSON, such as a tuple

    async def adelete(self, key: str) -> None:
        self.step()
        self.values.pop(key, None)

    def restart(self) -> None:
        """Lose what the killed processes held."""
        self.queue.clear()
        self.sent.clear()

    def __getitem__(self, asset: Asset) -> Airflow:
        return {"watched": self}[asset.name]

    async def run(self, world: World, **arguments: Any) -> None:
        """Run a watch as the triggerer does, until it is killed."""
        trigger = OutboundTemplateEventTrigger(**{"asset_name": "watched", **arguments})
        trigger.asset_state_store = self  # type: ignore[assignment]

        async def sleep(seconds: float) -> None:
            self.step()
            await world.sleep(seconds)
            self.sent += self.queue
            self.queue.clear()

        async for event in trigger.watch(sleep, world.now):
            self.queue.append(event.payload)
            self.step()


def watched(
    connect: Connect,
    script: Callable[[Hit], Any] | list[Any],
    airflow: Airflow,
    changes: dict[int, Callable[[], object]],
    until: float = 1000,
    **arguments: Any,
) -> Fake:
    """Run one watch for a time, and make changes at some seconds."""

    async def story() -> None:
        world = World()
        task = world.start(airflow.run(world, **arguments))
        for second, change in sorted(changes.items()):
            await world.run(second)
            change()
        await world.run(until)
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and task.exception():
            raise task.exception()  # type: ignore[misc]

    with Fake(script) as fake:
        connect(fake.connection())
        asyncio.run(story())
    return fake


def shown(airflow: Airflow) -> list[tuple[str, str, list[str]]]:
    return [(event["kind"], event["name"], event["fields"]) for event in airflow.told]


def test_each_change_is_one_event(connect: Connect) -> None:
    items, airflow = [configuration(number) for number in range(3)], Airflow()

    def change() -> None:
        items[0] = configuration(0, updatedAt="2026-05-05")
        items[2] = configuration(7)

    fake = watched(connect, paged(items), airflow, {100: change})
    assert shown(airflow) == [("updated", "n0", ["updatedAt"]), ("created", "n7", []), ("removed", "n2", [])]
    first = airflow.told[0]
    assert {**first, "event_id": ""} == {
        "event_id": "",
        "kind": "updated",
        "id": "id-0",
        "name": "n0",
        "channels": ["wa"],
        "languages": ["en"],
        "fields": ["updatedAt"],
        "outbound_conn_id": "liveperson_outbound_default",
    }
    assert len({event["event_id"] for event in airflow.told}) == 3
    assert "Hi " not in json.dumps([airflow.told, airflow.values])  # no contents
    assert fake.kinds().count("token") == 1


def test_what_exists_fires_only_if_asked(connect: Connect) -> None:
    for existing in (False, True):
        airflow = Airflow()
        watched(connect, paged([configuration(1)]), airflow, {}, existing=existing)
        assert shown(airflow) == ([("created", "n1", [])] if existing else [])


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, ["n1", "n2", "m3"]),
        ({"template_name": "n*"}, ["n1", "n2"]),
        ({"template_name": "t3"}, ["m3"]),  # the templatename
        ({"template_name": "N*"}, []),
        ({"channel": "sms-twilio"}, ["n2"]),
        ({"language": "en"}, ["n1", "m3"]),
        ({"channel": "wa", "language": "de"}, []),
        ({"kinds": ["removed", "created"]}, []),
        ({"kinds": "updated"}, ["n1", "n2", "m3"]),
    ],
)
def test_filters(connect: Connect, filters: dict[str, Any], names: list[str]) -> None:
    sms = {"type": "sms-twilio", "language": "de", "messageComponents": []}
    items = [configuration(1), configuration(2, channels=[sms]), configuration(3, name="m3")]
    airflow = Airflow()

    def update() -> None:
        items[:] = [{**item, "updatedAt": "2026-05-05"} for item in items]

    watched(connect, paged(items), airflow, {100: update}, **filters)
    assert [event["name"] for event in airflow.told] == names


def test_a_rename_is_meant_by_the_old_name_and_by_the_new(connect: Connect) -> None:
    for pattern in ("n1", "renamed"):
        items, airflow = [configuration(1)], Airflow()
        watched(
            connect,
            paged(items),
            airflow,
            {100: lambda items=items: items.__setitem__(0, configuration(1, name="renamed"))},
            template_name=pattern,
        )
        assert shown(airflow) == [("updated", "renamed", ["name"])]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    edits=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=8),
    kills=st.lists(st.integers(3, 60), max_size=5),
)
def test_no_change_is_missed_however_the_process_is_killed(
    connect: Connect, edits: list[tuple[int, int]], kills: list[int]
) -> None:
    """An edit gives a configuration a new state, or none; between two edits, the watch runs or is dead."""
    airflow, expected, items = Airflow(), set(), {0: 0, 1: 0}
    listed: Items = []

    def relist() -> None:
        listed[:] = [
            configuration(number, updatedAt=f"2026-01-01T00:00:{state:02}Z") for number, state in items.items()
        ]

    async def live(seconds: float) -> None:
        world = World()
        task = world.start(airflow.run(world))
        await world.run(seconds)
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            assert isinstance(task.exception(), Killed)
        airflow.restart()

    relist()
    with Fake(lambda hit: paged(listed)(hit)) as fake:
        connect(fake.connection())
        asyncio.run(live(100))
        airflow.kills = {airflow.steps + kill for kill in kills}
        for state, (number, deed) in enumerate(edits, 1):
            kind = ("updated" if number in items else "created") if deed else "removed"
            if deed:
                items[number] = state
            elif items.pop(number, None) is None:
                continue
            expected.add((kind, f"n{number}", state))
            relist()
            for _ in range(1 + len(kills)):
                asyncio.run(live(61))  # at least one of them is not killed
        for _ in range(2):
            asyncio.run(live(200))
    told = {(event["kind"], event["name"], event["event_id"]) for event in airflow.told}
    assert sorted(kind_name[:2] for kind_name in told) == sorted(each[:2] for each in expected)


def test_without_a_store_the_loss_is_said_once(connect: Connect) -> None:
    items, airflow = [configuration(1)], Airflow()
    with capture_logs() as logs:
        watched(connect, paged(items), airflow, {100: lambda: items.append(configuration(2))}, asset_name="other")
    (warning,) = [log["event"] for log in logs if log["log_level"] == "warning" and "Asset" in log["event"]]
    assert "use Airflow 3.3 or later" in warning
    assert airflow.values == {}
    assert [event["name"] for event in airflow.sent] == ["n2"]  # no store, so nobody sees it arrive


def test_errors_of_any_kind_end_no_watch(connect: Connect) -> None:
    items, airflow = [configuration(1)], Airflow()
    down: list[Reply] = [Reply(503, b"")]

    def script(hit: Hit) -> Any:
        return down[0] if down else paged(items)(hit)

    def heal() -> None:
        down.clear()
        items.append(configuration(2))

    with capture_logs() as logs:
        watched(
            connect,
            script,
            airflow,
            {
                30: lambda: down.clear(),
                90: lambda: down.append(Reply(403, b"")),
                200: heal,
            },
        )
    levels = {log["log_level"] for log in logs if "Could not look for changes" in log["event"]}
    assert levels == {"warning", "error"}
    assert shown(airflow) == [("created", "n2", [])]


def test_a_store_that_fails_is_tried_again_before_more_is_told(connect: Connect) -> None:
    items, airflow = [configuration(1)], Airflow()

    def change() -> None:
        items.append(configuration(2))
        airflow.fails = 3

    with capture_logs() as logs:
        watched(connect, paged(items), airflow, {100: change, 150: lambda: items.append(configuration(3))})
    assert shown(airflow) == [("created", "n2", []), ("created", "n3", [])]
    assert sum("state store failed" in log["event"] for log in logs) == 3


def test_a_stored_state_that_cannot_be_read_begins_anew(connect: Connect) -> None:
    head = {"epoch": "e", "number": 1, "parts": ["baseline/x/0"]}
    for broken in ({"number": 1}, "text", head, {**head, "parts": 2}):
        airflow = Airflow()
        watched(connect, paged([configuration(1)]), airflow, {})
        (key,) = [key for key in airflow.values if not key.endswith("/0")]
        airflow.values[key] = json.dumps(broken)
        with capture_logs() as logs:
            watched(connect, paged([configuration(1)]), airflow, {})
        assert any("the watch starts over" in log["event"] for log in logs)
        assert airflow.told == []


def test_a_large_baseline_is_spread_over_values_below_64_kb() -> None:
    store = Airflow()
    states = read_states([encode(configuration(number, x=str(number))) for number in range(5000)], [])

    async def story() -> None:
        await Baseline(store, SOURCE).keep(states)
        read = Baseline(store, SOURCE)
        await read.load()
        assert read.states == states

    asyncio.run(story())
    assert 3 < len(store.values) < 40
    assert max(map(len, store.values.values())) <= PART + 2


def test_a_baseline_that_was_half_written_leaves_the_one_before() -> None:
    old, new = (
        read_states([encode(configuration(number, x=f"{text}{number}")) for number in range(2000)], [])
        for text in ("old", "new")
    )

    async def story(kill: int) -> bool:
        store = Airflow()
        baseline = Baseline(store, SOURCE)
        await baseline.keep(old)
        store.kills = {store.steps + kill}
        with suppress(Killed):
            await baseline.keep(new)
        store.kills.clear()
        read = Baseline(store, SOURCE)
        await read.load()
        assert read.states in (old, new)
        return read.states == old

    assert {asyncio.run(story(kill)) for kill in range(1, 16)} == {True, False}


class PausedOnce(Airflow):
    """The same store as another one's, for a triggerer that is paused before one of its calls."""

    def __init__(self, store: Airflow, pause: int) -> None:
        super().__init__()
        self.values, self.pause = store.values, pause
        self.paused, self.awake = asyncio.Event(), asyncio.Event()

    async def aget(self, key: str, default: Any = None) -> Any:
        await self._pause()
        return await super().aget(key, default)

    async def aset(self, key: str, value: Any) -> None:
        await self._pause()
        await super().aset(key, value)

    async def adelete(self, key: str) -> None:
        await self._pause()
        await super().adelete(key)

    async def _pause(self) -> None:
        if self.steps + 1 == self.pause:
            self.paused.set()
            await self.awake.wait()


def test_a_paused_triggerer_that_wakes_leaves_the_baseline_of_the_one_that_took_over() -> None:
    first, second, third = (
        read_states([encode(configuration(number, x=f"{text}{number}")) for number in range(1500)], {})
        for text in ("first", "second", "third")
    )

    async def story(pause: int) -> tuple[bool, States | None]:
        """Pause one triggerer before a call; another takes over and writes the third. Then the first writes on."""
        store = Airflow()
        await Baseline(store, SOURCE).keep(first)
        slow = PausedOnce(store, pause)
        woken, other = Baseline(slow, SOURCE), Baseline(store, SOURCE)

        async def wake() -> bool:
            await woken.load()
            return await woken.keep(second)

        task = asyncio.create_task(wake())
        await slow.paused.wait()
        await other.load()
        await other.keep(third)
        slow.awake.set()
        kept = await task
        assert len(store.values) == 4  # a head and three parts: nothing is left behind
        read = Baseline(store, SOURCE)
        await read.load()
        return kept, read.states

    reading, writing, deleting = (
        range(1, 6),
        range(6, 10),
        range(11, 14),
    )  # 10 writes the head, just after the look
    for pauses, expected in ((reading, (True, second)), (writing, (False, third)), (deleting, (True, third))):
        for pause in pauses:
            assert asyncio.run(story(pause)) == expected, pause


def test_looks_are_counted_from_the_poll_also_after_events(connect: Connect) -> None:
    items, airflow = [configuration(1)], Airflow()
    changes = {100: lambda: items.append(configuration(2)), 170: lambda: items.append(configuration(3))}
    watched(connect, paged(items), airflow, changes, until=181)  # looks at 0, 60, 120 and 180 seconds
    assert [event["name"] for event in airflow.told + airflow.sent + airflow.queue] == ["n2", "n3"]


def test_the_same_change_at_another_time_is_another_event(connect: Connect) -> None:
    one, other = configuration(1), configuration(1, name="other")
    items, airflow = [one], Airflow()
    there, back = (lambda item=item: items.__setitem__(0, item) for item in (other, one))
    watched(connect, paged(items), airflow, {100: there, 200: back, 300: there, 400: back})
    assert len({event["event_id"] for event in airflow.told}) == len(airflow.told) == 4


def test_a_watch_that_begins_anew_gives_other_ids(connect: Connect) -> None:
    items, ids = [configuration(1)], []
    for _ in range(2):
        airflow = Airflow()
        watched(connect, paged(items), airflow, {}, existing=True)
        ids += [event["event_id"] for event in airflow.told]
    assert len(set(ids)) == 2


def test_kinds_are_in_one_order_and_names_are_bounded(connect: Connect) -> None:
    trigger = OutboundTemplateEventTrigger(asset_name="a", kinds={"removed", "created"})
    assert trigger.kinds == ["created", "removed"]
    deep = {"x" * 100_000: {"y" * 100_000: [1]}}
    items, airflow = [configuration(1, name="n" * 1_000_000, **deep)], Airflow()
    change = lambda: items.__setitem__(0, configuration(1, name="n" * 1_000_000))  # noqa: E731
    watched(connect, paged(items), airflow, {100: change})
    assert len(json.dumps(airflow.told)) < 3000


def test_channels_and_languages_of_an_event_are_bounded(connect: Connect) -> None:
    many = [{"type": f"t{number}", "language": f"l{number}"} for number in range(5000)]
    items: Items = []
    airflow = Airflow()
    watched(connect, paged(items), airflow, {100: lambda: items.append(configuration(1, channels=many))})
    (event,) = airflow.told
    assert event["channels"] == [f"t{number}" for number in range(100)]
    assert event["languages"] == [f"l{number}" for number in range(100)]


def test_equal_changes_of_items_without_an_id_are_events_of_their_own(connect: Connect) -> None:
    items: Items = []
    airflow = Airflow()
    watched(connect, paged(items), airflow, {100: lambda: items.extend([bare(1), bare(1)])})
    assert shown(airflow) == [("created", "t1", [])] * 2
    assert len({event["event_id"] for event in airflow.told}) == 2


def test_a_watch_of_nothing_says_so(connect: Connect) -> None:
    with capture_logs() as logs:
        watched(connect, paged([]), Airflow(), {}, channel="WA")
        watched(connect, paged([configuration(1)]), Airflow(), {})
    assert [log["event"] for log in logs if " 0 configurations, " in log["event"]] == [
        "Asset watched: 0 configurations, channel WA. Check that and the Connection's host"
    ]


def test_assets_and_gates_share_one_poll(connect: Connect) -> None:
    async def story() -> None:
        world = World()
        tasks = [
            world.start(airflow.run(world, template_name=f"n{number}*")) for number, airflow in enumerate(airflows)
        ]
        gate: Awaitable[Any] = OutboundTemplateTrigger(template_name="later").wait(world.sleep, world.now)
        tasks.append(world.start(gate))  # type: ignore[arg-type]
        await world.run(600)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    airflows = [Airflow() for _ in range(20)]
    with Fake(paged([configuration(number) for number in range(30)])) as fake:
        connect(fake.connection())
        asyncio.run(story())
    assert fake.kinds().count("list") <= 3 * 11  # a page and two calls that prove the end, once a minute
    assert fake.kinds().count("token") == 1


def test_template_asset_makes_a_trigger_of_its_own_for_each_asset() -> None:
    assets = [
        template_asset(name, "brand one", template_name="spring_*", kinds=["removed"]) for name in ("a", "b c")
    ]
    assert [asset.uri for asset in assets] == [
        "liveperson-outbound://brand%20one/watched/a",
        "liveperson-outbound://brand%20one/watched/b%20c",
    ]
    triggers = [asset.watchers[0].trigger for asset in assets]
    paths, arguments = zip(*(trigger.serialize() for trigger in triggers), strict=True)
    assert arguments[0] == {
        "asset_name": "a",
        "template_name": "spring_*",
        "channel": None,
        "language": None,
        "kinds": ["removed"],
        "existing": False,
        "outbound_conn_id": "brand one",
        "poke_interval": 60.0,
    }
    hashes = {OutboundTemplateEventTrigger.hash(path, each) for path, each in zip(paths, arguments, strict=True)}
    assert len(hashes) == 2


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"kinds": []}, "give one or more of created, updated, removed"),
        ({"kinds": None}, "give one or more of created, updated, removed"),
        ({"kinds": [["created"]]}, "give one or more of created, updated, removed"),
        ({"outbound_conn_id": None}, "outbound_conn_id is None: give text that is not empty"),
        ({"outbound_conn_id": " "}, "outbound_conn_id is ' ': give text that is not empty"),
        ({"name": 5}, "asset_name is 5: give text that is not empty"),
        ({"kinds": ["changed"]}, "give one or more of created, updated, removed"),
        ({"template_name": " "}, "template name is ' '"),
        ({"channel": "../x"}, "channel is '../x'"),
        ({"language": ""}, "template language is ''"),
        ({"poke_interval": 0}, "poke_interval is 0: give a number of seconds above 0"),
        ({"poke_interval": "60"}, "poke_interval is '60'"),
        ({"poke_interval": float("nan")}, "poke_interval is nan"),
    ],
)
def test_what_nothing_can_meet_is_refused_where_the_asset_is_made(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words.replace("[", r"\[")):
        template_asset(**{"name": "a", **deepcopy(wrong)})
