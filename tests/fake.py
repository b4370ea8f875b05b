"""A LivePerson that misbehaves as told, over real HTTP on loopback."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt

from airflow_provider_outbound.client.account import Account, Secret

ACCOUNT = "12345678"
SECRET = "canary-secret-5f1e"


@dataclass
class Hit:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str
    port: int  # of the client: tells connections apart

    @property
    def kind(self) -> str:
        return "list" if "/handoffs/" in self.path else "token" if "/token" in self.path else "domain"

    @property
    def offset(self) -> int:
        return int(self.query["offset"])


@dataclass
class Reply:
    """An answer; ``raw`` is sent as it is (or sends by itself), and the connection is closed."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | Callable[[socket.socket], object] | None = None


Script = Callable[[Hit], Any] | Iterable[Any]


def token(aud: Any = f"le{ACCOUNT}", life: float = 3600, **claims: Any) -> str:
    """Return an AppJWT such as Sentinel's, signed with a key of no importance."""
    begun = int(time.time())
    return jwt.encode(
        {"aud": aud, "azp": "client", "iss": "Sentinel", "iat": begun, "exp": begun + life, **claims}, "k" * 32
    )


def grant(**claims: Any) -> dict[str, Any]:
    return {"access_token": token(**claims), "token_type": "Bearer"}


def configuration(number: int, **more: Any) -> dict[str, Any]:
    """Return a small configuration."""
    body = {"type": "body", "content": "Hi ${{1}}", "variables": ["1"]}
    channel = {"type": "wa", "language": "en", "templatename": f"t{number}", "messageComponents": [body]}
    return {"id": f"id-{number}", "name": f"n{number}", "updatedAt": "2026-01-01", "channels": [channel], **more}


def bare(number: int, **more: Any) -> dict[str, Any]:
    """Return a small bare channel, as on LivePerson's page."""
    return {"type": "wa", "language": "en", "templatename": f"t{number}", "messageComponents": [], **more}


def paged(items: list[Any], cap: int = 10**9) -> Callable[[Hit], Any]:
    """Return a script that lists items as documented, at most ``cap`` a page."""
    return lambda hit: items[hit.offset : hit.offset + min(int(hit.query["limit"]), cap)]


def changing(items: list[Any], changes: dict[int, Callable[[list[Any]], object]]) -> Callable[[Hit], Any]:
    """Return a script that lists items, and changes them before the calls of these numbers."""
    calls = count()

    def answer(hit: Hit) -> Any:
        changes.get(next(calls), lambda items: None)(items)
        return paged(items)(hit)

    return answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # of 5, which is the default, a busy machine resets connections that come at once


class Served:
    """A server on loopback, for the length of a with block.

    :param handler: answers its requests.
    """

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host}"

    def __enter__(self) -> Any:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Fake(Served):
    """Serve list, token and domain calls by script: a function of the hit, or one answer after the other.

    An answer is a :class:`Reply`, or what to send as JSON. The last answer of a sequence is given from then on.
    """

    def __init__(self, listing: Script = (), token: Script = lambda hit: grant(), domain: Script = ()) -> None:
        self.hits: list[Hit] = []
        self.secrets: list[str] = []
        self._scripts = {"list": _script(listing or [[]]), "token": _script(token), "domain": _script(domain)}
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one packet an answer

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("content-length", 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(length).decode()
                query = dict(parse_qsl(parts.query))
                hit = Hit(self.command, parts.path, query, headers, body, self.client_address[1])
                fake.hits.append(hit)
                self.reply(fake._scripts[hit.kind](hit))

            do_POST = do_GET

            def reply(self, answer: Any) -> None:
                if not isinstance(answer, Reply):
                    answer = Reply(body=answer)
                if answer.raw is not None:
                    if callable(answer.raw):
                        with contextlib.suppress(OSError):  # the client may have gone
                            answer.raw(self.connection)
                    else:
                        self.wfile.write(answer.raw)
                    self.close_connection = True
                    return
                body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                self.send_response(answer.status)
                for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(Handler)

    def kinds(self) -> list[str]:
        """Return what was asked, in order."""
        return [hit.kind for hit in self.hits]

    def account(self, **more: Any) -> Account:
        """Return the account that this server holds."""
        urls = {"list_url": self.url, "sentinel_url": self.url, "domain_url": self.url}
        fields = {"account_id": ACCOUNT, "client_id": "client", "secret": Secret(SECRET), "page_size": 30}
        return Account(**{**fields, **urls, "requests_per_second": 0.0, "timeout": 5.0, **more})

    def connection(self, **more: Any) -> dict[str, Any]:
        """Return an Airflow Connection to this server, as its JSON form."""
        extra = {"requests_per_second": 0, **more.pop("extra", {})}
        return {
            "conn_type": "liveperson_outbound",
            "host": self.url,
            "login": "client",
            "password": SECRET,
            "schema": ACCOUNT,
            "extra": extra,
            **more,
        }


def _script(answers: Script) -> Callable[[Hit], Any]:
    if callable(answers):
        return answers
    left = list(answers)
    return lambda hit: left.pop(0) if len(left) > 1 else left[0]
