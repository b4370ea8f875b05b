"""The configurations of an earlier export, read from its file.

Importing this module does not load pyarrow; using it does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_outbound.errors import ConfigError, printable
from airflow_provider_outbound.tables import parquet

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

BATCH = 1000  # rows read at once
_WRONG = "is damaged, or not from an export: restore it, remove it, or name another folder"


@dataclass(frozen=True)
class Export:
    """The file ``configurations.parquet`` of an export, of any release.

    :param file: its copy on this machine.
    :param name: what messages call it.
    :param source: account and channels, as :func:`.parquet.source` writes them; empty if unknown.
    :param account_id: the account; None if unknown.
    :param fetched_at: when its listing was read; None if unknown.
    """

    file: Path
    name: str
    source: str = ""
    account_id: str | None = None
    fetched_at: datetime | None = None

    def raws(self) -> Iterator[bytes]:
        """Yield the JSON of each configuration.

        :raises ConfigError: if the file is not from an export.
        """
        with parquet.reading(self.file, self.name, _WRONG) as opened:
            count = 0
            for batch in opened.iter_batches(BATCH, columns=["raw"]):
                yield from parquet.raws(batch.column(0))
                count += batch.num_rows
            parquet.check_rows(count, opened)


def fetch(stored: ObjectStoragePath, file: Path, parameter: str) -> Export | None:
    """Return an export in storage; None if there is none.

    :param stored: where it is.
    :param file: where to copy it, on this machine.
    :param parameter: the name of the parameter, for errors.
    :raises ConfigError: if the file is not from an export.
    """
    name = f"{parameter} leads to {printable(repr(str(stored)))}, which"
    return read(file, name) if parquet.get(stored, file, name) else None


def read(file: Path, name: str) -> Export:
    """Return the export in a file on this machine.

    :param file: the file.
    :param name: what messages call it.
    :raises ConfigError: if the file is not from an export.
    """
    with parquet.reading(file, name, _WRONG) as opened:
        schema = opened.schema_arrow
        if "raw" not in schema.names:
            raise ValueError("it has no column raw")
        source = (schema.metadata or {}).get(b"source", b"").decode(errors="replace")
        columns = [column for column in ("account_id", "fetched_at") if column in schema.names]
        first: dict[str, Any] = next(
            (batch.to_pylist()[0] for batch in opened.iter_batches(1, columns=columns)), {}
        )
    account_id, fetched_at = first.get("account_id"), first.get("fetched_at")
    return Export(
        file,
        name,
        source,
        account_id if isinstance(account_id, str) else None,
        fetched_at if isinstance(fetched_at, datetime) else None,
    )


def check_same_source(export: Export, account_id: str | None, source: str) -> None:
    """Refuse to compare different accounts or channels: all templates would be removed and created.

    :param export: an export.
    :param account_id: the account of what it is compared with; None if unknown.
    :param source: account and channels of that, see :func:`.parquet.source`; empty if unknown.
    :raises ConfigError: if they are known to have different sources.
    """
    if None not in (export.account_id, account_id) and export.account_id != account_id:
        sources = [f"account {export.account_id}", f"account {account_id}"]
    elif export.source and source and export.source != source:
        sources = [export.source, source]
    else:
        return
    this, that = map(printable, sources)
    raise ConfigError(
        f"{export.name} is of {this}, but is compared with {that}: compare exports of the same account and "
        "channels. In a path, {conn_id} and {channel} keep exports apart"
    )
