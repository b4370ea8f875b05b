"""What a response means: its content, nothing at all, or an error that says what to do.

Sources: the Outbound Configuration API, Outbound Reporting API, Domain API, Connect to Messaging API and Connector
API (AppJWT) pages and the retry policy page of https://developers.liveperson.com, read in November 2026.
"""

from __future__ import annotations

import html
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

import msgspec

from airflow_provider_outbound.client.account import Account, Secret, host_of
from airflow_provider_outbound.client.sender import Request, Response
from airflow_provider_outbound.errors import (
    AuthError,
    HttpError,
    NetworkError,
    OutboundError,
    ProtocolError,
    Unavailable,
    printable,
)
from airflow_provider_outbound.model.codec import decode, encode, split
from airflow_provider_outbound.model.items import Record

NOTHING = (b"", b"null", b"{}")  # bodies
LEGAL = "LivePerson blocked the account for legal reasons. Ask LivePerson's support."  # retry policy page


@dataclass(frozen=True)
class Endpoint:
    """A kind of call, and what its refusals mean.

    :param purpose: what the call is for, as an infinitive without "to".
    :param busy_wait: the least seconds to wait after a 429 (retry policy page).
    :param auth_statuses: the statuses that blame the credentials.
    :param advice: what to do about a status, in sentences.
    :param quotable: whether a message may quote a response; one that may hold a token must not be quoted.
    """

    purpose: str
    busy_wait: float
    auth_statuses: Collection[int]
    advice: Mapping[int, str]
    quotable: bool = True


class Reader:
    """Read the responses to one request.

    :param endpoint: the kind of call.
    :param account: who asks.
    :param secrets: values that no message may show, though a server may echo them.
    """

    def __init__(self, endpoint: Endpoint, account: Account, secrets: Iterable[Secret]) -> None:
        self._endpoint, self._account, self._secrets = endpoint, account, tuple(secrets)

    def check(self, request: Request, response: Response, now: float) -> None:
        """Raise the error that a status outside 200 to 299 stands for.

        :param request: what was sent.
        :param response: what came back.
        :param now: seconds since 1970, for a Retry-After that is a date.
        :raises HttpError: saying what to do; AuthError and Unavailable where they fit.
        """
        status, endpoint = response.status, self._endpoint
        if 200 <= status < 300:
            return
        kind, advice = HttpError, endpoint.advice.get(status, "")
        if 300 <= status < 400:
            target = printable(_redirect_host(response) or host_of(request.url), 80)
            advice = f"It redirects to {target}, and redirects are not followed. Check the Connection's host."
        elif status in endpoint.auth_statuses:
            kind = AuthError
        elif status == 429:
            kind, advice = Unavailable, "Too many requests: lower requests_per_second, or raise poke_interval."
        elif status >= 500:
            kind, advice = Unavailable, "The server can't answer now."
        parts = [
            f"Can't {endpoint.purpose} for account {self._account.account_id}: "
            f"status {status} from {host_of(request.url)}.",
            *([advice] if advice else []),
            f"Response: {self._error_body(response)}",
        ]
        error = kind(" ".join(parts), status=status, url=request.url)
        if isinstance(error, Unavailable):
            error.retry_after = _retry_after(response, now)
        raise error

    def json(self, request: Request, response: Response) -> Any:
        """Return the value of a JSON body.

        :raises NetworkError: if it ends early or is broken.
        :raises ProtocolError: if it is something else than JSON.
        """
        host = host_of(request.url)
        problem: OutboundError
        try:
            return decode(response.body)
        except RecursionError:
            problem = ProtocolError(f"{host} sent JSON that is nested too deeply: {self.shown(response)}")
        except ValueError:
            if response.body.strip()[:1] in (b"", b"[", b"{"):
                problem = NetworkError(f"{host} sent JSON that ends early or is malformed: {self.shown(response)}")
            else:
                problem = ProtocolError(f"{host} sent something other than JSON: {self.shown(response)}")
        raise problem  # not above, where it would lead to frames that hold the body, and in it a token

    def records(self, request: Request, response: Response) -> list[Record]:
        """Return a page's items, each with its own bytes.

        A page is a list of objects, an object that has exactly one such list (an envelope, as in the Outbound
        Reporting API), or a single configuration or channel, as on LivePerson's page.

        :raises ProtocolError: if the body is none of these.
        """
        data, body = self.json(request, response), response.body
        if isinstance(data, dict) and not data.keys() & {"channels", "messageComponents"}:
            names = [name for name, value in data.items() if _is_list_of_objects(value)]
            if len(names) == 1:
                data, body = data[names[0]], _member(body, names[0], data[names[0]])
        if isinstance(data, dict) and data.keys() & {"channels", "messageComponents"}:
            return [Record(body.strip() if body.strip()[:1] == b"{" else encode(data), data)]
        if _is_list_of_objects(data):
            return list(map(Record, split(body), data))
        raise ProtocolError(
            f"{host_of(request.url)} sent JSON that is not a list of configurations: {self.shown(response)}"
        )

    def shown(self, response: Response) -> str:
        """Return a response's content type and first characters, without the secrets that it may echo."""
        content_type = printable(self._redacted(response.headers.get("content-type") or "no content type"), 60)
        if not self._endpoint.quotable:
            return content_type
        # A secret that is cut off is not recognized, in whatever spelling: so as much is cut off again.
        reach = 6 * max((len(secret.reveal()) for secret in self._secrets), default=0)
        text = self._redacted(response.body[: 2000 + reach].decode(errors="replace"))
        if len(response.body) > 2000 + reach:
            text = text[:-reach]
        return f"{content_type}, {printable(repr(text.strip()))}"

    def _error_body(self, response: Response) -> str:
        """Return what an error says: the message, the code, and the id that LivePerson's support asks for."""
        try:
            body = decode(response.body)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            return self.shown(response)
        message = body.get("message", body.get("errorMessage"))
        codes = (body.get(name) for name in ("code", "errorCode", "internalErrorCode"))
        code = next((each for each in codes if isinstance(each, (int, str))), None)
        trace = body.get("requestTraceId")
        details = [f"code {code}"] if code is not None else []
        details += [f"requestTraceId {trace}"] if isinstance(trace, str) else []
        parts = [message] if isinstance(message, str) and self._endpoint.quotable else []
        parts += [f"({', '.join(details)})"] if details else []
        return printable(self._redacted(" ".join(parts)), 400) if parts else self.shown(response)

    def _redacted(self, text: str) -> str:
        for secret in self._secrets:
            for spell in (str, quote, quote_plus, html.escape, json.dumps):
                text = text.replace(spell(secret.reveal()).strip('"'), "***")
        return text


def says_nothing(response: Response) -> bool:
    """Tell whether a response says, other than by an empty list, that there is nothing there."""
    return response.status in (400, 404, 416) or (response.status == 200 and response.body.strip() in NOTHING)


def _member(body: bytes, name: str, value: Any) -> bytes:
    """Return the bytes of an object's member; written anew where only Python's lenient parser reads the body."""
    try:
        return bytes(msgspec.json.decode(body, type=dict[str, msgspec.Raw])[name])
    except (ValueError, msgspec.MsgspecError):
        return encode(value)


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _retry_after(response: Response, now: float) -> float:
    """Return the seconds that a Retry-After asks for; 0 where it can't be read."""
    asked = response.headers.get("retry-after", "").strip()
    try:
        if asked.isdigit():
            return float(asked)
        date = parsedate_to_datetime(asked)
        seconds = (date if date.tzinfo else date.replace(tzinfo=timezone.utc)).timestamp() - now
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return max(seconds, 0.0)


def _redirect_host(response: Response) -> str | None:
    try:
        return urlsplit(response.headers.get("location", "")).hostname
    except ValueError:
        return None
