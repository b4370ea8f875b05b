"""The documentation's SQL, in the database that it is for, or as near to it as this machine gets."""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlglot
from sqlglot import expressions
from sqlglot.errors import ErrorLevel

from tests.system.postgres import program, start_postgres
from tests.system.processes import Processes

DIALECTS = {"PostgreSQL": "postgres", "Snowflake": "snowflake", "BigQuery": "bigquery"}
LAKE = "s3://lake/outbound"  # where the documentation's stage is


@contextmanager
def postgres() -> Iterator[str | None]:
    """Serve an empty PostgreSQL and give its URL; None where it is not installed."""
    if not program("postgres"):
        yield None
        return
    with TemporaryDirectory(prefix="outbound-") as folder, Processes(Path(folder)) as processes:
        yield start_postgres(processes)


def parse(database: str, sql: str) -> list[expressions.Expr]:
    """Return the statements of a database's SQL; fail for one that its dialect does not have.

    :param database: a key of ``DIALECTS``.
    :param sql: the statements.
    """
    found = sqlglot.parse(sql, dialect=DIALECTS[database], error_level=ErrorLevel.RAISE)
    statements = [statement for statement in found if statement is not None]
    assert statements
    for statement in statements:
        assert not statement.find(expressions.Command), f"no parser reads this: {statement.sql()}"
    return statements


def run(database: str, sql: str, url: str | None, data: Path) -> str:
    """Run statements, or only parse them; return what PostgreSQL's psql prints.

    :param database: a key of ``DIALECTS``.
    :param sql: the statements.
    :param url: a PostgreSQL; None if there is none.
    :param data: the folder of an export.
    """
    statements = parse(database, sql)
    if database == "PostgreSQL" and url:
        command = [program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", url, f"--command={sql}"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if database == "Snowflake" and find_spec("fakesnow"):
        run_in_snowflake([each.sql(DIALECTS[database]) for each in statements], data)
    return ""


def run_in_snowflake(statements: list[str], data: Path) -> None:
    """Run statements in fakesnow, with a folder in the place of the lake; the last one must return rows."""
    import fakesnow
    import snowflake.connector

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with fakesnow.patch(), snowflake.connector.connect(database="lake", schema="outbound") as connection:
            for statement in statements:
                cursor = connection.cursor().execute(statement.replace(LAKE, data.as_uri()))
            assert cursor.fetchall()
