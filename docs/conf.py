"""Sphinx's settings."""

import os
import re
import tempfile
from pathlib import Path

from airflow_provider_outbound import __version__

# autodoc imports Airflow, which writes a configuration file into its home.
_home = tempfile.TemporaryDirectory(prefix="outbound-docs-")
os.environ["AIRFLOW_HOME"] = _home.name

project = "airflow-provider-outbound"
author = "The authors of airflow-provider-outbound"
copyright = "2026, the authors"  # noqa: A001 - Sphinx's name
version = release = __version__

extensions = ["sphinx.ext.autodoc"]
exclude_patterns = ["_build", "_generated"]
default_role = "literal"  # CHANGELOG.md is included: one backtick is code there
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say it in words
html_theme = "furo"
html_title = f"airflow-provider-outbound {version}"


def write_reliability() -> None:
    """Write the table of faults, each with the tests that are marked with its number."""
    here = Path(__file__).parent
    tests: dict[str, list[str]] = {}
    for path in sorted((here.parent / "tests").rglob("test_*.py")):
        for marks, name in re.findall(
            r"((?:^@.*\n(?:[ )\]}].*\n)*)+)def (test_\w+)", path.read_text(), re.MULTILINE
        ):
            for row in re.findall(r'pytest\.mark\.fault\("(\w+)"\)', marks):
                tests.setdefault(row, []).append(f"``{path.stem}::{name}``")
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 5 35 60", ""]
    lines += ["   * - Row", "     - Fault", "     - What it gets, and its tests"]
    for line in (here / "faults.txt").read_text().splitlines():
        row, fault, gets = line.split(" | ")
        lines += [f"   * - {row}", f"     - {fault}", f"     - {gets}", ""]
        lines += [f"       - {test}" for test in tests.get(row, ["**no test**"])]
    (here / "_generated").mkdir(exist_ok=True)
    (here / "_generated" / "reliability.txt").write_text("\n".join(lines) + "\n")


write_reliability()
