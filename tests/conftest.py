from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Airflow reads its home at import; each test session has one of its own, and no trace of the user's.
_HOME = tempfile.TemporaryDirectory(prefix="outbound-tests-")
for _name in [name for name in os.environ if name.startswith("AIRFLOW")]:
    del os.environ[_name]
os.environ.update(
    AIRFLOW_HOME=_HOME.name,
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__UNIT_TEST_MODE="False",
    AIRFLOW__CORE__DAGS_FOLDER=str(Path(__file__).parent.parent / "dags"),
    AIRFLOW__LOGGING__LOGGING_LEVEL="INFO",
    NO_PROXY="127.0.0.1,localhost",
)

import pytest  # noqa: E402

from airflow_provider_outbound.client.protocol import Account, Flow  # noqa: E402
from airflow_provider_outbound.client.sender import Sender  # noqa: E402
from airflow_provider_outbound.client.transport import arun, run  # noqa: E402


class Driver:
    """Drive flows through ``run`` or ``arun``, with waits recorded, not made."""

    def __init__(self, way: str) -> None:
        self.way = way
        self.waits: list[float] = []
        self.secrets: list[str] = []
        self.on_wait: Callable[[float], None] = lambda seconds: None

    def __call__(self, flow: Flow[Any], account: Account) -> Any:
        with Sender(account) as send:
            if self.way == "run":
                return run(flow, send, sleep=self._wait, hide=self.secrets.append)
            return asyncio.run(arun(flow, send, sleep=self._await, hide=self.secrets.append))

    def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.on_wait(seconds)

    async def _await(self, seconds: float) -> None:
        self._wait(seconds)


@pytest.fixture(params=["run", "arun"])
def drive(request: pytest.FixtureRequest) -> Driver:
    """Return a driver of flows; a test that takes it runs in a thread and on an event loop."""
    return Driver(request.param)


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that defines an Airflow Connection and returns its id."""

    def define(connection: dict[str, Any], conn_id: str = "liveperson_outbound_default") -> str:
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))
        return conn_id

    return define


@pytest.fixture(scope="session")
def airflow_db() -> None:
    """Make this session's metadata database, which ``dag.test()`` needs."""
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture
def logs() -> Iterator[Callable[[], list[str]]]:
    """Return a function that gives the lines logged so far, each after its level."""
    from structlog.testing import capture_logs

    with capture_logs() as events:
        yield lambda: [f"{event['log_level'].upper()} {event['event']}" for event in events]
