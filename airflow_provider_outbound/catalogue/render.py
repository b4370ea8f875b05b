"""The catalogue as one HTML page, which loads nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import NamedTuple

from airflow_provider_outbound.catalogue.entries import Snapshot, entries
from airflow_provider_outbound.catalogue.environment import environment
from airflow_provider_outbound.catalogue.previews import preview, snippet
from airflow_provider_outbound.model.items import channels


class Page(NamedTuple):
    """A catalogue.

    :param html: the page; it has the policy, too.
    :param policy: a Content-Security-Policy that allows the page's own script and style, and media by ``https``.
    """

    html: str
    policy: str


STYLES = ("tokens.css", "page.css", "previews.css", "channels.css")
SCRIPTS = ("media.js", "list.js", "detail.js")


def render(now: Snapshot, before: Snapshot | None = None) -> Page:
    """Return the catalogue of a listing.

    :param now: the listing to show.
    :param before: an earlier one; the page then shows what changed.
    :raises ValueError: for an item that is not a JSON object.
    """
    style, script = _read(*STYLES), _read(*SCRIPTS)
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "img-src https:; media-src https:; base-uri 'none'; form-action 'none'"
    )
    html = (
        environment()
        .get_template("page.html")
        .render(
            entries=entries(now, before),
            channels=channels,
            preview=preview,
            snippet=snippet,
            policy=policy,
            style=style,
            script=script,
        )
    )
    return Page(html, policy)


def _read(*names: str) -> str:
    folder = files(__package__) / "page"
    return "\n".join((folder / name).read_text("utf-8") for name in names)


def _hash(text: str) -> str:
    """Return the hash with which a policy allows an inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
