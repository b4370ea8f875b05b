"""The calls of LivePerson's API as flows: find the hosts, log in, list one page."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import jwt

from airflow_provider_outbound import __version__
from airflow_provider_outbound.client.protocol import (
    RETRY_WAITS,
    Account,
    Answer,
    Endpoint,
    Flow,
    Request,
    Secret,
    exchange,
    path_part,
)
from airflow_provider_outbound.errors import AuthError, ProtocolError, printable

REGIONS = ("va", "lo", "sy")  # Americas, EMEA, APAC: the hosts that the API's page lists
TOKEN_LIFE = 3600.0  # seconds from iat to exp in the AppJWT page's example, where an answer doesn't tell
TOKEN_MARGIN = 60.0  # seconds before its end at which a token counts as stale

LEGAL = "LivePerson blocked the account for legal reasons: ask LivePerson's support"  # retry policy page
LIST = Endpoint(
    "configurations",
    busy_wait=1.0,
    auth_statuses=(401, 403),
    advice={
        401: "the token was refused: check that the app is installed for the account, or renew the bearer token",
        403: "the app may not read outbound configurations: check its scope and installation in LivePerson",
        404: "no such account, app or channel there: check the Connection's schema, host and app_name",
        451: LEGAL,
    },
)
CHECK_CREDENTIALS = "check the Connection's login (client id), password (client secret) and schema (account)"
DOMAIN_ADVICE = "the Domain API does not know the account: check the Connection's schema"


class Api:
    """One account's hosts and token, and the flows that use them.

    :param account: whose configurations to read.
    :param retry_waits: seconds before each retry; empty for none (a sensor looks again anyway).
    :param clock: monotonic seconds, for the token's age.
    :param now: seconds since 1970, for a Retry-After that is a date.
    """

    def __init__(
        self,
        account: Account,
        *,
        retry_waits: Collection[float] = RETRY_WAITS,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.account = account
        self.list_url, self.sentinel_url = account.list_url, account.sentinel_url
        self.token_life = 0.0
        self._retry_waits, self._clock, self._now = retry_waits, clock, now
        self._forget_token()

    def __repr__(self) -> str:
        return f"Api({self.account!r})"

    def list_page(self, channel: str | None, offset: int, ahead: Sequence[int] = ()) -> Flow[list[dict[str, Any]]]:
        """Ask for one page of the account's configurations, or of one channel's.

        :param channel: a channel such as ``wa``; None for all.
        :param offset: how many configurations to pass over.
        :param ahead: the offsets that will probably be asked for next.
        :returns: the page's items: configurations or bare channels, as the server sends them.
        :raises OutboundError: see ``errors``; a refused token is fetched anew, once.
        """
        account = self.account
        path = f"/api/account/{account.account_id}/app/{account.app_name}/handoffs/list"
        if channel is not None:
            path += f"/channel/{path_part('channel', channel)}"

        def target(offset: int) -> str:
            return f"{path}?{urlencode({'v': 1, 'limit': account.page_size, 'offset': offset})}"

        def build() -> Flow[Request]:
            if self.list_url is None:
                yield from self._discover()
            if account.auth == "app_jwt" and self._clock() >= self._stale_at:
                yield from self.login()
            token = self._token if account.auth == "app_jwt" else account.secret
            # LivePerson's page asks for this Content-Type although a GET has no content.
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            pages = [_request("GET", f"{self.list_url}{target(each)}", headers) for each in (offset, *ahead)]
            return replace(pages[0], ahead=tuple(pages[1:]))

        try:
            answer = yield from self._exchange(LIST, build)
        except AuthError as error:
            # A login refused on the way is final: repeating it can lock the app out.
            if error.status != 401 or account.auth != "app_jwt" or not error.url.endswith(target(offset)):
                raise
            self._forget_token()  # it may have been revoked: another one is worth one try
            answer = yield from self._exchange(LIST, build)
        return _items(answer)

    def login(self) -> Flow[None]:
        """Get a token from Sentinel by the client-credentials grant.

        :raises AuthError: if the credentials are refused, or the token is for another account.
        """
        account = self.account
        if account.token_api == "v2":
            path = f"/sentinel/api/v2/account/{account.account_id}/app/token"
        else:
            path = f"/sentinel/api/account/{account.account_id}/app/token?v=1.0"
        advice = f"{CHECK_CREDENTIALS} and its token_api, which is {account.token_api}"
        words = {**dict.fromkeys((400, 401, 403, 404), advice), 451: LEGAL}
        endpoint = Endpoint("token", 5.0, (400, 401, 403), words, quoted=False)

        def build() -> Flow[Request]:
            if self.sentinel_url is None:
                yield from self._discover()
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            # Made here, so that no frame of a traceback with local variables has it.
            body = {
                "client_id": account.client_id,
                "client_secret": account.secret,
                "grant_type": "client_credentials",
            }
            return _request("POST", f"{self.sentinel_url}{path}", headers, urlencode(body).encode())

        answer = yield from self._exchange(endpoint, build)
        token = answer.data.get("access_token") if isinstance(answer.data, dict) else None
        if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
            raise ProtocolError(f"{answer.host} answered a login without a usable access_token")
        yield Secret(token)
        claims = _claims(token)
        self._check_audience(answer.host, claims.get("aud"))
        told = (_seconds(claims.get("exp")) - _seconds(claims.get("iat")), _seconds(answer.data.get("expires_in")))
        self.token_life = min((life for life in told if 0 < life < math.inf), default=TOKEN_LIFE)
        # Counted from receipt, so that the error of neither clock matters.
        self._stale_at = self._clock() + self.token_life - min(TOKEN_MARGIN, self.token_life / 2)
        self._token = token

    def _forget_token(self) -> None:
        self._token, self._stale_at = "", -math.inf

    def _check_audience(self, host: str, audience: object) -> None:
        """Refuse a token made out to another account: its audience is ``le`` + account id (AppJWT page)."""
        names = audience if isinstance(audience, list) else [audience]
        accounts = [name for name in names if isinstance(name, str) and name.startswith("le")]
        if accounts and f"le{self.account.account_id}" not in accounts:
            raise AuthError(
                f"{host} gave a token for {printable(accounts[0], 60)}, not for account "
                f"{self.account.account_id}: {CHECK_CREDENTIALS}",
                status=200,
                url=str(self.sentinel_url),
            )

    def _discover(self) -> Flow[None]:
        """Find the account's region, and by it the hosts, through the Domain API."""
        account = self.account
        path = f"/api/account/{account.account_id}/service/sentinel/baseURI.json?version=1.0"
        endpoint = Endpoint(
            "hosts", 1.0, (), {400: DOMAIN_ADVICE, 401: DOMAIN_ADVICE, 404: DOMAIN_ADVICE, 451: LEGAL}
        )

        def build() -> Flow[Request]:
            yield from ()
            return _request("GET", f"{account.domain_url}{path}", {})

        answer = yield from self._exchange(endpoint, build)
        host = answer.data.get("baseURI") if isinstance(answer.data, dict) else None
        # No service names the configurations' host; its region is the prefix of Sentinel's. The secret goes
        # to the host found here, so only LivePerson's own are taken.
        found = re.fullmatch(rf"({'|'.join(REGIONS)})\.sentinel\.liveperson\.net", str(host))
        if not found:
            raise ProtocolError(
                f"{answer.host} names {printable(repr(host), 80)} as the login host of account "
                f"{account.account_id}, which is none of LivePerson's: set the Connection's host to va, lo or sy"
            )
        self.list_url = self.list_url or list_url(found[1])
        self.sentinel_url = self.sentinel_url or sentinel_url(found[1])

    def _exchange(self, endpoint: Endpoint, build: Callable[[], Flow[Request]]) -> Flow[Answer]:
        return exchange(endpoint, build, self.account, retry_waits=self._retry_waits, now=self._now)


def renewed(api: Api | None, account: Account, retry_waits: Collection[float]) -> Api:
    """Return the api, with its token, while its account stays as it is; a new one otherwise.

    :param api: the one in use; None for none yet.
    :param account: what the Connection says now.
    :param retry_waits: seconds before each retry.
    """
    return api if api and api.account == account else Api(account, retry_waits=retry_waits)


def list_url(region: str) -> str:
    """Return the base URL of a region's configurations."""
    return f"https://{region}.handoff.liveperson.net"


def sentinel_url(region: str) -> str:
    """Return the base URL of a region's token endpoint."""
    return f"https://{region}.sentinel.liveperson.net"


def _request(method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Request:
    common = {"Accept": "application/json", "User-Agent": f"airflow-provider-outbound/{__version__}"}
    return Request(method, url, {**common, **headers}, body)


def _items(answer: Answer) -> list[dict[str, Any]]:
    """Return a page's items; LivePerson's page shows lists and single objects."""
    data = answer.data
    if isinstance(data, dict) and data.keys() & {"channels", "messageComponents"}:
        return [data]
    if isinstance(data, list) and all(isinstance(item, dict) for item in data):
        return data
    raise ProtocolError(f"{answer.host} answered JSON that is no list of configurations: {answer.shown()}")


def _claims(token: str) -> dict[str, Any]:
    """Return a JWT's claims, empty if it is none; unverified, as it came over TLS from Sentinel itself."""
    try:
        return jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return {}


def _seconds(value: object) -> float:
    try:
        return float(value) if isinstance(value, (int, float, str)) else math.nan
    except (ValueError, OverflowError):
        return math.nan
