from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from airflow_provider_outbound.catalogue.render import render
from tests import northwind

#: Debian's package ``chromium``, or what the environment names; tests download no browser.
CHROMIUM = shutil.which(os.environ.get("CHROMIUM") or "chromium")
#: Where pictures go, to be looked at.
PICTURES = Path(__file__).parents[2] / ".pictures"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a real browser."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
        )
        yield opened
        opened.close()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Return a real browser. It ends with this folder's tests, whose event loop would disturb other tests."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium: install the packages that .ci/run names, or let CHROMIUM name another")
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="package")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return where the airline's catalogue is."""
    file = tmp_path_factory.mktemp("catalogue") / "catalogue.html"
    file.write_text(render(northwind.now(), northwind.before()).html, "utf-8")
    return file.as_uri()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return a page in a context of its own. Errors of its scripts fail the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert not errors
