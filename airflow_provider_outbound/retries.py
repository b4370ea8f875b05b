"""The retry policy for tasks: a long Retry-After delays the next try, without holding a worker slot."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import conf
from airflow.sdk import get_current_context

from airflow_provider_outbound.client.api import RETRY_WAITS
from airflow_provider_outbound.errors import TRANSIENT, ConfigError, OutboundError, Unavailable

if TYPE_CHECKING:
    from airflow.sdk import Context, RetryDecision, RetryPolicy

#: Seconds above which a Retry-After is long: the longest wait on LivePerson's retry policy page.
LONG = max(RETRY_WAITS)


def outbound_retry_policy() -> RetryPolicy:
    """Return a ``retry_policy`` for tasks that use this provider (Airflow 3.3 or later).

    A ``Retry-After`` of more than 15 seconds becomes the delay of the task's next try, up to Airflow's option
    ``[core] max_task_retry_delay``. Permanent errors fail the task at once. For all other errors, the task's
    ``retries`` and ``retry_delay`` apply.

    :raises ConfigError: before Airflow 3.3.
    """
    try:
        from airflow.sdk import RetryDecision, RetryPolicy
    except ImportError:
        raise ConfigError(
            "outbound_retry_policy needs Airflow 3.3 or later. Remove retry_policy from the task: retries and "
            "retry_delay work without it"
        ) from None

    class OutboundRetryPolicy(RetryPolicy):
        def evaluate(
            self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
        ) -> RetryDecision:
            if isinstance(exception, Unavailable) and exception.retry_after > LONG:
                delay = min(exception.retry_after, conf.getint("core", "max_task_retry_delay", fallback=86_400))
                return RetryDecision.retry(timedelta(seconds=delay), f"Next try in {delay:g} s. {exception}")
            if isinstance(exception, OutboundError) and not isinstance(exception, TRANSIENT):
                return RetryDecision.fail(str(exception))
            return RetryDecision.default()

    return OutboundRetryPolicy()


def longest_retry_after() -> float:
    """Return the longest Retry-After, in seconds, to wait for in this process; a longer one ends the try.

    There is no limit unless the task has a retry policy and another try.
    """
    try:
        context = get_current_context()
    except RuntimeError:  # not in a task
        return math.inf
    policy = getattr(context["task"], "retry_policy", None)  # Airflow 3.1 and 3.2 have none
    another_try = context["ti"].try_number <= context["ti"].max_tries
    return LONG if policy and another_try else math.inf
