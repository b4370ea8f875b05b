"""The page inside Airflow's UI, in a real browser: a picture of each state, and what its frame can't reach."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from airflow_provider_outbound.links import PAGE
from airflow_provider_outbound.sandbox import Sandbox
from tests.browser.conftest import PICTURES
from tests.fake import Fake, Reply, paged
from tests.system.api_server import ApiServer

pytestmark = pytest.mark.system

CONN = "liveperson_outbound_default"
ITEMS = Sandbox().configurations()
REFUSAL = Reply(401, {"code": 2001, "requestTraceId": "5f1e-77"})
THEMES = pytest.mark.parametrize("theme", ["light", "dark"])

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with (
        Fake(paged(ITEMS)) as fake,
        Fake(token=[REFUSAL]) as refused,
        Fake([Reply(503)]) as down,
        Fake(paged([])) as empty,
        ApiServer(tmp_path_factory.mktemp("page"), "/some/prefix") as airflow,
    ):
        for conn_id, server in {CONN: fake, "refused": refused, "down": down, "empty": empty}.items():
            airflow.add(conn_id, server.connection())
        yield airflow


@pytest.fixture
def visit(browser: Browser, airflow: ApiServer) -> Iterator[Open]:
    """Return a function that logs a viewer in and opens the page in Airflow's UI."""
    contexts, errors = [], []

    def visit(query: str = "", user: str = "op", theme: str = "light") -> Page:
        context = browser.new_context(viewport={"width": 1280, "height": 860})
        contexts.append(context)
        context.add_cookies([{"name": "_token", "value": airflow.token(user), "url": airflow.url}])
        # Where Airflow's UI keeps the viewer's choice. The sandboxed frame has no storage.
        context.add_init_script(f"if (top === self) localStorage.setItem('theme', '{theme}')")
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: "Content Security Policy" in line.text and errors.append(line.text))
        page.goto(f"{airflow.url}/{PAGE}{query}")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not errors


def shell(page: Page) -> FrameLocator:
    """Return what Airflow's UI frames."""
    return page.frame_locator("iframe")


def templates(page: Page) -> FrameLocator:
    """Return the sandboxed frame."""
    return shell(page).frame_locator("iframe")


def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"airflow-{name}.png")


@THEMES
def test_airflow_shows_the_templates(theme: str, visit: Open) -> None:
    page = visit(theme=theme)
    expect(templates(page).get_by_text(ITEMS[0]["name"]).first).to_be_visible(timeout=60_000)
    expect(shell(page).locator("#read")).to_have_text(re.compile(r"^Read \d+ s ago · kept for 60 s$"))
    expect(shell(page).locator("#place")).to_have_text(re.compile(r"^Account 12345678 · "))
    assert shell(page).locator("html").get_attribute("data-theme") == theme
    assert f"theme={theme}" in page.frames[-1].url
    picture(page, f"page-{theme}")


@THEMES
@pytest.mark.parametrize(
    ("conn_id", "words"),
    [
        ("refused", "LivePerson refused the login"),
        ("down", "The templates could not be read"),
        ("empty", "No templates to show"),
        ("missing", "Airflow found no such connection"),
    ],
)
def test_a_failure_is_explained_below_the_choice(conn_id: str, words: str, theme: str, visit: Open) -> None:
    page = visit(f"?connection_id={conn_id}", theme=theme)
    expect(templates(page).locator("body")).to_contain_text(words, timeout=60_000)
    choice = shell(page).locator("select")
    expect(choice.locator("option:checked")).to_have_text(conn_id)
    picture(page, f"{conn_id}-{theme}")
    choice.select_option(CONN)
    expect(templates(page).get_by_text(ITEMS[0]["name"]).first).to_be_visible(timeout=60_000)


@THEMES
def test_a_viewer_who_may_not_read_connections_is_told_so(theme: str, visit: Open) -> None:
    page = visit("", "viewer", theme)
    expect(shell(page).locator("h2")).to_have_text("There is no connection to choose", timeout=60_000)
    picture(page, f"none-{theme}")
    page = visit(f"?connection_id={CONN}", "viewer", theme)
    expect(shell(page).locator("h2")).to_have_text("You can’t open this connection’s templates", timeout=60_000)
    picture(page, f"403-{theme}")


def test_a_link_leads_to_a_template(visit: Open) -> None:
    page = visit(f"?connection_id={CONN}&template={ITEMS[7]['id']}")
    expect(templates(page).get_by_text(ITEMS[7]["name"]).first).to_be_attached(timeout=60_000)
    assert page.frames[-1].url.endswith(f"#{ITEMS[7]['id']}")
    # The address follows what is shown, so that it can be sent to others, also where it was read again.
    templates(page).locator("#list a").nth(3).click()
    name = templates(page).locator("#name").inner_text()
    other = next(item["id"] for item in ITEMS if item["name"] == name)
    expect(page).to_have_url(re.compile(f"connection_id={CONN}&template={other}$"))
    page.reload()
    expect(templates(page).locator("#name")).to_have_text(name, timeout=60_000)
    # The link holds once: then the viewer chooses.
    shell(page).locator("select").select_option("empty")
    expect(shell(page).locator("option:checked")).to_have_text("empty")
    expect(page).to_have_url(re.compile(r"\?connection_id=empty$"))


def test_the_theme_follows_airflows(visit: Open) -> None:
    page = visit("?connection_id=refused", theme="light")
    message = templates(page).locator("html")
    expect(message).to_have_attribute("data-theme", "light", timeout=60_000)
    page.evaluate("document.documentElement.className = 'dark'")
    expect(shell(page).locator("html")).to_have_attribute("data-theme", "dark")
    expect(message).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("secret", ["parent.document", "top.document", "document.cookie", "localStorage"])
def test_the_frame_can_reach_neither_airflow_nor_the_session(secret: str, visit: Open) -> None:
    page = visit()
    expect(templates(page).get_by_text(ITEMS[0]["name"]).first).to_be_visible(timeout=60_000)
    probe = f"() => {{ try {{ {secret}; return 'reached' }} catch (error) {{ return error.name }} }}"
    assert page.frames[-2].evaluate(probe) == "reached"  # what surrounds it is of Airflow's origin
    assert page.frames[-1].evaluate(probe) == "SecurityError"


def test_after_a_minute_the_viewer_may_read_again(visit: Open) -> None:
    page = visit(f"?connection_id={CONN}")
    again = shell(page).get_by_role("button", name="Read again")
    expect(shell(page).locator("#read")).to_have_text(re.compile("kept for"), timeout=60_000)
    expect(again).to_be_hidden()
    page.frames[-2].evaluate("performance.now = (now => () => now.call(performance) + 61_000)(performance.now)")
    expect(shell(page).locator("#read")).to_have_text(re.compile(r"^Read \d+ (s|min) ago$"))
    again.click()
    expect(again).to_be_hidden()
    expect(shell(page).locator("#read")).to_have_text(re.compile("kept for"))
