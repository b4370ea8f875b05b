"""Run when a WhatsApp template of the spring campaign is created, updated or removed."""

# [START on_change]
from __future__ import annotations

import os
from typing import Any

import pendulum
from airflow.sdk import dag, task

from airflow_provider_outbound.assets import template_asset

SPRING = template_asset(
    "spring_templates",
    template_name="spring_*",
    channel="wa",
    poke_interval=float(os.environ.get("OUTBOUND_POKE_INTERVAL", "60")),
)


@dag(schedule=[SPRING], start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), tags=["outbound"])
def outbound_on_change() -> None:
    @task
    def report(triggering_asset_events: Any = None) -> list[str]:
        changes = [event.extra["payload"] for event in triggering_asset_events.get(SPRING, [])]
        lines = [" ".join([each["name"], each["kind"], *each["fields"]]) for each in changes]
        for line in lines:
            print(line)
        return lines

    report()


outbound_on_change()
# [END on_change]
