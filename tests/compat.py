"""Run the tests with older versions of Airflow, each with the dependencies of its own days.

``make compat`` runs all environments and writes ``docs/versions.json``, from which the documentation makes its
table. ``make compat-oldest`` runs only the environment with the lowest versions of everything.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
UV = Path(sys.executable).parent / "uv"
RECORD = ROOT / "docs" / "versions.json"
PARSES_BIGQUERY = date(2026, 5, 30)  # sqlglot, which only the tests use
COMPAT = "apache-airflow-providers-common-compat"
#: All but what needs a browser, or the tools that build the provider and its documentation, or reads the record.
QUICK = (
    "-m",
    "not system",
    "--ignore=tests/browser",
    "--ignore=tests/test_built_docs.py",
    "--ignore=tests/test_compat.py",
    "--ignore=tests/test_packaging.py",
    "--ignore=tests/test_without_a_browser.py",
)
#: Dependencies deprecate each other's names, and older versions of them can't know. What the provider uses counts.
WARNINGS = (
    "error",
    "ignore::DeprecationWarning",
    "ignore::PendingDeprecationWarning",
    "ignore::FutureWarning",
    "ignore:Using `httpx` with `starlette.testclient`",  # as in pyproject.toml
    "ignore:unclosed database:ResourceWarning",  # the same
    "error::DeprecationWarning:airflow_provider_outbound",
    "error::FutureWarning:airflow_provider_outbound",
)
#: Real Airflow processes: what differs most between versions, not what takes longest.
SYSTEM = (
    *(
        f"tests/system/test_provider.py::test_{name}"
        for name in (
            "connection_form",
            "connection_test_button",
            "export",
            "deferred_sensor_survives_its_triggerer",
        )
    ),
    "tests/system/test_page.py",
    "tests/browser/test_airflow_page.py",
)


@dataclass(frozen=True)
class Environment:
    """An Airflow and what there was when it came out.

    :param name: its folder in ``.compat``.
    :param airflow: its version of Airflow.
    :param pythons: versions of Python; the first that the machine has is used.
    :param day: the day after the release. Nothing newer is installed.
    :param lowest: whether the provider's dependencies have the lowest versions that ``pyproject.toml`` allows.
    :param exceptions: packages that may be newer than the day, and until when.
    :param constraints: requirements that keep versions away.
    """

    name: str
    airflow: str
    pythons: Sequence[str]
    day: date
    lowest: bool = False
    exceptions: dict[str, date] = field(default_factory=dict)
    constraints: Sequence[str] = ()

    @property
    def folder(self) -> Path:
        return ROOT / ".compat" / self.name

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"


ENVIRONMENTS = (
    Environment(
        "oldest",
        "3.1.1",
        ("3.10", "3.11", "3.12"),  # pandas 2.1 and PyArrow 16 have no wheels for later ones
        date(2025, 10, 28),
        lowest=True,
        exceptions={COMPAT: date(2026, 1, 18), "sqlglot": PARSES_BIGQUERY},  # 1.12, which the provider needs
        constraints=["structlog<25.5"],  # released on the same day; Airflow 3.1.1 breaks with it
    ),
    Environment(
        "3.1",
        "3.1.8",
        ("3.11", "3.10"),
        date(2026, 3, 12),
        # The sample of an approval needs 1.12.2 of the standard provider.
        exceptions={
            COMPAT: date(2026, 3, 29),
            "apache-airflow-providers-standard": date(2026, 3, 29),
            "sqlglot": PARSES_BIGQUERY,
        },
    ),
    Environment("3.2", "3.2.2", ("3.12",), date(2026, 5, 30)),
    Environment("3.3", "3.3.2", ("3.13",), date(2026, 9, 18)),
)


def main(environments: Sequence[Environment], record: Path | None = None) -> int:
    """Run the tests in environments; return 1 if one failed.

    :param environments: those to run.
    :param record: where to write what was tested; an environment that failed or was skipped keeps its row.
    """
    failed, rows = [], {}
    for environment in environments:
        python = find_python(environment.pythons)
        if python is None:
            versions = " or ".join(environment.pythons)
            print(f"{environment.name}: skipped, because this machine has no Python {versions}")
            continue
        set_up(environment, python)
        row = run(environment)
        if row is None:
            failed.append(environment.name)
        else:
            rows[environment.name] = row
    if record:
        rows = {row["name"]: row for row in json.loads(record.read_text())} | rows
        known = [rows[each.name] for each in ENVIRONMENTS if each.name in rows]
        record.write_text(json.dumps(known, indent=2) + "\n")
    if failed:
        print(f"Failed: {', '.join(failed)}")
    return 1 if failed else 0


def find_python(versions: Sequence[str]) -> str | None:
    """Return the first version's interpreter, from PATH or pyenv."""
    return next((path for version in versions for path in interpreters(version) if runs(path, version)), None)


def interpreters(version: str) -> Iterator[str]:
    """Yield where a version's interpreter may be."""
    for name in (f"python{version}", "python3"):
        if found := shutil.which(name):
            yield found
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/python")))


def runs(path: str, version: str) -> bool:
    """Return whether an interpreter starts, and has this version; pyenv's shims may do neither."""
    asked = subprocess.run(
        [path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], text=True, capture_output=True
    )
    return asked.stdout.strip() == version


def set_up(environment: Environment, python: str) -> None:
    """Install an environment, unless it is there and nothing about it changed."""
    stamp, wanted = (
        environment.folder / "ready",
        f"{environment}\n{python}\n{(ROOT / 'pyproject.toml').read_text()}",
    )
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"{environment.name}: installing Airflow {environment.airflow} for {python}")
    uv("venv", "--clear", "--python", python, str(environment.folder))
    pins = environment.folder / "pins.txt"
    pins.write_text("\n".join([f"apache-airflow=={environment.airflow}", *environment.constraints]))
    days = ["--exclude-newer", environment.day.isoformat()]
    for package, until in environment.exceptions.items():
        days += ["--exclude-newer-package", f"{package}={until}"]
    target = ["--python", str(environment.python), "--constraints", str(pins), *days]
    if environment.lowest:
        extras, lowest = ["--extra", "oauth1", "--extra", "sandbox"], ["--resolution", "lowest-direct"]
        found = uv("pip", "compile", *target, *extras, *lowest, "--no-emit-index-url", "pyproject.toml")
        pins.write_text(found)
    uv("pip", "install", *target, "--editable", ".[oauth1,sandbox]", "--group", "test")
    home = {**os.environ, "AIRFLOW_HOME": str(environment.folder / "home")}
    command = [environment.python, "-m", "airflow", "version"]
    version = subprocess.run(command, env=home, text=True, capture_output=True, check=True).stdout.strip()
    assert version == environment.airflow, f"Airflow {version} was installed"
    stamp.write_text(wanted)


def uv(*arguments: str) -> str:
    """Run uv with Pythons of the machine; return what it prints."""
    command = [UV, "--quiet", "--no-python-downloads", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout


def run(environment: Environment) -> dict[str, Any] | None:
    """Run an environment's tests; return its row of the record, or nothing if a test failed."""
    print(f"{environment.name}: testing Airflow {environment.airflow}", flush=True)
    passed, skips = 0, Counter[str]()
    for selection in (QUICK, SYSTEM):
        report = environment.folder / "report.xml"
        options = ["-q", "-rs", f"--junitxml={report}", "-o", "filterwarnings=" + "\n".join(WARNINGS)]
        command = [environment.python, "-m", "pytest", "--numprocesses", "logical", *options, *selection]
        if subprocess.run(command, cwd=ROOT).returncode:
            return None
        for case in ElementTree.parse(report).iter("testcase"):
            skipped = case.find("skipped")
            if skipped is None:
                passed += 1
            else:
                skips[skipped.attrib["message"]] += 1
    return {
        "name": environment.name,
        **versions(environment),
        "passed": passed,
        "skipped": dict(sorted(skips.items())),
        "date": date.today().isoformat(),
    }


def versions(environment: Environment) -> dict[str, Any]:
    """Return the versions of Airflow, Python and the provider's dependencies in an environment."""
    listed = json.loads(uv("pip", "list", "--format", "json", "--python", str(environment.python)))
    found = {each["name"]: each["version"] for each in listed}
    python = subprocess.run([environment.python, "--version"], text=True, capture_output=True).stdout.split()[1]
    libraries = {each.name: found[each.name] for each in requirements() if each.name != "apache-airflow"}
    return {"airflow": found["apache-airflow"], "python": python, "libraries": libraries}


def requirements() -> list[Requirement]:
    """Return what the provider requires without extras."""
    required = map(Requirement, metadata.requires("airflow-provider-outbound") or [])
    return [each for each in required if each.marker is None]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run the tests with older versions of Airflow.")
    parser.add_argument("name", nargs="?", choices=[each.name for each in ENVIRONMENTS], help="one environment")
    name = parser.parse_args().name
    chosen = [each for each in ENVIRONMENTS if name in (None, each.name)]
    sys.exit(main(chosen, None if name else RECORD))
