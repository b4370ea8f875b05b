"""The Parquet files: every row, and the old file or the new one, whole."""

from __future__ import annotations

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
from airflow_provider_outbound.tables.schemas import TABLES
from tests.fake import configuration
from tests.test_tables import Built


def test_written_files_read_back_equal(tmp_path: Path) -> None:
    built = Built(*[configuration(number) for number in range(10)])
    written = parquet.write([built.tables], tmp_path / "a" / "b")
    assert written == {
        "configurations": {"path": f"{tmp_path}/a/b/configurations.parquet", "rows": 10},
        "components": {"path": f"{tmp_path}/a/b/components.parquet", "rows": 10},
    }
    assert pq.read_table(written["configurations"]["path"]) == built.configurations
    assert pq.read_table(written["components"]["path"]) == built.components
    assert sorted(path.name for path in (tmp_path / "a/b").iterdir()) == [
        "components.parquet",
        "configurations.parquet",
    ]


def test_any_object_storage_will_do() -> None:
    bucket = MemoryFileSystem()
    attach("memory", fs=bucket)
    built = Built(configuration(1))
    written = parquet.write([built.tables], ObjectStoragePath("memory://bucket/outbound/date=2026-11-22"))
    path = "/bucket/outbound/date=2026-11-22/components.parquet"
    assert written["components"] == {"path": f"memory:/{path}", "rows": 1}
    assert pq.read_table(path, filesystem=bucket) == built.components
    assert [name.rpartition("/")[2] for name in bucket.find("/bucket")] == [
        "components.parquet",
        "configurations.parquet",
    ]


@pytest.mark.fault("S2")
def test_failed_write_leaves_the_old_files(tmp_path: Path) -> None:
    old = Built(configuration(1))
    parquet.write([old.tables], tmp_path)
    # The second part can't be written, so neither file may change.
    parts = [Built(configuration(2)).tables, {"configurations": old.configurations, "components": None}]
    with pytest.raises(AttributeError):
        parquet.write(parts, tmp_path)
    assert pq.read_table(tmp_path / "configurations.parquet") == old.configurations
    assert pq.read_table(tmp_path / "components.parquet") == old.components
    assert len(list(tmp_path.iterdir())) == 2


WRITE = """
import resource, sys
from airflow_provider_outbound.tables import parquet
from tests.fake import configuration
from tests.test_tables import Built

def parts():
    for number in range(3):
        yield Built(*[configuration(number) for number in range(5000)]).tables
        print("written", flush=True)
        sys.stdin.readline()

{first}
parquet.write(parts(), {folder!r})
"""


def start(folder: Path, first: str = "") -> subprocess.Popen[str]:
    """Start to write large tables part by part, in a process of its own that waits for a line after each part."""
    code = WRITE.format(folder=str(folder), first=first)
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", code], text=True, **pipes)


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
def test_killed_while_writing(tmp_path: Path) -> None:
    parquet.write([Built(configuration(7)).tables], tmp_path)
    with start(tmp_path) as writer:
        assert writer.stdout
        writer.stdout.readline()
        writer.kill()
    assert contents(tmp_path) == [(1, "n7"), (1, "n7")]
    left = {path.name for path in tmp_path.iterdir()} - {f"{name}.parquet" for name in TABLES}
    assert len(left) == 2
    assert all(name.startswith(".") for name in left)  # readers of the folder pass over these
    assert ds.dataset(tmp_path, format="parquet", exclude_invalid_files=False).count_rows() == 2
    parquet.write([Built(configuration(8)).tables], tmp_path)
    assert contents(tmp_path) == [(1, "n8"), (1, "n8")]


@pytest.mark.fault("S2")
def test_disk_full(tmp_path: Path) -> None:
    parquet.write([Built(configuration(7)).tables], tmp_path)
    with start(tmp_path, "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))") as writer:
        _, error = writer.communicate("\n\n\n")
    assert "OSError: [Errno 27]" in error.splitlines()[-1]
    assert contents(tmp_path) == [(1, "n7"), (1, "n7")]
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.fault("S2")
def test_two_writers_and_a_reader(tmp_path: Path) -> None:
    """Each file is at any time one writer's, whole, whoever else is in the middle of writing."""

    def parts(count: int, name: str) -> Iterator[Any]:
        for _ in range(3):
            yield Built(*[configuration(number, name=name) for number in range(count)]).tables
            if (tmp_path / "configurations.parquet").exists():
                contents(tmp_path)

    def write(count: int, name: str) -> None:
        for _ in range(10):
            parquet.write(parts(count, name), tmp_path)

    with ThreadPoolExecutor() as threads:
        for done in [threads.submit(write, 100, "one"), threads.submit(write, 200, "other")]:
            done.result()
    assert {found in [(300, "one"), (600, "other")] for found in contents(tmp_path)} == {True}
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.fault("S2")
def test_reader_between_two_parts(tmp_path: Path) -> None:
    parquet.write([Built(configuration(7)).tables], tmp_path)
    seen = []

    def parts() -> Iterator[Any]:
        for _ in range(2):
            yield Built(configuration(8)).tables
            seen.append(contents(tmp_path))

    parquet.write(parts(), tmp_path)
    assert seen == [[(1, "n7"), (1, "n7")]] * 2
    assert contents(tmp_path) == [(2, "n8"), (2, "n8")]


def test_folder_that_no_storage_knows() -> None:
    with pytest.raises(ConfigError, match=r"output_path 'nowhere://x/y' can't be used"):
        parquet.write([Built().tables], "nowhere://x/y")
