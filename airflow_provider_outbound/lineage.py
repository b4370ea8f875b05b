"""The name of an account's configurations in assets, hook lineage and OpenLineage.

``provider.json`` lists the functions that Airflow calls. Airflow imports this module when a process makes its
first asset.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult

from airflow_provider_outbound.tables.schemas import schema

if TYPE_CHECKING:
    from airflow.providers.common.compat.openlineage.facet import Dataset, DatasetFacet, OutputDataset
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.sdk import Asset, BaseHook

SCHEME = "liveperson-outbound"

#: fsspec has several names for some schemes. Airflow's assets and OpenLineage's naming page use these:
#: https://openlineage.io/docs/spec/naming.
SCHEMES = {"gcs": "gs", "local": "file", "s3a": "s3"}
AZURE = ("abfs", "abfss", "adl")


def account_uri(account_id: str) -> str:
    """Return the URI of an account's configurations.

    :param account_id: LivePerson's account (site) id.
    """
    return f"{SCHEME}://{account_id}/configurations"


def file_uri(path: str) -> str:
    """Return the URI of a file, without the Connection id that Airflow's object storage puts before its bucket.

    :param path: a path on this machine, or a URL.
    """
    scheme, found, rest = path.partition("://")
    if not found:
        # In a URI, ? and # end the path.
        return "file://" + os.path.abspath(path).replace("?", "%3F").replace("#", "%23")
    host, _, key = rest.partition("/")
    return f"{SCHEMES.get(scheme, scheme)}://{host.rpartition('@')[2]}/{key}"


def create_asset(*, account_id: str, extra: dict[str, Any] | None = None) -> Asset:
    """Return the asset of an account's configurations.

    :param account_id: LivePerson's account (site) id.
    :param extra: the asset's ``extra``.
    """
    from airflow.sdk import Asset

    return Asset(uri=account_uri(account_id), extra=extra)


def sanitize_uri(uri: SplitResult) -> SplitResult:
    """Return an asset's URI unchanged, after checking it.

    :param uri: the URI's parts.
    :raises ValueError: for a URI without a host or a path, or with user info or a port.
    """
    # The URI is not shown, because it may hold a password.
    if not uri.netloc or uri.path in ("", "/") or set(uri.netloc) & set("@:"):
        raise ValueError(
            f"An asset's URI must be {SCHEME}://<account>/configurations, without user, password or port"
        )
    return uri


def convert_asset_to_openlineage(asset: Asset, lineage_context: object) -> Dataset:
    """Return an asset of this scheme as OpenLineage names it.

    :param asset: the asset.
    :param lineage_context: the hook that reported it; not needed.
    """
    from airflow.providers.common.compat.openlineage.facet import Dataset

    namespace, name = _openlineage_name(asset.uri)
    return Dataset(namespace=namespace, name=name)


def report_input(hook: BaseHook, account_id: str) -> None:
    """Tell Airflow's hook lineage that a hook reads an account's configurations.

    :param hook: the hook that reads them.
    :param account_id: LivePerson's account (site) id.
    """
    from airflow.providers.common.compat.lineage.hook import get_hook_lineage_collector

    get_hook_lineage_collector().add_input_asset(context=hook, uri=account_uri(account_id))


def report_output(hook: BaseHook, path: str) -> None:
    """Tell Airflow's hook lineage that a file was written.

    :param hook: the hook that read the file's rows.
    :param path: where the file is.
    """
    from airflow.providers.common.compat.lineage.hook import get_hook_lineage_collector

    with suppress(ValueError):  # an asset's name has at most 1,500 characters; a task must not fail for that
        get_hook_lineage_collector().add_output_asset(context=hook, uri=file_uri(path))


def event_extra(exported: Mapping[str, Any], uri: str) -> dict[str, Any]:
    """Return an asset event's ``extra`` for an export: the account, and the asset's file or else all files.

    :param exported: the operator's XCom.
    :param uri: the asset's URI.
    """
    tables = {name: table for name, table in exported.items() if name != "account_id"}
    own = {name: table for name, table in tables.items() if file_uri(table["path"]) == file_uri(uri)}
    return {"account_id": exported["account_id"], **(own or tables)}


def operator_lineage(account_id: str, files: Mapping[str, Mapping[str, Any]]) -> OperatorLineage[Any, Any]:
    """Return what a task read and wrote, for OpenLineage.

    :param account_id: the account whose configurations were read; empty if none were.
    :param files: the files that were written: :func:`.tables.parquet.put`'s result.
    """
    from airflow.providers.common.compat.openlineage.facet import Dataset
    from airflow.providers.openlineage.extractors import OperatorLineage

    read = [Dataset(*_openlineage_name(account_uri(account_id)))] if account_id else []
    return OperatorLineage(inputs=read, outputs=[_output(name, file) for name, file in files.items()])


def _output(table: str, file: Mapping[str, Any]) -> OutputDataset:
    from airflow.providers.common.compat.openlineage.facet import (
        OutputDataset,
        OutputStatisticsOutputDatasetFacet,
        SchemaDatasetFacet,
        SchemaDatasetFacetFields,
    )

    namespace, name = _openlineage_file(file["path"])
    rows = file.get("rows")
    facets: dict[str, DatasetFacet] = {}
    if rows is not None:  # a catalogue is no table
        columns = [SchemaDatasetFacetFields(name=column.name, type=str(column.type)) for column in schema(table)]
        facets["schema"] = SchemaDatasetFacet(fields=columns)
    statistics = OutputStatisticsOutputDatasetFacet(rowCount=rows, size=file["bytes"])
    return OutputDataset(
        namespace=namespace, name=name, facets=facets, outputFacets={"outputStatistics": statistics}
    )


def _openlineage_file(path: str) -> tuple[str, str]:
    """Return a file's namespace and name; Azure's namespaces have the storage account, which the path has not."""
    from airflow.sdk import ObjectStoragePath

    namespace, name = _openlineage_name(file_uri(path))
    scheme, _, container = namespace.partition("://")
    if scheme in AZURE:
        account = ObjectStoragePath(path).fs.service_client.account_name
        namespace = f"abfss://{container}@{account}.dfs.core.windows.net"
    return namespace, name


def _openlineage_name(uri: str) -> tuple[str, str]:
    """Return a URI's namespace and name; a local file's name is its whole path."""
    scheme, _, rest = uri.partition("://")
    host, _, path = rest.partition("/")
    return ("file", f"/{path}") if scheme == "file" else (f"{scheme}://{host}", path)
