"""The cases: plain ones for speed, and those in which something goes wrong."""

from __future__ import annotations

from typing import NamedTuple

from benchmarks.server import Case


class Speed(NamedTuple):
    """A listing to read: how many configurations, in pages of how many, after how many milliseconds each."""

    items: int
    page_size: int
    latency: int

    @property
    def case(self) -> Case:
        """Return what the server is told."""
        return Case(items=self.items, latency=self.latency / 1000)


class Trouble(NamedTuple):
    """A listing in which something goes wrong, and the seconds after which a job counts as endless."""

    name: str
    case: Case
    limit: float = 60.0


PAGE_SIZE = 30
SPEEDS = [
    Speed(items, page_size, latency)
    for items in (30, 1000, 10_000)
    for page_size in (30, 100)
    for latency in (0, 50, 200)
]
BOUND = Speed(10_000, 30, 200)
IGNORED = "Offset ignored"
TROUBLES = [
    Trouble("Pages capped at 20", Case(page_cap=20)),
    Trouble("429 beyond 10 a second", Case(items=600, per_second=10), limit=120.0),
    Trouble("503 for one call in twenty", Case(items=1000, fails=True), limit=120.0),
    Trouble("JSON of one page cut short", Case(cut=True)),
    Trouble("Token of 20 s", Case(items=10_000, latency=0.1, token_life=20), limit=180.0),
    Trouble(IGNORED, Case(latency=0.05, ignores_offset=True), limit=10.0),
    Trouble("Insert while paging", Case(inserts=True)),
    Trouble("Deletion while paging", Case(deletes=True)),
]


def repetitions(speed: Speed, contestant: str) -> int:
    """Return how often to run a plain case: the longest ones of the others once, for time's sake."""
    long = speed.items == 10_000 and speed.latency == 200
    return 1 if long and contestant != "provider" else 3


def quick(case: Speed | Trouble) -> bool:
    """Tell whether a case belongs to a quick look."""
    if isinstance(case, Speed):
        return case.items < 10_000 and case.page_size == PAGE_SIZE and case.latency < 200
    return case.case.items < 10_000
