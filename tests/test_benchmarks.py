"""The benchmarks' own honesty: the server, the row check and the bars. Nothing here is timed."""

from __future__ import annotations

import asyncio
import copy
import json
import time
import urllib.error
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pandas as pd
import pytest
from docutils import nodes
from docutils.core import publish_doctree

from benchmarks import bench, cases, check, report, triggers
from benchmarks.differ import Differ, seconds
from benchmarks.imports import Imports
from benchmarks.server import (
    ACCOUNT,
    CLIENT_ID,
    CLIENT_SECRET,
    LIST_PATH,
    TOKEN_PATH,
    Account,
    Case,
    configurations,
    settings,
)
from benchmarks.server import most_in_a_second as most

ITEMS = configurations(70)
FORM = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


class Client:
    """One that pages through an account without a network."""

    def __init__(self, case: Case) -> None:
        self.account = Account(ACCOUNT, case)
        _, answer = self.account.respond("token", {}, "", urlencode(FORM).encode())
        self.token = f"Bearer {json.loads(answer)['access_token']}"

    def page(self, offset: int) -> tuple[int, bytes]:
        return self.account.respond("list", {"v": "1", "limit": "30", "offset": f"{offset}"}, self.token, b"")

    def ids(self, offset: int) -> list[str]:
        status, page = self.page(offset)
        assert status == 200
        return [item["id"] for item in json.loads(page)]


def ids(first: int, end: int) -> list[str]:
    return [item["id"] for item in ITEMS[first:end]]


def test_the_server_pages() -> None:
    client = Client(Case(items=70))
    assert [client.ids(offset) for offset in (0, 60, 70)] == [ids(0, 30), ids(60, 70), []]
    assert client.account.calls == {"list": 3, "token": 1}
    assert json.loads(client.page(0)[1]) == ITEMS[:30]


def test_the_server_misbehaves_as_told() -> None:
    assert Client(Case(items=70, page_cap=20)).ids(10) == ids(10, 30)
    assert Client(Case(items=70, ignores_offset=True)).ids(60) == ids(0, 30)
    assert Client(Case(token_life=0)).page(0)[0] == 401
    limited = Client(Case(per_second=3))
    assert [limited.page(0)[0] for _ in range(4)] == [200, 200, 429, 429]  # the login counts, too
    assert limited.account.refused == 2
    failing = Client(Case(fails=True))
    assert [failing.page(0)[0] for _ in range(40)].count(503) == 2
    cut = Client(Case(cut=True))
    assert len({cut.page(0)[1] for _ in range(10)}) == 2


def test_the_listing_shifts_while_it_is_read() -> None:
    inserting, deleting = Client(Case(items=70, inserts=True)), Client(Case(items=70, deletes=True))
    for client in (inserting, deleting):
        assert [client.ids(30) for _ in range(5)] == [ids(30, 60)] * 5
    assert inserting.ids(30) == inserting.ids(30) == ids(29, 59)
    assert deleting.ids(30) == deleting.ids(30) == ids(31, 61)


def refused(served: bench.Bench, account: str) -> tuple[int, str | None]:
    """Return status and Retry-After of a list call without a token."""
    with pytest.raises(urllib.error.HTTPError) as error:
        served.call(LIST_PATH.format(account))
    with error.value:
        return error.value.code, error.value.headers["Retry-After"]


def test_the_server_serves_accounts_over_http_each_with_its_own_limit() -> None:
    with bench.server() as served:
        served.call("/case", settings(Case(items=70, per_second=2)))
        for account in ("1", "2"):
            granted = served.call(TOKEN_PATH.format(account), urlencode(FORM).encode())
            assert granted["expires_in"] == 3600
            assert refused(served, account) == (401, None)
            assert refused(served, account) == (429, "1")
        served.call("/publish", b'["spring_sale"]')
        calls = served.call("/calls")
    assert calls.pop("first") <= time.monotonic()
    assert calls == {"list": 4, "token": 2, "most_in_a_second": 3, "refused": 4}


def test_a_published_template_is_listed_last() -> None:
    client = Client(Case(items=70))
    client.account.publish("spring_sale")
    assert [item["name"] for item in json.loads(client.page(69)[1])][1:] == ["spring_sale"]


def test_most_in_a_second() -> None:
    assert most([]) == 0
    assert most([0.0, 0.5, 1.0, 1.5]) == 2  # a window ends before the second is full
    assert most([0.0, 0.9, 1.0, 1.1, 1.2, 3.0]) == 4


def changed() -> check.Item:
    item = copy.deepcopy(ITEMS[0])
    item["channels"][0]["language"] = "xx"
    return item


@pytest.mark.parametrize(
    ("found", "faults"),
    [
        (ITEMS, ""),
        (ITEMS[::-1], ""),
        (ITEMS[1:], "1 missing"),
        ([*ITEMS, ITEMS[3]], "1 doubled"),
        ([changed(), *ITEMS[1:]], "1 changed"),
        ([*ITEMS, {"id": "other"}], "1 unknown"),
        ([*ITEMS, {"id": "inserted"}], ""),
        ([], "70 missing"),
    ],
)
def test_faults(found: list[check.Item], faults: str) -> None:
    assert check.faults(found, ITEMS, ["inserted"]) == faults


def test_a_file_is_read_back_into_configurations(tmp_path: Path) -> None:
    pd.json_normalize(ITEMS).to_parquet(tmp_path / "any.parquet")
    assert check.read("naive", tmp_path) == ITEMS


def run(case: str, contestant: str, speed: cases.Speed, **more: Any) -> bench.Run:
    took = {"import": 2.0, "startup": 3.0, "wall": 1.0, "cpu": 1.0, "peak_rss": 3e8}
    calls = {"list": 2, "token": 1, "most_in_a_second": 9, "refused": 0}
    return replace(bench.Run(case, contestant, *speed, "exact", took, calls), **more)


def took(wall: float) -> dict[str, Any]:
    return {"took": {"import": 2.0, "startup": 3.0, "wall": wall, "cpu": wall, "peak_rss": 3e8}}


def measured(*others: bench.Run) -> report.Results:
    """Return results in which every bar is met, with these runs in place of those of the same case."""
    runs = [run("speed", who, speed, **took(2.0)) for speed in cases.SPEEDS for who in bench.PEERS[1:]]
    # A bar counts the better page size, here the one that the cases change.
    runs += [
        run("speed", "provider", speed, **took(0.8 if speed.page_size == 30 else 99.0)) for speed in cases.SPEEDS
    ]
    for page_size in cases.PAGE_SIZES:
        speed = cases.Speed(cases.CPU_ITEMS, page_size, 0)
        runs += [run("cpu", bench.ONE_FILE, speed, **took(0.9)), run("cpu", "naive", speed)]
    runs.append(run("memory", bench.UNPACED, cases.Speed(cases.MEMORY_ITEMS, 100, 0)))
    for trouble in cases.TROUBLES:
        outcome = "error: AirflowFailException" if trouble.name == cases.IGNORED else "exact"
        runs.append(run(trouble.name, "provider", cases.Speed(300, 30, 0), outcome=outcome))
    told = {
        (each.case, each.contestant, each.items, each.page_size, each.latency): each for each in (*runs, *others)
    }
    figures = {"stall_ms": 50.0}
    waits = {
        "scenario": "accounts",
        "bars": {"stall_ms": 100.0},
        "median": figures,
        "worst": figures,
        "missed": [],
    }
    about = {"date": "2026-01-01", "machine": "2 cores", "python": "3.12.1"}
    return report.Results(about, Imports(1.0, 0.1, 0.12), Differ(0.1, 1.9), list(told.values()), [waits])


def missed(results: report.Results) -> list[str]:
    return [bar.name for bar in report.bars(results) if not bar.met]


def small(items: int, latency: int = 200) -> cases.Speed:
    return cases.Speed(items, 30, latency)


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ([], []),
        ([run("speed", "provider", small(30), **took(3.0))], []),
        (
            [
                run("speed", "provider", small(30), **took(3.1)),
                run("speed", "provider", cases.Speed(30, 100, 200), **took(2.9)),
            ],
            [],
        ),
        ([run("speed", "provider", small(30), **took(3.1))], ["Seconds for 30 at 200 ms, by those of dlt"]),
        ([run("speed", "provider", small(90), **took(2.1))], ["Seconds for 90 at 200 ms, by those of dlt"]),
        ([run("speed", "provider", small(240), **took(1.5))], ["Seconds for 240 at 200 ms, by those of dlt"]),
        (
            [run("speed", "provider", small(1000), **took(1.1))],
            ["Seconds for 1,000 at 200 ms, by those of dlt"],
        ),
        ([run("speed", "provider", small(10_000, 50), **took(99.0))], []),
        (
            [run("speed", "provider", cases.BOUND, **took(36.0))],
            ["Seconds for 10,000 at 200 ms, by the rate limit's 33.8"],
        ),
        ([run("speed", "dlt", small(90), **took(0.7))], ["Seconds for 90 at 200 ms, by those of dlt"]),
        ([run("speed", "dlt", small(90), outcome="error: HTTPError", took={})], []),
        (
            [run("cpu", bench.ONE_FILE, cases.Speed(10_000, 30, 0), **took(0.95))],
            ["CPU of one file of 10,000 at 30 a page, by the naive script's"],
        ),
        (
            [
                run(
                    "memory",
                    bench.UNPACED,
                    cases.Speed(cases.MEMORY_ITEMS, 100, 0),
                    outcome="wrong: 1 doubled",
                    took={},
                )
            ],
            ["Runs of this provider that are not exact", "Peak MB of 100,000"],
        ),
        (
            [run("Pages capped at 20", "provider", cases.Speed(300, 30, 0), outcome="wrong: 2 missing")],
            ["Runs of this provider that are not exact", "Pages capped at 20"],
        ),
        ([run(cases.IGNORED, "provider", cases.Speed(300, 30, 0), outcome="wrong: 2 missing")], [cases.IGNORED]),
        (
            [run("speed", "provider", small(30), calls={"list": 2, "token": 1, "most_in_a_second": 11})],
            ["Calls in any second"],
        ),
    ],
)
def test_a_bar_is_missed_by_what_it_is_about(changed: list[bench.Run], names: list[str]) -> None:
    assert missed(measured(*changed)) == names


def test_imports_differ_and_triggers_have_bars() -> None:
    results = measured()
    assert missed(results._replace(differ=Differ(0.1, 2.1))) == ["CPU seconds to compare 10,000, all changed"]
    slow = results._replace(imports=Imports(1.0, 0.1, 0.14))
    assert missed(slow) == ["Milliseconds to import hooks; requests and jwt, and 30"]
    stalled = [{**results.triggers[0], "missed": ["stall_ms"]}]
    assert missed(results._replace(triggers=stalled)) == ["Triggers: accounts"]


@pytest.mark.parametrize("every", [1, 100])
def test_the_differ_is_timed_at_what_changed(every: int) -> None:
    assert seconds(300, every) > 0  # it checks the number of changes itself


def test_the_rate_bound_counts_login_pages_and_proof() -> None:
    assert report.rate_bound(30, 30) == 0  # 4 calls
    assert report.rate_bound(240, 30) == pytest.approx(0.2)  # 1 + 1 + 8 + 2 calls
    assert report.rate_bound(10_000, 30) == pytest.approx(33.8)  # 1 + 1 + 344 + 2 calls


def test_the_page_says_who_failed_and_by_how_much_the_others_are_slower(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(report, "PAGE", tmp_path / "page.rst")
    monkeypatch.setattr(report, "CHART", tmp_path / "chart.svg")
    report.PAGE.write_text(f"Before.\n\n{report.BEGIN}\nold\n\n{report.END}\nAfter.\n")
    failed = run("speed", "naive", cases.BOUND, outcome="error: HTTPError", took={})
    wrong = run("Deletion while paging", "dlt", cases.Speed(300, 30, 0), outcome="wrong: 1 missing", took={})
    report.write(measured(failed, wrong))
    text = report.PAGE.read_text()
    assert text.startswith("Before.")
    assert text.endswith("After.\n")
    assert "old" not in text
    assert "takes 0.8 s, 0.40 times the 2.0 s of the fastest other, dlt" in text
    assert (
        "without a complete file: this provider 0, HttpOperator 0, dlt 0, Meltano SDK 0, naive script 1;" in text
    )
    assert "without an error: this provider 0, HttpOperator 0, dlt 1, Meltano SDK 0, naive script 0." in text
    tree = publish_doctree(text, settings_overrides={"halt_level": 2})
    rows = list(tree.findall(nodes.row))
    assert len(rows) == 1 + 10
    assert [cell.astext() for cell in rows[-1].children] == [
        "10,000", "200 ms", "0.80 / 0.80", "2.00 / 2.00", "2.00 / 2.00", "2.00 / 2.00", "no file / 2.00", "0.40",
    ]  # fmt: skip
    chart = ElementTree.fromstring(report.CHART.read_text())
    drawn = [each.get("stroke") for each in chart.iter("{http://www.w3.org/2000/svg}path") if each.get("stroke")]
    assert len(drawn) == 1  # the one that failed


def test_the_documentation_shows_the_results_in_the_repository() -> None:
    results = report.load()
    assert report.page(results) in report.PAGE.read_text()
    assert report.picture(results) == report.CHART.read_text()


def test_results_are_read_back_as_they_were_saved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(report, "RAW", tmp_path / "results" / "results.json")
    report.save(measured())
    assert report.load() == measured()


def test_a_blocked_loop_is_measured_as_a_stall() -> None:
    async def block(seconds: float) -> dict[str, float]:
        stalls: list[tuple[float, float]] = []
        probe = asyncio.create_task(triggers.watch_the_loop(stalls))
        await asyncio.sleep(0)
        ended = time.monotonic() + seconds
        while time.monotonic() < ended:
            pass
        while not stalls:
            await asyncio.sleep(0)
        probe.cancel()
        return triggers.worst(stalls)

    assert asyncio.run(block(0.03))["stall_ms"] >= 25  # the nap's own 5 ms are no stall
