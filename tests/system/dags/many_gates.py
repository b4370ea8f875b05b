"""Gates that begin in the triggerer and, as their pool is closed, stay where they are once they open."""

from airflow.sdk import DAG, BaseOperator
from airflow.triggers.base import StartTriggerArgs


class Gate(BaseOperator):
    """Wait for a template of the task's own name."""

    start_from_trigger = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.start_trigger_args = StartTriggerArgs(
            trigger_cls="airflow_provider_outbound.triggers.OutboundTemplateTrigger",
            trigger_kwargs={"template_name": self.task_id, "poke_interval": 3.0},
            next_method="go_on",
        )


with DAG("many_gates", schedule=None, max_active_runs=100):
    for number in range(25):
        Gate(task_id=f"gate_{number}", pool="closed")
