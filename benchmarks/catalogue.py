"""The catalogue of 1,000 templates in a browser, against its bars: ``python -m benchmarks.catalogue``.

It needs a Chromium (Debian's package ``chromium``). Times are those that the browser itself records: from a key or
click to the next frame that shows what came of it, so that a busy machine makes all of them longer.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, sync_playwright

from airflow_provider_outbound.catalogue.entries import Snapshot
from airflow_provider_outbound.catalogue.render import render
from airflow_provider_outbound.sandbox.data import configurations

TEMPLATES = 1000
RUNS = 7  # of each action

#: The most that a measure may be: bytes, and milliseconds.
BARS = {"size": 3_000_000, "first paint": 1000, "keystroke": 50, "clear the search": 50}

_OBSERVE = """
window.took = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (entry.interactionId) window.took.push(entry.duration);
}).observe({ type: "event", durationThreshold: 16, buffered: true });
"""
_FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
_READY = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"


def measure(file: Path) -> dict[str, list[float]]:
    """Return the times of each action, in milliseconds.

    :param file: the page.
    """
    found: dict[str, list[float]] = {}
    with sync_playwright() as playwright:
        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(RUNS):
            page = browser.new_page(viewport={"width": 1280, "height": 860})
            page.add_init_script(_OBSERVE)
            page.goto(file.as_uri())
            page.locator("#name").wait_for()
            found.setdefault("first paint", []).append(page.evaluate(_FIRST_PAINT))
            found.setdefault("ready", []).append(page.evaluate(_READY))
            page.wait_for_timeout(1500)  # a reader looks first; texts are folded meanwhile
            for name, act in ACTIONS.items():
                found.setdefault(name, []).append(_time(page, act))
            page.close()
        browser.close()
    return found


def _time(page: Page, act: Callable[[Page], None]) -> float:
    """Return how long the slowest key or click of an action took; the browser does not record less than 16."""
    page.evaluate("window.took = []")
    act(page)
    page.wait_for_timeout(300)
    took: list[float] = page.evaluate("window.took")
    return max(took, default=16)


def _search(page: Page) -> None:
    page.locator("#search").focus()
    page.keyboard.type("boar", delay=60)


def _clear(page: Page) -> None:
    page.keyboard.press("Escape")


#: In this order: each begins where the one before it ends.
ACTIONS: dict[str, Callable[[Page], None]] = {
    "keystroke": _search,
    "clear the search": _clear,
    "next template": lambda page: page.locator("#next").click(),
    "filter": lambda page: page.locator("#problems-only").click(),
    "gallery": lambda page: page.locator("#as-gallery").click(),
}


def main() -> int:
    """Print all measures, and return 1 if one is over its bar."""
    raws = [json.dumps(item, ensure_ascii=False).encode() for item in configurations(TEMPLATES, seed=1)]
    begun = time.process_time()
    html = render(Snapshot(raws, "12345678", "va.handoff.liveperson.net")).html
    print(f"{'load':>17} {os.getloadavg()[0]:9.1f} on {os.cpu_count()} cores: the bars are for an idle machine")
    print(f"{'render':>17} {time.process_time() - begun:9.2f} s of CPU")
    size = len(html.encode())
    print(f"{'size':>17} {size:9,} bytes")
    with TemporaryDirectory() as folder:
        file = Path(folder) / "catalogue.html"
        file.write_text(html, "utf-8")
        times = measure(file)
    for name, each in times.items():
        print(f"{name:>17} {statistics.median(each):9.0f} ms, from {min(each):.0f} to {max(each):.0f}")
    medians = {"size": size, **{name: statistics.median(each) for name, each in times.items()}}
    missed = [name for name, bar in BARS.items() if medians[name] > bar]
    for name in missed:
        print(f"Over the bar of {BARS[name]:,}: {name}")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
