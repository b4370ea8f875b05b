"""The checks of templates: what each finds and what it lets pass, and that no real template has them cry."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_outbound.errors import ConfigError, ProblemsFound
from airflow_provider_outbound.model.checks import (
    CHECKS,
    CODES,
    count_problems,
    parse_codes,
    parse_min_rows,
    refuse,
    refuse_few,
    summary,
    tally,
)
from airflow_provider_outbound.model.problems import find_problems
from airflow_provider_outbound.sandbox.data import configurations, template
from tests.strategies import ITEMS

Json = dict[str, Any]
SAMPLES = Path(__file__).parent / "samples"


def body(content: Any = "Hi", **more: Any) -> Json:
    return {"type": "body", "content": content, **more}


def button(sub_type: str = "quick_reply", **more: Any) -> Json:
    return {"type": "button", "sub_type": sub_type, "content": "Yes", **more}


def wa(*components: Json, **more: Any) -> Json:
    return {"type": "wa", "language": "en", "messageComponents": list(components), **more}


def sms(*components: Json, **more: Any) -> Json:
    return {**wa(*components), "type": "sms-twilio", **more}


def rcs(*components: Json, **more: Any) -> Json:
    return {**wa(*components), "type": "googlercs", **more}


def inapp(*components: Json, **more: Any) -> Json:
    return {**wa(*components), "type": "inapp", **more}


def named(name: str, *channels: Json, identity: str = "H1") -> Json:
    return {"id": identity, "name": name, "channels": list(channels)}


def link(url: Any, **more: Any) -> Json:
    return button("url", url=url, **more)


MEDIA = {"type": "media", "content": "https://example.com/a.png"}
PICTURE = {"type": "image", "url": "https://example.com/a.png"}  # of an in-app message
HEADER = {"type": "header", "sub_type": "image", "content": "https://example.com/a.png"}
APPS = [inapp(PICTURE, appNames=[f"com.example.{app}"]) for app in "ab"]

#: By check, listings in which it finds something, with the words that it has for it.
FINDS: dict[str, list[tuple[list[Json], str]]] = {
    "undeclared": [
        ([wa(body("${{1}} and ${{2}}", variables=["1"]))], "uses {{2}} but declares only 1"),
        ([wa(body("${{1}}", variables=[]))], "uses {{1}} but declares none"),
        ([wa(body(), {"type": "footer", "content": "${{name}}"})], "uses {{name}} but declares none"),
        ([wa(body(), link("https://example.com/{{1}}"))], "uses {{1}} but declares none"),
        (
            [wa(body("".join(f"{{{{{n}}}}}" for n in range(1, 9))))],
            "uses {{1}}, {{2}}, {{3}}, {{4}}, {{5}} and 3 more",
        ),
        ([rcs(body(), {**MEDIA, "content": "${{1}}", "variables": {"odd": 1}})], "uses {{1}} but declares none"),
    ],
    "empty": [
        ([wa(body(""))], "body has no text"),
        ([sms(body(" \n"))], "body has no text"),
        ([sms(body(None))], "body has no text"),
        ([inapp({"type": "text", "notificationTitle": "Hi"})], "text has no text"),
        ([rcs(body("", title=""), MEDIA)], "body has no text"),
        ([wa()], "(wa/en) has no body"),
        ([wa({"type": "header", "sub_type": "text", "content": "Hi"})], "(wa/en) has no body"),
        ([rcs(button())], "has no body or media"),
        ([inapp()], "has no text or image"),
        ([named("new")], "new has no channel"),
        ([{"id": "H1", "channels": None}], "H1 has no channel"),
        ([{"id": "H1", "channels": ["wa"]}], "H1 has no channel"),
        ([{"id": "H1", "channels": 5}], "H1 has no channel"),
        ([wa(body("\u200b\u2060\ufeff\xa0\u00ad\u202e\x07"))], "body has no text"),
        ([inapp({"type": "text", "messageText": "\u200b"})], "text has no text"),
        ([inapp({"type": "image"})], "has no text or image"),
        ([inapp({"type": "image", "url": "", "Variables": []})], "has no text or image"),
        ([rcs({"type": "media", "content": ""}, button())], "has no body or media"),
        ([rcs(PICTURE)], "has no body or media"),
        ([inapp(MEDIA)], "has no text or image"),
    ],
    "language": [
        ([wa(body(), language=None)], "(wa) has no language"),
        ([wa(body(), language=" ")], "has no language"),
        ([wa(body(), language="\u200b")], "has no language"),
    ],
    "phone": [
        ([wa(body(), outboundnumber="+1 (202) 555-0123")], "outboundnumber '+1 (202) 555-0123' is not in E.164"),
        ([wa(body(), outboundnumber="ACME")], "outboundnumber 'ACME'"),
        ([sms(body(), outboundnumber="0012025550123")], "outboundnumber '0012025550123'"),
        ([sms(body(), outboundnumber="+1202555012345678")], "outboundnumber '+1202555012345678'"),
        ([wa(body(), button("phone_number", phone_number="1-800-FLOWERS"))], "phone_number '1-800-FLOWERS'"),
        ([rcs(body(), button("phone_number"))], "phone_number '' is not in E.164"),
        ([wa(body(), outboundnumber="+١٢٠٢٥٥٥٠١٢٣")], "outboundnumber"),
        ([wa(body(), outboundnumber="72345")], "outboundnumber '72345'"),
        ([sms(body(), outboundnumber="12")], "outboundnumber '12'"),
        ([sms(body(), outboundnumber="+72345")], "outboundnumber '+72345'"),
        ([sms(body(), outboundnumber="012345678")], "outboundnumber '012345678'"),
        ([rcs(body(), button("phone_number", phone_number="2025550123"))], "phone_number '2025550123'"),
        ([rcs(body(), button("phone_number", phone_number="++12025550123"))], "phone_number '++12025550123'"),
        ([wa(body(), button("phone_number", phone_number="++12025550123"))], "phone_number '++12025550123'"),
        ([wa(body(), button("phone_number", phone_number="112"))], "phone_number '112'"),
        ([wa(body(), button("phone_number", phone_number="+431400"))], "phone_number '+431400'"),
    ],
    "long": [
        (
            [wa({"type": "header", "sub_type": "text", "content": "x" * 61}, body())],
            "content has 61 characters, but only 60",
        ),
        ([wa({"type": "header", "content": "x" * 61}, body())], "content has 61 characters, but only 60"),
        ([wa(body("x" * 1025))], "content has 1025 characters, but only 1024 are allowed"),
        ([wa(body("${{1}}" + "x" * 1024, variables=["1"]))], "content has 1025 characters"),
        ([wa(body(), {"type": "footer", "content": "x" * 61})], "content has 61 characters, but only 60"),
        ([wa(body(), button(content="x" * 26))], "content has 26 characters, but only 25"),
        ([wa(body(), link("https://example.com/" + "x" * 1981))], "url has 2001 characters, but only 2000"),
        ([rcs(body("x", title="x" * 201))], "title has 201 characters, but only 200"),
        ([rcs(body("x" * 2001), MEDIA)], "content has 2001 characters, but only 2000"),
        ([rcs(body("x" * 3073))], "content has 3073 characters, but only 3072"),
        ([rcs(body(), button(content="x" * 26))], "content has 26 characters, but only 25"),
    ],
    "malformed": [
        ([wa(body("Hi {{first name}}"))], "body content has {{ or }} outside a placeholder such as {{1}} [mal"),
        ([wa(body("${{name|upper}} and ${{name}}", variables=["name"]))], "body content has"),
        ([sms(body("Hi {{1"))], "body content has"),
        ([sms(body("Hi {1}}, from {{1}}", variables=["1"]))], "body content has"),
        ([sms(body("Hi {{{{1}}}}", variables=["1"]))], "body content has"),
        ([wa(body("{{}}"))], "body content has"),
        ([sms(body(optOut="Reply {{stop word}}"))], "body optOut has"),
        ([rcs(body(title="${{ first-name }}"))], "body title has"),
        ([inapp({"type": "text", "messageText": "Hi", "notificationTitle": "{{1"})], "text notificationTitle has"),
        ([wa(body(), link("https://example.com/{{1"))], "button url has"),
        ([inapp({**PICTURE, "destinationUrl": "https://example.com/{{1"})], "image destinationUrl has"),
        ([wa(body(), button(content="{{1}"))], "button content has"),
    ],
    "unused": [
        ([wa(body("Hi", variables=["1"]))], "body declares 1 but does not use it"),
        ([wa(body("${{1}}", variables=["1", "2", "3"]))], "declares 2, 3 but does not use them"),
        ([inapp({**PICTURE, "Variables": ["4"]})], "image declares 4"),
        ([wa(body(), link("https://example.com/12", variables=["1"]))], "button declares 1"),
        ([wa({**HEADER, "variables": ["1"]}, body())], "1"),
    ],
    "gap": [
        ([wa(body("${{2}}", variables=["2"]))], "(wa/en) takes variable 2, but not 1"),
        (
            [inapp({"type": "text", "messageText": "${{1}} ${{3}}", "variables": ["1", "3"]})],
            "variable 3, but not 2",
        ),
        ([rcs(body("${{1}}", variables=["1"]), {**MEDIA, "content": "${{9}}", "variables": ["9"]})], "but not 2"),
    ],
    "duplicate": [
        (
            [named("a", wa(body())), named("a", wa(body("Ho")), identity="H2")],
            "a (wa/en) has the same name as configuration H1",
        ),
        ([named("a", wa(body()), wa(body("Ho")))], "a (wa/en) has the same channel and language as channel 0"),
        ([named("a", sms(body()), *APPS, APPS[1])], "a (inapp/en) has the same channel and language as channel 2"),
        ([named("a", APPS[0]), named("a", APPS[1], identity="H2")], "has the same name as configuration H1"),
    ],
    "buttons": [
        ([wa(body(), *[button()] * 4)], "has 4 quick replies, but LivePerson's web tool allows 3"),
        (
            [wa(body(), *[link("https://example.com/a")] * 3)],
            "has 3 calls to action, but LivePerson's web tool allows 2",
        ),
        ([rcs(body(title="Hi"), *[button()] * 5)], "has 5 buttons, but RCS allows 4 here"),
        ([rcs(body(), *[button()] * 12)], "has 12 buttons, but RCS allows 11 here"),
    ],
    "url": [
        ([wa(body(), link("http://example.com/a"))], "url is http, not https"),
        ([wa(body(), link("HTTP://example.com/a"))], "url is http, not https"),
        ([wa(body(), link("javascript:alert(1)"))], "url is javascript, not https"),
        ([wa(body(), link("www.example.com"))], "url does not begin with https"),
        ([wa(body(), link(None))], "button has no url"),
        (
            [wa(body(), link("https://example.com/{{1}}/{{2}}", variables=["1", "2"]))],
            "takes variables 1, 2, but WhatsApp allows one",
        ),
        ([wa({**HEADER, "content": "http://example.com/a.png"}, body())], "content is http"),
        ([rcs(body(), {**MEDIA, "content": "http://example.com/a.png"})], "content is http"),
        ([inapp({**PICTURE, "destinationUrl": "http://x"})], "destinationUrl is http"),
        ([inapp({**PICTURE, "url": "shop://cart.png"})], "url is shop, not https"),
        ([wa(body(), link("shop://cart"))], "url is shop, not https"),
        *(
            ([each(body(), PICTURE, link(f"{scheme}:x"))], f"url is {scheme}, not https")
            for each in (rcs, inapp)
            for scheme in ("http", "javascript", "data", "file")
        ),
    ],
}

#: By check, listings in which it must not find anything, although they come near to it.
PASSES: dict[str, list[list[Json]]] = {
    "undeclared": [
        [wa(body("${{1}} and {{ 2 }}", variables=["1", "2"]))],
        [wa(body("Only $100, or $5 a month", variables=[]))],
        [wa(body("Only $100, or $5 a month"))],
        [wa(body("$1 for $5", variables=["1"]))],
        [wa(body("$1", variables=[1]))],
        [inapp({"type": "image", "url": "$1", "Variables": ["1"]})],
    ],
    "empty": [
        [wa(body("$1", variables=["1"]))],
        [wa(body(7))],
        [rcs(MEDIA)],
        [rcs({"type": "media", "content": "$1", "variables": ["1"]})],
        [rcs(body(), {"type": "media", "content": ""})],
        [rcs(body("", title="Only a title"), MEDIA)],
        [inapp(PICTURE)],
        [inapp({"type": "text", "messageText": "Hi"}, {"type": "image", "url": ""})],
        [{"id": "H1", "channels": ["wa", wa(body("\u200b👍🏽"))]}],
        [wa({"type": "body", "variables": [], "add_security_recommendation": True})],
        [wa({"type": "carousel", "cards": []})],
        [{"type": "new-channel", "language": "en", "messageComponents": []}],
        [
            wa(
                body(),
                {"type": "footer", "code_expiration_minutes": 5},
                {"type": "button", "sub_type": "copy_code"},
            )
        ],
    ],
    "language": [[wa(body(), language="zh_CN")], [inapp({"type": "text", "messageText": "Hi"}, language="xx")]],
    "phone": [
        [wa(body(), outboundnumber="12025550123")],
        [wa(body(), outboundnumber=12025550123)],
        [wa(body(), outboundnumber=None)],
        [sms(body(), outboundnumber="+12025550123")],
        [sms(body(), outboundnumber="ACME")],
        [sms(body(), outboundnumber="72345")],
        [sms(body(), outboundnumber="01234")],
        [wa(body(), outboundnumber="4314000")],
        [rcs(body(), button("phone_number", phone_number="+4314000"))],
        [rcs(body(), outboundnumber="c2m-7453907-grcs")],
        [{**wa(body()), "type": "apple-twilio", "outboundnumber": "urn:biz:0000-1111"}],
        [wa(body(), button("phone_number", phone_number="15550051310"))],
    ],
    "long": [
        [wa({"type": "header", "sub_type": "text", "content": "x" * 60}, body("x" * 1024))],
        [wa(body("${{customer_name}}" + "x" * 1023, variables=["customer_name"]))],
        [wa({**HEADER, "content": "https://example.com/" + "x" * 99}, body())],
        [wa(body(), {"type": "footer", "content": "x" * 60}, button(content="☎️" + "x" * 23))],
        [rcs(body("x" * 3072))],
        [rcs(body("x" * 2000, title="x" * 200), MEDIA)],
        [sms(body("x" * 5000))],
    ],
    "malformed": [
        [wa(body("{1} {name} } { :-} {${{1}}{, {{{2}}} and {{3}}{{name}}", variables=["1", "2", "3", "name"]))],
        [wa(body(), button("flow", flow_action_payload='{"data":{"screen":{}}}'))],
        [wa(body(), {"type": "carousel", "content": '{"cards":{"first":{}}}'})],
    ],
    "unused": [
        [wa(body("$1", variables=["1"]))],
        [wa(body(), link("https://www.google.com/1", variables=["1"]))],
        [wa({"type": "header", "sub_type": "document", "variables": ["1"]}, body())],
        [wa(body(), {"type": "carousel", "cards": [body("${{1}}")], "variables": ["1"]})],
        [wa(body(), variables=["1"])],
    ],
    "gap": [
        [wa(body("Seat ${{2}} on flight ${{1}}", variables=["2", "1"]))],
        [wa(body("${{1}} ${{2}}", variables=["1", "2"]), button(content="Yes, ${{3}}", variables=["3"]))],
        [
            wa(
                body("${{name}} ${{1}}", variables=["name", "1"]),
                link("https://example.com/{{1}}", variables=["1"]),
            )
        ],
        [wa({**HEADER, "content": "${{7}}", "variables": ["7"]}, body())],
        [
            wa(
                {"type": "header", "sub_type": "text", "content": "${{2}}", "variables": ["2"]},
                body("${{1}}", variables=["1"]),
            )
        ],
        [wa(body("${{0}} ${{1}}", variables=["0", "1"]))],
    ],
    "duplicate": [
        [named("a", wa(body())), named("a", wa(body(), language="es"), identity="H2")],
        [named("a", wa(body()), sms(body()))],
        [named("a", *APPS)],
        [named("a", inapp(PICTURE, appName="com.example.a"), inapp(PICTURE, appName="com.example.b"))],
        [named("a", wa(body(), templatename="t")), named("b", wa(body(), templatename="t"), identity="H2")],
        [wa(body(), templatename="t"), wa(body(), templatename="t")],
        [sms(body()), sms(body())],
        [named("", wa(body())), named("", wa(body()), identity="H2")],
    ],
    "buttons": [
        [wa(body(), *[button()] * 3)],
        [wa(body(), button("phone_number", phone_number="+12025550123"), link("https://example.com/a"))],
        [rcs(body(title="Hi"), *[button()] * 4)],
        [rcs(body(), *[button()] * 11)],
        [wa(body(), *[button("flow")] * 9)],
    ],
    "url": [
        [wa(body(), link("https:\\/\\/example.com\\/?wa_customer={{1}}", variables=["1"]))],
        [wa(body(), link("https://example.com/{{1}}?again={{1}}", variables=["1"]))],
        [rcs(body("${{1}} ${{2}}", variables=["1", "2"]), link("{{1}}/{{2}}", variables=["1", "2"]))],
        [wa({**HEADER, "content": "$1", "variables": ["1"]}, body())],
        [wa({**HEADER, "content": "4::aW1hZ2U="}, body())],  # WhatsApp's name of a stored file
        [wa({"type": "header", "sub_type": "text", "content": "http://example.com"}, body("http://example.com"))],
        [inapp({"type": "image", "url": "${{1}}", "variables": ["1"], "destinationUrl": "shop://cart"})],
        [rcs(body(), link("shop://cart/1"))],
        [inapp(PICTURE, link("shop://cart/1"))],
    ],
}


@pytest.mark.parametrize(("code", "items", "words"), [(code, *case) for code in FINDS for case in FINDS[code]])
def test_a_check_finds(code: str, items: list[Json], words: str) -> None:
    found = [str(problem) for problem in find_problems(items) if problem.code == code]
    assert len(found) == 1
    assert words in found[0]
    assert found[0].endswith(f"[{code}]")


@pytest.mark.parametrize(("code", "items"), [(code, case) for code in PASSES for case in PASSES[code]])
def test_a_check_lets_pass(code: str, items: list[Json]) -> None:
    assert find_problems(items) == []


def test_each_check_has_both_tests() -> None:
    assert set(FINDS) == set(PASSES) == set(CODES)
    assert [check.code for check in CHECKS if check.code not in CODES] == ["rows"]


def test_a_listing_that_is_too_short_is_refused() -> None:
    for rows, words in ((0, "0 configurations"), (1, "1 configuration"), (2, "2 configurations")):
        with pytest.raises(
            ProblemsFound, match=rf"^Only {words} at va, account 1, but min_rows is 3: .* \[rows\]"
        ):
            refuse_few(rows, 3, "va, account 1")
    refuse_few(3, 3, "va, account 1")


def test_a_problem_says_where_it_is_and_never_the_text() -> None:
    item = named("spring_sale", sms(body("Secret ${{1}}", variables=["1"])), wa(button(), body("Secret ${{2}}")))
    missing, gap = sorted(find_problems([{"id": "H0", "channels": [sms(body())]}, item]), reverse=True)
    assert missing._asdict() == {
        "code": "undeclared",
        "configuration_index": 1,
        "configuration_id": "H1",
        "configuration_name": "spring_sale",
        "channel_index": 1,
        "channel_type": "wa",
        "language": "en",
        "component_index": 1,
        "component_type": "body",
        "detail": "uses {{2}} but declares none",
    }
    assert (gap.code, gap.channel_index, gap.component_index, gap.component_type) == ("gap", 1, None, None)
    assert (missing.severity, gap.severity) == ("error", "warning")
    assert "Secret" not in repr((missing, gap))


def test_a_bare_channel_is_called_by_its_template_or_its_place() -> None:
    found = find_problems([wa(body(""), templatename="spring_sale"), sms(body(""))])
    assert list(map(str, found)) == [
        "spring_sale (wa/en) body has no text [empty]",
        "configuration 1 (sms-twilio/en) body has no text [empty]",
    ]


def test_the_summary_counts_templates_and_shows_the_first_problems() -> None:
    items = [named(f"n{number}", wa(body(""), language=None), identity=str(number)) for number in range(3)]
    problems = find_problems(items)
    assert summary(problems) == (
        "3 templates have problems: n0 (wa) has no language [language]; n0 (wa) body has no text [empty]; "
        "n1 (wa) has no language [language]; and 3 more problems"
    )
    assert summary(problems[:1]) == "1 template has problems: n0 (wa) has no language [language]"
    assert summary(problems[:4]).endswith("; and 1 more problem")
    for found, has in (
        (problems, "3 templates at va, account 1, have"),
        (problems[:1], "1 template at va, account 1, has"),
    ):
        assert summary(found, "va, account 1").startswith(f"{has} problems: n0 (wa) ")
    assert count_problems(problems) == {
        "rows": 6,
        "error": 6,
        "warning": 0,
        "codes": {"empty": 3, "language": 3},
    }
    assert tally(problems, "va") == "The checks found 6 errors and 0 warnings at va: empty 3, language 3"
    assert tally(problems[:1], "va") == "The checks found 1 error and 0 warnings at va: language 1"
    assert tally([], "va") == "The checks found no problems at va"
    refuse(problems, ["undeclared"])
    with pytest.raises(ProblemsFound, match=r"^3 templates .*; n2 \(wa\) has no language \[language\]\. Correct"):
        refuse(problems, ["language"])
    with pytest.raises(ProblemsFound, match=r"^3 templates at va, account 1, have problems: n0 "):
        refuse(problems, ["language"], "va, account 1")


def test_words_from_outside_are_printable_and_short() -> None:
    (problem,) = find_problems([named("n" * 5000, wa(body(""), language="x" * 5000))])
    assert len(str(problem)) < 300
    assert str(problem).endswith(" body has no text [empty]")
    (twice,) = find_problems([named("a", wa(body()), identity="H\n" + "9" * 500), named("a", wa(body()))])
    assert str(twice).isprintable()
    assert len(str(twice)) < 300
    (problem,) = find_problems([named("a\n\x1b[31m", wa(body("", variables=[])))])
    assert str(problem) == r"a\n\x1b[31m (wa/en) body has no text [empty]"


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        (None, []),
        ("", []),
        (" ", []),
        ([], []),
        ("empty", ["empty"]),
        ("empty, undeclared,empty", ["empty", "undeclared"]),
        (["gap", "url"], ["gap", "url"]),
        (("gap",), ["gap"]),
    ],
)
def test_codes_are_a_list_or_text(given: Any, codes: list[str]) -> None:
    assert parse_codes(given) == codes


@pytest.mark.parametrize(
    "given", ["nonsense", "empty,", "empty;gap", ["empty", "rows"], [["empty"]], 5, {"empty": 1}]
)
def test_unknown_codes_are_refused_with_those_that_are_known(given: Any) -> None:
    with pytest.raises(
        ConfigError, match=r"^fail_on has .*: the checks are undeclared, empty, language, .*, url$"
    ):
        parse_codes(given)


@pytest.mark.parametrize(("given", "number"), [(None, 0), ("", 0), (0, 0), (7, 7), ("7", 7), (" 7 ", 7)])
def test_min_rows_is_a_number_or_its_text(given: Any, number: int) -> None:
    assert parse_min_rows(given) == number


@pytest.mark.parametrize("given", ["many", -1, 1.5, True, [1], "None"])
def test_min_rows_that_is_not_a_number_is_refused(given: Any) -> None:
    with pytest.raises(ConfigError, match="^min_rows is .*: give a number of configurations"):
        parse_min_rows(given)


def examples() -> list[Any]:
    """Return the examples of LivePerson's page, as its web page shows them and as its source has them."""
    cases = []
    for path in sorted(SAMPLES.glob("*.json")):
        data = json.loads(path.read_text())
        items = data if isinstance(data, list) else [data]
        if path.stem.startswith("component_"):
            items = [wa(body(), *items)]
        cases.append(pytest.param(path.stem, items, id=path.stem))
        # The web page swallowed the braces of ${{1}} in texts and of {{1}} in URLs.
        source = json.dumps(items)
        for shown, written in (("google.com/1", "google.com/{{1}}"), ("/1.pdf", "/{{1}}.pdf")):
            source = source.replace(shown, written)
        for number in range(1, 6):
            source = source.replace(f"${number}", f"${{{{{number}}}}}")
        if source != json.dumps(items):
            cases.append(pytest.param(path.stem, json.loads(source), id=f"{path.stem} in its source"))
    return cases


@pytest.mark.parametrize(("name", "items"), examples())
def test_examples_of_livepersons_page_have_only_known_problems(name: str, items: list[Json]) -> None:
    found = [str(problem) for problem in find_problems(items)]
    if name == "list_by_channel":
        # A real defect, in the page's source, too: its texts read "outbound message #1", with no placeholder, but
        # declare variables. A campaign has to send values that nobody sees.
        assert found == [
            "configuration 0 (sms-twilio/en) body declares 1 but does not use it [unused]",
            "configuration 1 (sms-twilio/en) body declares 1, 2 but does not use them [unused]",
            "configuration 2 (sms-twilio/en) body declares 1 but does not use it [unused]",
        ]
    else:
        assert found == []


def test_whatsapps_own_templates_have_only_known_problems() -> None:
    items: list[Json] = []
    for path in sorted((SAMPLES / "whatsapp").glob("*.json")):
        data = json.loads(path.read_text())
        items += data if isinstance(data, list) else [data]
    # A real defect: its only variable is 2.
    assert list(map(str, find_problems(items))) == [
        "hash_before_variable (wa/en_US) takes variable 2, but not 1 [gap]"
    ]


def test_the_sandbox_has_no_problems_but_the_planted_one() -> None:
    problems = find_problems(configurations(2000, seed=1))
    assert {(problem.code, (problem.configuration_name or "")[:-5]) for problem in problems} == {
        ("gap", "order_on_its_way")
    }
    for channel in ("wa", "sms-twilio", "apple-twilio", "googlercs", "inapp"):
        assert find_problems([template("spring_sale", channel, "en", ["1", "2"])]) == []


@given(st.lists(ITEMS, max_size=4))
def test_no_json_breaks_a_check(items: list[Json]) -> None:
    for problem in find_problems(items):
        assert str(problem).isprintable()
        assert problem.code in CODES


def test_twenty_thousand_variables_take_a_second_at_most() -> None:
    names = list(map(str, range(1, 20_001)))
    items = [
        wa(body(" ".join(f"{{{{{name}}}}}" for name in names), variables=names[::-1])),
        wa(body(variables=names)),
    ]
    started = time.process_time()
    assert [problem.code for problem in find_problems(items)] == ["long", "unused"]
    assert time.process_time() - started < 1


def test_ten_thousand_configurations_take_two_seconds_at_most() -> None:
    items = configurations(10_000, seed=1)
    started = time.process_time()
    find_problems(items)
    assert time.process_time() - started < 2
