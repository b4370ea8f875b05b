"""Texts of templates as HTML: formatting, placeholders, links, changed words, and the parts of an SMS."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from airflow_provider_outbound.catalogue import texts
from airflow_provider_outbound.catalogue.sms import size
from airflow_provider_outbound.catalogue.words import changes

#: Texts with much of what is special.
ODD = st.lists(
    st.sampled_from([*"*_~` \n-><&\"'.,:/a1É🎉", "```", "${{1}}", "{{name}}", "$1", "$100", "- ", "1. ", "> "])
    | st.sampled_from(
        ["https://a.example/b_c_", "example.com/x*y*", "20:00", "*bold*", "\u05d0", "\r\n", "\x00", "\ud800"]
    )
    | st.text(st.characters(exclude_categories=()), max_size=4),
    max_size=25,
).map("".join)


def whatsapp(text: str, *declared: str) -> str:
    return str(texts.html(texts.visible(text), declared, links=True, formatted=True))


def seen(markup: str) -> str:
    return unescape(re.sub("<[^>]*>", "", markup))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("*bold* _italic_ ~strike~", "<b>bold</b> <i>italic</i> <s>strike</s>"),
        ("```mono``` and `code`", "<samp>mono</samp> and <code>code</code>"),
        ('*two words*, (*three*) "*four*"', "<b>two words</b>, (<b>three</b>) &#34;<b>four</b>&#34;"),
        ("*_~all~_*", "<b><i><s>all</s></i></b>"),
        ("*a _b_ c*", "<b>a <i>b</i> c</b>"),
        ("*a _b* c_", "<b>a _b</b> c_"),  # a mark that crosses another pair is text
        ("2*3*4 and *2*3*", "2*3*4 and <b>2*3</b>"),
        ("snake_case_name", "snake_case_name"),
        ("a*b* *c*d", "a*b* *c*d"),
        ("a * b * and *c * and *d", "a * b * and *c * and *d"),
        ("*a * and * b*", "<b>a * and * b</b>"),
        ("**a**", "*<b>a</b>*"),
        ("*a\nb*", "*a\nb*"),
        ("*a* *b*", "<b>a</b> <b>b</b>"),
        ("*", "*"),
        ("** __ ~~ ``", "** __ ~~ ``"),
        ("`*a*` ```*a*\n_b_```", "<code>*a*</code> <samp>*a*\n_b_</samp>"),
        ("``` ```", "``` ```"),
        ("- a\n* b\nc", '<span class="li">a\n</span><span class="li">b\n</span>c'),
        ("1. a\n12. *b*", '<span class="ol">1. a\n</span><span class="ol">12. <b>b</b></span>'),
        ("> a\nb > c", '<span class="q">a\n</span>b &gt; c'),
        ("-a\n1.a\n>a\n2024. a", "-a\n1.a\n&gt;a\n2024. a"),
        ("בכלל *נעם* שלום", "בכלל <b>נעם</b> שלום"),
        ("نعم*نعم*", "نعم*نعم*"),
    ],
)
def test_whatsapp_formats_words(text: str, shown: str) -> None:
    assert whatsapp(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("*${{1}}* is", "<b><var>1</var></b> is"),
        ("by${{1}}.", "by<var>1</var>."),
        ("${{1}}-${{2}}", '<var>1</var>-<var class="u">2</var>'),
        ("${{1}}*a* and *a*{{1}}", "<var>1</var>*a* and *a*<var>1</var>"),  # values are words
        ("{{ 1 }} $1 $10 $100", "<var>1</var> <var>1</var> $10 $100"),
        ("{{some_name}}", '<var dir="auto" class="u">some_name</var>'),
        ("`{{1}}`", "<code><var>1</var></code>"),
        ("{{1} {{}} {{a b}} ${1}", "{{1} {{}} {{a b}} ${1}"),
    ],
)
def test_a_placeholder_is_a_var(text: str, shown: str) -> None:
    assert whatsapp(text, "1") == shown


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("See https://a.example/b?c=1&d.", "https://a.example/b?c=1&d"),
        ("(https://a.example/b)", "https://a.example/b"),
        ("*https://a.example/b_c_d*", "https://a.example/b_c_d"),
        ("at www.a.example!", "www.a.example"),
        ("at a-b.example/c, or", "a-b.example/c"),
        ("HTTP://A.EXAMPLE", "HTTP://A.EXAMPLE"),
        ("https://a.example/{{ 1 }}/x", "https://a.example/1/x"),
        ("https://a.example/*b*/c", "https://a.example/*b*/c"),
        ("me@a.example/c", None),
        ("Hi.There 1.5/2 and/or", None),
        ("ftp://a.example/b", None),
    ],
)
def test_a_link_ends_before_the_sentence_does(text: str, link: str | None) -> None:
    assert [seen(each) for each in re.findall("<u>(.*?)</u>", whatsapp(text, "1"))] == ([link] if link else [])


@given(ODD)
def test_formatting_changes_nothing_but_its_marks(text: str) -> None:
    shown = whatsapp(text, "1", "name")
    plain = seen(str(texts.html(texts.visible(text), ("1", "name"))))
    marks = re.compile(r"[*_~`>\s-]")
    assert marks.sub("", seen(shown)) == marks.sub("", plain)


def unbalanced(markup: str) -> list[str]:
    """Return the elements that are open where another one ends, or at the end."""
    stack: list[str] = []
    for close, name in re.findall("<(/?)([a-z]+)[^<>]*>", markup):
        if not close:
            stack.append(name)
        elif stack.pop() != name:
            return [name]
    return stack


@given(ODD)
def test_elements_are_balanced_and_everything_else_is_escaped(text: str) -> None:
    for shown in (whatsapp(text, "1"), str(texts.html(texts.visible(text), links=True))):
        assert not unbalanced(shown)
        tags = '</?(b|i|s|u|var|code|samp|span)( [a-z]+="[a-z]+")*>'
        assert not re.search("[<>\"']", re.sub(tags, "", shown))
        shown.encode()


@given(ODD, ODD)
def test_marks_of_changed_words_change_no_text(before: str, after: str) -> None:
    old, new = texts.visible(before), texts.visible(after)
    for text, ranges, mark in zip((old, new), changes(old, new), ("del", "ins"), strict=True):
        for formatted in (False, True):
            plain = texts.html(text, ("1",), links=True, formatted=formatted)
            marked = texts.html(text, ("1",), links=True, formatted=formatted, changed=ranges, mark=mark)
            assert re.sub(f"</?{mark}>", "", marked) == plain
            assert not unbalanced(marked)
        for start, end in ranges:
            assert text[start:end].strip() == text[start:end] != ""
            assert not set("\n*~`") & set(text[start:end].strip("_"))
    if "".join(old.split()) != "".join(new.split()) and not set("*_~`") & set(old + new):
        assert changes(old, new) != ([], [])
    # What neither side marks is the same on both.
    rest = [
        re.sub(
            r"[\s*_~`]",
            "",
            "".join(text[at] for at in range(len(text)) if not any(a <= at < b for a, b in ranges)),
        )
        for text, ranges in zip((old, new), changes(old, new), strict=True)
    ]
    assert rest[0] == rest[1]


@pytest.mark.parametrize(
    ("before", "after", "marked"),
    [
        ("before 18:00 the day", "before 20:00 the day", ["18:00", "20:00"]),
        ("a b", "a new word b", ["new word"]),
        ("v_6.png", "v_7.png", ["v_6.png", "v_7.png"]),
        ("Hi ${{1}}", "Hi ${{2}}", ["${{1}}", "${{2}}"]),
        ("a", "a\nb c\nd", ["b c", "d"]),
        ("word", "*word*", []),
        ("a b", "a  b", []),
    ],
)
def test_changed_words_are_whole(before: str, after: str, marked: list[str]) -> None:
    old, new = changes(before, after)
    assert [before[a:b] for a, b in old] + [after[a:b] for a, b in new] == marked


def test_a_changed_placeholder_is_marked_within_bold() -> None:
    old, new = "a *b*", "a *b ${{1}}*"
    shown = texts.html(new, ("1",), formatted=True, changed=changes(old, new)[1], mark="ins")
    assert shown == Markup("a <b>b <ins><var>1</var></ins></b>")


def test_the_mark_of_a_changed_list_stays_hidden() -> None:
    shown = texts.html("- *", formatted=True, changed=changes("", "- *")[1], mark="ins")
    assert shown == Markup('<span class="li">*</span>')


def test_a_text_of_a_megabyte_is_cut() -> None:
    for text in ("x" * 10**6, "*" * 10**6, "`a" * 10**6, "{{" * 10**6, "a." * 10**6, "- ```" * 10**6):
        assert len(seen(whatsapp(text))) <= texts.MOST + len(texts.MORE)


def test_of_texts_with_very_many_words_all_count_as_changed() -> None:
    before = " ".join(map(str, range(1200)))
    old, new = changes(before, f"{before} more")
    assert (old, new) == ([(0, len(before))], [(0, len(before) + 5)])


def test_what_html_forbids_is_left_out() -> None:
    assert texts.visible("a\x00\x1b\ufdd0\uffffb\r\nc\rd\te\ud800") == "ab\nc\nd\te?"


@pytest.mark.parametrize("value", [None, True, [], {}, [1], {"a": 1}])
def test_what_is_no_text_is_empty(value: object) -> None:
    assert texts.visible(value) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (0, 1, 160, None)),
        ("a" * 160, (160, 1, 160, None)),
        ("a" * 161, (161, 2, 153, None)),
        ("a" * 306, (306, 2, 153, None)),
        ("a" * 307, (307, 3, 153, None)),
        ("€" * 80, (160, 1, 160, None)),
        ("a" * 159 + "[", (161, 2, 153, None)),
        ("€" * 153, (306, 3, 153, None)),  # 153 is odd: no part holds half a euro sign
        ("à é ñ ß Ω ü\n@", (13, 1, 160, None)),
        ("á", (1, 1, 70, "á")),
        ("ç" * 70, (70, 1, 70, "ç")),
        ("ж" * 71, (71, 2, 67, "ж")),
        ("ж" * 135, (135, 3, 67, "ж")),
        ("🎉", (2, 1, 70, "🎉")),
        ("🎉" * 36, (72, 2, 67, "🎉")),
        ("🎉" * 67, (134, 3, 67, "🎉")),
    ],
)
def test_an_sms_has_parts_as_networks_count_them(text: str, expected: tuple[int, int, int, str | None]) -> None:
    assert size(text) == expected
