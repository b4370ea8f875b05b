"""The operator, on its own and in real DAG runs."""

from __future__ import annotations

import json
import runpy
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, BaseHook
from airflow.sdk.io.fs import _register_filesystems

from airflow_provider_outbound.errors import Unavailable
from airflow_provider_outbound.hooks import airflow_errors
from airflow_provider_outbound.operators import OutboundConfigurationsOperator
from airflow_provider_outbound.tables.schemas import schema
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
        ({"listing": [Reply(body=b"null")]}, "not a list"),
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
@pytest.mark.parametrize("channel", ["a/b", [], ["wa", ""], "wa\n", "", "wa,", "wa ", " ", 5, {"wa": 1}])
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
    fields = OutboundConfigurationsOperator.template_fields
    operator = OutboundConfigurationsOperator(task_id="x", **dict.fromkeys(fields, "{{ 7 * 7 }}"))
    operator.render_template_fields({})
    assert {getattr(operator, field) for field in fields} == {"49"}


def nested(depth: int) -> Any:
    deep: Any = 1
    for _ in range(depth):
        deep = [deep]
    return deep


@pytest.mark.fault("D2")
@pytest.mark.parametrize("depth", [50, 150])
def test_nesting_is_passed_on(connect: Connect, depth: int) -> None:
    with Fake(paged([configuration(1, deep=nested(depth))])) as fake:
        connect(fake.connection())
        assert execute() == [configuration(1, deep=nested(depth))]


@pytest.mark.fault("D2")
def test_nesting_that_is_too_deep_fails_the_task(connect: Connect) -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    with Fake([Reply(body=b'[{"id": "1", "deep": ' + deep + b"}]")]) as fake:
        connect(fake.connection())
        with pytest.raises(AirflowFailException, match="nested too deeply"):
            execute()


@pytest.mark.parametrize(
    ("arguments", "folder"),
    [
        ({"output_path": "{table}"}, "{table}"),
        ({"output_path": "{table}/date=2026-11-22/"}, "{table}/date=2026-11-22"),
        ({"output_path": "{channel}"}, "all"),
        ({"output_path": "{channel}/{table}", "channel": "wa"}, "wa/{table}"),
        ({"output_path": "c={channel}", "channel": "wa, inapp,wa"}, "c=wa,inapp"),
        ({"output_path": "c={channel}", "channel": ["wa", "inapp"]}, "c=wa,inapp"),
        ({"output_path": "{conn_id}/{table}/{table}", "outbound_conn_id": "other"}, "other/{table}/{table}"),
        ({"output_path": "plain"}, "plain"),
        ({"output_path": "odd}{"}, "odd}{"),
    ],
)
def test_places_in_the_path_are_filled(
    connect: Connect, tmp_path: Path, arguments: dict[str, Any], folder: str
) -> None:
    with Fake(paged(ITEMS[:3])) as fake:
        connect(fake.connection(), arguments.get("outbound_conn_id", "liveperson_outbound_default"))
        written = execute(**{**arguments, "output_path": f"{tmp_path}/{arguments['output_path']}"})
    for table in ("configurations", "components"):
        path = tmp_path / folder.replace("{table}", table) / f"{table}.parquet"
        assert written[table] == {"path": str(path), "rows": 3}
        assert path.is_file()
    assert len(list(tmp_path.rglob("*.parquet"))) == 2


@pytest.mark.parametrize("place", ["{date}", "{}", "{Table}", "{ table }", "{table.name}", "{0}", "{table!r}"])
def test_unknown_places_in_the_path_are_refused(connect: Connect, tmp_path: Path, place: str) -> None:
    with Fake() as fake:
        connect(fake.connection())
        with pytest.raises(AirflowFailException, match=r"use only \{table\}, \{channel\} and \{conn_id\}"):
            execute(output_path=f"{tmp_path}/{place}")
    assert not fake.hits
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault("D5")
@pytest.mark.parametrize("conn_id", ["..", ".", "", "a/b", "../x", "a\\b", "a*", "{table}"])
def test_a_connection_id_that_would_change_the_path_is_refused(tmp_path: Path, conn_id: str) -> None:
    with pytest.raises(AirflowFailException, match="can't be part of output_path"):
        execute(outbound_conn_id=conn_id, output_path=f"{tmp_path}/x/{{conn_id}}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault("F4")
@pytest.mark.parametrize("path", ["", " ", "\n"])
def test_a_blank_path_is_refused(connect: Connect, path: str) -> None:
    with Fake() as fake:
        connect(fake.connection())
        with pytest.raises(AirflowFailException, match="output_path is blank: name a path"):
            execute(output_path=path)
    assert not fake.hits


@pytest.mark.fault("F4")
@pytest.mark.parametrize("path", [True, 5, ["/tmp/x"], b"/tmp/x", {"a": 1}])
@pytest.mark.parametrize("parameter", ["output_path", "compare_with", "history_path"])
def test_a_path_that_is_no_text_is_refused(connect: Connect, tmp_path: Path, parameter: str, path: Any) -> None:
    with Fake() as fake:
        connect(fake.connection())
        with pytest.raises(AirflowFailException, match=f"{parameter} is .*: it must be text or a path"):
            execute(**{"output_path": str(tmp_path), parameter: path})
    assert not fake.hits


@pytest.mark.fault("F4")
def test_home_is_expanded(connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with Fake(paged(ITEMS[:3])) as fake:
        connect(fake.connection())
        written = execute(output_path="~/{table}")
    assert written["components"]["path"] == f"{tmp_path}/components/components.parquet"


@pytest.mark.fault("F4")
def test_a_path_object_is_rendered_as_text(connect: Connect, tmp_path: Path) -> None:
    operator = OutboundConfigurationsOperator(task_id="x", output_path=tmp_path / "date={{ ds }}")
    operator.render_template_fields({"ds": "2026-11-22"})
    with Fake(paged(ITEMS[:3])) as fake:
        connect(fake.connection())
        written = operator.execute({})
    assert written["components"]["path"] == f"{tmp_path}/date=2026-11-22/components.parquet"


def test_a_folder_whose_connection_is_missing(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_register_filesystems(), "ftp", lambda conn_id, _: BaseHook.get_connection(conn_id))
    with Fake() as fake:
        connect(fake.connection())
        with pytest.raises(AirflowFailException, match=r"output_path 'ftp://nobody@x' can't be used: .*nobody"):
            OutboundConfigurationsOperator(task_id="x", output_path="ftp://nobody@x").execute({})
    assert not fake.hits


@pytest.mark.fault("F4")
@pytest.mark.parametrize("parameter", ["output_path", "compare_with", "history_path"])
def test_a_template_without_a_value_is_no_path(connect: Connect, tmp_path: Path, parameter: str) -> None:
    paths = {"output_path": str(tmp_path), parameter: "{{ none }}"}
    operator = OutboundConfigurationsOperator(task_id="x", **paths)
    operator.render_template_fields({})
    with Fake() as fake:
        connect(fake.connection())
        with pytest.raises(AirflowFailException, match=f"{parameter} is None: check the template that gives it"):
            operator.execute({})
    assert not fake.hits


@pytest.mark.parametrize("parameter", ["output_path", "compare_with", "history_path"])
def test_a_token_in_a_url_is_refused_and_not_quoted(connect: Connect, parameter: str) -> None:
    path = f"abfs://lake@acme/x?sig={SECRET}"
    paths = {"output_path": "x", parameter: f"{path}/h.parquet" if parameter == "history_path" else path}
    with Fake() as fake:
        connect(fake.connection())
        words = rf"{parameter} is a URL with a \?: remove it and what follows"
        with pytest.raises(AirflowFailException, match=words) as caught:
            execute(**paths)
    assert SECRET not in str(caught.value)
    assert not fake.hits


def test_a_folder_that_no_storage_knows(connect: Connect) -> None:
    with Fake() as fake:
        connect(fake.connection())
        with pytest.raises(AirflowFailException, match=r"output_path 'nowhere://x/y' can't be used"):
            execute(output_path="nowhere://x/y")
    assert not fake.hits


@pytest.mark.fault("F5")
@pytest.mark.parametrize("channel", ["whatsapp", "None", "wa,whatsapp,whatsapp", ["whatsapp", "wa"]])
def test_an_unknown_channel_is_warned_about_once(
    connect: Connect, logs: Callable[[], list[str]], channel: Any
) -> None:
    unknown = "None" if channel == "None" else "whatsapp"
    with Fake(paged(ITEMS[:3])) as fake:
        connect(fake.connection())
        execute(channel=channel)
    (warning,) = [line for line in logs() if line.startswith("WARNING Unknown channel")]
    known = "wa, sms-twilio, apple-twilio, googlercs, inapp"
    assert warning == f"WARNING Unknown channel '{unknown}': check its spelling. Known channels: {known}"


@pytest.mark.fault("F5")
def test_several_unknown_channels_are_each_warned_about(connect: Connect, logs: Callable[[], list[str]]) -> None:
    with Fake(paged(ITEMS[:3])) as fake:
        connect(fake.connection())
        execute(channel="sms,wa,rcs,inapp")
    warned = [line.split("'")[1] for line in logs() if line.startswith("WARNING Unknown channel")]
    assert warned == ["sms", "rcs"]
    assert {hit.path.rpartition("/")[2] for hit in fake.hits if hit.kind == "list"} == {
        "sms",
        "wa",
        "rcs",
        "inapp",
    }


MAPPED = """
from airflow.sdk import DAG
from airflow_provider_outbound.operators import OutboundConfigurationsOperator

with DAG("mapped", schedule=None) as dag:
    OutboundConfigurationsOperator.partial(task_id="export", PARTIAL).expand(EXPAND)
"""


@pytest.mark.fault("F3")
@pytest.mark.usefixtures("airflow_db")
@pytest.mark.parametrize(
    ("partial", "expand", "warned"),
    [
        ("output_path='FOLDER/same'", "channel=['wa', 'inapp']", True),
        ("output_path='FOLDER/{table}/{{ run_id[:4] }}'", "channel=['wa', 'inapp']", True),
        ("output_path='FOLDER/{channel}'", "channel=['wa', 'inapp']", False),
        ("output_path='FOLDER/{{ ti.map_index }}'", "channel=['wa', 'inapp']", False),
        ("channel='wa'", "output_path=['FOLDER/a', 'FOLDER/b']", False),
        ("output_path=None", "channel=['wa', 'inapp']", False),
        ("history_path='FOLDER/h.parquet'", "output_path=['FOLDER/a', 'FOLDER/b']", True),
    ],
)
def test_mapped_tasks_with_one_path_are_warned_about(
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    partial: str,
    expand: str,
    warned: bool,
) -> None:
    code = MAPPED.replace("PARTIAL", partial).replace("EXPAND", expand).replace("FOLDER", str(tmp_path / "out"))
    (tmp_path / "mapped.py").write_text(code)
    bundle = {"name": "mapped", "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle"}
    bundles = json.dumps([{**bundle, "kwargs": {"path": str(tmp_path)}}])
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", bundles)
    with Fake(paged(ITEMS[:3])) as fake:
        connect(fake.connection())
        assert runpy.run_path(str(tmp_path / "mapped.py"))["dag"].test().state == "success"
    lines = [line for line in capsys.readouterr().out.splitlines() if "All mapped tasks write to" in line]
    assert len(lines) == (2 if warned else 0)  # one in each task's log
    assert all("{channel}" in line and "{conn_id}" in line for line in lines)


@pytest.mark.fault("F6")
def test_a_lake_is_read_by_folder_with_its_partitions(connect: Connect, tmp_path: Path) -> None:
    with Fake(paged(ITEMS)) as fake:
        connect(fake.connection())
        for day in ("2026-11-21", "2026-11-22"):
            execute(output_path=f"{tmp_path}/{{table}}/channel={{channel}}/date={day}", channel="wa")
    expected = [(item["id"], "wa", day) for day in ("2026-11-21", "2026-11-22") for item in ITEMS]
    for table, key in (("configurations", "id"), ("components", "configuration_id")):
        folder = tmp_path / table
        (folder / "channel=wa" / "date=2026-11-22" / f".{table}.984d29").write_bytes(b"PAR1, of a killed task")
        frames = {
            "pandas": pd.read_parquet(folder),
            "pyarrow": ds.dataset(folder, partitioning="hive").to_table().to_pandas(),
            "duckdb": duckdb.sql(f"from read_parquet('{folder}/**/*.parquet', hive_partitioning = true)").df(),
            "polars": pl.read_parquet(folder / "*" / "*" / "*.parquet", hive_partitioning=True).to_pandas(),
        }
        for reader, frame in frames.items():
            rows = zip(frame[key], frame["channel"].astype(str), frame["date"].astype(str).str[:10], strict=True)
            assert sorted(rows) == sorted(expected), reader


def test_nothing_is_asked_when_made(connect: Connect) -> None:
    OutboundConfigurationsOperator(
        task_id="x", outbound_conn_id="nowhere", channel="a/b", output_path="no://where"
    )


def broken(number: int, content: str = "Hi ${{1}} and ${{2}}") -> dict[str, Any]:
    """Return a configuration with problems."""
    body = {"type": "body", "content": content, "variables": ["1"]}
    channel = {"type": "wa", "language": "en", "messageComponents": [body]}
    return configuration(number, name=f"broken{number}", channels=[channel])


MIXED = [*ITEMS[:3], broken(3), broken(4, "Hi"), broken(5, "")]
COUNTS = {"rows": 4, "error": 2, "warning": 2, "codes": {"undeclared": 1, "empty": 1, "unused": 2}}


def test_problems_become_a_table_beside_the_others(connect: Connect, tmp_path: Path) -> None:
    with Fake(paged(MIXED)) as fake:
        connect(fake.connection())
        written = execute(output_path=f"{tmp_path}/{{table}}", problems=True)
    path = f"{tmp_path}/problems/problems.parquet"
    assert written["problems"] == {"path": path, **COUNTS}
    json.dumps(written)
    frame = pd.read_parquet(path)
    assert frame["configuration_id"].tolist() == ["id-3", "id-4", "id-5", "id-5"]
    assert frame["code"].tolist() == ["undeclared", "unused", "unused", "empty"]
    assert frame["severity"].tolist() == ["error", "warning", "warning", "error"]
    assert frame["detail"][0] == "uses {{2}} but declares only 1"
    assert set(frame["account_id"]) == {ACCOUNT}
    listed = pd.read_parquet(written["configurations"]["path"])
    assert set(frame["fetched_at"]) == set(listed["fetched_at"])
    assert listed["id"][frame["configuration_index"]].tolist() == frame["configuration_id"].tolist()


@pytest.mark.parametrize("items", [[], ITEMS[:3]])
def test_a_listing_without_problems_has_a_typed_table_without_rows(
    connect: Connect, tmp_path: Path, logs: Callable[[], list[str]], items: list[Any]
) -> None:
    with Fake(paged(items)) as fake:
        connect(fake.connection())
        written = execute(output_path=tmp_path, problems=True)
    assert written["problems"]["rows"] == 0
    assert pq.read_schema(written["problems"]["path"]).equals(schema("problems"), check_metadata=True)
    assert f"INFO The checks found no problems at {fake.host}, account {ACCOUNT}" in logs()


@pytest.mark.parametrize("places", [{}, {"output_path": "here"}])
def test_the_log_counts_problems_and_names_templates_with_errors(
    connect: Connect, tmp_path: Path, logs: Callable[[], list[str]], places: dict[str, str]
) -> None:
    arguments = {name: f"{tmp_path}/{path}" for name, path in places.items()}
    with Fake(paged(MIXED)) as fake:
        connect(fake.connection())
        execute(problems=True, **arguments)
    place = f"{fake.host}, account {ACCOUNT}"
    found = f"WARNING The checks found 2 errors and 2 warnings at {place}: undeclared 1, empty 1, unused 2"
    names = (
        f"WARNING 2 templates at {place}, have problems: broken3 (wa/en) body uses {{{{2}}}} but declares only 1 "
        "[undeclared]; broken5 (wa/en) body has no text [empty]"
    )
    assert [line for line in logs() if found in line or " have problems: " in line] == [found, names]


def test_nothing_is_checked_unless_asked(connect: Connect, tmp_path: Path, logs: Callable[[], list[str]]) -> None:
    with Fake(paged(MIXED)) as fake:
        connect(fake.connection())
        assert execute() == MIXED
        assert "problems" not in execute(output_path=tmp_path)
    assert not [line for line in logs() if "checks" in line]


@pytest.mark.parametrize("fail_on", [["empty", "undeclared"], "undeclared,empty", "{{ 'empty, undeclared' }}"])
@pytest.mark.parametrize("problems", [True, False])
def test_fail_on_fails_the_task_at_once_and_leaves_the_old_files(
    connect: Connect, tmp_path: Path, fail_on: Any, problems: bool
) -> None:
    with Fake(paged(MIXED)) as fake:
        connect(fake.connection())
        for arguments in ({}, {"output_path": f"{tmp_path}/out"}):
            (tmp_path / "out").mkdir(exist_ok=True)
            (tmp_path / "out" / "components.parquet").write_text("old")
            operator = OutboundConfigurationsOperator(task_id="x", fail_on=fail_on, problems=problems, **arguments)
            operator.render_template_fields({})
            with pytest.raises(AirflowFailException) as caught:
                operator.execute({})
            assert str(caught.value) == (
                f"2 templates at {fake.host}, account {ACCOUNT}, have problems: "
                "broken3 (wa/en) body uses {{2}} but declares only 1 "
                "[undeclared]; broken5 (wa/en) body has no text [empty]. Correct this in LivePerson's web tool, "
                "or remove the check from fail_on"
            )
    assert [path.read_text() for path in (tmp_path / "out").iterdir()] == ["old"]


def test_fail_on_passes_other_problems_and_counts_them(
    connect: Connect, tmp_path: Path, logs: Callable[[], list[str]]
) -> None:
    with Fake(paged(MIXED)) as fake:
        connect(fake.connection())
        assert execute(fail_on=["gap"]) == MIXED
        assert "problems" not in execute(fail_on=["gap"], output_path=tmp_path)
    assert not (tmp_path / "problems.parquet").exists()
    assert len([line for line in logs() if "The checks found 2 errors and 2 warnings" in line]) == 2


@pytest.mark.fault("F7")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"fail_on": ["empty", "emtpy"]}, "fail_on has 'emtpy': the checks are undeclared, empty, language, "),
        ({"fail_on": "None"}, "fail_on has 'None': the checks are "),
        ({"min_rows": "ten"}, "min_rows is 'ten': give a number of configurations"),
    ],
)
def test_checks_that_do_not_exist_are_refused_before_anything_is_read(
    connect: Connect, arguments: dict[str, Any], words: str
) -> None:
    with Fake(paged(MIXED)) as fake:
        connect(fake.connection())
        with pytest.raises(AirflowFailException, match=words):
            execute(**arguments)
    assert not fake.hits


@pytest.mark.parametrize("path", [None, "out"])
@pytest.mark.parametrize("min_rows", [7, "7"])
def test_a_listing_shorter_than_min_rows_fails_the_task_and_writes_nothing(
    connect: Connect, tmp_path: Path, path: str | None, min_rows: Any
) -> None:
    arguments: dict[str, Any] = {"output_path": f"{tmp_path}/{path}"} if path else {}
    with Fake(paged(ITEMS[:6])) as fake:
        connect(fake.connection())
        words = rf"^Only 6 configurations at {fake.host}, account {ACCOUNT}, but min_rows is 7: check "
        with pytest.raises(AirflowFailException, match=words):
            execute(min_rows=min_rows, **arguments)
        assert not (tmp_path / "out").exists()
        assert execute(min_rows=6, **arguments)
