"""The states of the page that are worth a look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from playwright.sync_api import Browser, Page


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


class State(NamedTuple):
    """A state of the airline's catalogue.

    :param fragment: the template that is shown.
    :param width: of the window.
    :param height: of the window.
    :param scheme: the theme, ``light`` or ``dark``.
    :param act: what a person does.
    """

    fragment: str
    width: int
    height: int
    scheme: str
    act: Callable[[Page], None]


STATES = {
    "01-list-light": State(ORDER, 1280, 860, "light", _nothing),
    "02-whatsapp-values": State(ORDER, 1280, 860, "light", _values),
    "03-before-after": State(ORDER, 1280, 1080, "light", _compare),
    "04-problems": State(LABEL, 1280, 860, "light", _problems),
    "05-six-buttons-open": State("H100240311", 1280, 1000, "light", _all_buttons),
    "06-rtl-hebrew": State("H100243008", 1280, 860, "light", _nothing),
    "08-rcs-vertical": State("H100261002", 1280, 860, "light", _nothing),
    "09-rcs-horizontal": State("H100261017", 1280, 860, "light", _nothing),
    "10-rcs-text-chips-dark": State("H100261044", 1280, 720, "dark", _nothing),
    "11-rcs-media": State("H100261050", 1280, 860, "light", _nothing),
    "12-inapp": State(SEAT, 1280, 900, "light", _nothing),
    "13-sms-long": State("H100250799", 1280, 760, "light", _nothing),
    "14-apple-dark": State("H100270118", 1280, 720, "dark", _nothing),
    "15-unknown-part": State("H100240077", 1280, 860, "light", _nothing),
    "16-two-channels-sms": State("H100234902", 1280, 760, "light", _second_channel),
    "17-gallery": State(ORDER, 1280, 1100, "light", _gallery),
    "18-gallery-dark": State(ORDER, 1280, 1100, "dark", _gallery),
    "19-no-match": State(ORDER, 1280, 640, "light", _nothing_found),
    "20-search": State(ORDER, 1280, 640, "light", _search),
    "21-list-dark": State(ORDER, 1280, 860, "dark", _nothing),
    "22-before-after-dark": State(SEAT, 1280, 1080, "dark", _compare),
    "26-help": State(ORDER, 1280, 720, "light", _help),
    "27-json": State(ORDER, 1280, 860, "light", _json),
    "28-narrow-list": State("", 400, 860, "light", _nothing),
    "29-narrow-detail": State(ORDER, 400, 1300, "light", _nothing),
    "30-narrow-before-after-dark": State(ORDER, 400, 1300, "dark", _compare),
    "31-tablet": State(ORDER, 900, 860, "light", _nothing),
    "32-removed": State("H100218830", 1280, 720, "light", _nothing),
    "34-airflow-width": State(ORDER, 964, 760, "light", _nothing),
}


@contextmanager
def open_state(browser: Browser, address: str, state: State, scale: float = 1) -> Iterator[Page]:
    """Yield a page in a state.

    :param address: where the airline's catalogue is.
    :param scale: pixels for each of the page's own.
    """
    context = browser.new_context(
        viewport={"width": state.width, "height": state.height},
        color_scheme="dark" if state.scheme == "dark" else "light",
        reduced_motion="reduce",
        device_scale_factor=scale,
    )
    page = context.new_page()
    page.goto(f"{address}#{state.fragment}")
    state.act(page)
    yield page
    context.close()
