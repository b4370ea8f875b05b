"""What differs between the versions of Airflow that the tests run with."""

from __future__ import annotations

from importlib.metadata import version

import pytest
from packaging.version import Version

AIRFLOW = Version(version("apache-airflow-core"))

if AIRFLOW.release >= (3, 2):
    from airflow.sdk.bases.secrets_backend import BaseSecretsBackend
    from airflow.sdk.exceptions import (
        AirflowRescheduleException,
        AirflowSecretsBackendAccessDenied,
        TaskDeferralError,
    )
    from airflow.sdk.lineage import HookLineageCollector, HookLineageReader, get_hook_lineage_collector
else:
    from airflow.exceptions import AirflowRescheduleException, TaskDeferralError
    from airflow.lineage.hook import HookLineageCollector, HookLineageReader, get_hook_lineage_collector
    from airflow.secrets import BaseSecretsBackend

    AirflowSecretsBackendAccessDenied = PermissionError

__all__ = [
    "AIRFLOW",
    "AirflowRescheduleException",
    "AirflowSecretsBackendAccessDenied",
    "BaseSecretsBackend",
    "HookLineageCollector",
    "HookLineageReader",
    "TaskDeferralError",
    "get_hook_lineage_collector",
    "since",
]


def since(first: str, fact: str) -> pytest.MarkDecorator:
    """Return a mark for tests that older Airflows can't pass.

    :param first: the first version that can.
    :param fact: what is true from then on.
    """
    return pytest.mark.skipif(Version(first) > AIRFLOW, reason=f"Airflow {AIRFLOW}; from {first} on, {fact}")
