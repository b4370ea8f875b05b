from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page

from airflow_provider_outbound.catalogue.entries import Snapshot
from airflow_provider_outbound.catalogue.render import render
from airflow_provider_outbound.sandbox.data import configurations
from tests.fake import configuration


def test_the_catalogue_names_each_template(page: Page, tmp_path: Path) -> None:
    listed = configurations(20, seed=1)
    file = tmp_path / "catalogue.html"
    file.write_text(render(Snapshot([json.dumps(each).encode() for each in listed])).html, "utf-8")
    page.goto(file.as_uri())
    assert page.locator("#list b").all_inner_texts() == sorted(each["name"] for each in listed)


@pytest.mark.parametrize("unknown", [["telegram", "facebook", "twitter", "instagram"], ["x" * 45]])
@pytest.mark.parametrize("width", [1400, 1000, 800])
def test_the_filters_of_unknown_channels_stay_on_the_screen(
    page: Page, tmp_path: Path, unknown: list[str], width: int
) -> None:
    kinds = ["wa", "sms-twilio", "apple-twilio", "googlercs", "inapp", *unknown]
    listed = [
        configuration(number, channels=[{"type": kind, "messageComponents": []}])
        for number, kind in enumerate(kinds)
    ]
    snapshot = Snapshot([json.dumps(each).encode() for each in listed])
    file = tmp_path / "catalogue.html"
    file.write_text(render(snapshot, snapshot).html, "utf-8")
    page.set_viewport_size({"width": width, "height": 600})
    page.goto(file.as_uri())
    ends = page.locator(".tools button").evaluate_all("all => all.map(each => each.getBoundingClientRect().right)")
    assert len(ends) >= len(kinds)
    assert max(ends) < width
