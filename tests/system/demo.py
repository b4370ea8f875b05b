"""``make demo``: export an account to Parquet, gate a campaign, and show what changed, against the sandbox.

The DAGs run in real Airflow. At the end, a page shows the templates.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from airflow_provider_outbound.sandbox import Sandbox
from tests.system.local_airflow import LocalAirflow

ROOT = Path(__file__).parent.parent.parent
HOME = ROOT / ".demo"
COLUMNS = {
    "configurations": ["id", "name", "updated_at", "channel_types", "languages", "variables"],
    "components": ["configuration_name", "channel_type", "language", "component_type", "content", "placeholders"],
}
console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)


def main() -> None:
    """Run the demo; raise whatever goes wrong."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that Airflow is stopped then, too
    shutil.rmtree(HOME, ignore_errors=True)
    with Sandbox(items=90, page_cap=20) as sandbox:
        settings = {
            **sandbox.env,
            "OUTBOUND_OUTPUT": str(HOME / "outbound"),
            "OUTBOUND_POKE_INTERVAL": "4",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",  # nothing runs but what is shown
        }
        console.print(f"Sandbox: {sandbox.url}, account {sandbox.account}. Airflow starts, in {HOME} ...")
        with LocalAirflow(HOME, ROOT / "dags", settings) as airflow:
            exported = export(airflow, sandbox)
            gate(airflow, sandbox)
        diff(exported, sandbox)
        catalogue(exported, sandbox)
    console.print("\n[bold green]Both DAGs did what they should, and the changes were found.[/]")
    console.print("Next: make airflow shows them in Airflow's UI, beside a sandbox of your own.")


def export(airflow: LocalAirflow, sandbox: Sandbox) -> Path:
    """Run the export DAG and show what it wrote; return the folder of the configurations."""
    console.rule("outbound_export")
    run_id = finish(airflow, "outbound_export", airflow.trigger("outbound_export"))
    written = airflow.xcom("outbound_export", run_id, "export")
    for name, columns in COLUMNS.items():
        path, rows = written[name]["path"], written[name]["rows"]
        table = pq.read_table(path)
        expect(table.num_rows == rows, f"{path} has {table.num_rows} rows, not {rows}")
        show(
            f"{path}: {rows} rows, {table.num_columns} columns; the first four",
            columns,
            table.slice(0, 4).to_pylist(),
        )
    held = len(sandbox.configurations())
    expect(written["configurations"]["rows"] == held, f"the account holds {held} configurations")
    summary = airflow.xcom("outbound_export", run_id, "summarize")
    show("What the task summarize counted with pandas; the first six", list(summary[0]), summary[:6])
    return Path(written["configurations"]["path"]).parent


def gate(airflow: LocalAirflow, sandbox: Sandbox) -> None:
    """Run the gate DAG; publish its template only once its sensor is deferred."""
    console.rule("outbound_campaign_gate")
    dag_id = "outbound_campaign_gate"
    run_id = airflow.trigger(dag_id)
    airflow.wait(dag_id, run_id, until={"wait_for_template": "deferred"})
    console.print("wait_for_template is deferred: no worker waits. Now spring_sale is published.")
    sandbox.publish("spring_sale")
    finish(airflow, dag_id, run_id)
    console.print(f"wait_for_template found {airflow.xcom(dag_id, run_id, 'wait_for_template')}")
    console.print(f"send_campaign says: {airflow.xcom(dag_id, run_id, 'send_campaign')}")
    console.print(f"The sandbox was asked {dict(sandbox.calls)} times in all.")


def diff(exported: Path, sandbox: Sandbox) -> None:
    """Change a template, and show what is different from the export: the change, and what the gate waited for."""
    changed = sandbox.configurations()[0]
    changed["channels"][0]["messageComponents"][0]["content"] = "Gate ${{1}} has changed"
    sandbox.update(changed["name"], channels=changed["channels"])
    before = str(exported.relative_to(ROOT))
    console.print(f"Now {changed['name']} has another text than in the export.")
    code = outbound(sandbox, "diff", before)
    expect(code == 1, f"diff ended with {code}, not with 1 for a difference")


def catalogue(exported: Path, sandbox: Sandbox) -> None:
    """Write the account's templates as a page, with what changed since the export."""
    page, before = HOME / "catalogue.html", str(exported.relative_to(ROOT))
    code = outbound(sandbox, "catalogue", str(page.relative_to(ROOT)), "--compare-with", before)
    expect(code == 0, f"catalogue ended with {code}")
    console.print(f"Open it in a browser: {page.as_uri()}", soft_wrap=True)


def outbound(sandbox: Sandbox, *words: str) -> int:
    """Run a command of ``airflow outbound``, and return its exit code."""
    console.rule(f"airflow outbound {' '.join(words)}")
    # Without AIRFLOW_HOME, Airflow would make one in the user's home.
    environment = {**os.environ, **sandbox.env, "AIRFLOW_HOME": str(HOME)}
    command = [sys.executable, "-m", "airflow", "outbound", *words]
    return subprocess.run(command, env=environment, cwd=ROOT).returncode


def finish(airflow: LocalAirflow, dag_id: str, run_id: str) -> str:
    """Wait for a run to succeed; show its tasks' logs if it does not."""
    state = airflow.wait(dag_id, run_id)
    if state != "success":
        for task in airflow.task_states(dag_id, run_id):
            console.print(airflow.logs(dag_id, run_id, task), markup=False)
    expect(state == "success", f"{dag_id} is {state}")
    return run_id


def show(title: str, columns: list[str], rows: list[dict[str, Any]]) -> None:
    """Print rows as a table."""
    table = Table(*columns, title=title, title_justify="left", title_style="bold")
    for row in rows:
        table.add_row(*(short(row[column]) for column in columns))
    console.print(table)


def short(value: Any) -> str:
    """Return a cell's text, cut to a column's width."""
    text = ", ".join(value) if isinstance(value, list) else str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def expect(holds: bool, otherwise: str) -> None:
    """End the demo with a message and status 1 unless something holds."""
    if not holds:
        raise SystemExit(f"demo: {otherwise}")


if __name__ == "__main__":
    main()
