"""How requests are authorized: with an AppJWT that is fetched and renewed, a bearer token, or OAuth 1.0."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlencode

import jwt
from requests import PreparedRequest
from requests.auth import AuthBase

from airflow_provider_outbound.client.account import Account, Secret, host_of, sender_of
from airflow_provider_outbound.client.responses import Endpoint
from airflow_provider_outbound.client.sender import Request
from airflow_provider_outbound.errors import AuthError, ConfigError, ProtocolError, printable

if TYPE_CHECKING:
    from airflow_provider_outbound.client.api import Api

log = logging.getLogger(__name__)

TOKEN_PATHS = {"v1": "/sentinel/api/account/{}/app/token?v=1.0", "v2": "/sentinel/api/v2/account/{}/app/token"}
TOKEN_LIFE = 3600.0  # seconds from iat to exp in the AppJWT page's example; used if a response has no lifetime
TOKEN_MARGIN = 60.0  # a token counts as stale this many seconds before it expires
CHECK_CREDENTIALS = "Check the Connection's login (client id), password (client secret) and schema (account)"


TOKEN_REFUSED = {
    401: "The token was refused. Check that the app is installed for the account, or renew the bearer token.",
    403: "The app may not read outbound configurations. Check its scope and installation in LivePerson.",
}
SIGNATURE_REFUSED = {
    401: "The signature was refused. Check the Connection's login (app key), password (app secret) and its extras "
    "access_token and access_token_secret, and this machine's clock.",
    403: "The API key may not read outbound configurations. Check its permissions in LivePerson, and the "
    "Connection's login (app key) and extra access_token.",
}
OAUTH1_ENDED = "2026-05-31"  # https://developers.liveperson.com/oauth-1-0-api-keys.html


class BearerToken(AuthBase):
    """Add a token to a request's headers when the request is sent."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        return request


class Bearer:
    """Send a bearer token as it is. It can't be renewed.

    :param token: the token.
    """

    advice = TOKEN_REFUSED
    accepted, token_life = "Bearer token accepted", 0.0

    def __init__(self, token: Secret) -> None:
        self.secrets = [token]

    def ready(self, api: Api) -> BearerToken:
        """Return what authorizes a request."""
        return BearerToken(self.secrets[0])

    def refused(self) -> bool:
        """Tell that another try is not worthwhile."""
        return False


class Signature(AuthBase):
    """Sign a request when it is sent, each with its own nonce and timestamp (OAuth Core 1.0, HMAC-SHA1).

    :param credentials: app key, app secret, access token and access token secret.
    :param now: seconds since 1970.
    """

    def __init__(self, credentials: Sequence[Secret], now: Callable[[], float]) -> None:
        self._credentials, self._now = credentials, now

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        import requests_oauthlib  # not needed with other credentials

        app_key, app_secret, token, token_secret = self._credentials
        sign = requests_oauthlib.OAuth1(
            app_key.reveal(),
            app_secret.reveal(),
            token.reveal(),
            token_secret.reveal(),
            signature_method="HMAC-SHA1",  # OAuth 1.0 page
            timestamp=str(int(self._now())),
        )
        return sign(request)


class OAuth1:
    """Sign requests with an API key and its access token. Nothing is fetched or renewed.

    :param account: whose credentials to use.
    :param now: seconds since 1970.
    :param mask: masks each credential in logs; Airflow does not know that the login is one.
    """

    advice = SIGNATURE_REFUSED
    accepted = f"OAuth 1.0 accepted, although LivePerson ended it on {OAUTH1_ENDED}; change to AppJWT"
    token_life = 0.0

    def __init__(self, account: Account, now: Callable[[], float], mask: Callable[[str], object]) -> None:
        credentials = (account.app_key, account.secret, account.access_token, account.access_token_secret)
        self.secrets = [each for each in credentials if each]  # all four: a Connection without one is refused
        self._account_id, self._mask = account.account_id, mask
        self._signature = Signature(self.secrets, now)
        self._prepared = False

    def ready(self, api: Api) -> Signature:
        """Return what signs a request; the first time, mask the credentials and warn.

        :raises ConfigError: if requests-oauthlib is not installed.
        """
        if not self._prepared:
            self._prepare()
            self._prepared = True
        return self._signature

    def refused(self) -> bool:
        """Tell that another try is not worthwhile."""
        return False

    def _prepare(self) -> None:
        try:
            import requests_oauthlib  # noqa: F401
        except ImportError:
            raise ConfigError(
                "auth oauth1 needs the package requests-oauthlib: pip install requests-oauthlib"
            ) from None
        for library in ("oauthlib", "requests_oauthlib"):
            logging.getLogger(library).setLevel(logging.INFO)  # at DEBUG, they log credentials
        for secret in self.secrets:
            self._mask(secret.reveal())
        log.warning(
            "LivePerson ended OAuth 1.0 on %s, but account %s still uses it. Create an app for AppJWT, put its "
            "client id and secret into the Connection's login and password, and set the extra auth to app_jwt",
            OAUTH1_ENDED,
            self._account_id,
        )


class AppJWT:
    """Authorize an account's requests with an AppJWT, by the client-credentials grant.

    :param account: whose credentials to use.
    :param clock: monotonic seconds, for a token's age.
    :param mask: masks each fetched token in logs.
    """

    advice = TOKEN_REFUSED

    def __init__(self, account: Account, clock: Callable[[], float], mask: Callable[[str], object]) -> None:
        self._account, self._clock, self._mask = account, clock, mask
        self._token: Secret | None = None
        self._stale_at = math.inf
        self.token_life = 0.0  # seconds; 0 before the first login
        self.secrets = [account.secret]

    @property
    def accepted(self) -> str:
        """How long the token lives."""
        return f"Token lives {self.token_life / 60:g} min"

    def ready(self, api: Api) -> BearerToken:
        """Return what authorizes a request now; log in if there is no token, or it is stale."""
        if self._token is None or self._clock() >= self._stale_at:
            self._token = self._log_in(api)
            self.secrets = [self._account.secret, self._token]
        return BearerToken(self._token)

    def refused(self) -> bool:
        """Forget the token, which may have been revoked, so that the next try fetches another."""
        self._token = None
        return True

    def _log_in(self, api: Api) -> Secret:
        """Get a token from Sentinel (AppJWT page)."""
        account, base = self._account, api.sentinel_url()
        host, path = host_of(base), TOKEN_PATHS[account.token_api].format(account.account_id)
        advice = f"{CHECK_CREDENTIALS}, and its extra token_api, which is {account.token_api}."
        endpoint = Endpoint(
            purpose="get a token",
            advice=dict.fromkeys((400, 401, 403, 404), advice),
            auth_statuses=(400, 401, 403),
            busy_wait=5.0,
            login=True,
        )
        data = api.read_json(endpoint, Request("POST", base + path, self._add_credentials))
        # Wrapped before anything can fail, so that no traceback shows the token.
        grant = data if isinstance(data, dict) else {}
        token, expires_in = Secret(grant.get("access_token", "")), _seconds(grant.get("expires_in"))
        del data, grant
        if not isinstance(token.reveal(), str) or not re.fullmatch(r"[!-~]+", token.reveal()):
            raise ProtocolError(
                f"{sender_of(base, account)} accepted the login but sent no usable access_token. Check the "
                "Connection's host and token_api"
            )
        self._mask(token.reveal())
        claims: dict[str, Any] = {}
        with suppress(jwt.InvalidTokenError):  # an opaque token
            # Unverified, as it arrived from Sentinel over TLS.
            claims = jwt.decode(token.reveal(), options={"verify_signature": False})
        self._check_audience(host, claims.get("aud"))
        lives = (_seconds(claims.get("exp")) - _seconds(claims.get("iat")), expires_in)
        self.token_life = min((life for life in lives if 1 <= life < math.inf), default=TOKEN_LIFE)
        # Counted from receipt, so that wrong clocks on either side do no harm.
        self._stale_at = self._clock() + self.token_life - min(TOKEN_MARGIN, self.token_life / 2)
        return token

    def _check_audience(self, host: str, audience: object) -> None:
        """Refuse a token for another account: its audience is "le" and the account id (AppJWT page)."""
        names = audience if isinstance(audience, list) else [audience]
        accounts = [name for name in names if isinstance(name, str) and re.fullmatch(r"le\d+", name)]
        if accounts and f"le{self._account.account_id}" not in names:
            raise AuthError(
                f"{host} sent a token for {printable(accounts[0], 60)}, not for account "
                f"{self._account.account_id}. {CHECK_CREDENTIALS}.",
                status=200,
                url=f"https://{host}",
            )

    def _add_credentials(self, request: PreparedRequest) -> PreparedRequest:
        """Write the client id and secret into the body of a login when it is sent."""
        request.headers["Content-Type"] = "application/x-www-form-urlencoded"
        request.body = urlencode(
            {
                "client_id": self._account.client_id,
                "client_secret": self._account.secret.reveal(),
                "grant_type": "client_credentials",
            }
        ).encode()
        return request  # requests then sets the Content-Length


#: What authorizes an account's requests. ``secrets`` are the values that no message may show, ``advice`` says what
#: to do about a refused listing, and ``accepted`` is for a person who tests the Connection. ``token_life`` is in
#: seconds, 0 if no token was fetched.
Auth: TypeAlias = AppJWT | Bearer | OAuth1


def auth_of(
    account: Account, clock: Callable[[], float], now: Callable[[], float], mask: Callable[[str], object]
) -> Auth:
    """Return what authorizes an account's requests.

    :param account: whose credentials to use.
    :param clock: monotonic seconds, for a token's age.
    :param now: seconds since 1970, for a signature's timestamp.
    :param mask: masks in logs the secrets that Airflow does not know.
    """
    if account.auth == "bearer":
        return Bearer(account.secret)
    if account.auth == "oauth1":
        return OAuth1(account, now, mask)
    return AppJWT(account, clock, mask)


def _seconds(value: object) -> float:
    try:
        return float(value) if isinstance(value, (int, float, str)) else math.nan
    except (ValueError, OverflowError):
        return math.nan
