"""Where an export's files go."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from airflow_provider_outbound.client.account import check_path_segment
from airflow_provider_outbound.errors import ConfigError, printable
from airflow_provider_outbound.tables.schemas import TABLES

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath


def files(output_path: str, channels: list[str] | None, conn_id: str) -> dict[str, ObjectStoragePath]:
    """Return the path of each table's file.

    :param output_path: a folder or URL; it may contain ``{table}``, ``{channel}`` and ``{conn_id}``.
    :param channels: the channels to export; None for all.
    :param conn_id: the Connection.
    :raises ConfigError: for a path that can't be used.
    """
    from airflow.sdk import ObjectStoragePath

    if not output_path.strip():
        raise ConfigError("output_path is blank: name a folder")
    if "\0" in output_path:
        raise ConfigError("output_path has a NUL character: remove it")
    if "{conn_id}" in output_path and re.search(r"[/\\*?\[\]{}]|^\.*$", conn_id):
        raise ConfigError(f"outbound_conn_id {printable(repr(conn_id))} can't be part of output_path: rename it")
    wanted = "all" if channels is None else ",".join(check_path_segment("channel", each) for each in channels)
    common = os.path.expanduser(output_path).replace("{channel}", wanted).replace("{conn_id}", conn_id)
    paths = {}
    for table in TABLES:
        folder = common.replace("{table}", table)
        if unknown := re.search(r"\{[^{}/]*\}", folder):
            shown = printable(unknown[0], 60)
            raise ConfigError(f"output_path has {shown}: use only {{table}}, {{channel}} and {{conn_id}}")
        try:
            paths[table] = ObjectStoragePath(f"{folder.rstrip('/')}/{table}.parquet")
            paths[table].fs  # noqa: B018 - fails if the storage is unknown
        except (TypeError, ValueError, ImportError) as error:
            shown = printable(repr(folder))
            raise ConfigError(f"output_path {shown} can't be used: {printable(error)}") from error
    return paths
