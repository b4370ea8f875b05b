"""A LivePerson account on localhost, over real HTTP, to write and test DAGs without an account at LivePerson."""

try:
    from airflow_provider_outbound.sandbox.account import Sandbox
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"{error}: install airflow-provider-outbound with its extra sandbox", name=error.name
    ) from error

__all__ = ["Sandbox"]
