"""Run all benchmarks: ``make bench``, or ``QUICK=1 make bench`` for a look that leaves the documentation alone.

Exits with 1 if a bar is missed or a row is wrong.
"""

from __future__ import annotations

import os
import sys
import time
from collections import defaultdict

from benchmarks import imports, memory, report, triggers
from benchmarks.bench import ONE_FILE, PEERS, UNPACED, Bench, Run, make_environments, server
from benchmarks.cases import PAGE_SIZE, SPEEDS, TROUBLES, Speed, Trouble, quick, repetitions
from benchmarks.server import Case

LIMIT = 300.0  # seconds, for a plain case


def run_speeds(bench: Bench, speeds: list[Speed], most: int) -> report.Speeds:
    """Run the plain cases, the contestants in turn, so that a machine that slows down slows down all."""
    runs: report.Speeds = defaultdict(list)
    for speed in speeds:
        contestants = [*PEERS, UNPACED, ONE_FILE] if speed.latency == 0 else PEERS
        for repetition in range(most):
            for contestant in contestants:
                if repetition < repetitions(speed, contestant):
                    run = bench.run(contestant, speed.case, speed.page_size, LIMIT)
                    runs[speed, contestant].append(run)
                    words = f"{speed.items} configurations, {speed.page_size} a page, {speed.latency} ms"
                    tell(words, contestant, run)
    return runs


def run_troubles(bench: Bench, troubles: list[Trouble]) -> report.Troubles:
    """Run the cases in which something goes wrong, once each."""
    runs = {}
    for trouble in troubles:
        for peer in PEERS:
            runs[trouble, peer] = run = bench.run(peer, trouble.case, PAGE_SIZE, trouble.limit)
            tell(trouble.name, peer, run)
    return runs


def tell(case: str, contestant: str, run: Run) -> None:
    """Print a run as it ends."""
    seconds = f"{run.took['wall']:7.2f} s {run.took['cpu']:6.2f} s CPU" if run.took else " " * 20
    calls = f"{run.calls['list']:5} calls, at most {run.calls['most_in_a_second']:4} a second"
    print(f"{case:42} {contestant:18} {seconds} {calls}  {run.outcome}", flush=True)


def main() -> int:
    """Run everything, print the bars, write the tables, and return the exit status."""
    is_quick, begun = bool(os.environ.get("QUICK")), time.monotonic()
    make_environments()
    with server() as bench:
        for peer in PEERS:  # once for nothing: compiled files, and Airflow's configuration
            bench.run(peer, Case(items=30), PAGE_SIZE, LIMIT)
        measured = report.Results(
            imports.measure(),
            memory.measure(bench),
            run_speeds(bench, [each for each in SPEEDS if not is_quick or quick(each)], 1 if is_quick else 3),
            run_troubles(bench, [each for each in TROUBLES if not is_quick or quick(each)]),
            triggers.measure_all(),
        )
    bars = report.bars(measured)
    print(f"\n{report.plain(bars)}\n\n{(time.monotonic() - begun) / 60:.0f} minutes")
    if not is_quick:
        report.write(measured, bars)
    return 0 if all(bar.met for bar in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
