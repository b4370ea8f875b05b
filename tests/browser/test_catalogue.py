from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Page

from airflow_provider_outbound.catalogue.entries import Snapshot
from airflow_provider_outbound.catalogue.render import render
from airflow_provider_outbound.sandbox.data import configurations


def test_the_catalogue_names_each_template(page: Page, tmp_path: Path) -> None:
    listed = configurations(20, seed=1)
    file = tmp_path / "catalogue.html"
    file.write_text(render(Snapshot([json.dumps(each).encode() for each in listed])).html, "utf-8")
    page.goto(file.as_uri())
    assert page.locator("#list b").all_inner_texts() == sorted(each["name"] for each in listed)
