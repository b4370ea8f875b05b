"""One exchange with LivePerson, without I/O: steps, retries, and what an answer means.

A flow is a generator that yields steps (a request to send, a pause to make, a secret to hide), is sent the
answers, and returns its result; ``transport`` drives it.

Sources: the Outbound Configuration API, Domain API and Connector API (AppJWT) pages and the retry policy
page of https://developers.liveperson.com, read in November 2026.
"""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Callable, Collection, Generator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, TypeAlias, TypeVar, cast
from urllib.parse import quote, quote_plus, urlsplit

from airflow_provider_outbound.errors import (
    TRANSIENT,
    AuthError,
    ConfigError,
    HttpError,
    NetworkError,
    OutboundError,
    ProtocolError,
    Unavailable,
    printable,
)
from airflow_provider_outbound.model.codec import decode

T = TypeVar("T")

DOMAIN_URL = "https://api.liveperson.net"  # Domain API page; it says http://, which would be open to forgery
RETRY_WAITS = (5.0, 10.0, 15.0)  # seconds before each retry of a 5xx: retry policy page
MOST_AHEAD = 30  # requests that may be under way beside the one whose answer is awaited
LONGEST_WAIT = 60.0  # seconds that a Retry-After may ask for; past that Airflow's own retries do better


@dataclass(frozen=True)
class Account:
    """All that is needed to ask for one account's configurations, as read from a Connection.

    :param account_id: LivePerson's account (site) id.
    :param client_id: the AppJWT client id; empty for a bearer token.
    :param secret: the AppJWT client secret, or the bearer token itself.
    :param auth: ``app_jwt`` or ``bearer``.
    :param token_api: the version of Sentinel's token endpoint, ``v1`` or ``v2``.
    :param app_name: the ``app`` of the URL.
    :param page_size: configurations to ask for at once.
    :param list_url: base URL of the configurations' host; None to find it through the Domain API.
    :param sentinel_url: base URL of the token endpoint's host; None to find it through the Domain API.
    :param domain_url: base URL of the Domain API.
    :param requests_per_second: pace of the requests to one host; 0 for none.
    :param timeout: seconds that connecting may take, and then an answer as a whole.
    :param verify: whether to check certificates, or a CA file to check them with.
    :param proxies: proxy URLs by scheme.
    """

    account_id: str
    client_id: str
    secret: str = field(repr=False)
    auth: str = "app_jwt"
    token_api: str = "v1"
    app_name: str = "prmsg"
    page_size: int = 30
    list_url: str | None = None
    sentinel_url: str | None = None
    domain_url: str = DOMAIN_URL
    requests_per_second: float = 10.0
    timeout: float = 30.0
    verify: bool | str = True
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Request:
    """A request to send now.

    :param ahead: those that will probably follow, in order: they may go out while its answer is awaited.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    ahead: tuple[Request, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Response:
    """A whole answer; the headers' names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Pause:
    """A wait of that many seconds."""

    seconds: float


@dataclass(frozen=True)
class Secret:
    """A value to keep out of every log from now on."""

    value: str = field(repr=False)


Step: TypeAlias = Request | Pause | Secret
Flow: TypeAlias = Generator[Step, Response | None, T]


@dataclass(frozen=True)
class Endpoint:
    """What sets one kind of call apart when it is refused.

    :param name: what it gives.
    :param busy_wait: the least seconds to wait after a 429 (retry policy page).
    :param auth_statuses: the statuses that blame the credentials.
    :param advice: what to do about a status.
    :param quoted: whether a message may quote its answers.
    """

    name: str
    busy_wait: float
    auth_statuses: Collection[int]
    advice: Mapping[int, str]
    quoted: bool = True


@dataclass(frozen=True)
class Answer:
    """A 2xx answer's JSON; ``shown`` gives its content type and first characters, for a message."""

    host: str
    data: Any = field(repr=False)
    shown: Callable[[], str] = field(repr=False)


def host_of(url: str) -> str:
    """Return a URL's host, with its port if it names one."""
    return urlsplit(url).netloc


def path_part(name: str, value: object) -> str:
    """Return the value if it can stand in a URL's path as it is.

    :param name: what it is, for the message.
    :param value: what was given.
    :raises ConfigError: for anything that could lead a request to another place.
    """
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value):
        return value
    raise ConfigError(
        f"{name} is {printable(repr(value), 60)}: letters, digits, - and _ are allowed, 64 at the most"
    )


def exchange(
    endpoint: Endpoint,
    build: Callable[[], Flow[Request]],
    account: Account,
    *,
    retry_waits: Collection[float],
    now: Callable[[], float] = time.time,
) -> Flow[Answer]:
    """Send a request until there is an answer to go by.

    :param endpoint: the kind of call.
    :param build: makes the request, anew for each try, so that its token is fresh after a wait.
    :param account: who asks, for messages.
    :param retry_waits: seconds before each retry.
    :param now: seconds since 1970, for a Retry-After that is a date.
    :raises OutboundError: transient once the retries are used up, any other at once.
    """
    waits = iter(retry_waits)
    while True:
        request = yield from build()
        least_wait = 0.0
        error: OutboundError
        try:
            response = cast(Response, (yield request))
            shown = partial(_shown, endpoint, request, response, account)
            if 200 <= response.status < 300:
                return _read(request.url, response, shown)
            error = _refusal(endpoint, request, response, account, shown())
            least_wait = min(_retry_after(response, now), LONGEST_WAIT)
        except NetworkError as caught:
            error = caught
        wait = next(waits, None)
        if wait is None or not isinstance(error, TRANSIENT):
            raise error
        busy = isinstance(error, Unavailable) and error.status == 429
        yield Pause(max(endpoint.busy_wait if busy else wait, least_wait))


def _retry_after(response: Response, now: Callable[[], float]) -> float:
    """Return the seconds that a Retry-After asks for; 0 where it can't be read."""
    asked = response.headers.get("retry-after", "")
    try:
        seconds = float(asked) if asked.isdigit() else parsedate_to_datetime(asked).timestamp() - now()
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return max(seconds, 0.0)


def _read(url: str, response: Response, shown: Callable[[], str]) -> Answer:
    host = host_of(url)
    try:
        return Answer(host, decode(response.body), shown)
    except RecursionError:
        raise ProtocolError(f"{host} answered JSON nested too deeply to read: {shown()}") from None
    except ValueError:
        if response.body.strip()[:1] in (b"", b"[", b"{"):
            raise NetworkError(f"{host} answered JSON that ends early or is broken: {shown()}") from None
    raise ProtocolError(f"{host} answered something else than JSON: {shown()}")


def _shown(endpoint: Endpoint, request: Request, response: Response, account: Account) -> str:
    """Return an answer's content type and first characters, without the secrets that it may echo."""
    kind = printable(response.headers.get("content-type") or "no content type", 60)
    if not endpoint.quoted:  # it may hold a token, in any spelling
        return kind
    text = response.body[:2000].decode(errors="replace").strip()
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    for secret in filter(None, (account.secret, token)):
        for spell in (str, quote, quote_plus, html.escape, json.dumps):
            text = text.replace(spell(secret).strip('"'), "***")
    return f"{kind}, {printable(repr(text))}"


def _refusal(endpoint: Endpoint, request: Request, response: Response, account: Account, shown: str) -> HttpError:
    status = response.status
    kind, advice = HttpError, endpoint.advice.get(status, "")
    code = re.search(rb'"internalErrorCode" *: *"?([0-9]{1,8})\b', response.body[:2000])
    if 300 <= status < 400:
        target = printable(_target(response) or host_of(request.url), 80)
        advice = f"it redirects to {target}, which is not followed: check the Connection's host"
    elif status in endpoint.auth_statuses:
        kind = AuthError
    elif status == 429:
        kind, advice = Unavailable, "too many requests: lower requests_per_second, or look less often"
    elif status >= 500:
        kind, advice = Unavailable, "it can't answer now"
        if code and code[1] == b"9007":  # seen in LivePerson's developer community
            advice = "possibly an invalid JWT"
    said = f"internalErrorCode {code[1].decode()}, {shown}" if code else shown
    return kind(
        f"{host_of(request.url)} refused to give the {endpoint.name} of account {account.account_id}, "
        f"status {status}: " + (f"{advice}. " if advice else "") + f"Answer: {said}",
        status=status,
        url=request.url,
    )


def _target(response: Response) -> str | None:
    """Return the host that a redirect leads to; None if it names none that can be read."""
    try:
        return urlsplit(response.headers.get("location", "")).hostname
    except ValueError:
        return None
