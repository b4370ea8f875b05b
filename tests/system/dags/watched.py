"""Twenty assets and ten gates on one Connection, for ``make events``."""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, AssetAny

from airflow_provider_outbound.assets import template_asset
from airflow_provider_outbound.sensors import OutboundTemplateSensor

INTERVAL = 5
ASSETS = [template_asset("all_templates", poke_interval=INTERVAL)]
ASSETS += [template_asset(f"asset_{n}", template_name=f"watched_{n}_*", poke_interval=INTERVAL) for n in range(19)]

with DAG("watched", schedule=AssetAny(*ASSETS), is_paused_upon_creation=True):
    EmptyOperator(task_id="nothing")

with DAG("gates", schedule=None, is_paused_upon_creation=True):
    for number in range(10):
        OutboundTemplateSensor(
            task_id=f"gate_{number}",
            template_name="never",
            deferrable=True,
            poke_interval=timedelta(seconds=INTERVAL),
            timeout=timedelta(hours=1),
        )
