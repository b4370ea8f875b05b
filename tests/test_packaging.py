"""What is shipped: a wheel that works in an environment of its own, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parent.parent
UV = Path(sys.executable).parent / "uv"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--installer", "uv", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_nothing_else_is_shipped(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        licences = [name for name in archive.namelist() if name.endswith("licenses/LICENSE")]
    package = ROOT / "airflow_provider_outbound"
    assert sorted(names) == sorted(
        str(path.relative_to(ROOT))
        for path in [
            *package.rglob("*.py"),
            *(package / "catalogue" / "page").iterdir(),
            *(package / "ui").iterdir(),
            package / "provider.json",
            package / "py.typed",
        ]
    )
    assert len(licences) == 1


def test_fresh_environment_finds_the_provider(wheel: Path, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    python = venv / "bin" / "python"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, venv], check=True)
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
    environment = {"AIRFLOW_HOME": str(tmp_path / "airflow"), "HOME": str(tmp_path), "PATH": str(python.parent)}
    shown = subprocess.run(
        [python, "-m", "airflow", "providers", "get", "airflow-provider-outbound", "--full", "--output", "json"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
    )
    assert shown.returncode == 0, shown.stderr
    assert '"package-name": "airflow-provider-outbound"' in shown.stdout
    assert "OutboundHook" in shown.stdout
    hooks = subprocess.run(
        [python, "-m", "airflow", "providers", "hooks", "--output", "plain"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
    )
    assert "liveperson_outbound" in hooks.stdout
