"""Real Airflow processes on loopback: for the system tests, the demo and ``make airflow``."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from datetime import datetime, timezone
from pathlib import Path
from socket import create_server
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import requests

from tests.system.processes import ProcessError, Processes

AIRFLOW = (sys.executable, "-m", "airflow")
COMPONENTS: Mapping[str, Sequence[str]] = {
    # The log servers would listen on every interface; the API server reads the same disk.
    "api-server": ("api-server", "--host", "127.0.0.1"),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
JOBS = ("scheduler", "dag_processor", "triggerer")
SETTINGS = {
    "CORE__LOAD_EXAMPLES": "False",
    "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    "CORE__PARALLELISM": "4",
    "WORKERS__EXECUTION_API_TIMEOUT": "90",  # longer than SQLite's: at the start, all daily DAGs write at once
    "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
    "CORE__TEST_CONNECTION": "Enabled",
    "CORE__HOSTNAME_CALLABLE": "socket.gethostname",  # the default asks DNS, which may hang
    "API__MAXIMUM_PAGE_LIMIT": "1000",
    "DAG_PROCESSOR__REFRESH_INTERVAL": "2",  # new files are looked for, at most every 5 s
    "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
    "TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",  # then another may take over its triggers
    # A worker may take this long to notice that its task has deferred. A task that is resumed before is failed by
    # the scheduler, which takes the worker's end for the resumed task's.
    "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
}


class LocalAirflowError(ProcessError):
    """A call was refused; the message says which and why."""


class LocalAirflow(Processes):
    """API server, scheduler, DAG processor and triggerer on loopback, in their own AIRFLOW_HOME, with SQLite.

    There is no login: whoever reaches the port is admin. Use it as a context manager, or call :meth:`stop`.

    :param home: AIRFLOW_HOME: database, keys (in ``airflow.cfg``) and logs; made if missing, kept on stop
    :param dags: folder of the DAG files
    :param env: variables for every process, such as ``AIRFLOW_CONN_*``; they win over the settings made here
    :param port: of the API server, OSError if it is taken; None takes a free one
    :param components: their names, and each one's ``airflow`` command
    :param connections: Connections for the database, by id. The UI lists these, but not those of ``env``
    """

    def __init__(
        self,
        home: Path,
        dags: Path,
        env: Mapping[str, str] | None = None,
        port: int | None = None,
        components: Mapping[str, Sequence[str]] = COMPONENTS,
        connections: Mapping[str, Mapping[str, Any]] | None = None,
    ):
        super().__init__(home)
        self._components = components
        self._connections = connections or {}
        self._login: dict[str, str] = {}
        with create_server(("127.0.0.1", port or 0)) as server:  # fails if another Airflow is there already
            self.port = int(server.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._env = {k: v for k, v in os.environ.items() if not k.lstrip("_").startswith("AIRFLOW")}
        proxied = self._env.get("no_proxy") or self._env.get("NO_PROXY") or "localhost"
        self._env |= dict.fromkeys(("no_proxy", "NO_PROXY"), f"{proxied},127.0.0.1")  # tasks call the API
        self._env |= {f"AIRFLOW__{name}": value for name, value in SETTINGS.items()} | {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags.resolve()),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home}/airflow.db?timeout=60",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__PORT": str(self.port),
            **(env or {}),
        }

    def __enter__(self) -> LocalAirflow:
        self.start()
        return self

    def start(self, timeout: float = 120) -> None:
        """Migrate the database, start every component and wait until all are healthy; stop them if not."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.run("db", "migrate")
        with closing(sqlite3.connect(self.home / "airflow.db")) as database:
            database.execute("PRAGMA journal_mode = WAL")  # kept in the file: readers hold up no writer
        try:
            self.resume(self._components, timeout)
        except BaseException:  # also Ctrl-C
            self.stop()
            raise

    def restart(self, component: str, how: signal.Signals = signal.SIGTERM, timeout: float = 60) -> None:
        """End a component and its children with a signal (SIGKILL: a crash), and start it again."""
        self.end([component], how)
        self.resume([component], timeout)

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run an ``airflow`` command in this environment; raise LocalAirflowError if it fails."""
        done = subprocess.run([*AIRFLOW, *args], env=self._env, cwd=self.home, text=True, capture_output=True)
        if done.returncode:
            raise LocalAirflowError(f"airflow {args[0]}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def unpause(self, dag_id: str) -> None:
        """Wait until the DAG is parsed, and let it be scheduled."""
        found = f"/api/v2/dags?limit=1000&dag_id_pattern={quote(dag_id, safe='')}"
        self.poll(f"DAG {dag_id}", 60, lambda: any(d["dag_id"] == dag_id for d in self.get(found)["dags"]))
        self._request("PATCH", f"/api/v2/dags/{quote(dag_id, safe='')}", {"is_paused": False})

    def trigger(self, dag_id: str, conf: Any = None, logical_date: str | None = None) -> str:
        """Wait until the DAG is parsed, unpause it and start a run; return the run's id."""
        self.unpause(dag_id)
        run_id = f"manual__{uuid4()}"
        body = {"dag_run_id": run_id, "conf": conf, "logical_date": logical_date}
        self.post(f"/api/v2/dags/{quote(dag_id, safe='')}/dagRuns", body)
        return run_id

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
            if over and not until.items() <= tasks.items():
                raise LocalAirflowError(f"{dag_id} is {state} and was not seen as {until}: {tasks}")
            return state if until.items() <= tasks.items() else ""

        return self.poll(f"{dag_id} {until or 'over'}", timeout, seen)

    def end_run(self, dag_id: str, run_id: str) -> None:
        """Mark a run as failed, so that what is left of it is not scheduled any more."""
        self._request("PATCH", _path(dag_id, run_id), {"state": "failed"})

    def task_states(self, dag_id: str, run_id: str) -> dict[str, str]:
        """Return the state of every task, ``none`` before it has one; a mapped task is ``task[0]``."""
        tasks = self.get(f"{_path(dag_id, run_id)}/taskInstances?limit=1000")["task_instances"]
        indexed = [(f"[{task['map_index']}]" if task["map_index"] >= 0 else "", task) for task in tasks]
        return {task["task_id"] + index: task["state"] or "none" for index, task in indexed}

    def xcom(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> Any:
        """Return what a task returned, as the API has it."""
        task = _path(dag_id, run_id, task_id)
        return self.get(f"{task}/xcomEntries/return_value?map_index={map_index}")["value"]

    def question(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """Return what a task asks a person, such as its ``body``."""
        return self.get(f"{_path(dag_id, run_id, task_id)}/-1/hitlDetails")

    def answer(self, dag_id: str, run_id: str, task_id: str, option: str) -> None:
        """Answer what a task asks a person, once its worker has ended (see WORKERS__MIN_HEARTBEAT_INTERVAL)."""
        ended = f"state success for task instance TaskInstanceKey(dag_id='{dag_id}', task_id='{task_id}', "
        self.poll(
            "the worker's end", 60, lambda: f"{ended}run_id='{run_id}'" in self._log("scheduler").read_text()
        )
        path = f"{_path(dag_id, run_id, task_id)}/-1/hitlDetails"
        self._request("PATCH", path, {"chosen_options": [option]})

    def logs(self, dag_id: str, run_id: str, task_id: str, try_number: int = 1, map_index: int = -1) -> str:
        """Return a task's log and its trigger's, one JSON object per line, with every field."""
        path = f"{_path(dag_id, run_id, task_id)}/logs/{try_number}?full_content=true&map_index={map_index}"
        return "\n".join(json.dumps(line, ensure_ascii=False) for line in self.get(path)["content"])

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Any:
        """Return the JSON at a path of the API server, such as ``/ui/connections/hook_meta``."""
        return self._request("GET", path, headers=headers)

    def post(self, path: str, body: Any) -> Any:
        """Post JSON to a path of the API server, such as ``/api/v2/connections/test``; return its answer."""
        return self._request("POST", path, body)

    def _request(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        with requests.Session() as session:
            session.trust_env = False  # no proxy and no .netrc on loopback
            session.headers.update(self._login)
            for _ in range(20):
                answer = session.request(
                    method, self.url + path, json=body, headers=headers, timeout=90
                )  # longer than SQLite's
                if answer.status_code == 401 and not self._login:  # Airflow 3.1 wants a token, which anyone gets
                    token = session.get(f"{self.url}/auth/token", timeout=90).json()["access_token"]
                    self._login = {"Authorization": f"Bearer {token}"}
                    session.headers.update(self._login)
                    continue
                if answer.status_code != 500 or "Database error" not in answer.text:
                    break
                time.sleep(0.5)  # SQLite takes one writer at a time, and Airflow does not wait for its turn
        if not answer.ok:
            raise LocalAirflowError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def resume(self, components: Iterable[str], timeout: float = 60) -> None:
        """Start components, and wait until all are healthy."""
        started = datetime.now(timezone.utc)
        for name in components:
            self.spawn(name, [*AIRFLOW, *self._components[name]], self._env)
            if name == "api-server":  # the tasks that a scheduler starts fail without it and its Connections
                self.poll("the API server", timeout, lambda: self._health() is not None)
                self._put_connections()
        self.poll("start", timeout, lambda: self._healthy(started))

    def _put_connections(self) -> None:
        """Put the Connections into the database, in place of those of an earlier start."""
        listed = self.get("/api/v2/connections?limit=1000")["connections"] if self._connections else []
        for conn_id in self._connections.keys() & {each["connection_id"] for each in listed}:
            self._request("DELETE", f"/api/v2/connections/{quote(conn_id, safe='')}")
        for conn_id, connection in self._connections.items():
            # Without a port, the button Test of Airflow 3.3.2 fails: apache/airflow#73298.
            self.post("/api/v2/connections", {"connection_id": conn_id, "port": 0, **connection})

    def _health(self) -> Any:
        """Return what the API server says of the jobs, None before it answers."""
        try:
            return self.get("/api/v2/monitor/health")
        except (requests.ConnectionError, requests.Timeout):
            return None

    def _healthy(self, started: datetime) -> bool:
        """Tell whether every job had a heartbeat since: a dead one stays ``healthy`` for a while."""
        health = self._health()
        if health is None:
            return False
        beats = [health[job][f"latest_{job}_heartbeat"] for job in JOBS]
        return all(beat and datetime.fromisoformat(beat) >= started for beat in beats)

    def _tails(self) -> str:
        """Return the end of every component's log, and why DAG files could not be read."""
        texts = [super()._tails()]
        with suppress(requests.RequestException, LocalAirflowError):
            for error in self.get("/api/v2/importErrors")["import_errors"]:
                texts += [f"--- {error['filename']}", error["stack_trace"]]
        return "\n".join(texts)


def _path(dag_id: str, run_id: str, task_id: str | None = None) -> str:
    run = f"/api/v2/dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}"
    return run if task_id is None else f"{run}/taskInstances/{quote(task_id, safe='')}"
