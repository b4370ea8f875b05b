"""This provider's operator."""

import json
import os

import pandas  # noqa: F401 - what the operator imports when it runs
import pyarrow.parquet  # noqa: F401

from airflow_provider_outbound.operators import OutboundConfigurationsOperator


def export(order):
    """Write the listing to Parquet files."""
    os.environ["AIRFLOW_CONN_BENCH"] = json.dumps(
        {
            "conn_type": "liveperson_outbound",
            "host": order.url,
            "schema": order.account,
            "login": order.client_id,
            "password": order.client_secret,
            "extra": {
                "page_size": order.page_size,
                **({} if order.paced else {"requests_per_second": 0}),
            },
        }
    )
    OutboundConfigurationsOperator(task_id="export", outbound_conn_id="bench", output_path=order.folder).execute(
        {}
    )
