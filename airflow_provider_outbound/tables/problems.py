"""The problems of an export as a table.

Importing this module does not load pyarrow; using it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from airflow_provider_outbound.model.checks import Problem
from airflow_provider_outbound.model.codec import decode
from airflow_provider_outbound.model.problems import find_problems
from airflow_provider_outbound.tables.earlier import Export
from airflow_provider_outbound.tables.parquet import file_in
from airflow_provider_outbound.tables.schemas import schema


def find(export: Export) -> list[Problem]:
    """Return the problems of an export's configurations."""
    return find_problems(decode(raw) for raw in export.raws())


def write(problems: Sequence[Problem], export: Export, folder: Path) -> None:
    """Make ``problems.parquet`` beside an export's other files.

    :param problems: the problems.
    :param export: the export that has them.
    :param folder: a folder of :func:`.parquet.make`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    place = {"account_id": export.account_id, "fetched_at": export.fetched_at}
    rows = [{**problem._asdict(), "severity": problem.severity, **place} for problem in problems]
    table = pa.Table.from_pylist(rows, schema("problems"))
    pq.write_table(table, file_in(folder, "problems"), write_page_checksum=True)
