"""Approval: what a person sees is what changed, and no text in it can pass for anything else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from airflow_provider_outbound.approval import MOST, as_markdown, describe, remember
from airflow_provider_outbound.errors import ConfigError
from airflow_provider_outbound.model.fingerprints import fingerprint
from tests.fake import configuration
from tests.listed import Built

FORGERY = (
    "![x](https://example.com/x.png) <img src=x onerror=alert(1)> [ok](javascript:alert(1)) **APPROVED** | a | b\n"
    "```\n# Nothing changed\n~~~\n- old\n+ new\n@@ removed: other\n\u202eevil\u202c \x1b[31m \r\n\u2028www.example"
)


def row(kind: str = "updated", **more: Any) -> dict[str, Any]:
    """Return a row of changes.parquet."""
    shared = {"id": "7", "name": "sale", "channel_types": ["wa"], "languages": ["en"], "template_names": ["sale"]}
    return {"kind": kind, **shared, "field": None, "before": None, "after": None, **more}


def blocks(markdown: str) -> list[str]:
    """Return the code blocks of a page that has nothing else but one line of ours."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)
    first, line, last, *fences = tokens
    assert (first.type, last.type) == ("paragraph_open", "paragraph_close")
    assert re.fullmatch(r"[\w .:*]+", line.content)
    assert {fence.type for fence in fences} <= {"fence"}
    return [fence.content for fence in fences]


def test_a_changed_text_is_shown_line_by_line() -> None:
    changed = row(field="channels[0].messageComponents[0].content", before='"Hi\\nthere"', after='"Hi\\nyou"')
    assert as_markdown([changed]) == (
        "Configurations that changed: 1.\n\n"
        "```diff\n"
        "@@ updated: sale (wa, en), id 7\n"
        "@@ channels[0].messageComponents[0].content\n"
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
    (block,) = blocks(as_markdown([row(field="x", before=before, after=after)]))
    assert block.splitlines()[2:] == lines


def test_what_was_created_or_removed_is_shown_whole() -> None:
    raw = json.dumps({"id": "7", "channels": [{"type": "wa", "messageComponents": [{"content": "Hi"}]}]})
    created, removed = blocks(as_markdown([row("created", after=raw), row("removed", before=raw)]))
    shown = ["@@ channels[0].messageComponents[0].content", "+ Hi"]
    assert created.splitlines()[-2:] == shown
    assert removed.splitlines() == [
        line.replace("created", "removed").replace("+", "-") for line in created.splitlines()
    ]


def test_rows_of_one_configuration_are_one_block() -> None:
    fields = [row(field=field, before="1", after="2") for field in ("a", "b")]
    page = as_markdown([*fields, row(id="8", field="a", before="1", after="2")])
    assert page.startswith("Configurations that changed: 2.\n")
    assert [block.count("@@") for block in blocks(page)] == [3, 2]


def test_no_changes_are_an_empty_text() -> None:
    assert as_markdown([]) == ""


def test_a_page_that_is_cut_says_so_first() -> None:
    long = [row(id=str(number), field="x", before="1", after=json.dumps("x" * 1000)) for number in range(100)]
    page = as_markdown(long)
    shown = len(blocks(page))
    assert page.startswith(f"Configurations that changed: 100. **Only the first {shown} are shown here.**")
    assert MOST - 2000 < len(page) < MOST + 200
    (block,) = blocks(as_markdown([row(field="x", after=json.dumps("x" * 10_000))]))
    assert block.endswith("…\n")


@pytest.mark.fault("S6")
def test_a_forged_page_is_only_code() -> None:
    odd = row(
        name=FORGERY,
        id=FORGERY,
        channel_types=[FORGERY],
        languages=[FORGERY],
        template_names=[FORGERY],
        field=FORGERY,
        before=json.dumps(FORGERY),
        after=json.dumps([FORGERY]),
    )
    for changed in (
        odd,
        {**odd, "after": None},
        {**odd, "field": None, "before": None, "after": '{"```": "```"}'},
    ):
        (block,) = blocks(as_markdown([changed]))
        assert all(line[:2] in ("@@", "- ", "+ ") for line in block.splitlines())
        assert all(char.isprintable() or char == "\n" for char in block)


TEXTS = st.text(st.sampled_from("```~#*_[]()<>!|\\\n\n\r\t  -+@=.:1aé\u2028\u202e\x00"))


@pytest.mark.fault("S6")
@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_no_text_ends_its_block(name: str, path: str, before: str, after: str) -> None:
    changed = row(name=name, field=path, before=json.dumps(before), after=json.dumps(after))
    (block,) = blocks(as_markdown([changed]))
    lines = block.removesuffix("\n").split("\n")
    assert len(lines) == 4 + before.count("\n") + after.count("\n")
    assert all(line[:2] in ("@@", "- ", "+ ") for line in lines)


def exported(folder: Path, before: list[Any], after: list[Any]) -> dict[str, Any]:
    """Return what the operator returns, for what it would write."""
    folder.mkdir()
    pq.write_table(Built(*after).configurations, folder / "configurations.parquet")
    return {"configurations": {"path": str(folder / "configurations.parquet"), "rows": len(after)}}


def test_before_any_approval_everything_is_new(tmp_path: Path) -> None:
    items = [configuration(number) for number in range(3)]
    asked = describe(exported(tmp_path / "asked", [], items), str(tmp_path / "approved"), "n1")
    assert [block.split(":")[0] for block in blocks(asked["changes"])] == ["@@ created"] * 3
    assert asked["fingerprint"] == fingerprint(items[1]["channels"])


def test_a_template_is_named_by_its_configuration_or_by_whatsapp(tmp_path: Path) -> None:
    same = [configuration(1), configuration(2, name="t1"), configuration(3, name=None)]
    here = exported(tmp_path / "asked", [], same)
    found = [describe(here, str(tmp_path / "approved"), name)["fingerprint"] for name in ("t1", "t3", "nowhere")]
    first, second, third = (fingerprint(each["channels"]) for each in same)
    assert found == [f"{first}+{second}", third, None]


def test_a_folder_of_approved_exports_has_no_words_in_braces(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^approved has \{table\}: remove it$"):
        remember({}, f"{tmp_path}/{{table}}")


def test_remember_replaces_the_last_approved_export(tmp_path: Path) -> None:
    for number in range(2):
        asked = exported(tmp_path / f"asked{number}", [], [configuration(number)])
        remember(asked, str(tmp_path / "approved"))
    assert [path.name for path in (tmp_path / "approved").iterdir()] == ["configurations.parquet"]
    assert pq.read_table(tmp_path / "approved")["id"].to_pylist() == ["id-1"]
