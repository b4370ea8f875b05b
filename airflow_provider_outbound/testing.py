"""A pytest plugin: the fixture `outbound_sandbox`, which serves a sandbox to tests of DAGs.

pytest finds it by an entry point, so tests request it by name, without an import::

    def test_my_dag(outbound_sandbox):
        outbound_sandbox.publish("spring_sale", language="es")
        ...

It imports little, because every run of pytest where the provider is installed imports it.
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
