"""Approval: a person sees what changed since the last approval, and only that becomes the next one."""

from __future__ import annotations

import os
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from fsspec.implementations.memory import MemoryFileSystem

from airflow_provider_outbound.approval import describe, remember
from airflow_provider_outbound.cli import main
from airflow_provider_outbound.model.fingerprints import fingerprint
from airflow_provider_outbound.operators import OutboundConfigurationsOperator
from tests.fake import ACCOUNT, Fake, configuration, grant, paged

Items = list[dict[str, Any]]
Export = Callable[..., dict[str, Any]]

ITEMS = [configuration(number) for number in range(3)]


@pytest.fixture
def export(connect: Callable[..., str], tmp_path: Path) -> Export:
    """Return a function that exports a listing to a folder, compared with ``approved``; it returns the XCom."""

    def run(items: Items, folder: str = "asked", **arguments: Any) -> Any:
        account = arguments.pop("account", ACCOUNT)
        arguments = {"compare_with": tmp_path / "approved", "output_path": tmp_path / folder, **arguments}
        with Fake(paged(items), token=lambda hit: grant(aud=f"le{account}")) as fake:
            connect(fake.connection(schema=account))
            return OutboundConfigurationsOperator(task_id="export", **arguments).execute({})

    return run


def reworded(*contents: str) -> Items:
    """Return the configurations, the first ones with other bodies."""
    items = deepcopy(ITEMS)
    for item, content in zip(items, contents, strict=False):
        item["channels"][0]["messageComponents"][0]["content"] = content
    return items


def titles(described: dict[str, Any]) -> list[str]:
    """Return the first line of each block."""
    return [block.split("\n")[1] for block in described["changes"].split("\n\n")[1:]]


def test_before_any_approval_everything_is_new(export: Export) -> None:
    described = describe(export(ITEMS), "n1")
    assert titles(described) == [f"@@ created: n{n}, t{n} (wa/en), id id-{n}" for n in (1, 0, 2)]
    assert described["fingerprint"] == fingerprint(ITEMS[1]["channels"])


def test_only_what_changed_since_the_approval_is_shown(export: Export) -> None:
    remember(describe(export(ITEMS), "n1"))
    assert describe(export([{**item, "updatedAt": "2026-02-02"} for item in ITEMS]), "n1")["changes"] == ""
    described = describe(export(reworded("Bye")), "n1")
    assert titles(described) == ["@@ updated: n0, t0 (wa/en), id id-0"]
    assert described["changes"].endswith(".content\n- Hi ${{1}}\n+ Bye\n```")


def test_a_template_is_named_by_its_configuration_or_by_whatsapp(export: Export) -> None:
    items = [configuration(1), configuration(2, name="t1"), configuration(3, name=None)]
    exported = export(items)
    found = [describe(exported, name)["fingerprint"] for name in ("t1", "t3", "nowhere")]
    first, second, third = (fingerprint(each["channels"]) for each in items)
    assert found == [f"{first}+{second}", third, None]


def test_an_approval_in_the_meantime_hides_no_change(export: Export) -> None:
    exported = export(reworded("Nobody approved this"))
    assert exported["changes"]["rows"] == 0  # a baseline, because nothing was approved yet
    remember(describe(export(ITEMS, "other"), "n0"))
    described = describe(exported, "n0")
    assert titles(described) == ["@@ updated: n0, t0 (wa/en), id id-0"]
    assert "+ Nobody approved this" in described["changes"]


def test_remember_replaces_the_last_approved_export(export: Export, tmp_path: Path) -> None:
    for content in ("One", "Two"):
        described = describe(export(reworded(content)), "n0")
        remember(described)
    assert [path.name for path in (tmp_path / "approved").iterdir()] == ["configurations.parquet"]
    stored = pq.read_table(tmp_path / "approved" / "configurations.parquet")
    assert stored["fingerprint"][0].as_py() == described["fingerprint"]


def test_only_the_export_that_was_shown_is_remembered(export: Export, tmp_path: Path) -> None:
    described = describe(export(ITEMS), "n0")
    export(reworded("Nobody saw this"))
    with pytest.raises(
        AirflowFailException, match="asked/configurations.parquet' was written again after"
    ) as caught:
        remember(described)
    assert "approve them in a new run" in str(caught.value)
    (tmp_path / "asked" / "configurations.parquet").unlink()
    with pytest.raises(AirflowFailException, match="which does not exist: export it again"):
        remember(described)
    assert not (tmp_path / "approved").exists()


def test_the_folder_means_what_the_operator_makes_of_it(
    export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = {"compare_with": "~/{conn_id}/{channel}/{table}", "channel": "wa"}
    remember(describe(export(ITEMS, **folder), "n0"))
    filled = tmp_path / "liveperson_outbound_default" / "wa" / "configurations"
    assert [path.name for path in filled.iterdir()] == ["configurations.parquet"]
    exported = export(ITEMS, **folder)
    assert exported["changes"]["compared_with"] == str(filled / "configurations.parquet")
    assert describe(exported, "n0")["changes"] == ""


def test_object_storage_will_do(export: Export, bucket: MemoryFileSystem) -> None:
    for content in ("One", "Two"):
        folders = {"output_path": "memory://lake/asked", "compare_with": "memory://lake/approved"}
        described = describe(export(reworded(content), **folders), "n0")
        remember(described)
    assert described["changes"].endswith("- One\n+ Two\n```")
    assert bucket.find("/lake/approved") == ["/lake/approved/configurations.parquet"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"output_path": None, "compare_with": None}, "exported has no changes: set output_path and compare_with"),
        ({"compare_with": None}, "exported has no changes: set output_path and compare_with"),
        (
            {"output_path": "/tmp/x", "compare_with": "file:///tmp/x"},
            "compare_with and output_path are the same folder",
        ),
        (
            {"output_path": "/tmp/x", "compare_with": "/tmp/y/../x"},
            "compare_with and output_path are the same folder",
        ),
        ({"compare_with": "memory://lake/[a]"}, r"compare_with leads to 'memory:.*remove \*"),
    ],
)
@pytest.mark.usefixtures("bucket")
def test_what_cannot_be_approved_fails_at_once(export: Export, arguments: dict[str, Any], words: str) -> None:
    exported = export(ITEMS, **arguments)
    with pytest.raises(AirflowFailException, match=words):
        describe(exported, "n0")


@pytest.mark.parametrize("described", [None, {}, {"exported": {}}])
def test_only_a_description_is_remembered(described: Any) -> None:
    with pytest.raises(
        AirflowFailException, match="described has no export: give the dict that describe returned"
    ):
        remember(described)


def test_an_approval_of_another_account_fails_at_once(export: Export) -> None:
    exported = export(ITEMS)
    remember(describe(export(ITEMS, "other", account="999"), "n0"))
    with pytest.raises(AirflowFailException, match="is of account 999, but is compared with account 12345678"):
        describe(exported, "n0")


@pytest.mark.fault("S2")
def test_remember_leaves_nothing_unfinished_and_can_be_retried(
    export: Export, bucket: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*paths: str, **options: Any) -> None:
        raise OSError("storage is down")

    described = describe(export(ITEMS, compare_with="memory://lake/approved"), "n0")
    with monkeypatch.context() as broken:
        broken.setattr(MemoryFileSystem, "mv", fail)
        with pytest.raises(OSError, match="storage is down"):
            remember(described)
    assert bucket.find("/lake") == []
    remember(described)
    assert bucket.find("/lake") == ["/lake/approved/configurations.parquet"]


def test_what_is_not_shown_is_found_by_the_command_that_is_named(
    export: Export, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    approved = tmp_path / "with space"
    long = "x" * 3000
    changes = describe(export(reworded(long), compare_with=approved), "n0")["changes"]
    assert changes.endswith(f"@@ everything: {tmp_path}/asked/configurations.parquet\n```")
    remember(describe(export(ITEMS, compare_with=approved), "n0"))
    changes = describe(export(reworded(long), compare_with=approved), "n0")["changes"]
    command = f"airflow outbound diff '{approved}' {tmp_path}/asked -o json"
    assert changes.endswith(f"@@ everything: {command}\n```")
    with pytest.raises(SystemExit):
        main(["diff", str(approved), os.fspath(tmp_path / "asked"), "-o", "json"])
    assert long in capsys.readouterr().out
