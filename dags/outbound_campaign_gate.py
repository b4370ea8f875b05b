"""Hold a campaign back until its WhatsApp template exists with the variables that the campaign fills."""

# [START gate]
from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import Param, dag, task

from airflow_provider_outbound.sensors import OutboundTemplateSensor

POKE_INTERVAL = timedelta(seconds=float(os.environ.get("OUTBOUND_POKE_INTERVAL", "60")))


@dag(
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    params={"template_name": Param("spring_sale", type="string")},
    tags=["outbound"],
)
def outbound_campaign_gate() -> None:
    wait = OutboundTemplateSensor(
        task_id="wait_for_template",
        template_name="{{ params.template_name }}",
        channel="wa",
        language="en",
        variables=["1", "2"],
        deferrable=True,
        poke_interval=POKE_INTERVAL,
        timeout=timedelta(hours=12),
    )

    @task
    def send_campaign(template: dict[str, Any]) -> str:
        # A real campaign calls LivePerson's Proactive API here, with the template.
        message = f"Sending with {template['name']}, variables {template['variables']}"
        print(message)
        return message

    send_campaign(wait.output)


outbound_campaign_gate()
# [END gate]
