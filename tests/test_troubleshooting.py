"""The page of messages: it has each message of the package, and no other."""

from __future__ import annotations

import ast
import re

import pytest

from tests.blocks import ROOT
from tests.messages import PACKAGE, Texts, messages

#: Texts that are inside others, which are on the page.
PARTS = {
    "(its texts use …)",
    "a channel without type",
    "a number from … to …",
    "airflow outbound diff … -o json",
    "and … other types",
    "history_path leads to …, which",
    "login (app key)",
    "login (client id)",
    "no content type",
    "password (app secret)",
    "password (client secret)",
    "the JSON is not a list",
    "the JSON is not an object",
    "{channel} and {conn_id}",
    "{table}, {channel} and {conn_id}",
    "{task.completed} configurations so far, channel {task.description}",
    "… leads to …, which",
}


def rows() -> list[str]:
    """Return the messages on the page: a definition list has each on a line of its own."""
    page = (ROOT / "docs" / "troubleshooting.rst").read_text()
    return re.findall(r"^``(.+)``\n   \S", page, re.MULTILINE)


def test_every_message_is_on_the_page_and_nothing_else() -> None:
    found = messages()
    listed = rows()
    missing = {text: place for text, place in found.items() if text not in {*listed, *PARTS}}
    assert missing == {}
    assert {*listed, *PARTS} - found.keys() == set()


def test_no_message_is_on_the_page_twice() -> None:
    assert sorted(rows()) == sorted(set(rows()))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('raise ConfigError(f"{field} is empty")', ["… is empty"]),
        ('log.warning("Size %d was refused: %s", size, why)', ["Size … was refused: …"]),
        ('await self.log.ainfo("No changes")', ["No changes"]),
        ('WHAT = "check the host"\nadvice = f"Wrong: {WHAT}."', ["Wrong: check the host."]),
        ('"""Explain what this is."""\nhelp(x="one two")\nf(help="The Connection to use")', []),
    ],
)
def test_messages_are_found_as_they_are_printed(code: str, expected: list[str]) -> None:
    assert [text for _, text in Texts(ast.parse(code)).found(only_told=False)] == expected


def test_messages_are_found_in_all_modules_that_have_some() -> None:
    places = {place.partition(":")[0] for place in messages().values()}
    assert {"sensors.py", "connections.py", "client/auth.py", "messages.py", "cli.py"} <= places
    assert all((PACKAGE / place).is_file() for place in places)
