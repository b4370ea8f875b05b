"""What the plugin costs a starting process of Airflow: ``python -m benchmarks.plugin``.

Each run is a fresh process. In every other one, this distribution has no entry point for plugins.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAIRS = 11
BAR = 0.020  # CPU seconds

#: By component: what it has imported when it loads the plugins, and how it does so.
COMPONENTS = {
    "scheduler": ("airflow.jobs.scheduler_job_runner", "airflow.plugins_manager", "ensure_plugins_loaded"),
    "triggerer": ("airflow.jobs.triggerer_job_runner", "airflow.plugins_manager", "ensure_plugins_loaded"),
    "worker": (
        "airflow.sdk.execution_time.task_runner",
        "airflow.sdk.plugins_manager",
        "integrate_macros_plugins",
    ),
}
LOAD = """
import importlib, sys, time
before, module, function = sys.argv[1:]
importlib.import_module(before)
load = getattr(importlib.import_module(module), function)
begun = time.process_time()
load()
print(time.process_time() - begun, "airflow_provider_outbound.plugin" in sys.modules)
assert "airflow_provider_outbound.page" not in sys.modules
"""


def main(pairs: int = PAIRS) -> bool:
    """Print the median CPU time of loading the plugins, with and without this one; tell whether the bar holds.

    :param pairs: runs of each kind.
    """
    holds = True
    with tempfile.TemporaryDirectory() as folder:
        for name, component in COMPONENTS.items():
            seconds: dict[bool, list[float]] = {True: [], False: []}
            for _ in range(pairs):
                for installed in (True, False):
                    seconds[installed].append(_run(component, installed, Path(folder)))
            medians = {installed: statistics.median(seconds[installed]) for installed in seconds}
            holds = holds and medians[True] - medians[False] <= BAR
            shown = {installed: f"{median * 1000:.1f} ms" for installed, median in medians.items()}
            print(f"{name}: loading plugins takes {shown[True]} with this one, {shown[False]} without")
    return holds


def _packages(folder: Path, installed: bool) -> Path:
    """Return a folder with all installed packages, where this distribution has its plugin or not."""
    packages = folder / ("with" if installed else "without")
    if packages.exists():
        return packages
    packages.mkdir()
    for each in Path(sysconfig.get_path("purelib")).iterdir():
        if each.match("airflow_provider_outbound-*.dist-info"):
            shutil.copytree(each, packages / each.name)
            if not installed:
                points = packages / each.name / "entry_points.txt"
                groups = points.read_text().split("[")
                points.write_text("[".join(group for group in groups if not group.startswith("airflow.plugins]")))
        else:
            (packages / each.name).symlink_to(each)
    return packages


def _run(component: tuple[str, ...], installed: bool, folder: Path) -> float:
    path = os.pathsep.join(map(str, (_packages(folder, installed), ROOT)))
    env = {**os.environ, "AIRFLOW_HOME": str(folder), "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "PYTHONPATH": path}
    command = [sys.executable, "-S", "-W", "ignore", "-c", LOAD, *component]  # -S: only the packages in the path
    done = subprocess.run(command, env=env, text=True, capture_output=True, check=True)
    seconds, loaded = done.stdout.split()[-2:]
    assert loaded == str(installed), done.stderr
    return float(seconds)


if __name__ == "__main__":
    sys.exit(not main())
