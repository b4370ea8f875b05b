"""The sample DAGs: each parses without touching the network, and runs in real Airflow."""

from __future__ import annotations

import ast
import json
import runpy
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from airflow.models.dagrun import DagRun

from airflow_provider_outbound.sandbox import Sandbox
from tests.listed import Built
from tests.versions import lacks, since

DAGS = Path(__file__).parent.parent / "dags"
FILES = sorted(DAGS.glob("*.py"))
TIMEOUTS = ("1.12.2", "an approval may have a response_timeout", "apache-airflow-providers-standard")

NO_NETWORK = """
import runpy, socket, sys
import airflow.triggers.base

airflow = set(sys.modules)  # 3.1 loads fastapi

def refuse(*arguments):
    raise SystemExit(f"network while parsing: {arguments}")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
for path in sys.argv[1:]:
    runpy.run_path(path)
heavy = {"pandas", "pyarrow", "fastapi", "openlineage", "requests_oauthlib"}
print(sorted((heavy | {"airflow_provider_outbound.catalogue.render"}) & set(sys.modules) - airflow))
"""


@pytest.mark.fault("S3")
def test_parsing_does_no_network_io_and_loads_no_pandas() -> None:
    files = [str(path) for path in FILES if not (path.stem == "outbound_approval" and lacks(*TIMEOUTS))]
    command = [sys.executable, "-c", NO_NETWORK, *files]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_can_be_read_in_a_minute(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 60
    assert ast.get_docstring(ast.parse(text))
    assert text.count("# [START ") == text.count("# [END ") == 1


def run(name: str, monkeypatch: pytest.MonkeyPatch, output: Path) -> DagRun:
    """Run a sample by ``dag.test()``, and return the run."""
    monkeypatch.setenv("OUTBOUND_OUTPUT", str(output))
    monkeypatch.setenv("OUTBOUND_POKE_INTERVAL", "0.1")
    dag = runpy.run_path(str(DAGS / f"{name}.py"))[name]()
    dag.deadline = None  # with one, dag.test() of Airflow 3.3.2 fails at its end: apache/airflow#73428
    done = dag.test(mark_success_pattern="approve")  # which would wait for ever
    assert done.state == "success"
    return done


@pytest.mark.usefixtures("airflow_db")
def test_export(outbound_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run("outbound_export", monkeypatch, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["components", "configurations"]
    frame = pd.read_parquet(tmp_path / "configurations")
    assert frame["id"].tolist() == [item["id"] for item in outbound_sandbox.configurations()]
    assert all(str(day).startswith("20") for day in frame["date"])


@pytest.mark.usefixtures("airflow_db")
def test_export_by_channel(outbound_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run("outbound_export_by_channel", monkeypatch, tmp_path)
    frame = pd.read_parquet(tmp_path / "by_channel" / "configurations")
    held = outbound_sandbox.configurations()
    for channel in ("wa", "sms-twilio", "apple-twilio", "googlercs", "inapp"):
        with_it = [item["id"] for item in held if channel in [each["type"] for each in item["channels"]]]
        assert frame[frame["channel"] == channel]["id"].tolist() == with_it


@pytest.mark.usefixtures("airflow_db")
def test_export_accounts(outbound_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with Sandbox(account="999", items=7) as other:
        monkeypatch.setenv("AIRFLOW_CONN_OTHER", json.dumps(other.connection))
        monkeypatch.setenv("OUTBOUND_CONNECTIONS", "liveperson_outbound_default,other")
        done = run("outbound_export_accounts", monkeypatch, tmp_path)
    names = [each.rendered_map_index for each in done.get_task_instances()]
    assert sorted(names) == ["liveperson_outbound_default", "other"]
    frames = pd.read_parquet(tmp_path / "by_connection" / "configurations").groupby("connection", observed=True)
    assert {name: (len(frame), set(frame["account_id"])) for name, frame in frames} == {
        "liveperson_outbound_default": (90, {"12345678"}),
        "other": (7, {"999"}),
    }


@pytest.mark.usefixtures("airflow_db")
def test_campaign_gate(outbound_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ticks = iter(range(10_000))
    outbound_sandbox.clock = lambda: next(ticks)  # time passes with each call, so the template appears in between
    outbound_sandbox.publish("spring_sale", after=30)
    run("outbound_campaign_gate", monkeypatch, tmp_path)
    assert outbound_sandbox.calls["list"] > 4


@pytest.mark.usefixtures("airflow_db", "outbound_sandbox")
def test_on_change_by_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without an event; tests/system/test_provider.py runs it with events."""
    run("outbound_on_change", monkeypatch, tmp_path)


@since(*TIMEOUTS)
@pytest.mark.usefixtures("airflow_db")
def test_approval_asks_nobody_if_nothing_changed(
    outbound_sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With changes and all answers, tests/system/test_provider.py runs it."""
    outbound_sandbox.publish("spring_sale")
    approved = tmp_path / "approval" / "approved" / "configurations.parquet"
    approved.parent.mkdir(parents=True)
    listed = Built(*outbound_sandbox.listing("wa")).configurations
    pq.write_table(listed, approved)
    outbound_sandbox.update("spring_sale")  # only its date
    run("outbound_approval", monkeypatch, tmp_path)
    assert pq.read_table(approved) == listed  # nobody was asked, so nothing was approved
    assert [path.name[:8] for path in (tmp_path / "approval" / "asked").iterdir()] == ["manual__"]  # the run's id
    assert f"Sending spring_sale with fingerprint {listed['fingerprint'][-1].as_py()}" in capsys.readouterr().out


LATE = """
from airflow.sdk import DAG
from airflow_provider_outbound.sensors import OutboundTemplateSensor

with DAG("late", schedule=None) as dag:
    OutboundTemplateSensor(task_id="wait", template_name="never", deferrable=True, poke_interval=0.05, timeout=0.2)
"""


@pytest.mark.fault("W5")
@pytest.mark.usefixtures("airflow_db", "outbound_sandbox")
def test_timeout_in_dag_test(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "late.py").write_text(LATE)
    bundle = {"name": "late", "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle"}
    bundles = json.dumps([{**bundle, "kwargs": {"path": str(tmp_path)}}])
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", bundles)
    assert runpy.run_path(str(tmp_path / "late.py"))["dag"].test().state == "failed"
    logged = capsys.readouterr().out
    assert "Timed out after 0.2 s. Not there yet: none of 90 configurations is named never" in logged
