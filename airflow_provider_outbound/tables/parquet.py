"""The tables as Parquet files, each whole or not at all.

Importing this module does not load pyarrow; using it does.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from airflow_provider_outbound.errors import ConfigError, printable
from airflow_provider_outbound.tables.build import Part
from airflow_provider_outbound.tables.schemas import schema

if TYPE_CHECKING:
    import pyarrow as pa
    from airflow.sdk import ObjectStoragePath

_LOCAL = ("", "file", "local")  # the protocols of paths on this machine


def write(parts: Iterable[Part], files: Mapping[str, ObjectStoragePath]) -> dict[str, dict[str, Any]]:
    """Write tables as Parquet files: a reader sees the old file or the new one, whole.

    They are made in a temporary folder on this machine. Storage changes only when they are complete.

    :param parts: the tables, part by part; at least one part.
    :param files: where each table goes; its folder is made if it is missing.
    :returns: ``{"path": str, "rows": int, "bytes": int}`` for each table.
    :raises ConfigError: if a file can't be replaced safely, because a folder is in its place or storage would
        read its path as a pattern.
    """
    import pyarrow.parquet as pq

    for path in files.values():
        _check(path)
    # Readers of a folder skip names that begin with a dot.
    unfinished = {name: path.parent / f".{name}.{uuid.uuid4().hex}" for name, path in files.items()}
    try:
        with TemporaryDirectory(prefix="outbound-") as folder:
            made = _make(parts, files, folder)
            rows = {name: pq.read_metadata(file).num_rows for name, file in made.items()}
            sizes = {name: os.path.getsize(file) for name, file in made.items()}
            for name, path in unfinished.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.fs.put_file(made[name], path.path)
        for name, path in files.items():
            path.fs.mv(unfinished[name].path, path.path)
            del unfinished[name]
    finally:
        for path in unfinished.values():
            path.unlink(missing_ok=True)
    return {name: {"path": str(path), "rows": rows[name], "bytes": sizes[name]} for name, path in files.items()}


def read_back(parts: Iterable[Part], names: Collection[str]) -> Iterator[dict[str, pa.Table]]:
    """Yield tables part by part from a temporary folder, once all are made."""
    import pyarrow.parquet as pq

    with TemporaryDirectory(prefix="outbound-") as folder:
        files = {name: pq.ParquetFile(file) for name, file in _make(parts, names, folder).items()}
        for group in range(min(file.num_row_groups for file in files.values())):
            yield {name: file.read_row_group(group).cast(schema(name)) for name, file in files.items()}


def _make(parts: Iterable[Part], names: Iterable[str], folder: str) -> dict[str, str]:
    """Write each table to a file in a folder on this machine, a row group for each part; return the files."""
    import pyarrow.parquet as pq

    files = {name: f"{folder}/{name}.parquet" for name in names}
    with ExitStack() as opened:
        for offset, tables in parts:
            if offset == 0:
                opened.close()  # the listing begins again, and so do the files
                writers = {name: pq.ParquetWriter(file, schema(name)) for name, file in files.items()}
                for writer in writers.values():
                    opened.enter_context(writer)
            for name, writer in writers.items():
                writer.write_table(tables[name], row_group_size=max(tables[name].num_rows, 1))
    return files


def _check(path: ObjectStoragePath) -> None:
    shown = printable(repr(str(path)))
    # On other than local storage, fsspec's mv and rm read their paths as patterns, which may match other files.
    if path.protocol not in _LOCAL and set(path.path) & set("*?[]"):
        raise ConfigError(f"output_path leads to {shown}: remove *, ?, [ and ] from it")
    if path.fs.isdir(path.path):  # mv would put the file into it
        raise ConfigError(f"output_path leads to {shown}, which is a folder: remove it or choose another path")
