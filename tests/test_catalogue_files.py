"""Catalogues as files: by ``airflow outbound catalogue``, and by the operator beside its tables."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import Asset, ObjectStoragePath
from airflow.sdk.execution_time.context import OutletEventAccessors
from fsspec.implementations.memory import MemoryFileSystem

from airflow_provider_outbound.operators import OutboundConfigurationsOperator
from airflow_provider_outbound.sandbox import Sandbox
from tests.fake import ACCOUNT, Fake, configuration, paged
from tests.versions import leads_to

Connect = Callable[..., str]
Run = Callable[..., tuple[int, str, str]]
ITEMS = [configuration(number) for number in (1, 2)]


@pytest.fixture
def run(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return the shared function, for an empty folder."""
    monkeypatch.chdir(tmp_path)
    return run


def names(path: str | Path) -> set[str]:
    """Return the names of the fake's templates that a page shows."""
    html = Path(path).read_text("utf-8")
    assert html.startswith("<!doctype html>")
    assert html.rstrip().endswith("</html>")
    return set(re.findall(r"\bn\d\b", html))


def test_the_command_writes_a_page_and_prints_where_it_is(run: Run, outbound_sandbox: Sandbox) -> None:
    code, out, err = run("catalogue", "pages/{conn_id}-{channel}.html", "--channel", "wa", "-o", "json")
    path = Path("pages/liveperson_outbound_default-wa.html")
    assert code == 0
    written = json.loads(out)
    assert (Path(written["path"]).absolute(), written["bytes"]) == (path.absolute(), path.stat().st_size)
    assert err.count("\n") == 1
    html = path.read_text("utf-8")
    for item in outbound_sandbox.configurations():
        assert (item["name"] in html) == ("wa" in [channel["type"] for channel in item["channels"]])
    assert run("catalogue", "x.html")[1].split()[:3] == ["path", "|", "bytes"]
    assert {each.name for each in Path().rglob("*")} == {"pages", path.name, "x.html"}


def test_the_page_says_account_and_host(run: Run, outbound_sandbox: Sandbox) -> None:
    run("catalogue", "x.html")
    html = Path("x.html").read_text("utf-8")
    assert outbound_sandbox.account in html
    assert outbound_sandbox.url.removeprefix("http://") in html


def test_the_command_compares_with_an_export(run: Run, outbound_sandbox: Sandbox) -> None:
    run("export", "{conn_id}/{table}")
    outbound_sandbox.remove("trip_0000")
    run("catalogue", "alone.html")
    assert run("catalogue", "compared.html", "--compare-with", "{conn_id}/{table}")[0] == 0
    alone, compared = (Path(f"{name}.html").read_text("utf-8") for name in ("alone", "compared"))
    assert "trip_0000" not in alone
    assert "trip_0000" in compared


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["x.pdf"], "FILE is 'x.pdf': name a file that ends in .html, such as {channel}.html"),
        (["folder/.html"], "FILE is 'folder/.html': name a file that ends in .html, such as {channel}.html"),
        (["{table}.html"], "FILE has {table}: use only {channel} and {conn_id}"),
        (["folder.html"], "FILE leads to 'folder.html', which is a folder: remove it or choose another path"),
        (["file.parquet/x.html"], "FILE leads to 'file.parquet/x.html', below a file: choose another path"),
        (
            ["x.html", "--compare-with", "nowhere"],
            "--compare-with leads to 'nowhere/configurations.parquet', which does not exist",
        ),
        (
            ["x.html", "--compare-with", "a.parquet"],
            "--compare-with is 'a.parquet': name the folder, not the file",
        ),
        (
            ["x.html", "--compare-with", "out"],
            "account 12345678, channel wa, but is compared with account 12345678",
        ),
    ],
)
def test_a_wrong_path_exits_with_2(run: Run, outbound_sandbox: Sandbox, words: list[str], message: str) -> None:
    Path("folder.html").mkdir()
    Path("file.parquet").touch()
    run("export", "out", "--channel", "wa")
    code, out, err = run("catalogue", *words)
    assert (code, out) == (2, "")
    assert leads_to(message) in err.splitlines()[-1]
    assert not list(Path().rglob("*.html/*"))


@pytest.mark.usefixtures("impatient")
def test_a_busy_server_exits_with_1_and_leaves_the_old_page(run: Run, outbound_sandbox: Sandbox) -> None:
    Path("x.html").write_text("old")
    outbound_sandbox.fail_rate = 1
    code, out, err = run("catalogue", "x.html")
    assert (code, out) == (1, "")
    assert "503" in err
    assert Path("x.html").read_text() == "old"


def test_a_url_is_a_place_for_a_page(run: Run, outbound_sandbox: Sandbox, bucket: MemoryFileSystem) -> None:
    code, out, _ = run("catalogue", "memory://lake/x.html", "-o", "json")
    assert (code, json.loads(out)["path"]) == (0, str(ObjectStoragePath("memory://lake/x.html")))
    assert bucket.find("/lake") == ["/lake/x.html"]
    assert b"trip_0000" in bucket.cat("/lake/x.html")


def export(connect: Connect, items: list[Any], output_path: object, context: Any = None, **arguments: Any) -> Any:
    """Export a listing with its catalogue; return the operator and the XCom."""
    operator = OutboundConfigurationsOperator(
        task_id="export", output_path=output_path, catalogue=True, **arguments
    )
    with Fake(paged(items)) as fake:
        connect(fake.connection())
        return operator, operator.execute(context or {})


def test_the_operator_writes_a_page_beside_its_tables(
    connect: Connect, tmp_path: Path, logs: Callable[[], list[str]]
) -> None:
    _, written = export(connect, ITEMS, tmp_path)
    page = tmp_path / "catalogue.html"
    assert written["catalogue"] == {"path": str(page)}
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "catalogue.html",
        "components.parquet",
        "configurations.parquet",
    ]
    assert names(page) == {"n1", "n2"}
    assert f"INFO Wrote a catalogue to {page}" in logs()


def test_the_page_has_a_folder_of_its_own_in_an_object_store(connect: Connect, bucket: MemoryFileSystem) -> None:
    _, written = export(connect, ITEMS, "memory://lake/{table}/date=2026-11-29")
    assert written["catalogue"] == {
        "path": str(ObjectStoragePath("memory://lake/catalogue/date=2026-11-29/catalogue.html"))
    }
    assert len(bucket.find("/lake/catalogue")) == 1


def test_the_operators_page_shows_what_was_removed(connect: Connect, tmp_path: Path) -> None:
    _, first = export(connect, ITEMS, tmp_path, compare_with=tmp_path)
    assert names(first["catalogue"]["path"]) == {"n1", "n2"}
    _, second = export(connect, ITEMS[1:], tmp_path, compare_with=tmp_path)
    assert second["changes"]["removed"] == 1
    assert names(second["catalogue"]["path"]) == {"n1", "n2"}
    _, third = export(connect, ITEMS[1:], tmp_path)
    assert names(third["catalogue"]["path"]) == {"n2"}


def test_a_page_that_cannot_be_written_leaves_all_old_files(
    connect: Connect, bucket: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(connect, ITEMS, "memory://lake")
    old = {path: bucket.cat(path) for path in bucket.find("/lake")}
    put = MemoryFileSystem.put_file

    def refuse(self: MemoryFileSystem, local: str, remote: str, **options: Any) -> None:
        if "catalogue" in remote:
            raise OSError("full")
        put(self, local, remote, **options)

    monkeypatch.setattr(MemoryFileSystem, "put_file", refuse)
    with pytest.raises(OSError, match="full"):
        export(connect, ITEMS[1:], "memory://lake")
    assert {path: bucket.cat(path) for path in bucket.find("/lake")} == old


def test_a_folder_at_the_pages_place_fails_before_anything_is_read(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "catalogue.html").mkdir()
    with pytest.raises(AirflowFailException, match="output_path leads to .*catalogue.html', which is a folder"):
        export(connect, ITEMS, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["catalogue.html"]


def test_a_page_needs_output_path(connect: Connect) -> None:
    with pytest.raises(AirflowFailException, match="^catalogue needs output_path: set both$"):
        export(connect, ITEMS, None)


def test_a_page_is_an_output_without_columns_and_rows(connect: Connect, tmp_path: Path) -> None:
    page, events = Asset(uri=f"file://{tmp_path}/catalogue.html"), OutletEventAccessors()
    operator, written = export(connect, ITEMS, tmp_path, {"outlet_events": events}, outlets=[page])
    told = operator.get_openlineage_facets_on_complete(None).outputs[-1]
    assert (told.namespace, told.name, told.facets) == ("file", written["catalogue"]["path"], {})
    statistics = told.outputFacets["outputStatistics"]
    assert (statistics.rowCount, statistics.size) == (None, Path(told.name).stat().st_size)
    assert events[page].extra == {"account_id": ACCOUNT, "catalogue": written["catalogue"]}
