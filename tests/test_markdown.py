"""Changes as Markdown: a person sees what changed, and no text in it can pass for anything else."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from airflow_provider_outbound.model.changes import Change, Content, Field, Kind, differences
from airflow_provider_outbound.model.codec import encode
from airflow_provider_outbound.model.markdown import as_markdown

MYSQL_TEXT = 65_535  # bytes
REST = "@@ The rest is not shown"
FORGERY = (
    "![x](https://example.com/x.png) <img src=x onerror=alert(1)> [ok](javascript:alert(1)) **APPROVED** | a | b\n"
    "```\n# Nothing changed\n~~~\n- old\n+ new\n@@ removed: other\n\u202eevil\u202c \x1b[31m \r\n\u2028www.example"
)


def change(*fields: tuple[str, str | None, str | None], name: str = "sale", number: str = "7") -> Change[Content]:
    """Return a change of these fields."""
    state = Content(number, number, (name,), (("wa", "en"),), b"{}")
    return Change("updated", state, state, [Field(*each) for each in fields])


def whole(kind: Kind, **item: Any) -> Change[Content]:
    """Return the creation or removal of a configuration."""
    sides = [[encode(item)], []]
    (found,) = differences(*(sides if kind == "removed" else sides[::-1]))
    return found


def text(before: str, after: str, **more: str) -> Change[Content]:
    return change(("x", json.dumps(before), json.dumps(after)), **more)


def page(*changes: Change[Content], template_name: str = "sale") -> str:
    return as_markdown(changes, template_name, "in the file")


def blocks(markdown: str) -> list[str]:
    """Return the code blocks of a page that has nothing else but one line of ours."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)
    first, line, last, *fences = tokens
    assert (first.type, last.type) == ("paragraph_open", "paragraph_close")
    assert re.fullmatch(r"[\w .:*]+", line.content)
    assert {fence.type for fence in fences} <= {"fence"}
    return [fence.content for fence in fences]


def test_a_changed_text_is_shown_line_by_line() -> None:
    assert page(change(("channels[0].footer", '"Hi\\nthere"', '"Hi\\nyou"'))) == (
        "Configurations that changed: 1.\n\n"
        "```diff\n"
        "@@ updated: sale (wa/en), id 7\n"
        "@@ channels[0].footer\n"
        "- Hi\n"
        "- there\n"
        "+ Hi\n"
        "+ you\n"
        "```"
    )


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ("1", '"1"', ["- 1", '+ "1"']),
        (None, '""', ["+ "]),
        ("null", None, ["- null"]),
        ('["1"]', "[]", ['- ["1"]', "+ []"]),
        ('"half \\ud83d"', '"x"', ["- half \\ud83d", "+ x"]),
    ],
)
def test_other_values_are_shown_as_json(before: str | None, after: str | None, lines: list[str]) -> None:
    (block,) = blocks(page(change(("x", before, after))))
    assert block.splitlines()[2:] == lines


def test_what_was_created_or_removed_is_shown_whole() -> None:
    item = {"id": "7", "channels": [{"type": "wa", "messageComponents": [{"content": "Hi"}]}]}
    created, removed = blocks(page(whole("created", **item), whole("removed", **item)))
    shown = ["@@ channels[0].messageComponents[0].content", "+ Hi"]
    assert created.splitlines()[-2:] == shown
    assert removed.splitlines() == [
        line.replace("created", "removed").replace("+", "-") for line in created.splitlines()
    ]


def test_a_new_date_is_no_change() -> None:
    dated = ("updatedAt", '"2026-01-01"', '"2026-02-02"')
    assert page() == page(change(dated)) == ""
    (block,) = blocks(page(change(dated), change(dated, ("a", "1", "2"))))
    assert block == "@@ updated: sale (wa/en), id 7\n@@ a\n- 1\n+ 2\n"


def test_a_change_far_behind_in_a_long_text_is_shown() -> None:
    same = "one line " * 1000
    (block,) = blocks(page(text(f"{same}today", f"{same}tomorrow")))
    assert block.splitlines()[2:] == [
        f"{mark} …{same[-40 + 2 :]}to{end}" for mark, end in (("-", "day"), ("+", "morrow"))
    ]


def test_a_long_text_that_is_cut_says_so() -> None:
    cut, missing = blocks(page(text("a" * 5000, "b" * 5000), text("a" * 2000, "b" * 2000)))[::2]
    assert cut.splitlines()[2:] == [f"- {'a' * 2000}", REST, f"+ {'b' * 2000}", REST]
    assert missing.splitlines() == ["@@ updated: sale (wa/en), id 7: shown in part", "@@ everything: in the file"]


def test_the_template_that_is_asked_about_comes_first() -> None:
    changes = [text("1", "2", name=name) for name in ("a", "b", "c")]
    shown = blocks(page(*changes, template_name="c"))
    assert [block.split()[2] for block in shown] == ["c", "a", "b"]


def test_a_huge_configuration_is_cut_and_hides_no_other() -> None:
    noise = [(f"a{number}", '"x"', '"y"') for number in range(10_000)]
    shown = page(change(*noise, name="huge"), text("1", "2", name="small"), template_name="huge")
    assert shown.startswith("Configurations that changed: 2. **Not shown whole: 1. The last lines name them.**\n")
    huge, small, missing = blocks(shown)
    assert len(huge) > 20_000
    assert huge.endswith(f"{REST}\n")
    assert small.endswith("- 1\n+ 2\n")
    assert missing.startswith("@@ updated: huge (wa/en), id 7: shown in part\n")


def test_what_finds_no_room_is_named() -> None:
    large = [(f"a{number}", '"x"', json.dumps("y" * 1000)) for number in range(20)]
    names = ("one", "two", "three")
    changes = [change(*large, name=name) for name in names] + [text("1", "2", name="small")]
    *shown, missing = blocks(page(*changes))
    assert [block.split()[2] for block in shown] == ["one", "two", "small"]
    assert missing.splitlines()[0] == "@@ updated: three (wa/en), id 7: not shown"


@pytest.mark.parametrize("letter", ["x", "é", "你", "😀", "\u200b", "\U000e0041", "\\", "\n"])
def test_a_page_fits_into_mysql(letter: str) -> None:
    item = {"name": letter * 1000, letter * 1000: letter * 9000, "channels": [{"language": letter * 1000}] * 3}
    raws = [encode({**item, "id": str(number)}) for number in range(100)]
    shown = as_markdown(differences([], raws), "sale", letter * 5000)
    assert shown.startswith("Configurations that changed: 100. **Not shown whole: 100. ")
    assert 30_000 < len(shown.encode()) <= MYSQL_TEXT
    assert "\n@@ and others\n@@ everything: " in shown
    assert all(block.count("\n") > 1 for block in blocks(shown))


def test_many_small_changes_fit_into_mysql() -> None:
    shown = page(*[text("1", "2", number=str(number)) for number in range(5000)])
    assert 50_000 < len(shown.encode()) <= MYSQL_TEXT


def test_an_invisible_character_does_not_look_like_its_escape() -> None:
    one, other = blocks(page(text("a\u200b", "a\\u200b", name="b\u200b"), text("1", "2", name="b\\u200b")))
    assert (one.split(" ")[2], other.split(" ")[2]) == ("b\\u200b", "b\\\\u200b")
    assert one.splitlines()[2:] == ["- a\\u200b", "+ a\\\\u200b"]


@pytest.mark.fault("S6")
def test_a_forged_page_is_only_code() -> None:
    state = Content(FORGERY, FORGERY, (FORGERY, FORGERY), ((FORGERY, FORGERY),), b"{}")
    values = json.dumps(FORGERY), json.dumps([FORGERY])
    item = {"id": FORGERY, FORGERY: FORGERY, "```": "```"}
    for changed in (
        Change("updated", state, state, [Field(FORGERY, *values)]),
        Change("updated", state, state, [Field(FORGERY, values[0], None)]),
        whole("created", **item),
    ):
        (block,) = blocks(page(changed))
        assert all(line[:2] in ("@@", "- ", "+ ") for line in block.splitlines())
        assert all(char.isprintable() or char == "\n" for char in block)


TEXTS = st.text(st.sampled_from("```~#*_[]()<>!|\\\n\n\r\t  -+@=.:1aé\u2028\u202e\x00"))


@pytest.mark.fault("S6")
@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_no_text_ends_its_block(name: str, path: str, before: str, after: str) -> None:
    changed = change((path, json.dumps(before), json.dumps(after)), name=name)
    (block,) = blocks(page(changed))
    lines = block.removesuffix("\n").split("\n")
    assert len(lines) == 4 + before.count("\n") + after.count("\n")
    assert all(line[:2] in ("@@", "- ", "+ ") for line in lines)


@given(TEXTS, TEXTS)
def test_different_texts_look_different(before: str, after: str) -> None:
    (block,) = blocks(page(text(before, after)))
    lines = block.removesuffix("\n").split("\n")[2:]
    sides = [[line[1:] for line in lines if line[0] == mark] for mark in "-+"]
    assert (sides[0] == sides[1]) == (before == after)
