"""The only module that sends and waits: it drives flows, in a thread or on an event loop.

``run`` and ``arun`` do the same and decide nothing: what to send, when to retry and when to stop is the flow's.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

import requests
import urllib3
from asgiref.sync import sync_to_async

from airflow_provider_outbound.errors import ConfigError, NetworkError, one_line
from airflow_provider_outbound.protocol import Account, Flow, Pause, Request, Response, Secret, host_of

T = TypeVar("T")
A = TypeVar("A")

LARGEST_BODY = 64 * 2**20  # bytes of one page after decompression; a page of 30 configurations has some 30 kB
CHUNK = 2**16

# Of our own: the event loop's default pool may be full of somebody else's waits.
_THREADS = ThreadPoolExecutor(max_workers=8, thread_name_prefix="outbound")

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


class _Session(requests.Session):
    """A session that looks at no redirect: requests reads and parses even those that it does not follow."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class Sender:
    """Send requests for an account through one session, each at its turn.

    :param account: whose timeout, pace, certificates and proxies to use.
    :param clock: monotonic seconds, for the deadline of a request.
    """

    def __init__(self, account: Account, clock: Callable[[], float] = time.monotonic) -> None:
        if isinstance(account.verify, str) and not os.path.exists(account.verify):
            raise ConfigError(f"extra verify: there is no CA file {one_line(repr(account.verify))}")
        self._account, self._clock = account, clock
        self._session = _Session()
        # Without an auth of its own, requests would put a .netrc entry over our Authorization header.
        self._session.auth = lambda request: request

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def turn(self, request: Request) -> float:
        """Return the seconds to wait until the request may go out, and take that place in the queue."""
        rate = self._account.requests_per_second
        return pace(host_of(request.url), rate).turn() if rate else 0.0

    def __call__(self, request: Request) -> Response:
        """Send one request and return the whole answer.

        :raises NetworkError: if none comes back whole, in time and within 64 MiB.
        :raises ConfigError: if the host's certificate or the proxy's address can't be used.
        """
        timeout, host = self._account.timeout, host_of(request.url)
        end = self._clock() + timeout
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
                # By what has come, not by full chunks: an answer that drips would pass any deadline in between.
                while chunk := answer.raw.read1(CHUNK, decode_content=True):
                    body += chunk
                    if len(body) > LARGEST_BODY:
                        raise NetworkError(f"{host} sent more than {LARGEST_BODY >> 20} MiB: lower page_size")
                    if self._clock() > end:
                        raise NetworkError(f"{host} took more than {timeout:g} s for one answer: raise timeout")
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


class Pace:
    """Spread requests to one host evenly over time: LivePerson asks to avoid bursts (retry policy page).

    :param per_second: requests allowed in a second.
    :param clock: monotonic seconds.
    """

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._gap, self._clock = min(1 / per_second, 3600.0), clock
        self._next = clock()
        self._lock = threading.Lock()

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


def run(
    flow: Flow[T],
    send: Sender,
    *,
    sleep: Callable[[float], object] = time.sleep,
    hide: Callable[[str], object] = lambda secret: None,
) -> T:
    """Drive a flow to its result.

    :param flow: what to do.
    :param send: sends its requests.
    :param sleep: makes its waits, in seconds.
    :param hide: is told its secrets.
    :raises OutboundError: what the flow raises.
    """
    try:
        step = next(flow)
        while True:
            answer = None
            try:
                if isinstance(step, Pause):
                    sleep(step.seconds)
                elif isinstance(step, Secret):
                    hide(step.value)
                else:
                    if wait := send.turn(step):
                        sleep(wait)
                    answer = send(step)
            except NetworkError as error:
                step = flow.throw(error)
            else:
                step = flow.send(answer)
    except StopIteration as stop:
        return cast(T, stop.value)
    finally:
        flow.close()


async def arun(
    flow: Flow[T],
    send: Sender,
    *,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    hide: Callable[[str], object] = lambda secret: None,
) -> T:
    """Drive a flow to its result on an event loop: waits are the loop's, requests a thread's.

    The parameters are those of :func:`run`; ``sleep`` is a coroutine function, ``hide`` runs in a thread.
    """
    try:
        step = next(flow)
        while True:
            answer = None
            try:
                if isinstance(step, Pause):
                    await sleep(step.seconds)
                elif isinstance(step, Secret):
                    await _in_thread(hide, step.value)
                else:
                    if wait := send.turn(step):
                        await sleep(wait)
                    answer = await _in_thread(send, step)
            except NetworkError as error:
                step = flow.throw(error)
            else:
                step = flow.send(answer)
    except StopIteration as stop:
        return cast(T, stop.value)
    finally:
        flow.close()


async def _in_thread(function: Callable[[A], T], argument: A) -> T:
    # asgiref's threads can call back into the loop, as Airflow's mask_secret does in a triggerer.
    return await sync_to_async(function, thread_sensitive=False, executor=_THREADS)(argument)


def _reason(error: Exception) -> str:
    """Return what lies under a requests error, which itself repeats the whole URL."""
    while error.__cause__ or error.__context__:
        inner = error.__cause__ or error.__context__
        if not isinstance(inner, Exception):
            break
        error = inner
    return one_line(f"{type(error).__name__}: {error}")
