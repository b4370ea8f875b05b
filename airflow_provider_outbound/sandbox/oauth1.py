"""OAuth 1.0 at the sandbox: signatures of the known credentials, each nonce once, no old timestamp."""

from __future__ import annotations

from typing import Any

from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, RequestValidator, ResourceEndpoint
from starlette.requests import Request

APP_KEY = "sandbox-app-key"
APP_SECRET = "sandbox-app-secret"  # no secret: like the others, it opens nothing else
ACCESS_TOKEN = "sandbox-access-token"
ACCESS_TOKEN_SECRET = "sandbox-access-token-secret"
TOKENS = {"access_token": ACCESS_TOKEN, "access_token_secret": ACCESS_TOKEN_SECRET}
CONNECTION: dict[str, Any] = {"login": APP_KEY, "password": APP_SECRET, "extra": {"auth": "oauth1", **TOKENS}}
TIMESTAMP_LIFETIME = 300  # seconds; LivePerson does not say, 5 minutes are usual


class _Validator(RequestValidator):
    allowed_signature_methods = (SIGNATURE_HMAC_SHA1,)
    enforce_ssl = False  # it listens on loopback
    timestamp_lifetime = TIMESTAMP_LIFETIME
    dummy_client = dummy_access_token = "nobody"

    def __init__(self) -> None:
        self._used: set[tuple[str, str]] = set()  # timestamps and nonces

    # oauthlib's own checks of length and characters are for servers that issue random keys.

    def check_client_key(self, client_key: str) -> bool:
        return True

    def check_access_token(self, request_token: str) -> bool:
        return True

    def check_nonce(self, nonce: str) -> bool:
        return True

    def validate_timestamp_and_nonce(
        self, client_key: str, timestamp: str, nonce: str, *_: object, **__: object
    ) -> bool:
        used = (timestamp, nonce) in self._used
        self._used.add((timestamp, nonce))
        return not used

    def validate_client_key(self, client_key: str, request: Any) -> bool:
        return client_key == APP_KEY

    def validate_access_token(self, client_key: str, token: str, request: Any) -> bool:
        return token == ACCESS_TOKEN

    def validate_realms(self, *_: object, **__: object) -> bool:
        return True

    def get_client_secret(self, client_key: str, request: Any) -> str:
        return APP_SECRET

    def get_access_token_secret(self, client_key: str, token: str, request: Any) -> str:
        return ACCESS_TOKEN_SECRET


class Signatures:
    """Verify signed requests; remember their nonces."""

    def __init__(self) -> None:
        self._endpoint = ResourceEndpoint(_Validator())

    def accepts(self, request: Request) -> bool:
        """Return whether a request is signed with the known credentials, now, and for the first time.

        :param request: a GET, whose query is part of what is signed.
        """
        try:
            valid, _ = self._endpoint.validate_protected_resource_request(
                str(request.url), request.method, headers=dict(request.headers)
            )
        except ValueError:  # a malformed header or query
            return False
        return bool(valid)
