"""Strategies for JSON as servers might send it."""

from __future__ import annotations

from hypothesis import strategies as st

from airflow_provider_outbound.tables.schemas import COMPONENTS, CONFIGURATIONS

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**11, 10**14)
    | st.floats()
    | st.text(st.characters(exclude_categories=()))  # half surrogate pairs, NUL and all
    | st.sampled_from(["5", "true", "2026-01-01T00:00:00Z", "2026-99-99", "${{1}}", "$10", "wa", "body"])
)
KEYS = st.sampled_from(
    [key for _, _, key in (*CONFIGURATIONS, *COMPONENTS) if key]
    + ["channels", "messageComponents", "appName", "Variables", "unknown", "\ud800"]
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)
#: Configurations and bare channels.
ITEMS = st.dictionaries(KEYS, JSON, max_size=8)
