"""The only module that talks to the network: whole answers within bounds, each request at its turn.

Requests that will probably follow go out while an answer is awaited, so that a listing keeps to the pace
whatever the latency.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future, wait

import requests
import urllib3

from airflow_provider_outbound.client.deadline import Session
from airflow_provider_outbound.client.pacing import pace
from airflow_provider_outbound.client.protocol import MOST_AHEAD, Account, Request, Response, host_of
from airflow_provider_outbound.errors import ConfigError, NetworkError, ProtocolError, printable

LARGEST_BODY = 64 * 2**20  # bytes of one page after decompression; a page of 30 configurations has some 30 kB
CHUNK = 2**16

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
    requests.exceptions.InvalidHeader,  # two lengths, say
)


class Sender:
    """Send requests for an account through one session, each at its turn.

    :param account: whose timeout, pace, certificates and proxies to use.
    """

    def __init__(self, account: Account) -> None:
        if isinstance(account.verify, str) and not os.path.exists(account.verify):
            raise ConfigError(f"extra verify: there is no CA file {printable(repr(account.verify))}")
        self._account = account
        self._session = Session(connections=1 + MOST_AHEAD)
        # Without an auth of its own, requests would put a .netrc entry over our Authorization header.
        self._session.auth = lambda request: request
        self._ahead: dict[tuple[str, str], Future[Response]] = {}
        self._under_way: set[Future[Response]] = set()  # also those that are forgotten
        self._closed = False

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
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
        :raises ProtocolError: if it is compressed more than once.
        """
        answer = self._ahead.pop(_key(request), None)
        if answer is None:
            self._ahead.clear()
            answer = self._start(request) if request.ahead else None
        if answer is None:
            return self._send(request)
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
                if answer.done() or self._closed or any(map(_refused, self._ahead.values())):
                    return
                taken = turns.take()
            started = self._start(later)
            if started is None:
                return
            self._ahead[_key(later)] = started

    def _start(self, request: Request) -> Future[Response] | None:
        """Begin to send in a thread, for which no process waits at its end; None if there are too many."""
        answer: Future[Response] = Future()

        def send() -> None:
            try:
                answer.set_result(self._send(request))
            except BaseException as error:  # noqa: BLE001 - raised where the answer is awaited
                answer.set_exception(error)

        self._under_way = {each for each in self._under_way if not each.done()}
        if len(self._under_way) > MOST_AHEAD:
            return None
        try:
            threading.Thread(target=send, name="outbound-ahead", daemon=True).start()
        except RuntimeError:  # the system gives no more threads
            return None
        self._under_way.add(answer)
        return answer

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
                if "," in answer.headers.get("Content-Encoding", ""):
                    raise ProtocolError(f"{host} compresses its answers more than once")  # some urllib3 never ends
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


def _refused(answer: Future[Response]) -> bool:
    """Tell whether an answer has come that is no success."""
    return answer.done() and (answer.exception() is not None or answer.result().status >= 300)


def _key(request: Request) -> tuple[str, str]:
    """Return what makes two requests the same: a page, and the token to ask for it with."""
    return request.url, request.headers.get("Authorization", "")


def _reason(error: Exception) -> str:
    """Return what lies under a requests error, which itself repeats the whole URL."""
    while error.__cause__ or error.__context__:
        inner = error.__cause__ or error.__context__
        if not isinstance(inner, Exception):
            break
        error = inner
    return printable(f"{type(error).__name__}: {error}")
