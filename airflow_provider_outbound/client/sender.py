"""One request, sent when the pace allows it, and its whole response within bounds."""

from __future__ import annotations

import os
import re
import socket
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import requests
import urllib3

from airflow_provider_outbound import __version__
from airflow_provider_outbound.client.account import Account, host_of, sender_of
from airflow_provider_outbound.client.deadline import DeadlineAdapter
from airflow_provider_outbound.client.pacing import Departure, Pace, pace_of
from airflow_provider_outbound.errors import ConfigError, NetworkError, OutboundError, ProtocolError, printable

MOST_AHEAD = 30  # requests that may be under way beside the one whose response is awaited
LARGEST_BODY = 64 * 2**20  # bytes of one page after decompression; a page of 100 configurations has about 100 kB

#: How OpenSSL's messages name a certificate, or a CA file, that can't be used.
BAD_CERTIFICATES = ("CERTIFICATE_VERIFY_FAILED", "NO_CERTIFICATE_OR_CRL_FOUND")

#: What requests raises when no response arrives, or one breaks off.
BROKEN_OFF = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
    requests.exceptions.InvalidHeader,  # two lengths, for example
)


@dataclass(frozen=True)
class Request:
    """A request to send.

    :param auth: adds the credentials when the request is sent, so that no object here shows them.
    :param ahead: the requests that will probably follow, in order. They may be sent before this one is answered.
    """

    method: str
    url: str
    auth: Callable[[requests.PreparedRequest], requests.PreparedRequest] | None = None
    ahead: tuple[Request, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Response:
    """A whole response."""

    status: int
    headers: Mapping[str, str] = field(repr=False)  # case-insensitive
    body: bytes = field(repr=False)


class Sender:
    """Send requests for an account over one session, each when the pace allows it.

    :param account: whose timeout, pace, certificates and proxies to use.
    :param sleep: waits for the pace, in seconds; called before each request, also with 0.
    """

    def __init__(self, account: Account, sleep: Callable[[float], object] = time.sleep) -> None:
        if isinstance(account.verify, str) and not os.path.exists(account.verify):
            raise ConfigError(
                f"There is no CA file {printable(repr(account.verify))}: correct the Connection's extra verify"
            )
        self._account, self._sleep = account, sleep
        self._session = _Session()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, DeadlineAdapter(pool_maxsize=1 + MOST_AHEAD))
        self._session.headers["User-Agent"] = f"airflow-provider-outbound/{__version__}"
        self._session.headers["Accept"] = "application/json"
        # LivePerson's page asks for this although a GET has no content.
        self._session.headers["Content-Type"] = "application/json"
        # Without an auth of its own, requests would add the credentials of a .netrc file.
        self._session.auth = lambda request: request

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def pace(self, request: Request) -> Pace:
        """Return the pace that a request has to keep."""
        account = self._account
        return pace_of(host_of(request.url), account.account_id, account.requests_per_second)

    def wait_turn(self, request: Request) -> Departure:
        """Wait until the pace allows a request, and return the place that it has to use now."""
        departure = self.pace(request).reserve()
        self._sleep(departure.delay)
        return departure

    def __call__(self, request: Request) -> Response:
        """Send a request when the pace allows it, and return the whole response; see :meth:`transmit`."""
        return self.transmit(request, self.wait_turn(request))

    def transmit(self, request: Request, departure: Departure) -> Response:
        """Send a request now, and return the whole response.

        :param departure: its place in the pace.
        :raises NetworkError: if no whole response arrives in time and within 64 MiB.
        :raises ConfigError: if the host's certificate or the proxy's address or login can't be used.
        :raises ProtocolError: if the response is compressed more than once.
        """
        try:
            return self._transmit(request, departure)
        except (*BROKEN_OFF, OSError, ValueError, urllib3.exceptions.HTTPError) as error:
            problem = self._problem(error, host_of(request.url))
        # Raised here and not above: there the error would lead to frames of requests, which hold the credentials.
        raise problem

    def _problem(self, error: Exception, host: str) -> OutboundError:
        """Return what to say about a request to a host that failed."""
        account, cause = self._account.account_id, _cause(error)
        if not isinstance(error, BROKEN_OFF):
            # requests refused the URL, the proxy or the CA file before it sent anything. Its message is
            # not repeated: it may quote a proxy's password.
            return ConfigError(
                f"Can't send a request to {host} for account {account} ({type(error).__name__}). Check the "
                "Connection's host, proxies and verify, and the variables HTTPS_PROXY and REQUESTS_CA_BUNDLE."
            )
        if any(words in str(error) for words in BAD_CERTIFICATES):
            return ConfigError(
                f"The certificate of {host} can't be verified for account {account}. "
                "Set the Connection's extra verify to your CA file."
            )
        if _proxy_status(cause) == 407:
            return ConfigError(
                f"The proxy to {host} refused the login for account {account} (status 407). Check user and "
                "password in the Connection's extra proxies, or in HTTPS_PROXY."
            )
        if isinstance(cause, (ConnectionRefusedError, socket.gaierror)):
            return NetworkError(
                f"Can't connect to {host} for account {account} ({_words(cause)}). Check the Connection's "
                "host, the network and the proxy"
            )
        return NetworkError(
            f"No complete response from {host} for account {account} (timeout {self._account.timeout:g} s): "
            f"{_words(cause)}. Check the network and the proxy, or raise the Connection's extra timeout"
        )

    def _transmit(self, request: Request, departure: Departure) -> Response:
        sender = sender_of(request.url, self._account)
        # Plain http is allowed on loopback only, where a proxy of the environment has no business.
        self._session.trust_env = not request.url.startswith("http://")
        with self._session.request(
            request.method,
            request.url,
            auth=request.auth,
            timeout=self._account.timeout,
            # Given with each request: variables such as REQUESTS_CA_BUNDLE override a session's own.
            verify=self._account.verify,
            proxies={scheme: url.reveal() for scheme, url in self._account.proxies.items()},
            allow_redirects=False,  # a token goes to its own host only
            stream=True,
        ) as response:
            self.pace(request).responded(departure, response.elapsed.total_seconds())
            if "," in response.headers.get("Content-Encoding", ""):  # some versions of urllib3 never finish it
                raise ProtocolError(f"{sender} compresses its responses more than once: check the proxy")
            try:
                body = _body(response, sender)
            except ValueError as error:  # a chunk of negative length, for example
                raise requests.exceptions.ChunkedEncodingError from error
            return Response(response.status_code, response.headers, body)


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Ignore a redirect, which requests reads and parses even where it does not follow it."""


def _body(response: requests.Response, sender: str) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(2**16):
        body += chunk
        if len(body) > LARGEST_BODY:
            raise NetworkError(
                f"{sender} sent more than {LARGEST_BODY >> 20} MiB. Lower the Connection's extra page_size."
            )
    return bytes(body)


def _cause(error: Exception) -> Exception:
    """Return the cause of an error of requests; the error itself repeats the whole URL."""
    while isinstance(inner := error.__cause__ or error.__context__, Exception):
        error = inner
    return error


def _proxy_status(error: Exception) -> int:
    """Return the status with which a proxy refused to connect; 0 for any other error."""
    found = re.match(r"Tunnel\sconnection\sfailed:\s(\d+)", str(error))
    return int(found[1]) if found else 0


def _words(error: Exception) -> str:
    # Messages of other errors, and the words of a proxy, may repeat what was sent, such as a secret.
    if status := _proxy_status(error):
        return f"the proxy answered with status {status}"
    if isinstance(error, zlib.error):
        return "it can't be decompressed"
    return printable(f"{type(error).__name__}: {error}" if isinstance(error, OSError) else type(error).__name__)
