"""The provider in real scheduler, DAG processor, triggerer and API server processes."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from airflow_provider_outbound.get_provider_info import get_provider_info
from airflow_provider_outbound.links import WEB_TOOL
from airflow_provider_outbound.model.fingerprints import fingerprint
from airflow_provider_outbound.sandbox import Sandbox
from airflow_provider_outbound.tables.schemas import schema
from tests.fake import Fake, Reply
from tests.listed import Built
from tests.system.local_airflow import LocalAirflow
from tests.versions import since

pytestmark = pytest.mark.system

DAGS = Path(__file__).parent.parent.parent / "dags"
HERE = {"login": Sandbox.client_id, "password": Sandbox.client_secret}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(page_cap=20) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def airflow(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAirflow]:
    folder = tmp_path_factory.mktemp("system")
    shutil.copytree(DAGS, folder / "dags")
    shutil.copytree(Path(__file__).parent / "dags", folder / "dags", dirs_exist_ok=True)
    settings = {
        **sandbox.env,
        "OUTBOUND_OUTPUT": str(folder / "outbound"),
        "OUTBOUND_POKE_INTERVAL": "1",
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(
            {"type": "file", "log_file_path": str(folder / "openlineage.jsonl"), "append": True}
        ),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "AIRFLOW__SCHEDULER__TRIGGER_TIMEOUT_CHECK_INTERVAL": "1",  # also of questions that nobody answers
    }
    with LocalAirflow(folder / "home", folder / "dags", settings) as airflow:
        yield airflow


@since("3.2", "the connection form has a field for each extra")
def test_connection_form(airflow: LocalAirflow) -> None:
    (form,) = [
        meta
        for meta in airflow.get("/ui/connections/hook_meta")
        if meta["connection_type"] == "liveperson_outbound"
    ]
    (declared,) = get_provider_info()["connection-types"]
    assert form["hook_name"] == "LivePerson Outbound"
    assert set(form["extra_fields"]) == set(declared["conn-fields"])
    assert form["extra_fields"]["token_api"]["schema"]["enum"] == ["v1", "v2"]
    # What the form fills in must be saved as it is: Airflow shows *** for fields whose names look like secrets.
    shown = {name: field["value"] for name, field in form["extra_fields"].items()}
    assert shown == {name: field["schema"]["default"] for name, field in declared["conn-fields"].items()}
    titles = {name: (field or {}).get("title") for name, field in form["standard_fields"].items()}
    assert titles["login"] == "Client ID"
    assert titles["password"] == "Client secret"
    assert titles["url_schema"] == "Account ID"
    assert titles["host"] == "Region or host"
    assert form["standard_fields"]["port"]["hidden"] is True


CONNECTION_TESTS = pytest.mark.parametrize(
    ("change", "works", "words"),
    [
        ({}, True, "20 configurations on the first page of "),
        ({"extra": '{"token_api": "v2"}'}, True, "Token lives 60 min."),
        ({"password": "wrong-canary"}, False, "Check the Connection's login (client id), password"),
        ({"schema": ""}, False, "schema (account id) must be"),
        ({"host": "http://example.com"}, False, "http://, which would show the secret"),
    ],
)


@CONNECTION_TESTS
def test_connection_test_button(
    airflow: LocalAirflow, sandbox: Sandbox, change: dict[str, Any], works: bool, words: str
) -> None:
    connection = {"connection_id": "tried", **sandbox.connection, **change}
    answer = airflow.post("/api/v2/connections/test", connection)
    assert answer["status"] is works
    assert words in answer["message"]
    assert "canary" not in answer["message"]


@CONNECTION_TESTS
def test_connection_test_on_a_worker(
    airflow: LocalAirflow, sandbox: Sandbox, change: dict[str, Any], works: bool, words: str
) -> None:
    connection = {"connection_id": "tried", **sandbox.connection, **change}
    queued = airflow.post("/api/v2/connections/enqueue-test", connection)
    header = {"Airflow-Connection-Test-Token": queued["token"]}

    def over() -> dict[str, Any]:
        answer: dict[str, Any] = airflow.get("/api/v2/connections/enqueue-test", header)
        return answer if answer["state"] in {"success", "failed"} else {}

    answer = airflow.poll("the connection's test", 60, over)
    assert answer["state"] == ("success" if works else "failed")
    assert words in answer["result_message"]
    assert "canary" not in answer["result_message"]


def test_connection_test_by_command(airflow: LocalAirflow) -> None:
    assert "Connection success!" in airflow.run("connections", "test", "liveperson_outbound_default").stdout


@pytest.mark.fault("R15")
def test_a_long_retry_after_frees_the_slot(airflow: LocalAirflow, sandbox: Sandbox) -> None:
    with Fake([Reply(429, b"", {"Retry-After": "300"})]) as fake:
        airflow.post("/api/v2/connections", {"connection_id": "busy", **fake.connection(), "extra": None})
        wrong = {**sandbox.connection, "connection_id": "refused", "password": "wrong"}
        airflow.post("/api/v2/connections", wrong)
        run_id = airflow.trigger("busy_account")
        airflow.wait("busy_account", run_id, until={"busy": "up_for_retry", "refused": "failed"})
        assert fake.kinds() == ["token", "list"]
    with closing(sqlite3.connect(airflow.home / "airflow.db")) as database:
        rows = database.execute(
            "SELECT task_id, max_tries, try_number, duration < 20, retry_delay_override, retry_reason "
            "FROM task_instance WHERE dag_id = 'busy_account' ORDER BY task_id"
        ).fetchall()
    airflow.end_run("busy_account", run_id)
    (*busy, reason), refused = rows
    assert busy == ["busy", 3, 1, 1, 300.0]
    assert reason.startswith("Next try in 300 s. ")
    assert refused[:3] == ("refused", 3, 1)


def test_export(airflow: LocalAirflow, sandbox: Sandbox) -> None:
    run_id = airflow.trigger("outbound_export")
    assert airflow.wait("outbound_export", run_id) == "success"
    written = airflow.xcom("outbound_export", run_id, "export")
    ids = pq.read_table(written["configurations"]["path"])["id"].to_pylist()
    assert ids == [item["id"] for item in sandbox.configurations()]


def completed(airflow: LocalAirflow, job: str) -> dict[str, Any]:
    """Wait for OpenLineage's event of a task that is over, and return it."""
    file = airflow.home.parent / "openlineage.jsonl"

    def found() -> dict[str, Any] | None:
        events = [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []
        over = [event for event in events if (event["eventType"], event["job"]["name"]) == ("COMPLETE", job)]
        return over[0] if over else None

    return airflow.poll(f"OpenLineage's event of {job}", 60, found)


def test_an_export_has_one_name_in_assets_and_openlineage(airflow: LocalAirflow, sandbox: Sandbox) -> None:
    run_id = airflow.trigger("lineage")
    assert airflow.wait("lineage", run_id) == "success"
    written = airflow.xcom("lineage", run_id, "export")
    account = {"namespace": f"liveperson-outbound://{sandbox.account}", "name": "configurations"}

    event = completed(airflow, "lineage.export")
    assert [{key: dataset[key] for key in account} for dataset in event["inputs"]] == [account]
    assert len(event["outputs"]) == 2
    for table, dataset in zip(("configurations", "components"), event["outputs"], strict=True):
        path = Path(written[table]["path"])
        assert (dataset["namespace"], dataset["name"]) == ("file", str(path))
        fields = {field["name"]: field["type"] for field in dataset["facets"]["schema"]["fields"]}
        assert fields == {field.name: str(field.type) for field in schema(table)}
        statistics = dataset["outputFacets"]["outputStatistics"]
        assert statistics["rowCount"] == written[table]["rows"] == pq.read_metadata(path).num_rows
        assert statistics["size"] == path.stat().st_size

    read = completed(airflow, "lineage.count")  # a hook in a task: Airflow's hook lineage
    assert [{key: dataset[key] for key in account} for dataset in read["inputs"]] == [account]

    links = airflow.get(f"/api/v2/dags/lineage/dagRuns/{run_id}/taskInstances/export/links")["extra_links"]
    page = "plugin/outbound-templates?connection_id=liveperson_outbound_default"
    assert links == {"Templates": page, "LivePerson": WEB_TOOL}

    def followed() -> str:
        runs = airflow.get("/api/v2/dags/lineage_follows/dagRuns")["dag_runs"]
        return next((run["dag_run_id"] for run in runs if run["state"] == "success"), "")

    follower = airflow.poll("the DAG that is scheduled on an asset", 60, followed)
    components = {name: written[name] for name in ("account_id", "components")}
    assert airflow.xcom("lineage_follows", follower, "seen") == components

    events = airflow.get("/api/v2/assets/events")["asset_events"]
    extras = {event["name"]: event["extra"] for event in events if event["source_dag_id"] == "lineage"}
    assert extras == {f"file://{written['components']['path']}": components, "templates": written}


def stored_triggers(airflow: LocalAirflow) -> list[tuple[str, str]]:
    """Return what Airflow keeps of each trigger: its class and its parameters, the deadline among them."""
    with closing(sqlite3.connect(airflow.home / "airflow.db")) as database:
        rows = database.execute("SELECT classpath, kwargs FROM trigger").fetchall()
    (row,) = rows
    assert row[0] == "airflow_provider_outbound.triggers.OutboundTemplateTrigger"
    return rows


@pytest.mark.fault("W3")
def test_deferred_sensor_survives_its_triggerer(airflow: LocalAirflow, sandbox: Sandbox) -> None:
    dag_id, task_id = "outbound_campaign_gate", "wait_for_template"
    run_id = airflow.trigger(dag_id)
    airflow.wait(dag_id, run_id, until={task_id: "deferred"})
    before = stored_triggers(airflow)

    airflow.restart("triggerer", signal.SIGKILL)
    assert airflow.task_states(dag_id, run_id)[task_id] == "deferred"
    assert stored_triggers(airflow) == before

    sandbox.publish("spring_sale")
    assert airflow.wait(dag_id, run_id) == "success"
    assert airflow.xcom(dag_id, run_id, task_id)["name"] == "spring_sale"
    assert airflow.xcom(dag_id, run_id, "send_campaign") == "Sending with spring_sale, variables ['1', '2']"
    log = airflow.logs(dag_id, run_id, task_id)
    assert "Not there yet: none of" in log
    assert "Next look in 1 s" in log


@pytest.mark.fault("W4")
def test_deferred_sensors_share_one_poll(airflow: LocalAirflow, sandbox: Sandbox) -> None:
    dag_id, task_id, template = "outbound_campaign_gate", "wait_for_template", "autumn_sale"
    run_ids = [airflow.trigger(dag_id, conf={"template_name": template}) for _ in range(8)]
    for run_id in run_ids:
        airflow.wait(dag_id, run_id, until={task_id: "deferred"})

    # All eight wait now, with a poll each second. Three more polls by the triggerer, and we go on.
    tokens, asked = sandbox.calls["token"], sandbox.calls["list"]
    begun = time.monotonic()
    calls = 5 + 3  # of a listing: 91 configurations in pages of 20; one call finds the cap, two prove the end
    airflow.poll("polls", 60, lambda: sandbox.calls["list"] >= asked + 3 * calls)
    elapsed = time.monotonic() - begun
    assert sandbox.calls["list"] - asked <= (2 + elapsed) * calls
    assert sandbox.calls["token"] <= tokens + 1  # the triggerer's own, if it had not looked yet

    sandbox.publish(template)
    assert {airflow.wait(dag_id, run_id) for run_id in run_ids} == {"success"}


@pytest.mark.fault("W4")
def test_hundreds_of_triggers_share_one_poll_and_one_token(airflow: LocalAirflow, sandbox: Sandbox) -> None:
    dag_id, runs, gates, interval = "many_gates", 8, 25, 3
    airflow.post("/api/v2/pools", {"name": "closed", "slots": 0})
    tokens = sandbox.calls["token"]
    run_ids = [airflow.trigger(dag_id) for _ in range(runs)]
    logs = airflow.home / "logs"

    def waiting() -> bool:
        texts = [path.read_text() for path in logs.glob(f"dag_id={dag_id}/**/*.trigger.*.log")]
        return sum("Next look in" in text for text in texts) == runs * gates

    airflow.poll("a log line of each trigger", 120, waiting)
    asked, begun = sandbox.calls["list"], time.monotonic()
    calls = -(-len(sandbox.configurations()) // 19) + 3  # in pages of 20, one item of each known; see above
    airflow.poll("polls", 60, lambda: sandbox.calls["list"] >= asked + 3 * calls)
    assert sandbox.calls["list"] - asked <= (2 + (time.monotonic() - begun) / interval) * calls
    assert sandbox.calls["token"] <= tokens + 1

    for number in range(gates):
        sandbox.publish(f"gate_{number}")

    def events() -> list[tuple[str, str]]:
        """Return each open gate and its event; the closed pool keeps them from going on."""
        with closing(sqlite3.connect(airflow.home / "airflow.db")) as database:
            opened = "SELECT task_id, next_kwargs FROM task_instance WHERE dag_id = ? AND state = 'scheduled'"
            return database.execute(opened, [dag_id]).fetchall()

    airflow.poll("events", 60, lambda: len(events()) == runs * gates)
    for gate, arguments in events():
        assert json.loads(arguments)["event"]["template"]["name"] == gate
    assert sandbox.calls["token"] <= tokens + 1
    for run_id in run_ids:
        airflow.end_run(dag_id, run_id)


def test_dag_starts_when_a_template_changes(airflow: LocalAirflow, sandbox: Sandbox) -> None:
    dag_id = "outbound_on_change"
    stored = "SELECT value FROM asset_state_store WHERE key LIKE 'baseline/%' AND key NOT LIKE 'baseline/%/%'"

    def baseline() -> int:
        with closing(sqlite3.connect(airflow.home / "airflow.db")) as database:
            row = database.execute(stored).fetchone()
        return int(json.loads(row[0])["number"]) if row else 0

    def reported() -> list[str]:
        runs = airflow.get(f"/api/v2/dags/{dag_id}/dagRuns")["dag_runs"]
        over = [run["dag_run_id"] for run in runs if run["state"] == "success"]
        return [line for run_id in over for line in airflow.xcom(dag_id, run_id, "report")]

    airflow.unpause(dag_id)
    airflow.poll("a baseline", 60, baseline)
    sandbox.publish("spring_more")
    airflow.poll("a run", 60, reported)
    assert reported() == ["spring_more created"]
    airflow.poll("the next baseline", 60, lambda: baseline() == 2)

    airflow.end(["triggerer"], signal.SIGKILL)
    sandbox.update("spring_more", status="changed")  # while nobody looks
    airflow.resume(["triggerer"])
    updated = "spring_more updated updatedAt status"
    airflow.poll("another run", 60, lambda: updated in reported())
    assert sorted(reported()) == ["spring_more created", updated]


APPROVALS = ("approved", "rejected", "unanswered", "overtaken")


@pytest.fixture
def approvals(airflow: LocalAirflow, sandbox: Sandbox) -> Callable[[str], str]:
    """Return a function that gives a run of each copy of the sample; each waits for an answer, or has failed."""
    folder = airflow.home.parent
    text = (DAGS / "outbound_approval.py").read_text()
    sandbox.publish("approved_sale")
    known = Built(*sandbox.listing("wa")).configurations
    for name in APPROVALS:
        copy = text.replace("spring_sale", "approved_sale").replace("outbound_approval", f"approval_{name}")
        copy = copy.replace('"/approval"', f'"/approval_{name}"').replace('"@daily"', "None")
        copy = copy.replace("timedelta(minutes=10)", "1, poke_interval=1")
        if name == "unanswered":
            copy = copy.replace("hours=16", "seconds=10")
        (folder / "dags" / f"approval_{name}.py").write_text(copy)
        approved = folder / "outbound" / f"approval_{name}" / "approved"
        approved.mkdir(parents=True)
        pq.write_table(known, approved / "configurations.parquet")
    reword(sandbox, "A new text")
    runs = {name: airflow.trigger(f"approval_{name}") for name in APPROVALS}
    return runs.__getitem__


def reword(sandbox: Sandbox, text: str) -> None:
    """Change the body of the template that has to be approved."""
    (item,) = [item for item in sandbox.configurations() if item["name"] == "approved_sale"]
    (channel,) = item["channels"]
    body, *buttons = channel["messageComponents"]
    components = [{**body, "content": f"{text} ${{{{1}}}} ${{{{2}}}}"}, *buttons]
    sandbox.update("approved_sale", channels=[{**channel, "messageComponents": components}])


def test_a_campaign_goes_out_only_with_what_a_person_approved(
    airflow: LocalAirflow, sandbox: Sandbox, approvals: Callable[[str], str]
) -> None:
    for name in ("approved", "rejected", "overtaken"):
        airflow.wait(f"approval_{name}", approvals(name), until={"approve": "awaiting_input"})
    body = airflow.question("approval_approved", approvals("approved"), "approve")["body"]
    assert body.startswith("Configurations that changed: 1.\n\n```diff\n@@ updated: approved_sale (wa/en), id ")
    assert "@@ channels[0].messageComponents[0].content\n- " in body
    assert body.endswith("\n+ A new text ${{1}} ${{2}}\n```")

    airflow.answer("approval_approved", approvals("approved"), "approve", "Approve")
    airflow.answer("approval_rejected", approvals("rejected"), "approve", "Reject")
    assert airflow.wait("approval_approved", approvals("approved")) == "success"
    (item,) = [item for item in sandbox.configurations() if item["name"] == "approved_sale"]
    sent = airflow.xcom("approval_approved", approvals("approved"), "send_campaign")
    assert sent == f"Sending approved_sale with fingerprint {fingerprint(item['channels'])}"
    remembered = airflow.home.parent / "outbound" / "approval_approved" / "approved" / "configurations.parquet"
    assert fingerprint(item["channels"]) in pq.read_table(remembered)["fingerprint"].to_pylist()

    asked = airflow.home.parent / "outbound" / "approval_approved" / "asked" / approvals("approved")
    assert pq.read_table(asked / "configurations.parquet") == pq.read_table(remembered)

    reword(sandbox, "Another text, which nobody saw")
    airflow.answer("approval_overtaken", approvals("overtaken"), "approve", "Approve")
    ends = {
        "rejected": ("success", {"approve": "success", "wait_for_template": "skipped"}),
        "unanswered": ("failed", {"approve": "failed", "wait_for_template": "upstream_failed"}),
        "overtaken": ("failed", {"approve": "success", "wait_for_template": "failed"}),
    }
    for name, (end, tasks) in ends.items():
        assert airflow.wait(f"approval_{name}", approvals(name)) == end
        states = airflow.task_states(f"approval_{name}", approvals(name))
        assert states.items() >= tasks.items()
        assert states["send_campaign"] in ("skipped", "upstream_failed")
    assert "HITLTimeoutError" in airflow.logs("approval_unanswered", approvals("unanswered"), "approve")
    words = "approved_sale is in wa/en, but its body changed since that fingerprint"
    assert words in airflow.logs("approval_overtaken", approvals("overtaken"), "wait_for_template")


@pytest.mark.fault("S1")
def test_no_secret_in_logs_or_metadata(airflow: LocalAirflow, sandbox: Sandbox) -> None:
    tokens = [token.encode() for token in sandbox._expiry]
    assert tokens
    files = [path for path in airflow.home.rglob("*") if path.is_file() and path.name != "airflow.cfg"]
    assert any(path.name == "airflow.db" for path in files)
    assert any("wait_for_template" in str(path) for path in files)
    secrets = [sandbox.client_secret.encode(), *tokens]
    assert not [path for path in files for secret in secrets if secret in path.read_bytes()]
