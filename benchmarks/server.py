"""A server of the benchmark's own: LivePerson's login and listing, fast enough not to be what is measured.

``python -m benchmarks.server`` prints its URL and serves until its standard input ends. Besides LivePerson's
paths, it answers ``POST /case``, which begins a case anew, and ``GET /calls``, which tells what was asked since.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt

from airflow_provider_outbound.sandbox import data as sandbox_data

ACCOUNT, CLIENT_ID, CLIENT_SECRET = "12345678", "bench-client", "bench-secret"
TOKEN_PATH = f"/sentinel/api/account/{ACCOUNT}/app/token?v=1.0"
LIST_PATH = f"/api/account/{ACCOUNT}/app/prmsg/handoffs/list"
SHIFT_AT = 5  # list calls before the insert, or the deletion
CUT_CALL = 4  # the list call whose JSON breaks off


@dataclass(frozen=True)
class Case:
    """What the server holds, and how it misbehaves.

    :param items: configurations at the start.
    :param latency: seconds before each answer.
    :param page_cap: most configurations on a page, whatever ``limit`` asks for; 0 for no cap.
    :param per_second: list calls admitted in any one second, 429 beyond; 0 for no limit.
    :param fails: answer one list call in twenty with 503.
    :param cut: break off the JSON of one list call, once.
    :param token_life: seconds that a token is good for.
    :param ignores_offset: answer every list call with the first page.
    :param inserts: put a new configuration before all others while the listing is read.
    :param deletes: take the first configuration away while the listing is read.
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
    return sandbox_data.configurations(count, seed=1)


@cache
def _encoded(count: int) -> list[bytes]:
    return [json.dumps(item, ensure_ascii=False).encode() for item in configurations(count)]


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
    """The account that is served, from the start of one case to the start of the next.

    :param case: what it holds, and how it misbehaves.
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.items = list(_encoded(case.items))
        self.arrivals: list[float] = []
        self.admitted: list[float] = []
        self.tokens: dict[str, float] = {}  # when each ends
        self.refused = 0

    def calls(self) -> dict[str, int]:
        """Return what was asked."""
        most = most_in_a_second(self.arrivals)
        return {
            "list": len(self.arrivals),
            "token": len(self.tokens),
            "most_in_a_second": most,
            "refused": self.refused,
        }

    def answer(self, method: str, target: str, authorization: str, body: bytes) -> tuple[int, bytes]:
        """Answer a call.

        :param target: path and query.
        :param authorization: that header, empty if it is missing.
        :returns: status and JSON.
        """
        parts = urlsplit(target)
        if (method, target) == ("POST", TOKEN_PATH):
            return self._grant(dict(parse_qsl(body.decode())))
        if (method, parts.path) != ("GET", LIST_PATH):
            return 404, b'{"message": "no such path"}'
        now = time.monotonic()
        self.arrivals.append(now)
        status, page = self._list(now, authorization, dict(parse_qsl(parts.query)))
        self.refused += status != 200
        return status, page

    def _grant(self, form: dict[str, str]) -> tuple[int, bytes]:
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return 401, b'{"message": "wrong client_id or client_secret"}'
        now, life = int(time.time()), self.case.token_life
        claims = {"aud": f"le{ACCOUNT}", "azp": CLIENT_ID, "iss": "Sentinel", "iat": now, "exp": now + life}
        token = jwt.encode({**claims, "jti": str(len(self.tokens))}, "k" * 32)
        self.tokens[f"Bearer {token}"] = time.monotonic() + life
        return 200, json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": life}).encode()

    def _list(self, now: float, authorization: str, query: dict[str, str]) -> tuple[int, bytes]:
        case, call = self.case, len(self.arrivals)
        if now >= self.tokens.get(authorization, 0.0):
            return 401, b'{"message": "no valid token"}'
        if case.per_second and sum(each > now - 1 for each in self.admitted) == case.per_second:
            return 429, b'{"message": "too many requests in the last second"}'
        self.admitted.append(now)
        if case.fails and call % 20 == 10:
            return 503, b'{"message": "unavailable"}'
        if call == SHIFT_AT + 1 and case.inserts:
            new = {**configurations(1)[0], "id": "inserted", "name": "inserted"}
            self.items.insert(0, json.dumps(new, ensure_ascii=False).encode())
        if call == SHIFT_AT + 1 and case.deletes:
            del self.items[0]
        offset = 0 if case.ignores_offset else int(query.get("offset", 0))
        limit = min(int(query.get("limit", 30)), case.page_cap or sys.maxsize)
        page = b"[" + b",".join(self.items[offset : offset + limit]) + b"]"
        return 200, page[: len(page) // 2] if case.cut and call == CUT_CALL else page


class Server:
    """Serve one account at a time on loopback."""

    def __init__(self) -> None:
        self.account = Account(Case())

    def answer(self, method: str, target: str, authorization: str, body: bytes) -> tuple[float, int, bytes]:
        """Answer a call: seconds to wait first, status and JSON."""
        if (method, target) == ("POST", "/case"):
            self.account = Account(Case(**json.loads(body)))
            return 0.0, 200, b"{}"
        if (method, target) == ("GET", "/calls"):
            return 0.0, 200, json.dumps(self.account.calls()).encode()
        return self.account.case.latency, *self.account.answer(method, target, authorization, body)


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
        wait, status, page = self._server.answer(method, target, headers.get("authorization", ""), body)
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
