"""LivePerson's side of the protocol, as routes: the Domain API, Sentinel and the listings.

The listings' own error bodies are not documented. These are those of LivePerson's Outbound Reporting API and, for
404 and 405, of its Connect to Messaging API.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, Protocol
from urllib.parse import parse_qsl
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException  # not FastAPI's: unknown paths raise this one

from airflow_provider_outbound.sandbox.oauth1 import Signatures

Json = dict[str, Any]
Shape = Literal["profile", "bare", "wrapped"]

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"  # no secret: it opens nothing else
HOSTS = {"sentinel": "va.sentinel.liveperson.net", "asyncMessagingEnt": "va.msg.liveperson.net"}
KEY_ID = "appjwt-sandbox"


class Account(Protocol):
    """The account that the routes serve."""

    account: str
    page_cap: int | None
    shape: Shape
    signatures: Signatures

    async def admit(self, call: str) -> None: ...
    def grant(self) -> Json: ...
    def accepts(self, token: str) -> bool: ...
    def listing(self, channel: str | None = None) -> list[Json]: ...


@cache
def signing_key() -> rsa.RSAPrivateKey:
    """Return this process's key for tokens."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


async def _sandbox(request: Request) -> Account:
    sandbox: Account = request.app.state.sandbox
    await sandbox.admit(request.scope["route"].tags[0])  # before any other check
    return sandbox


ABOUT = f"""A LivePerson account that exists on this machine only. All its data is invented.

To list configurations: get a token below (client id `{CLIENT_ID}`, secret `{CLIENT_SECRET}`), press
*Authorize*, and paste the `access_token`."""
REFUSALS: dict[int | str, Json] = {
    "4XX": {"description": "Refused: `code`, `requestTraceId` (a random UUID) and `message`"},
    404: {"description": "Not found: `errorCode` and `errorMessage`"},
}
ERROR_CODES = {404: 1004, 405: 1005}  # source: error codes of LivePerson's Connect to Messaging API

Here = Annotated[Account, Depends(_sandbox)]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]

FORM_TYPE = "application/x-www-form-urlencoded"
CREDENTIALS = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
FORM = {"grant_type": "client_credentials", **CREDENTIALS}
# Described here and parsed below, because FastAPI's own forms need one more package.
FIELDS = {name: {"type": "string", "default": value} for name, value in FORM.items()}
FORM_DOCS = {"requestBody": {"content": {FORM_TYPE: {"schema": {"type": "object", "properties": FIELDS}}}}}


async def _services(sandbox: Here, account: str, version: Literal["1.0"]) -> dict[str, Json]:
    if account != sandbox.account:
        raise HTTPException(400, f"no account {account}")
    return {name: {"service": name, "account": account, "baseURI": host} for name, host in HOSTS.items()}


Services = Annotated[dict[str, Json], Depends(_services)]
domain = APIRouter(prefix="/api/account/{account}", tags=["domain"])
sentinel = APIRouter(prefix="/sentinel")


@domain.get("/baseURI.json")
async def hosts(services: Services) -> Json:
    """Return the host of every service."""
    return {"baseURIs": list(services.values())}


@domain.get("/service/{service}/baseURI.json")
async def host(services: Services, service: str) -> Json:
    """Return the host of one service, whose name is case sensitive."""
    if service not in services:
        raise HTTPException(404, f"no service {service}; the services are {', '.join(services)}")
    return services[service]


@sentinel.post("/api/account/{account}/app/token", tags=["token"], openapi_extra=FORM_DOCS)
async def token_v1(sandbox: Here, account: str, v: Literal["1.0"], request: Request) -> Json:
    """Issue a token for the client's id and secret, by version 1 of Sentinel's API."""
    return await token_v2(sandbox, account, request)


@sentinel.post("/api/v2/account/{account}/app/token", tags=["token"], openapi_extra=FORM_DOCS)
async def token_v2(sandbox: Here, account: str, request: Request) -> Json:
    """Issue a token for the client's id and secret, by version 2 of Sentinel's API."""
    if FORM.keys() & request.query_params.keys():
        raise HTTPException(400, "send credentials in the body, not in the URL, which ends up in logs")
    if not request.headers.get("Content-Type", "").startswith(FORM_TYPE):
        raise HTTPException(400, f"Content-Type must be {FORM_TYPE}")
    form = dict(parse_qsl((await request.body()).decode(errors="replace")))
    if form.get("grant_type") != FORM["grant_type"]:
        raise HTTPException(400, f"grant_type must be {FORM['grant_type']}")
    if account != sandbox.account or any(form.get(name) != FORM[name] for name in FORM):
        raise HTTPException(401, "wrong account, client_id or client_secret")
    return sandbox.grant()


@sentinel.get("/well-known/jwks", tags=["jwks"])
async def jwks(sandbox: Here) -> Json:
    """Publish the key that verifies the tokens."""
    key = jwt.algorithms.RSAAlgorithm.to_jwk(signing_key().public_key(), as_dict=True)
    return {"keys": [key | {"kid": KEY_ID, "alg": "RS256", "use": "sig"}]}


async def _authorize(sandbox: Here, account: str, app: str, bearer: Bearer, request: Request) -> None:
    if request.headers.get("Authorization", "").lower().startswith("oauth "):
        if not sandbox.signatures.accepts(request):
            message = "OAuth 1.0: wrong credentials or signature, a nonce that was used, or a wrong timestamp"
            raise HTTPException(401, message, {"WWW-Authenticate": "OAuth"})
    elif not bearer or not sandbox.accepts(bearer.credentials):
        raise HTTPException(401, "token is missing, invalid or expired", {"WWW-Authenticate": "Bearer"})
    if account != sandbox.account:
        raise HTTPException(403, f"the credentials are not for account {account}")
    if app != "prmsg":
        raise HTTPException(404, f"no app {app}")


async def _page(
    sandbox: Here,
    v: Literal["1"],
    limit: Annotated[int, Query(ge=1)] = 30,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> slice:
    return slice(offset, offset + min(limit, sandbox.page_cap or limit))


Page = Annotated[slice, Depends(_page)]
handoffs = APIRouter(
    prefix="/api/account/{account}/app/{app}/handoffs", tags=["list"], dependencies=[Depends(_authorize)]
)


def _listed(sandbox: Account, app: str, page: slice, channel: str | None) -> list[Json] | Json:
    items = sandbox.listing(channel)
    if sandbox.shape != "wrapped":
        return items[page]
    # Source: the response examples of LivePerson's Outbound Reporting API, where -1 stands for no page.
    asked: Json = {"accountId": sandbox.account, "app": app}
    limit = page.stop - page.start
    offsets = {
        "previousOffset": max(0, page.start - limit) if page.start else -1,
        "currentOffset": page.start,
        "nextOffset": page.stop if page.stop < len(items) else -1,
    }
    return {
        "requestMetadata": asked if channel is None else asked | {"channel": channel},
        "page": {"count": len(items[page]), **offsets},
        "handoffs": items[page],
    }


@handoffs.get("/list")
async def list_all(sandbox: Here, app: str, page: Page) -> list[Json] | Json:
    """List a page of the account's outbound configurations."""
    return _listed(sandbox, app, page, None)


@handoffs.get("/list/channel/{channel}")
async def list_channel(sandbox: Here, app: str, page: Page, channel: str) -> list[Json] | Json:
    """List a page of the configurations with a channel: wa, sms-twilio, apple-twilio, googlercs or inapp."""
    return _listed(sandbox, app, page, channel)


async def _refuse(_: Request, error: Any) -> JSONResponse:
    if isinstance(error, RequestValidationError):  # FastAPI's own status is 422
        wrong = error.errors()[0]
        error = HTTPException(400, f"{wrong['loc'][-1]}: {wrong['msg']}")
    if error.status_code in ERROR_CODES:
        body = {"errorMessage": error.detail, "errorCode": ERROR_CODES[error.status_code]}
    else:
        body = {"code": 0, "requestTraceId": str(uuid4()), "message": error.detail}
    return JSONResponse(body, error.status_code, error.headers)


def app_of(sandbox: Account) -> FastAPI:
    """Return the web application that serves an account.

    :param sandbox: the account.
    """
    app = FastAPI(title="LivePerson sandbox", description=ABOUT, responses=REFUSALS)
    app.state.sandbox = sandbox
    for router in (domain, sentinel, handoffs):
        app.include_router(router)
    app.add_route("/", lambda _: RedirectResponse("/docs"))
    app.add_exception_handler(HTTPException, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse)
    return app
