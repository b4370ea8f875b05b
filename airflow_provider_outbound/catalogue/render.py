"""The catalogue as one HTML page, which loads nothing from elsewhere but media that a reader asks for."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, NamedTuple

from airflow_provider_outbound.catalogue.entries import Snapshot, entries
from airflow_provider_outbound.catalogue.environment import environment
from airflow_provider_outbound.catalogue.facts import KINDS, Kind, date, date_and_time, templates
from airflow_provider_outbound.catalogue.fields import changed_fields
from airflow_provider_outbound.catalogue.previews import comparison, preview, snippet
from airflow_provider_outbound.model.values import utf8_safe


class Page(NamedTuple):
    """A catalogue.

    :param html: the page, which states the policy in a ``meta`` element.
    :param policy: a Content-Security-Policy that allows the page's own script and style, and media by ``https``.
    """

    html: str
    policy: str


STYLES = (
    "tokens.css",
    "page.css",
    "list.css",
    "detail.css",
    "previews.css",
    "channels.css",
    "narrow.css",
    "print.css",
)
#: All in one script, in this order. `theme.js` runs before anything is painted, `start.js` after parsing.
SCRIPTS = (
    "theme.js",
    "dom.js",
    "copy.js",
    "list.js",
    "search.js",
    "detail.js",
    "values.js",
    "facts.js",
    "compare.js",
    "media.js",
    "gallery.js",
    "print.js",
    "keys.js",
    "start.js",
)
#: What the page's help says of the keyboard.
HELP = (
    ("/", "Search; Enter goes to the first hit"),
    ("↑ ↓", "Previous and next template, also k and j"),
    ("Home End", "First and last template"),
    ("Enter", "Go to the details"),
    ("Esc", "Clear the search, or go back to the list"),
    ("c", "Copy the id"),
    ("d", "Before and after"),
    ("g", "Gallery"),
    ("← →", "Channels, in the tabs"),
    ("?", "This help"),
)


def render(now: Snapshot, before: Snapshot | None = None) -> Page:
    """Return the catalogue of a listing.

    :param now: the listing to show.
    :param before: an earlier one; the page then shows what changed.
    :raises ValueError: for an item that is not a JSON object.
    """
    style, script = _read(*STYLES), _read(*SCRIPTS)
    policy = (
        f"default-src 'none'; script-src {source_hash(script)}; style-src {source_hash(style)}; "
        "img-src https:; media-src https:; base-uri 'none'; form-action 'none'"
    )
    listed = templates(entries(now, before))
    dates = _dates(now, before)
    kinds = Counter(kind for each in listed for kind in set(each.kinds))
    data = {
        "now": dates[0],
        "before": dates[1],
        "kinds": {kind.glyph: [kind.label, kind.name] for kind in KINDS.values()},
        "templates": [each.facts for each in listed],
    }
    page = environment().get_template("page.html")
    html = page.render(
        templates=listed,
        kinds=sorted(kinds.items(), key=lambda counted: _order(counted[0])),
        problems=sum(bool(each.entry.problems) for each in listed),
        changes=sum(bool(each.entry.change) for each in listed),
        help=[(keys.split(), purpose) for keys, purpose in HELP],
        account=utf8_safe(now.account_id or ""),  # may come from a file; all else is safe already
        host=utf8_safe(now.host or ""),
        about=utf8_safe(" · ".join(_about(now, (dates[1] or "an earlier export") if before else None))),
        compared=before is not None,
        changed_fields=changed_fields,
        comparison=comparison,
        preview=preview,
        snippet=snippet,
        data=_json(data),
        icons=_read("icons.html"),
        policy=policy,
        style=style,
        script=script,
    )
    return Page(html, policy)


def _dates(now: Snapshot, before: Snapshot | None) -> tuple[str | None, str | None]:
    """Return the dates of both listings; with the time, if they are of one day."""
    after, earlier = now.fetched_at, before.fetched_at if before else None
    if date(after) == date(earlier):
        return date_and_time(after), date_and_time(earlier)
    return date(after), date(earlier)


def _about(now: Snapshot, before: str | None) -> Iterator[str]:
    """Yield what the page's head says: account, host, time of reading, and the export compared with.

    :param before: the export's date; None if there is none.
    """
    if now.account_id:
        yield f"Account {now.account_id}"
    if now.host:
        yield now.host
    if now.fetched_at:
        yield f"exported {date_and_time(now.fetched_at)}"
    if before:
        yield f"compared with {before}"


def _order(kind: Kind) -> tuple[int, str]:
    """Return a channel's place among the filters: those of other types come last."""
    known = list(KINDS.values())
    return known.index(kind) if kind in known else len(known), kind.name


def _read(*names: str) -> str:
    folder = files(__package__) / "page"
    return "\n".join((folder / name).read_text("utf-8") for name in names)


def source_hash(text: str) -> str:
    """Return the hash with which a Content-Security-Policy allows an inline script or style.

    :param text: the script or style.
    """
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(data: Any) -> str:
    """Return data as JSON for a script element, without any character that HTML reads as markup."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")
