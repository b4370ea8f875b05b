"""Listings made of given items, and the tables built from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

from airflow_provider_outbound.model.codec import encode
from airflow_provider_outbound.model.items import Record
from airflow_provider_outbound.tables import build
from airflow_provider_outbound.tables.schemas import TABLES

NOW = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)


def records(items: Iterable[Any]) -> list[Record]:
    """Return items as a listing holds them."""
    return [Record(encode(item), item) for item in items]


class Built:
    """Both tables of a listing, and its anomalies."""

    def __init__(self, *items: Any) -> None:
        self.anomalies = Counter[str]()
        parts = build.parts(records(items), "12345678", lambda: NOW, self.anomalies)
        self.tables = build.concat_parts(parts)
        self.configurations, self.components = (self.tables[name] for name in TABLES)
