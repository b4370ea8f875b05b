"""``make cluster``: the provider in a distributed Airflow on this machine; its triggerer is killed on the way."""

from __future__ import annotations

import json
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import psutil
import psycopg2
import pyarrow.parquet as pq
from celery import Celery
from cryptography.fernet import Fernet
from rich.console import Console

from airflow_provider_outbound.sandbox import Sandbox
from tests.system import postgres, services
from tests.system.local_airflow import COMPONENTS, LocalAirflow
from tests.system.processes import Processes

ROOT = Path(__file__).parent.parent.parent
HOME = ROOT / ".cluster" / "airflow"
EXPORT, GATE, TEMPLATE = "outbound_export_by_channel", "outbound_campaign_gate", "spring_sale"
CHANNELS = ("wa", "sms-twilio", "apple-twilio", "googlercs", "inapp")  # those of the export, in its order
WORKERS = ("worker-1", "worker-2")
GATES = 50
POKE_INTERVAL = 4
PAGE = 20
WRONG = 3  # calls that may be sent ahead past the end of the one listing of three pages, after as many calls
TRIGGERS = """
    SELECT task_instance.run_id, trigger.kwargs, trigger.triggerer_id
    FROM task_instance JOIN trigger ON trigger.id = task_instance.trigger_id
"""
console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)


class Stored(NamedTuple):
    """What the metadata database holds of a deferred run's trigger."""

    arguments: str
    triggerer: int | None


@dataclass
class Cluster:
    """A running Airflow and its parts, and the checks on them."""

    airflow: LocalAirflow
    sandbox: Sandbox
    celery: Celery
    database: str
    begun: float
    failed: int = 0

    def check(self, holds: bool, words: str) -> None:
        """Print a check as one line, and keep count of those that fail."""
        self.failed += not holds
        verdict = "[green]ok[/]    " if holds else "[bold red]FAILED[/]"
        console.print(f"{time.monotonic() - self.begun:4.0f} s  {verdict}  {words}", soft_wrap=True)

    def workers(self) -> dict[str, int]:
        """Return the workers' names, and how many tasks each has taken."""

        def answers() -> dict[str, Any]:
            found = self.celery.control.inspect(timeout=5, limit=len(WORKERS)).stats() or {}
            return found if len(found) == len(WORKERS) else {}

        found = self.airflow.poll("both workers", 60, answers)
        return {name.partition("@")[0]: sum(found[name]["total"].values()) for name in sorted(found)}

    def started(self, *folders: Path) -> None:
        """Wait for the workers; nothing may listen where another machine reaches it."""
        names, where = list(self.workers()), addresses(ours(*folders))
        self.check(
            where == {"127.0.0.1"}, f"Airflow with {' and '.join(names)} listens on {', '.join(where)} only"
        )

    def export(self) -> None:
        """Run the export, one mapped task per channel; compare its files with the account."""
        console.rule(EXPORT)
        run_id = self.airflow.trigger(EXPORT)
        state = self.airflow.wait(EXPORT, run_id, timeout=180)
        shares = self.workers()
        self.check(
            state == "success" and tuple(shares) == WORKERS and all(shares.values()),
            f"{state}: {len(CHANNELS)} mapped tasks on both workers ({shown(shares)})",
        )
        counts = {}
        for index, channel in enumerate(CHANNELS):
            written = self.airflow.xcom(EXPORT, run_id, "export", map_index=index)
            tables = {name: pq.read_table(written[name]["path"]) for name in ("configurations", "components")}
            whole = all(tables[name].num_rows == written[name]["rows"] for name in tables)
            ids = [item["id"] for item in self.sandbox.listing(channel)]
            counts[channel] = len(ids) if whole and tables["configurations"]["id"].to_pylist() == ids else -1
        self.check(
            min(counts.values()) > 0,
            f"{2 * len(counts)} Parquet files hold what the account does ({shown(counts)} configurations)",
        )
        made, needed = self.sandbox.calls["list"], sum(calls(self.sandbox, channel) for channel in CHANNELS)
        self.check(
            needed <= made <= needed + WRONG,
            f"{made} list calls: {needed} for the pages and the proof of their ends, the others past an end",
        )

    def gates(self) -> dict[str, Stored]:
        """Start all gates and wait until all are deferred; return what is stored of their triggers."""
        console.rule(GATE)
        for _ in range(GATES):
            self.airflow.trigger(GATE)
        deferred = f"/api/v2/dags/{GATE}/dagRuns/~/taskInstances?task_id=wait_for_template&state=deferred"
        self.airflow.poll("all gates deferred", 300, lambda: self.airflow.get(deferred)["total_entries"] == GATES)
        stored = self.airflow.poll("all gates watched", 60, self._watched)
        self.check(len(stored) == GATES, f"{len(stored)} gates are deferred at once")
        return stored

    def _watched(self, before: Mapping[str, Stored] | None = None) -> dict[str, Stored]:
        """Return what is stored of all triggers, nothing until a triggerer has each; another one than before."""
        with closing(psycopg2.connect(self.database)) as database, database.cursor() as cursor:
            cursor.execute(TRIGGERS)
            stored = {run_id: Stored(arguments, triggerer) for run_id, arguments, triggerer in cursor}
        old = {each.triggerer for each in (before or {}).values()} | {None}
        return {} if old & {each.triggerer for each in stored.values()} else stored

    def looks(self, when: str) -> None:
        """Watch the triggerer look a few times: it must ask for one listing per interval, not for one per gate."""
        asked, begun, one = self.sandbox.calls["list"], time.monotonic(), calls(self.sandbox, "wa")

        def made() -> int:
            return self.sandbox.calls["list"] - asked

        def elapsed() -> float:
            return time.monotonic() - begun

        self.airflow.poll("looks", 120, lambda: elapsed() >= 3 * POKE_INTERVAL and made() >= 2 * one)
        most = (elapsed() / POKE_INTERVAL + 2) * one  # a look may be under way at either end
        self.check(
            made() <= most,
            f"{when}: {made()} list calls in {elapsed():.0f} s; a look makes {one}, every {POKE_INTERVAL} s",
        )

    def kill(self, before: dict[str, Stored]) -> None:
        """Kill the triggerer and start another; nothing that is stored of the gates may differ."""
        console.print("The triggerer is killed with -9, and another is started.")
        self.airflow.restart("triggerer", signal.SIGKILL)
        after = self.airflow.poll("all gates watched again", 120, partial(self._watched, before))
        old, new = (next(iter(stored.values())).triggerer for stored in (before, after))
        arguments = [{run: each.arguments for run, each in stored.items()} for stored in (before, after)]
        deadlines = [json.loads(each)["deadline"] for each in arguments[1].values()]
        self.check(
            arguments[0] == arguments[1] and all(deadlines) and len(deadlines) == GATES,
            f"{len(deadlines)} gates went from triggerer {old} to {new}, with the same deadlines and arguments",
        )

    def finish(self) -> None:
        """Publish the template; every gate must open."""
        console.print(f"{TEMPLATE} is published.")
        self.sandbox.publish(TEMPLATE)

        def over() -> list[str]:
            runs = self.airflow.get(f"/api/v2/dags/{GATE}/dagRuns?limit=1000")["dag_runs"]
            states = [run["state"] for run in runs]
            return [] if {"queued", "running"} & set(states) else states

        states = self.airflow.poll("all gates open", 300, over)
        self.check(states == ["success"] * GATES, f"{states.count('success')} of {GATES} runs succeeded")
        shares = self.workers()
        self.check(
            # A gate is executed until it is deferred and from there on; the campaign follows.
            sum(shares.values()) == len(CHANNELS) + 3 * GATES,
            f"{sum(shares.values())} executions of tasks in all, none of them twice ({shown(shares)})",
        )
        tokens, tasks = self.sandbox.calls["token"], len(CHANNELS) + GATES
        self.check(
            tokens == tasks + 2,
            f"{tokens} tokens: {tasks} for tasks that looked in a worker, and one for each life of the triggerer",
        )

    def canary(self, stored: dict[str, Stored], dumped: bytes, logs: list[Path]) -> None:
        """Search for the client secret and for every token where they must not be."""
        xcoms = self.xcoms()
        hidden = [self.sandbox.client_secret, *self.sandbox._expiry]
        # The dump writes bytes, such as Celery's results, in hexadecimal.
        canaries = [form for text in hidden for form in (text.encode(), text.encode().hex().encode())]
        for place, content in {
            f"{len(logs)} log files": b"\n".join(path.read_bytes() for path in logs),
            f"{len(xcoms)} XComs": json.dumps(xcoms).encode(),
            f"{len(stored)} triggers' arguments": json.dumps(stored).encode(),
            "the metadata database's dump": dumped,
        }.items():
            leaks = sum(canary in content for canary in canaries)
            seen = TEMPLATE.encode() in content
            self.check(
                seen and not leaks,
                f"{place}, {len(content) / 1000:,.0f} kB: {leaks} leaks of secret and {len(hidden) - 1} tokens; "
                f"the same search {'finds' if seen else 'does not find'} {TEMPLATE}",
            )

    def xcoms(self) -> list[Any]:
        """Return every XCom, with its value."""
        every = "/api/v2/dags/~/dagRuns/~/taskInstances/~/xcomEntries?limit=1000"
        return [
            self.airflow.get(
                f"/api/v2/dags/{entry['dag_id']}/dagRuns/{entry['run_id']}/taskInstances/{entry['task_id']}"
                f"/xcomEntries/{entry['key']}?map_index={entry['map_index']}"
            )
            for entry in self.airflow.get(every)["xcom_entries"]
        ]


def calls(sandbox: Sandbox, channel: str) -> int:
    """Return how many calls list a channel whose pages are capped.

    Each page after the first begins with the last item held, and two calls prove the end. Where there are several
    pages, one call finds out that they are capped, and one reads the rest or finds none.
    """
    further = max(len(sandbox.listing(channel)) - PAGE, 0)
    return 3 + further // (PAGE - 1) + 2 * (further > 0)


def shown(numbers: Mapping[str, int]) -> str:
    """Return names and numbers as text."""
    return ", ".join(f"{name} {number}" for name, number in numbers.items())


def settings(sandbox: Sandbox, database: str, broker: str) -> dict[str, str]:
    """Return what all components share."""
    address = database.partition("://")[2]
    names = {
        "API__SECRET_KEY": secrets.token_urlsafe(),
        "API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
        "CELERY__BROKER_URL": broker,
        "CELERY__RESULT_BACKEND": f"db+postgresql+psycopg2://{address}",
        "CELERY__WORKER_CONCURRENCY": "2",  # small, so that one worker can't take all mapped tasks
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",  # no calls but those of the DAGs that are triggered
        "CORE__EXECUTOR": "CeleryExecutor",
        "CORE__FERNET_KEY": Fernet.generate_key().decode(),
        "CORE__MAX_ACTIVE_RUNS_PER_DAG": str(GATES),
        "CORE__PARALLELISM": "16",
        "DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{address}",
        "DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+asyncpg://{address}",
        "SCHEDULER__USE_JOB_SCHEDULE": "False",  # no runs but those that are triggered
    }
    outbound = {
        "OUTBOUND_OUTPUT": str(HOME / "outbound"),
        "OUTBOUND_POKE_INTERVAL": str(POKE_INTERVAL),
    }
    return {f"AIRFLOW__{name}": value for name, value in names.items()} | outbound | sandbox.env


def ours(*folders: Path) -> list[psutil.Process]:
    """Return the processes that run in some folders."""
    found = []
    for process in psutil.process_iter(["name"]):
        with suppress(psutil.Error):  # it is over, or another user's
            if any(Path(process.cwd()).is_relative_to(folder) for folder in folders):
                found.append(process)
    return found


def addresses(processes: list[psutil.Process]) -> set[str]:
    """Return where processes listen."""
    found = set()
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            sockets = process.net_connections()
            found |= {each.laddr.ip for each in sockets if each.status == psutil.CONN_LISTEN}
    return found


def main() -> int:
    """Start everything, run the checks and end everything; return 1 if a check fails."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that all is ended then, too
    begun = time.monotonic()
    services.install()
    shutil.rmtree(HOME, ignore_errors=True)
    workers = {
        name: ("celery", "worker", "--celery-hostname", f"{name}@%h", "--skip-serve-logs") for name in WORKERS
    }
    # Not under the checkout, whose folders PostgreSQL's user may not be allowed to enter.
    with TemporaryDirectory(prefix="outbound-cluster-") as temporary:
        folder = Path(temporary).resolve()
        with Sandbox(page_cap=PAGE) as sandbox, Processes(folder) as running:
            database, broker = postgres.start_postgres(running), services.start_redis(running)
            console.print(f"PostgreSQL and Redis run in {folder}; Airflow starts, in {HOME} ...")
            env = settings(sandbox, database, broker)
            with LocalAirflow(HOME, ROOT / "dags", env, components={**COMPONENTS, **workers}) as airflow:
                with Celery(broker=broker) as celery:
                    cluster = Cluster(airflow, sandbox, celery, database, begun)
                    cluster.started(HOME, folder)
                    cluster.export()
                    stored = cluster.gates()
                    cluster.looks("before the kill")
                    cluster.kill(stored)
                    cluster.looks("after it")
                    cluster.finish()
                    console.rule("Secrets")
                    logs = [*(HOME / "logs").rglob("*.log*"), *(folder / "logs").iterdir()]
                    cluster.canary(stored, postgres.dump(database), logs)
        console.rule("End")
        left = [f"{process.pid} {process.info['name']}" for process in ours(HOME, folder)]
        cluster.check(not left, f"{len(left)} processes are left {', '.join(left)}")
    return bool(cluster.failed)


if __name__ == "__main__":
    raise SystemExit(main())
