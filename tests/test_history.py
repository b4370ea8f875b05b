"""The history: what any moment's listing was, from one file that a failed run leaves as it was."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import ObjectStoragePath
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_outbound.errors import ConfigError, HistoryAhead
from airflow_provider_outbound.operators import OutboundConfigurationsOperator
from airflow_provider_outbound.tables import build, history, parquet
from airflow_provider_outbound.tables.schemas import SCHEMA_VERSION, schema
from tests.fake import ACCOUNT, Fake, Reply, bare, configuration, paged
from tests.listed import Built, pages
from tests.strategies import ITEMS

Connect = Callable[..., str]
Items = list[dict[str, Any]]

DAY = timedelta(days=1)
MAY_1 = datetime(2026, 5, 1, tzinfo=timezone.utc)
SOURCE = parquet.source(ACCOUNT, None)
EMPTY = history.begin(SOURCE)


def keep(*listings: Items, table: pa.Table = EMPTY, since: datetime = MAY_1) -> pa.Table:
    """Return the history of listings, one a day."""
    for number, items in enumerate(listings):
        table = history.update(table, Built(*items).configurations, since + number * DAY, "history.parquet")
    return table


def seen(table: pa.Table, moment: datetime) -> list[str]:
    """Return what a history says was listed at a moment, in an order of its own."""
    rows = [
        row["raw"]
        for row in table.to_pylist()
        if row["valid_from"] <= moment and (row["valid_to"] is None or row["valid_to"] > moment)
    ]
    return canonical(map(json.loads, rows))


def canonical(items: Any) -> list[str]:
    return sorted(json.dumps(item, sort_keys=True) for item in items)


def states(table: pa.Table) -> list[tuple[str, int, int | None]]:
    """Return each state's name or key, and the days in May on which it began and ended."""
    return [
        (row["name"] or row["key"], row["valid_from"].day, row["valid_to"] and row["valid_to"].day)
        for row in table.to_pylist()
    ]


def test_a_change_ends_a_state_and_begins_another() -> None:
    table = keep([configuration(1), configuration(2)], [configuration(1, x=1), configuration(2)])
    assert states(table) == [("n1", 1, 2), ("n2", 1, None), ("n1", 2, None)]
    assert table["is_current"].to_pylist() == [False, True, True]
    assert table["key"].to_pylist() == ["id:id-1", "id:id-2", "id:id-1"]


def test_a_configuration_that_comes_back_has_a_new_row() -> None:
    table = keep([configuration(1)], [], [configuration(1)])
    assert states(table) == [("n1", 1, 2), ("n1", 3, None)]


def test_an_empty_listing_ends_every_state() -> None:
    assert states(keep([configuration(1), configuration(2)], [])) == [("n1", 1, 2), ("n2", 1, 2)]


def test_equal_bare_channels_are_counted() -> None:
    table = keep([bare(1), bare(1), bare(1, footer="x")], [bare(1), bare(1, footer="x")])
    assert [valid_to for _, _, valid_to in states(table)].count(None) == 2
    assert len(table) == 3


def test_the_columns_are_those_of_the_listing() -> None:
    table = keep([configuration(1)])
    (row,) = table.to_pylist()
    (listed,) = Built(configuration(1)).configurations.to_pylist()
    del listed["fetched_at"]
    own = {"key": "id:id-1", "valid_from": MAY_1, "valid_to": None, "is_current": True}
    assert row == {**own, **listed}
    assert table.schema == schema("history")


@pytest.mark.parametrize("days", [0, -1])
def test_an_export_that_is_not_later_than_the_last_change_is_refused(days: int) -> None:
    table = keep([configuration(1)], [configuration(1, x=1)])
    with pytest.raises(HistoryAhead, match="has a change at 2026-05-02 .* Run one export at a time"):
        keep([configuration(1, x=2)], table=table, since=MAY_1 + DAY + days * DAY)
    ended = keep([configuration(1)], [])
    with pytest.raises(HistoryAhead):
        keep([configuration(1)], table=ended, since=MAY_1 + DAY + days * DAY)
    assert keep([configuration(1, x=1)], table=table, since=MAY_1) is table  # it has nothing to tell


SOME = st.builds(
    lambda make, number, x: make(number, x=x),
    st.sampled_from([configuration, bare]),
    st.integers(0, 2),
    st.sampled_from([0, 1, "\ud800"]),
)


def reordered(item: dict[str, Any]) -> dict[str, Any]:
    return dict(reversed(item.items()))


@given(st.lists(st.lists(SOME | ITEMS, max_size=5), max_size=5), st.randoms())
def test_any_moment_is_answered_as_if_every_listing_had_been_kept(
    listings: list[Items], chance: random.Random
) -> None:
    with TemporaryDirectory() as folder:
        stored = ObjectStoragePath(f"{folder}/history.parquet")
        for number, items in enumerate(listings):
            listed = [reordered(item) if chance.random() < 0.3 else item for item in items]
            chance.shuffle(listed)
            _, changed = export(listed, stored, MAY_1 + number * DAY)
            assert changed or number
            _, changed = export(items, stored, MAY_1 + number * DAY + DAY / 4)
            assert not changed
        table = history.read(Path(stored.path), SOURCE, "h") if listings else EMPTY
    assert seen(table, MAY_1 - DAY / 2) == []
    for number, items in enumerate(listings):
        for moment in (MAY_1 + number * DAY, MAY_1 + number * DAY + DAY / 2):
            stored_items = [json.loads(raw) for raw in Built(*items).configurations["raw"].to_pylist()]
            assert seen(table, moment) == canonical(stored_items)
    assert table["valid_to"].is_null().equals(table["is_current"])


def export(items: Items, stored: ObjectStoragePath, now: datetime) -> tuple[int, bool]:
    """Put the history of one more listing into storage."""
    parts = build.parts(pages(items), ACCOUNT, lambda: now, Counter(), ["configurations"])
    with parquet.make(parts, ["configurations"]) as folder:
        rows, changed = history.extend(folder, stored, SOURCE, now)
        if changed:
            parquet.put(folder, {"history": stored})
    return rows, changed


def execute(folder: object, **arguments: Any) -> Any:
    paths = {"output_path": f"{folder}/{{table}}", "history_path": f"{folder}/history.parquet"}
    return OutboundConfigurationsOperator(task_id="export", **{**paths, **arguments}).execute({})


def version(folder: Path) -> tuple[int, int, bytes]:
    """Return what changes if a history is written again, even with the same rows."""
    told = (folder / "history.parquet").stat()
    return told.st_ino, told.st_mtime_ns, (folder / "history.parquet").read_bytes()


def test_the_operator_returns_path_and_rows(
    connect: Connect, tmp_path: Path, logs: Callable[[], list[str]]
) -> None:
    items = [configuration(1), configuration(2)]
    with Fake(lambda hit: paged(items)(hit)) as fake:
        connect(fake.connection())
        written = execute(tmp_path)
        items[0] = configuration(1, x=1)
        assert execute(tmp_path)["history"] == {"path": f"{tmp_path}/history.parquet", "rows": 3}
    assert set(written) == {"account_id", "configurations", "components", "history"}
    assert written["history"] == {"path": f"{tmp_path}/history.parquet", "rows": 2}
    assert f"INFO Wrote 3 rows to {tmp_path}/history.parquet" in logs()
    listed = pq.read_table(tmp_path / "configurations/configurations.parquet")
    begun = pq.read_table(
        tmp_path / "history.parquet", filters=[("key", "=", "id:id-1"), ("is_current", "=", True)]
    )
    assert begun["valid_from"].to_pylist() == listed["fetched_at"].unique().to_pylist()


def test_the_same_export_twice_leaves_the_file_untouched(
    connect: Connect, tmp_path: Path, logs: Callable[[], list[str]]
) -> None:
    with Fake(paged([configuration(1), bare(1), bare(1)])) as fake:
        connect(fake.connection())
        first = execute(tmp_path)["history"]
        before = version(tmp_path)
        assert execute(tmp_path)["history"] == first
    assert version(tmp_path) == before
    assert f"INFO History unchanged: {tmp_path}/history.parquet keeps its 3 rows" in logs()


def test_an_account_without_configurations_has_a_history_without_rows(connect: Connect, tmp_path: Path) -> None:
    with Fake() as fake:
        connect(fake.connection())
        assert execute(tmp_path)["history"]["rows"] == 0
    assert pq.read_schema(tmp_path / "history.parquet").equals(schema("history"))


def test_an_object_store_keeps_a_history(connect: Connect, bucket: MemoryFileSystem) -> None:
    listings = [[configuration(1)], [], [configuration(1)]]
    for items in listings:
        with Fake(paged(items)) as fake:
            connect(fake.connection())
            written = execute("memory://lake", history_path="memory://lake/history/{conn_id}-{channel}.parquet")
    path = "/lake/history/liveperson_outbound_default-all.parquet"
    assert written["history"] == {"path": str(ObjectStoragePath(f"memory:/{path}")), "rows": 2}
    table = pq.read_table(path, filesystem=bucket)
    assert table["is_current"].to_pylist() == [False, True]
    assert bucket.find("/lake/history") == [path]


FOREIGN = pa.table({"key": ["x"], "raw": ["{}"]})


def written_as(table: pa.Table) -> bytes:
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer)
    return buffer.getvalue().to_pybytes()


def with_source(source: str) -> bytes:
    return written_as(EMPTY.replace_schema_metadata({"schema_version": SCHEMA_VERSION, "source": source}))


def forge(column: str, values: Any, kind: pa.DataType) -> pa.Table:
    """Return a history of two configurations with other values in a column."""
    table = keep([configuration(1), configuration(2)])
    number = table.column_names.index(column)
    return table.set_column(number, pa.field(column, kind), pa.array(values, kind))


FORGED = [
    (forge("raw", ["{}", None], pa.string()), "column raw has a null"),
    (forge("raw", ["{}", "[1]"], pa.string()), "something other than configurations"),
    (forge("raw", ["{}", "x"], pa.string()), "Cause: Expecting value"),
    (forge("raw", ["{}", "[" * 10**5], pa.string()), "recursion"),
    (forge("raw", [1, 2], pa.int64()), "something other than configurations"),
    (forge("raw", [["{}"]] * 2, pa.list_(pa.string())), "Cause: "),
    (forge("valid_from", ["x", "y"], pa.string()), "Cause: "),
    (forge("valid_from", [MAY_1, None], pa.timestamp("ms", "UTC")), "column valid_from has a null"),
    (forge("valid_from", [10**17] * 2, pa.timestamp("ms", "UTC")), "Cause: "),
    (forge("valid_to", [None, MAY_1], pa.timestamp("ms", "UTC")), "is_current and valid_to disagree"),
    (forge("key", ["id:id-1", None], pa.string()), "column key has a null"),
    (forge("is_current", [True, None], pa.bool_()), "column is_current has a null"),
]


@pytest.mark.fault("H2")
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is damaged, or not a history: restore it"),
        (b"id,name\n1,spring_sale\n", "is damaged, or not a history: restore it"),
        (written_as(EMPTY)[:-9], "is damaged, or not a history: restore it"),
        (written_as(FOREIGN), "is damaged, or not a history: restore it"),
        (written_as(FOREIGN.replace_schema_metadata({"source": "x"})), "is damaged, or not a history: restore it"),
        (written_as(EMPTY.replace_schema_metadata(None)), "is damaged, or not a history: restore it"),
        *((written_as(forged), f"is damaged, or not a history: .*{cause}") for forged, cause in FORGED),
        (
            with_source("account 1, channel all"),
            "of account 1, channel all, but this export is of account 12345678",
        ),
        (with_source(f"account {ACCOUNT}, channel wa"), "channel wa, but this export is of .* channel all"),
    ],
)
def test_what_is_not_this_listings_history_is_refused_and_kept(
    connect: Connect, tmp_path: Path, content: bytes, words: str
) -> None:
    (tmp_path / "history.parquet").write_bytes(content)
    with Fake(paged([configuration(1)])) as fake:
        connect(fake.connection())
        with pytest.raises(
            AirflowFailException, match=f"history_path leads to '{tmp_path}/history.parquet'.*{words}"
        ):
            execute(tmp_path)
    assert (tmp_path / "history.parquet").read_bytes() == content
    assert [path.name for path in tmp_path.rglob("*")] == ["history.parquet"]  # nor is a table written


@pytest.mark.fault("H2")
def test_a_damaged_page_is_noticed(tmp_path: Path) -> None:
    stored = ObjectStoragePath(f"{tmp_path}/history.parquet")
    export([configuration(number) for number in range(9)], stored, MAY_1)
    content = bytearray((tmp_path / "history.parquet").read_bytes())
    content[pq.read_metadata(stored.path).row_group(0).column(0).data_page_offset - 1] ^= 1  # of the keys
    (tmp_path / "history.parquet").write_bytes(content)
    with pytest.raises(ConfigError, match="is damaged, or not a history: restore it"):
        export([configuration(1)], stored, MAY_1 + DAY)


@pytest.mark.fault("H2")
def test_a_history_with_a_flipped_bit_is_refused_or_read_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "history.parquet"
    export([configuration(number) for number in range(9)], ObjectStoragePath(str(file)), MAY_1)
    content, kept = file.read_bytes(), pq.read_table(file)
    refused = 0
    for place in range(0, len(content), 10):
        file.write_bytes(content[:place] + bytes([content[place] ^ 8]) + content[place + 1 :])
        try:
            assert history.read(file, SOURCE, "h") == kept
        except ConfigError:
            refused += 1
    assert refused > len(content) / 40


@pytest.mark.fault("H1")
@pytest.mark.parametrize("listing", [[Reply(403, b"")], [[configuration(1)], Reply(451, b"")]])
def test_a_failed_export_leaves_the_history(connect: Connect, tmp_path: Path, listing: Any) -> None:
    with Fake(paged([configuration(1)])) as fake:
        connect(fake.connection())
        execute(tmp_path)
    before = version(tmp_path)
    with Fake(listing) as fake:
        connect(fake.connection())
        with pytest.raises(AirflowFailException):
            execute(tmp_path)
    assert version(tmp_path) == before


@pytest.mark.fault("H1")
@pytest.mark.parametrize(
    ("call", "place"),
    [
        ("cat_file", "/history.parquet"),
        ("put_file", "/.history."),
        ("mv", "/history.parquet"),
        ("mv", "/components.parquet"),
    ],
)
def test_storage_that_fails_leaves_the_history_and_the_next_run_catches_up(
    connect: Connect, bucket: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch, call: str, place: str
) -> None:
    works = getattr(MemoryFileSystem, call)

    def fail(self: MemoryFileSystem, *paths: Any, **options: Any) -> Any:
        if any(place in str(path) for path in paths):
            raise ConnectionError("no storage now")
        return works(self, *paths, **options)

    items = [configuration(1)]
    with Fake(lambda hit: paged(items)(hit)) as fake:
        connect(fake.connection())
        execute("memory://lake")
        before = bucket.cat("/lake/history.parquet")
        items[0] = configuration(1, x=1)
        with monkeypatch.context() as patched, pytest.raises(ConnectionError):
            patched.setattr(MemoryFileSystem, call, fail)
            execute("memory://lake")
        assert bucket.cat("/lake/history.parquet") == before
        assert execute("memory://lake")["history"]["rows"] == 2


@pytest.mark.fault("C3")
@pytest.mark.parametrize(("place", "rows"), [("/history.parquet", 1), ("/configurations.parquet", 2)])
def test_a_retry_finds_the_changes_again_whichever_file_could_not_be_moved(
    connect: Connect, bucket: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch, place: str, rows: int
) -> None:
    move = MemoryFileSystem.mv

    def fail(self: MemoryFileSystem, source: str, target: str) -> None:
        if target.endswith(place):
            raise ConnectionError("no storage now")
        move(self, source, target)

    items = [configuration(1)]
    paths = {"output_path": "memory://lake", "compare_with": "memory://lake"}
    with Fake(lambda hit: paged(items)(hit)) as fake:
        connect(fake.connection())
        execute("memory://lake", **paths)
        items[0] = configuration(1, x=1)
        with monkeypatch.context() as patched, pytest.raises(ConnectionError):
            patched.setattr(MemoryFileSystem, "mv", fail)
            execute("memory://lake", **paths)
        assert pq.read_table("/lake/history.parquet", filesystem=bucket).num_rows == rows
        written = execute("memory://lake", **paths)
    assert (written["changes"]["updated"], written["history"]["rows"]) == (1, 2)
    assert len(bucket.find("/lake")) == 4


@pytest.mark.fault("H2")
def test_a_file_in_the_place_of_a_folder_fails_the_task(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with Fake(paged([configuration(1)])) as fake:
        connect(fake.connection())
        with pytest.raises(AirflowFailException, match="history_path leads to .*, below a file: choose another"):
            execute(tmp_path, history_path=f"{tmp_path}/file/history.parquet")
    assert not fake.hits
    assert [path.name for path in tmp_path.rglob("*")] == ["file"]


@pytest.mark.fault("H3")
def test_an_export_behind_the_history_is_left_to_airflows_retries(connect: Connect, tmp_path: Path) -> None:
    later = datetime.now(timezone.utc) + DAY
    export([configuration(1)], ObjectStoragePath(f"{tmp_path}/history.parquet"), later)
    before = version(tmp_path)
    with Fake(paged([configuration(1, x=1)])) as fake:
        connect(fake.connection())
        with pytest.raises(HistoryAhead):
            execute(tmp_path)
    assert version(tmp_path) == before
    assert [path.name for path in tmp_path.rglob("*")] == ["history.parquet"]


def test_a_history_of_another_release_gets_the_columns_of_this_one(tmp_path: Path) -> None:
    table = keep([configuration(1), configuration(2)], [configuration(1, x=1)])
    older = table.drop_columns(["languages", "name"]).append_column("old", pa.array([1, 2, 3]))
    source = EMPTY.schema.metadata[b"source"]
    pq.write_table(
        older.replace_schema_metadata({"schema_version": "0", "source": source}), tmp_path / "history.parquet"
    )
    assert history.read(tmp_path / "history.parquet", SOURCE, "h").equals(table, check_metadata=True)
    stored = ObjectStoragePath(f"{tmp_path}/history.parquet")
    assert export([configuration(1, x=2)], stored, MAY_1 + 5 * DAY) == (4, True)
    assert pq.read_schema(tmp_path / "history.parquet").metadata[b"schema_version"] == SCHEMA_VERSION.encode()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (" ", "history_path is blank: name a path"),
        ("{tmp}/history", r"history_path is .*: name a file that ends in .parquet"),
        ("{tmp}/{table}.parquet", r"history_path has \{table\}: use only \{channel\} and \{conn_id\}"),
        ("{tmp}/{table}/h.parquet", r"history_path has \{table\}: use only \{channel\} and \{conn_id\}"),
        ("nowhere://x/history.parquet", r"history_path 'nowhere://x' can't be used"),
        ("memory://lake/a*/history.parquet", r"history_path leads to .*: remove \*"),
        ("{tmp}", "history_path is"),
        ("{tmp}/components/components.parquet", "history_path leads to the file of a table"),
        ("{tmp}/x/../components/components.parquet", "history_path leads to the file of a table"),
        ("file://{tmp}/components/components.parquet", "history_path leads to the file of a table"),
        ("{tmp}/link/components/components.parquet", "history_path leads to the file of a table"),
        ("{tmp}/folder.parquet", "history_path leads to .*, which is a folder"),
    ],
)
@pytest.mark.usefixtures("bucket")
def test_a_path_that_cannot_be_used_is_refused(connect: Connect, tmp_path: Path, path: str, words: str) -> None:
    (tmp_path / "folder.parquet").mkdir()
    (tmp_path / "link").symlink_to(tmp_path)
    with Fake() as fake:
        connect(fake.connection())
        with pytest.raises(AirflowFailException, match=words):
            execute(tmp_path, history_path=path.replace("{tmp}", str(tmp_path)))
    assert not fake.hits


def test_a_history_needs_an_output_path(connect: Connect, tmp_path: Path) -> None:
    with Fake() as fake:
        connect(fake.connection())
        with pytest.raises(AirflowFailException, match="history_path needs output_path: set both"):
            execute(tmp_path, output_path=None)
    assert not fake.hits


def test_a_path_object_and_a_bare_name_will_do(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    operator = OutboundConfigurationsOperator(
        task_id="x", output_path="x", history_path=tmp_path / "{{ ds }}.parquet"
    )
    operator.render_template_fields({"ds": "2026-11-22"})
    with Fake(paged([configuration(1)])) as fake:
        connect(fake.connection())
        operator.execute({})
        execute(tmp_path, history_path="bare.parquet")
    assert (tmp_path / "2026-11-22.parquet").is_file()
    assert (tmp_path / "bare.parquet").is_file()
