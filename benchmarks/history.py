"""A year of daily exports with a history: ``python -m benchmarks.history``."""

from __future__ import annotations

import copy
import random
import tempfile
import time
from collections import Counter
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


class Year(NamedTuple):
    """The longest that the history's part of an export took, in seconds; and the file at the end."""

    seconds: float
    megabytes: float
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
        return Year(max(seconds), Path(stored.path).stat().st_size / 1e6, rows)


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
        rows, changed = history.extend(folder, stored, parquet.source(ACCOUNT, None), now)
        if changed:
            parquet.put(folder, {"history": stored})
        return time.perf_counter() - begun, rows


if __name__ == "__main__":
    print(measure()._asdict())
