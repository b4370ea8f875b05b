"""The documentation in a browser: on a wide screen and on a phone, nothing is cut off and each picture loads."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import PICTURES

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
BROKEN = "[...document.images].filter(each => !each.naturalWidth).map(each => each.src)"


@pytest.mark.parametrize("width", [1400, 400])
def test_each_page_fits_its_screen(page: Page, request: pytest.FixtureRequest, width: int) -> None:
    # Asked for here: without a browser, the test is skipped before the documentation is built.
    built_docs: Path = request.getfixturevalue("built_docs")
    page.set_viewport_size({"width": width, "height": 900})
    sources = sorted((Path(__file__).parents[2] / "docs").rglob("*.rst"))
    for source in sources:
        name = source.relative_to(Path(__file__).parents[2] / "docs").with_suffix("")
        page.goto((built_docs / f"{name}.html").as_uri())
        assert page.evaluate(OVERFLOW) == 0, name
        assert page.evaluate(BROKEN) == [], name
        page.screenshot(path=PICTURES / f"docs-{str(name).replace('/', '-')}-{width}.png", full_page=True)
    assert len(sources) > 20
