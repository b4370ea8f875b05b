"""The page in a real browser: find a template, look at it, try values, compare, print."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from airflow_provider_outbound.catalogue.entries import Snapshot
from airflow_provider_outbound.catalogue.render import render
from airflow_provider_outbound.model import fingerprints
from tests import northwind

Open = Callable[..., Page]
ORDER, SEAT, LABEL, REMINDER = "H100234871", "H100280405", "H100242219", "H100234902"


@pytest.fixture
def catalogue(page: Page, tmp_path: Path) -> Open:
    """Return a function that opens the catalogue of a listing: of the airline's, unless told otherwise."""

    def open_(address: str = "", now: Snapshot | None = None) -> Page:
        file = tmp_path / "catalogue.html"
        html = render(now).html if now else render(northwind.now(), northwind.before()).html
        file.write_text(html, "utf-8")
        page.goto(file.as_uri() + address)
        return page

    return open_


def listed(*items: Any) -> Snapshot:
    return Snapshot([json.dumps(item).encode() for item in items])


def template(*parts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    channel = {"type": "wa", "language": "en", "outboundnumber": "12025550100", "messageComponents": list(parts)}
    return {"id": "H1", "name": "one", "channels": [{**channel, **fields}]}


def names(page: Page) -> list[str]:
    return page.locator("#list > li:visible > a b").all_inner_texts()


def shown(page: Page) -> str:
    return page.locator("#name").inner_text()


def focused(page: Page) -> str:
    text: str = page.evaluate(
        "document.activeElement.querySelector('b')?.textContent || document.activeElement.id"
    )
    return text


def copied(page: Page) -> str:
    """Return what the page copied, by pasting it."""
    page.locator("#search").fill("")
    page.locator("#search").focus()
    page.keyboard.press("Control+v")
    return page.locator("#search").input_value()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("login", ["login_code"]),
        ("H100243500", ["login_code"]),
        ("lounge visit", ["loyalty_menu"]),
        ("VENCIO", ["payment_overdue_sms"]),  # the text has `venció`
        ("missing letters", []),
        ("7f1c2a", ["delivery_window"]),  # who sends it
        ("ruecksendung", ["return_label"]),  # its name at WhatsApp
        ("stores/12", ["rcs_pickup_ready"]),  # where a button leads
        ("succulents carousel", ["carousel_rare_succulents"]),  # in any order
        ("מזל", ["birthday_coupon_he"]),
        ("german label", ["return_label"]),  # what the page calls its language
        ("login_code, h100242219", ["login_code", "return_label"]),  # the names or ids of several
        ("order #2", ["order_shipped_tracking"]),  # as it is seen, without `*` and `${{`
    ],
)
def test_a_search_finds_what_people_see(catalogue: Open, words: str, found: list[str]) -> None:
    page = catalogue()
    page.locator("#search").fill(words)
    assert names(page) == found
    assert page.locator("#count").inner_text() == f"{len(found)} of 18 templates"


def test_hits_are_marked_without_a_change_of_the_document(catalogue: Open) -> None:
    page = catalogue()
    before = page.locator("#list").inner_html()
    page.locator("#search").fill("tu pago de")
    hits = page.evaluate("[...CSS.highlights.get('hits')].map(String)")
    assert set(hits) == {"de", "pago", "tu"}
    page.locator("#search").fill("")
    assert page.evaluate("CSS.highlights.has('hits')") is False
    assert page.locator("#list").inner_html() == before


def test_a_hit_in_folded_letters_is_marked_where_it_is(catalogue: Open) -> None:
    page = catalogue(now=listed({**template(), "name": "e\u0301te\u0301 ﬁn İzmir été"}))
    page.locator("#search").fill("ete")
    assert page.evaluate("[...CSS.highlights.get('hits')].map(String)") == ["e\u0301te\u0301", "été"]


@pytest.mark.parametrize(
    ("button", "found"),
    [
        ("Apple", ["delivery_window"]),
        ("In-app", ["inapp_seat_offer"]),
        ("RCS", ["rcs_boarding_pass", "rcs_flight_delay", "rcs_pickup_ready", "rcs_welcome_card"]),
        ("SMS", ["appointment_reminder", "payment_overdue_sms", "spring_sale_sms", "summer_sale_sms"]),
        ("Problems", ["loyalty_menu", "return_label", "spring_sale_sms"]),
        (
            "Changed",
            [
                "inapp_seat_offer",
                "order_shipped_tracking",
                "payment_overdue_sms",
                "return_label",
                "summer_sale_sms",
            ],
        ),
    ],
)
def test_a_filter_leaves_as_many_as_its_count(catalogue: Open, button: str, found: list[str]) -> None:
    page = catalogue()
    control = page.get_by_role("button", name=button, exact=False)
    control.click()
    assert names(page) == found
    assert control.get_attribute("aria-pressed") == "true"
    assert control.locator("small").inner_text() == str(len(found))
    control.click()
    assert len(names(page)) == 18


def test_a_filter_shows_its_first_template_unless_it_leaves_the_one_that_is_shown(catalogue: Open) -> None:
    page = catalogue(f"#{LABEL}")
    page.get_by_role("button", name="Problems").click()
    assert shown(page) == "return_label"
    page.get_by_role("button", name="SMS").click()
    assert shown(page) == "spring_sale_sms"
    page.get_by_role("button", name="Apple").click()
    page.get_by_role("button", name="SMS").click()
    assert (names(page), shown(page)) == ([], "spring_sale_sms")


def test_who_filters_what_changed_sees_how(catalogue: Open) -> None:
    page = catalogue(f"#{ORDER}")
    page.get_by_role("button", name="Changed").click()
    expect(page.locator("figure")).to_have_count(2)
    page.keyboard.press("k")
    assert shown(page) == "inapp_seat_offer"
    expect(page.locator("figure")).to_have_count(2)
    page.get_by_role("button", name="Changed").click()
    expect(page.locator("figure")).to_have_count(0)


def test_filters_and_search_are_combined(catalogue: Open) -> None:
    page = catalogue()
    page.get_by_role("button", name="Apple").click()
    page.get_by_role("button", name="SMS").click()
    assert len(names(page)) == 5  # channels add up
    page.get_by_role("button", name="Changed").click()
    assert names(page) == ["payment_overdue_sms", "summer_sale_sms"]
    page.get_by_label("Language").select_option(label="Spanish (Mexico)")
    assert names(page) == ["payment_overdue_sms"]
    page.locator("#search").fill("boots")
    expect(page.locator("#nothing")).to_contain_text(
        "Nothing has “boots” in Apple Messages or SMS in Spanish (Mexico) among what changed."
    )
    page.get_by_role("button", name="Clear search and filters").click()
    assert len(names(page)) == 18
    assert focused(page) == "search"
    assert page.locator(".filters [aria-pressed=true]").count() == 1  # the list view
    assert page.get_by_label("Language").input_value() == ""


def test_the_list_is_sorted_by_name_by_update_or_as_listed(catalogue: Open) -> None:
    page = catalogue()
    assert names(page) == sorted(names(page))
    page.get_by_label("Sort").select_option("time")
    assert names(page)[:2] == ["payment_overdue_sms", "inapp_seat_offer"]
    page.get_by_label("Sort").select_option("place")
    assert names(page)[0] == "appointment_reminder"
    assert names(page)[-1] == "summer_sale_sms"  # what was removed comes last
    page.keyboard.press("End")
    assert shown(page) == "summer_sale_sms"  # the keys follow the order


def test_values_are_seen_in_the_message_and_in_links(catalogue: Open) -> None:
    page = catalogue(f"#{ORDER}")
    inputs = page.locator(".values input")
    assert [each.get_attribute("placeholder") for each in inputs.all()] == [
        "Hi ▢, your order #2 …",
        "…1, your order #▢ has left our …",
        "…should reach you ▢.",
    ]
    expect(page.get_by_role("button", name="Reset")).to_be_hidden()
    inputs.nth(0).fill("<b>Maya</b>")
    expect(page.locator(".look .bubble")).to_contain_text("Hi <b>Maya</b>, your order")
    expect(page.locator(".buttons")).to_contain_text("https://northwind.example/t/<b>Maya</b>")
    inputs.nth(0).fill("")
    expect(page.locator(".look .bubble")).to_contain_text("Hi 1, your order")
    inputs.nth(1).fill("48-20117")
    page.get_by_role("button", name="Reset").click()
    expect(page.locator(".look .bubble")).to_contain_text("#2")
    assert page.locator(".values input").nth(1).input_value() == ""


def test_values_stay_with_their_template_and_its_channels(catalogue: Open) -> None:
    page = catalogue(f"#{REMINDER}")
    page.get_by_label("Value of 2").fill("Maya")
    page.get_by_role("tab", name="SMS").click()
    expect(page.locator(".look")).to_contain_text("Hello Maya, your visit")
    page.keyboard.press("j")
    assert "Maya" not in page.locator(".look").inner_text()
    page.keyboard.press("k")
    expect(page.locator(".look")).to_contain_text("Hello Maya, this is")


def test_a_click_on_a_placeholder_leads_to_its_input_which_marks_it(catalogue: Open) -> None:
    page = catalogue(f"#{ORDER}")
    page.locator(".look var", has_text="3").click()
    expect(page.get_by_label("Value of 3")).to_be_focused()
    assert page.locator(".look var.focused").all_inner_texts() == ["3"]
    page.get_by_label("Value of 1").focus()
    assert page.locator(".look var.focused").all_inner_texts() == ["1"]


def test_variables_that_are_not_declared_or_not_used_are_told_apart(catalogue: Open) -> None:
    page = catalogue(f"#{LABEL}")
    facts = page.locator("dl > div")
    assert facts.filter(has_text="Declared").locator(".chip").all_inner_texts() == ["1", "2"]
    assert facts.filter(has_text="Declared").locator(".hollow").all_inner_texts() == ["2"]
    assert facts.filter(has_text="Found in text").locator(".undeclared").all_inner_texts() == ["3"]
    expect(page.get_by_label("Value of 2, not used")).to_have_attribute("placeholder", "not in the text")
    page.get_by_label("Value of 3, not declared").fill("Freitag")
    expect(page.locator(".look .bubble")).to_contain_text("Paket bis Freitag ab")


def test_the_link_of_a_header_is_no_variable_of_the_text(catalogue: Open) -> None:
    page = catalogue("#H100243111")
    page.get_by_label("Value of header document").fill("https://northwind.example/ticket.pdf")
    page.get_by_label("Value of 1", exact=True).fill("Dune")
    expect(page.locator(".look .bubble")).to_contain_text("Your ticket for Dune")
    expect(page.locator(".look .media")).to_contain_text("https://northwind.example/ticket.pdf")
    assert page.locator("dl > div").filter(has_text="Header link").locator(".chip").all_inner_texts() == [
        "document"
    ]


def test_a_media_link_that_is_typed_can_be_loaded(catalogue: Open) -> None:
    page = catalogue("#H100261017")
    load = page.get_by_role("button", name="Load image")
    expect(load).to_be_hidden()
    page.get_by_label("Value of 3").fill("http://northwind.example/a.png")
    expect(load).to_be_hidden()
    page.get_by_label("Value of 3").fill("https://northwind.example/a.png")
    expect(load).to_have_text("Load image from northwind.example")
    page.get_by_label("Value of 3").fill("")
    expect(load).to_be_hidden()


def test_a_link_is_loaded_only_once_it_has_all_values_and_says_from_where(catalogue: Open) -> None:
    part = {"type": "media", "content": "https://fixed.example${{1}}/${{2}}.png", "variables": ["1", "2"]}
    rcs = {"type": "googlercs", "language": "en", "messageComponents": [part]}
    page = catalogue(now=listed({"id": "H1", "name": "two", "channels": [rcs]}))
    load = page.locator(".look .load")
    page.get_by_label("Value of 2").fill("a")
    expect(load).to_have_count(0)
    page.get_by_label("Value of 1").fill("@other.example")
    expect(load).to_have_text("Load image from other.example")


def test_ids_and_links_are_copied(catalogue: Open, browser: Browser) -> None:
    page = catalogue(f"#{ORDER}")
    page.get_by_role("button", name="Copy id").click()
    expect(page.locator("#spoken")).to_have_text("Copied")
    expect(page.locator("#copy-id .copied")).to_be_visible()
    assert copied(page) == ORDER
    page.locator("#search").fill("")
    page.get_by_role("button", name="Copy fingerprint").click()
    assert fingerprints.parse(copied(page))  # the whole one, as a sensor takes it
    page.get_by_role("button", name="Copy target of Track my parcel").click()
    assert copied(page) == "https://northwind.example/t/{{1}}"


def test_json_is_shown_and_copied_as_it_was_received(catalogue: Open) -> None:
    raw = (
        b'{"id": "H1", "name": "a\\u003c/script>\\"", "n": 12345678901234567890, "f": 1.0, "e": [], "o": {"a" :1}}'
    )
    page = catalogue(now=Snapshot([raw]))
    page.locator(".json summary").click()
    expect(page.locator(".json pre")).not_to_be_empty()
    assert page.locator(".json pre").inner_text() == (
        '{\n  "id": "H1",\n  "name": "a\\u003c/script>\\"",\n  "n": 12345678901234567890,\n  "f": 1.0,\n'
        '  "e": [],\n  "o": {\n    "a": 1\n  }\n}'
    )
    page.get_by_role("button", name="Copy JSON").click()
    assert copied(page) == raw.decode()


def test_before_and_after_shows_what_changed(catalogue: Open) -> None:
    page = catalogue(f"#{ORDER}")
    expect(page.locator("#change")).to_have_text("Changed since 17 Nov")
    page.get_by_role("button", name="Before and after").click()
    assert page.locator("figcaption").all_inner_texts() == ["Before 17 Nov 2026", "After 24 Nov 2026"]
    assert page.locator("figure").nth(0).locator("del").all_inner_texts()
    assert page.locator("figure").nth(1).locator("ins").all_inner_texts()
    expect(page.locator("#channel > h3")).to_have_text("6 changes")
    assert page.locator(".fields tbody tr").count() == 6
    expect(page.locator(".fields")).to_contain_text("order_shipped_v6")
    page.get_by_role("button", name="Now").click()
    expect(page.locator(".facts")).to_be_visible()


def test_a_template_that_did_not_change_has_no_before(catalogue: Open) -> None:
    page = catalogue(f"#{REMINDER}")
    expect(page.locator("#versions")).to_be_hidden()
    page.keyboard.press("d")
    expect(page.locator(".facts")).to_be_visible()


def test_new_and_removed_templates_say_so(catalogue: Open) -> None:
    page = catalogue("#H100250799")
    expect(page.locator("#change")).to_have_text("New since 17 Nov")
    page.goto("about:blank")
    page = catalogue("#H100218830")
    expect(page.locator("#change")).to_have_text("Removed since 17 Nov")
    expect(page.locator("#remarks")).to_contain_text("This is how it looked in the export of 17 Nov 2026.")
    expect(page.locator("#list .gone b")).to_have_text("summer_sale_sms")
    expect(page.locator(".look")).to_contain_text("our summer sale ends tonight")


def test_a_template_without_channels_can_be_compared(page: Page, tmp_path: Path) -> None:
    states = [
        listed(template({"type": "body", "content": "Hi"}), {"id": "H2", "name": name, "channels": []})
        for name in ("old", "new")
    ]
    (tmp_path / "catalogue.html").write_text(render(states[1], states[0]).html, "utf-8")
    page.goto((tmp_path / "catalogue.html").as_uri() + "#H2")
    page.keyboard.press("d")
    expect(page.locator("#channel")).to_contain_text("There is no channel")
    expect(page.locator("#channel table")).to_contain_text("old")


def test_a_channel_that_a_template_no_longer_has_is_a_tab(page: Page, tmp_path: Path) -> None:
    two = template({"type": "body", "content": "Hello"})
    two["channels"].append(
        {"type": "sms-twilio", "language": "en", "messageComponents": [{"type": "body", "content": "Bye"}]}
    )
    one = {**two, "channels": two["channels"][:1]}
    (tmp_path / "catalogue.html").write_text(render(listed(one), listed(two)).html, "utf-8")
    page.goto((tmp_path / "catalogue.html").as_uri())
    assert page.get_by_role("tab").all_inner_texts() == ["1\nWhatsApp", "2\nSMS\nremoved"]
    page.get_by_role("button", name="Before and after").click()
    page.get_by_role("tab").nth(1).click()
    expect(page.locator("figure").nth(0)).to_contain_text("Bye")


def test_problems_and_notes_are_in_one_panel(catalogue: Open) -> None:
    page = catalogue(f"#{LABEL}")
    assert page.locator("#remarks b").all_inner_texts() == [
        "A placeholder is not declared",
        "A variable is not used",
        "A link may not work",
        "The header has no text",
    ]
    assert page.locator("#remarks .error").count() == 1
    expect(page.locator("#remarks li").first).to_contain_text(
        "The body uses {{3}} but declares only 1, 2. Campaigns"
    )


def test_the_gallery_draws_cards_as_they_come_near(catalogue: Open) -> None:
    page = catalogue()
    page.get_by_role("button", name="Gallery").click()
    page.locator("#list > li:first-child .phone").wait_for()
    expect(page.locator("#detail")).to_be_hidden()
    assert page.locator("#list .phone").count() < 18
    page.locator("#list > li:last-child").scroll_into_view_if_needed()
    page.locator("#list > li:last-child .phone").wait_for()
    assert page.locator("#list .card-look:not([inert])").count() == 0
    page.get_by_role("button", name="RCS").click()
    assert len(names(page)) == 4
    page.locator("#list > li:visible").nth(1).click(position={"x": 140, "y": 300})  # anywhere on the card
    assert shown(page) == "rcs_flight_delay"
    expect(page.locator("#detail")).to_be_visible()


def test_what_is_printed_is_what_the_filters_leave(catalogue: Open, tmp_path: Path) -> None:
    page = catalogue()
    page.get_by_role("button", name="SMS").click()
    page.evaluate("addEventListener('beforeprint', () => { window.printed = byId('printed').innerText; })")
    content = page.pdf(path=tmp_path / "catalogue.pdf")
    assert content.startswith(b"%PDF")
    printed = page.evaluate("window.printed")
    assert "summer_sale_sms" in printed
    assert "New since 17 Nov" in printed
    assert "A placeholder is not declared" in printed
    assert "login_code" not in printed
    assert printed.count("Fingerprint") == 5  # a template has two channels
    assert page.locator("#printed").count() == 0  # and afterwards it is gone


def test_an_address_leads_to_its_template_and_follows_the_selection(catalogue: Open) -> None:
    page = catalogue("#H100250112")
    assert shown(page) == "spring_sale_sms"
    page.keyboard.press("j")
    assert page.evaluate("location.hash") == "#H100218830"
    page.evaluate("location.hash = 'H100243500'")
    expect(page.locator("#name")).to_have_text("login_code")


@pytest.mark.parametrize("name", ["birthday_coupon_he", "birthday_he_2"])
def test_a_name_can_be_linked_to(name: str, catalogue: Open) -> None:
    assert shown(catalogue(f"#{name}")) == "birthday_coupon_he"


def test_a_link_to_no_template_says_so(catalogue: Open) -> None:
    page = catalogue("#nope")
    expect(page.locator("#remarks")).to_contain_text("The link leads to no template")
    page.keyboard.press("j")
    expect(page.locator("#remarks")).not_to_contain_text("The link leads to no template")


def test_any_id_can_be_linked_to(catalogue: Open) -> None:
    odd = {**template(), "id": "a/b c#é?", "name": "odd"}
    page = catalogue("#a%2Fb%20c%23%C3%A9%3F", now=listed(template(), odd))
    assert shown(page) == "odd"


def test_bare_channels_with_one_id_have_addresses_of_their_own(catalogue: Open) -> None:
    bare = {"id": "H1", "type": "wa", "messageComponents": [{"type": "body", "content": "Hello"}]}
    page = catalogue(now=listed({**bare, "templatename": "a"}, {**bare, "templatename": "b"}))
    addresses = page.locator("#list a").evaluate_all("links => links.map((link) => link.hash)")
    assert len(set(addresses)) == 2


@pytest.mark.parametrize(
    ("address", "scheme", "dark"),
    [("", "dark", True), ("?theme=light", "dark", False), ("?theme=dark", "light", True)],
)
def test_the_theme_is_the_systems_the_addresss_or_the_readers(
    browser: Browser, catalogue: Open, page: Page, address: str, scheme: Any, dark: bool
) -> None:
    page.emulate_media(color_scheme=scheme)
    catalogue(address)
    background = "getComputedStyle(document.body).backgroundColor"
    colours = {True: "rgb(15, 20, 27)", False: "rgb(246, 248, 251)"}
    assert page.evaluate(background) == colours[dark]
    page.get_by_role("button", name="Dark theme").click()
    assert page.evaluate(background) == colours[not dark]
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"


def test_a_shell_may_hide_the_title(catalogue: Open) -> None:
    page = catalogue(f"?embed=1#{ORDER}")
    expect(page.get_by_role("heading", name="Outbound templates")).to_be_hidden()
    assert shown(page) == "order_shipped_tracking"


def test_a_narrow_page_has_one_pane(catalogue: Open, page: Page) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    catalogue()
    expect(page.locator("#detail")).to_be_hidden()
    page.get_by_role("link", name="login_code").click()
    expect(page.locator(".side")).to_be_hidden()
    expect(page.locator("#name")).to_be_focused()
    page.get_by_role("button", name="Back to the list").click()
    expect(page.locator("#detail")).to_be_hidden()
    assert focused(page) == "login_code"


def test_long_names_of_variables_leave_room_on_a_narrow_page(catalogue: Open, page: Page) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    names = ["customer_first_name_preferred_by_marketing", "order_tracking_number_of_the_last_shipment_in_may"]
    text = " and ".join(f"${{{{{name}}}}}" for name in names)
    catalogue("#H1", listed(template({"type": "body", "content": text, "variables": names})))
    inputs, chips = page.locator(".values input"), page.locator("dd:has(.fine) > .chip")
    expect(inputs).to_have_count(2)
    expect(chips).to_have_count(2)
    for box in inputs.all():
        assert box.bounding_box()["width"] >= 120  # type: ignore[index]
    boxes = [each.bounding_box() for each in page.locator("dd:has(.fine) > *").all()]
    assert len(boxes) == 3
    tops, ends = zip(*((box["y"], box["y"] + box["height"]) for box in boxes if box), strict=True)
    assert all(end <= top for end, top in zip(ends, tops[1:], strict=False))
    for chip in chips.all():
        assert chip.evaluate("each => each.scrollHeight <= each.clientHeight")


def test_an_empty_account_says_which_it_is(catalogue: Open) -> None:
    page = catalogue(now=Snapshot([], "12345678", "va.handoff.liveperson.net"))
    expect(page.locator("main")).to_contain_text("va.handoff.liveperson.net listed nothing for account 12345678.")


def test_a_template_without_a_channel_says_so(catalogue: Open) -> None:
    page = catalogue(now=listed({"id": "H1", "name": "none", "channels": []}))
    expect(page.locator("#channel")).to_contain_text("There is no channel")
    expect(page.locator("#remarks")).to_contain_text("The template has no channel.")


def test_the_page_works_in_a_frame_without_an_origin(catalogue: Open, page: Page, tmp_path: Path) -> None:
    catalogue()
    source = "catalogue.html?embed=1&theme=dark#H100243500"
    frame = f'<iframe sandbox="allow-scripts" src="{source}" width=1200 height=800></iframe>'
    (tmp_path / "shell.html").write_text(frame)
    page.goto((tmp_path / "shell.html").as_uri())
    inside = page.frame_locator("iframe")
    expect(inside.locator("#name")).to_have_text("login_code")
    inside.get_by_role("button", name="Next template").click()
    expect(inside.locator("#name")).to_have_text("loyalty_menu")
    inside.get_by_role("button", name="Copy id").click()
    expect(inside.locator("#spoken")).to_have_text("Copied")
    page.evaluate("frames[0].postMessage({ theme: 'light' }, '*')")
    expect(inside.locator("html")).to_have_attribute("data-theme", "light")
