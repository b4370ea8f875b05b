"""Where an export's files go."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from airflow_provider_outbound.client.account import check_path_segment
from airflow_provider_outbound.errors import ConfigError, printable
from airflow_provider_outbound.tables.schemas import TABLES

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath


def files(
    path: str,
    channels: list[str] | None,
    conn_id: str,
    tables: Iterable[str] = TABLES,
    *,
    parameter: str = "output_path",
) -> dict[str, ObjectStoragePath]:
    """Return the path of each table's file.

    :param path: a folder or URL; it may contain ``{table}``, ``{channel}`` and ``{conn_id}``.
    :param channels: the channels to export; None for all.
    :param conn_id: the Connection.
    :param tables: the names of the tables.
    :param parameter: the name of the parameter, for errors.
    :raises ConfigError: for a path that can't be used.
    """
    common = fill(path, channels, conn_id, parameter)
    allowed = "{table}, {channel} and {conn_id}"
    return {
        table: locate(common.replace("{table}", table), f"{table}.parquet", parameter, allowed) for table in tables
    }


def earlier_file(path: str, channels: list[str] | None, conn_id: str, parameter: str) -> ObjectStoragePath:
    """Return the path of an earlier export's ``configurations.parquet``.

    :param path: its folder or URL; it may contain what :func:`files` accepts.
    :param channels: the channels to export now; None for all.
    :param conn_id: the Connection.
    :param parameter: the name of the parameter, for errors.
    :raises ConfigError: for a path that can't be used.
    """
    if path.endswith(".parquet"):
        raise ConfigError(f"{parameter} is {printable(repr(path))}: name the folder, not the file")
    return files(path, channels, conn_id, ["configurations"], parameter=parameter)["configurations"]


def history_file(path: str, channels: list[str] | None, conn_id: str) -> ObjectStoragePath:
    """Return the path of a history.

    :param path: a path or URL that ends in ``.parquet``; it may contain ``{channel}`` and ``{conn_id}``.
    :param channels: the channels to export; None for all.
    :param conn_id: the Connection.
    :raises ConfigError: for a path that can't be used.
    """
    folder, separator, name = fill(path, channels, conn_id, "history_path").rpartition("/")
    if not name.endswith(".parquet"):
        shown = printable(repr(path))
        raise ConfigError(
            f"history_path is {shown}: name a file that ends in .parquet, such as {{channel}}.parquet"
        )
    return locate(folder if separator else ".", name, "history_path", "{channel} and {conn_id}")


def fill(path: str, channels: list[str] | None, conn_id: str, parameter: str) -> str:
    """Return a path with ``{channel}``, ``{conn_id}`` and ``~`` filled in.

    :param path: a path or URL.
    :param channels: the channels to export; None for all.
    :param conn_id: the Connection.
    :param parameter: the name of the parameter, for errors.
    :raises ConfigError: for a path that can't be used.
    """
    if not path.strip():
        raise ConfigError(f"{parameter} is blank: name a path")
    if "\0" in path:
        raise ConfigError(f"{parameter} has a NUL character: remove it")
    if "{conn_id}" in path and re.search(r"[/\\*?\[\]{}]|^\.*$", conn_id):
        raise ConfigError(f"outbound_conn_id {printable(repr(conn_id))} can't be part of {parameter}: rename it")
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
    from airflow.sdk import ObjectStoragePath

    if unknown := re.search(r"\{[^{}/]*\}", f"{folder}/{name}"):
        raise ConfigError(f"{parameter} has {printable(unknown[0], 60)}: use only {allowed}")
    try:
        path = ObjectStoragePath(f"{folder.rstrip('/')}/{name}")
        path.fs  # noqa: B018 - fails if the storage is unknown
    except (TypeError, ValueError, ImportError) as error:
        shown = printable(repr(folder))
        raise ConfigError(f"{parameter} {shown} can't be used: {printable(error)}") from error
    return path
