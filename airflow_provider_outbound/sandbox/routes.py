"""LivePerson's side of the protocol, as routes: the Domain API, Sentinel, and the listings."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, Protocol
from urllib.parse import parse_qsl

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException  # not FastAPI's: unknown paths raise this one

Json = dict[str, Any]

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"  # no secret: it opens nothing else
HOSTS = {"sentinel": "va.sentinel.liveperson.net", "asyncMessagingEnt": "va.msg.liveperson.net"}
KEY_ID = "appjwt-sandbox"


class Held(Protocol):
    """The account that the routes speak for."""

    account: str
    page_cap: int | None

    async def admit(self, call: str) -> None: ...
    def grant(self) -> Json: ...
    def accepts(self, token: str) -> bool: ...
    def listing(self, channel: str | None = None) -> list[Json]: ...


@cache
def signing_key() -> rsa.RSAPrivateKey:
    """Return this process's key for tokens."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


async def _sandbox(request: Request) -> Held:
    sandbox: Held = request.app.state.sandbox
    await sandbox.admit(request.scope["route"].tags[0])  # before anything else is looked at
    return sandbox


ABOUT = f"""An account at LivePerson that exists on this machine only: all that it holds is invented.

To list: get a token below (client id `{CLIENT_ID}`, secret `{CLIENT_SECRET}`), press
*Authorize*, and paste the `access_token`."""
REFUSED: dict[int | str, Json] = {"4XX": {"description": "Refused: `internalErrorCode` and `message`"}}

Here = Annotated[Held, Depends(_sandbox)]
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
    """Tell the host of every service."""
    return {"baseURIs": list(services.values())}


@domain.get("/service/{service}/baseURI.json")
async def host(services: Services, service: str) -> Json:
    """Tell the host of one service, whose name is case sensitive."""
    if service not in services:
        raise HTTPException(404, f"no service {service}; there are {', '.join(services)}")
    return services[service]


@sentinel.post("/api/account/{account}/app/token", tags=["token"], openapi_extra=FORM_DOCS)
async def token_v1(sandbox: Here, account: str, v: Literal["1.0"], request: Request) -> Json:
    """Give a token for the client's id and secret, the older way."""
    return await token_v2(sandbox, account, request)


@sentinel.post("/api/v2/account/{account}/app/token", tags=["token"], openapi_extra=FORM_DOCS)
async def token_v2(sandbox: Here, account: str, request: Request) -> Json:
    """Give a token for the client's id and secret."""
    if FORM.keys() & request.query_params.keys():
        raise HTTPException(400, "credentials belong in the body: URLs end up in logs")
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


async def _authorize(sandbox: Here, account: str, app: str, bearer: Bearer) -> None:
    if not bearer or not sandbox.accepts(bearer.credentials):
        raise HTTPException(401, "no valid token", {"WWW-Authenticate": "Bearer"})
    if account != sandbox.account:
        raise HTTPException(403, f"the token is not for account {account}")
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


@handoffs.get("/list")
async def list_all(sandbox: Here, page: Page) -> list[Json]:
    """List a page of the account's outbound configurations."""
    return sandbox.listing()[page]


@handoffs.get("/list/channel/{channel}")
async def list_channel(sandbox: Here, page: Page, channel: str) -> list[Json]:
    """List a page of those with a channel: wa, sms-twilio, apple-twilio, googlercs or inapp."""
    return sandbox.listing(channel)[page]


async def _refuse(_: Request, error: Any) -> JSONResponse:
    if isinstance(error, RequestValidationError):  # FastAPI itself would answer 422
        wrong = error.errors()[0]
        error = HTTPException(400, f"{wrong['loc'][-1]}: {wrong['msg']}")
    body = {"internalErrorCode": str(error.status_code), "message": error.detail}
    return JSONResponse(body, error.status_code, error.headers)


def app_of(sandbox: Held) -> FastAPI:
    """Return the web application that serves an account.

    :param sandbox: the account.
    """
    app = FastAPI(title="LivePerson sandbox", description=ABOUT, responses=REFUSED)
    app.state.sandbox = sandbox
    for router in (domain, sentinel, handoffs):
        app.include_router(router)
    app.add_route("/", lambda _: RedirectResponse("/docs"))
    app.add_exception_handler(HTTPException, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse)
    return app
