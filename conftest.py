"""Run the documentation's code blocks as tests: see ``tests/blocks.py``."""

from __future__ import annotations

import pytest
from sybil import Sybil

# The documentation's blocks use the fixtures of the tests; this import also gives Airflow a home of its own.
from tests.conftest import Client, airflow_db, connect, postgres  # noqa: F401  # isort: skip
from tests.blocks import FIXTURES, markdown_blocks, rest_blocks

markdown = Sybil(parsers=[markdown_blocks], filenames=["README.md", "CONTRIBUTING.md"], fixtures=FIXTURES)
rest = Sybil(parsers=[rest_blocks], path="docs", patterns=["*.rst", "**/*.rst"], fixtures=FIXTURES)

pytest_collect_file = (markdown + rest).pytest()


@pytest.fixture
def client() -> Client:
    """Return a client as the tests have it; a block runs once, without requests sent ahead."""
    return Client("plain")
