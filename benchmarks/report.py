"""The bars, and the tables of docs/performance.rst."""

from __future__ import annotations

import math
import os
import platform
import re
import statistics
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from benchmarks.bench import ONE_FILE, PEERS, ROOT, UNPACED, Run, version_of
from benchmarks.cases import BOUND, IGNORED, SPEEDS, TROUBLES, Speed, Trouble
from benchmarks.imports import Imports
from benchmarks.memory import ITEMS, Memory
from benchmarks.triggers import INTERVAL, MOST, STALLS_UP_TO

Speeds: TypeAlias = dict[tuple[Speed, str], list[Run]]
Troubles: TypeAlias = dict[tuple[Trouble, str], Run]

PAGE = ROOT / "docs" / "performance_results.txt"
OTHERS = PEERS[1:]
TITLES = {
    "provider": "this provider",
    UNPACED: "unpaced",
    ONE_FILE: "unpaced, one file",
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
TRIGGERS = {
    "polls": "Polls",
    "list_calls_per_poll": "List calls a poll",
    "tokens": "Tokens",
    "stall_ms": "Worst stall, ms",
    "stall_cpu_ms": "CPU in it, ms",
    "kib_per_trigger": "kB a trigger",
    "events_within_s": "First to last event, s",
}
FAILED = "failed"
PER_SECOND = 10  # LivePerson's limit, and the provider's pace
RATE_BOUND = (-(-BOUND.items // BOUND.page_size) - 1) / PER_SECOND
OVER_BOUND = 1.15
IMPORT_MARGIN = 0.030
MOST_MEMORY = 500e6


class Results(NamedTuple):
    """All that was measured."""

    imports: Imports
    memory: Memory
    speeds: Speeds
    troubles: Troubles
    triggers: list[dict[str, Any]]


class Bar(NamedTuple):
    """What is asked for, what was measured, and whether that will do."""

    name: str
    asked: str
    measured: str
    met: bool


def middle(runs: Sequence[Run], figure: str) -> float:
    """Return the median of a figure of the runs; without end if one of them failed."""
    return statistics.median(run.took.get(figure, math.inf) for run in runs)


def bars(results: Results) -> list[Bar]:
    """Return every bar that these results can be held to."""
    imports, memory, speeds, troubles, triggers = results
    found = []
    if (BOUND, "provider") in speeds:
        most, took = OVER_BOUND * RATE_BOUND, middle(speeds[BOUND, "provider"], "wall")
        name = f"Seconds for {_words(BOUND)}"
        found.append(
            Bar(name, f"at most {most:.1f} ({OVER_BOUND} x {RATE_BOUND:.1f})", f"{took:.1f}", took <= most)
        )
    paced = [run for (_, who), runs in speeds.items() if who == "provider" for run in runs]
    paced += [run for (_, who), run in troubles.items() if who == "provider"]
    busiest = max(run.calls["most_in_a_second"] for run in paced)
    found.append(Bar("List calls in any second", f"at most {PER_SECOND}", f"{busiest}", busiest <= PER_SECOND))
    for speed in (each for each, who in speeds if who == ONE_FILE and each.items == BOUND.items):
        took, most = (middle(speeds[speed, who], "cpu") for who in (ONE_FILE, "naive"))
        name = f"CPU seconds unpaced, one file, for {_words(speed)}"
        found.append(Bar(name, f"at most {most:.2f} (naive script)", f"{took:.2f}", took <= most))
    most = imports.needed + IMPORT_MARGIN
    asked = f"at most {1000 * most:.0f} (requests and jwt, and {1000 * IMPORT_MARGIN:.0f})"
    taken = f"{1000 * imports.hooks:.0f}"
    found.append(Bar("Milliseconds to import hooks", asked, taken, imports.hooks <= most))
    peak, name = memory.peak, f"Peak MB of an export of {ITEMS:,}"
    found.append(Bar(name, f"at most {MOST_MEMORY / 1e6:.0f}", f"{peak / 1e6:.0f}", peak <= MOST_MEMORY))
    wrong = [run for runs in speeds.values() for run in runs if not run.exact]
    wrong += [] if memory.run.exact else [memory.run]
    found.append(Bar("Plain runs that are not exact, of all", "0", f"{len(wrong)}", not wrong))
    for (trouble, who), run in troubles.items():
        if who == "provider":
            asked = "error" if trouble.name == IGNORED else "exact"
            found.append(Bar(trouble.name, asked, run.outcome, run.outcome.startswith(asked)))
    for run in triggers:
        asked = "one poll an interval, one token, every event"
        asked += "" if run["triggers"] > STALLS_UP_TO else f", stall at most {MOST['stall_ms']:.0f} ms"
        seen = f"missed: {', '.join(run['missed'])}" if run["missed"] else "all"
        found.append(Bar(f"{run['triggers']:,} triggers on one loop", asked, seen, not run["missed"]))
    return found


def plain(bars: Iterable[Bar]) -> str:
    """Return the bars as text."""
    lines = [f"{'met' if bar.met else 'MISSED':7} {bar.name:62} {bar.asked:36} {bar.measured}" for bar in bars]
    return "\n".join([f"{'':7} {'Bar':62} {'Asked':36} Measured", *lines])


def write(results: Results, bars: Sequence[Bar]) -> None:
    """Write the tables of the documentation's page."""
    PAGE.write_text("\n".join([*_ratios(results.speeds), *_bars(bars), *_details(results), *_setup()]))


def _ratios(speeds: Speeds) -> list[str]:
    paced = _against(speeds, "provider", "wall")
    free, busy = _against(speeds, UNPACED, "wall"), _against(speeds, UNPACED, "cpu")
    single = _against(speeds, ONE_FILE, "cpu")
    return [
        *_heading("Ratios"),
        "Seconds of this provider, divided by those of the other: below 1 this provider is faster, above 1 it is "
        f"slower. It keeps to {PER_SECOND} list calls a second, as LivePerson asks; none of the others does. "
        f"{_score(paced)}",
        "",
        *_speed_table(paced, OTHERS),
        "With no latency and without its pace (``requests_per_second`` 0), seconds divided by seconds. "
        f"{_score(free)}",
        "",
        *_speed_table(free, OTHERS),
        f"The same, CPU seconds divided by CPU seconds. {_score(busy)}",
        "",
        *_speed_table(busy, OTHERS),
        f"CPU seconds for one file, as the others write it, divided by theirs. {_score(single)}",
        "",
        *_speed_table(single, OTHERS),
    ]


def _against(speeds: Speeds, contestant: str, figure: str) -> dict[tuple[Speed, str], str]:
    """Return a contestant's figure divided by each other's."""
    return {
        (speed, other): _shown(middle(speeds[speed, contestant], figure) / middle(speeds[speed, other], figure))
        for speed in SPEEDS
        if (speed, contestant) in speeds
        for other in OTHERS
    }


def _score(ratios: dict[tuple[Speed, str], str]) -> str:
    numbers = [float(ratio) for ratio in ratios.values() if ratio != FAILED]
    less, more = sum(number < 1 for number in numbers), sum(number > 1 for number in numbers)
    return f"Of {len(numbers)} ratios, {less} are below 1 and {more} above."


def _bars(bars: Iterable[Bar]) -> list[str]:
    rows = [[bar.name, bar.asked, bar.measured, "yes" if bar.met else "**no**"] for bar in bars]
    return [*_heading("Bars"), *_table(["Of this provider", "Asked", "Measured", "Met"], rows)]


def _details(results: Results) -> list[str]:
    imports, memory, speeds, troubles, triggers = results
    outcomes = [[each.name, *(_outcome(troubles[each, peer]) for peer in PEERS)] for each in TROUBLES]
    everyone = [*PEERS, UNPACED, ONE_FILE]
    return [
        *_heading("When something goes wrong"),
        "*exact*: exit status 0, and every configuration that was there from start to end is in the file once and "
        "unchanged. *error*: another exit status. **wrong**: exit status 0 all the same. **no end**: it was "
        "still asking when it was stopped. One run each.",
        "",
        *_table(["", *(TITLES[peer] for peer in PEERS)], outcomes),
        *_heading("Seconds"),
        "From the login to the closed file, without imports.",
        "",
        *_speed_table(_figures(speeds, "wall"), everyone),
        *_heading("CPU seconds"),
        *_speed_table(_figures(speeds, "cpu"), everyone),
        *_heading("List calls in the busiest second"),
        "The most that arrived at the server in any window of one second, of all runs.",
        "",
        *_speed_table(
            {key: f"{max(run.calls['most_in_a_second'] for run in runs)}" for key, runs in speeds.items()},
            everyone,
        ),
        *_heading("Memory and imports"),
        f"An export of {ITEMS:,} configurations, about 1 kB of JSON each, by the operator with ``output_path`` "
        f"and without its pace takes {memory.peak / 1e6:.0f} MB at most. {memory.loaded / 1e6:.0f} MB of that are "
        "what an interpreter takes that has loaded Airflow, pandas and pyarrow and done nothing.",
        "",
        f"Importing ``airflow_provider_outbound.hooks`` takes {1000 * imports.hooks:.0f} ms on top of "
        f"``airflow.sdk``, whose own import takes {1000 * imports.airflow:.0f} ms; ``requests`` and ``jwt`` alone "
        f"take {1000 * imports.needed:.0f} ms on top of it.",
        "",
        "Peak memory in MB and import in seconds, in the case with the most configurations and no latency:",
        "",
        *_table(["", "Peak", "Import"], [[TITLES[who], *_weight(speeds, who)] for who in everyone]),
        *_heading("Triggers on one event loop"),
        f"They wait on one account of 90 configurations, and look every {INTERVAL:g} s.",
        "",
        *_table(
            ["", *TRIGGERS.values()], [[f"{run[name]:,}" for name in ("triggers", *TRIGGERS)] for run in triggers]
        ),
    ]


def _weight(speeds: Speeds, contestant: str) -> list[str]:
    runs = speeds[Speed(BOUND.items, BOUND.page_size, 0), contestant]
    return [f"{middle(runs, 'peak_rss') / 1e6:.0f}", f"{middle(runs, 'import'):.2f}"]


def _figures(speeds: Speeds, figure: str) -> dict[tuple[Speed, str], str]:
    return {key: _shown(middle(runs, figure)) for key, runs in speeds.items()}


def _shown(figure: float) -> str:
    """Return a figure, or that there is none: a run that failed took forever."""
    return f"{figure:.2f}" if 0 < figure < math.inf else FAILED


def _outcome(run: Run) -> str:
    return re.sub("^(wrong|no end)", r"**\1**", run.outcome)


def _setup() -> list[str]:
    cpu = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal: +(\d+)", Path("/proc/meminfo").read_text())
    assert memory
    rows = [
        [TITLES[peer], ", ".join(f"{each} {version_of(peer, each)}" for each in PACKAGES[peer])] for peer in PEERS
    ]
    return [
        *_heading("Date, machine and versions"),
        f"Measured on {datetime.now(timezone.utc):%Y-%m-%d} with Python {platform.python_version()} on "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores of "
        f"{cpu[1] if cpu else 'unknown make'}, {int(memory[1]) / 1e6:.0f} GB of memory.",
        "",
        *_table(["", "Versions"], rows),
    ]


def _words(speed: Speed) -> str:
    return f"{speed.items:,} at {speed.page_size} a page and {speed.latency} ms"


def _heading(title: str) -> list[str]:
    return [title, "-" * len(title), ""]


def _speed_table(cells: dict[tuple[Speed, str], str], contestants: Sequence[str]) -> list[str]:
    """Lay out a figure by case and contestant, as far as there is one."""
    rows = [
        [f"{speed.items:,}", f"{speed.page_size}", f"{speed.latency} ms"]
        + [cells.get((speed, who), "") for who in contestants]
        for speed in SPEEDS
        if any((speed, who) in cells for who in contestants)
    ]
    return _table(["Configurations", "A page", "Latency", *(TITLES[who] for who in contestants)], rows)


def _table(header: list[str], rows: list[list[str]]) -> list[str]:
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in [header, *rows]:
        first, *rest = row
        lines += [f"   * - {first}", *(f"     - {cell}" for cell in rest)]
    return [*(line.rstrip() for line in lines), ""]
