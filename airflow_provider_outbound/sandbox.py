"""A LivePerson account on localhost, over real HTTP: write and test DAGs without an account at LivePerson.

It answers what the Outbound Configuration API needs, the Domain API and Sentinel's tokens included, and can
be told to be slow, to fail or to cap its pages. All that it holds is invented, and so are its credentials.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import copy
import json
import math
import re
import shlex
import signal
import socket
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, NoReturn
from urllib.parse import parse_qsl
from uuid import uuid4

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException  # not FastAPI's: unknown paths raise this one

from airflow_provider_outbound import sandbox_data

Json = dict[str, Any]

LOOPBACK = ("127.0.0.1", "localhost")
HOSTS = {"sentinel": "va.sentinel.liveperson.net", "asyncMessagingEnt": "va.msg.liveperson.net"}
KEY_ID = "appjwt-sandbox"
GOLDEN = (math.sqrt(5) - 1) / 2  # its multiples spread evenly over 0..1: any few calls fail at the right rate


@dataclass(kw_only=True, eq=False)
class Sandbox:
    """Serve a LivePerson account from a thread of this process, from `start` to `stop` or in a `with` block.

    Most settings may change while it runs: `sandbox.fail_rate = 1` is an outage.

    :param host: address to listen on, 127.0.0.1 or localhost unless remote access is allowed.
    :param port: port to listen on; 0 for a free one, which a second start keeps.
    :param account: account (site) id, letters and digits.
    :param items: number of configurations to begin with.
    :param seed: the same seed invents the same configurations and fails the same calls.
    :param appear: template to publish by itself, and the seconds from the first start until then.
    :param latency: seconds before each answer.
    :param page_cap: most items on a page, whatever `limit` asks for.
    :param requests_per_second: token and list calls beyond that many are answered 429; 0 for no limit.
    :param fail_rate: share of list calls answered 503, from 0 to 1.
    :param token_ttl: seconds until a token expires.
    :param shape: list configurations (profile), or bare channels as on LivePerson's page (bare).
    :param clock: monotonic seconds; dates in configurations and tokens are real ones all the same.
    :param sleep: waits out the latency.
    :param insecure_bind: allow a host that other machines reach.
    :raises ValueError: an argument makes no sense.
    """

    host: str = "127.0.0.1"
    port: int = 0
    account: str = "12345678"
    items: int = 90
    seed: int = 1
    appear: Mapping[str, float] | None = None
    latency: float = 0.0
    page_cap: int | None = None
    requests_per_second: float = 0.0
    fail_rate: float = 0.0
    token_ttl: float = 3600.0
    shape: Literal["profile", "bare"] = "profile"
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    insecure_bind: bool = False
    client_id: ClassVar[str] = "sandbox-client"
    client_secret: ClassVar[str] = "sandbox-secret"  # no secret: it opens nothing else

    def __post_init__(self) -> None:
        self._waiting = dict(self.appear or {})
        rate, waits = self.requests_per_second, self._waiting.values()
        for rule, kept in {
            f"host must be {' or '.join(LOOPBACK)}": self.host in LOOPBACK or self.insecure_bind,
            "port must be 0 to 65535": 0 <= self.port <= 65535,
            "account must be letters and digits": self.account.isalnum(),
            "items must be 0 or more": self.items >= 0,
            "appear must be 0 seconds or more": all(0 <= wait < math.inf for wait in waits),
            "latency must be 0 seconds or more": 0 <= self.latency < math.inf,
            "page_cap must be 1 or more": self.page_cap is None or self.page_cap >= 1,
            "requests_per_second must be 0, or 1 or more": rate == 0 or rate >= 1,
            "fail_rate must be 0 to 1": 0 <= self.fail_rate <= 1,
            "token_ttl must be 1 second or more": 1 <= self.token_ttl < math.inf,
            "shape must be profile or bare": self.shape in ("profile", "bare"),
        }.items():
            if not kept:
                raise ValueError(rule)
        self.calls: Counter[str] = Counter()  # "domain", "token", "jwks", "list": answered or refused
        self._configurations = sandbox_data.configurations(self.items, self.seed)
        self._published: list[tuple[float, Json]] = []  # the time at which each appears
        self._expiry: dict[str, float] = {}  # the time at which each token expires
        self._recent: deque[float] = deque()  # the times of the last second's calls
        self._running: tuple[uvicorn.Server, threading.Thread] | None = None

    @property
    def url(self) -> str:
        """Tell where it listens; with port 0, known once it has started."""
        return f"http://{self.host}:{self.port}"

    @property
    def connection(self) -> Json:
        """Describe the Airflow connection to it."""
        credentials = {"login": self.client_id, "password": self.client_secret, "schema": self.account}
        return {"conn_type": "liveperson_outbound", "host": self.url, **credentials}

    @property
    def env(self) -> dict[str, str]:
        """Give the environment variable that makes it Airflow's default connection to LivePerson."""
        return {"AIRFLOW_CONN_LIVEPERSON_OUTBOUND_DEFAULT": json.dumps(self.connection)}

    def configurations(self) -> list[Json]:
        """Copy what the account holds right now, as it is listed."""
        return copy.deepcopy(self._listing())

    def publish(
        self, name: str, *, channel: str = "wa", language: str = "en", variables: Sequence[str] = ("1", "2")
    ) -> None:
        """Make a template appear now, after all that the account holds.

        :param name: name of the configuration, and of its template on WhatsApp.
        :param channel: wa, sms-twilio, apple-twilio, googlercs or inapp; ValueError for any other.
        :param language: language code such as `pt_BR`.
        :param variables: names of its placeholders.
        """
        self._add(0, name, channel, language, variables)

    def start(self) -> None:
        """Serve until `stop`; answers once this returns. OSError if the port is taken."""
        if self._running:
            raise RuntimeError(f"{self.url} is served already")
        try:  # not left to uvicorn, which ends the process over it
            listener = socket.create_server((self.host, self.port))
        except OSError as error:
            raise OSError(error.errno, f"cannot listen on {self.url}: {error.strerror}") from error
        self.port = listener.getsockname()[1]
        for name, after in self._waiting.items():
            self._add(after, name, "wa", "en", ("1", "2"))
        self._waiting = {}  # a second start is of the same account
        _key()  # made here, or making it would hold up the first answers
        # Without log_config=None, uvicorn sets up the logging of its process, which is Airflow's or pytest's.
        config = uvicorn.Config(
            _app(self), log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="outbound-sandbox", daemon=True)
        thread.start()
        while not server.started:
            if not thread.is_alive():
                listener.close()
                raise RuntimeError("the server ended while starting; its log tells why")
            time.sleep(0.005)
        self._running = server, thread

    def stop(self) -> None:
        """Stop serving; the account stays as it is for another start."""
        if self._running:
            (server, thread), self._running = self._running, None
            server.should_exit = True
            thread.join()

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _add(self, after: float, name: str, channel: str, language: str, variables: Sequence[str]) -> None:
        created = datetime.now(timezone.utc) + timedelta(seconds=after)
        item = sandbox_data.template(name, channel, language, variables, created)
        self._published.append((self.clock() + after, item))

    def _listing(self, channel: str | None = None) -> list[Json]:
        now = self.clock()
        published = sorted(self._published, key=lambda entry: entry[0])
        held = self._configurations + [item for appears, item in published if appears <= now]
        if self.shape == "bare":
            return [bare for item in held for bare in item["channels"] if channel in (None, bare["type"])]
        return [item for item in held if channel in (None, *(bare["type"] for bare in item["channels"]))]

    async def _admit(self, call: str) -> None:
        self.calls[call] += 1
        if self.latency:
            await self.sleep(self.latency)
        if call in ("token", "list"):
            self._pace()
        if call == "list" and (self.seed + self.calls[call]) * GOLDEN % 1 < self.fail_rate:
            raise HTTPException(503, "failing as often as it was told to")

    def _pace(self) -> None:
        now = self.clock()
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        if self.requests_per_second and len(self._recent) + 1 > self.requests_per_second:
            raise HTTPException(429, "too many requests in the last second", {"Retry-After": "1"})
        self._recent.append(now)

    def _issue(self) -> Json:
        now, life = int(time.time()), int(self.token_ttl)  # real time, for the clients' own clocks
        claims: Json = {"aud": f"le{self.account}", "azp": self.client_id, "scope": "outbound.read"}
        # Without jti, two tokens of the same second would be one.
        claims |= {"iss": "Sentinel", "iat": now, "exp": now + life, "jti": str(uuid4())}
        token = jwt.encode(claims, _key(), algorithm="RS256", headers={"kid": KEY_ID})
        self._expiry[token] = self.clock() + self.token_ttl
        return {"access_token": token, "token_type": "Bearer", "expires_in": life}


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


async def _sandbox(request: Request) -> Sandbox:
    sandbox: Sandbox = request.app.state.sandbox
    await sandbox._admit(request.scope["route"].tags[0])  # before anything else is looked at
    return sandbox


ABOUT = f"""An account at LivePerson that exists on this machine only: all that it holds is invented.

To list: get a token below (client id `{Sandbox.client_id}`, secret `{Sandbox.client_secret}`), press
*Authorize*, and paste the `access_token`."""
REFUSED: dict[int | str, Json] = {"4XX": {"description": "Refused: `internalErrorCode` and `message`"}}

Here = Annotated[Sandbox, Depends(_sandbox)]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]

FORM_TYPE = "application/x-www-form-urlencoded"
CREDENTIALS = {"client_id": Sandbox.client_id, "client_secret": Sandbox.client_secret}
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
    return sandbox._issue()


@sentinel.get("/well-known/jwks", tags=["jwks"])
async def jwks(sandbox: Here) -> Json:
    """Publish the key that verifies the tokens."""
    key = jwt.algorithms.RSAAlgorithm.to_jwk(_key().public_key(), as_dict=True)
    return {"keys": [key | {"kid": KEY_ID, "alg": "RS256", "use": "sig"}]}


async def _authorize(sandbox: Here, account: str, app: str, bearer: Bearer) -> None:
    if not bearer or sandbox.clock() >= sandbox._expiry.get(bearer.credentials, -math.inf):
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
    return sandbox._listing()[page]


@handoffs.get("/list/channel/{channel}")
async def list_channel(sandbox: Here, page: Page, channel: str) -> list[Json]:
    """List a page of those with a channel: wa, sms-twilio, apple-twilio, googlercs or inapp."""
    return sandbox._listing(channel)[page]


async def _refuse(_: Request, error: Any) -> JSONResponse:
    if isinstance(error, RequestValidationError):  # FastAPI itself would answer 422
        wrong = error.errors()[0]
        error = HTTPException(400, f"{wrong['loc'][-1]}: {wrong['msg']}")
    body = {"internalErrorCode": str(error.status_code), "message": error.detail}
    return JSONResponse(body, error.status_code, error.headers)


def _app(sandbox: Sandbox) -> FastAPI:
    app = FastAPI(title="LivePerson sandbox", description=ABOUT, responses=REFUSED)
    app.state.sandbox = sandbox
    for router in (domain, sentinel, handoffs):
        app.include_router(router)
    app.add_route("/", lambda _: RedirectResponse("/docs"))
    app.add_exception_handler(HTTPException, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse)
    return app


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")  # one line: no usage before it


def _appearance(text: str) -> tuple[str, float]:
    found = re.fullmatch(r"(.+):(\d+(?:\.\d+)?)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME:SECONDS")
    return found[1], float(found[2])


def _parser() -> _Parser:
    parser = _Parser(
        prog="python -m airflow_provider_outbound.sandbox",
        description="Serve a LivePerson account on localhost.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    meaning = dict(re.findall(r":param (\w+): (.+)", Sandbox.__doc__ or ""))  # none with python -OO
    for field in fields(Sandbox):
        flag, kind = f"--{field.name.replace('_', '-')}", type(field.default)
        if kind in (str, int, float):
            parser.add_argument(flag, type=kind, default=field.default, help=meaning.get(field.name))
    parser.add_argument("--page-cap", type=int, help=meaning.get("page_cap"))
    parser.add_argument(
        "--appear",
        type=_appearance,
        action="append",
        default=[],
        metavar="NAME:SECONDS",
        help=meaning.get("appear"),
    )
    parser.add_argument(
        "--allow-remote", dest="insecure_bind", action="store_true", help=meaning.get("insecure_bind")
    )
    parser.set_defaults(port=8765)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM, and return the exit status.

    :param arguments: command line; that of the process if None.
    """
    parser = _parser()
    options = vars(parser.parse_args(arguments))
    appear = options["appear"] = dict(options["appear"])
    try:
        sandbox = Sandbox(**options)
    except ValueError as error:
        parser.error(str(error))
    if sandbox.host not in LOOPBACK:
        print("warning: other machines can get in, with credentials that are no secret", file=sys.stderr)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C
    try:
        with contextlib.suppress(KeyboardInterrupt), sandbox:
            print(f"{sandbox.url} serves account {sandbox.account} with {sandbox.items} configurations")
            print(f"{sandbox.url}/docs describes it")
            for name, seconds in appear.items():
                print(f"{name} appears {seconds:g} seconds from now")
            for name, value in sandbox.env.items():
                print(f"export {name}={shlex.quote(value)}", flush=True)
            threading.Event().wait()
    except OSError as error:
        parser.exit(1, f"{parser.prog}: {error.strerror}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
