"""Processes that run until they are ended, by pid and with all that they started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
GRACE = 5.0  # seconds from SIGTERM to SIGKILL; a triggerer may need 10 to notice that its child is gone


class ProcessError(RuntimeError):
    """A process died or a deadline passed; the message says which, and how its log ends."""


class Processes:
    """Processes in one folder, each with a log of its own in ``logs``; a ``with`` block ends them.

    A SIGTERM to the caller does not reach them: a script that may get one turns it into an exception.

    :param home: folder in which they run; made if missing, for nobody else to read
    """

    def __init__(self, home: Path):
        self.home = home.resolve()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def spawn(self, name: str, command: Sequence[str | Path], env: Mapping[str, str]) -> None:
        """Start a process, in a session of its own so that a Ctrl-C is the caller's alone."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._log(name).parent.mkdir(exist_ok=True)
        with self._log(name).open("ab") as log:
            self._processes[name] = subprocess.Popen(
                command,
                env=env,
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self) -> None:
        """End every process started here, and their children."""
        self.end(list(self._processes), signal.SIGTERM)

    def end(self, names: Iterable[str], how: signal.Signals) -> None:
        """End some processes and their children with a signal; after a while with SIGKILL."""
        processes = [self._processes.pop(name) for name in names]
        for process in processes:
            process.send_signal(how)  # not to the group: each ends its own children, in its own order
        deadline = time.monotonic() + GRACE
        try:
            for process in processes:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(max(0, deadline - time.monotonic()))
        finally:  # what is left of the groups, also on a second Ctrl-C
            for process in processes:
                with suppress(ProcessLookupError, PermissionError):  # macOS: EPERM if only zombies are left
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def poll(self, what: str, timeout: float, probe: Callable[[], T]) -> T:
        """Ask until a probe gives something true; return that, or raise ProcessError after the timeout."""
        deadline = time.monotonic() + timeout
        while True:
            for name, process in self._processes.items():
                if process.poll() is not None:
                    raise ProcessError(f"{name} ended: {process.returncode}\n{self._tails()}")
            if found := probe():
                return found
            if time.monotonic() > deadline:
                raise ProcessError(f"{what}: not within {timeout:g} s\n{self._tails()}")
            time.sleep(0.2)

    def _tails(self) -> str:
        """Return the end of every process's log."""
        texts = []
        for name in self._processes:
            texts += [f"--- {name}", *self._log(name).read_text(errors="replace").splitlines()[-20:]]
        return "\n".join(texts)

    def _log(self, name: str) -> Path:
        return self.home / "logs" / f"{name}.log"


def free_port() -> int:
    """Return a TCP port of loopback on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
