"""A task's retry policy: what it decides, and how long a worker waits itself."""

from __future__ import annotations

import json
import math
import runpy
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow import sdk

from airflow_provider_outbound.errors import AuthError, ConfigError, ListingChanged, NetworkError, Unavailable
from airflow_provider_outbound.retries import longest_retry_after, outbound_retry_policy
from tests.conftest import Client
from tests.fake import Fake, Reply, configuration
from tests.versions import since

policies = since("3.3", "tasks have a retry policy")


def busy(retry_after: float) -> Unavailable:
    error = Unavailable("va.example, account 1: status 429", status=429)
    error.retry_after = retry_after
    return error


def decide(error: BaseException) -> sdk.RetryDecision:
    return outbound_retry_policy().evaluate(error, try_number=1, max_tries=3)


@policies
@pytest.mark.fault("R15")
@pytest.mark.parametrize(("retry_after", "delay"), [(15.5, 15.5), (300, 300), (1e9, 86_400), (math.inf, 86_400)])
def test_a_long_retry_after_is_the_delay_of_the_next_try(retry_after: float, delay: float) -> None:
    decision = decide(busy(retry_after))
    assert (decision.action, decision.retry_delay) == (sdk.RetryAction.RETRY, timedelta(seconds=delay))
    assert decision.reason == f"Next try in {delay:g} s. va.example, account 1: status 429"


@policies
@pytest.mark.parametrize(
    "error", [busy(0), busy(15), NetworkError("no"), ListingChanged("no"), ValueError("no"), KeyboardInterrupt()]
)
def test_what_may_pass_and_what_is_not_ours_is_left_to_airflow(error: BaseException) -> None:
    assert decide(error) == sdk.RetryDecision.default()


@policies
@pytest.mark.parametrize("error", [AuthError("Check the secret", status=401), ConfigError("Check the secret")])
def test_a_permanent_error_fails_at_once_and_says_why(error: Exception) -> None:
    assert decide(error) == sdk.RetryDecision.fail("Check the secret")


@policies
@pytest.mark.parametrize("exception", [Unavailable, "airflow_provider_outbound.errors.Unavailable"])
def test_rules_of_users_match_the_errors_by_class_and_by_path(exception: Any) -> None:
    policy = sdk.ExceptionRetryPolicy([sdk.RetryRule(exception, retry_delay=timedelta(hours=1))])
    assert policy.evaluate(busy(0), 1, 3).retry_delay == timedelta(hours=1)
    assert policy.evaluate(NetworkError("no"), 1, 3) == sdk.RetryDecision.default()


def test_older_airflows_are_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sdk.__dict__["__lazy_imports"], "RetryPolicy", raising=False)
    monkeypatch.delitem(sdk.__dict__, "RetryPolicy", raising=False)
    with pytest.raises(ConfigError, match=r"needs Airflow 3.3 or later\. Remove retry_policy from the task"):
        outbound_retry_policy()


@pytest.mark.fault("R15")
@pytest.mark.parametrize("call", ["listing", "token"])
def test_a_longer_retry_after_than_allowed_is_raised_at_once(client: Client, call: str) -> None:
    with Fake(**{call: [Reply(429, b"", {"Retry-After": "16"})]}) as fake:
        with pytest.raises(Unavailable) as caught:
            client.list_page(client.access(fake.account(), longest_retry_after=15))
    assert caught.value.retry_after == 16
    assert fake.kinds().count(call.replace("listing", "list")) == 1
    assert client.waits == []


def test_one_that_is_allowed_is_waited_for(client: Client) -> None:
    with Fake([Reply(429, b"", {"Retry-After": "15"}), [configuration(1)]]) as fake:
        assert client.list_page(client.access(fake.account(), longest_retry_after=15)) == [configuration(1)]
    assert client.waits == [15.0]


DAG = """
from airflow.sdk import DAG, task
from airflow_provider_outbound.hooks import OutboundHook
from airflow_provider_outbound.operators import OutboundConfigurationsOperator
from airflow_provider_outbound.retries import longest_retry_after, outbound_retry_policy

seen = []

with DAG("retried", schedule=None) as dag:
    options = {OPTIONS}

    @task(**options)
    def by_hook():
        return OutboundHook().get_configurations()

    @task(**options)
    def fails():
        seen.append(longest_retry_after())
        raise ValueError

    if "TASK" == "operator":
        OutboundConfigurationsOperator(task_id="by_operator", **options)
    else:
        TASK()
"""


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, task: str, options: str) -> tuple[str, list[float]]:
    """Run a DAG of one task by ``dag.test()``; return its state, and how long its tries may wait."""
    (folder / "retried.py").write_text(
        DAG.replace("TASK", task).replace("OPTIONS", f'"retry_delay": 0, {options}')
    )
    bundle = {"name": "retried", "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle"}
    bundles = json.dumps([{**bundle, "kwargs": {"path": str(folder)}}])
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", bundles)
    module = runpy.run_path(str(folder / "retried.py"))
    return module["dag"].test().state, module["seen"]


@policies
@pytest.mark.fault("R15")
@pytest.mark.usefixtures("airflow_db")
@pytest.mark.parametrize("task", ["operator", "by_hook"])
def test_a_task_with_the_policy_waits_between_its_tries_and_not_in_one(
    connect: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, task: str
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__MAX_TASK_RETRY_DELAY", "0")  # else the next try is in 300 s
    with Fake([Reply(429, b"", {"Retry-After": "300"}), []]) as fake:
        connect(fake.connection())
        state, _ = run(tmp_path, monkeypatch, task, '"retries": 1, "retry_policy": outbound_retry_policy()')
    assert state == "success"
    assert fake.kinds() == ["token", "list", "token", "list", "list"]  # each try logs in


@policies
@pytest.mark.usefixtures("airflow_db")
def test_a_refused_login_is_not_tried_again(
    connect: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with Fake(token=[Reply(401, b"")]) as fake:
        connect(fake.connection())
        state, _ = run(tmp_path, monkeypatch, "by_hook", '"retries": 1, "retry_policy": outbound_retry_policy()')
    assert state == "failed"
    assert fake.kinds() == ["token"]


@pytest.mark.usefixtures("airflow_db")
@pytest.mark.parametrize(
    ("options", "tries"),
    [
        pytest.param('"retries": 1, "retry_policy": outbound_retry_policy()', [15.0, math.inf], marks=policies),
        pytest.param('"retries": 0, "retry_policy": outbound_retry_policy()', [math.inf], marks=policies),
        ('"retries": 1', [math.inf, math.inf]),
    ],
)
def test_a_try_waits_itself_unless_a_policy_and_another_try_follow(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: str, tries: list[float]
) -> None:
    assert run(tmp_path, monkeypatch, "fails", options) == ("failed", tries)


def test_without_a_task_every_wait_is_made() -> None:
    assert longest_retry_after() == math.inf
