"""The only module that talks to the network: whole answers within bounds, each request at its turn.

Requests that will probably follow go out while an answer is awaited, so that a listing keeps to the pace
whatever the latency.
"""

from __future__ import annotations

import http.client
import io
import math
import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from airflow_provider_outbound.errors import ConfigError, NetworkError, one_line
from airflow_provider_outbound.protocol import MOST_AHEAD, Account, Request, Response, host_of

LARGEST_BODY = 64 * 2**20  # bytes of one page after decompression; a page of 30 configurations has some 30 kB
CHUNK = 2**16
SLACK = 1.03  # times the gap between two requests: those that are late must not share a second with one too many

#: How OpenSSL names certificates, or files of them, that can't be used.
BAD_CERTIFICATES = ("CERTIFICATE_VERIFY_FAILED", "NO_CERTIFICATE_OR_CRL_FOUND")

#: What requests raises for an answer that does not come, and urllib3 for one that breaks off.
BROKEN_OFF = (
    requests.ConnectionError,
    requests.Timeout,
    urllib3.exceptions.ProtocolError,
    urllib3.exceptions.DecodeError,
    urllib3.exceptions.TimeoutError,
    urllib3.exceptions.SSLError,
)


class _Timed(io.RawIOBase):
    """What comes from a socket, within the seconds of one read; sockets themselves give that to each read.

    :param stream: the socket's own.
    :param sock: the socket.
    """

    def __init__(self, stream: io.RawIOBase, sock: socket.socket) -> None:
        self._stream, self._sock = stream, sock
        self._end = time.monotonic() + (sock.gettimeout() or math.inf)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer drips")
        self._sock.settimeout(left)
        return self._stream.readinto(buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """An answer that is to come in time as a whole, headers and body."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Timed(self.fp.detach(), sock))


class _HTTPConnection(urllib3.connection.HTTPConnection):
    response_class = _Response


class _HTTPSConnection(urllib3.connection.HTTPSConnection):
    response_class = _Response


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


class _Adapter(HTTPAdapter):
    """An adapter that makes such connections, and keeps as many as requests may be under way."""

    def __init__(self) -> None:
        super().__init__(pool_maxsize=1 + MOST_AHEAD)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _use_own_pools(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        return _use_own_pools(super().proxy_manager_for(*args, **kwargs))


def _use_own_pools(manager: Any) -> Any:
    if type(manager) in (urllib3.PoolManager, urllib3.ProxyManager):  # SOCKS has connections of its own
        manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
    return manager


class _Session(requests.Session):
    """A session that looks at no redirect: requests reads and parses even those that it does not follow."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class Sender:
    """Send requests for an account through one session, each at its turn.

    :param account: whose timeout, pace, certificates and proxies to use.
    """

    def __init__(self, account: Account) -> None:
        if isinstance(account.verify, str) and not os.path.exists(account.verify):
            raise ConfigError(f"extra verify: there is no CA file {one_line(repr(account.verify))}")
        self._account = account
        self._session = _Session()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, _Adapter())
        # Without an auth of its own, requests would put a .netrc entry over our Authorization header.
        self._session.auth = lambda request: request
        self._threads = ThreadPoolExecutor(1 + MOST_AHEAD, thread_name_prefix="outbound-ahead")
        self._ahead: dict[tuple[str, str], Future[Response]] = {}
        self._closed = False

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._session.close()

    def turn(self, request: Request) -> float:
        """Return the seconds to wait until the request may go out, and take that place in the queue."""
        rate = self._account.requests_per_second
        return pace(host_of(request.url), rate).turn() if rate and _key(request) not in self._ahead else 0.0

    def __call__(self, request: Request) -> Response:
        """Send one request, whose turn it is, and return the whole answer.

        While it is awaited, those that are announced to follow go out, each at its turn. Their answers wait for
        the flow to ask; a request that was not announced, such as a retry, has them forgotten.

        :raises NetworkError: if none comes back whole, in time and within 64 MiB.
        :raises ConfigError: if the host's certificate or the proxy's address can't be used.
        """
        answer = self._ahead.pop(_key(request), None)
        if answer is None:
            self._ahead.clear()
            if not request.ahead:
                return self._send(request)
            answer = self._threads.submit(self._send, request)
        self._send_ahead(request, answer)
        return answer.result()

    def _send_ahead(self, request: Request, answer: Future[Response]) -> None:
        turns = pace(host_of(request.url), self._account.requests_per_second)
        for later in request.ahead:
            if _key(later) in self._ahead:
                continue
            taken = False
            while not taken:  # nobody who queues is overtaken
                wait([answer], turns.until_free())
                if answer.done() or self._closed:
                    return
                taken = turns.take()
            self._ahead[_key(later)] = self._threads.submit(self._send, later)

    def _send(self, request: Request) -> Response:
        timeout, host = self._account.timeout, host_of(request.url)
        # Plain http is allowed on loopback only, where no proxy of the environment belongs.
        self._session.trust_env = not request.url.startswith("http://")
        try:
            with self._session.request(
                request.method,
                request.url,
                headers=dict(request.headers),
                data=request.body or None,
                timeout=timeout,
                # Given with each request: a session's would give way to variables such as REQUESTS_CA_BUNDLE.
                verify=self._account.verify,
                proxies=dict(self._account.proxies),
                allow_redirects=False,  # a token goes to no host but the one it is for
                stream=True,
            ) as answer:
                body = bytearray()
                while chunk := answer.raw.read1(CHUNK, decode_content=True):
                    body += chunk
                    if len(body) > LARGEST_BODY:
                        raise NetworkError(f"{host} sent more than {LARGEST_BODY >> 20} MiB: lower page_size")
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return Response(answer.status_code, headers, bytes(body))
        except BROKEN_OFF as error:
            if any(words in str(error) for words in BAD_CERTIFICATES):
                raise ConfigError(
                    f"{host} has a certificate that can't be verified: set extra verify to your CA file"
                ) from None
            raise NetworkError(f"no whole answer from {host} within {timeout:g} s: {_reason(error)}") from None
        except (OSError, ValueError, urllib3.exceptions.HTTPError) as error:
            # requests found fault with the URL, the proxy or the CA file before it sent anything. Its words
            # are not repeated, as they may quote a proxy's password.
            raise ConfigError(
                f"{host} can't be asked ({type(error).__name__}): see the Connection's host, proxies and verify, "
                "and the variables HTTPS_PROXY and REQUESTS_CA_BUNDLE"
            ) from None


def _key(request: Request) -> tuple[str, str]:
    """Return what makes two requests the same: a page, and the token to ask for it with."""
    return request.url, request.headers.get("Authorization", "")


class Pace:
    """Spread requests to one host evenly over time: LivePerson asks to avoid bursts (retry policy page).

    :param per_second: requests allowed in a second.
    :param clock: monotonic seconds.
    """

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._gap, self._clock = min(SLACK / per_second, 3600.0), clock
        self._next = clock()
        self._lock = threading.Lock()

    def until_free(self) -> float:
        """Return the seconds until a place is free that nobody has taken yet."""
        return max(self._next - self._clock(), 0.0)

    def take(self) -> bool:
        """Take a place if one is free now; tell whether it was."""
        with self._lock:
            now = self._clock()
            if self._next > now:
                return False
            self._next = now + self._gap
            return True

    def turn(self) -> float:
        """Take the next free place and return the seconds until then."""
        with self._lock:
            now = self._clock()
            place = max(self._next, now)
            self._next = place + self._gap
            return place - now


_PACES: dict[tuple[str, float], Pace] = {}
_PACES_LOCK = threading.Lock()


def pace(host: str, per_second: float) -> Pace:
    """Return the pace that all of this process keep towards a host."""
    with _PACES_LOCK:
        return _PACES.setdefault((host, per_second), Pace(per_second))


def _reason(error: Exception) -> str:
    """Return what lies under a requests error, which itself repeats the whole URL."""
    while error.__cause__ or error.__context__:
        inner = error.__cause__ or error.__context__
        if not isinstance(inner, Exception):
            break
        error = inner
    return one_line(f"{type(error).__name__}: {error}")
