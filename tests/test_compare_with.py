"""Exports that are compared with an earlier one: what changes.parquet holds, and what can't be compared."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from fsspec.implementations.memory import MemoryFileSystem

from airflow_provider_outbound.errors import ConfigError
from airflow_provider_outbound.model.codec import encode
from airflow_provider_outbound.operators import OutboundConfigurationsOperator
from airflow_provider_outbound.tables import earlier
from airflow_provider_outbound.tables.schemas import schema
from tests.fake import ACCOUNT, Fake, bare, configuration, grant, paged

Connect = Callable[..., str]
Items = list[dict[str, Any]]
NAMES = ["changes.parquet", "components.parquet", "configurations.parquet"]
COUNTS = {"created": 0, "updated": 0, "removed": 0}


@pytest.fixture
def export(connect: Connect) -> Callable[..., Any]:
    """Return a function that exports a listing and returns the XCom."""

    def run(items: Items, output_path: object, **arguments: Any) -> Any:
        account = arguments.pop("account", ACCOUNT)
        with Fake(paged(items), token=lambda hit: grant(aud=f"le{account}")) as fake:
            connect(fake.connection(schema=account))
            operator = OutboundConfigurationsOperator(task_id="export", output_path=output_path, **arguments)
            return operator.execute({})

    return run


def rows(written: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return kind, name, field, before and after of each row that was written."""
    table = pq.read_table(written["changes"]["path"])
    assert table.schema.equals(schema("changes"))
    assert table.num_rows == written["changes"]["rows"]
    return [tuple(row[key] for key in ("kind", "name", "field", "before", "after")) for row in table.to_pylist()]


def test_known_edits_are_exactly_the_rows(export: Callable[..., Any], tmp_path: Path) -> None:
    before = [configuration(number) for number in range(4)]
    after = deepcopy(before)
    after[1]["channels"][0]["messageComponents"][0]["content"] = "Grüße ${{1}}"
    after[1]["channels"][0]["footer"] = {"a.b": [None]}
    del after[1]["updatedAt"]
    del after[2]
    after.insert(0, configuration(9))
    export(before, tmp_path / "old")
    written = export(after, tmp_path / "new", compare_with=tmp_path / "old")
    path = str(tmp_path / "new" / "changes.parquet")
    old = str(tmp_path / "old" / "configurations.parquet")
    counts = {"created": 1, "updated": 1, "removed": 1}
    assert written["changes"] == {"path": path, "rows": 5, "compared_with": old, **counts}
    content = "channels[0].messageComponents[0].content"
    expected = [
        ("created", "n9", None, None, encode(configuration(9)).decode()),
        ("updated", "n1", content, '"Hi ${{1}}"', '"Grüße ${{1}}"'),
        ("updated", "n1", 'channels[0].footer["a.b"][0]', None, "null"),
        ("updated", "n1", "updatedAt", '"2026-01-01"', None),
        ("removed", "n2", None, encode(configuration(2)).decode(), None),
    ]
    assert [tuple(json_alike(each) for each in row) for row in rows(written)] == [
        tuple(json_alike(each) for each in row) for row in expected
    ]
    frames = {"pandas": pd.read_parquet(path), "duckdb": duckdb.sql(f"from '{path}'").df()}
    for frame in frames.values():
        assert frame["kind"].tolist() == [row[0] for row in expected]
        assert frame["id"].tolist() == ["id-9", "id-1", "id-1", "id-1", "id-2"]
        assert frame["account_id"].unique().tolist() == [ACCOUNT]
        assert [list(each) for each in frame["channel_types"]] == [["wa"]] * 5
        assert frame["previously_fetched_at"].max() < frame["fetched_at"].min()
    counted = duckdb.sql(f"select json_extract_string(after, '$.id') from '{path}' where kind = 'created'")
    assert counted.fetchall() == [("id-9",)]


def json_alike(cell: str | None) -> Any:
    """Return a cell whose white space does not count."""
    return cell if cell is None or not cell.startswith("{") else json.loads(cell)


def test_without_an_earlier_export_it_is_a_baseline(
    export: Callable[..., Any], tmp_path: Path, logs: Callable[[], list[str]]
) -> None:
    written = export([configuration(1)], tmp_path / "new", compare_with=tmp_path / "old")
    assert rows(written) == []
    file = tmp_path / "old" / "configurations.parquet"
    told = {"path": f"{tmp_path}/new/changes.parquet", "rows": 0, "compared_with": str(file)}
    assert written["changes"] == {**told, **COUNTS}
    assert f"INFO No earlier export at {file}: this export is a baseline, without changes" in logs()


def test_the_same_folder_is_read_before_it_is_replaced(
    export: Callable[..., Any], tmp_path: Path, logs: Callable[[], list[str]]
) -> None:
    path = f"{tmp_path}/a b/{{conn_id}}/{{channel}}/{{table}}"
    for number, counts in ((1, COUNTS), (1, COUNTS), (2, {"created": 1, "updated": 0, "removed": 1})):
        written = export([configuration(number)], path, compare_with=path, channel="wa")
        assert {kind: written["changes"][kind] for kind in COUNTS} == counts
    folder = tmp_path / "a b" / "liveperson_outbound_default" / "wa"
    assert [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.parquet"))] == [
        f"{name.removesuffix('.parquet')}/{name}" for name in NAMES
    ]
    old = f"{folder}/configurations/configurations.parquet"
    assert f"INFO Configurations that changed since {old}: 1 created, 0 updated, 1 removed" in logs()


def test_an_object_store_is_compared(export: Callable[..., Any], bucket: MemoryFileSystem) -> None:
    for number in (1, 2):
        written = export([configuration(number)], "memory://lake/x", compare_with="memory://lake/x")
    assert written["changes"]["removed"] == 1
    assert sorted(path.rpartition("/")[2] for path in bucket.find("/lake")) == NAMES
    assert pq.read_table("/lake/x/changes.parquet", filesystem=bucket)["kind"].to_pylist() == [
        "created",
        "removed",
    ]


@pytest.mark.fault("C3")
def test_configurations_are_replaced_last(
    export: Callable[..., Any], bucket: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that is killed between the files finds the old configurations when it is retried."""
    export([configuration(1)], "memory://lake")
    moved = []

    def move(self: MemoryFileSystem, source: str, target: str, **_: Any) -> None:
        moved.append(target.rpartition("/")[2])
        if len(moved) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(MemoryFileSystem, "mv", move)
    with pytest.raises(KeyboardInterrupt):
        export([configuration(2)], "memory://lake", compare_with="memory://lake")
    assert moved == NAMES
    monkeypatch.undo()
    assert export([configuration(2)], "memory://lake", compare_with="memory://lake")["changes"]["rows"] == 2


@pytest.mark.fault("C3")
def test_a_storage_failure_is_not_a_missing_export(
    export: Callable[..., Any], bucket: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("storage is down")

    monkeypatch.setattr(MemoryFileSystem, "cat_file", fail)
    with pytest.raises(OSError, match="storage is down"):  # left to Airflow's retries
        export([configuration(1)], "memory://lake", compare_with="memory://lake")
    assert bucket.find("/lake") == []


def test_empty_listings_are_compared(export: Callable[..., Any], tmp_path: Path) -> None:
    found = []
    for items in ([], [], [configuration(1)], []):
        written = export(items, tmp_path, compare_with=tmp_path)
        found.append([row[:2] for row in rows(written)])
    assert found == [[], [], [("created", "n1")], [("removed", "n1")]]
    (removed,) = pq.read_table(tmp_path / "changes.parquet").to_pylist()
    assert (removed["account_id"], removed["fetched_at"]) == (ACCOUNT, None)
    assert removed["previously_fetched_at"] is not None


@pytest.mark.fault("C2")
def test_other_channels_are_not_compared(export: Callable[..., Any], tmp_path: Path) -> None:
    export([configuration(1)], tmp_path, channel="wa,inapp")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(AirflowFailException) as caught:
        export([configuration(2)], tmp_path, compare_with=tmp_path, channel="wa")
    file = tmp_path / "configurations.parquet"
    assert str(caught.value) == (
        f"compare_with leads to '{file}', which is of account {ACCOUNT}, channel inapp,wa, but is compared with "
        f"account {ACCOUNT}, channel wa: compare exports of the same account and channels. In a path, {{conn_id}} "
        "and {channel} keep exports apart"
    )
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert rows(export([configuration(1)], tmp_path, compare_with=tmp_path, channel=["inapp", "wa"])) == []


@pytest.mark.fault("C2")
@pytest.mark.parametrize("items", [[], [configuration(1)]])
def test_another_account_is_not_compared(export: Callable[..., Any], tmp_path: Path, items: Items) -> None:
    export(items, tmp_path, account="777")
    with pytest.raises(AirflowFailException, match=rf"of account 777, .*is compared with account {ACCOUNT}"):
        export([configuration(1)], tmp_path, compare_with=tmp_path)
    assert not (tmp_path / "changes.parquet").exists()


@pytest.mark.fault("C2")
def test_another_account_is_found_by_its_column_without_metadata(
    export: Callable[..., Any], tmp_path: Path
) -> None:
    export([configuration(1)], tmp_path, account="777")
    strip_metadata(tmp_path, ["account_id", "raw"])
    with pytest.raises(AirflowFailException, match="is of account 777, but"):
        export([configuration(1)], tmp_path, compare_with=tmp_path)


def strip_metadata(folder: Path, columns: list[str]) -> None:
    """Leave some columns of an export."""
    file = folder / "configurations.parquet"
    pq.write_table(pq.read_table(file, columns=columns).replace_schema_metadata(None), file)


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int32(), pa.string())]
)
def test_raw_is_all_that_an_earlier_export_needs(
    export: Callable[..., Any], tmp_path: Path, kind: pa.DataType
) -> None:
    raws = [encode(configuration(number)) for number in range(3000)]
    raw = pa.array(raws, pa.binary()).cast(pa.string())
    raw = raw.dictionary_encode() if pa.types.is_dictionary(kind) else raw.cast(kind)
    pq.write_table(pa.table({"raw": raw}), tmp_path / "configurations.parquet")
    written = export([configuration(number) for number in range(1, 3000)], tmp_path, compare_with=tmp_path)
    assert [row[:3] for row in rows(written)] == [("removed", "n0", None)]


@pytest.mark.parametrize("odd", ["x", 5, None, ["x"], datetime(2026, 1, 1), pd.Timestamp(10**18 + 1)])
def test_columns_of_odd_types_do_not_matter(export: Callable[..., Any], tmp_path: Path, odd: Any) -> None:
    columns = {"raw": [encode(configuration(1)).decode()], "fetched_at": [odd], "account_id": [odd]}
    columns["account_id"] = [ACCOUNT if odd == "x" else odd]
    pq.write_table(pa.table(columns), tmp_path / "configurations.parquet")
    assert [row[0] for row in rows(export([], tmp_path, compare_with=tmp_path))] == ["removed"]


FOREIGN: dict[str, bytes | pa.Table] = {
    "empty": b"",
    "text": b"id,name\n1,2\n",
    "another table": pa.table({"id": ["1"]}),
    "numbers": pa.table({"raw": [1, 2]}),
    "lists": pa.table({"raw": [["{}"]]}),
    "objects": pa.table({"raw": [{"a": 1}]}),
    "null": pa.table({"raw": ["{}", None]}),
    "no JSON": pa.table({"raw": ["{'a': 1}"]}),
    "no objects": pa.table({"raw": ["[1]"]}),
    "too deep": pa.table({"raw": ['{"a": ' + "[" * 10**5]}),
    "half a character": pa.table({"raw": pa.array([b'{"a": "\xc3"}'], pa.binary())}),
}


@pytest.mark.fault("C1")
@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_foreign_files_fail_the_task_and_stay(
    export: Callable[..., Any], tmp_path: Path, content: bytes | pa.Table
) -> None:
    file = tmp_path / "configurations.parquet"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        pq.write_table(content, file)
    before = file.read_bytes()
    words = rf"^compare_with leads to '{file}', which is damaged, or not from an export: restore it, remove it, or"
    with pytest.raises(AirflowFailException, match=words):
        export([configuration(1)], tmp_path, compare_with=tmp_path)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.fault("C1")
@pytest.mark.parametrize("cut", [10, 500, -1, -500])
def test_truncated_files_fail_the_task(export: Callable[..., Any], tmp_path: Path, cut: int) -> None:
    export([configuration(number) for number in range(50)], tmp_path / "old")
    file = tmp_path / "old" / "configurations.parquet"
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(AirflowFailException, match=f"compare_with leads to '{file}', which is damaged"):
        export([configuration(1)], tmp_path / "new", compare_with=tmp_path / "old")
    assert not (tmp_path / "new").exists()


@pytest.mark.fault("C1")
def test_bytes_that_were_overwritten_fail_the_task(export: Callable[..., Any], tmp_path: Path) -> None:
    export([configuration(number) for number in range(50)], tmp_path / "old")
    file = tmp_path / "old" / "configurations.parquet"
    content = bytearray(file.read_bytes())
    raw = pq.read_metadata(file).row_group(0).column(schema("configurations").get_field_index("raw"))
    begin = raw.dictionary_page_offset or raw.data_page_offset
    content[begin : begin + 40] = b"\0" * 40
    file.write_bytes(content)
    with pytest.raises(AirflowFailException, match="which is damaged"):
        export([configuration(1)], tmp_path / "new", compare_with=tmp_path / "old")


@pytest.mark.fault("C1")
def test_a_flipped_bit_is_no_change(export: Callable[..., Any], tmp_path: Path) -> None:
    """The file is refused, or read as it was."""
    export([configuration(number) for number in range(50)], tmp_path)
    file = tmp_path / "configurations.parquet"
    content, kept = file.read_bytes(), list(earlier.read(file, "x").raws())
    raw = pq.read_metadata(file).row_group(0).column(schema("configurations").get_field_index("raw"))
    begin = raw.dictionary_page_offset or raw.data_page_offset
    refused = 0
    for place in range(begin, begin + raw.total_compressed_size):
        file.write_bytes(content[:place] + bytes([content[place] ^ 8]) + content[place + 1 :])
        try:
            assert list(earlier.read(file, "x").raws()) == kept
        except ConfigError:
            refused += 1
    assert refused > raw.total_compressed_size / 2


def test_every_file_has_checksums(export: Callable[..., Any], tmp_path: Path) -> None:
    items = [configuration(number) for number in range(9)]
    items[0]["channels"][0]["messageComponents"][0]["content"] = ""
    export(items[5:], tmp_path)
    written = export(
        items, tmp_path, compare_with=tmp_path, history_path=tmp_path / "history.parquet", problems=True
    )
    del written["account_id"]
    assert len(written) == 5
    for file in (Path(table["path"]) for table in written.values()):
        content = bytearray(file.read_bytes())
        content[pq.read_metadata(file).row_group(0).column(0).data_page_offset - 1] ^= 1
        file.write_bytes(content)
        with pq.ParquetFile(file, page_checksum_verification=True) as opened, pytest.raises(OSError, match="CRC"):
            opened.read()


@pytest.mark.fault("C1")
@pytest.mark.parametrize("column", ["fetched_at", "account_id"])
def test_times_that_python_cannot_hold_fail_the_task(
    export: Callable[..., Any], tmp_path: Path, column: str
) -> None:
    odd = pa.array([10**17], pa.timestamp("ms", "UTC"))
    pq.write_table(pa.table({"raw": ["{}"], column: odd}), tmp_path / "configurations.parquet")
    with pytest.raises(AirflowFailException, match="compare_with leads to .*, which is damaged"):
        export([configuration(1)], tmp_path, compare_with=tmp_path)


@pytest.mark.fault("C1")
def test_a_folder_in_the_place_of_the_file_fails_the_task(export: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "old" / "configurations.parquet").mkdir(parents=True)
    with pytest.raises(AirflowFailException, match="compare_with leads to .*old/configurations.parquet'"):
        export([configuration(1)], tmp_path / "new", compare_with=tmp_path / "old")


@pytest.mark.fault("C1")
def test_a_file_in_the_place_of_the_folder_fails_the_task(export: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "old").touch()
    with pytest.raises(
        AirflowFailException, match="compare_with leads to .*configurations.parquet', which can't be"
    ):
        export([configuration(1)], tmp_path / "new", compare_with=tmp_path / "old")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"compare_with": " "}, "compare_with is blank: name a path"),
        (
            {"compare_with": "a/configurations.parquet"},
            "compare_with is 'a/configurations.parquet': name the folder",
        ),
        ({"compare_with": "{date}"}, "compare_with has {date}: use only {table}, {channel} and {conn_id}"),
        ({"compare_with": "nowhere://x"}, "compare_with 'nowhere://x' can't be used"),
        ({"compare_with": "a\0b"}, "compare_with has a NUL character"),
        ({"compare_with": "x", "output_path": None}, "compare_with needs output_path: set both"),
    ],
)
def test_arguments_are_checked_before_anything_is_read(
    connect: Connect, tmp_path: Path, arguments: dict[str, Any], words: str
) -> None:
    with Fake() as fake:
        connect(fake.connection())
        operator = OutboundConfigurationsOperator(task_id="x", **{"output_path": tmp_path, **arguments})
        with pytest.raises(AirflowFailException) as caught:
            operator.execute({})
    assert words in str(caught.value)
    assert not fake.hits


def test_the_path_is_a_template(connect: Connect, tmp_path: Path) -> None:
    operator = OutboundConfigurationsOperator(
        task_id="x", output_path=tmp_path, compare_with=tmp_path / "date={{ ds }}"
    )
    operator.render_template_fields({"ds": "2026-11-22"})
    assert operator.compare_with == f"{tmp_path}/date=2026-11-22"


def test_odd_values_and_names_are_written(export: Callable[..., Any], tmp_path: Path) -> None:
    odd = {"nan": math.nan, "half": "\ud83d", "long": 2**70, "\ud83d": 1, "k" * 10**5: 1, "": {"[0]": {"a.b": 1}}}
    name = "n" * 10**5
    export([configuration(1, name=name), bare(1), bare(1), bare(2)], tmp_path)
    after = [bare(2, type="sms"), bare(1), configuration(1, name=name, **odd)]
    written = export(after, tmp_path, compare_with=tmp_path)
    assert {kind: written["changes"][kind] for kind in COUNTS} == {"created": 1, "updated": 1, "removed": 2}
    values = {row[2]: row[4] for row in rows(written) if row[0] == "updated"}
    assert {key: values[key] for key in ("nan", "half", "long", '["\\ud83d"]', '[""]["[0]"]["a.b"]')} == {
        "nan": "NaN",
        "half": '"\\ud83d"',
        "long": str(2**70),
        '["\\ud83d"]': "1",
        '[""]["[0]"]["a.b"]': "1",
    }
    assert len(values) == 6
    assert max(map(len, values)) <= 500
    assert {row[1] for row in rows(written)} == {name, None}
    assert rows(export(after, tmp_path, compare_with=tmp_path)) == []


def test_a_large_configuration_with_many_changes_is_compared(export: Callable[..., Any], tmp_path: Path) -> None:
    # Its JSON, repeated for each changed field, would be too much for a column.
    large = {"text": "x" * 1_000_000}
    export([configuration(1, **large, **{f"k{number}": 0 for number in range(2300)})], tmp_path)
    items = [configuration(1, **large, **{f"k{number}": 1 for number in range(2300)})]
    assert export(items, tmp_path, compare_with=tmp_path)["changes"]["rows"] == 2300


def test_many_changes_are_written_in_parts(export: Callable[..., Any], tmp_path: Path) -> None:
    export([configuration(number, x=0) for number in range(2500)], tmp_path)
    written = export([configuration(number, x=1) for number in range(2500)], tmp_path, compare_with=tmp_path)
    assert [row[1:] for row in rows(written)] == [(f"n{number}", "x", "0", "1") for number in range(2500)]
