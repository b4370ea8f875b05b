"""The pytest plugin: tests have its fixture without an import, and it costs other tests nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TEST = """
import os

def test_it_is_the_default_connection(outbound_sandbox):
    assert outbound_sandbox.url in os.environ["AIRFLOW_CONN_LIVEPERSON_OUTBOUND_DEFAULT"]
"""

LOADED = """
import sys, pytest

before = set(sys.modules)
import airflow_provider_outbound.testing

print(sorted(set(sys.modules) - before))
"""

WITHOUT_THE_EXTRA = """
import sys

sys.modules["oauthlib"] = None  # as if it were not installed
try:
    import airflow_provider_outbound.sandbox
except ModuleNotFoundError as error:
    print(error)
"""


def python(folder: Path, *arguments: str) -> str:
    """Run Python in a folder, where the provider is only installed."""
    command = [sys.executable, "-I", *arguments]  # without the current folder and PYTHONPATH
    return subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout


def test_a_test_requests_a_sandbox_without_an_import(tmp_path: Path) -> None:
    (tmp_path / "test_dag.py").write_text(TEST)
    options = ["-q", "-p", "no:cacheprovider", "--rootdir", "."]
    assert "1 passed" in python(tmp_path, "-m", "pytest", *options, "test_dag.py")


def test_the_plugin_imports_only_pytest(tmp_path: Path) -> None:
    loaded = python(tmp_path, "-c", LOADED)
    assert loaded == "['airflow_provider_outbound', 'airflow_provider_outbound.testing']\n"


def test_without_its_extra_the_sandbox_says_what_to_install(tmp_path: Path) -> None:
    told = python(tmp_path, "-c", WITHOUT_THE_EXTRA)
    assert "oauthlib" in told
    assert told.endswith(": install airflow-provider-outbound with its extra sandbox\n")
