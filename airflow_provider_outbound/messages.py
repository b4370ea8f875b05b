"""The HTML around the catalogue in Airflow's UI, and what the page says when it has no templates to show."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib.resources import files
from typing import NamedTuple
from urllib.parse import quote

from markupsafe import Markup

from airflow_provider_outbound.catalogue.environment import environment
from airflow_provider_outbound.catalogue.render import source_hash
from airflow_provider_outbound.connections import CONN_TYPE
from airflow_provider_outbound.errors import (
    TRANSIENT,
    AuthError,
    ConfigError,
    ConnectionNotFound,
    OutboundError,
    printable,
)

TITLE = "Outbound templates"


class Message(NamedTuple):
    """What the page says instead of showing templates.

    :param status: the HTTP status.
    :param kind: of its picture: ``lock``, ``error`` or ``info``.
    :param title: one plain sentence.
    :param advice: what to do.
    :param facts: sentences for whoever helps.
    """

    status: int
    kind: str
    title: str
    advice: str
    facts: tuple[str, ...]


NOT_LOGGED_IN = Message(
    401,
    "lock",
    "You are not logged in",
    "Log in to Airflow, then open this page again.",
    ("401 · Nothing was fetched.",),
)
NO_PAGES = Message(
    403,
    "lock",
    "You can’t open this page",
    "Your role may not use the pages of plugins. Ask an Airflow administrator for that right.",
    ("403 · needs “can read” on Plugins. Nothing was fetched.",),
)
NOT_FOUND = Message(404, "info", "There is no such page", "Choose “Outbound” in Airflow’s navigation.", ())
BROKEN = Message(
    500,
    "error",
    "The templates can’t be shown",
    "The page has a bug. Report it, with the error from the log of Airflow’s API server.",
    (),
)
NO_CONNECTION = Message(
    200,
    "info",
    "There is no connection to choose",
    Markup(
        "This page lists the connections of type <code>{}</code> in Airflow’s database that you may read. "
        "If yours is in an environment variable or a secrets backend, add <code>?connection_id=</code> and its ID "
        "to the address of this page."
    ).format(CONN_TYPE),
    ("Nothing was fetched.",),
)
CHOOSE = NO_CONNECTION._replace(title="Choose a connection")


def not_permitted(conn_id: str, others: bool) -> Message:
    """Return what to say to a viewer who may not read a Connection.

    :param conn_id: the Connection.
    :param others: whether there are others to choose.
    """
    return Message(
        403,
        "lock",
        "You can’t open this connection’s templates",
        Markup(
            "Your role may use Airflow’s pages, but not read the connection <code>{}</code>. Ask an Airflow "
            "administrator for the right to read it{}."
        ).format(printable(conn_id), ", or choose another connection above" if others else ""),
        ("403 · needs “can read” on Connections. Nothing was fetched.",),
    )


def failed(error: OutboundError, conn_id: str, kept: float = 0) -> Message:
    """Return what to say about a listing that failed.

    :param error: why it failed.
    :param conn_id: the Connection.
    :param kept: for how many seconds after a try nothing is tried again.
    """
    shown = Markup("<code>{}</code>").format(printable(conn_id))
    correct = Markup("{} Correct the connection {}, for example in Airflow under Admin, Connections.")
    facts = (
        str(error),
        f"For {kept:.0f} s after a try, nothing more is sent to LivePerson, unless the connection changes.",
    )
    if isinstance(error, ConnectionNotFound):
        advice = Markup("Choose another connection, or create {} with the type LivePerson Outbound.").format(shown)
        return Message(404, "info", "Airflow found no such connection", advice, facts[:1])
    if isinstance(error, ConfigError):
        advice = Markup(
            "Choose another connection, or correct {}, for example in Airflow under Admin, Connections."
        ).format(shown)
        return Message(422, "error", "This connection can’t be used", advice, facts[:1])
    if isinstance(error, TRANSIENT):
        advice = Markup("Try again in a minute: this usually passes. The templates themselves are not affected.")
        return Message(503, "error", "The templates could not be read", advice, facts)
    if isinstance(error, AuthError):
        advice = correct.format("The credentials don’t fit the account, or may not list its templates.", shown)
        return Message(502, "lock", "LivePerson refused the login", advice, facts)
    advice = correct.format("The request may have gone to the wrong host or account.", shown)
    return Message(502, "error", "LivePerson’s response can’t be used", advice, facts)


class Html(NamedTuple):
    """A page: what surrounds the catalogue, or a message.

    :param html: the page.
    :param policy: a Content-Security-Policy that allows its own script and style.
    :param status: the HTTP status.
    """

    html: str
    policy: str
    status: int


def draw(
    conn_id: str = "",
    connections: Sequence[str] = (),
    message: Message | None = None,
    *,
    home: str | None = None,
    embedded: bool = False,
) -> Html:
    """Return the page around the catalogue, or a message.

    :param conn_id: the Connection to show.
    :param connections: those to choose from.
    :param message: what to say instead of the catalogue.
    :param home: the Connection to go to if the address names none; empty for none, None to stay on this page.
    :param embedded: return a message for the frame, without what surrounds it.
    """
    script, style = _read("ui", "page.js"), _read("catalogue", "page", "tokens.css") + _read("ui", "page.css")
    page = environment(__package__, "ui").get_template("page.html")
    html = page.render(
        title=TITLE,
        segment=partial(quote, safe=""),
        conn_id=conn_id,
        connections=connections,
        message=message,
        home=home,
        embedded=embedded,
        script=Markup(script),  # noqa: S704 - both are files of this package
        style=Markup(style),  # noqa: S704
    )
    policy = (
        f"default-src 'none'; script-src {source_hash(script)}; style-src {source_hash(style)}; base-uri 'none'; "
        "form-action 'none'"
    )
    return Html(html, policy, message.status if message else 200)


def _read(*path: str) -> str:
    return files(__package__).joinpath(*path).read_text("utf-8")
