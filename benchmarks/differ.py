"""The CPU time of comparing two listings: ``python -m benchmarks.differ``."""

from __future__ import annotations

import json
import statistics
import time
from typing import NamedTuple

from airflow_provider_outbound.model.changes import differences
from benchmarks.server import configurations

RUNS = 3
ITEMS = 10_000


class Differ(NamedTuple):
    """CPU seconds, medians: for listings of which 1 % changed, and all."""

    one_percent: float
    all: float


def measure(runs: int = RUNS, items: int = ITEMS) -> Differ:
    """Time comparisons of listings that are given as JSON, as exports keep them.

    :param runs: of each.
    :param items: configurations of each listing.
    """
    return Differ(*(statistics.median(seconds(items, every) for _ in range(runs)) for every in (100, 1)))


def seconds(items: int, every: int) -> float:
    """Return the CPU seconds of one comparison, in which some configurations have another text and date.

    :param items: configurations of each listing.
    :param every: 1 to change all, 100 to change each hundredth.
    """
    before = [json.dumps(item).encode() for item in configurations(items)]
    after = list(before)
    for number in range(0, items, every):
        item = json.loads(before[number])
        item["updatedAt"] = "2026-12-01T00:00:00.000Z"
        item["channels"][0]["messageComponents"][0]["content"] = "Another text"
        after[number] = json.dumps(item).encode()
    begun = time.process_time()
    found = differences(before, after)
    took = time.process_time() - begun
    assert len(found) == len(range(0, items, every))
    return took


if __name__ == "__main__":
    print({name: f"{value:.2f} s" for name, value in measure()._asdict().items()})
