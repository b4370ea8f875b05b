"""What templates can't do to those who look at them: run anything, load anything, or leave their places."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Dialog, Frame, Page, Request, Route

from airflow_provider_outbound.catalogue.entries import Snapshot
from airflow_provider_outbound.catalogue.render import render
from tests.browser.hostile import STRINGS, earlier_listing, listing
from tests.fake import Served

#: Runs in each frame before the page does.
COLLECT = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
    violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
"""

#: Look at every template in every way: each channel, before and after, sample values; and search for it.
TOUR = """async (text) => {
    const pause = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const all = (selector) => [...document.querySelectorAll(selector)];
    const type = (input, value) => {
        input.value = value;
        input.dispatchEvent(new Event("input", { bubbles: true }));
    };
    const names = [];
    for (const link of all("#list a")) {
        link.click();
        names.push(document.querySelector("#name").textContent);
        for (const tab of [null, ...all("[role=tab]")]) {
            tab?.click();
            for (const input of all("#channel input")) type(input, text);
            for (const details of all("#channel details")) details.open = true;
            for (const button of all("#now, #compare, #copy-id button")) button.click();
            if (document.querySelector("#versions").hidden) continue;
            document.querySelector("#compare").click();
            for (const details of all("#channel details")) details.open = true;
            document.querySelector("#now").click();
        }
        type(document.querySelector("#search"), names.at(-1));
        await pause();
    }
    type(document.querySelector("#search"), "");
    for (const option of all("#language option, #sort option").reverse()) {  // the first ones hide nothing
        const select = option.parentElement;
        select.value = option.value;
        select.dispatchEvent(new Event("change", { bubbles: true }));
    }
    for (const filter of all(".filters [aria-pressed]:not(.square)")) {
        filter.click();
        filter.click();
    }
    document.querySelector("#as-gallery").click();
    for (const row of all("#list > li")) row.scrollIntoView();
    await pause();
    document.querySelector("#as-list").click();
    return names;
}"""

#: Return what a page has of elements and attributes that could run, load or style something.
ODD = """() => {
    const odd = {};
    const note = (what) => { odd[what] = (odd[what] || 0) + 1; };
    const active = "script style link meta base iframe frame object embed form img picture source video audio "
        + "math x-evil";
    const look = (root) => {
        for (const element of root.querySelectorAll("*")) {
            if (active.split(" ").includes(element.localName)) note(element.localName);
            for (const { name, value } of element.attributes) {
                const runs = /^(on|src|style$|action|formaction|background|poster|ping|x-evil)/.test(name);
                const leads = /^(href|xlink:href)$/.test(name) && !value.startsWith("#");
                if (runs || leads) note(`${element.localName} ${name}`);
            }
            if (element.localName === "template") look(element.content);
        }
    };
    look(document);
    return odd;
}"""
#: That of a page without templates.
OWN = {"meta": 4, "style": 1, "script": 2}


class Watch:
    """What a page asks for and does.

    :param page: the page, before it goes anywhere.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[Request] = []
        self.dialogs: list[str] = []
        page.on("request", lambda request: self.requests.append(request))
        page.on("dialog", self._dismiss)
        page.add_init_script(COLLECT)

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def urls(self) -> list[str]:
        """Return what was asked for since the page itself."""
        return [request.url for request in self.requests[1:]]

    def check(self) -> None:
        """Fail if anything ran, was loaded, or tried to."""
        assert self.dialogs == []
        assert self.page.evaluate("violations") == []
        assert self.page.evaluate(ODD) == OWN


@pytest.fixture
def watch(page: Page) -> Watch:
    """Return what is seen of the fixture ``page``."""
    return Watch(page)


def show(page: Page, folder: Path, now: Snapshot, before: Snapshot | None = None) -> None:
    """Open a catalogue as a file."""
    file = folder / "catalogue.html"
    file.write_text(render(now, before).html, "utf-8")
    page.goto(file.as_uri())


@pytest.mark.parametrize("name", STRINGS)
def test_hostile_templates_are_only_text(page: Page, watch: Watch, tmp_path: Path, name: str) -> None:
    show(page, tmp_path, listing(name), earlier_listing(name))
    names = page.evaluate(TOUR, STRINGS[name])
    assert len(names) > 30
    watch.check()
    page.pdf()  # the browser's own print
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#printed article").count() == len(names)
    watch.check()
    assert watch.urls() == []


PROPERTIES = ["__proto__", "constructor", "toString", "valueOf", "hasOwnProperty"]


def test_placeholders_named_like_properties_of_objects_take_values(page: Page, tmp_path: Path) -> None:
    texts = " ".join(f"${{{{{name}}}}}" for name in PROPERTIES)
    show(page, tmp_path, one({"type": "body", "content": texts, "variables": PROPERTIES}))
    chips = page.locator("#channel .phone var")
    assert chips.all_inner_texts() == PROPERTIES
    for name in PROPERTIES:
        page.get_by_label(f"Value of {name}").fill(f"<b>{name}</b>")
    assert chips.all_inner_texts() == [f"<b>{name}</b>" for name in PROPERTIES]


def one(*components: dict[str, Any], kind: str = "wa") -> Snapshot:
    """Return a listing of one template."""
    channel = {"type": kind, "language": "en", "messageComponents": components}
    return Snapshot([json.dumps({"id": "H1", "name": "one", "channels": [channel]}).encode()])


PIXEL = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg=="
)
PICTURE = "https://evil.example/a.png?x=1&y=%22%3E"


def header(url: str, kind: str = "image", **more: Any) -> Snapshot:
    """Return a listing of a template whose header is a picture, video or document."""
    body = {"type": "body", "content": "Hi"}
    return one({"type": "header", "sub_type": kind, "content": url, **more}, body)


MEDIA = {
    "header": header(PICTURE),
    "rcs": one({"type": "media", "content": PICTURE, "height": "tall"}, kind="googlercs"),
    "inapp": one({"type": "image", "url": PICTURE}, {"type": "text", "messageText": "Hi"}, kind="inapp"),
}


@pytest.fixture
def watch_elsewhere(watch: Watch) -> Watch:
    """Return what is seen of a page for which every other host has a picture of one pixel."""

    def answer(route: Route) -> None:
        route.fulfill(body=PIXEL, content_type="image/png")

    watch.page.route(re.compile("^https?://(?!127)"), answer)
    return watch


@pytest.mark.parametrize("kind", MEDIA)
def test_a_picture_is_loaded_by_a_click_and_by_nothing_else(
    page: Page, watch_elsewhere: Watch, tmp_path: Path, kind: str
) -> None:
    show(page, tmp_path, MEDIA[kind])
    page.evaluate(TOUR, "x")
    page.pdf()
    assert watch_elsewhere.urls() == []
    page.locator("#channel .load").first.click()
    page.locator("#channel .media img").first.wait_for()
    assert watch_elsewhere.urls() == [PICTURE]
    assert page.evaluate("violations") == []


def test_a_video_is_loaded_when_it_is_played(page: Page, watch_elsewhere: Watch, tmp_path: Path) -> None:
    show(page, tmp_path, header("https://evil.example/a.mp4", "video"))
    page.locator("#channel .load").click()
    video = page.locator("#channel video")
    video.wait_for()
    assert watch_elsewhere.urls() == []
    video.evaluate("(video) => video.play().catch(() => {})")
    assert set(watch_elsewhere.urls()) == {"https://evil.example/a.mp4"}
    assert page.evaluate("violations") == []


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example/a.png",
        "//evil.example/a.png",
        "javascript:alert(1)//https://evil.example/a.png",
        "data:image/png;base64,AAAA",
        "blob:https://evil.example/1",
        "file:///etc/hostname",
        "view-source:https://evil.example/",
        "https:",
        "https://",
        "https://[",
        "\0javascript:alert(1)",
        "",
    ],
)
def test_what_is_not_https_cannot_be_loaded(page: Page, watch_elsewhere: Watch, tmp_path: Path, url: str) -> None:
    show(page, tmp_path, header(url))
    assert page.locator("#channel .media").count() == 1
    assert page.locator(".load").count() == 0
    show(page, tmp_path, header("${{1}}", variables=["1"]))
    page.locator("#channel input").fill(url)
    assert page.locator("#channel .load").count() == 0
    assert page.evaluate("violations") == []
    assert [each for each in watch_elsewhere.urls() if not each.startswith("file:")] == []


def test_a_typed_link_is_loaded_by_a_click_only(page: Page, watch_elsewhere: Watch, tmp_path: Path) -> None:
    show(page, tmp_path, header("${{1}}", variables=["1"]))
    page.locator("#channel input").fill(PICTURE)
    assert watch_elsewhere.urls() == []
    page.locator("#channel .load").click()
    page.locator("#channel .media img").wait_for()
    assert watch_elsewhere.urls() == [PICTURE]


def test_a_document_is_never_loaded(page: Page, watch: Watch, tmp_path: Path) -> None:
    show(page, tmp_path, header("https://evil.example/a.pdf", "document"))
    assert page.locator("#channel .media.document").count() == 1
    assert page.locator(".load").count() == 0
    assert watch.urls() == []


def test_a_link_whose_host_can_be_misread_is_not_loaded(page: Page, tmp_path: Path) -> None:
    show(page, tmp_path, header("https://bank.example@evil.example/https://bank.example/a.png"))
    assert page.locator("#channel .media span").inner_text() == "The host of the link is unusual"
    assert page.locator("#channel .media .load").count() == 0


class Shell(Served):
    """A page with a cookie, which shows a catalogue in a sandboxed frame.

    :param now: the catalogue's listing.
    :param before: an earlier one.
    """

    def __init__(self, now: Snapshot, before: Snapshot | None = None) -> None:
        html, policy = render(now, before)
        frame = b"<p id=secret>secret<iframe sandbox=allow-scripts src=content width=1200 height=800></iframe>"
        sandboxed = {"Content-Security-Policy": f"sandbox allow-scripts; {policy}; frame-ancestors 'self'"}
        pages = {"/content": (html.encode(), sandboxed), "/": (frame, {"Set-Cookie": "session=secret"})}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body, headers = pages[self.path]
                self.send_response(200)
                for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(Handler)

    def open(self, page: Page) -> Frame:
        """Open it, and return the catalogue's frame."""
        page.goto(f"{self.url}/")
        return page.frames[1]


REACHES = [
    "parent.document.body.textContent",
    "top.document.cookie",
    "parent.location.href",
    "parent.secret.textContent",
    "document.cookie",
    "localStorage.length",
    "sessionStorage.length",
]


@pytest.mark.usefixtures("watch")
def test_the_frame_reaches_nothing_of_its_shell(page: Page) -> None:
    with Shell(listing("markup")) as shell:
        frame = shell.open(page)
        assert page.evaluate("document.cookie") == "session=secret"
        assert frame.evaluate("origin") == "null"
        assert frame.evaluate("frameElement") is None
        for reach in REACHES:
            tried = f"() => {{ try {{ return String({reach}); }} catch (error) {{ return error.name; }} }}"
            assert frame.evaluate(tried) == "SecurityError", reach
        frame.evaluate("fetch('/').catch(() => {})")
        assert {each.split()[0] for each in frame.evaluate("violations")} == {"connect-src"}


def test_the_page_works_in_the_frame_and_runs_and_loads_nothing(page: Page, watch: Watch) -> None:
    with Shell(listing("markup"), earlier_listing("markup")) as shell:
        frame = shell.open(page)
        assert len(frame.evaluate(TOUR, STRINGS["markup"])) > 30
        assert frame.evaluate("violations") == []
        assert frame.evaluate(ODD) == OWN
        assert watch.urls() == [f"{shell.url}/content"]
        assert watch.dialogs == []


def test_a_picture_in_the_frame_does_not_tell_where_it_is_shown(page: Page, watch_elsewhere: Watch) -> None:
    with Shell(MEDIA["header"]) as shell:
        frame = shell.open(page)
        frame.locator("#channel .load").click()
        frame.locator("#channel .media img").wait_for()
        assert watch_elsewhere.urls() == [f"{shell.url}/content", PICTURE]
        assert not {"referer", "cookie", "origin"} & watch_elsewhere.requests[-1].all_headers().keys()
