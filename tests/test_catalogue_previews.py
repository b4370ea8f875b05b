"""Previews as markup: what is in them, whatever the JSON is. ``tests/browser`` looks at them."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from airflow_provider_outbound.catalogue.fields import changed_fields
from airflow_provider_outbound.catalogue.phones import host, phone_number
from airflow_provider_outbound.catalogue.previews import comparison, preview, snippet
from airflow_provider_outbound.model.changes import differences
from airflow_provider_outbound.model.items import channels
from airflow_provider_outbound.sandbox.data import configurations
from tests.browser.channels import button, part, rcs, wa
from tests.strategies import ITEMS, JSON

#: Channels whose fields are of any type.
KINDS = st.sampled_from(["wa", "sms-twilio", "apple-twilio", "googlercs", "inapp", "fax", None, 5, []])
PARTS = st.sampled_from(["header", "body", "footer", "button", "media", "text", "image", "carousel", None, {}])
TEXTS = (
    st.sampled_from(
        ["*a* {{1}} $1", "https://a.example/b.mp4", "image", "location", "HORIZONTAL", "tall", "ar", "+1"]
    )
    | JSON
)
FIELDS = [
    *("content", "title", "optOut", "sub_type", "index", "url", "phone_number", "variables", "Variables"),
    *("height", "thumbnailImageAlignment", "isClickable", "destinationUrl", "isSameMessageForNotification"),
    *("messageText", "notificationTitle", "notificationMessage"),
]
COMPONENTS = st.builds(
    lambda kind, fields: {"type": kind, **fields},
    PARTS,
    st.dictionaries(st.sampled_from(FIELDS), TEXTS, max_size=6),
)
CHANNELS = st.builds(
    lambda kind, parts, fields: {"type": kind, "messageComponents": parts, **fields},
    KINDS,
    st.lists(COMPONENTS | JSON, max_size=4) | COMPONENTS | JSON,
    st.dictionaries(
        st.sampled_from(["language", "outboundnumber", "serviceAccountName", "appNames", "cardOrientation"]), TEXTS
    ),
)


def change(before: Any, after: Any) -> list[tuple[str, str, str]]:
    """Return the changed fields from one configuration to another, as text."""
    (found,) = differences(*([json.dumps(item).encode()] for item in (before, after)))
    return [tuple(map(str, row)) for row in changed_fields(found)]  # type: ignore[misc]


def configuration(*listed: Any, **fields: Any) -> Any:
    return {"id": "H1", "name": "a", "channels": [*listed], **fields}


@given(CHANNELS | JSON)
def test_any_json_has_a_preview(channel: Any) -> None:
    for shown in (preview(channel), snippet(channel), comparison(channel, {}), comparison(None, channel)):
        assert isinstance(shown, Markup)
        shown.encode()
        assert not re.search(r"<[^>]* (id|style|on\w+)=", shown)


@given(CHANNELS, CHANNELS)
def test_any_two_channels_compare(before: Any, after: Any) -> None:
    phones = comparison(before, after)
    assert phones.count("<figcaption>") == 2
    assert re.sub("</?del>", "", phones.split("</figure>")[0]).endswith(preview(before))
    assert re.sub("</?ins>", "", phones.split("</figure>")[1]).endswith(preview(after))
    assert not re.search("<(del|ins)>", comparison(before, before))


@given(ITEMS, ITEMS)
def test_whatever_changed_has_a_row(before: Any, after: Any) -> None:
    for found in differences([json.dumps(before).encode()], [json.dumps(after).encode()]):
        assert bool(changed_fields(found)) == (found.kind == "updated")


def test_a_field_of_a_megabyte_has_a_preview() -> None:
    for megabyte in ("x" * 10**6, "${{1}} *a* " * 10**5, [["y"] * 10**5], {"z": "x" * 10**6}):
        parts = [
            {"type": kind, **dict.fromkeys(FIELDS, megabyte)} for kind in ("header", "body", "button", "text")
        ]
        for kind in ("wa", "sms-twilio", "googlercs", "inapp", megabyte):
            channel = {"type": kind, "language": megabyte, "outboundnumber": megabyte, "messageComponents": parts}
            assert len(preview(channel)) < 1_200_000
            assert len(snippet(channel)) < 10_000


@pytest.mark.parametrize("kind", ["wa", "sms-twilio", "apple-twilio", "googlercs", "inapp", "fax"])
def test_no_field_can_add_an_element(kind: str) -> None:
    script = "\"'><script>alert(1)</script>${{1}}"
    parts = [
        {**dict.fromkeys(FIELDS, script), "type": each, "sub_type": sub_type}
        for each in ("header", "body", "footer", "button", "media", "text", "image", script)
        for sub_type in ("image", script)
    ]
    names = dict.fromkeys(("language", "outboundnumber", "serviceAccountName", "appNames", script), script)
    channel = {"type": kind, "messageComponents": parts, **names}
    other = {**channel, "messageComponents": [*parts, *parts]}
    rows = change(configuration(channel), configuration(other, **{script: script}))
    for shown in (
        preview(channel),
        snippet(channel),
        comparison(channel, other),
        *(cell for row in rows for cell in row),
    ):
        assert "<script" not in escape(shown)


def test_what_is_nested_deeply_has_a_preview() -> None:
    nested: Any = "x"
    for _ in range(5_000):
        nested = {"a": [nested]}
    channel = wa({"type": "carousel", "cards": nested})
    assert "nested too deeply" in preview(channel)
    assert "nested too deeply" in comparison(channel, channel)


def test_a_thousand_templates_are_rendered_in_a_second() -> None:
    listed = [channel for item in configurations(1000, seed=1) for channel in channels(item)]
    began = time.process_time()
    shown = [preview(channel) for channel in listed]
    snippets = [snippet(channel) for channel in listed]
    assert time.process_time() - began < 2  # half of it on a machine at rest
    assert sum(map(len, shown)) / len(shown) < 700
    assert sum(map(len, snippets)) / len(snippets) < 300


@pytest.mark.parametrize(
    ("channel", "words"),
    [
        (wa(part("header", "H"), part("body", "*Hi* {{1}},\n\n- a  b", "1")), "Hi <var>1</var>, a b"),
        (wa(part("header", "H", sub_type="text")), "H"),
        (wa(part("header", "https://a.example/b", sub_type="image")), "<i>media only</i>"),
        (wa(), "<i>no text</i>"),
        (wa(part("body", "<b> &amp;")), "&lt;b&gt; &amp;amp;"),
        (wa(part("body", "&" * 130)), "&amp;" * 120 + "…"),
        (wa(part("body", "a" * 119 + "{{name}}" + "b")), "a" * 119 + '<var dir="auto" class="u">name</var>…'),
        (rcs(part("media", "{{1}}", "1")), "<i>media only</i>"),
        (rcs(part("body", title="T")), "T"),
        (rcs(part("body", "*a*", title="T")), "*a*"),
        ({"type": "inapp", "messageComponents": [{"type": "text", "messageText": "M"}]}, "M"),
        ({"type": "inapp", "messageComponents": [{"type": "text", "notificationMessage": "N"}]}, "N"),
        ({"type": "fax", "messageComponents": [part("body", "B")]}, "<i>no text</i>"),
    ],
)
def test_a_snippet_is_the_first_words_on_one_line(channel: Any, words: str) -> None:
    assert snippet(channel) == words


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("12535277322", "+1 253 527 7322"),
        ("+14156586515", "+1 415 658 6515"),
        (12535277322, "+1 253 527 7322"),
        ("+97235550110", "+97235550110"),
        ("97235550110", "+97235550110"),
        ("12345", "12345"),
        ("MYSHOP", "MYSHOP"),
        ("c2m-7453907-grcs", "c2m-7453907-grcs"),
        ("0800555012", "0800555012"),
        ("١٢٣٤٥٦٧٨", "١٢٣٤٥٦٧٨"),
        (None, ""),
        ([], ""),
    ],
)
def test_an_international_number_has_a_plus_sign(given: Any, shown: str) -> None:
    assert phone_number(given) == shown


@pytest.mark.parametrize(
    ("url", "loaded_from"),
    [
        ("https://cdn.example.com/a.jpg", "cdn.example.com"),
        ("HTTPS://CDN.example.com:8443", "cdn.example.com:8443"),
        ("https://good.example@evil.example/", ""),  # what follows may look like a path
        ("https://evil.example\\@good.example/a.png", ""),  # to a browser, this is evil.example/@good.example
        ("https://p\u0430ypal.example", ""),  # a Cyrillic letter
        ("https://%65vil.example", ""),
        ("https://0x7f000001/", ""),
        ("https://127.0.0.1/", ""),
        ("http://cdn.example.com/a.jpg", ""),
        ("//cdn.example.com", ""),
        ("https:\\/\\/example.com", ""),
        ("https://", ""),
        ("https://[", ""),
        ("javascript:alert(1)", ""),
        ("", ""),
    ],
)
def test_a_host_is_where_the_browser_loads_from_or_none_if_that_is_in_doubt(url: str, loaded_from: str) -> None:
    assert host(url) == loaded_from


@pytest.mark.parametrize(
    ("language", "attributes"),
    [
        ("en", 'lang="en"'),
        ("pt_BR", 'lang="pt-BR"'),
        ("he", 'lang="he" dir="rtl"'),
        ("AR_EG", 'lang="AR-EG" dir="rtl"'),
        ("prs_AF", 'lang="prs-AF" dir="rtl"'),
        ("arn", 'lang="arn"'),
        ("en onload=x", ""),
        (None, ""),
        (5, ""),
    ],
)
def test_a_phone_has_its_language(language: Any, attributes: str) -> None:
    found = re.match(
        '<section class="phone wa" ?(.*?) aria-label="As seen on WhatsApp">', preview(wa(language=language))
    )
    assert found
    assert found[1] == attributes


def test_the_variable_of_a_media_header_is_named_by_its_kind() -> None:
    shown = preview(wa(part("header", "${{1}}", "1", sub_type="video"), part("body", "{{1}}", "1")))
    assert '<div class="media video" data-url="${{1}}">' in shown
    assert 'link comes with each message <var class="h">video</var></span></div>' in shown
    assert "<var>1</var></p>" in shown


def test_other_media_have_their_own_variables() -> None:
    shown = preview(rcs(part("media", "https://a.example/$1.mp4?{{2}}", "1")))
    assert '<div class="media video medium" data-url="https://a.example/$1.mp4?{{2}}">' in shown
    assert 'link comes with each message <var>1</var> <var class="u">2</var></span></div>' in shown


def test_a_button_without_text_has_the_label_that_whatsapp_gives_it() -> None:
    shown = preview(
        wa(part("body", "B"), *({"type": "button", "sub_type": each} for each in ("copy_code", "url")))
    )
    assert '<span dir="auto">Copy code</span>' in shown
    assert '<span class="none">Button without text</span>' in shown


def test_a_notification_may_show_the_message() -> None:
    text = {"type": "text", "messageText": "M", "notificationMessage": "N", "notificationTitle": "T"}
    for same, words in ((True, "T M"), ("true", "T M"), (False, "T N"), (None, "T N")):
        channel = {"type": "inapp", "messageComponents": [{**text, "isSameMessageForNotification": same}]}
        push = preview(channel).split("In the app")[0]
        assert " ".join(re.findall('dir="auto">(.*?)</p>', push)) == words


def test_what_has_no_preview_is_shown_as_json() -> None:
    shown = preview(wa(part("body", "B"), {"type": "carousel", "cards": [{"a": float("nan")}]}, "text", 5))
    assert re.findall("<code>(.*?)</code>", shown) == ["carousel", "component", "component"]
    assert '"cards"' in Markup(shown).unescape()


def test_an_sms_says_its_parts_without_the_values() -> None:
    body = part("body", "Hi ${{1}} & $2 $100", *"12", optOut="Reply STOP")
    shown = preview({"type": "sms-twilio", "messageComponents": [body]})
    # "Hi  &  $100", a line break and "Reply STOP"
    assert '<p class="size">22 characters and 2 values · at least 1 SMS part</p>' in shown
    shown = preview({"type": "sms-twilio", "messageComponents": [part("body", "ж" * 80)]})
    assert "80 characters · 2 SMS parts of 67 (“<bdi>ж</bdi>” is outside the SMS alphabet)" in shown


def test_changed_fields_have_labels_for_people() -> None:
    before = configuration(
        wa(
            part("header", "https://a.example/box.png", sub_type="image"),
            part("body", "Hi ${{1}}", "1"),
            button(0, "Track parcel", "url", url="https://a.example/1"),
            templatename="shipped_v6",
        ),
        updatedAt="2026-11-17",
    )
    after = configuration(
        wa(
            part("body", "Hi ${{1}} and ${{2}}", "1", "2"),
            part("header", "https://a.example/parcel.png", sub_type="image"),
            button(0, "Track my parcel", "url", url="https://a.example/2"),
            button(1, "No"),
            templatename="shipped_v7",
            added={"deep": [True]},
        ),
        updatedAt="2026-11-21",
        routeAllWithinLookback=True,
    )
    assert change(before, after) == [
        ("Route all within the lookback period", "<i>not there</i>", "<ins>yes</ins>"),
        ("WhatsApp name", "<del>shipped_v6</del>", "<ins>shipped_v7</ins>"),
        ("<code>channels[0].added.deep[0]</code>", "<i>not there</i>", "<ins>true</ins>"),
        ("Body", "Hi <var>1</var>", "Hi <var>1</var> <ins>and <var>2</var></ins>"),
        ("Body · variables", "1", "1<ins>, 2</ins>"),
        ("Header", "https://a.example/<del>box.png</del>", "https://a.example/<ins>parcel.png</ins>"),
        ("Button 1", "Track parcel", "Track <ins>my</ins> parcel"),
        ("Button 1 · link", "https://a.example/<del>1</del>", "https://a.example/<ins>2</ins>"),
        ("Button 2 · kind", "<i>not there</i>", "<ins>quick_reply</ins>"),
        ("Button 2", "<i>not there</i>", "<ins>No</ins>"),
        ("Button 2 · place", "<i>not there</i>", "<ins>1</ins>"),
        ("Components", "header, <del>body</del>, button", "<ins>body,</ins> header, <ins>button</ins>, button"),
        ("Last update", "2026-11-<del>17</del>", "2026-11-<ins>21</ins>"),
    ]


def test_buttons_are_compared_by_their_place() -> None:
    shown = comparison(wa(button(1, "No"), button(0, "Yes")), wa(button(0, "Yes"), button(1, "No")))
    assert not re.search("<(del|ins)>", shown)


def test_a_change_of_nesting_has_a_row() -> None:
    listed = wa(part("body", "a"))
    nested = {**listed, "messageComponents": [listed["messageComponents"]]}
    rows = change(configuration(listed), configuration(nested))
    assert ("<code>channels[0].messageComponents[0].content</code>", '<del>"a"</del>', "<i>not there</i>") in [
        (label, before.replace("&#34;", '"'), after) for label, before, after in rows
    ]


def test_fields_of_several_channels_name_their_channel() -> None:
    sms = {"type": "sms-twilio", "messageComponents": [part("body", "a", optOut="STOP")]}
    rows = change(
        configuration(wa(part("body", "a")), sms),
        configuration(wa(part("body", "b")), {**sms, "messageComponents": [part("body", "a", optOut="END")]}, "x"),
    )
    assert [label for label, *_ in rows] == [
        "WhatsApp · Body",
        "SMS · Body · opt-out",
        "<code>channels[2]</code>",
        "Channels",
    ]
