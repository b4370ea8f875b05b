"""An export with assets, a DAG that is scheduled on one of them, and a task that reads through the hook."""

import os
from typing import Any

from airflow.sdk import Asset, dag, task

from airflow_provider_outbound.hooks import OutboundHook
from airflow_provider_outbound.operators import OutboundConfigurationsOperator

FOLDER = os.environ.get("OUTBOUND_OUTPUT", "/tmp/outbound") + "/lineage"
COMPONENTS = Asset(f"file://{FOLDER}/components.parquet")


@dag(schedule=None)
def lineage() -> None:
    OutboundConfigurationsOperator(task_id="export", output_path=FOLDER, outlets=[COMPONENTS, Asset("templates")])

    @task
    def count() -> int:
        return len(OutboundHook().get_configurations())

    count()


@dag(schedule=[COMPONENTS], is_paused_upon_creation=False)
def lineage_follows() -> None:
    @task
    def seen(triggering_asset_events: Any = None) -> Any:
        (events,) = triggering_asset_events.values()
        return events[0].extra

    seen()


lineage()
lineage_follows()
