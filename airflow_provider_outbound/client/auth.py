"""How requests are authorized: with a bearer token as it is, or with an AppJWT that is fetched and renewed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import jwt
from requests import PreparedRequest
from requests.auth import AuthBase

from airflow_provider_outbound.client.account import Account, Secret, host_of
from airflow_provider_outbound.client.responses import Endpoint
from airflow_provider_outbound.client.sender import Request
from airflow_provider_outbound.errors import AuthError, ProtocolError, printable

if TYPE_CHECKING:
    from airflow_provider_outbound.client.api import Api

TOKEN_PATHS = {"v1": "/sentinel/api/account/{}/app/token?v=1.0", "v2": "/sentinel/api/v2/account/{}/app/token"}
TOKEN_LIFE = 3600.0  # seconds from iat to exp in the AppJWT page's example; for a response that doesn't say
TOKEN_MARGIN = 60.0  # seconds before a token ends at which it counts as stale
CHECK_CREDENTIALS = "Check the Connection's login (client id), password (client secret) and schema (account)"


class BearerToken(AuthBase):
    """Authorize a request with a token, in a header that is added when it is sent."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        return request


class Auth:
    """Authorize an account's requests: with its bearer token, or with an AppJWT by the client-credentials grant.

    :param account: whose credentials to use.
    :param clock: monotonic seconds, for a token's age.
    :param mask: gets each token that is fetched, to keep it out of logs.
    """

    def __init__(self, account: Account, clock: Callable[[], float], mask: Callable[[str], object]) -> None:
        self._account, self._clock, self._mask = account, clock, mask
        self._token = account.secret if account.auth == "bearer" else None
        self._stale_at = math.inf
        self.token_life = 0.0  # seconds; 0 for a token that was not fetched
        self.secrets = [account.secret]  # all values that no message may show

    def ready(self, api: Api) -> BearerToken:
        """Return what authorizes a request now. Call it in the caller's thread only: it may log in."""
        if self._token is None or self._clock() >= self._stale_at:
            self._token = self._log_in(api)
            self.secrets = [self._account.secret, self._token]
        return BearerToken(self._token)

    def refused(self) -> bool:
        """Note a 401, and tell whether another try is worthwhile."""
        if self._account.auth == "bearer":
            return False
        self._token = None  # it may have been revoked
        return True

    def _log_in(self, api: Api) -> Secret:
        """Get a token from Sentinel (AppJWT page)."""
        account, base = self._account, api.sentinel_url()
        host, path = host_of(base), TOKEN_PATHS[account.app_jwt_version].format(account.account_id)
        advice = f"{CHECK_CREDENTIALS}, and its extra app_jwt_version, which is {account.app_jwt_version}."
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
            raise ProtocolError(f"{host} accepted the login but sent no usable access_token")
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
        accounts = [name for name in names if isinstance(name, str) and name.startswith("le")]
        if accounts and f"le{self._account.account_id}" not in accounts:
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


def _seconds(value: object) -> float:
    try:
        return float(value) if isinstance(value, (int, float, str)) else math.nan
    except (ValueError, OverflowError):
        return math.nan
