"""The Parquet files: every row, and the old file or the new one, whole."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from airflow.sdk import ObjectStoragePath
from airflow.sdk.io import attach
from fsspec.implementations.memory import MemoryFileSystem

from airflow_provider_outbound import parquet
from airflow_provider_outbound.errors import ConfigError
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


def test_S2_failed_write_leaves_the_old_files(tmp_path: Path) -> None:
    old = Built(configuration(1))
    parquet.write([old.tables], tmp_path)
    # The second part can't be written, so neither file may change.
    parts = [Built(configuration(2)).tables, {"configurations": old.configurations, "components": None}]
    with pytest.raises(AttributeError):
        parquet.write(parts, tmp_path)
    assert pq.read_table(tmp_path / "configurations.parquet") == old.configurations
    assert pq.read_table(tmp_path / "components.parquet") == old.components
    assert len(list(tmp_path.iterdir())) == 2


def test_folder_that_no_storage_knows() -> None:
    with pytest.raises(ConfigError, match=r"output_path 'nowhere://x/y' can't be used"):
        parquet.write([Built().tables], "nowhere://x/y")
