"""A LivePerson account on localhost, over real HTTP, to write and test DAGs without an account at LivePerson."""

from airflow_provider_outbound.sandbox.account import Sandbox

__all__ = ["Sandbox"]
