"""Exports to object storage over HTTP, through Airflow Connections. ``make storage`` runs this.

The stand-ins are moto's server for S3, Azurite for Azure, and gcp-storage-emulator for Google Cloud Storage.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import duckdb
import pandas as pd
import pyarrow.dataset as ds
import pytest
from airflow.sdk import ObjectStoragePath
from airflow.sdk.exceptions import AirflowFailException

from airflow_provider_outbound.approval import describe, remember
from airflow_provider_outbound.operators import OutboundConfigurationsOperator
from airflow_provider_outbound.sandbox import Sandbox
from airflow_provider_outbound.tables import earlier
from tests.system.processes import Processes, free_port

BIN = Path(sys.executable).parent
AZURITE = BIN.parent.parent / "node_modules" / ".bin" / "azurite-blob"
# Azurite's public account and key.
AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@dataclass(frozen=True)
class Store:
    """A stand-in for a cloud's object storage.

    :param scheme: how a path begins.
    :param command: what starts it.
    :param connection: an Airflow Connection.
    :param namespace: OpenLineage's name for the bucket ``lake``.
    """

    scheme: str
    command: list[str]
    connection: dict[str, Any]
    namespace: str

    def bucket(self, name: str = "lake") -> str:
        """Return the URL of a bucket."""
        return f"{self.scheme}://lake_conn@{name}"


def s3(port: int) -> Store:
    return Store(
        "s3",
        [str(BIN / "moto_server"), "--host", "127.0.0.1", "--port", str(port)],
        {
            "conn_type": "aws",
            "login": "key",
            "password": "secret",
            "extra": {"endpoint_url": f"http://127.0.0.1:{port}", "region_name": "us-east-1"},
        },
        "s3://lake",
    )


def azure(port: int) -> Store:
    if not AZURITE.exists():
        pytest.skip(f"{AZURITE} is missing: install npm and run make storage again")
    text = (
        f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={AZURITE_KEY};"
        f"BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1;"
    )
    options = ["--inMemoryPersistence", "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
    return Store(
        "abfs",
        [str(AZURITE), "--blobPort", str(port), *options],
        {"conn_type": "wasb", "extra": {"connection_string": text}},
        "abfss://lake@devstoreaccount1.dfs.core.windows.net",
    )


def google(port: int) -> Store:
    options = ["--host", "127.0.0.1", "--port", str(port), "--in-memory", "--quiet"]
    return Store(
        "gs",
        [str(BIN / "gcp-storage-emulator"), "start", *options],
        {
            "conn_type": "google_cloud_platform",
            "extra": {"is_anonymous": True, "project": "p", "gcs.endpoint": f"http://127.0.0.1:{port}"},
        },
        "gs://lake",
    )


@pytest.fixture(scope="module", params=[s3, azure, google], ids=lambda kind: kind.__name__)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Serve a store that has an empty bucket ``lake``."""
    from airflow.sdk.io.store import _STORE_CACHE

    port = free_port()
    store: Store = request.param(port)

    def answers() -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    with Processes(tmp_path_factory.mktemp("store")) as processes, pytest.MonkeyPatch.context() as patch:
        processes.spawn(store.scheme, store.command, os.environ)
        processes.poll(store.scheme, 60, answers)
        patch.setenv("AIRFLOW_CONN_LAKE_CONN", json.dumps(store.connection))
        # gcsfs asks Google over gRPC what kind of bucket it is, which no stand-in serves.
        patch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
        _STORE_CACHE.clear()
        ObjectStoragePath(store.bucket()).mkdir(parents=True)
        yield store


def export(folder: str, **options: Any) -> Any:
    return OutboundConfigurationsOperator(task_id="export", output_path=folder, **options).execute({})


def names(folder: str) -> list[str]:
    """Return the names of a folder's files."""
    return sorted(path.name for path in ObjectStoragePath(folder).iterdir())


def test_every_file_is_written_and_read_back(store: Store, outbound_sandbox: Sandbox) -> None:
    folder = f"{store.bucket()}/all"
    options = {"compare_with": folder, "history_path": f"{folder}/history.parquet"}
    first = export(folder, **options, catalogue=True, problems=True)
    assert first["changes"]["rows"] == 0
    outbound_sandbox.publish("summer_sale", channel="inapp", language="es")
    written = export(folder, **options, catalogue=True, problems=True)
    assert written["changes"]["created"] == 1
    assert written["history"]["rows"] == first["history"]["rows"] + 1
    tables = ["changes", "components", "configurations", "history", "problems"]
    assert names(folder) == sorted(["catalogue.html", *(f"{name}.parquet" for name in tables)])
    for name in tables:
        assert written[name]["path"] == f"{folder}/{name}.parquet"
        with ObjectStoragePath(written[name]["path"]).open("rb") as file:
            assert len(pd.read_parquet(file)) == written[name]["rows"]
    assert ObjectStoragePath(written["catalogue"]["path"]).read_text("utf-8").count("summer_sale") > 0


def test_a_folder_of_days_is_one_table(store: Store, outbound_sandbox: Sandbox) -> None:
    folder = f"{store.bucket()}/days"
    rows = [export(f"{folder}/{{table}}/date=2026-11-0{day}")["components"]["rows"] for day in (1, 2)]
    path = ObjectStoragePath(f"{folder}/components")
    table = ds.dataset(path.path, filesystem=path.fs, partitioning="hive").to_table()
    assert table.num_rows == sum(rows)
    assert {str(value) for value in table["date"].to_pylist()} == {"2026-11-01", "2026-11-02"}
    with duckdb.connect() as connection:
        connection.register_filesystem(path.fs)
        files = f"{store.scheme}://lake/days/components/*/*.parquet"
        counted = connection.sql(f"select date, count(*) from '{files}' group by all order by all").fetchall()
    assert [count for _, count in counted] == rows


def test_a_reader_sees_the_old_object_or_the_new_one(
    store: Store,
    outbound_sandbox: Sandbox,
    tmp_path: Path,
) -> None:
    folder = f"{store.bucket()}/replaced"
    rows, done = {export(folder)["configurations"]["rows"]}, Event()

    def read() -> set[int]:
        seen = set()
        while not done.is_set():
            found = earlier.fetch(ObjectStoragePath(f"{folder}/configurations.parquet"), tmp_path / "x", "x")
            assert found is not None
            seen.add(len(list(found.raws())))
        return seen

    with ThreadPoolExecutor() as pool:
        reading = pool.submit(read)
        try:
            for number in range(5):
                outbound_sandbox.publish(f"sale_{number}")
                rows.add(export(folder)["configurations"]["rows"])
        finally:
            done.set()
        assert reading.result() <= rows
    assert names(folder) == ["components.parquet", "configurations.parquet"]


def test_a_misspelt_bucket_is_refused_and_not_made(store: Store, outbound_sandbox: Sandbox) -> None:
    folder = f"{store.bucket('laek')}/outbound"
    with pytest.raises(AirflowFailException, match="its bucket does not exist: make it or correct the path"):
        export(folder)
    assert not ObjectStoragePath(store.bucket("laek")).exists()


def test_an_approved_export_is_remembered(store: Store, outbound_sandbox: Sandbox) -> None:
    folders = {"folder": f"{store.bucket()}/asked", "compare_with": f"{store.bucket()}/approved"}
    described = describe(export(**folders), "spring_sale")
    assert described["changes"]
    remember(described)
    assert describe(export(**folders), "spring_sale")["changes"] == ""


def test_openlineage_names_the_bucket(store: Store, outbound_sandbox: Sandbox) -> None:
    operator = OutboundConfigurationsOperator(task_id="export", output_path=f"{store.bucket()}/lineage")
    operator.execute({})
    told = operator.get_openlineage_facets_on_complete(None)
    assert [(each.namespace, each.name) for each in told.outputs] == [
        (store.namespace, "lineage/configurations.parquet"),
        (store.namespace, "lineage/components.parquet"),
    ]
