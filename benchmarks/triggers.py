"""Thousands of triggers that wait on one account: calls, tokens, stalls of the event loop, memory, events.

Each run has a process of its own; another one serves the account, and the log goes through a pipe as JSON, as a
triggerer's does. The table goes to stderr, the JSON to stdout; the exit status is 1 if a bar is missed.
"""

from __future__ import annotations

import asyncio
import gc
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from multiprocessing.connection import Connection
from typing import Any

NUMBERS = (1, 100, 1000, 5000)
INTERVAL = 6.0  # seconds
INTERVALS = 2.5  # until templates appear
APPEARING = 90  # so many at the most; the deadlines of the other triggers pass meanwhile
NAP = 0.005  # seconds
COUNT = "import sys; print(sum(b'looking again' in line for line in sys.stdin.buffer))"
TRIES = 3  # of a run that misses a bar: other processes of the machine stall a loop, too
STALLS_UP_TO = 1000  # triggers; more must work, but a collection of their garbage alone may take 50 ms
MOST = {"polls_too_many": 0, "tokens": 1, "stall_ms": 100.0, "log_lines_missing": 0, "events_missing": 0}


def serve(pipe: Connection) -> None:
    """Serve an account; publish the templates that are sent, and answer with the calls so far."""
    from airflow_provider_outbound.sandbox import Sandbox

    with Sandbox() as sandbox:
        pipe.send(sandbox.env)
        while (names := pipe.recv()) is not None:
            for name in names:
                sandbox.publish(name)
            pipe.send(dict(sandbox.calls))


def measure(number: int, pipe: Connection, out: Connection) -> None:
    """Let that many triggers wait on this process's loop, and send what came of it."""
    os.environ.update(pipe.recv(), AIRFLOW__LOGGING__LOGGING_LEVEL="INFO")
    from airflow.sdk.log import configure_logging

    from airflow_provider_outbound.hooks import OutboundHook

    counter = subprocess.Popen(
        [sys.executable, "-c", COUNT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    configure_logging(json_output=True, output=counter.stdin, sending_to_supervisor=True)
    OutboundHook().get_configurations()
    gc.collect()
    gc.freeze()  # to walk through all that Airflow imports takes more than 100 ms, without any trigger
    one = calls(pipe)
    measured = asyncio.run(wait(number, pipe, one["list"], one["token"]))
    lines, _ = counter.communicate()
    looks = number * measured["polls"]
    out.send({"triggers": number, **measured, "log_lines_missing": looks - int(lines)})
    pipe.send(None)


def calls(pipe: Connection, publish: tuple[str, ...] = ()) -> dict[str, int]:
    """Return the server's calls so far, once it has published these templates."""
    pipe.send(publish)
    counted: dict[str, int] = pipe.recv()
    return counted


async def wait(number: int, pipe: Connection, listing: int, tokens: int) -> dict[str, Any]:
    """Start the triggers, let intervals pass, publish, and wait for all events.

    :param listing: the calls of one listing, which are all that were made before.
    :param tokens: the tokens that were given before.
    """
    from airflow_provider_outbound.triggers import OutboundTemplateTrigger

    stalls: list[tuple[float, float]] = []
    probe = asyncio.create_task(watch_the_loop(stalls))
    deadline = datetime.now(timezone.utc) + timedelta(seconds=INTERVAL * INTERVALS)
    ends: list[float] = []

    async def run(name: str) -> str:
        trigger = OutboundTemplateTrigger(template_name=name, poke_interval=INTERVAL, deadline=deadline)
        events = [event async for event in trigger.run()]
        ends.extend(time.monotonic() for _ in events)
        return str(events[0].payload["status"])

    memory, tasks = resident(), []
    for count in range(number):
        tasks.append(asyncio.create_task(run(f"gate_{count}")))
        await asyncio.sleep(0)  # as the triggerer does
    await asyncio.sleep(INTERVAL * INTERVALS)
    memory = resident() - memory
    names = tuple(f"gate_{count}" for count in range(min(number, APPEARING)))
    before = await asyncio.to_thread(calls, pipe, names)
    polls = (before["list"] - listing) / listing
    statuses = await asyncio.gather(*tasks)
    await asyncio.sleep(INTERVAL)  # is anybody still asking?
    probe.cancel()
    after = await asyncio.to_thread(calls, pipe)
    stall, cpu = max(stalls)
    return {
        "polls": round(polls, 2),
        "polls_too_many": max(0, round(polls - 1 - INTERVALS // 1, 2)),
        "list_calls_per_poll": listing,
        "tokens": after["token"] - tokens,
        "stall_ms": round(stall * 1000, 1),
        "stall_cpu_ms": round(cpu * 1000, 1),
        "kib_per_trigger": round(memory / number / 1024, 1),
        "events_within_s": round(max(ends) - min(ends), 3),
        "events_missing": len(names) - statuses.count("success") + number - len(ends),
    }


async def watch_the_loop(stalls: list[tuple[float, float]]) -> None:
    """Nap over and over, and note by how much each nap was too long, and this thread's CPU time in it."""
    while True:
        wall, cpu = time.monotonic(), time.thread_time()
        await asyncio.sleep(NAP)
        stalls.append((time.monotonic() - wall - NAP, time.thread_time() - cpu))


def resident() -> int:
    """Return the bytes of memory that this process holds."""
    with open("/proc/self/statm") as numbers:
        return int(numbers.read().split()[1]) * resource.getpagesize()


def one_run(number: int) -> dict[str, Any]:
    """Run the triggers and the server, and return what was measured."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    result, out = spawn.Pipe(duplex=False)
    processes = [
        spawn.Process(target=serve, args=(theirs,)),
        spawn.Process(target=measure, args=(number, ours, out)),
    ]
    for process in processes:
        process.start()
    for end in (ours, theirs, out):
        end.close()  # so that the end of one process is seen here
    run: dict[str, Any] = result.recv()
    for process in processes:
        process.join()
    bars = {**MOST, "stall_ms": MOST["stall_ms"] if number <= STALLS_UP_TO else float("inf")}
    return {**run, "missed": [name for name, most in bars.items() if run[name] > most]}


def measure_all() -> list[dict[str, Any]]:
    """Return what was measured, by number of triggers."""
    runs = []
    for number in NUMBERS:
        for _ in range(TRIES):
            run = one_run(number)
            if not run["missed"]:
                break
        runs.append(run)
    return runs


def main() -> int:
    """Measure, print, and return the exit status."""
    runs = measure_all()
    for name in runs[0]:
        print(f"{name:>20}", *(f"{run[name]!s:>12}" for run in runs), file=sys.stderr)
    print(json.dumps({"benchmark": "triggers", "interval_s": INTERVAL, "most": MOST, "runs": runs}))
    return int(any(run["missed"] for run in runs))


if __name__ == "__main__":
    sys.exit(main())
