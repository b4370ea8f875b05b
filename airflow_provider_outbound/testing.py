"""A pytest fixture that serves a sandbox to tests of DAGs.

Import it into a `conftest.py` or a test module, and request it by name::

    from airflow_provider_outbound.testing import outbound_sandbox  # noqa: F401

    def test_my_dag(outbound_sandbox):
        outbound_sandbox.publish("spring_sale", language="es")
        ...
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from airflow_provider_outbound.sandbox import Sandbox


@pytest.fixture
def outbound_sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Serve a sandbox on a free port as `liveperson_outbound_default`, for one test."""
    from airflow_provider_outbound.sandbox import Sandbox  # here, because only tests that use it need FastAPI

    with Sandbox() as sandbox:
        for name, value in sandbox.env.items():
            monkeypatch.setenv(name, value)
        yield sandbox
