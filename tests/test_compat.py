"""The environments of older Airflows, and the record of what was tested in them."""

from __future__ import annotations

import json
import sys
from datetime import date

import pytest
from packaging.version import Version

from tests.compat import ENVIRONMENTS, RECORD, ROOT, Environment, find_python, main, requirements

ROWS = json.loads(RECORD.read_text())


def test_the_record_names_what_make_compat_runs() -> None:
    assert [(row["name"], row["airflow"]) for row in ROWS] == [(each.name, each.airflow) for each in ENVIRONMENTS]
    for row, environment in zip(ROWS, ENVIRONMENTS, strict=True):
        assert row["python"].rpartition(".")[0] in environment.pythons
        assert row["passed"] > 10 * sum(row["skipped"].values())


def test_the_provider_allows_what_was_tested() -> None:
    for row in ROWS:
        tested = {"apache-airflow": row["airflow"], **row["libraries"]}
        assert tested.keys() == {each.name for each in requirements()}
        assert [each for each in requirements() if tested[each.name] not in each.specifier] == []


def test_the_oldest_is_the_lowest_airflow_that_is_allowed() -> None:
    (airflow,) = [each for each in requirements() if each.name == "apache-airflow"]
    assert f">={ENVIRONMENTS[0].airflow}" in str(airflow.specifier)
    assert ENVIRONMENTS[0].lowest


def test_the_readme_names_what_was_tested() -> None:
    *others, last = [each.airflow for each in ENVIRONMENTS]
    pythons = sorted((each.pythons[0] for each in ENVIRONMENTS), key=Version)
    readme = " ".join((ROOT / "README.md").read_text().split())
    assert f"with Airflow {', '.join(others)} and {last}, on Python {pythons[0]} to {pythons[-1]}." in readme


def test_a_python_that_the_machine_lacks_is_skipped_with_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([Environment("x", "3.1.1", ["9.8", "9.9"], date(2026, 1, 1))]) == 0
    assert capsys.readouterr().out == "x: skipped, because this machine has no Python 9.8 or 9.9\n"


def test_the_first_python_that_the_machine_has_is_found() -> None:
    here = "{}.{}".format(*sys.version_info)
    assert find_python(["9.9", here])
