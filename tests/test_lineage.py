"""Assets, hook lineage, OpenLineage and the link: one name everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from airflow.providers.openlineage.utils.utils import translate_airflow_asset
from airflow.sdk import Asset
from airflow.sdk.execution_time.context import OutletEventAccessors

from airflow_provider_outbound import lineage
from airflow_provider_outbound.hooks import OutboundHook
from airflow_provider_outbound.links import WEB_TOOL, WEB_TOOLS, WebToolLink
from airflow_provider_outbound.operators import OutboundConfigurationsOperator
from airflow_provider_outbound.tables.schemas import TABLES, schema
from tests.fake import ACCOUNT, Fake, configuration, paged
from tests.versions import AIRFLOW, HookLineageCollector, HookLineageReader, get_hook_lineage_collector, since

Connect = Callable[..., str]
URI = f"liveperson-outbound://{ACCOUNT}/configurations"
ITEMS = [configuration(number) for number in range(3)]


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[HookLineageCollector]:
    """Return Airflow's collector of hook lineage, as it is if a plugin reads it."""
    if AIRFLOW.release < (3, 2):
        monkeypatch.setattr("airflow.lineage.hook._hook_lineage_collector", HookLineageCollector())
        yield get_hook_lineage_collector()
        return
    monkeypatch.setattr(
        "airflow.sdk.plugins_manager.get_hook_lineage_readers_plugins", lambda: [HookLineageReader]
    )
    get_hook_lineage_collector.cache_clear()
    yield get_hook_lineage_collector()
    get_hook_lineage_collector.cache_clear()


def test_an_account_is_an_asset_by_its_scheme(collector: HookLineageCollector) -> None:
    assert lineage.create_asset(account_id=ACCOUNT).uri == URI
    made = collector.create_asset(
        scheme=lineage.SCHEME, asset_kwargs={"account_id": ACCOUNT}, asset_extra={"a": 1}
    )
    assert made == Asset(uri=URI, extra={"a": 1})


@pytest.mark.parametrize("path", ["configurations", "spring_sale", "a/b", "spring sale"])
def test_any_path_makes_an_asset(path: str) -> None:
    asset = Asset(uri=f"LivePerson-Outbound://Some_conn-1/{path}/")
    assert asset.uri == asset.normalized_uri == f"liveperson-outbound://Some_conn-1/{path}"


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(
            "//user@1/x", marks=since("3.2", "an asset's URI keeps its user until the provider refuses it")
        ),
        *("//1:80/x", "//1", "//1/", "///x"),
    ],
)
def test_user_info_ports_and_missing_parts_are_refused(rest: str) -> None:
    with pytest.raises(ValueError, match="without user, password or port"):
        Asset(uri=f"liveperson-outbound:{rest}")


def test_openlineage_translates_the_asset() -> None:
    dataset = translate_airflow_asset(Asset(uri=URI), None)
    assert dataset is not None
    assert (dataset.namespace, dataset.name) == (f"liveperson-outbound://{ACCOUNT}", "configurations")


FILES = [
    ("/a/b.parquet", "file:///a/b.parquet", ("file", "/a/b.parquet")),
    ("file:///a/b.parquet", "file:///a/b.parquet", ("file", "/a/b.parquet")),
    ("/a?b/c#d.parquet", "file:///a%3Fb/c%23d.parquet", ("file", "/a%3Fb/c%23d.parquet")),
    ("local:///a/b.parquet", "file:///a/b.parquet", ("file", "/a/b.parquet")),
    ("s3://aws_default@lake/a/b=1/c", "s3://lake/a/b=1/c", ("s3://lake", "a/b=1/c")),
    ("s3a://lake/a@b", "s3://lake/a@b", ("s3://lake", "a@b")),
    ("gcs://lake/a", "gs://lake/a", ("gs://lake", "a")),
    ("memory://bucket/a", "memory://bucket/a", ("memory://bucket", "a")),
]


@pytest.mark.parametrize(("path", "uri", "name"), FILES)
def test_files_have_the_names_of_assets_and_openlineage(path: str, uri: str, name: tuple[str, str]) -> None:
    assert lineage.file_uri(path) == uri
    told = lineage.operator_lineage("", {"components": {"path": path, "rows": 7, "bytes": 70}})
    (output,) = told.outputs
    assert (output.namespace, output.name) == name
    assert told.inputs == []


def test_a_relative_path_is_that_of_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert lineage.file_uri("a/b.parquet") == f"file://{tmp_path}/a/b.parquet"


CALLS: dict[str, Callable[[OutboundHook], Any]] = {
    "get_configurations": lambda hook: hook.get_configurations(["wa", "inapp"]),
    "iter_configurations": lambda hook: list(hook.iter_configurations()),
    "iter_parts": lambda hook: list(hook.iter_parts()),
    "iter_tables": lambda hook: list(hook.iter_tables()),
    "get_table": lambda hook: hook.get_table(),
    "get_df": lambda hook: hook.get_df(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_hook_reports_each_reading_once(
    connect: Connect, collector: HookLineageCollector, call: Callable[[OutboundHook], Any]
) -> None:
    with Fake(paged(ITEMS)) as fake:
        hook = OutboundHook(connect(fake.connection()))
        call(hook)
    assert [(each.asset.uri, each.count) for each in collector.collected_assets.inputs] == [(URI, 1)]
    assert collector.collected_assets.outputs == []


def export(connect: Connect, path: object, **options: Any) -> tuple[OutboundConfigurationsOperator, Any, Any]:
    """Run an export; return it, its XCom, and what the events of its outlets say, by the assets' URIs."""
    operator = OutboundConfigurationsOperator(task_id="export", output_path=path, **options)
    events = OutletEventAccessors()
    with Fake(paged(ITEMS)) as fake:
        connect(fake.connection())
        written = operator.execute({"outlet_events": events})
    return operator, written, {event.key.uri: event.extra for event in events.values()}


def test_an_export_tells_openlineage_what_it_read_and_wrote(connect: Connect, tmp_path: Path) -> None:
    operator, written, _ = export(connect, tmp_path)
    told = operator.get_openlineage_facets_on_complete(None)
    assert [(each.namespace, each.name) for each in told.inputs] == [
        (f"liveperson-outbound://{ACCOUNT}", "configurations")
    ]
    assert [each.name for each in told.outputs] == [written[table]["path"] for table in TABLES]
    for table, output in zip(TABLES, told.outputs, strict=True):
        fields = [(field.name, field.type) for field in output.facets["schema"].fields]
        assert fields == [(column.name, str(column.type)) for column in schema(table)]
        statistics = output.outputFacets["outputStatistics"]
        assert (statistics.rowCount, statistics.size) == (3, Path(output.name).stat().st_size)


def test_a_comparison_is_told_to_openlineage_hook_lineage_and_outlets(
    connect: Connect, collector: HookLineageCollector, tmp_path: Path
) -> None:
    asset = Asset(uri=f"file://{tmp_path}/changes.parquet")
    operator, written, extras = export(connect, tmp_path, compare_with=tmp_path, outlets=[asset, Asset("all")])
    files = [f"{tmp_path}/{table}.parquet" for table in (*TABLES, "changes")]
    told = operator.get_openlineage_facets_on_complete(None)
    assert [each.name for each in told.outputs] == files
    fields = [(field.name, field.type) for field in told.outputs[-1].facets["schema"].fields]
    assert fields == [(column.name, str(column.type)) for column in schema("changes")]
    assert told.outputs[-1].outputFacets["outputStatistics"].rowCount == 0
    assert [each.asset.uri for each in collector.collected_assets.outputs] == [f"file://{file}" for file in files]
    assert extras == {asset.uri: {"account_id": ACCOUNT, "changes": written["changes"]}, "all": written}
    told = {"path": files[-1], "rows": 0, "compared_with": f"{tmp_path}/configurations.parquet"}
    assert written["changes"] == {**told, "created": 0, "updated": 0, "removed": 0}


def test_items_as_xcom_have_an_input_only(connect: Connect) -> None:
    operator, _, _ = export(connect, None)
    told = operator.get_openlineage_facets_on_complete(None)
    assert ([each.name for each in told.inputs], told.outputs) == (["configurations"], [])


def test_a_task_that_failed_before_it_read_tells_nothing() -> None:
    operator = OutboundConfigurationsOperator(task_id="export")
    assert not any(attrs.asdict(operator.get_openlineage_facets_on_complete(None)).values())


def test_an_export_reports_its_files_to_hook_lineage(
    connect: Connect, collector: HookLineageCollector, tmp_path: Path
) -> None:
    export(connect, tmp_path)
    assert [each.asset.uri for each in collector.collected_assets.inputs] == [URI]
    assert [each.asset.uri for each in collector.collected_assets.outputs] == [
        f"file://{tmp_path}/{table}.parquet" for table in TABLES
    ]


def test_an_outlets_event_counts_its_file_and_others_count_both(connect: Connect, tmp_path: Path) -> None:
    components = Asset(uri=f"file://{tmp_path}/components.parquet")
    _, written, extras = export(connect, tmp_path, outlets=[components, Asset("templates")])
    assert extras == {
        components.uri: {"account_id": ACCOUNT, "components": {"path": components.uri[7:], "rows": 3}},
        "templates": written,
    }


def test_a_history_is_an_output_of_the_exports_that_change_it(connect: Connect, tmp_path: Path) -> None:
    kept = Asset(uri=f"file://{tmp_path}/history.parquet")
    options = {"history_path": tmp_path / "history.parquet", "outlets": [kept]}
    operator, _, extras = export(connect, tmp_path, **options)
    told = operator.get_openlineage_facets_on_complete(None).outputs[1]
    assert (told.name, told.outputFacets["outputStatistics"].rowCount) == (kept.uri[7:], 3)
    assert [field.name for field in told.facets["schema"].fields] == schema("history").names
    assert extras[kept.uri] == {"account_id": ACCOUNT, "history": {"path": kept.uri[7:], "rows": 3}}
    operator, _, again = export(connect, tmp_path, **options)
    assert len(operator.get_openlineage_facets_on_complete(None).outputs) == 2
    assert again == extras


def test_an_export_with_outlets_runs_in_a_shell(connect: Connect, tmp_path: Path) -> None:
    operator = OutboundConfigurationsOperator(task_id="export", output_path=tmp_path, outlets=[Asset("templates")])
    with Fake(paged(ITEMS)) as fake:
        connect(fake.connection())
        assert operator.execute({})["configurations"]["rows"] == 3


@pytest.mark.parametrize("region", ["va", "lo", "sy"])
def test_the_link_leads_to_the_regions_web_tool(region: str) -> None:
    operator = OutboundConfigurationsOperator(task_id="export")
    operator.list_url = f"https://{region}.handoff.liveperson.net"
    _, link = operator.operator_extra_links
    assert isinstance(link, WebToolLink)
    assert link.get_link(operator, ti_key=None) == WEB_TOOLS[region]  # type: ignore[arg-type]
    assert WEB_TOOLS[region] != WEB_TOOL


def test_the_link_of_an_unknown_host_leads_to_the_web_tool_of_all(connect: Connect) -> None:
    operator = OutboundConfigurationsOperator(task_id="export")
    assert WebToolLink().get_link(operator, ti_key=None) == WEB_TOOL  # type: ignore[arg-type]
    operator, _, _ = export(connect, None)
    assert str(operator.list_url).startswith("http://127.0.0.1")
    assert WebToolLink().get_link(operator, ti_key=None) == WEB_TOOL  # type: ignore[arg-type]
