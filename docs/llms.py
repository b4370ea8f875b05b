"""A Sphinx extension that writes ``llms.txt``: what each page says, with links to the pages as plain text.

The form is that of https://llmstxt.org. ``sphinx-build -b text`` makes the plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    """Write ``llms.txt`` when an HTML build ends."""
    app.connect("build-finished", write)
    return {"parallel_read_safe": True}


def write(app: Sphinx, error: Exception | None) -> None:
    """Write the file beside the pages."""
    if error is None and app.builder.format == "html":
        (Path(app.outdir) / "llms.txt").write_text("\n".join(lines(app)) + "\n")


def lines(app: Sphinx) -> Iterator[str]:
    """Yield the file's lines: the project, then a heading for each folder and a line for each page."""
    yield f"# {app.config.project}"
    yield f"\n> {paragraph(app, 'index')}\n"
    for page in app.env.toctree_includes["index"]:
        pages = app.env.toctree_includes.get(page, [])
        if pages:
            yield f"\n## {app.env.titles[page].astext()}\n"
        for each in pages or [page]:
            yield f"- [{app.env.titles[each].astext()}]({each}.txt): {first_sentence(paragraph(app, each))}"


def paragraph(app: Sphinx, page: str) -> str:
    """Return the first paragraph of a page."""
    page_tree = app.env.get_and_resolve_doctree(page, app.builder)
    return next((" ".join(each.astext().split()) for each in page_tree.findall(nodes.paragraph)), "")


def first_sentence(text: str) -> str:
    """Return the first sentence of a text."""
    return re.split(r"(?<=[.:]) (?=[A-Z])", text)[0].rstrip(":")
