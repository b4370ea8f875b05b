"""This provider's operator, or its hook where no more than one file is asked for."""

import json
import os

import pandas  # noqa: F401 - what the operator imports when it runs
import pyarrow.parquet as pq

from airflow_provider_outbound.hooks import OutboundHook
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
    if order.one_file:
        pq.write_table(OutboundHook("bench").get_table("configurations"), order.file)
    else:
        arguments = {"outbound_conn_id": "bench", "output_path": order.folder}
        OutboundConfigurationsOperator(task_id="export", **arguments).execute({})
