"""Two exports with retries: of an account that answers 429, and of one whose secret is wrong."""

from airflow.sdk import DAG

from airflow_provider_outbound.operators import OutboundConfigurationsOperator
from airflow_provider_outbound.retries import outbound_retry_policy

with DAG("busy_account", schedule=None):
    for conn_id in ("busy", "refused"):
        OutboundConfigurationsOperator(
            task_id=conn_id, outbound_conn_id=conn_id, retries=3, retry_policy=outbound_retry_policy()
        )
