from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
from fsspec.implementations.memory import MemoryFileSystem  # noqa: E402
from hypothesis import settings  # noqa: E402

from airflow_provider_outbound.cli import main  # noqa: E402
from airflow_provider_outbound.client.account import Account  # noqa: E402
from airflow_provider_outbound.client.api import Access, Api  # noqa: E402
from airflow_provider_outbound.client.configurations import Configurations  # noqa: E402
from airflow_provider_outbound.client.listing import Listing  # noqa: E402
from airflow_provider_outbound.client.prefetch import Prefetch  # noqa: E402
from airflow_provider_outbound.client.sender import Sender  # noqa: E402
from airflow_provider_outbound.hooks import OutboundHook  # noqa: E402
from tests import warehouses  # noqa: E402
from tests.clock import Clock  # noqa: E402

# No test asserts absolute times: machines are slow at times.
settings.register_profile("project", deadline=None)
settings.load_profile("project")


class Client(Clock):
    """Calls of the API in which waits are recorded, not made.

    :param way: ``plain``, or ``prefetch`` to send requests ahead.
    """

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way
        self.tokens: list[str] = []

    def access(self, account: Account, **options: Any) -> Access:
        return Access(account, **{"mask": self.tokens.append, **options})

    @contextmanager
    def open(self, access: Access) -> Iterator[Api]:
        sender = Sender(access.account, self.sleep)
        with Prefetch(sender) if self.way == "prefetch" else sender as send:
            yield Api(access, send, self.sleep)

    def list_page(self, access: Access, channel: str | None = None, offset: int = 0) -> list[dict[str, Any]]:
        """Return the items of one page."""
        with self.open(access) as api:
            return [record.item for record in api.list_page(channel, offset)]

    def read(self, account: Account, **options: Any) -> list[dict[str, Any]]:
        """Return the items of a whole listing, each id once."""
        items: list[dict[str, Any]] = []
        with self.open(self.access(account, **options)) as api:
            for page in Configurations([]).read([Listing(api)]):
                items[page.offset :] = [record.item for record in page.records]
        return items


@pytest.fixture(params=["plain", "prefetch"])
def client(request: pytest.FixtureRequest) -> Client:
    """Return a client; a test that takes it runs without requests sent ahead, and with them."""
    return Client(request.param)


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that defines an Airflow Connection and returns its id."""

    def define(connection: dict[str, Any], conn_id: str = "liveperson_outbound_default") -> str:
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))
        return conn_id

    return define


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let hooks that are made by others, such as the commands, fail at once instead of retrying."""
    monkeypatch.setitem(OutboundHook.__init__.__kwdefaults__, "retry_waits", ())


@pytest.fixture
def bucket() -> Iterator[MemoryFileSystem]:
    """Return an object store without anything in it, ``memory://``."""
    from airflow.sdk.io import attach

    store = MemoryFileSystem()
    attach("memory", fs=store)
    store.store.clear()
    yield store
    store.store.clear()


@pytest.fixture(scope="session")
def airflow_db() -> None:
    """Make this session's metadata database, which ``dag.test()`` needs."""
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str | None]:
    """Serve PostgreSQL to the documentation's code; None where it is not installed."""
    with warehouses.postgres() as url:
        yield url


@pytest.fixture
def logs() -> Iterator[Callable[[], list[str]]]:
    """Return a function that gives the lines logged so far, each after its level."""
    from structlog.testing import capture_logs

    with capture_logs() as events:
        yield lambda: [
            f"{event['log_level'].upper()} {event['event']}"
            for event in events
            if "according to RFC3986" not in event["event"]  # Airflow 3.1 about the _ in the connection's type
        ]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs a command and returns its exit code, stdout and stderr."""

    def command(*words: str) -> tuple[int, str, str]:
        code: Any = 0
        try:
            main(words)
        except SystemExit as end:
            code = end.code
        return code, *capsys.readouterr()

    return command


@pytest.fixture(scope="session")
def built_docs(testrun_uid: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the documentation, built anew by the first of the processes that run tests."""
    pytest.importorskip("sphinx")
    from filelock import FileLock  # installed beside Sphinx

    built = tmp_path_factory.getbasetemp().parent / f"docs-{testrun_uid}"
    with FileLock(f"{built}.lock"):
        if not built.exists():
            make = ["make", "--silent", "docs", f"BIN={Path(sys.executable).parent}"]
            subprocess.run(make, check=True, cwd=Path(__file__).parent.parent)
            built.touch()
    return Path(__file__).parent.parent / "docs" / "_build" / "html"
