"""The tables as Parquet files, whole or not at all.

Importing this module does not load pyarrow; using it does.
"""

from __future__ import annotations

import os
import uuid
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from itertools import chain
from typing import TYPE_CHECKING, Any

from airflow_provider_outbound.errors import ConfigError, printable
from airflow_provider_outbound.tables.schemas import TABLES, schema

if TYPE_CHECKING:
    import pyarrow as pa
    from airflow.sdk import ObjectStoragePath


def write(
    parts: Iterable[dict[str, pa.Table]], folder: str | os.PathLike[str] | ObjectStoragePath
) -> dict[str, Any]:
    """Write both tables into a folder as Parquet: a reader sees the old file or the new one, whole.

    :param parts: of both tables, by name, one at least; the folder is not touched before the first one is there.
    :param folder: local, or any URL that Airflow's object storage takes; made if missing.
    :returns: ``{"configurations": {"path": str, "rows": int}, "components": ...}``.
    :raises ConfigError: if there is no such storage.
    """
    import pyarrow.parquet as pq
    from airflow.sdk import ObjectStoragePath

    if folder == "":
        raise ConfigError("output_path is empty: name a folder")
    try:
        base = folder if isinstance(folder, ObjectStoragePath) else ObjectStoragePath(os.fspath(folder))
        storage = base.fs
    except (TypeError, ValueError, ImportError) as error:
        raise ConfigError(f"output_path {printable(repr(folder))} can't be used: {printable(error)}") from error
    left = iter(parts)
    first = next(left)
    base.mkdir(parents=True, exist_ok=True)
    rows = Counter(dict.fromkeys(TABLES, 0))
    # Readers of a folder pass over names that begin with a dot.
    unfinished = {name: base / f".{name}.{uuid.uuid4().hex}" for name in TABLES}
    try:
        with ExitStack() as files:
            writers = {
                name: files.enter_context(pq.ParquetWriter(path.path, schema(name), filesystem=storage))
                for name, path in unfinished.items()
            }
            for part in chain([first], left):
                for name, writer in writers.items():
                    writer.write_table(part[name])
                    rows[name] += part[name].num_rows
        for name in TABLES:
            storage.mv(unfinished[name].path, (base / f"{name}.parquet").path)
            del unfinished[name]
    finally:
        for path in unfinished.values():
            path.unlink(missing_ok=True)
    return {name: {"path": str(base / f"{name}.parquet"), "rows": rows[name]} for name in TABLES}
