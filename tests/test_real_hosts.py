"""LivePerson's real host names over real TLS: a proxy on loopback answers for them with the sandbox."""

from __future__ import annotations

import gc
import http.client
import ssl
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from airflow_provider_outbound.errors import ConfigError
from airflow_provider_outbound.hooks import OutboundHook
from airflow_provider_outbound.sandbox import Sandbox
from tests.fake import Served

PROXY_PASSWORD = "canary-proxy-1b2c"


def certificate(path: Path) -> Path:
    """Write a certificate for LivePerson's hosts, its own CA, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "liveperson.net")])
    now = datetime.now(timezone.utc)
    hosts = ["api.liveperson.net", "*.sentinel.liveperson.net", "*.handoff.liveperson.net"]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


class Internet(Served):
    """A proxy that answers CONNECT for every host with the sandbox, and notes which host was asked for what."""

    def __init__(self, sandbox: Sandbox, pem: Path) -> None:
        self.asked: list[tuple[str, str]] = []
        self.pem = pem
        internet = self
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_CONNECT(self) -> None:
                self.host = self.path.partition(":")[0]
                self.close_connection = False  # Python up to 3.11 asks for it in HTTP/1.0
                self.send_response(200)
                self.end_headers()
                try:
                    self.connection = context.wrap_socket(self.connection, server_side=True)
                except ssl.SSLError:  # the client does not trust us
                    self.close_connection = True
                    return
                self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")

            def do_GET(self) -> None:
                internet.asked.append((self.host, self.path.partition("?")[0]))
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                behind = http.client.HTTPConnection("127.0.0.1", sandbox.port)
                behind.request(self.command, self.path, body, dict(self.headers))
                answer = behind.getresponse()
                data = answer.read()
                behind.close()
                self.send_response(answer.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                self.wfile.flush()

            do_POST = do_GET

            def finish(self) -> None:
                super().finish()
                self.connection.close()

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(Handler)
        self.proxy = f"http://me:{PROXY_PASSWORD}@{self.host}"

    def connection(self, sandbox: Sandbox, **more: Any) -> dict[str, Any]:
        """Return a Connection to the sandbox by LivePerson's names."""
        extra = {"proxies": {"https": self.proxy}, "verify": str(self.pem), **more.pop("extra", {})}
        return {**sandbox.connection, "host": "", "extra": extra, **more}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(items=40) as sandbox:
        yield sandbox


@pytest.fixture
def internet(sandbox: Sandbox, tmp_path: Path) -> Iterator[Internet]:
    with Internet(sandbox, certificate(tmp_path / "ca.pem")) as internet:
        yield internet


LIST = "/api/account/12345678/app/prmsg/handoffs/list"
LOGIN = "/sentinel/api/account/12345678/app/token"


def test_hosts_are_discovered(sandbox: Sandbox, internet: Internet, connect: Callable[..., str]) -> None:
    hook = OutboundHook(connect(internet.connection(sandbox)))
    assert hook.get_configurations() == sandbox.configurations()
    assert internet.asked == [
        ("api.liveperson.net", "/api/account/12345678/service/sentinel/baseURI.json"),
        ("va.sentinel.liveperson.net", LOGIN),
        *[("va.handoff.liveperson.net", LIST)] * 3,  # a page, and two calls that prove the end
    ]


@pytest.mark.parametrize("region", ["va", "lo", "sy"])
def test_region_needs_no_discovery(
    sandbox: Sandbox, internet: Internet, connect: Callable[..., str], region: str
) -> None:
    works, message = OutboundHook(connect(internet.connection(sandbox, host=region))).test_connection()
    assert works, message
    assert f" on the first page of {region}.handoff.liveperson.net, account 12345678 (" in message
    assert internet.asked == [
        (f"{region}.sentinel.liveperson.net", LOGIN),
        (f"{region}.handoff.liveperson.net", LIST),
    ]


def test_certificate_that_is_not_trusted(
    sandbox: Sandbox, internet: Internet, connect: Callable[..., str]
) -> None:
    connection = internet.connection(sandbox, host="va", extra={"verify": True})
    words = "can't be verified for account 12345678. Set the Connection's extra verify"
    with pytest.raises(ConfigError, match=words) as caught:
        OutboundHook(connect(connection)).get_configurations()
    assert PROXY_PASSWORD not in f"{caught.value!r}"
    assert internet.asked == []


def test_verify_false_trusts_any(sandbox: Sandbox, internet: Internet, connect: Callable[..., str]) -> None:
    connection = internet.connection(sandbox, host="va", extra={"verify": False})
    with pytest.warns(Warning, match="Unverified HTTPS request"):
        assert len(OutboundHook(connect(connection)).get_configurations()) == 40


@pytest.mark.fault("S1")
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # http.client's, before Python 3.11.3
@pytest.mark.parametrize(
    ("status", "words"),
    [
        (
            407,
            "The proxy to va.sentinel.liveperson.net refused the login for account 12345678 (status 407). Check",
        ),
        (502, "for account 12345678 (timeout 30 s): the proxy answered with status 502. Check the network"),
    ],
)
def test_what_a_proxy_says_is_not_quoted(
    sandbox: Sandbox, internet: Internet, connect: Callable[..., str], status: int, words: str
) -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            self.send_response(status, f"not with {PROXY_PASSWORD}")
            self.end_headers()

    with Served(Refusing) as proxy:
        extra = {"proxies": {"https": proxy.url.replace("//", f"//me:{PROXY_PASSWORD}@")}}
        connection = internet.connection(sandbox, host="va", extra=extra)
        works, message = OutboundHook(connect(connection), retry_waits=()).test_connection()
    gc.collect()  # while the warning is ignored
    assert not works
    assert words in message
    assert PROXY_PASSWORD not in message


@pytest.mark.fault("S1")
def test_proxy_that_is_gone_keeps_its_password(
    sandbox: Sandbox, internet: Internet, connect: Callable[..., str]
) -> None:
    extra = {"proxies": {"https": f"http://me:{PROXY_PASSWORD}@127.0.0.1:1"}}
    works, message = OutboundHook(
        connect(internet.connection(sandbox, host="va", extra=extra)), retry_waits=()
    ).test_connection()
    assert not works
    assert "Can't connect to va.sentinel.liveperson.net" in message
    assert PROXY_PASSWORD not in message
