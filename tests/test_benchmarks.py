"""The benchmarks' own honesty: the server, the row check and the bars. Nothing here is timed."""

from __future__ import annotations

import copy
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import pytest
from docutils.core import publish_doctree

from benchmarks import bench, cases, check, report
from benchmarks.imports import Imports
from benchmarks.memory import Memory
from benchmarks.server import CLIENT_ID, CLIENT_SECRET, LIST_PATH, TOKEN_PATH, Account, Case, configurations
from benchmarks.server import most_in_a_second as most

ITEMS = configurations(70)
FORM = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


class Client:
    """One that pages through an account without a network."""

    def __init__(self, case: Case) -> None:
        self.account = Account(case)
        _, answer = self.account.answer("POST", TOKEN_PATH, "", urlencode(FORM).encode())
        self.token = f"Bearer {json.loads(answer)['access_token']}"

    def page(self, offset: int) -> tuple[int, bytes]:
        return self.account.answer("GET", f"{LIST_PATH}?v=1&limit=30&offset={offset}", self.token, b"")

    def ids(self, offset: int) -> list[str]:
        status, page = self.page(offset)
        assert status == 200
        return [item["id"] for item in json.loads(page)]


def ids(first: int, end: int) -> list[str]:
    return [item["id"] for item in ITEMS[first:end]]


def test_the_server_pages() -> None:
    client = Client(Case(items=70))
    assert [client.ids(offset) for offset in (0, 60, 70)] == [ids(0, 30), ids(60, 70), []]
    assert client.account.calls() == {"list": 3, "token": 1, "most_in_a_second": 3, "refused": 0}
    assert json.loads(client.page(0)[1]) == ITEMS[:30]


def test_the_server_misbehaves_as_told() -> None:
    assert Client(Case(items=70, page_cap=20)).ids(10) == ids(10, 30)
    assert Client(Case(items=70, ignores_offset=True)).ids(60) == ids(0, 30)
    assert Client(Case(token_life=0)).page(0)[0] == 401
    limited = Client(Case(per_second=2))
    assert [limited.page(0)[0] for _ in range(4)] == [200, 200, 429, 429]
    assert limited.account.calls()["refused"] == 2
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


def test_the_server_answers_over_http() -> None:
    with bench.server() as served:
        served._call("/case", b'{"items": 70}')
        granted = served._call(TOKEN_PATH, urlencode(FORM).encode())
        assert granted["expires_in"] == 3600
        with pytest.raises(urllib.error.HTTPError, match="401"):
            served._call(LIST_PATH)
        assert served._call("/calls") == {"list": 1, "token": 1, "most_in_a_second": 1, "refused": 1}


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


def results(**more: Any) -> report.Results:
    """Return what a run might measure, alike in every case."""
    took = {"import": 1.0, "wall": 30.0, "cpu": 1.0, "peak_rss": 3e8}
    run = bench.Run("exact", took, {"list": 2, "token": 1, "most_in_a_second": 9, "refused": 0})
    speeds = {(speed, who): [run] for speed in cases.SPEEDS for who in bench.PEERS}
    unpaced = [speed for speed in cases.SPEEDS if speed.latency == 0]
    speeds |= {(speed, who): [run] for speed in unpaced for who in (bench.UNPACED, bench.ONE_FILE)}
    troubles = {(trouble, who): run for trouble in cases.TROUBLES for who in bench.PEERS}
    ignored = next(each for each in cases.TROUBLES if each.name == cases.IGNORED)
    troubles[ignored, "provider"] = run._replace(outcome="error: X")
    triggers = [{"triggers": 1000, "missed": [], **dict.fromkeys(report.TRIGGERS, 1)}]
    measured = report.Results(Imports(1.0, 0.1, 0.12), Memory(200_000_000, run), speeds, troubles, triggers)
    return measured._replace(**more)


def missed(measured: report.Results) -> list[str]:
    return [bar.name for bar in report.bars(measured) if not bar.met]


def test_bars() -> None:
    good = results()
    assert missed(good) == []
    assert missed(results(imports=Imports(1.0, 0.1, 0.14))) == ["Milliseconds to import hooks"]
    run = good.memory.run
    assert missed(results(memory=Memory(1, run._replace(outcome="wrong: 1 missing")))) == [
        "Plain runs that are not exact, of all"
    ]
    slow = run._replace(took={**run.took, "wall": 38.4}, calls={**run.calls, "most_in_a_second": 11})
    assert missed(results(speeds={**good.speeds, (cases.BOUND, "provider"): [slow]})) == [
        "Seconds for 10,000 at 30 a page and 200 ms",
        "List calls in any second",
    ]
    stalled = [{**good.triggers[0], "missed": ["stall_ms"]}]
    assert missed(results(triggers=stalled)) == ["1,000 triggers on one loop"]
    failed = run._replace(outcome="no end in 300 s", took={})
    unpaced = (cases.Speed(10_000, 30, 0), bench.ONE_FILE)
    assert len(missed(results(speeds={**good.speeds, unpaced: [failed]}))) == 2


def test_the_tables_are_laid_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(report, "PAGE", tmp_path / "page.txt")
    monkeypatch.setattr(report, "version_of", lambda peer, package: "1.0")
    failed = bench.Run("no end in 300 s", {}, results().memory.run.calls)
    measured = results(speeds={**results().speeds, (cases.BOUND, "naive"): [failed]})
    report.write(measured, report.bars(measured))
    text = report.PAGE.read_text()
    tree = publish_doctree(text, settings_overrides={"halt_level": 2})
    assert [section.children[0].astext() for section in tree.children if section.tagname == "section"][:2] == [
        "Ratios",
        "Bars",
    ]
    assert text.index("1.00") < text.index("30.00")  # ratios first
    assert "Of 71 ratios, 0 are below 1 and 0 above." in text
    assert text.count("- failed\n") == 3  # its ratio, its seconds and its CPU seconds
