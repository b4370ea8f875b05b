"""What axe-core finds, in every state and in both themes: nothing."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.states import STATES, open_state


def found(page: Page) -> list[str]:
    """Return what axe-core finds, with the elements that have it."""
    violations = Axe().run(page).response["violations"]
    return [
        f"{each['impact']} {each['id']}: {node['target']} {node['failureSummary']}"
        for each in violations
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("name", [name for name in STATES if name not in ("18-gallery-dark", "21-list-dark")])
def test_axe_finds_nothing(browser: Browser, address: str, name: str) -> None:
    with open_state(browser, address, STATES[name]) as page:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert (scheme, found(page)) == (scheme, [])
