"""``make events``: 50 changes of templates; the triggerer is killed five times, and down for two minutes."""

from __future__ import annotations

import json
import random
import shutil
import signal
import sqlite3
import sys
import time
from collections import Counter
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from airflow_provider_outbound.sandbox import Sandbox
from tests.system.local_airflow import LocalAirflow

ROOT = Path(__file__).parent.parent.parent
HOME = ROOT / ".airflow-events"
INTERVAL = 5  # that of tests/system/dags/watched.py
CHANGES, KILLS, DOWN = 50, 5, 120.0
WINDOW = 10.0  # seconds from an event in which a kill may repeat it; docs/guides/on-change.rst states it
EVENTS = """
    SELECT asset.name, asset_event.timestamp, asset_event.extra
    FROM asset_event JOIN asset ON asset.id = asset_event.asset_id ORDER BY asset_event.timestamp
"""
console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)


class Event(NamedTuple):
    """An asset event in Airflow's database."""

    asset: str
    at: float
    payload: dict[str, Any]


def events() -> list[Event]:
    """Return all events of assets."""
    with closing(sqlite3.connect(HOME / "airflow.db")) as database:
        rows = database.execute(EVENTS).fetchall()
    times = [datetime.fromisoformat(at).replace(tzinfo=timezone.utc).timestamp() for _, at, _ in rows]
    return [
        Event(name, at, json.loads(extra)["payload"]) for (name, _, extra), at in zip(rows, times, strict=True)
    ]


def baselines() -> int:
    """Return how many assets have a baseline."""
    with closing(sqlite3.connect(HOME / "airflow.db")) as database:
        return int(
            database.execute("SELECT count(*) FROM asset_state_store WHERE key LIKE 'baseline/%/0'").fetchone()[0]
        )


class Story:
    """The changes and the kills, at random moments.

    :param seed: of the moments.
    """

    def __init__(self, airflow: LocalAirflow, sandbox: Sandbox, seed: int) -> None:
        self.airflow, self.sandbox, self.random = airflow, sandbox, random.Random(seed)
        self.kills: list[float] = []
        self.told: set[tuple[str, str]] = set()  # the events that must come, by kind and name
        self.failed = 0

    def check(self, holds: bool, words: str) -> None:
        """Print a check as one line, and keep count of those that fail."""
        self.failed += not holds
        console.print(f"{'[green]ok[/]    ' if holds else '[bold red]FAILED[/]'}  {words}", soft_wrap=True)

    def change(self, number: int) -> None:
        """Make one change, each to another template."""
        name = f"watched_{number % 19}_{number}"
        if number % 5 < 2:
            self.sandbox.publish(name)
            self.told.add(("created", name))
        elif number % 5 < 4:
            self.sandbox.update(name, status=f"state {number}")
            self.told.add(("updated", name))
        else:
            self.sandbox.remove(name)
            self.told.add(("removed", name))

    def kill(self, down: float = 0.0) -> None:
        """Kill the triggerer, and start it again after a time."""
        self.airflow.end(["triggerer"], signal.SIGKILL)
        self.kills.append(time.time())
        time.sleep(down)
        self.airflow.resume(["triggerer"])

    def live(self) -> None:
        """Make all changes and kills; five changes are made while the triggerer is down for two minutes."""
        kills = set(self.random.sample(range(2, CHANGES - 6), KILLS))
        for number in range(CHANGES - 5):
            time.sleep(self.random.uniform(0.5, 2 * INTERVAL))
            self.change(number)
            if number in kills:
                time.sleep(self.random.uniform(0, INTERVAL + WINDOW))
                self.kill()
        self.airflow.end(["triggerer"], signal.SIGKILL)
        self.kills.append(time.time())
        for number in range(CHANGES - 5, CHANGES):
            time.sleep(DOWN / 5)
            self.change(number)
        self.airflow.resume(["triggerer"])

    def seen(self, asset: str) -> set[tuple[str, str]]:
        """Return the events of an asset, by kind and name."""
        return {(event.payload["kind"], event.payload["name"]) for event in events() if event.asset == asset}

    def judge(self) -> None:
        """Compare what was told with what happened."""
        found = events()
        whole = [event for event in found if event.asset == "all_templates"]
        others = {
            (event.payload["kind"], event.payload["name"]) for event in found if event.asset != "all_templates"
        }
        seen = self.seen("all_templates")
        self.check(
            seen == self.told, f"{len(seen & self.told)} of {len(self.told)} changes have an event, no other has"
        )
        self.check(others == self.told, f"{len(others & self.told)} of them by the 19 assets with a pattern each")
        ids = Counter(event.payload["event_id"] for event in whole)
        self.check(len(ids) == len(self.told), f"{len(ids)} event ids for {len(self.told)} changes")
        first: dict[tuple[str, str], float] = {}
        again, outside = 0, 0
        for event in found:
            key = (event.asset, event.payload["event_id"])
            if key in first:
                again += 1
                outside += not any(first[key] <= kill <= first[key] + WINDOW for kill in self.kills)
            first.setdefault(key, event.at)
        self.check(
            not outside,
            f"{again} of {len(found)} events came twice; {outside} without a kill in their {WINDOW:g} s",
        )

    def share(self) -> None:
        """See that assets and gates make one listing per interval."""
        run_id = self.airflow.trigger("gates")
        states = {f"gate_{number}": "deferred" for number in range(10)}
        self.airflow.wait("gates", run_id, until=states, timeout=180)
        time.sleep(2 * INTERVAL)
        asked, begun = self.sandbox.calls["list"], time.monotonic()
        time.sleep(10 * INTERVAL)
        made, elapsed = self.sandbox.calls["list"] - asked, time.monotonic() - begun
        calls = 3  # a page, and two that prove the end
        self.check(
            made <= (elapsed / INTERVAL + 1) * calls,
            f"20 assets and 10 gates: {made} list calls in {elapsed:.0f} s; {calls} are due every {INTERVAL} s",
        )


def main() -> int:
    """Start everything, run the story and end everything; return 1 if a check fails."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that all is ended then, too
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else time.time_ns() % 10_000
    shutil.rmtree(HOME, ignore_errors=True)
    with Sandbox(items=20) as sandbox:
        for number in range(CHANGES):
            if number % 5 >= 2:
                sandbox.publish(f"watched_{number % 19}_{number}")
        with LocalAirflow(HOME, ROOT / "tests" / "system" / "dags", sandbox.env) as airflow:
            story = Story(airflow, sandbox, seed)
            airflow.unpause("watched")
            airflow.poll("20 baselines", 120, lambda: baselines() == 20)
            console.print(f"20 assets are watched; {CHANGES} changes follow (seed {seed}) ...")
            story.live()
            airflow.poll("the last events", 120, lambda: story.told <= story.seen("all_templates"))
            time.sleep(2 * WINDOW)
            story.judge()
            story.share()
    return story.failed > 0


if __name__ == "__main__":
    sys.exit(main())
