from pathlib import Path

import pytest

from tests.system.local_airflow import LocalAirflow

pytestmark = pytest.mark.system

DAG = """
from datetime import timedelta

from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk import DAG, BaseOperator


class Nap(BaseOperator):
    def execute(self, context):
        self.defer(trigger=TimeDeltaTrigger(timedelta(seconds=4)), method_name="wake")

    def wake(self, context, event=None):
        return context["dag_run"].conf["answer"]


with DAG("naps", schedule=None, is_paused_upon_creation=True):
    Nap(task_id="nap")
"""


def test_a_task_defers_and_is_resumed(tmp_path: Path) -> None:
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "naps.py").write_text(DAG)

    with LocalAirflow(tmp_path / "home", dags) as airflow:
        run_id = airflow.trigger("naps", conf={"answer": 42})
        airflow.wait("naps", run_id, until={"nap": "deferred"})

        assert airflow.wait("naps", run_id) == "success"
        assert airflow.task_states("naps", run_id) == {"nap": "success"}
        assert airflow.xcom("naps", run_id, "nap") == 42
