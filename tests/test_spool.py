"""A list in a file is that list."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_outbound.client.spool import Spool
from airflow_provider_outbound.model.codec import encode
from airflow_provider_outbound.model.items import Record
from tests.strategies import JSON, KEYS

ITEMS = st.lists(st.dictionaries(KEYS, JSON, max_size=3), max_size=4)


@pytest.mark.fault("D2")
@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 12), ITEMS), max_size=6), st.sampled_from([0, 100, 10**6]))
def test_any_records_are_kept_as_they_came(
    changes: list[tuple[int, list[dict[str, Any]]]], in_memory: int
) -> None:
    listed: list[Record] = []
    with Spool(in_memory) as spool:
        for place, items in changes:
            begin = min(place, len(listed))
            listed[begin:] = spool[begin:] = [Record(encode(item), item) for item in items]
            with pytest.raises(IndexError):
                spool[len(listed)]
            for number in reversed(range(len(listed))):
                assert repr(spool[number]) == repr(listed[number])  # NaN is not equal to itself
