"""The tables as Parquet files, each whole or not at all.

Importing this module does not load pyarrow; using it does.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from itertools import chain
from typing import TYPE_CHECKING, Any

from airflow_provider_outbound.errors import ConfigError, printable
from airflow_provider_outbound.tables.schemas import schema

if TYPE_CHECKING:
    import pyarrow as pa
    from airflow.sdk import ObjectStoragePath

_LOCAL = ("", "file", "local")  # the protocols of paths on this machine


def write(
    parts: Iterable[dict[str, pa.Table]], files: Mapping[str, ObjectStoragePath]
) -> dict[str, dict[str, Any]]:
    """Write tables as Parquet files: a reader sees the old file or the new one, whole.

    :param parts: the tables by name, part by part; at least one part. No storage is changed before it is there.
    :param files: where each table goes; its folder is made if it is missing.
    :returns: of each table, ``{"path": str, "rows": int}``.
    :raises ConfigError: if a file cannot be replaced safely, because a folder is in its place or storage would
        read its path as a pattern.
    """
    import pyarrow.parquet as pq

    for path in files.values():
        _check(path)
    left = iter(parts)
    first = next(left)
    rows = Counter(dict.fromkeys(files, 0))
    # Readers of a folder skip names that begin with a dot.
    unfinished = {name: path.parent / f".{name}.{uuid.uuid4().hex}" for name, path in files.items()}
    try:
        with ExitStack() as opened:
            writers = {}
            for name, path in unfinished.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                writer = pq.ParquetWriter(path.path, schema(name), filesystem=path.fs)
                writers[name] = opened.enter_context(writer)
            for part in chain([first], left):
                for name, writer in writers.items():
                    writer.write_table(part[name])
                    rows[name] += part[name].num_rows
        for name, path in files.items():
            path.fs.mv(unfinished[name].path, path.path)
            del unfinished[name]
    finally:
        for path in unfinished.values():
            path.unlink(missing_ok=True)
    return {name: {"path": str(path), "rows": rows[name]} for name, path in files.items()}


def _check(path: ObjectStoragePath) -> None:
    shown = printable(repr(str(path)))
    # On storage other than local, fsspec's mv and rm read their paths as patterns, which may match other files.
    if path.protocol not in _LOCAL and set(path.path) & set("*?[]"):
        raise ConfigError(f"output_path leads to {shown}: remove *, ?, [ and ] from it")
    if path.fs.isdir(path.path):  # into which mv would put the file
        raise ConfigError(f"output_path leads to {shown}, which is a folder: remove it or choose another path")
