"""What differs between the versions of Airflow that the tests run with."""

from __future__ import annotations

import os
from importlib.metadata import version

import pytest
from packaging.version import Version

AIRFLOW = Version(version("apache-airflow-core"))

if AIRFLOW.release >= (3, 2):
    from airflow.dag_processing.dagbag import DagBag
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
    from airflow.models.dagbag import DagBag
    from airflow.secrets import BaseSecretsBackend

    AirflowSecretsBackendAccessDenied = PermissionError

__all__ = [
    "AIRFLOW",
    "AirflowRescheduleException",
    "AirflowSecretsBackendAccessDenied",
    "BaseSecretsBackend",
    "DagBag",
    "HookLineageCollector",
    "HookLineageReader",
    "TaskDeferralError",
    "get_hook_lineage_collector",
    "lacks",
    "leads_to",
    "since",
]


def leads_to(message: str) -> str:
    """Return a message with the path that it shows: Airflow 3.1 makes a relative one absolute."""
    return message.replace("leads to '", f"leads to '{os.getcwd()}/") if AIRFLOW.release < (3, 2) else message


def lacks(first: str, fact: str, package: str = "apache-airflow-core") -> str:
    """Return why a test can't pass with what is installed; empty if it can.

    :param first: the first version with which it can.
    :param fact: what is true from then on.
    :param package: whose version it is.
    """
    name = "Airflow" if package == "apache-airflow-core" else package
    return f"From {name} {first} on, {fact}" if Version(version(package)) < Version(first) else ""


def since(first: str, fact: str, package: str = "apache-airflow-core") -> pytest.MarkDecorator:
    """Return a mark that skips a test with versions that lack what it needs; see :func:`lacks`."""
    reason = lacks(first, fact, package)
    return pytest.mark.skipif(bool(reason), reason=reason)
