"""The cases: listings to read at LivePerson's rate limit, and listings in which something goes wrong."""

from __future__ import annotations

from typing import NamedTuple

from benchmarks.server import PER_SECOND, Case


class Speed(NamedTuple):
    """A listing to read from a server that enforces LivePerson's rate limit.

    :param items: how many configurations.
    :param page_size: how many to ask for at once.
    :param latency: milliseconds before each answer.
    """

    items: int
    page_size: int
    latency: int

    @property
    def case(self) -> Case:
        """Return how the server behaves."""
        return Case(items=self.items, latency=self.latency / 1000, per_second=PER_SECOND)


class Trouble(NamedTuple):
    """A listing in which something goes wrong, and the seconds after which a job counts as endless."""

    name: str
    case: Case
    limit: float = 60.0


ITEMS = (30, 90, 240, 1000, 10_000)
LATENCIES = (50, 200)
PAGE_SIZE = 30  # LivePerson's example; it documents no largest page
PAGE_SIZES = (PAGE_SIZE, 100)
SPEEDS = [Speed(items, page_size, latency) for items in ITEMS for latency in LATENCIES for page_size in PAGE_SIZES]
QUICK_SPEEDS = [speed for speed in SPEEDS if speed[1:] == (PAGE_SIZE, 50) and speed.items < 10_000]
BOUND = Speed(10_000, PAGE_SIZE, 200)
IGNORED = "Offset ignored"
TROUBLES = [
    Trouble("Pages capped at 20", Case(page_cap=20)),
    Trouble("429 beyond 5 a second", Case(items=600, per_second=5), limit=120.0),
    Trouble("503 for one call in twenty", Case(items=1000, fails=True), limit=120.0),
    Trouble("JSON of one page cut short", Case(cut=True)),
    Trouble("Token of 20 s", Case(items=10_000, latency=0.1, token_life=20), limit=120.0),
    Trouble(IGNORED, Case(latency=0.05, ignores_offset=True), limit=20.0),
    Trouble("Insertion while paging", Case(inserts=True)),
    Trouble("Deletion while paging", Case(deletes=True)),
]
QUICK_TROUBLES = [trouble for trouble in TROUBLES if trouble.case.items < 10_000]
CPU_ITEMS, MEMORY_ITEMS = 10_000, 100_000


def repetitions(speed: Speed, contestant: str) -> int:
    """Return how often to run a case: once where no bar depends on it, and where the others take longest."""
    longest = speed.items == max(ITEMS) and contestant != "provider"
    return 1 if longest or speed.page_size != PAGE_SIZE else 3
