"""A LivePerson account on localhost, over real HTTP, to write and test DAGs without an account at LivePerson.

It serves the Domain API, Sentinel's tokens and both listings of the Outbound Configuration API. It can be slow,
fail, refuse fast clients and cap its pages. Its data and its credentials are invented.
"""

from __future__ import annotations

import asyncio
import copy
import json
import math
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar, Literal, TypeAlias, get_args
from uuid import uuid4

import jwt
import uvicorn
from starlette.exceptions import HTTPException

from airflow_provider_outbound.sandbox import data as sandbox_data
from airflow_provider_outbound.sandbox import oauth1
from airflow_provider_outbound.sandbox.routes import (
    CLIENT_ID,
    CLIENT_SECRET,
    KEY_ID,
    Json,
    Shape,
    app_of,
    signing_key,
)

Auth: TypeAlias = Literal["app_jwt", "oauth1"]

LOOPBACK = ("127.0.0.1", "localhost")
GOLDEN = (math.sqrt(5) - 1) / 2  # its multiples spread evenly over 0..1, so a few calls already fail at the rate


@dataclass(kw_only=True, eq=False)
class Sandbox:
    """Serve a LivePerson account in a thread of this process, from `start` to `stop` or in a `with` block.

    Most parameters may be changed while it runs. For example, `sandbox.fail_rate = 1` simulates an outage.

    :param host: address to listen on, 127.0.0.1 or localhost unless `insecure_bind` is set.
    :param port: port to listen on; 0 for a free one, which another start uses again.
    :param account: account (site) id, letters and digits.
    :param items: number of configurations at the start.
    :param seed: the same seed gives the same configurations and fails the same calls.
    :param appear: templates to publish, as a dict of names and seconds from the first start.
    :param latency: seconds before each response.
    :param page_cap: the most items on a page, whatever the request's `limit`; None for no cap.
    :param requests_per_second: token and list calls allowed in a second; further ones get 429; 0 for no limit.
    :param fail_rate: share of list calls refused with 503, from 0 to 1.
    :param token_ttl: seconds until a token expires.
    :param shape: `profile` for a listing of configurations, `bare` for channels as on LivePerson's page, `wrapped`
        for configurations in an envelope such as the Outbound Reporting API's.
    :param auth: the credentials in `connection` and `env`: `app_jwt` or `oauth1`. The server accepts both.
    :param clock: returns monotonic seconds. Dates in configurations and tokens come from the system's clock.
    :param sleep: waits for the latency, in seconds.
    :param insecure_bind: allow a host that other machines can reach.
    :raises ValueError: if an argument is out of range.
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
    shape: Shape = "profile"
    auth: Auth = "app_jwt"
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    insecure_bind: bool = False
    client_id: ClassVar[str] = CLIENT_ID
    client_secret: ClassVar[str] = CLIENT_SECRET

    def __post_init__(self) -> None:
        self._waiting = dict(self.appear or {})
        rate, waits = self.requests_per_second, self._waiting.values()
        for rule, holds in {
            f"host must be {' or '.join(LOOPBACK)}; any other needs --allow-remote": self.host in LOOPBACK
            or self.insecure_bind,
            "port must be 0 to 65535": 0 <= self.port <= 65535,
            "account must be letters and digits": self.account.isascii() and self.account.isalnum(),
            "items must be 0 or more": self.items >= 0,
            "appear must be 0 seconds or more": all(0 <= wait < math.inf for wait in waits),
            "latency must be 0 seconds or more": 0 <= self.latency < math.inf,
            "page_cap must be 1 or more": self.page_cap is None or self.page_cap >= 1,
            "requests_per_second must be 0, or 1 or more": rate == 0 or rate >= 1,
            "fail_rate must be 0 to 1": 0 <= self.fail_rate <= 1,
            "token_ttl must be 1 second or more": 1 <= self.token_ttl < math.inf,
            "shape must be profile, bare or wrapped": self.shape in get_args(Shape),
            "auth must be app_jwt or oauth1": self.auth in get_args(Auth),
        }.items():
            if not holds:
                raise ValueError(rule)
        self.calls: Counter[str] = Counter()  # "domain", "token", "jwks", "list"; refused ones count
        # Each with the time at which it appears.
        self._held = [(-math.inf, item) for item in sandbox_data.configurations(self.items, self.seed)]
        self._expiry: dict[str, float] = {}  # by token, the time at which it expires
        self.signatures = oauth1.Signatures()
        self._recent: deque[float] = deque()  # times of the calls admitted in the last second
        self._running: tuple[uvicorn.Server, threading.Thread] | None = None

    @property
    def url(self) -> str:
        """The base URL; with port 0, it is known once the server has started."""
        return f"http://{self.host}:{self.port}"

    @property
    def connection(self) -> Json:
        """The Airflow Connection to this account: the dict of its JSON form."""
        credentials = {"login": self.client_id, "password": self.client_secret, "schema": self.account}
        if self.auth == "oauth1":
            credentials |= oauth1.CONNECTION
        return {"conn_type": "liveperson_outbound", "host": self.url, **credentials}

    @property
    def env(self) -> dict[str, str]:
        """The environment variable that makes this account the default Connection."""
        return {"AIRFLOW_CONN_LIVEPERSON_OUTBOUND_DEFAULT": json.dumps(self.connection)}

    def configurations(self) -> list[Json]:
        """Return a copy of the listing as it is now, without the envelope of `wrapped`."""
        return copy.deepcopy(self.listing())

    def publish(
        self,
        name: str,
        *,
        channel: str = "wa",
        language: str = "en",
        variables: Sequence[str] = ("1", "2"),
        after: float = 0.0,
    ) -> None:
        """Publish a template at the end of the listing.

        :param name: name of the configuration, and of its template on WhatsApp.
        :param channel: wa, sms-twilio, apple-twilio, googlercs or inapp.
        :param language: language code such as `pt_BR`.
        :param variables: names of its placeholders.
        :param after: seconds from now until it appears.
        :raises ValueError: for any other channel, or for variables that are one text.
        """
        if isinstance(variables, str):
            raise ValueError(f"variables is {variables!r}: give a list of names")
        created = datetime.now(timezone.utc) + timedelta(seconds=after)
        item = sandbox_data.template(name, channel, language, variables, created)
        self._held.append((self.clock() + after, item))

    def update(self, name: str, /, **fields: Any) -> None:
        """Change fields of a configuration, and its `updatedAt`.

        :param name: name of the configuration.
        :param fields: the new values of fields, with LivePerson's names.
        :raises KeyError: if there is no such configuration.
        """
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        at = self._find(name)
        appears, item = self._held[at]
        self._held[at] = (appears, {**item, "updatedAt": now, **copy.deepcopy(fields)})

    def remove(self, name: str) -> None:
        """Remove a configuration.

        :param name: name of the configuration.
        :raises KeyError: if there is no such configuration.
        """
        del self._held[self._find(name)]

    def _find(self, name: str) -> int:
        for at, (_, item) in enumerate(self._held):
            if item["name"] == name:
                return at
        raise KeyError(name)

    def start(self) -> None:
        """Serve until `stop`, and return once the server accepts requests.

        :raises OSError: if the port is taken.
        :raises RuntimeError: if it is already running.
        """
        if self._running:
            raise RuntimeError(f"{self.url} is already being served")
        try:  # uvicorn would end the process if the port is taken
            listener = socket.create_server((self.host, self.port))
        except OSError as error:
            raise OSError(error.errno, f"cannot listen on {self.url}: {error.strerror}") from error
        self.port = listener.getsockname()[1]
        for name, after in self._waiting.items():
            self.publish(name, after=after)
        self._waiting = {}  # a second start serves the same account
        signing_key()  # made now, because it would delay the first responses
        # With its own log_config, uvicorn would reconfigure the logging of this process, Airflow's or pytest's.
        config = uvicorn.Config(
            app_of(self), log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="outbound-sandbox", daemon=True)
        thread.start()
        while not server.started:
            if not thread.is_alive():
                listener.close()
                raise RuntimeError("the server ended while starting; see its log")
            time.sleep(0.005)
        self._running = server, thread

    def stop(self) -> None:
        """Stop serving, and keep the account for another start."""
        if self._running:
            (server, thread), self._running = self._running, None
            server.should_exit = True
            thread.join()

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def listing(self, channel: str | None = None) -> list[Json]:
        """Return what the account lists now: bare channels if `shape` is `bare`, else configurations.

        :param channel: only items with this channel; None for all.
        """
        now = self.clock()
        held = [item for appears, item in sorted(self._held, key=lambda entry: entry[0]) if appears <= now]
        if self.shape == "bare":
            return [bare for item in held for bare in _channels(item) if channel in (None, bare.get("type"))]
        return [item for item in held if channel in (None, *(bare.get("type") for bare in _channels(item)))]

    async def admit(self, call: str) -> None:
        """Count a call, wait for the latency, and refuse the call if it is too fast or must fail.

        :param call: "domain", "token", "jwks" or "list".
        :raises HTTPException: 429 or 503.
        """
        self.calls[call] += 1
        if self.latency:
            await self.sleep(self.latency)
        if call in ("token", "list"):
            self._pace()
        if call == "list" and (self.seed + self.calls[call]) * GOLDEN % 1 < self.fail_rate:
            raise HTTPException(503, f"unavailable: fail_rate is {self.fail_rate:g}")

    def _pace(self) -> None:
        now = self.clock()
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        if self.requests_per_second and len(self._recent) + 1 > self.requests_per_second:
            raise HTTPException(
                429, f"more than {self.requests_per_second:g} requests in a second", {"Retry-After": "1"}
            )
        self._recent.append(now)

    def grant(self) -> Json:
        """Issue a token, and return the body of the login's response."""
        now, life = int(time.time()), int(self.token_ttl)  # system time, because clients compare it with theirs
        claims: Json = {"aud": f"le{self.account}", "azp": self.client_id, "scope": "outbound.read"}
        # Without jti, two tokens issued in the same second would be equal.
        claims |= {"iss": "Sentinel", "iat": now, "exp": now + life, "jti": str(uuid4())}
        token = jwt.encode(claims, signing_key(), algorithm="RS256", headers={"kid": KEY_ID})
        self._expiry[token] = self.clock() + self.token_ttl
        return {"access_token": token, "token_type": "Bearer", "expires_in": life}

    def accepts(self, token: str) -> bool:
        """Return whether this account issued a token and it has not expired.

        :param token: the bearer token of a request.
        """
        return self.clock() < self._expiry.get(token, -math.inf)


def _channels(item: Json) -> list[Json]:
    """Return a configuration's channels; `update` may have replaced them with anything."""
    channels = item["channels"]
    return [each for each in channels if isinstance(each, dict)] if isinstance(channels, list) else []
