"""Pictures of the page's states, to be looked at: the folder ``.pictures``."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import PICTURES
from tests.browser.states import STATES, open_state


@pytest.mark.parametrize("name", STATES)
def test_a_picture(browser: Browser, address: str, name: str) -> None:
    with open_state(browser, address, STATES[name]) as page:
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width == STATES[name].width  # nothing is cut off at the side
        PICTURES.mkdir(exist_ok=True)
        page.screenshot(path=PICTURES / f"{name}.png")


def test_a_picture_of_the_print(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 794, "height": 1123}, color_scheme="dark")
    page.goto(address)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.screenshot(path=PICTURES / "33-print.png")
    page.close()
