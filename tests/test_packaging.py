"""What is released: the same bytes from every checkout, and a wheel that works where nothing else is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from email import message_from_bytes
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import pyarrow.parquet as pq
import pytest

from airflow_provider_outbound import __version__
from airflow_provider_outbound.sandbox import Sandbox

pytestmark = pytest.mark.system

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"
SAMPLES = ROOT / "dags"
PACKAGE = ROOT / "airflow_provider_outbound"
UV = Path(sys.executable).parent / "uv"
METADATA = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
SOURCES = (".gitignore", "CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml")
DATE = {"SOURCE_DATE_EPOCH": "1580601600"}  # some shells set another
Environment = dict[str, str]


def build(source: Path, folder: Path, *options: str, umask: int = -1, **env: str) -> None:
    """Build with what ``constraints.txt`` has and hatchling's date, so that a later build gives the same bytes."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), *options, str(source)]
    subprocess.run(command, check=True, capture_output=True, umask=umask, env={**os.environ, **DATE, **env})


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def relative(paths: Iterable[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def package_files() -> list[str]:
    """Return the files of the package in the repository."""
    others = [PACKAGE / "provider.json", PACKAGE / "py.typed", PACKAGE / "example_dags" / ".airflowignore"]
    pages = [*(PACKAGE / "catalogue" / "page").iterdir(), *(PACKAGE / "ui").iterdir()]
    return relative([*PACKAGE.rglob("*.py"), *pages, *others])


@pytest.fixture(scope="module")
def wheel() -> Path:
    """Build the sdist, and the wheel from it; ``dist`` then has what is published."""
    shutil.rmtree(DIST, ignore_errors=True)
    build(ROOT, DIST)
    (wheel,) = DIST.glob("*.whl")
    return wheel


def test_the_wheel_holds_the_package_the_samples_and_metadata(wheel: Path) -> None:
    samples = [f"airflow_provider_outbound/example_dags/{path.name}" for path in SAMPLES.glob("*.py")]
    metadata = [f"airflow_provider_outbound-{__version__}.dist-info/{name}" for name in METADATA]
    with ZipFile(wheel) as archive:
        assert sorted(archive.namelist()) == sorted([*package_files(), *samples, *metadata])
        assert {file.date_time[:3] for file in archive.infolist()} == {(2020, 2, 2)}


@pytest.mark.usefixtures("wheel")
def test_the_sdist_holds_what_the_wheel_is_built_from() -> None:
    with tarfile.open(next(DIST.glob("*.tar.gz"))) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    assert sorted(names) == sorted([*package_files(), *relative(SAMPLES.glob("*.py")), *SOURCES])


@pytest.mark.usefixtures("wheel")
def test_another_checkout_gives_the_same_bytes(tmp_path: Path) -> None:
    def left_out(_: str, names: list[str]) -> list[str]:
        return [name for name in names if name.startswith(".") and not name.endswith("ignore")]

    copy = shutil.copytree(ROOT, tmp_path / "elsewhere", ignore=left_out)
    for path in copy.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.utime(path, (1_000_000_000, 1_000_000_000))
    # The wheel comes from the files here, and not from the sdist.
    build(
        copy, tmp_path / "dist", "--sdist", "--wheel", umask=0o077, TZ="Asia/Tokyo", LC_ALL="C", PYTHONHASHSEED="1"
    )
    assert hashes(tmp_path / "dist") == hashes(DIST)


def test_pypi_shows_the_readme_without_dead_links(wheel: Path) -> None:
    check = [sys.executable, "-m", "twine", "check", "--strict", *map(str, DIST.iterdir())]
    checked = subprocess.run(check, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    with ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        readme = message_from_bytes(archive.read(name)).get_payload()
    links = re.findall(r"\]\(([^)]*)\)|(?:src|href)=\"([^\"]*)\"", readme)
    assert all("".join(link).startswith("https://") for link in links)
    assert "# airflow-provider-outbound" in readme


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Install the wheel without extras into an environment of its own; return the variables for Airflow there."""
    folder = tmp_path_factory.mktemp("installed")
    python = folder / "venv" / "bin" / "python"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder / "venv"], check=True)
    install = [
        UV,
        "pip",
        "install",
        "--quiet",
        "--python",
        python,
        "--constraints",
        ROOT / "constraints.txt",
        wheel,
    ]
    subprocess.run(install, check=True)
    environment = {"AIRFLOW_HOME": str(folder), "HOME": str(folder), "PATH": str(python.parent)}
    airflow(environment, "db", "migrate")
    return environment


def airflow(environment: Environment, *words: str) -> str:
    """Run Airflow in its home, where nothing of the project can be imported; return what it prints."""
    command = [f"{environment['PATH']}/airflow", *words]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=environment["HOME"])
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_airflow_finds_the_provider(installed: Environment) -> None:
    shown = airflow(installed, "providers", "get", "airflow-provider-outbound", "--full", "--output", "json")
    assert '"package-name": "airflow-provider-outbound"' in shown
    assert "OutboundHook" in shown
    assert "liveperson_outbound" in airflow(installed, "providers", "hooks", "--output", "plain")


def test_a_copied_sample_runs(installed: Environment, outbound_sandbox: Sandbox, tmp_path: Path) -> None:
    home = Path(installed["HOME"])
    (sample,) = home.glob("venv/lib/*/site-packages/airflow_provider_outbound/example_dags/outbound_export.py")
    (home / "dags").mkdir()
    shutil.copy(sample, home / "dags")
    environment = {**installed, **outbound_sandbox.env, "OUTBOUND_OUTPUT": str(tmp_path)}
    airflow(environment, "dags", "test", "outbound_export", "--bundle-name", "dags-folder")
    (exported,) = tmp_path.glob("configurations/*/*.parquet")
    ids = pq.read_table(exported)["id"].to_pylist()
    assert ids == [item["id"] for item in outbound_sandbox.configurations()]


def test_airflow_loads_no_sample_by_itself(installed: Environment) -> None:
    environment = {**installed, "AIRFLOW__CORE__LOAD_EXAMPLES": "True"}
    bundle = ("--bundle-name", "airflow-provider-outbound-example-dags")
    shown = airflow(environment, "dags", "list", "--local", *bundle, "--output", "json")
    assert shown.splitlines()[-1] == "[]"
