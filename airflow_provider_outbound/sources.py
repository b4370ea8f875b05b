"""What a command reads: an earlier export, or the account as it is now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airflow_provider_outbound import exports
from airflow_provider_outbound.errors import ConfigError, printable
from airflow_provider_outbound.shell import ShellHook, reading
from airflow_provider_outbound.tables import parquet
from airflow_provider_outbound.tables.earlier import Export, check_same_source, fetch, read


def stored(called: str, path: str, channels: list[str] | None, conn_id: str, file: Path) -> Export:
    """Return the export in a folder.

    :param called: the argument that names the folder, for errors.
    :param path: the folder or URL; it may contain what :func:`.exports.files` accepts.
    :param channels: the channels of the export; None for all.
    :param conn_id: the Connection.
    :param file: where to copy it, on this machine.
    :raises ConfigError: if there is none, or the file is not from an export.
    """
    place = exports.earlier_file(path, channels, conn_id, called)
    found = fetch(place, file, called)
    if found is None:
        raise ConfigError(
            f"{called} leads to {printable(repr(str(place)))}, which does not exist: name the folder of an export"
        )
    return found


@contextmanager
def live(
    channels: list[str] | None, conn_id: str, before: Export | None = None
) -> Iterator[tuple[Export, ShellHook]]:
    """Yield an export of the account as it is now, and the hook that read it.

    :param channels: the channels to read; None for all.
    :param conn_id: the Connection.
    :param before: an export with which it must be comparable, which is checked before anything is read.
    """
    table = ["configurations"]
    with reading(conn_id) as hook:
        hook.warn_of_unknown(channels)
        account_id = hook.account.account_id
        source = parquet.source(account_id, channels)
        if before:
            check_same_source(before, account_id, source)
        with parquet.make(hook.iter_parts(channels, table), table, source) as folder:
            yield read(parquet.file_in(folder, "configurations"), "The account"), hook
