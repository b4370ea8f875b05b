"""What can go wrong, sorted by what to do about it."""

from __future__ import annotations


class OutboundError(Exception):
    """Base of every error that this provider raises on purpose."""


class ConfigError(OutboundError, ValueError):
    """The Connection or an argument is wrong: mend it, a retry won't help."""


class NetworkError(OutboundError):
    """No whole answer came back, after the retries: trying again later may help."""


class HttpError(OutboundError):
    """The server said no: a retry won't help.

    :param message: what happened and what to do.
    :param status: the HTTP status.
    :param url: the URL that was asked, which never holds a secret.
    """

    def __init__(self, message: str, *, status: int = 0, url: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.url = url


class AuthError(HttpError):
    """The credentials or the token were refused (401, 403, a token for another account)."""


class Unavailable(HttpError):
    """The server was busy or broken (429, 5xx), after the retries: trying again later may help."""


class ProtocolError(OutboundError):
    """A 2xx answer that cannot be read, or paging that breaks its promise: a retry won't help."""


#: Worth another try later: Airflow's retries take these, and sensors keep waiting through them.
TRANSIENT = (NetworkError, Unavailable)


def printable(text: object, limit: int = 200) -> str:
    """Return text from outside for a message or a log: on one line, control characters escaped.

    :param text: what to show.
    :param limit: the most characters to show.
    """
    shown = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in str(text)[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
