"""The operator, on its own and in real DAG runs."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from airflow.sdk.exceptions import AirflowFailException

from airflow_provider_outbound.errors import Unavailable
from airflow_provider_outbound.hooks import airflow_errors
from airflow_provider_outbound.operators import OutboundConfigurationsOperator
from tests.fake import ACCOUNT, SECRET, Fake, Reply, configuration, paged

Connect = Callable[..., str]
ITEMS = [configuration(number) for number in range(70)]


def execute(**arguments: Any) -> Any:
    return OutboundConfigurationsOperator(task_id="fetch", **arguments).execute({})


def test_items_as_xcom(connect: Connect) -> None:
    with Fake(paged(ITEMS[:3])) as fake:
        connect(fake.connection())
        assert execute() == ITEMS[:3]
        assert execute(channel="wa") == ITEMS[:3]
        assert execute(channel=["wa", "inapp"]) == ITEMS[:3]


def test_large_xcom_warns(connect: Connect, logs: Callable[[], list[str]]) -> None:
    with Fake(paged([configuration(number) for number in range(1000)])) as fake:
        connect(fake.connection())
        execute()
    assert any(line.startswith("WARNING The XCom has ") and "output_path" in line for line in logs())


def test_parquet(connect: Connect, tmp_path: Path) -> None:
    with Fake(paged(ITEMS)) as fake:
        connect(fake.connection(), "other")
        written = execute(outbound_conn_id="other", output_path=tmp_path)
    assert written == {
        "account_id": ACCOUNT,
        "configurations": {"path": f"{tmp_path}/configurations.parquet", "rows": 70},
        "components": {"path": f"{tmp_path}/components.parquet", "rows": 70},
    }
    json.dumps(written)
    assert pd.read_parquet(written["configurations"]["path"])["id"].tolist() == [item["id"] for item in ITEMS]


def test_export_holds_parts_not_the_account(connect: Connect, tmp_path: Path) -> None:
    def peak(count: int) -> int:
        items = [configuration(number, filler="x" * 2000) for number in range(count)]
        with Fake(paged(items)) as fake:
            connect(fake.connection(extra={"page_size": 100}))
            tracemalloc.start()
            assert execute(output_path=tmp_path)["configurations"]["rows"] == count
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return most

    peak(100)  # so that what is imported at first use counts for none
    assert peak(4000) - peak(400) < 3600 * 2000 / 3  # bytes: a key of each, but not its text


@pytest.mark.fault("P6")
def test_empty_account_writes_typed_files(connect: Connect, tmp_path: Path) -> None:
    with Fake() as fake:
        connect(fake.connection())
        written = execute(output_path=str(tmp_path))
    assert written["components"]["rows"] == 0
    assert "placeholders" in pd.read_parquet(written["components"]["path"]).columns


@pytest.mark.parametrize(
    ("scripts", "words"),
    [
        ({"listing": [Reply(403, b"")]}, "scope"),
        ({"listing": [Reply(451, b"")]}, "legal"),
        ({"listing": [Reply(body=b"null")]}, "no list"),
        ({"listing": lambda hit: ITEMS[:30]}, "ignores offset"),
        ({"token": [Reply(401, b"")]}, "client_secret|client secret"),
    ],
)
def test_errors_that_a_retry_cannot_mend_fail_the_task(
    connect: Connect, scripts: Any, words: str, tmp_path: Path
) -> None:
    with Fake(**scripts) as fake, pytest.raises(AirflowFailException, match=words) as caught:
        connect(fake.connection())
        execute(output_path=tmp_path)
    assert SECRET not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_errors_that_may_pass_are_left_to_airflows_retries() -> None:
    with pytest.raises(Unavailable), airflow_errors():
        raise Unavailable("busy", status=503)


@pytest.mark.fault("D5")
@pytest.mark.parametrize("channel", ["a/b", [], ["wa", ""], "wa\n"])
def test_arguments_are_checked_when_rendered(connect: Connect, channel: Any) -> None:
    with Fake() as fake:
        connect(fake.connection())
        with pytest.raises(AirflowFailException, match="channel is"):
            execute(channel=channel)
    assert not fake.hits


@pytest.mark.fault("D3")
def test_fetched_text_is_not_rendered(connect: Connect) -> None:
    item = configuration(1, name="{{ 7 * 7 }} {% raw %}")
    with Fake(paged([item])) as fake:
        connect(fake.connection())
        assert execute() == [item]
    assert OutboundConfigurationsOperator.template_fields == ("channel", "output_path", "outbound_conn_id")


@pytest.mark.fault("D2")
@pytest.mark.parametrize("depth", [50, 700])
def test_deep_nesting_is_passed_on_or_fails_the_task(connect: Connect, depth: int) -> None:
    deep: Any = 1
    for _ in range(depth):
        deep = [deep]
    with Fake(paged([configuration(1, deep=deep)])) as fake:
        connect(fake.connection())
        try:
            assert execute() == [configuration(1, deep=deep)]
        except AirflowFailException as error:
            assert "nested too deeply" in str(error)  # noqa: PT017 - either will do, by version of Python


def test_nothing_is_asked_when_made(connect: Connect) -> None:
    OutboundConfigurationsOperator(
        task_id="x", outbound_conn_id="nowhere", channel="a/b", output_path="no://where"
    )
