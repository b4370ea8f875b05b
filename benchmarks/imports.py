"""What importing the hook adds to Airflow's own import: ``python -m benchmarks.imports``."""

from __future__ import annotations

import statistics
import subprocess
from collections import defaultdict
from typing import NamedTuple

from benchmarks.bench import ENVIRONMENT, make_environments, python_of

RUNS = 5
AIRFLOW, NEEDED, HOOKS = "airflow.sdk", "requests, jwt", "airflow_provider_outbound.hooks"
# On top of Airflow in one interpreter: Airflow's own import varies by more than what is asked here.
TIMED = """
import time
begun = time.perf_counter()
import airflow.sdk
loaded = time.perf_counter()
{more}
print(loaded - begun, time.perf_counter() - loaded)
"""


class Imports(NamedTuple):
    """Seconds, medians of fresh interpreters: Airflow, and on top of it what the hook needs, and the hook."""

    airflow: float
    needed: float
    hooks: float


def measure(runs: int = RUNS) -> Imports:
    """Time the imports in turn.

    :param runs: of each.
    """
    seconds = defaultdict(list)
    for _ in range(runs):
        for modules in (NEEDED, HOOKS):
            command = [python_of("provider"), "-c", TIMED.format(more=f"import {modules}")]
            done = subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True, text=True)
            airflow, more = map(float, done.stdout.split())
            seconds[AIRFLOW].append(airflow)
            seconds[modules].append(more)
    return Imports(*(statistics.median(seconds[modules]) for modules in (AIRFLOW, NEEDED, HOOKS)))


if __name__ == "__main__":
    make_environments()
    print({name: f"{1000 * value:.0f} ms" for name, value in measure()._asdict().items()})
