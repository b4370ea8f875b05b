"""Pictures of the page's states, to be looked at: the folder ``.pictures``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from airflow_provider_outbound.catalogue.render import render
from tests import northwind
from tests.browser.conftest import PICTURES


def _values(page: Page) -> None:
    page.get_by_label("Value of 1").fill("Maya")
    page.get_by_label("Value of 2").fill("48-20117")
    page.get_by_label("Value of 3").focus()


def _nothing_found(page: Page) -> None:
    page.get_by_role("button", name="SMS").click()
    page.get_by_role("searchbox").fill("winter boots")


def _problems(page: Page) -> None:
    page.get_by_role("button", name="Problems").click()


def _compare(page: Page) -> None:
    page.get_by_role("button", name="Before and after").click()


def _all_buttons(page: Page) -> None:
    page.locator("#channel summary", has_text="See all options").click()


def _second_channel(page: Page) -> None:
    page.get_by_role("tab").last.click()


def _gallery(page: Page) -> None:
    page.get_by_role("button", name="Gallery").click()
    page.locator("#list .phone").nth(8).wait_for()


def _search(page: Page) -> None:
    page.get_by_role("searchbox").fill("order")


def _help(page: Page) -> None:
    page.keyboard.press("?")


def _json(page: Page) -> None:
    page.locator(".json summary").click()
    page.locator(".json pre").scroll_into_view_if_needed()


def _nothing(page: Page) -> None:
    """Leave the page as it opens."""


ORDER, SEAT, LABEL = "H100234871", "H100280405", "H100242219"
STATES: dict[str, tuple[str, int, int, str, Callable[[Page], None]]] = {
    "01-list-light": (ORDER, 1280, 860, "light", _nothing),
    "02-whatsapp-values": (ORDER, 1280, 860, "light", _values),
    "03-before-after": (ORDER, 1280, 1080, "light", _compare),
    "04-problems": (LABEL, 1280, 860, "light", _problems),
    "05-six-buttons-open": ("H100240311", 1280, 1000, "light", _all_buttons),
    "06-rtl-hebrew": ("H100243008", 1280, 860, "light", _nothing),
    "08-rcs-vertical": ("H100261002", 1280, 860, "light", _nothing),
    "09-rcs-horizontal": ("H100261017", 1280, 860, "light", _nothing),
    "10-rcs-text-chips-dark": ("H100261044", 1280, 720, "dark", _nothing),
    "11-rcs-media": ("H100261050", 1280, 860, "light", _nothing),
    "12-inapp": (SEAT, 1280, 900, "light", _nothing),
    "13-sms-long": ("H100250799", 1280, 760, "light", _nothing),
    "14-apple-dark": ("H100270118", 1280, 720, "dark", _nothing),
    "15-unknown-part": ("H100240077", 1280, 860, "light", _nothing),
    "16-two-channels-sms": ("H100234902", 1280, 760, "light", _second_channel),
    "17-gallery": (ORDER, 1280, 1100, "light", _gallery),
    "18-gallery-dark": (ORDER, 1280, 1100, "dark", _gallery),
    "19-no-match": (ORDER, 1280, 640, "light", _nothing_found),
    "20-search": (ORDER, 1280, 640, "light", _search),
    "21-list-dark": (ORDER, 1280, 860, "dark", _nothing),
    "22-before-after-dark": (SEAT, 1280, 1080, "dark", _compare),
    "26-help": (ORDER, 1280, 720, "light", _help),
    "27-json": (ORDER, 1280, 860, "light", _json),
    "28-narrow-list": ("", 400, 860, "light", _nothing),
    "29-narrow-detail": (ORDER, 400, 1300, "light", _nothing),
    "30-narrow-before-after-dark": (ORDER, 400, 1300, "dark", _compare),
    "31-tablet": (ORDER, 900, 860, "light", _nothing),
    "32-removed": ("H100218830", 1280, 720, "light", _nothing),
    "34-airflow-width": (ORDER, 964, 760, "light", _nothing),
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("catalogue") / "catalogue.html"
    file.write_text(render(northwind.now(), northwind.before()).html, "utf-8")
    return file.as_uri()


@pytest.mark.parametrize("name", STATES)
def test_a_picture(browser: Browser, address: str, name: str) -> None:
    fragment, width, height, scheme, act = STATES[name]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(f"{address}#{fragment}")
    act(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width  # nothing is cut off at the side
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=Path(PICTURES) / f"{name}.png")
    context.close()


def test_a_picture_of_the_print(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 794, "height": 1123}, color_scheme="dark")
    page.goto(address)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.screenshot(path=PICTURES / "33-print.png")
    page.close()
