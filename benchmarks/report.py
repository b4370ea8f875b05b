"""The bars, and what the documentation shows of the results.

``python -m benchmarks.report`` prints the bars of benchmarks/results/results.json, and makes the chart and the
table of docs/concepts/performance.rst from it.
"""

from __future__ import annotations

import json
import math
import os
import platform
import re
import statistics
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import chart
from benchmarks.bench import ONE_FILE, PEERS, ROOT, Run, version_of
from benchmarks.cases import (
    BOUND,
    CPU_ITEMS,
    IGNORED,
    ITEMS,
    LATENCIES,
    MEMORY_ITEMS,
    PAGE_SIZE,
    PAGE_SIZES,
    TROUBLES,
    Speed,
)
from benchmarks.differ import Differ
from benchmarks.history import Year
from benchmarks.imports import Imports
from benchmarks.server import PER_SECOND

RAW = ROOT / "benchmarks" / "results" / "results.json"
PAGE, CHART = ROOT / "docs" / "concepts" / "performance.rst", ROOT / "docs" / "concepts" / "performance.svg"
BEGIN, END = ".. Written by make bench:\n", ".. End of what make bench writes.\n"
OTHERS = PEERS[1:]
TITLES = {
    "provider": "this provider",
    "http_operator": "HttpOperator",
    "dlt": "dlt",
    "meltano": "Meltano SDK",
    "naive": "naive script",
}
PACKAGES = {
    "provider": ("airflow-provider-outbound", "apache-airflow", "requests", "pyarrow"),
    "http_operator": ("apache-airflow-providers-http", "apache-airflow", "pandas"),
    "dlt": ("dlt",),
    "meltano": ("singer-sdk",),
    "naive": ("requests", "pandas", "pyarrow"),
}
MOST_OF_FASTEST = {30: 1.5, 90: 1.0, 240: 0.7, 1000: 0.5}  # times the fastest other's seconds, by configurations
OVER_BOUND = 1.06
MOST_CPU = 0.9  # times the naive script's
IMPORT_MARGIN = 0.030  # seconds
MOST_MEMORY = 365e6
MOST_DIFFER = 2.0  # CPU seconds
MOST_HISTORY = {"seconds": 2.0, "megabytes": 5.0}


class Results(NamedTuple):
    """All that was measured.

    :param about: date, machine and versions.
    :param imports: seconds.
    :param differ: CPU seconds.
    :param history: of a year.
    :param runs: of the jobs.
    :param triggers: what :func:`benchmarks.triggers.repeat` returns for each scenario.
    """

    about: dict[str, Any]
    imports: Imports
    differ: Differ
    history: Year
    runs: list[Run]
    triggers: list[dict[str, Any]]

    def median(self, case: str, contestant: str, speed: Speed, figure: str = "wall") -> float:
        """Return the median of a figure: infinite if most runs failed, or if there are none."""
        return statistics.median(
            [
                run.took.get(figure, math.inf)
                for run in self.runs
                if (run.case, run.contestant, run.items, run.page_size, run.latency) == (case, contestant, *speed)
            ]
            or [math.inf]
        )

    def fastest(self, speed: Speed) -> tuple[float, str]:
        """Return the seconds and the name of the fastest other that wrote a complete file."""
        return min((self.median("speed", peer, speed), peer) for peer in OTHERS)


class Bar(NamedTuple):
    """What is asked for, what was measured, and whether that will do."""

    name: str
    asked: str
    measured: str
    met: bool


def rate_bound(items: int, page_size: int) -> float:
    """Return the seconds that a server which admits 10 calls a second asks for at least: (calls - 10) / 10.

    Ten calls may go at once. The calls are the login, the pages, of which each after the first begins with the
    last item of the one before, and two that prove the end.
    """
    calls = 1 + 1 + math.ceil(max(items - page_size, 0) / (page_size - 1)) + 2
    return max(calls - PER_SECOND, 0) / PER_SECOND


def bars(results: Results) -> list[Bar]:
    """Return every bar that these results can be held to; a quick look has fewer."""
    ours = [run for run in results.runs if run.contestant.startswith("provider")]
    paced = [run.calls["most_in_a_second"] for run in ours if run.contestant == "provider"]
    wrong = [run for run in ours if not run.exact and run.case != IGNORED]
    found = [
        *_speed_bars(results),
        _at_most("Calls in any second", max(paced), PER_SECOND, "{:.0f}"),
        _at_most("Runs of this provider that are not exact", len(wrong), 0, "{:.0f}"),
    ]
    for page_size in PAGE_SIZES:
        speed = Speed(CPU_ITEMS, page_size, 0)
        mine, naive = (results.median("cpu", who, speed, "cpu") for who in (ONE_FILE, "naive"))
        if naive < math.inf:
            name = f"CPU of one file of {CPU_ITEMS:,} at {page_size} a page, by the naive script's"
            found.append(_at_most(name, mine / naive, MOST_CPU, "{:.2f}"))
    peaks = [run.took.get("peak_rss", math.inf) for run in ours if run.case == "memory"]
    found += [_at_most(f"Peak MB of {MEMORY_ITEMS:,}", peak / 1e6, MOST_MEMORY / 1e6, "{:.0f}") for peak in peaks]
    _, needed, hooks = results.imports
    name = f"Milliseconds to import hooks; requests and jwt, and {1000 * IMPORT_MARGIN:.0f}"
    found.append(_at_most(name, 1000 * hooks, 1000 * (needed + IMPORT_MARGIN), "{:.0f}"))
    for name, each in results.differ._asdict().items():
        found.append(_at_most(f"CPU seconds to compare 10,000, {name} changed", each, MOST_DIFFER, "{:.2f}"))
    for name, most in MOST_HISTORY.items():
        found.append(_at_most(f"History of a year, {name}", getattr(results.history, name), most, "{:.2f}"))
    for run in (each for each in ours if each.case in {trouble.name for trouble in TROUBLES}):
        asked = "error: Airflow" if run.case == IGNORED else "exact"
        found.append(Bar(run.case, asked, run.outcome, run.outcome.startswith(asked)))
    for each in results.triggers:
        seen = ", ".join(f"{figure} {each['worst'][figure]:g}" for figure in each["missed"] or ["stall_ms"])
        asked = f"stall_ms {each['bars']['stall_ms']:g}"
        found.append(Bar(f"Triggers: {each['scenario']}", asked, seen, not each["missed"]))
    return found


def _speed_bars(results: Results) -> list[Bar]:
    found = []
    for latency in LATENCIES:
        for items, most in MOST_OF_FASTEST.items():
            speed = Speed(items, PAGE_SIZE, latency)
            fastest, peer = results.fastest(speed)
            sizes = (Speed(items, size, latency) for size in PAGE_SIZES)  # as a user meets it: the better of both
            mine = min(results.median("speed", "provider", each) for each in sizes)
            if fastest < math.inf:
                name = f"Seconds for {items:,} at {latency} ms, by those of {TITLES[peer]}"
                found.append(_at_most(name, mine / fastest, most, "{:.2f}"))
    if any(run.items == BOUND.items and run.case == "speed" for run in results.runs):
        bound = rate_bound(BOUND.items, PAGE_SIZE)
        name = f"Seconds for {BOUND.items:,} at {BOUND.latency} ms, by the rate limit's {bound:.1f}"
        found.append(_at_most(name, results.median("speed", "provider", BOUND) / bound, OVER_BOUND, "{:.2f}"))
    return found


def _at_most(name: str, value: float, most: float, form: str) -> Bar:
    return Bar(name, f"at most {form.format(most)}", form.format(value), value <= most)


def plain(bars: Iterable[Bar]) -> str:
    """Return the bars as text."""
    lines = [f"{'met' if bar.met else 'MISSED':7} {bar.name:62} {bar.asked:16} {bar.measured}" for bar in bars]
    return "\n".join([f"{'':7} {'Bar':62} {'Asked':16} Measured", *lines])


def about() -> dict[str, Any]:
    """Return the date, the machine and the versions."""
    cpu = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal: +(\d+)", Path("/proc/meminfo").read_text())
    assert memory
    return {
        "date": f"{datetime.now(timezone.utc):%Y-%m-%d}",
        "machine": f"{os.cpu_count()} cores of {cpu[1] if cpu else platform.machine()}, "
        f"{int(memory[1]) / 1e6:.0f} GB of memory",
        "python": platform.python_version(),
        "versions": {peer: {each: version_of(peer, each) for each in PACKAGES[peer]} for peer in PEERS},
    }


def save(results: Results) -> None:
    """Write the raw results."""
    named = {name: getattr(results, name)._asdict() for name in ("imports", "differ", "history")}
    runs = [asdict(run) for run in results.runs]
    RAW.parent.mkdir(exist_ok=True)
    parts = {"about": results.about, **named, "triggers": results.triggers}
    lines = ",\n".join(json.dumps(run) for run in runs)  # one line each, so that they can be read and compared
    RAW.write_text(json.dumps(parts, indent=1).removesuffix("\n}") + f',\n "runs": [\n{lines}\n]\n}}\n')


def load() -> Results:
    """Read the raw results."""
    raw = json.loads(RAW.read_text())
    runs = [Run(**run) for run in raw["runs"]]
    named = Imports(**raw["imports"]), Differ(**raw["differ"]), Year(**raw["history"])
    return Results(raw["about"], *named, runs, raw["triggers"])


def page(results: Results) -> str:
    """Return the documentation's sentences and table."""
    best = f"of {' and '.join(map(str, PAGE_SIZES))}"
    rows = [
        ["Configurations", "Latency", *TITLES.values(), "ratio to the fastest other"],
        *(_row(results, items, latency) for latency in LATENCIES for items in ITEMS),
    ]
    lines = [
        *_sentences(results),
        "",
        f".. list-table:: Seconds at {PAGE_SIZE} a page / at each one's best page size {best}",
        "   :header-rows: 1",
        "",
    ]
    for first, *rest in rows:
        lines += [f"   * - {first}", *(f"     - {cell}" for cell in rest)]
    measured = f"Measured on {results.about['date']} with Python {results.about['python']}"
    return "\n".join([*lines, "", f"{measured} on {results.about['machine']}.", ""])


def _sentences(results: Results) -> list[str]:
    speeds = [Speed(items, PAGE_SIZE, latency) for latency in LATENCIES for items in ITEMS]
    seconds, (fastest, peer) = results.median("speed", "provider", BOUND), results.fastest(BOUND)
    slowest = max(speeds, key=lambda speed: results.median("speed", "provider", speed) / results.fastest(speed)[0])
    mine, (theirs, other) = results.median("speed", "provider", slowest), results.fastest(slowest)
    failed = {who: sum(results.median("speed", who, speed) == math.inf for speed in speeds) for who in PEERS}
    troubles = {run.case for run in results.runs} & {trouble.name for trouble in TROUBLES}
    wrong = {who: sum(run.contestant == who and "wrong" in run.outcome for run in results.runs) for who in PEERS}
    return [
        f"For {BOUND.items:,} configurations at {BOUND.latency} ms, this provider takes {seconds:.1f} s, "
        f"{seconds / fastest:.2f} times the {fastest:.1f} s of the fastest other, {TITLES[peer]}; "
        f"the rate limit alone asks for {rate_bound(BOUND.items, PAGE_SIZE):.1f} s.",
        f"It compares worst for {slowest.items:,} configurations at {slowest.latency} ms: {mine:.2f} s, against "
        f"{theirs:.2f} s of the fastest other, {TITLES[other]}.",
        f"Of {len(speeds)} cases at {PAGE_SIZE} a page, these ended without a complete file: {_counts(failed)}; "
        f"of {len(troubles)} more, in which something goes wrong, these ended in a wrong file without an error: "
        f"{_counts(wrong)}.",
    ]


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{TITLES[who]} {count}" for who, count in counts.items())


def _row(results: Results, items: int, latency: int) -> list[str]:
    speed = Speed(items, PAGE_SIZE, latency)
    ratio = results.median("speed", "provider", speed) / results.fastest(speed)[0]
    cells = [f"{items:,}", f"{latency} ms"]
    for who in PEERS:
        seconds = [results.median("speed", who, speed._replace(page_size=each)) for each in PAGE_SIZES]
        cells.append(f"{_shown(seconds[0])} / {_shown(min(seconds))}")
    return [*cells, f"{ratio:.2f}"]


def _shown(seconds: float) -> str:
    return "no file" if seconds == math.inf else f"{seconds:.2f}" if seconds < 10 else f"{seconds:.1f}"


def picture(results: Results) -> str:
    """Return the documentation's chart."""
    panels = {
        f"{latency} ms latency": {
            title: [results.median("speed", who, Speed(items, PAGE_SIZE, latency)) for items in ITEMS]
            for who, title in TITLES.items()
        }
        for latency in LATENCIES
    }
    title = f"Seconds to the finished file, by number of configurations, {PAGE_SIZE} a page"
    bound = [rate_bound(items, PAGE_SIZE) for items in ITEMS]
    return chart.draw(title, [f"{items:,}" for items in ITEMS], panels, bound)


def write(results: Results) -> None:
    """Put the sentences, the table and the chart into the documentation."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{page(results)}\n{END}{after}")
    CHART.write_text(picture(results))


if __name__ == "__main__":
    loaded = load()
    print(plain(bars(loaded)))
    write(loaded)
