"""Previews in a real browser. Each picture is in .pictures, to be looked at beside a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import pytest
from markupsafe import Markup
from playwright.sync_api import Browser, Locator, Page, Route, expect

from airflow_provider_outbound.catalogue.previews import comparison, preview
from airflow_provider_outbound.catalogue.render import STYLES
from tests.browser.channels import CARD, CHANNELS, PICTURE, button, part, rcs, wa
from tests.browser.conftest import PICTURES

Show = Callable[..., Page]
FOLDER = files("airflow_provider_outbound.catalogue") / "page"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c6360f8cf000003010100c9fe92ef0000000049454e44ae426082"
)


def document(*shown: Markup) -> str:
    """Return a page with the catalogue's styles and icons, and its script for media."""
    style = "\n".join((FOLDER / name).read_text("utf-8") for name in STYLES)
    icons = (FOLDER / "icons.html").read_text("utf-8") if (FOLDER / "icons.html").is_file() else ""
    script = (FOLDER / "media.js").read_text("utf-8")
    return (
        f"<!doctype html><meta charset=utf-8><style>{style} main {{ width: fit-content; padding: 24px }}</style>"
        f"<script>{script}</script>{icons}<main>{Markup().join(shown)}</main>"
    )


@pytest.fixture(scope="module", params=["light", "dark"])
def show(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Show]:
    """Return a function that shows previews in one theme, as on a phone's display."""
    context = browser.new_context(
        viewport={"width": 848, "height": 700}, device_scale_factor=2, color_scheme=request.param
    )
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))

    def show(*shown: Markup, picture: str = "") -> Page:
        opened.set_content(document(*shown))
        if picture:
            PICTURES.mkdir(exist_ok=True)
            opened.locator("main").screenshot(path=PICTURES / f"preview-{picture}-{request.param}.png")
        return opened

    yield show
    context.close()
    assert not errors


def box(locator: Locator) -> Any:
    found = locator.bounding_box()
    assert found
    return found


@pytest.mark.parametrize("name", CHANNELS)
def test_a_preview_fits_its_phone(show: Show, name: str) -> None:
    page = show(preview(CHANNELS[name]), picture=name)
    phone = page.locator(".phone")
    assert box(phone)["width"] == 376
    overflowing = phone.evaluate(
        """phone => {
            const edge = phone.getBoundingClientRect();
            return [...phone.querySelectorAll(":not(.bar, .chat, svg, use, var)")].filter(each => {
                const {width, left, right} = each.getBoundingClientRect();
                const outside = width && (left < edge.left + 7 || right > edge.right - 7);
                return outside || (each.clientWidth && each.scrollWidth > each.clientWidth + 1);
            }).map(each => each.outerHTML);
        }"""
    )
    assert overflowing == []


def test_the_changed_words_are_marked_in_the_bubbles(show: Show) -> None:
    before = wa(
        part("header", PICTURE, sub_type="image"),
        part("body", "Hi ${{1}}, your order *#${{2}}* has left.\n\nChoose a _safe place_ before 18:00.", "1", "2"),
        button(0, "Track parcel"),
    )
    after = wa(
        part("header", "${{1}}", "1", sub_type="image"),
        part(
            "body",
            "Hi ${{1}}, your order *#${{2}}* has left and should reach you *${{3}}*.\n\n"
            "Choose a _safe place_ or a pickup point before 20:00.",
            *"123",
        ),
        part("footer", "Reply STOP to end updates."),
        button(0, "Track my parcel"),
    )
    page = show(comparison(before, after), picture="comparison")
    assert page.locator("del").all_inner_texts() == ["cdn.example.com", "18:00"]
    assert page.locator("ins").all_inner_texts() == [
        "link comes with each message image",
        "and should reach you",
        "3",
        "or a pickup point",
        "20:00",
        "Reply STOP to end updates.",
        "my",
    ]


def test_another_file_of_the_same_host_is_marked_as_a_file(show: Show) -> None:
    old, new = (
        wa(part("header", f"https://cdn.example.com/{name}", sub_type="image"))
        for name in ("a/box.png", "b/hat.png")
    )
    page = show(comparison(old, new))
    assert page.locator(".media span").all_inner_texts() == [
        "cdn.example.com\nbox.png",
        "cdn.example.com\nhat.png",
    ]
    assert page.locator("ins, del").all_inner_texts() == ["box.png", "hat.png"]


def test_a_changed_placeholder_looks_changed_also_if_it_is_not_declared(show: Show) -> None:
    page = show(comparison(wa(part("body", "By ${{1}}.")), wa(part("body", "By ${{2}}."))))
    for mark, line in (("del", "line-through"), ("ins", "underline")):
        look = f"getComputedStyle(document.querySelector('{mark} var'))"
        assert page.evaluate(f"{look}.textDecorationLine") == line
        assert page.evaluate(f"{look}.color") == page.evaluate(
            f"getComputedStyle(document.querySelector('{mark}')).color"
        )


def test_whatsapp_shows_header_body_footer_time_and_buttons_in_this_order(show: Show) -> None:
    page = show(
        preview(wa(button(1, "No"), part("footer", "F"), button(0, "Yes"), part("body", "B"), part("header", "H")))
    )
    bubble = page.locator(".bubble")
    assert bubble.inner_text().split() == ["H", "B", "F", "09:41", "Yes", "No"]
    tops = [box(bubble.get_by_text(text, exact=True))["y"] for text in ("H", "B", "F", "09:41", "Yes", "No")]
    assert tops == sorted(tops)


def test_a_right_to_left_language_mirrors_the_phone(show: Show) -> None:
    page = show(preview(CHANNELS["hebrew"]))
    phone, bubble = (box(page.locator(each)) for each in (".phone", ".bubble"))
    assert phone["x"] + phone["width"] - bubble["x"] - bubble["width"] == 15  # beside the tail
    assert (
        page.locator("time").evaluate(
            "time => getComputedStyle(time).textAlign + getComputedStyle(time).direction"
        )
        == "endrtl"
    )
    page = show(preview(wa(part("body", "Hi"))))
    assert box(page.locator(".bubble"))["x"] - box(page.locator(".phone"))["x"] == 15


def test_more_than_three_buttons_open_from_the_keyboard(show: Show) -> None:
    page = show(preview(CHANNELS["six_buttons"]))
    expect(page.locator(".cta")).to_have_text(["Get a coffee", "Upgrade my seat", "See all options"])
    expect(page.locator(".option").first).to_be_hidden()
    page.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".option")).to_have_count(6)
    expect(page.locator(".option").last).to_be_visible()
    theme = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'")
    page.locator("main").screenshot(path=PICTURES / f"preview-six_buttons_open-{theme}.png")


@pytest.mark.parametrize(("height", "pixels"), [("short", 112), ("medium", 168), ("TALL", 264), (7, 168)])
def test_media_of_a_vertical_card_are_as_high_as_google_says(show: Show, height: Any, pixels: int) -> None:
    page = show(preview(rcs(part("media", PICTURE, height=height), *CARD)))
    assert box(page.locator(".media"))["height"] == pixels


@pytest.mark.parametrize("side", ["left", "right"])
def test_media_of_a_horizontal_card_are_at_their_side_and_as_high_as_the_card(show: Show, side: str) -> None:
    media = part("media", PICTURE, height="short", thumbnailImageAlignment=side)
    page = show(preview(rcs(media, *CARD, cardOrientation="HORIZONTAL")))
    picture, card = box(page.locator(".media")), box(page.locator(".card"))
    assert picture["height"] == card["height"] - 2
    assert (picture["x"] < card["x"] + 10) == (side == "left")


def test_a_filled_placeholder_looks_like_the_text_around_it(show: Show) -> None:
    page = show(preview(wa(part("body", "Hi *${{1}}*", "1"))))
    variable = page.locator("var")
    variable.evaluate("each => { each.textContent = 'Maya'; each.classList.add('filled') }")
    font = "each => ['fontSize', 'fontWeight', 'fontFamily'].map(name => getComputedStyle(each)[name])"
    assert variable.evaluate(font) == page.locator(".bubble b").evaluate(font)


class Media:
    """A media box on a page whose requests are answered here."""

    def __init__(self, page: Page, url: str, sub_type: str = "image", status: int | None = 200) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.waiting: list[Route] = []
        page.route("**/*", lambda route: self.answer(route, status))
        page.set_content(document(preview(wa(part("header", url, sub_type=sub_type)))))
        page.evaluate(
            "addEventListener('click', event => event.target.matches('.load') && loadMedia(event.target))"
        )
        self.box = page.locator(".media")
        self.load = self.box.locator(".load")
        self.page = page

    def request(self, number: int) -> Route:
        """Return a request that waits for its answer, once the browser has sent it."""
        for _ in range(600):
            if len(self.waiting) > number:
                break
            self.page.evaluate("new Promise(requestAnimationFrame)")
        return self.waiting[number]

    def answer(self, route: Route, status: int | None) -> None:
        self.asked.append((route.request.url, route.request.headers.get("referer")))
        if status is None:
            self.waiting.append(route)
        else:
            route.fulfill(status=status, body=PIXEL, content_type="image/png")


def test_a_picture_is_fetched_only_when_a_person_asks_for_it(page: Page) -> None:
    media = Media(page, PICTURE)
    assert media.asked == []
    media.load.click()
    expect(media.box.locator("img")).to_be_visible()
    assert media.asked == [(PICTURE, None)]
    expect(media.load).to_be_hidden()
    assert media.box.locator("img").evaluate(
        "each => [each.referrerPolicy, getComputedStyle(each).objectFit]"
    ) == [
        "no-referrer",
        "cover",
    ]


def test_a_picture_says_that_it_loads_or_could_not_load(page: Page) -> None:
    media = Media(page, PICTURE, status=None)
    media.load.click()
    expect(media.load).to_have_text("Loading…")
    media.request(0).fulfill(status=404)
    expect(media.load).to_have_text("Could not load. Try again")
    media.load.click()
    expect(media.load).to_have_text("Loading…")
    media.load.click()  # changes nothing
    media.request(1).fulfill(body=PIXEL, content_type="image/png")
    expect(media.box.locator("img")).to_be_visible()
    expect(media.box.locator("img")).to_have_count(1)


def test_a_video_is_fetched_when_it_is_played(page: Page) -> None:
    media = Media(page, "https://cdn.example.com/film.mp4", "video")
    media.load.press("Enter")
    video = media.box.locator("video")
    expect(video).to_be_visible()
    expect(video).to_be_focused()
    assert video.evaluate("each => [each.controls, each.preload]") == [True, "none"]
    assert media.asked == []


@pytest.mark.parametrize(
    ("url", "sub_type", "says"),
    [
        ("http://cdn.example.com/a.jpg", "image", "The link is not https"),
        ("javascript:alert(1)", "image", "The link is not https"),
        ("data:image/png;base64,AAAA", "image", "The link is not https"),
        ("https://[", "image", "The host of the link is unusual"),
        ("https://cdn.example.com/a.pdf", "document", "cdn.example.com"),
        ("${{1}}", "image", "link comes with each message image"),
    ],
)
def test_what_can_not_be_loaded_has_no_button_and_says_why(page: Page, url: str, sub_type: str, says: str) -> None:
    media = Media(page, url, sub_type)
    assert media.box.locator("span").inner_text() == says
    assert media.load.count() == 0
    media.box.evaluate("each => loadMedia(each.appendChild(document.createElement('button')))")
    assert media.box.locator("img, video").count() == 0
    assert media.asked == []


def test_a_sample_value_can_be_loaded_if_it_is_an_https_url(page: Page) -> None:
    media = Media(page, "${{1}}")
    for value in ("x", "http://example.com/a.png", "javascript:alert(1)", ""):
        media.box.evaluate("(each, url) => mediaValue(each, url)", value)
        assert media.load.count() == 0
    media.box.evaluate("(each, url) => mediaValue(each, url)", "https://example.com/a.png")
    media.load.click()
    expect(media.box.locator("img")).to_be_visible()
    assert media.asked == [("https://example.com/a.png", None)]
    media.box.evaluate("(each, url) => mediaValue(each, url)", "https://example.com/b.png")
    expect(media.box.locator("img")).to_have_count(0)
    expect(media.load).to_have_text("Load image from example.com")


def test_a_late_picture_does_not_replace_another_sample_value(page: Page) -> None:
    media = Media(page, "${{1}}", status=None)
    media.box.evaluate("(each, url) => mediaValue(each, url)", "https://example.com/a.png")
    media.load.click()
    expect(media.load).to_have_text("Loading…")
    media.box.evaluate("(each, url) => mediaValue(each, url)", "https://example.com/b.png")
    media.request(0).fulfill(body=PIXEL, content_type="image/png")
    page.evaluate("new Promise(requestAnimationFrame)")
    expect(media.box.locator("img")).to_have_count(0)
    expect(media.load).to_have_text("Load image from example.com")


def test_fetched_text_is_only_ever_text(show: Show) -> None:
    page = show(preview(CHANNELS["hostile"]))
    assert page.locator(".phone :is(script, img, b b, style)").count() == 0
    assert page.locator(".phone").get_attribute("lang") is None
    assert "<script>alert(1)</script>" in page.locator(".bubble p").first.inner_text()
