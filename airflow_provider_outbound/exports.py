"""Where an export's files go, and the file of its catalogue."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_outbound.catalogue.entries import Snapshot
from airflow_provider_outbound.client.account import check_path_segment, host_of
from airflow_provider_outbound.errors import ConfigError, printable
from airflow_provider_outbound.tables.earlier import Export
from airflow_provider_outbound.tables.parquet import LOCAL, file_in
from airflow_provider_outbound.tables.schemas import TABLES

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath


def files(
    path: object,
    channels: list[str] | None,
    conn_id: str,
    tables: Iterable[str] = TABLES,
    *,
    parameter: str = "output_path",
) -> dict[str, ObjectStoragePath]:
    """Return the path of the file of each table, and of the catalogue.

    :param path: a folder or URL; it may contain ``{table}``, ``{channel}`` and ``{conn_id}``.
    :param channels: the channels to export; None for all.
    :param conn_id: the Connection.
    :param tables: names of tables, and ``catalogue``.
    :param parameter: the name of the parameter, for errors.
    :raises ConfigError: for a path that can't be used.
    """
    common = fill(path, channels, conn_id, parameter)
    allowed = "{table}, {channel} and {conn_id}"
    names = {table: "catalogue.html" if table == "catalogue" else f"{table}.parquet" for table in tables}
    return {
        table: locate(common.replace("{table}", table), name, parameter, allowed) for table, name in names.items()
    }


def earlier_file(path: object, channels: list[str] | None, conn_id: str, parameter: str) -> ObjectStoragePath:
    """Return the path of an earlier export's ``configurations.parquet``.

    :param path: its folder or URL; it may contain what :func:`files` accepts.
    :param channels: the channels to export now; None for all.
    :param conn_id: the Connection.
    :param parameter: the name of the parameter, for errors.
    :raises ConfigError: for a path that can't be used.
    """
    if str(path).endswith(".parquet"):
        raise ConfigError(f"{parameter} is {printable(repr(str(path)))}: name the folder, not the file")
    return files(path, channels, conn_id, ["configurations"], parameter=parameter)["configurations"]


def single_file(
    path: object, suffix: str, channels: list[str] | None, conn_id: str, parameter: str
) -> ObjectStoragePath:
    """Return the path of a single file: a history, or a catalogue.

    :param path: a path or URL; it may contain ``{channel}`` and ``{conn_id}``.
    :param suffix: what it must end in.
    :param channels: the channels to export; None for all.
    :param conn_id: the Connection.
    :param parameter: the name of the parameter, for errors.
    :raises ConfigError: for a path that can't be used.
    """
    folder, separator, name = fill(path, channels, conn_id, parameter).rpartition("/")
    if not name.endswith(suffix) or name == suffix:
        shown = printable(repr(str(path)))
        raise ConfigError(
            f"{parameter} is {shown}: name a file that ends in {suffix}, such as {{channel}}{suffix}"
        )
    return locate(folder if separator else ".", name, parameter, "{channel} and {conn_id}")


def fill(path: object, channels: list[str] | None, conn_id: str, parameter: str) -> str:
    """Return a path as text, with ``{channel}``, ``{conn_id}`` and ``~`` filled in.

    :param path: a path or URL. A template may have returned anything else.
    :param channels: the channels to export; None for all.
    :param conn_id: the Connection.
    :param parameter: the name of the parameter, for errors.
    :raises ConfigError: for a path that can't be used.
    """
    from airflow.sdk import ObjectStoragePath

    if not isinstance(path, (str, os.PathLike, ObjectStoragePath)):
        raise ConfigError(f"{parameter} is {printable(repr(path), 60)}: it must be text or a path")
    path = str(path)
    if not path.strip():
        raise ConfigError(f"{parameter} is blank: name a path")
    if path.strip() == "None":  # a template that has no value
        raise ConfigError(f"{parameter} is None: check the template that gives it")
    if "\0" in path:
        raise ConfigError(f"{parameter} has a NUL character: remove it")
    # A SAS token or a signature: not shown, nor kept as a part of the path.
    if re.match(r"(?!file:|local:)\w+://.*\?", path):
        raise ConfigError(
            f"{parameter} is a URL with a ?: remove it and what follows. Credentials belong in an Airflow "
            "Connection"
        )
    if "{conn_id}" in path and re.search(r"[/\\*?\[\]{}]|^\.*$", conn_id):
        raise ConfigError(
            f"outbound_conn_id {printable(repr(conn_id))} can't be part of {parameter}: rename the Connection, or "
            "remove {conn_id} from the path"
        )
    wanted = "all" if channels is None else ",".join(check_path_segment("channel", each) for each in channels)
    return os.path.expanduser(path).replace("{channel}", wanted).replace("{conn_id}", conn_id)


def locate(folder: str, name: str, parameter: str, allowed: str) -> ObjectStoragePath:
    """Return the path of a file in storage.

    :param folder: its folder, as :func:`fill` returns it.
    :param name: its name.
    :param parameter: the name of the parameter, for errors.
    :param allowed: the words in braces that the parameter may contain.
    :raises ConfigError: for a path that can't be used.
    """
    from airflow.providers.common.compat.sdk import AirflowNotFoundException
    from airflow.sdk import ObjectStoragePath

    if unknown := re.search(r"\{[^{}/]*\}", f"{folder}/{name}"):
        raise ConfigError(f"{parameter} has {printable(unknown[0], 60)}: use only {allowed}")
    location = f"{folder.rstrip('/')}/{name}"
    try:
        path = ObjectStoragePath(location)
        if str(path) == f"/{os.path.normpath(location)}":  # Airflow 3.1 puts a relative path into the root folder
            path = ObjectStoragePath(os.path.abspath(location))
        path.fs  # noqa: B018 - fails if the storage or the Connection in the URL is unknown
    except (TypeError, ValueError, ImportError, AirflowNotFoundException) as error:
        shown = printable(repr(folder))
        raise ConfigError(f"{parameter} {shown} can't be used: {printable(error)}") from error
    return path


def location(path: ObjectStoragePath) -> str:
    """Return the same text for all ways to write the path of one file on this machine.

    :param path: a path.
    """
    return os.path.realpath(path.path) if path.protocol in LOCAL else str(path)


def write_catalogue(export: Export, before: Export | None, list_url: str | None, folder: Path) -> None:
    """Make ``catalogue.html`` beside an export's other files.

    :param export: the export to show.
    :param before: an earlier one of the same account and channels; the page then shows what changed.
    :param list_url: base URL of the host that the export was read from; None if unknown.
    :param folder: a folder for :func:`.parquet.put`.
    """
    from airflow_provider_outbound.catalogue.render import render  # every DAG file would wait for it

    now, then = _snapshot(export, list_url), _snapshot(before, None) if before else None
    file_in(folder, "catalogue", ".html").write_text(render(now, then).html, "utf-8")


def _snapshot(export: Export, list_url: str | None) -> Snapshot:
    return Snapshot(
        list(export.raws()), export.account_id, host_of(list_url) if list_url else None, export.fetched_at
    )
