"""The configurations of an earlier export, read from its file.

Importing this module does not load pyarrow; using it does.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_outbound.errors import ConfigError, printable
from airflow_provider_outbound.model.codec import decode

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

BATCH = 1000  # rows read at once


@dataclass(frozen=True)
class Export:
    """The file ``configurations.parquet`` of an export, of any release.

    :param file: its copy on this machine.
    :param name: what messages call it.
    :param source: whose configurations it has, as :func:`.parquet.source` writes it; empty if that is not known.
    :param account_id: the account; None if that is not known.
    :param fetched_at: when its listing was read; None if that is not known.
    """

    file: Path
    name: str
    source: str = ""
    account_id: str | None = None
    fetched_at: datetime | None = None

    def raws(self) -> Iterator[bytes]:
        """Yield the JSON of each configuration.

        :raises ConfigError: for a file that no export has written.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        with _reading(self.name), pq.ParquetFile(self.file) as parquet:
            for batch in parquet.iter_batches(BATCH, columns=["raw"]):
                for raw in batch.column(0).cast(pa.binary()).to_pylist():
                    if raw is None or not isinstance(decode(raw), dict):
                        raise ValueError("its raw column has something else than configurations")
                    yield raw


def fetch(stored: ObjectStoragePath, file: Path, parameter: str) -> Export | None:
    """Return an export that is kept in storage; None if there is none.

    :param stored: where it is.
    :param file: where its copy goes, on this machine.
    :param parameter: what gave its path, for errors.
    :raises ConfigError: for a file that no export has written.
    """
    name = f"{parameter} leads to {printable(repr(str(stored)))}, which"
    try:
        # Not exists() or get_file(): they call a file missing that can't be reached, and changes would be lost.
        with stored.fs.open(stored.path, "rb") as source, file.open("wb") as copy:
            shutil.copyfileobj(source, copy)
    except FileNotFoundError:
        return None
    except (PermissionError, IsADirectoryError, NotADirectoryError) as error:
        raise ConfigError(f"{name} can't be read: {printable(error)}") from error
    return read(file, name)


def read(file: Path, name: str) -> Export:
    """Return the export in a file on this machine.

    :param file: the file.
    :param name: what messages call it.
    :raises ConfigError: for a file that no export has written.
    """
    import pyarrow.parquet as pq

    with _reading(name), pq.ParquetFile(file) as parquet:
        schema = parquet.schema_arrow
        if "raw" not in schema.names:
            raise ValueError("it has no column raw")
        source = (schema.metadata or {}).get(b"source", b"").decode(errors="replace")
        columns = [column for column in ("account_id", "fetched_at") if column in schema.names]
        first: dict[str, Any] = next(
            (batch.to_pylist()[0] for batch in parquet.iter_batches(1, columns=columns)), {}
        )
    account_id, fetched_at = first.get("account_id"), first.get("fetched_at")
    return Export(
        file,
        name,
        source,
        account_id if isinstance(account_id, str) else None,
        fetched_at if isinstance(fetched_at, datetime) else None,
    )


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """Blame the file for what goes wrong while it is read. It is on this machine, so storage has not failed."""
    try:
        yield
    except (ValueError, OSError, NotImplementedError) as error:  # pyarrow's errors are among these
        raise ConfigError(
            f"{name} is damaged, or not from an export: restore it, remove it, or name another folder. "
            f"Cause: {printable(error)}"
        ) from error


def check_same_source(one: Export, other: Export) -> None:
    """Refuse to compare what is of different accounts or channels: all would be removed, and all created.

    :param one: an export.
    :param other: another one.
    :raises ConfigError: if they are known to have different sources.
    """
    accounts = [each.account_id for each in (one, other)]
    if None not in accounts and accounts[0] != accounts[1]:
        sources = [f"account {account}" for account in accounts]
    elif one.source and other.source and one.source != other.source:
        sources = [one.source, other.source]
    else:
        return
    this, that = map(printable, sources)
    raise ConfigError(
        f"{one.name} is of {this}, but what to compare it with is of {that}: compare only what has the same "
        "account and channels. In a path, {conn_id} and {channel} keep exports apart"
    )
