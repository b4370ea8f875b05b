"""Export several accounts, one mapped task per Airflow Connection."""

# [START accounts]
from __future__ import annotations

import os

import pendulum
from airflow.sdk import dag

from airflow_provider_outbound.operators import OutboundConfigurationsOperator

OUTPUT = os.environ.get("OUTBOUND_OUTPUT", "/tmp/outbound")  # noqa: S108 - any folder or URL: s3://bucket/outbound
CONNECTIONS = os.environ.get("OUTBOUND_CONNECTIONS", "liveperson_outbound_default").split(",")


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=False, tags=["outbound"])
def outbound_export_accounts() -> None:
    OutboundConfigurationsOperator.partial(
        task_id="export",
        map_index_template="{{ task.outbound_conn_id }}",  # the name of each mapped task in Airflow's UI
        output_path=OUTPUT + "/by_connection/{table}/connection={conn_id}/date={{ dag_run.run_after | ds }}",
    ).expand(outbound_conn_id=CONNECTIONS)


outbound_export_accounts()
# [END accounts]
