"""Triggers that wait on one event loop: its stalls, their calls, tokens and events.

Run all scenarios three times each, or one of them once:

.. code-block:: bash

    .venv/bin/python -m benchmarks.triggers
    .venv/bin/python -m benchmarks.triggers accounts --repetitions 1

It prints median and worst of each figure, and exits with 1 if the worst misses a bar.

Each repetition runs in a fresh process, and so does the server. The log goes through a pipe as JSON, as a
triggerer's does. A stall is how much longer than asked a sleep of 5 ms lasts.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from benchmarks.bench import ENVIRONMENT, Bench, server
from benchmarks.server import ACCOUNT, CLIENT_ID, CLIENT_SECRET, Case, settings

REPETITIONS = 3
NAP = 0.005  # seconds
INTERVALS = 2.5  # until templates appear
APPEARING = 90  # so many at the most; the deadlines of the other triggers pass meanwhile
COUNT_LINES = "import sys; print(sum(b'gate_' in line for line in sys.stdin.buffer))"
STALL = {"stall_ms": 100.0}
WAITING = {
    "polls": 3,
    "polls_missing": 0,
    "tokens": 1,
    "late_calls": 0,
    "log_lines_missing": 0,
    "events_missing": 0,
}
NINETY = Case(items=90)


@dataclass(frozen=True)
class Scenario:
    """What waits on what.

    :param triggers: how many wait.
    :param accounts: on how many accounts, each with its own Connection.
    :param case: what the server holds of each.
    :param interval: the triggers' ``poke_interval``, in seconds.
    :param extra: of the Connections.
    :param cancelled: cancel all triggers while a request is under way, instead of publishing their templates.
    :param bars: the most that each figure may be.
    """

    triggers: int
    accounts: int = 1
    case: Case = NINETY
    interval: float = 4.0
    extra: dict[str, Any] = field(default_factory=dict)
    cancelled: bool = False
    bars: dict[str, float] = field(default_factory=lambda: {**STALL, **WAITING})


SCENARIOS = {
    "triggers": Scenario(triggers=1000),
    # Fast pages, so that as much as possible is parsed and indexed in a short time.
    "configurations": Scenario(
        triggers=10, case=Case(items=20_000), extra={"page_size": 100, "requests_per_second": 100}
    ),
    "accounts": Scenario(triggers=64, accounts=64),
    "cancelled": Scenario(
        triggers=200,
        case=Case(items=90, latency=2.0),
        cancelled=True,
        bars={**STALL, "return_ms": 1000.0, "late_calls": 0},
    ),
}


def measure(scenario: Scenario, url: str) -> dict[str, float]:
    """Run a scenario on this process's event loop and return the figures.

    :param url: the server.
    """
    os.environ.clear()
    os.environ.update(ENVIRONMENT, AIRFLOW__LOGGING__LOGGING_LEVEL="INFO")
    for number in range(scenario.accounts):
        os.environ[f"AIRFLOW_CONN_ACCOUNT_{number}"] = json.dumps(
            {
                "conn_type": "liveperson_outbound",
                "host": url,
                "schema": f"{int(ACCOUNT) + number}",
                "login": CLIENT_ID,
                "password": CLIENT_SECRET,
                "extra": scenario.extra,
            }
        )
    from airflow.sdk.log import configure_logging

    from airflow_provider_outbound.hooks import OutboundHook

    bench = Bench(url)
    counter = subprocess.Popen(
        [sys.executable, "-c", COUNT_LINES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    configure_logging(json_output=True, output=counter.stdin, sending_to_supervisor=True)
    bench.call("/case", settings(Case(items=scenario.case.items)))
    OutboundHook("account_0").get_configurations()
    one_poll = bench.call("/calls")["list"]
    bench.call("/case", settings(scenario.case))
    gc.collect()
    gc.freeze()  # walking through all that Airflow imports takes more than 100 ms without any trigger
    figures = asyncio.run((cancel if scenario.cancelled else wait)(scenario, bench))
    lines, _ = counter.communicate()
    if not scenario.cancelled:
        polls = round(figures.pop("list_calls") / one_poll / scenario.accounts, 2)
        looks = scenario.triggers * int(polls)
        missing = {"polls_missing": max(0, 1 - polls), "log_lines_missing": max(0, looks - int(lines))}
        figures |= {"polls": polls, **missing}
    return figures


async def wait(scenario: Scenario, bench: Bench) -> dict[str, float]:
    """Let intervals pass, publish templates, and wait for an event of each trigger."""
    stalls: list[tuple[float, float]] = []
    probe = asyncio.create_task(watch_the_loop(stalls))
    deadline = datetime.now(timezone.utc) + timedelta(seconds=scenario.interval * INTERVALS)
    memory, tasks = resident(), await start(scenario, deadline)
    await asyncio.sleep(scenario.interval * INTERVALS)
    memory = resident() - memory
    names = [f"gate_{count}" for count in range(min(scenario.triggers, APPEARING))]
    before = await asyncio.to_thread(bench.call, "/calls")
    await asyncio.to_thread(bench.call, "/publish", json.dumps(names).encode())
    events = await asyncio.gather(*tasks)
    last_event = await asyncio.to_thread(bench.call, "/calls")
    await asyncio.sleep(scenario.interval)
    probe.cancel()
    after = await asyncio.to_thread(bench.call, "/calls")
    successes = [status for status, _ in events].count("success")
    ends = [at for _, at in events]
    return {
        **worst(stalls),
        "list_calls": before["list"],
        "late_calls": after["list"] - last_event["list"],
        "tokens": after["token"] / scenario.accounts,
        "kib_per_trigger": round(memory / scenario.triggers / 1024, 1),
        "events_within_s": round(max(ends) - min(ends), 3),
        "events_missing": len(names) - successes,
    }


async def cancel(scenario: Scenario, bench: Bench) -> dict[str, float]:
    """Cancel all triggers while a list call is under way."""
    stalls: list[tuple[float, float]] = []
    probe = asyncio.create_task(watch_the_loop(stalls))
    tasks = await start(scenario, None)
    while not (await asyncio.to_thread(bench.call, "/calls"))["list"]:
        await asyncio.sleep(scenario.case.latency / 10)
    begun = time.monotonic()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    returned = time.monotonic() - begun
    before = await asyncio.to_thread(bench.call, "/calls")
    await asyncio.sleep(2 * scenario.case.latency)
    after = await asyncio.to_thread(bench.call, "/calls")
    probe.cancel()
    return {
        **worst(stalls),
        "return_ms": round(returned * 1000, 1),
        "late_calls": after["list"] - before["list"],
    }


async def start(scenario: Scenario, deadline: datetime | None) -> list[asyncio.Task[tuple[str, float]]]:
    """Start the triggers, each in a task of its own as a triggerer does.

    :returns: tasks for the status of each trigger's event, and when it came.
    """
    from airflow_provider_outbound.triggers import OutboundTemplateTrigger

    async def run(number: int) -> tuple[str, float]:
        trigger = OutboundTemplateTrigger(
            template_name=f"gate_{number}",
            outbound_conn_id=f"account_{number % scenario.accounts}",
            poke_interval=scenario.interval,
            deadline=deadline,
        )
        [event] = [event async for event in trigger.run()]
        return str(event.payload["status"]), time.monotonic()

    tasks = []
    for number in range(scenario.triggers):
        tasks.append(asyncio.create_task(run(number)))
        await asyncio.sleep(0)
    return tasks


async def watch_the_loop(stalls: list[tuple[float, float]]) -> None:
    """Nap over and over. Record how much too long each nap was, and this thread's CPU time in it, in seconds."""
    while True:
        wall, cpu = time.monotonic(), time.thread_time()
        await asyncio.sleep(NAP)
        stalls.append((time.monotonic() - wall - NAP, time.thread_time() - cpu))


def worst(stalls: list[tuple[float, float]]) -> dict[str, float]:
    """Return the longest stall, and the CPU time of the loop's thread in it."""
    stall, cpu = max(stalls)
    return {"stall_ms": round(stall * 1000, 1), "stall_cpu_ms": round(cpu * 1000, 1)}


def resident() -> int:
    """Return the bytes of memory that this process holds."""
    with open("/proc/self/statm") as numbers:
        return int(numbers.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def repeat(name: str, repetitions: int = REPETITIONS) -> dict[str, Any]:
    """Run a scenario several times.

    :returns: name, the bars, median and worst of each figure, and which figures' worst misses its bar.
    """
    scenario, runs = SCENARIOS[name], []
    spawn = multiprocessing.get_context("spawn")
    for _ in range(repetitions):
        with server() as bench, ProcessPoolExecutor(1, spawn) as process:
            runs.append(process.submit(measure, scenario, bench.url).result())
    most = {figure: max(run[figure] for run in runs) for figure in runs[0]}
    return {
        "scenario": name,
        "repetitions": repetitions,
        "bars": scenario.bars,
        "median": {figure: statistics.median(run[figure] for run in runs) for figure in runs[0]},
        "worst": most,
        "missed": [figure for figure, bar in scenario.bars.items() if most[figure] > bar],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run scenarios, print them, and return the exit status."""
    parser = argparse.ArgumentParser(description="Measure stalls of a triggerer's event loop.")
    parser.add_argument("scenario", nargs="*", help=f"all unless given: {', '.join(SCENARIOS)}")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS, help=f"{REPETITIONS} unless given")
    given = parser.parse_args(arguments)
    missed = False
    for name in given.scenario or SCENARIOS:
        result = repeat(name, given.repetitions)
        missed |= bool(result["missed"])
        print(f"{name}: {'MISSED ' + ', '.join(result['missed']) if result['missed'] else 'all bars met'}")
        for figure, bar in ((each, result["bars"].get(each)) for each in result["worst"]):
            asked = "" if bar is None else f"at most {bar:g}"
            print(
                f"  {figure:18} median {result['median'][figure]:9g}  worst {result['worst'][figure]:9g}  {asked}"
            )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
