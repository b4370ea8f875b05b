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


DAILY = """
from airflow.sdk import BaseHook, dag, task


@dag(schedule="@once")
def at_once():
    @task
    def host():
        return BaseHook.get_connection("elsewhere").host

    host()


at_once()
"""


def test_a_dag_that_is_due_at_the_start_finds_its_connection(tmp_path: Path) -> None:
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "at_once.py").write_text(DAILY)
    connections = {"elsewhere": {"conn_type": "http", "host": "example.com"}}

    with LocalAirflow(tmp_path / "home", dags, connections=connections) as airflow:
        airflow.unpause("at_once")
        (run,) = airflow.poll("a run", 60, lambda: airflow.get("/api/v2/dags/at_once/dagRuns")["dag_runs"])
        assert airflow.wait("at_once", run["dag_run_id"]) == "success"
        assert airflow.xcom("at_once", run["dag_run_id"], "host") == "example.com"
        airflow.restart("api-server")  # which puts the Connection there again
        assert airflow.get("/api/v2/connections/elsewhere")["host"] == "example.com"
