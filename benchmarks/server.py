"""A server of the benchmark's own: LivePerson's login and listing, fast enough not to be what is measured.

``python -m benchmarks.server`` prints its URL and serves until its standard input ends. It serves any account id,
each with the same configurations. Besides LivePerson's paths it answers ``POST /case``, which begins a case anew,
``POST /publish``, which adds templates by name, and ``GET /calls``, which counts the calls of the case.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt

from airflow_provider_outbound.sandbox import Sandbox

ACCOUNT, CLIENT_ID, CLIENT_SECRET = "12345678", "bench-client", "bench-secret"
TOKEN_PATH = "/sentinel/api/account/{}/app/token"
LIST_PATH = "/api/account/{}/app/prmsg/handoffs/list"
PATHS = {
    ("POST", "token"): re.compile(TOKEN_PATH.format(r"(\w+)")),
    ("GET", "list"): re.compile(LIST_PATH.format(r"(\w+)")),
}
PER_SECOND = 10  # LivePerson's limit for an account: its retry policy page
SHIFT_AT = 5  # list calls before the insertion, or the deletion
CUT_CALL = 4  # the list call whose JSON breaks off


@dataclass(frozen=True)
class Case:
    """What the server holds, and how it behaves.

    :param items: configurations at the start.
    :param latency: seconds before each answer.
    :param page_cap: most configurations on a page, whatever ``limit`` asks for; 0 for no cap.
    :param per_second: token and list calls admitted per account in any one second, 429 beyond; 0 for no limit.
    :param fails: answer one list call in twenty with 503.
    :param cut: break off the JSON of one list call, once.
    :param token_life: seconds that a token is good for.
    :param ignores_offset: answer every list call with the first page.
    :param inserts: put a new configuration before all others while the listing is read.
    :param deletes: remove the first configuration while the listing is read.
    """

    items: int = 300
    latency: float = 0.0
    page_cap: int = 0
    per_second: int = 0
    fails: bool = False
    cut: bool = False
    token_life: int = 3600
    ignores_offset: bool = False
    inserts: bool = False
    deletes: bool = False


@cache
def configurations(count: int) -> list[dict[str, Any]]:
    """Return the configurations that a case begins with, about 1 kB of JSON each."""
    return Sandbox(items=count).listing()


@cache
def _encoded(count: int) -> list[bytes]:
    return [_encode(item) for item in configurations(count)]


def _encode(item: dict[str, Any]) -> bytes:
    return json.dumps(item, ensure_ascii=False).encode()


def most_in_a_second(arrivals: list[float]) -> int:
    """Return the most arrivals in any window of one second.

    :param arrivals: seconds, in order.
    """
    most = first = 0
    for last, arrival in enumerate(arrivals):
        while arrival - arrivals[first] >= 1:
            first += 1
        most = max(most, last - first + 1)
    return most


class Account:
    """One account, from the start of one case to the start of the next.

    :param number: account id.
    :param case: what it holds, and how it behaves.
    """

    def __init__(self, number: str, case: Case) -> None:
        self.number, self.case = number, case
        self.items = list(_encoded(case.items))
        self.calls: Counter[str] = Counter()  # "token", "list": answered or refused
        self.arrivals: list[float] = []  # of both
        self.refused = 0
        self._admitted: list[float] = []
        self._expiry: dict[str, float] = {}  # of each Authorization header

    def publish(self, name: str) -> None:
        """Add a template after all others."""
        sandbox = Sandbox(items=0)
        sandbox.publish(name)
        self.items.extend(map(_encode, sandbox.listing()))

    def respond(self, kind: str, query: dict[str, str], authorization: str, body: bytes) -> tuple[int, bytes]:
        """Return the status and the JSON for a call.

        :param kind: "token" or "list".
        :param query: the parameters of its URL.
        :param authorization: that header, empty if it is missing.
        """
        now = time.monotonic()
        self.calls[kind] += 1
        self.arrivals.append(now)
        status, page = self._admit(now) or (
            self._grant(dict(parse_qsl(body.decode())))
            if kind == "token"
            else self._list(now, authorization, query)
        )
        self.refused += status != 200
        return status, page

    def _admit(self, now: float) -> tuple[int, bytes] | None:
        limit = self.case.per_second
        if limit and len(self._admitted) >= limit and self._admitted[-limit] > now - 1:
            return 429, b'{"message": "too many requests in the last second"}'
        self._admitted.append(now)
        return None

    def _grant(self, form: dict[str, str]) -> tuple[int, bytes]:
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return 401, b'{"message": "wrong client_id or client_secret"}'
        now, life = int(time.time()), self.case.token_life
        claims = {"aud": f"le{self.number}", "azp": CLIENT_ID, "iss": "Sentinel", "iat": now, "exp": now + life}
        token = jwt.encode({**claims, "jti": str(self.calls["token"])}, "k" * 32)
        self._expiry[f"Bearer {token}"] = time.monotonic() + life
        return 200, json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": life}).encode()

    def _list(self, now: float, authorization: str, query: dict[str, str]) -> tuple[int, bytes]:
        case, call = self.case, self.calls["list"]
        if now >= self._expiry.get(authorization, 0.0):
            return 401, b'{"message": "no valid token"}'
        if case.fails and call % 20 == 10:
            return 503, b'{"message": "unavailable"}'
        if call == SHIFT_AT + 1 and case.inserts:
            self.items.insert(0, _encode({**configurations(1)[0], "id": "inserted", "name": "inserted"}))
        if call == SHIFT_AT + 1 and case.deletes:
            del self.items[0]
        offset = 0 if case.ignores_offset else int(query.get("offset", 0))
        limit = min(int(query.get("limit", 30)), case.page_cap or sys.maxsize)
        page = b"[" + b",".join(self.items[offset : offset + limit]) + b"]"
        return 200, page[: len(page) // 2] if case.cut and call == CUT_CALL else page


class Server:
    """Serve accounts on loopback."""

    def __init__(self) -> None:
        self._case = Case()
        self._accounts: dict[str, Account] = {}

    def respond(self, method: str, target: str, authorization: str, body: bytes) -> tuple[float, int, bytes]:
        """Return the seconds to wait first, the status and the JSON for a call."""
        parts = urlsplit(target)
        for (verb, kind), path in PATHS.items():
            if verb == method and (match := path.fullmatch(parts.path)):
                query = dict(parse_qsl(parts.query))
                return self._case.latency, *self._account(match[1]).respond(kind, query, authorization, body)
        if (method, target) == ("POST", "/case"):
            self._case, self._accounts = Case(**json.loads(body)), {}
            _encoded(self._case.items)  # now, or it would hold up the first answer
        elif (method, target) == ("POST", "/publish"):
            for account in self._accounts.values():
                for name in json.loads(body):
                    account.publish(name)
        elif (method, target) == ("GET", "/calls"):
            return 0.0, 200, json.dumps(self._calls()).encode()
        else:
            return 0.0, 404, b'{"message": "no such path"}'
        return 0.0, 200, b"{}"

    def _account(self, number: str) -> Account:
        if number not in self._accounts:
            self._accounts[number] = Account(number, self._case)
        return self._accounts[number]

    def _calls(self) -> dict[str, float]:
        """Count the calls; ``first`` is when the first one came, by the machine's monotonic clock."""
        accounts = self._accounts.values()
        return {
            "first": min((each.arrivals[0] for each in accounts), default=0.0),
            "list": sum(each.calls["list"] for each in accounts),
            "token": sum(each.calls["token"] for each in accounts),
            "most_in_a_second": max((most_in_a_second(each.arrivals) for each in accounts), default=0),
            "refused": sum(each.refused for each in accounts),
        }


class Connection(asyncio.Protocol):
    """One client's connection, kept open from call to call.

    :param server: answers the calls.
    """

    def __init__(self, server: Server) -> None:
        self._server, self._received = server, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer as soon as a call is there whole; none of the clients sends a second one before that."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if not end or len(body) < int(headers.get("content-length", 0)):
            return
        self._received = b""
        method, target, _ = first.split(" ")
        wait, status, page = self._server.respond(method, target, headers.get("authorization", ""), body)
        again = "Retry-After: 1\r\n" if status == 429 else ""
        head = (
            f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\n{again}Content-Length: {len(page)}\r\n\r\n"
        )
        asyncio.get_running_loop().call_later(wait, self._transport.write, head.encode() + page)


async def serve() -> None:
    """Print the URL, and serve until standard input ends."""
    loop, server = asyncio.get_running_loop(), Server()
    listener = await loop.create_server(lambda: Connection(server), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def settings(case: Case) -> bytes:
    """Return the body of ``POST /case``."""
    return json.dumps(asdict(case)).encode()


if __name__ == "__main__":
    asyncio.run(serve())
