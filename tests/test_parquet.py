"""The Parquet files: every row, and the old file or the new one, whole."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from airflow.sdk import ObjectStoragePath
from airflow.sdk.io import attach
from fsspec.implementations.memory import MemoryFileSystem

from airflow_provider_outbound.errors import ConfigError
from airflow_provider_outbound.tables import parquet
from airflow_provider_outbound.tables.build import Part
from airflow_provider_outbound.tables.schemas import TABLES, schema
from tests.fake import configuration
from tests.listed import Built


def files(folder: object) -> dict[str, ObjectStoragePath]:
    """Return where the tables go if both are in one folder."""
    return {name: ObjectStoragePath(f"{folder}/{name}.parquet") for name in TABLES}


def test_written_files_read_back_equal(tmp_path: Path) -> None:
    built = Built(*[configuration(number) for number in range(10)])
    written = parquet.write([built.part], files(tmp_path / "a" / "b"))
    paths = {name: tmp_path / "a" / "b" / f"{name}.parquet" for name in TABLES}
    assert written == {
        name: {"path": str(path), "rows": 10, "bytes": path.stat().st_size} for name, path in paths.items()
    }
    assert pq.read_table(written["configurations"]["path"]) == built.configurations
    assert pq.read_table(written["components"]["path"]) == built.components
    assert sorted(path.name for path in (tmp_path / "a/b").iterdir()) == [
        "components.parquet",
        "configurations.parquet",
    ]


def test_any_object_storage_will_do(bucket: MemoryFileSystem) -> None:
    built = Built(configuration(1))
    written = parquet.write([built.part], files("memory://bucket/outbound/date=2026-11-22"))
    path = "/bucket/outbound/date=2026-11-22/components.parquet"
    assert written["components"] == {
        "path": str(ObjectStoragePath(f"memory:/{path}")),
        "rows": 1,
        "bytes": bucket.size(path),
    }
    assert pq.read_table(path, filesystem=bucket, partitioning=None) == built.components
    assert [name.rpartition("/")[2] for name in bucket.find("/bucket")] == [
        "components.parquet",
        "configurations.parquet",
    ]


class Objects(MemoryFileSystem):
    """An object store in memory, which refuses what belongs to folders."""

    def put_file(self, file: str, path: str, **_: Any) -> None:
        if path.startswith("laek"):
            raise FileNotFoundError("NoSuchBucket")
        if path.startswith("readonly"):
            raise PermissionError("Access Denied")
        self.pipe_file(path, Path(file).read_bytes())

    def isdir(self, path: str) -> bool:
        if path.startswith("hidden"):
            raise PermissionError("Access Denied")
        return super().isdir(path)

    def mkdir(self, *_: Any, **__: Any) -> None:
        pytest.fail("there are no folders")

    def mv(self, *_: Any, **__: Any) -> None:
        pytest.fail("an object is uploaded in place")


@pytest.fixture
def objects(bucket: MemoryFileSystem) -> MemoryFileSystem:
    """Return the store of ``gcs://``, without anything in it; its files are those of ``bucket``."""
    attach("gcs", fs=Objects())
    return bucket


def test_an_object_is_uploaded_in_place(objects: MemoryFileSystem) -> None:
    for number in (1, 2):
        parquet.write([Built(configuration(number)).part], files("gcs://lake/outbound"))
    assert [path.rpartition("/")[2] for path in objects.find("/lake")] == [
        "components.parquet",
        "configurations.parquet",
    ]
    assert pq.read_table("/lake/outbound/configurations.parquet", filesystem=objects)["name"].to_pylist() == ["n2"]


def test_a_bucket_that_does_not_exist_is_refused(objects: MemoryFileSystem) -> None:
    words = r"gcs:/+laek/components.parquet can't be written, because its bucket does not exist: make it"
    with pytest.raises(ConfigError, match=words):
        parquet.write([Built(configuration(1)).part], files("gcs://laek"))


@pytest.mark.parametrize(("bucket_name", "file"), [("readonly", "components"), ("hidden", "configurations")])
@pytest.mark.usefixtures("objects")
def test_a_bucket_that_denies_access_is_named(bucket_name: str, file: str) -> None:
    words = rf"gcs:/+{bucket_name}/{file}.parquet can't be written: Access Denied. Give the worker"
    with pytest.raises(ConfigError, match=words):
        parquet.write([Built(configuration(1)).part], files(f"gcs://{bucket_name}"))


@pytest.mark.fault("S2")
def test_failed_write_leaves_the_old_files(tmp_path: Path) -> None:
    old = Built(configuration(1))
    parquet.write([old.part], files(tmp_path))
    # The second part can't be written, so neither file may change.
    parts = [Built(configuration(2)).part, Part(1, {"configurations": old.configurations, "components": None})]
    with pytest.raises(AttributeError):
        parquet.write(parts, files(tmp_path))
    assert pq.read_table(tmp_path / "configurations.parquet") == old.configurations
    assert pq.read_table(tmp_path / "components.parquet") == old.components
    assert len(list(tmp_path.iterdir())) == 2


WRITE = """
import resource, sys
from airflow.sdk import ObjectStoragePath
from airflow.sdk.io import attach
from airflow_provider_outbound.tables import parquet
from airflow_provider_outbound.tables.schemas import TABLES
from tests.fake import configuration
from tests.listed import Built

def wait():
    print("written", flush=True)
    sys.stdin.readline()

def parts():
    for number in range(3):
        yield Built(*[configuration(number) for number in range(5000)]).part._replace(offset=5000 * number)
        wait()

{first}
files = {{name: ObjectStoragePath({folder!r}) / f"{{name}}.parquet" for name in TABLES}}
parquet.write(parts(), files)
"""


def start(folder: Path, first: str = "") -> subprocess.Popen[str]:
    """Start to write large tables part by part, in a process of its own that waits for a line after each part."""
    code = WRITE.format(folder=str(folder), first=first)
    temporary = folder.with_name(f"{folder.name}-temporary")  # what a killed process leaves goes with the test's
    temporary.mkdir()
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    environment = {**os.environ, "TMPDIR": str(temporary)}
    return subprocess.Popen([sys.executable, "-c", code], text=True, env=environment, **pipes)


def contents(folder: Path) -> list[tuple[int, str]]:
    """Return, of each table as a reader of the folder gets it, the number of rows and the name in all of them."""
    read = []
    for table in TABLES:
        with (folder / f"{table}.parquet").open("rb") as file:  # given a path, pyarrow opens it twice
            read.append(pq.read_table(file))
    names = [table[column].unique().to_pylist() for table, column in zip(read, NAMES, strict=True)]
    assert all(len(each) == 1 for each in names)
    return [(table.num_rows, each[0]) for table, each in zip(read, names, strict=True)]


NAMES = ("name", "configuration_name")


@pytest.mark.fault("S2")
def test_killed_before_the_tables_are_complete(tmp_path: Path) -> None:
    parquet.write([Built(configuration(7)).part], files(tmp_path))
    with start(tmp_path) as writer:
        assert writer.stdout
        writer.stdout.readline()
        writer.kill()
    assert contents(tmp_path) == [(1, "n7"), (1, "n7")]
    assert len(list(tmp_path.iterdir())) == 2


COPY_SLOWLY = """
from fsspec.implementations.local import LocalFileSystem
copy = LocalFileSystem.put_file
LocalFileSystem.put_file = lambda self, *files: (copy(self, *files), wait())
"""


@pytest.mark.fault("S2")
def test_killed_between_the_two_files(tmp_path: Path) -> None:
    parquet.write([Built(configuration(7)).part], files(tmp_path))
    with start(tmp_path, COPY_SLOWLY) as writer:
        assert writer.stdin
        assert writer.stdout
        writer.stdin.write("\n\n\n")
        writer.stdin.flush()
        for _ in range(4):
            writer.stdout.readline()
        writer.kill()
    assert contents(tmp_path) == [(1, "n7"), (1, "n7")]
    left = {path.name for path in tmp_path.iterdir()} - {f"{name}.parquet" for name in TABLES}
    assert len(left) == 1
    assert all(name.startswith(".") for name in left)  # readers of the folder pass over these
    assert ds.dataset(tmp_path, format="parquet", exclude_invalid_files=False).count_rows() == 2
    parquet.write([Built(configuration(8)).part], files(tmp_path))
    assert contents(tmp_path) == [(1, "n8"), (1, "n8")]


@pytest.mark.fault("P3")
def test_a_listing_that_begins_again_discards_the_parts_before(tmp_path: Path) -> None:
    first, later, again = (Built(configuration(number)).part for number in (1, 2, 3))
    parts = [first, later._replace(offset=1), again, later._replace(offset=1)]
    parquet.write(parts, files(tmp_path))
    names = pq.read_table(tmp_path / "configurations.parquet")["name"].to_pylist()
    assert names == ["n3", "n2"]
    assert pq.read_table(tmp_path / "components.parquet")["configuration_name"].to_pylist() == names
    back = list(parquet.read_back(parts, TABLES))
    assert back == [again.tables, later.tables]
    assert [table.schema for table in back[0].values()] == [schema(name) for name in TABLES]


@pytest.mark.fault("S2")
def test_disk_full(tmp_path: Path) -> None:
    parquet.write([Built(configuration(7)).part], files(tmp_path))
    with start(tmp_path, "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))") as writer:
        _, error = writer.communicate("\n\n\n")
    assert "OSError: [Errno 27]" in error.splitlines()[-1]
    assert contents(tmp_path) == [(1, "n7"), (1, "n7")]
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.fault("S2")
def test_two_writers_and_a_reader(tmp_path: Path) -> None:
    """Each file is at any time one writer's, whole, whoever else is in the middle of writing."""

    def parts(count: int, name: str) -> Iterator[Any]:
        for offset in range(0, 3 * count, count):
            part = Built(*[configuration(number, name=name) for number in range(count)]).part
            yield part._replace(offset=offset)
            if (tmp_path / "configurations.parquet").exists():
                contents(tmp_path)

    def write(count: int, name: str) -> None:
        for _ in range(10):
            parquet.write(parts(count, name), files(tmp_path))

    with ThreadPoolExecutor() as threads:
        for done in [threads.submit(write, 100, "one"), threads.submit(write, 200, "other")]:
            done.result()
    assert {found in [(300, "one"), (600, "other")] for found in contents(tmp_path)} == {True}
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.fault("S2")
def test_reader_between_two_parts(tmp_path: Path) -> None:
    parquet.write([Built(configuration(7)).part], files(tmp_path))
    seen = []

    def parts() -> Iterator[Any]:
        for offset in range(2):
            yield Built(configuration(8)).part._replace(offset=offset)
            seen.append(contents(tmp_path))

    parquet.write(parts(), files(tmp_path))
    assert seen == [[(1, "n7"), (1, "n7")]] * 2
    assert contents(tmp_path) == [(2, "n8"), (2, "n8")]


@pytest.mark.fault("F1")
def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "components.parquet").mkdir()
    with pytest.raises(ConfigError, match=r"components.parquet', which is a folder: remove it"):
        parquet.write([Built(configuration(1)).part], files(tmp_path))
    assert [path.name for path in tmp_path.rglob("*")] == ["components.parquet"]


@pytest.mark.fault("F1")
def test_a_folder_in_an_object_store_is_refused(bucket: MemoryFileSystem) -> None:
    bucket.pipe("/bucket/components.parquet/part-0.parquet", b"other's")
    with pytest.raises(ConfigError, match="which is a folder"):
        parquet.write([Built(configuration(1)).part], files("memory://bucket"))
    assert bucket.find("/bucket") == ["/bucket/components.parquet/part-0.parquet"]


@pytest.mark.fault("F2")
@pytest.mark.parametrize("name", ["a*", "a?b", "a?", "[ab]", "x]", "date={2026}[1]"])
def test_patterns_are_refused_in_an_object_store_and_literal_on_disk(
    bucket: MemoryFileSystem, tmp_path: Path, name: str
) -> None:
    bucket.pipe("/bucket/ab/components.parquet", b"other's")
    (tmp_path / "ab").mkdir()
    with pytest.raises(ConfigError, match=r"remove \*, \?, \[ and \]"):
        parquet.write([Built(configuration(1)).part], files(f"memory://bucket/{name}"))
    assert bucket.find("/bucket") == ["/bucket/ab/components.parquet"]
    for url in (f"{tmp_path}/{name}", f"file://{tmp_path}/{name}"):
        parquet.write([Built(configuration(1)).part], files(url))
        assert contents(tmp_path / name) == [(1, "n1"), (1, "n1")]
        assert len(list((tmp_path / name).iterdir())) == 2
    assert list((tmp_path / "ab").iterdir()) == []


def test_each_table_goes_where_it_is_told(tmp_path: Path) -> None:
    built = Built(configuration(1))
    apart = {name: ObjectStoragePath(f"{tmp_path}/{name}/date=2026-11-22/{name}.parquet") for name in TABLES}
    written = parquet.write([built.part], apart)
    assert {name: table["path"] for name, table in written.items()} == {
        name: f"{tmp_path}/{name}/date=2026-11-22/{name}.parquet" for name in TABLES
    }
    for name in TABLES:
        assert ds.dataset(tmp_path / name, partitioning="hive").to_table()["date"].to_pylist() == ["2026-11-22"]
