"""A year of daily exports with a history: ``python -m benchmarks.history``.

It prints what the history's part of an export takes, and how large its file becomes. It exits with 1 if the worst
of the one or the other misses its bar.
"""

from __future__ import annotations

import argparse
import copy
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

from airflow.sdk import ObjectStoragePath

from airflow_provider_outbound.client.listing import page_of
from airflow_provider_outbound.model.codec import encode
from airflow_provider_outbound.model.items import Record
from airflow_provider_outbound.tables import build, history, parquet
from benchmarks.server import ACCOUNT, configurations

DAYS, ITEMS, CHANGED = 365, 1000, 0.01  # the last one: of the templates, each day
SECONDS, MEGABYTES = 2.0, 5.0  # the most for one export, and for the file at the end


class Year(NamedTuple):
    """What the exports measured: seconds of each one's history, its file's bytes at the end, and its rows."""

    seconds: list[float]
    size: int
    rows: int


def measure(days: int = DAYS, items: int = ITEMS) -> Year:
    """Export templates day by day, with changes in between.

    :param days: how many exports.
    :param items: how many templates.
    """
    listed = copy.deepcopy(configurations(items))
    chance, seconds, rows = random.Random(0), list[float](), 0  # noqa: S311
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        stored = ObjectStoragePath(f"{folder}/history.parquet")
        for day in range(days):
            now = datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(days=day)
            for item in chance.sample(listed, round(items * CHANGED) if day else 0):
                item["updatedAt"] = now.isoformat()
                item["channels"][0]["messageComponents"][0]["content"] = f"News of day {day}: {chance.random()}"
            took, rows = export(listed, now, stored)
            seconds.append(took)
        return Year(seconds, Path(stored.path).stat().st_size, rows)


def export(listed: list[Any], now: datetime, stored: ObjectStoragePath) -> tuple[float, int]:
    """Make an export's files, and put its history into storage.

    :param listed: the configurations.
    :param now: when they are listed.
    :param stored: where the history is kept.
    :returns: the seconds that the history took, and its rows.
    """
    records = [Record(encode(item), item) for item in listed]
    parts = build.parts([page_of(0, records)], ACCOUNT, lambda: now, Counter(), ["configurations"])
    with parquet.make(parts, ["configurations"]) as folder:
        begun = time.perf_counter()
        rows, changed = history.extend(folder, stored, history.begin(ACCOUNT, None), now)
        if changed:
            parquet.put(folder, {"history": stored})
        return time.perf_counter() - begun, rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(description="Measure a year of daily exports with a history.")
    parser.add_argument("--days", type=int, default=DAYS, help=f"{DAYS} unless given")
    year = measure(parser.parse_args(arguments).days)
    longest, megabytes = max(year.seconds), year.size / 1e6
    print(f"{len(year.seconds)} exports of {ITEMS} templates, {CHANGED:.0%} changed each day: {year.rows} rows")
    print(f"  seconds    median {statistics.median(year.seconds):.3f}  worst {longest:.3f}  at most {SECONDS:g}")
    print(f"  megabytes  {megabytes:.2f}  at most {MEGABYTES:g}")
    return int(longest > SECONDS or megabytes > MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())
