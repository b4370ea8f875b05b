"""The documentation as it is built: each link leads somewhere, and each page has something to see."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from bs4 import BeautifulSoup

from tests.blocks import ROOT

#: What shows a reader something: a picture, a table, or what a program prints.
SHOWN = "img, table, div.highlight-text, div.highlight-console"


@pytest.fixture(scope="module")
def pages(built_docs: Path) -> dict[Path, BeautifulSoup]:
    """Return the pages by their files, without those that Sphinx makes for itself."""
    own = [path.with_suffix("").relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.rst")]
    files = [built_docs / f"{name}.html" for name in own]
    return {file: BeautifulSoup(file.read_text(), "html.parser") for file in files}


def test_local_links_lead_somewhere(built_docs: Path, pages: dict[Path, BeautifulSoup]) -> None:
    anchors = {file: {node["id"] for node in soup.select("[id]")} for file, soup in pages.items()}
    followed = 0
    for file, soup in pages.items():
        for node in soup.select("[href], [src]"):
            address, anchor = urldefrag(node.get("href") or node["src"])
            if re.match(r"[a-z]+:", address):
                continue
            target = (file.parent / unquote(address.partition("?")[0])).resolve() if address else file
            assert target.is_file(), f"{file.name}: {address}"
            if anchor and target in anchors:
                assert unquote(anchor) in anchors[target], f"{file.name}: {address}#{anchor}"
            followed += 1
    assert followed > 1000


def test_each_page_shows_something(pages: dict[Path, BeautifulSoup]) -> None:
    own = {file: soup for file, soup in pages.items() if file.stem not in ("index", "changelog")}
    assert [file.name for file, soup in own.items() if not soup.article.select(SHOWN)] == []


def test_pictures_are_described(pages: dict[Path, BeautifulSoup]) -> None:
    for file, soup in pages.items():
        for image in soup.article.select("img"):
            assert len(image.get("alt", "").split()) > 3, f"{file.name}: {image['src']}"


def test_llms_txt_lists_each_page_as_plain_text(built_docs: Path, pages: dict[Path, BeautifulSoup]) -> None:
    linked = re.findall(r"^- \[.+\]\((.+)\): \w.*", (built_docs / "llms.txt").read_text(), re.MULTILINE)
    files = {str(file.relative_to(built_docs).with_suffix(".txt")) for file in pages if file.stem != "index"}
    assert set(linked) == files
    assert all((built_docs / file).is_file() for file in files)
