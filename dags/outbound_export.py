"""Export every configuration once a day, and count templates per channel and language."""

# [START export]
from __future__ import annotations

import os
from typing import Any

import pendulum
from airflow.sdk import ObjectStoragePath, dag, task

from airflow_provider_outbound.operators import OutboundConfigurationsOperator

OUTPUT = os.environ.get("OUTBOUND_OUTPUT", "/tmp/outbound")  # noqa: S108 - any folder or URL: s3://bucket/outbound


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=False, tags=["outbound"])
def outbound_export() -> None:
    export = OutboundConfigurationsOperator(
        task_id="export",
        output_path=OUTPUT + "/{table}/date={{ dag_run.run_after | ds }}",
    )

    @task
    def summarize(written: dict[str, Any]) -> list[dict[str, Any]]:
        import pandas as pd

        with ObjectStoragePath(written["components"]["path"]).open("rb") as file:
            components = pd.read_parquet(file)
        templates = components[components["component_index"].fillna(0) == 0]  # one row per channel
        summary = templates.groupby(["channel_type", "language"]).size().reset_index(name="templates")
        print(summary.to_string(index=False))
        return summary.to_dict("records")

    summarize(export.output)


outbound_export()
# [END export]
