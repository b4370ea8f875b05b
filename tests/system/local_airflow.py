"""Real Airflow processes on loopback: for the system tests, the demo and ``make airflow``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from socket import create_server
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import quote

import requests

T = TypeVar("T")

COMPONENTS = {
    "api-server": ("--host", "127.0.0.1"),
    # The log servers listen on every interface, and nobody needs them: the API server reads the same disk.
    "scheduler": ("--skip-serve-logs",),
    "dag-processor": (),
    "triggerer": ("--skip-serve-logs",),
}
GRACE = 5.0  # seconds from SIGTERM to SIGKILL; some triggerers notice only after 10 s that their child is gone


class LocalAirflowError(RuntimeError):
    """A component died, a call was refused or a deadline passed; the message says which and why."""


class LocalAirflow:
    """API server, scheduler, DAG processor and triggerer on SQLite, on loopback, in their own ``AIRFLOW_HOME``.

    There is no login: whoever reaches the port is admin. Use it as a context manager, or call :meth:`stop`.
    A SIGTERM to the caller reaches neither: a script that may get one turns it into an exception.

    :param home: AIRFLOW_HOME: database, keys (in ``airflow.cfg``) and logs; made if missing, kept on stop
    :param dags: folder of the DAG files
    :param env: variables for every process, such as ``AIRFLOW_CONN_*``; they win over the settings made here
    :param port: of the API server; None takes a free one
    """

    def __init__(
        self, home: Path, dags: Path, env: Mapping[str, str] | None = None, port: int | None = None
    ) -> None:
        self.home = home.resolve()
        self.port = port or _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        inherited = {k: v for k, v in os.environ.items() if not k.lstrip("_").startswith("AIRFLOW")}
        direct = ",".join(filter(None, [inherited.get("no_proxy") or inherited.get("NO_PROXY"), "127.0.0.1"]))
        self._env = inherited | {
            "no_proxy": direct,  # tasks call the API server
            "NO_PROXY": direct,
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags.resolve()),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",  # the default asks DNS, which may hang
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "1",
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__MAXIMUM_PAGE_LIMIT": "1000",
            "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": "1",  # refused at once; 8793 may be another Airflow's
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": "1",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "2",
            "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "5",
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
            "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "1",
            "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",  # then a new one takes its triggers
            **(env or {}),
        }

    def __enter__(self) -> LocalAirflow:
        try:
            self.start()
        except BaseException:  # also Ctrl-C: there is no __exit__ after an __enter__ that failed
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, timeout: float = 120) -> None:
        """Create or migrate the database, start every component and wait until all are healthy."""
        (self.home / "logs").mkdir(mode=0o700, parents=True, exist_ok=True)
        self.run("db", "migrate")
        self._spawn(COMPONENTS, timeout)

    def stop(self) -> None:
        """End every process started here and all their children."""
        processes = [self._processes.pop(name) for name in list(self._processes)]
        _end(processes, signal.SIGTERM)

    def restart(self, component: str, how: signal.Signals = signal.SIGTERM, timeout: float = 60) -> None:
        """End a component and its children with a signal (SIGKILL: a crash), and start it again."""
        _end([self._processes.pop(component)], how)
        self._spawn([component], timeout)

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run an ``airflow`` command in this environment; raise LocalAirflowError if it fails."""
        command = [sys.executable, "-m", "airflow", *args]
        done = subprocess.run(command, env=self._env, cwd=self.home, text=True, capture_output=True, check=False)
        if done.returncode:
            raise LocalAirflowError(f"airflow {' '.join(args[:2])}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None, logical_date: str | None = None) -> str:
        """Wait until the DAG is parsed, unpause it, start a run; return the run's id."""
        found = f"/api/v2/dags?dag_id_pattern={quote(dag_id, safe='')}&limit=1000"
        self._poll(f"DAG {dag_id}", 60, lambda: any(d["dag_id"] == dag_id for d in self.get(found)["dags"]))
        dag = f"/api/v2/dags/{quote(dag_id, safe='')}"
        self._request("PATCH", dag, {"is_paused": False})
        run = self.post(f"{dag}/dagRuns", {"conf": dict(conf or {}), "logical_date": logical_date})
        return str(run["dag_run_id"])

    def wait(
        self, dag_id: str, run_id: str, *, until: Mapping[str, str] | None = None, timeout: float = 120
    ) -> str:
        """Wait until a run is over; return its state, ``success`` or ``failed``.

        :param until: return as soon as these tasks are in these states, such as ``{"poke": "deferred"}``;
            raise LocalAirflowError if the run is over first
        """

        def seen() -> str:
            state = str(self.get(_path(dag_id, run_id))["state"])  # first: if it is over, the tasks are final
            over = state in {"success", "failed"}
            if until is None:
                return state if over else ""
            tasks = self.task_states(dag_id, run_id)
            if until.items() <= tasks.items():
                return state
            if over:
                raise LocalAirflowError(f"{dag_id} is {state} and never was {dict(until)}: {tasks}")
            return ""

        return self._poll(f"{dag_id} {dict(until) if until else 'over'}", timeout, seen)

    def task_states(self, dag_id: str, run_id: str) -> dict[str, str]:
        """Return the state of every task of a run, ``none`` before it has one; a mapped task is ``task[0]``."""
        tasks = self.get(f"{_path(dag_id, run_id)}/taskInstances?limit=1000")["task_instances"]
        return {
            t["task_id"] + (f"[{t['map_index']}]" if t["map_index"] >= 0 else ""): t["state"] or "none"
            for t in tasks
        }

    def xcom(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> Any:
        """Return what a task returned, as the API has it."""
        path = f"{_path(dag_id, run_id, task_id)}/xcomEntries/return_value?map_index={map_index}"
        return self.get(path)["value"]

    def logs(self, dag_id: str, run_id: str, task_id: str, try_number: int = 1, map_index: int = -1) -> str:
        """Return a task's log and its trigger's, one JSON object per line, with every field."""
        path = f"{_path(dag_id, run_id, task_id)}/logs/{try_number}?full_content=true&map_index={map_index}"
        return "\n".join(json.dumps(line, ensure_ascii=False) for line in self.get(path)["content"])

    def get(self, path: str) -> Any:
        """Return the JSON at a path of the API server, such as ``/ui/connections/hook_meta``."""
        return self._request("GET", path)

    def post(self, path: str, body: Any) -> Any:
        """Post JSON to a path of the API server, such as ``/api/v2/connections/test``; return the answer's."""
        return self._request("POST", path, body)

    def _request(self, method: str, path: str, body: Any = None) -> Any:
        with requests.Session() as session:
            session.trust_env = False  # no proxy and no .netrc on loopback
            answer = session.request(method, self.url + path, json=body, timeout=30)
        if not answer.ok:
            raise LocalAirflowError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def _spawn(self, components: Iterable[str], timeout: float) -> None:
        started = datetime.now(timezone.utc)
        for name in components:
            command = [sys.executable, "-m", "airflow", name, *COMPONENTS[name]]
            with (self.home / "logs" / f"{name}.log").open("ab") as log:
                self._processes[name] = subprocess.Popen(  # its own group: children end with it
                    command,
                    env=self._env,
                    cwd=self.home,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        self._poll("start", timeout, lambda: self._healthy(started))

    def _healthy(self, started: datetime) -> bool:
        """Tell whether every component had a heartbeat since then: a dead one's last counts as healthy for a while."""
        try:
            health = self.get("/api/v2/monitor/health")
        except (requests.ConnectionError, requests.Timeout):
            return False
        return all(
            health[job]["status"] == "healthy"
            and datetime.fromisoformat(health[job][f"latest_{job}_heartbeat"]) >= started
            for job in ("scheduler", "dag_processor", "triggerer")
        )

    def _poll(self, what: str, timeout: float, probe: Callable[[], T]) -> T:
        deadline = time.monotonic() + timeout
        while True:
            for name, process in self._processes.items():
                if process.poll() is not None:
                    raise LocalAirflowError(f"{name} ended: {process.returncode}\n{self._tails()}")
            if found := probe():
                return found
            if time.monotonic() > deadline:
                raise LocalAirflowError(f"{what}: not within {timeout:g} s\n{self._tails()}")
            time.sleep(0.2)

    def _tails(self) -> str:
        """Return the end of every component's log, and why DAG files could not be read."""
        texts = []
        for name in COMPONENTS:
            lines = (self.home / "logs" / f"{name}.log").read_text(errors="replace").splitlines()
            texts += [f"--- {name}.log", *lines[-20:]]
        with suppress(requests.RequestException, LocalAirflowError):
            for error in self.get("/api/v2/importErrors")["import_errors"]:
                texts += [f"--- {error['filename']}", error["stack_trace"]]
        return "\n".join(texts)


def _free_port() -> int:
    with create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _path(dag_id: str, run_id: str, task_id: str | None = None) -> str:
    run = f"/api/v2/dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}"
    return run if task_id is None else f"{run}/taskInstances/{quote(task_id, safe='')}"


def _end(processes: list[subprocess.Popen[bytes]], how: signal.Signals) -> None:
    # Each ends its own children. A SIGTERM to all would leave the scheduler waiting for ever, on a queue
    # whose lock died with one of its workers.
    for process in processes:
        process.send_signal(how)
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
