"""The problems of a listing, found in its table and made a table of their own.

Importing this module does not load pyarrow; using it does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from airflow_provider_outbound.model.checks import Problem
from airflow_provider_outbound.model.codec import decode
from airflow_provider_outbound.model.items import Item
from airflow_provider_outbound.model.problems import find_problems
from airflow_provider_outbound.tables.parquet import file_in
from airflow_provider_outbound.tables.schemas import schema


def find(folder: Path) -> list[Problem]:
    """Return the problems of the configurations in a folder of :func:`.parquet.make`.

    :param folder: where ``configurations.parquet`` is.
    """
    return find_problems(_items(file_in(folder, "configurations")))


def _items(file: Path) -> Iterator[Item]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as parquet:
        for batch in parquet.iter_batches(batch_size=200, columns=["raw"]):  # few decoded objects at once
            for raw in filter(None, batch.column(0).to_pylist()):
                yield decode(raw.encode())


def write(problems: Sequence[Problem], folder: Path) -> None:
    """Make ``problems.parquet`` beside the other tables.

    :param problems: what was found.
    :param folder: a folder of :func:`.parquet.make`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(file_in(folder, "configurations")) as listing:
        batch = next(listing.iter_batches(batch_size=1, columns=["account_id", "fetched_at"]), None)
    # The same in all rows. A listing without rows has no problems.
    read = batch.to_pylist()[0] if problems and batch else {}
    rows = [{**problem._asdict(), "severity": problem.severity, **read} for problem in problems]
    pq.write_table(pa.Table.from_pylist(rows, schema("problems")), file_in(folder, "problems"))
