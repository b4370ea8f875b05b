"""The templates of an invented airline with a shop: every channel, and whatever looks odd."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from airflow_provider_outbound.catalogue.entries import Snapshot
from airflow_provider_outbound.model.codec import split

_SAMPLES = Path(__file__).parent / "samples" / "northwind"
READ_AT = datetime(2026, 11, 24, 14, 38, tzinfo=timezone.utc)
READ_BEFORE = datetime(2026, 11, 17, 14, 40, tzinfo=timezone.utc)


def now() -> Snapshot:
    """Return the listing: 17 templates."""
    return _snapshot("now.json", READ_AT)


def before() -> Snapshot:
    """Return the listing of a week ago: 3 templates were different, 1 is gone, and 1 was not there yet."""
    return _snapshot("before.json", READ_BEFORE)


def _snapshot(name: str, at: datetime) -> Snapshot:
    raws = split((_SAMPLES / name).read_bytes())
    return Snapshot(raws, "12345678", "va.handoff.liveperson.net", at)
