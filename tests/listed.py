"""Listings made of given items, and the tables built from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import Any

from airflow_provider_outbound.client.listing import Page, page_of
from airflow_provider_outbound.model.codec import encode
from airflow_provider_outbound.model.items import Record
from airflow_provider_outbound.tables import build
from airflow_provider_outbound.tables.schemas import TABLES

NOW = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)


def pages(items: Iterable[Any], size: int = 100) -> Iterator[Page]:
    """Yield items in pages, as a listing does."""
    listed = records(items)
    for offset in range(0, max(len(listed), 1), size):
        yield page_of(offset, listed[offset : offset + size])


def records(items: Iterable[Any]) -> list[Record]:
    """Return items as a listing holds them."""
    return [Record(encode(item), item) for item in items]


class Built:
    """Both tables of a listing, and its anomalies."""

    def __init__(self, *items: Any) -> None:
        self.anomalies = Counter[str]()
        parts = build.parts(pages(items), "12345678", lambda: NOW, self.anomalies)
        self.tables = build.concat_parts(part.tables for part in parts)
        self.part = build.Part(0, self.tables)
        self.configurations, self.components = (self.tables[name] for name in TABLES)
