"""What can go wrong, sorted by what to do about it."""

from __future__ import annotations


class OutboundError(Exception):
    """The base class of this provider's errors. A deferred sensor raises it for a trigger's permanent error."""


class ConfigError(OutboundError, ValueError):
    """The Connection or an argument is wrong, or a certificate can't be verified. Retrying will not help."""


class ConnectionNotFound(ConfigError):
    """Airflow did not find the Connection. Airflow reports the same if its secrets backend fails for a moment."""


class ProblemsFound(OutboundError):
    """Checks in ``fail_on`` found problems, or there are fewer than ``min_rows``. Retrying will not help."""


class NetworkError(OutboundError):
    """No complete response arrived, even after retries: no network, a timeout, broken JSON, more than 64 MiB.

    A later try may work.
    """


class ListingChanged(OutboundError):
    """The listing changed during each reading. A later try may work."""


class HistoryAhead(OutboundError):
    """The history already has a change at the time of the export, or later. A later try may work."""


class HttpError(OutboundError):
    """The server refused a request: 404, 451, another 4xx, or a redirect. Retrying will not help.

    :param message: what happened and what to do.
    :param status: the HTTP status.
    :param url: the requested URL, which never contains a secret.
    """

    def __init__(self, message: str, *, status: int = 0, url: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.url = url


class AuthError(HttpError):
    """The credentials or token were refused (401, 403, 400 at the login), or the token is for another account."""


class Unavailable(HttpError):
    """The server was busy or broken (429, 5xx), even after retries. A later try may work."""

    retry_after = 0.0  # seconds that the server asked to wait


class ProtocolError(OutboundError):
    """A 2xx response can't be read, or the server does not page as documented. Retrying will not help."""


#: A later try may work: Airflow's retries apply, and sensors keep waiting.
TRANSIENT = (NetworkError, Unavailable, ListingChanged, HistoryAhead)


def printable(text: object, limit: int = 200) -> str:
    """Return text from outside for a message or a log: on one line, control characters escaped.

    :param text: what to show.
    :param limit: the most characters to show.
    """
    shown = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in str(text)[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
