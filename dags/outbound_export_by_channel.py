"""Export each channel into a folder of its own, one mapped task per channel."""

# [START by_channel]
from __future__ import annotations

import os

import pendulum
from airflow.sdk import dag

from airflow_provider_outbound.operators import OutboundConfigurationsOperator

OUTPUT = os.environ.get("OUTBOUND_OUTPUT", "/tmp/outbound")  # noqa: S108 - any folder or URL: s3://bucket/outbound
CHANNELS = ["wa", "sms-twilio", "apple-twilio", "googlercs", "inapp"]


@dag(schedule="@daily", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=False, tags=["outbound"])
def outbound_export_by_channel() -> None:
    OutboundConfigurationsOperator.partial(
        task_id="export",
        output_path=OUTPUT + "/by_channel/{table}/channel={channel}/date={{ dag_run.run_after | ds }}",
    ).expand(channel=CHANNELS)


outbound_export_by_channel()
# [END by_channel]
