"""Environments, the server, and one peer's run against it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import check
from benchmarks.server import ACCOUNT, CLIENT_ID, CLIENT_SECRET, Case, configurations, settings

ROOT = Path(__file__).parent.parent
HOME = ROOT / ".bench"
PEERS = ("provider", "http_operator", "dlt", "meltano", "naive")
UNPACED, ONE_FILE = "provider, unpaced", "provider, unpaced, one file"
LIMIT = 300.0  # seconds, unless a case says less
# The server is on loopback, where no proxy of the environment belongs; nor does the user's Airflow.
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
    "AIRFLOW_HOME": str(HOME / "airflow"),
    "NO_PROXY": "127.0.0.1",
}


def python_of(peer: str) -> str:
    """Return the interpreter of a peer's environment."""
    return str(HOME / peer / "bin" / "python")


def make_environments() -> None:
    """Give each peer an environment of its own, all with this interpreter, or bring it up to date."""
    for peer in PEERS:
        if not Path(python_of(peer)).exists():
            _uv("venv", "--python", sys.executable, str(HOME / peer))
        wanted = ["--requirement", f"benchmarks/peers/{peer}/requirements.txt"]
        if peer == "provider":
            wanted = ["--editable", "."]
        _uv("pip", "install", "--python", python_of(peer), "--constraints", "constraints.txt", *wanted)


def version_of(peer: str, package: str) -> str:
    """Return the version of a package in a peer's environment."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    done = subprocess.run([python_of(peer), "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _uv(*words: str) -> None:
    subprocess.run([f"{Path(sys.executable).parent}/uv", words[0], "--quiet", *words[1:]], cwd=ROOT, check=True)


@dataclass(frozen=True)
class Run:
    """What one run of a job measured.

    :param case: "speed", "cpu", "memory", or the name of what goes wrong.
    :param contestant: a peer, or the provider in another way.
    :param items: configurations at the start.
    :param page_size: configurations asked for at once.
    :param latency: milliseconds before each answer.
    :param outcome: "exact", "error: ...", "wrong: ..." or "no end in ... s".
    :param took: empty if the job failed. Seconds: ``import`` of its modules, ``startup`` until the first request
        reached the server, ``wall`` from then to the closed file, and ``cpu``. Bytes: ``peak_rss``.
    :param calls: what the server counted.
    """

    case: str
    contestant: str
    items: int
    page_size: int
    latency: int
    outcome: str
    took: dict[str, float]
    calls: dict[str, float]

    @property
    def exact(self) -> bool:
        """Tell whether the file has every configuration once, as it was listed."""
        return self.outcome == "exact"


class Bench:
    """Jobs against one server.

    :param url: where it listens.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def run(self, name: str, contestant: str, case: Case, page_size: int, limit: float = LIMIT) -> Run:
        """Run one job from login to closed file in a fresh process, and check what it wrote.

        :param name: what :class:`Run` calls the case.
        :param contestant: a peer, or the provider in another way.
        :param limit: seconds after which it counts as endless.
        """
        self.call("/case", settings(case))
        outcome, took = self._job(contestant, case, page_size, limit)
        calls = self.call("/calls")
        first = calls.pop("first")
        if took:
            took["startup"] = first - took.pop("begun")
            took["wall"] = took.pop("ended") - first
        milliseconds = round(case.latency * 1000)
        return Run(name, contestant, case.items, page_size, milliseconds, outcome, took, calls)

    def _job(self, contestant: str, case: Case, page_size: int, limit: float) -> tuple[str, dict[str, float]]:
        peer = contestant.partition(",")[0]
        with tempfile.TemporaryDirectory(prefix="bench-", dir=HOME) as folder:
            order = {
                "url": self.url,
                "account": ACCOUNT,
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "page_size": page_size,
                "paced": contestant in PEERS,
                "one_file": contestant == ONE_FILE,
                "folder": folder,
            }
            command = [python_of(peer), str(ROOT / "benchmarks" / "job.py"), peer, json.dumps(order)]
            begun = time.monotonic()
            try:
                done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=limit)
            except subprocess.TimeoutExpired:
                return f"no end in {limit:g} s", {}
            if done.returncode:
                return f"error: {_error(done.stderr)}", {}
            if faults := check.faults(check.read(peer, Path(folder)), _steady(case), _passing(case)):
                return f"wrong: {faults}", {}
            return "exact", {"begun": begun, **json.loads(done.stdout)}

    def call(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        """Call one of the server's own paths: POST if there is a body, else GET."""
        request = urllib.request.Request(self.url + path, data=body)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as answer:
            told: dict[str, Any] = json.load(answer)
        return told


def _steady(case: Case) -> list[check.Item]:
    return configurations(case.items)[1 if case.deletes else 0 :]


def _passing(case: Case) -> list[str]:
    return [configurations(case.items)[0]["id"], "inserted"]


def _error(stderr: str) -> str:
    """Return the class of the error that ended a process: what stands first after the last traceback."""
    after = stderr.rpartition("Traceback (most recent call last):\n")[2]
    found = re.search(r"^(?:\w+\.)*(\w+)", after, re.MULTILINE)
    return found[1] if found else "no traceback"


@contextmanager
def server() -> Iterator[Bench]:
    """Serve in a process of its own, for the length of a with block."""
    command = [sys.executable, "-m", "benchmarks.server"]
    # It ends with its standard input, which the with block closes.
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield Bench(process.stdout.readline().strip())
