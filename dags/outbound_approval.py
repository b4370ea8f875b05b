"""Have a person approve templates that changed, and send a campaign only with what was approved."""

# [START approval]
from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pendulum
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import dag, task
from airflow.sdk.definitions.deadline import AsyncCallback, DeadlineAlert, DeadlineReference

from airflow_provider_outbound.approval import describe, remember
from airflow_provider_outbound.operators import OutboundConfigurationsOperator
from airflow_provider_outbound.sensors import OutboundTemplateSensor

FOLDER = os.environ.get("OUTBOUND_OUTPUT", "/tmp/outbound") + "/approval"  # noqa: S108 - any folder or URL
ASKED = FOLDER + "/asked/{{ run_id }}"  # each run keeps what it asked about
NOTIFIER = "airflow.providers.smtp.notifications.smtp.SmtpNotifier"
EMAIL = {"to": "me@example.com", "subject": "Templates wait for approval", "html_content": "See Airflow"}
LATE = DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, timedelta(hours=4), AsyncCallback(NOTIFIER, EMAIL))


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), max_active_runs=1, deadline=LATE)
def outbound_approval() -> None:
    exported = OutboundConfigurationsOperator(
        task_id="export", channel="wa", output_path=ASKED, compare_with=FOLDER + "/approved"
    ).output
    described = task(describe)(exported, "spring_sale")
    approve = ApprovalOperator(
        task_id="approve", subject="Send these?", body=described["changes"], response_timeout=timedelta(hours=16)
    )

    @task.branch
    def ask_if_changed(changes: str) -> str:
        return "approve" if changes else "wait_for_template"

    wait = OutboundTemplateSensor(
        task_id="wait_for_template",
        template_name="spring_sale",
        channel="wa",
        language="en",
        fingerprint=described["fingerprint"],
        timeout=timedelta(minutes=10),
        trigger_rule="none_failed",
    )

    @task
    def send_campaign(template: dict[str, Any]) -> str:
        return f"Sending {template['name']} with fingerprint {template['fingerprint']}"

    ask_if_changed(described["changes"]) >> [approve, wait]
    approve >> [task(remember)(described), wait]
    send_campaign(wait.output)


outbound_approval()
# [END approval]
