"""Everything can be done by keyboard."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.test_page import Open, catalogue, copied, focused, names, shown

__all__ = ["catalogue"]


def test_the_list_is_one_tab_stop_and_arrows_select_at_once(catalogue: Open) -> None:
    page = catalogue()
    assert page.locator("#list a[tabindex='0']").count() == 1
    page.get_by_role("button", name="Keyboard").focus()
    page.keyboard.press("Tab")
    assert focused(page) == "appointment_reminder"
    for key, name in (
        ("ArrowDown", "birthday_coupon_he"),
        ("j", "carousel_rare_succulents"),
        ("k", "birthday_coupon_he"),
        ("ArrowUp", "appointment_reminder"),
        ("ArrowUp", "appointment_reminder"),
        ("End", "welcome_ar"),
        ("ArrowDown", "welcome_ar"),
        ("Home", "appointment_reminder"),
    ):
        page.keyboard.press(key)
        assert (focused(page), shown(page)) == (name, name)
    assert page.locator("#list [aria-current] b").all_inner_texts() == ["appointment_reminder"]
    assert page.locator("#list a[tabindex='0']").count() == 1
    page.keyboard.press("Tab")
    assert focused(page) not in names(page)


def test_arrows_pass_over_what_is_filtered_out(catalogue: Open) -> None:
    page = catalogue()
    page.locator("#search").fill("points seat")
    assert page.locator("#list a[tabindex='0'] b").all_inner_texts() == [
        "loyalty_menu"
    ]  # the selected one is hidden
    page.get_by_role("button", name="Gallery").focus()
    page.keyboard.press("j")
    assert shown(page) == "loyalty_menu"
    page.locator("#search").fill("")
    page.get_by_role("button", name="Problems").click()
    page.keyboard.press("j")
    assert shown(page) == "return_label"


def test_the_search_is_reached_and_left_by_keys(catalogue: Open) -> None:
    page = catalogue()
    page.keyboard.press("/")
    assert focused(page) == "search"
    page.keyboard.type("rcs_g?/")
    assert page.locator("#search").input_value() == "rcs_g?/"  # single keys are letters in a field
    page.keyboard.press("Escape")
    assert page.locator("#search").input_value() == ""
    assert len(names(page)) == 18
    page.keyboard.type("rcs_")
    page.keyboard.press("ArrowDown")
    assert (focused(page), shown(page)) == ("rcs_boarding_pass", "rcs_boarding_pass")
    page.keyboard.press("/")
    page.keyboard.press("Enter")  # as the arrow does
    assert (focused(page), shown(page)) == ("rcs_boarding_pass", "rcs_boarding_pass")
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert focused(page) == "rcs_boarding_pass"


def test_enter_goes_to_the_details_and_escape_back(catalogue: Open) -> None:
    page = catalogue()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    assert focused(page) == "name"
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    assert focused(page) == "birthday_coupon_he"


def test_single_keys_copy_compare_and_show_the_gallery(catalogue: Open) -> None:
    page = catalogue("#H100234871")
    page.get_by_role("link", name="order_shipped").focus()
    page.keyboard.press("c")
    expect(page.locator("#spoken")).to_have_text("Copied")
    assert focused(page) == "order_shipped_tracking"
    page.keyboard.press("d")
    expect(page.locator(".compare")).to_be_visible()
    page.keyboard.press("d")
    expect(page.locator(".compare")).to_be_hidden()
    page.keyboard.press("d")
    page.keyboard.press("j")
    expect(page.locator(".compare")).to_be_hidden()  # the next one is new
    page.keyboard.press("k")
    expect(page.locator(".compare")).to_be_visible()  # who compares goes on comparing
    page.keyboard.press("g")
    expect(page.locator("#detail")).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    assert (focused(page), shown(page)) == ("name", "payment_overdue_sms")
    page.keyboard.press("g")
    page.keyboard.press("g")
    expect(page.locator("#detail")).to_be_visible()
    assert copied(page) == "H100234871"


def test_the_help_opens_and_switches_single_keys_off(catalogue: Open) -> None:
    page = catalogue()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("g")
    page.get_by_label("Single keys work outside fields").uncheck()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("j")
    page.keyboard.press("?")
    expect(page.locator("#detail")).to_be_visible()
    expect(page.locator("#help")).to_be_hidden()
    assert shown(page) == "appointment_reminder"
    page.get_by_role("link", name="appointment_reminder").focus()
    page.keyboard.press("ArrowDown")
    assert shown(page) == "birthday_coupon_he"


def test_single_keys_are_letters_in_a_sample_value(catalogue: Open) -> None:
    page = catalogue("#H100234871")
    page.get_by_label("Value of 1").press_sequentially("jog/")
    assert page.get_by_label("Value of 1").input_value() == "jog/"
    assert shown(page) == "order_shipped_tracking"


def test_keys_with_control_are_the_browsers(catalogue: Open) -> None:
    page = catalogue("#H100234871")
    page.keyboard.press("Control+d")
    page.keyboard.press("Alt+g")
    expect(page.locator(".facts")).to_be_visible()


def test_arrows_change_the_channel_in_the_tabs(catalogue: Open) -> None:
    page = catalogue()
    page.get_by_role("tab", name="WhatsApp").focus()
    page.keyboard.press("ArrowRight")
    assert focused(page) == "tab-1"
    expect(page.locator(".look .phone.sms")).to_be_visible()
    assert page.locator("[role=tab][tabindex='0']").count() == 1
    page.keyboard.press("ArrowRight")
    assert focused(page) == "tab-0"
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#tab-1")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tabpanel")).to_have_attribute("aria-labelledby", "tab-1")
