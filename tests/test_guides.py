"""What the guides say about failures and other tools, and what a plain run of their blocks doesn't show."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from email import message_from_string
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from airflow.models.xcom import XComModel
from airflow.utils.session import create_session
from sqlalchemy import select

from airflow_provider_outbound.sandbox import Sandbox
from conftest import rest
from tests.blocks import HOST, ROOT, publish, run_dag
from tests.system.processes import free_port
from tests.test_docs import rows
from tests.versions import since

calls_back = since("3.3", "dag.test() calls the callbacks of tasks")

GUIDES = ROOT / "docs" / "guides"


def block(guide: str, words: str) -> str:
    """Return the block of a guide that has some words."""
    (found,) = [each.parsed for each in rest.parse(GUIDES / f"{guide}.rst") if words in each.parsed]
    return str(found)


class Mailbox:
    """What an SMTP server received."""

    def __init__(self) -> None:
        self.mails: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(envelope.content.decode())
        return "250 OK"


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """Serve the Connection ``smtp_default``."""
    box = Mailbox()
    port = free_port()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": port}
    connection["extra"] = {"disable_ssl": True, "disable_tls": True}
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
    yield box
    server.stop()


@calls_back
def test_a_timeout_sends_the_email_that_the_guide_shows(
    outbound_sandbox: Sandbox,
    mailbox: Mailbox,
    request: pytest.FixtureRequest,
) -> None:
    text = block("alert", "held_back = SmtpNotifier").replace("hours=12", "seconds=0.2")
    text = text.replace("deferrable=True", "deferrable=True, poke_interval=0.05")
    run_dag(text, request, "failed")
    (mail,) = mailbox.mails
    *headers, _, body = block("alert", "Subject: ").strip().split("\n")
    assert set(headers) <= set(mail.splitlines())
    html = message_from_string(mail).get_payload()[0].get_payload(decode=True).decode()
    assert html == body.replace("43200", "0.2")


@calls_back
def test_a_callback_learns_the_class_of_the_error(
    outbound_sandbox: Sandbox,
    connect: Callable[..., str],
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    connect({**outbound_sandbox.connection, "password": "wrong-canary"})
    text = block("alert", "def tell").replace(
        "\nexport = ", "\nfrom airflow.sdk import DAG\n\nwith DAG('told', schedule=None) as dag:\n    export = "
    )
    run_dag(text, request, "failed")
    printed = capsys.readouterr().out
    assert "To the owner of the app: Can't get a token for account 12345678: status 401" in printed
    assert "wrong-canary" not in printed


def test_a_gate_that_is_skipped_calls_the_other_callback(
    outbound_sandbox: Sandbox,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = block("alert", "held_back = SmtpNotifier").replace("hours=12", "seconds=0.2")
    text = text.replace("deferrable=True", "poke_interval=0.05, soft_fail=True")
    text = text.replace(
        "on_failure_callback=held_back",
        "on_failure_callback=lambda context: print('failed'), "
        "on_skipped_callback=lambda context: print('skipped, exception', context.get('exception'))",
    )
    run_dag(text, request)
    printed = capsys.readouterr().out.splitlines()
    assert "skipped, exception None" in printed
    assert "failed" not in printed


def test_the_tables_of_losses_are_those_of_the_benchmark() -> None:
    results = json.loads((ROOT / "benchmarks" / "results" / "results.json").read_text())
    outcomes = {(run["case"], run["contestant"]): run["outcome"] for run in results["runs"]}
    for guide, contestant in {"from-a-script": "naive", "from-http-operator": "http_operator"}.items():
        for case, theirs, ours in rows(f"guides/{guide}.rst", "What the server does"):
            assert theirs == in_words(outcomes[case, contestant])
            assert ours == in_words(outcomes[case, "provider"])


def in_words(outcome: str) -> str:
    """Return a benchmark's outcome as the guides say it."""
    kind, _, more = outcome.partition(": ")
    return {"exact": "complete", "wrong": f"{more}, no error", "error": "fails"}.get(kind, "never ends")


def test_http_operators_leave_the_token_and_the_listing_in_the_database(
    outbound_sandbox: Sandbox,
    request: pytest.FixtureRequest,
) -> None:
    text = HOST.sub(outbound_sandbox.url, block("from-http-operator", "import HttpOperator"))
    publish(request)
    run_dag(text, request)
    with create_session() as session:
        stored = {
            each.task_id: XComModel.deserialize_value(each)
            for each in session.scalars(select(XComModel))
            if each.dag_id == "templates_by_http"
        }
    token, listing = stored["login"], stored["fetch"]
    assert outbound_sandbox.accepts(token)
    shown = re.search(r"(\d+) kB for (\d+) configurations", (GUIDES / "from-http-operator.rst").read_text())
    assert shown
    assert [str(round(len(json.dumps(listing)) / 1000)), str(len(listing))] == list(shown.groups())
