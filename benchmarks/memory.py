"""The memory that an export of 100,000 configurations takes: ``python -m benchmarks.memory``."""

from __future__ import annotations

import math
import subprocess
from typing import NamedTuple

from benchmarks.bench import ENVIRONMENT, ROOT, UNPACED, Bench, Run, make_environments, python_of, server
from benchmarks.server import Case

ITEMS, PAGE_SIZE = 100_000, 100
LOADED = "import airflow.sdk, pandas, pyarrow.parquet; from job import peak_rss; print(peak_rss())"


class Memory(NamedTuple):
    """Bytes: of an interpreter with Airflow, pandas and pyarrow, and the peak of one that exports."""

    loaded: int
    run: Run

    @property
    def peak(self) -> float:
        """Return the export's peak; without end if it failed."""
        return self.run.took.get("peak_rss", math.inf)


def measure(bench: Bench) -> Memory:
    """Export through the operator, as fast as it can."""
    command = [python_of("provider"), "-c", LOADED]
    done = subprocess.run(
        command, cwd=ROOT / "benchmarks", env=ENVIRONMENT, check=True, capture_output=True, text=True
    )
    return Memory(int(done.stdout), bench.run(UNPACED, Case(items=ITEMS), PAGE_SIZE, limit=600))


if __name__ == "__main__":
    make_environments()
    with server() as bench:
        memory = measure(bench)
    print(f"loaded {memory.loaded / 1e6:.0f} MB, peak {memory.peak / 1e6:.0f} MB: {memory.run}")
