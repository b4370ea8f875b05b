"""A sandbox for the tests of DAGs; it needs pytest.

Import the fixture into a `conftest.py` or a test module, and ask for it by name::

    from airflow_provider_outbound.testing import outbound_sandbox  # noqa: F401

    def test_my_dag(outbound_sandbox):
        outbound_sandbox.publish("spring_sale", language="es")
        ...
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_provider_outbound.sandbox import Sandbox


@pytest.fixture
def outbound_sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Serve a sandbox on a free port as `liveperson_outbound_default`, for one test.

    :param monkeypatch: pytest's own, which takes the connection back afterwards.
    """
    with Sandbox() as sandbox:
        for name, value in sandbox.env.items():
            monkeypatch.setenv(name, value)
        yield sandbox
