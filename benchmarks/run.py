"""Run all benchmarks: ``make bench``, or ``QUICK=1 make bench`` for a look that leaves results and docs alone.

Exits with 1 if a bar is missed.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator

from benchmarks import differ, imports, report, triggers
from benchmarks.bench import ONE_FILE, PEERS, UNPACED, Bench, Run, make_environments, server
from benchmarks.cases import (
    CPU_ITEMS,
    MEMORY_ITEMS,
    PAGE_SIZE,
    PAGE_SIZES,
    QUICK_SPEEDS,
    QUICK_TROUBLES,
    SPEEDS,
    TROUBLES,
    repetitions,
)
from benchmarks.server import Case


def full(bench: Bench) -> Iterator[Run]:
    """Run everything. The contestants take turns, so that a machine that slows down slows down all."""
    for speed in SPEEDS:
        for repetition in range(3):
            for peer in PEERS:
                if repetition < repetitions(speed, peer):
                    yield bench.run("speed", peer, speed.case, speed.page_size)
    for page_size in PAGE_SIZES:
        for _ in range(3):
            for contestant in (ONE_FILE, "naive"):
                yield bench.run("cpu", contestant, Case(items=CPU_ITEMS), page_size)
    yield bench.run("memory", UNPACED, Case(items=MEMORY_ITEMS), max(PAGE_SIZES))
    for trouble in TROUBLES:
        for peer in PEERS:
            yield bench.run(trouble.name, peer, trouble.case, PAGE_SIZE, trouble.limit)


def quick(bench: Bench) -> Iterator[Run]:
    """Run the short cases once each."""
    for speed in QUICK_SPEEDS:
        for peer in PEERS:
            yield bench.run("speed", peer, speed.case, speed.page_size)
    for contestant in (ONE_FILE, "naive"):
        yield bench.run("cpu", contestant, Case(items=CPU_ITEMS), PAGE_SIZE)
    for trouble in QUICK_TROUBLES:
        yield bench.run(trouble.name, "provider", trouble.case, PAGE_SIZE, trouble.limit)


def told(runs: Iterable[Run]) -> Iterator[Run]:
    """Print each run as it ends."""
    for run in runs:
        case = f"{run.case}: {run.items:,}, {run.page_size} a page, {run.latency} ms"
        took = "{startup:5.1f} + {wall:6.2f} s, CPU {cpu:5.2f} s".format(**run.took) if run.took else " " * 30
        calls = f"{run.calls['list']:5} list calls, {run.calls['most_in_a_second']:4} calls in a second at most"
        print(f"{case:58} {run.contestant:26} {took} {calls}  {run.outcome}", flush=True)
        yield run


def main() -> int:
    """Run, print the bars, write the results unless it was a quick look, and return the exit status."""
    is_quick, begun = bool(os.environ.get("QUICK")), time.monotonic()
    make_environments()
    with server() as bench:
        for peer in PEERS:  # once for nothing: compiled files, and Airflow's configuration
            bench.run("warm-up", peer, Case(items=30), PAGE_SIZE)
        runs = list(told((quick if is_quick else full)(bench)))
    waits = [triggers.repeat(name, 1 if is_quick else triggers.REPETITIONS) for name in triggers.SCENARIOS]
    imported = imports.measure(1 if is_quick else imports.RUNS)
    compared = differ.measure(1 if is_quick else differ.RUNS)
    results = report.Results(report.about(), imported, compared, runs, waits)
    bars = report.bars(results)
    print(f"\n{report.plain(bars)}\n\n{(time.monotonic() - begun) / 60:.0f} minutes")
    if not is_quick:
        report.save(results)
        report.write(results)
    return 0 if all(bar.met for bar in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
