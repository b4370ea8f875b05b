"""Sending: whole answers within bounds, at the right pace, to the right place."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_outbound.client.account import Secret
from airflow_provider_outbound.client.auth import BearerToken
from airflow_provider_outbound.client.deadline import DeadlineReader
from airflow_provider_outbound.client.sender import LARGEST_BODY, Request, Sender
from airflow_provider_outbound.errors import ConfigError, NetworkError, ProtocolError
from tests.clock import Clock
from tests.conftest import Client
from tests.fake import Fake, Hit, Reply, configuration


def get(fake: Fake) -> Request:
    return Request("GET", f"{fake.url}/handoffs/list", BearerToken(Secret("t")))


@pytest.mark.fault("R8")
def test_body_larger_than_any_page() -> None:
    bomb = gzip.compress(b" " * (LARGEST_BODY + 1))
    with Fake([Reply(body=bomb, headers={"Content-Encoding": "gzip"})]) as fake, Sender(fake.account()) as send:
        with pytest.raises(NetworkError, match=r"more than 64 MiB\. Lower .*page_size"):
            send(get(fake))


HEAD = b"HTTP/1.1 200 OK\r\n"
DRIPS = {
    "status": (b"HTTP/1.1 2", b"0"),
    "header": (HEAD + b"X-Drip: ", b"x"),
    "headers": (HEAD, b"A: b\r\n"),
    "body": (HEAD + b"Content-Length: 100000\r\n\r\n", b" "),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "no length": (HEAD + b"\r\n", b" "),
}


@pytest.mark.fault("R7")
@pytest.mark.parametrize(("begin", "drop"), DRIPS.values(), ids=DRIPS)
def test_answer_that_drips(begin: bytes, drop: bytes) -> None:
    """Each piece comes in time, the whole never."""
    gone = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(begin)
        try:
            while not gone.wait(0.02):
                connection.sendall(drop)
        except OSError:
            gone.set()

    with Fake([Reply(raw=drip)]) as fake, Sender(fake.account(timeout=0.2)) as send:
        with pytest.raises(
            NetworkError, match=r"No complete response from .* for account 12345678 \(timeout 0\.2 s\)"
        ):
            send(get(fake))
        assert gone.wait(5)  # the connection is closed


@pytest.mark.fault("R7")
def test_the_deadline_is_one_for_all_reads() -> None:
    clock = Clock()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(10)
        stream = ours.makefile("rb", buffering=0)
        with DeadlineReader(stream, ours, clock) as reader:  # type: ignore[arg-type]
            for _ in range(9):
                theirs.sendall(b"x")
                clock.time += 1
                assert reader.read(1) == b"x"
            theirs.sendall(b"x")
            clock.time += 1
            with pytest.raises(TimeoutError, match="response incomplete when the timeout expired"):
                reader.read(1)


@pytest.mark.fault("R7")
@pytest.mark.parametrize("encoding", ["Content-Length: {}", "Transfer-Encoding: chunked"])
def test_compressed_answer_in_pieces_is_read_whole(encoding: str) -> None:
    """A piece too short to be decompressed must not pass for the end."""
    body = json.dumps([configuration(number) for number in range(200)]).encode()
    packed = gzip.compress(body)

    def piecewise(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n{encoding.format(len(packed))}\r\n\r\n"
        connection.sendall(head.encode())
        for byte in packed:
            piece = bytes([byte])
            connection.sendall(b"1\r\n" + piece + b"\r\n" if "chunked" in encoding else piece)
        connection.sendall(b"0\r\n\r\n" if "chunked" in encoding else b"")

    with Fake([Reply(raw=piecewise)]) as fake, Sender(fake.account()) as send:
        assert send(get(fake)).body == body


@pytest.mark.fault("R7")
def test_answer_compressed_twice(client: Client) -> None:
    """Some versions of urllib3 unpack that past any deadline."""
    bomb = gzip.compress(gzip.compress(b" " * 2**20))
    with (
        Fake([Reply(body=bomb, headers={"Content-Encoding": "gzip, gzip"})]) as fake,
        Sender(fake.account()) as send,
    ):
        with pytest.raises(ProtocolError, match="more than once"):
            send(get(fake))


def test_the_end_of_a_process_does_not_wait_for_what_was_sent_ahead() -> None:
    ahead, over = threading.Event(), threading.Event()

    def hang(hit: Hit) -> Any:
        if hit.query:
            ahead.set()
            over.wait(30)
        ahead.wait(5)
        return []

    code = """
import sys
from airflow_provider_outbound.client.account import Account, Secret
from airflow_provider_outbound.client.prefetch import Prefetch
from airflow_provider_outbound.client.sender import Request, Sender
url = sys.argv[1] + "/handoffs/list"
with Prefetch(Sender(Account(account_id="1", secret=Secret("t"), requests_per_second=1000.0))) as send:
    print(send(Request("GET", url, ahead=(Request("GET", url + "?offset=1"),))).status)
"""
    with Fake(hang) as fake:
        command = [sys.executable, "-c", code, fake.url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        over.set()
    assert done.stdout == "200\n", done.stderr
    assert ahead.is_set()


@pytest.mark.fault("R7")
def test_answer_in_time(client: Client) -> None:
    with Fake([Reply(body=b" " * 2**20 + b"[]")]) as fake:
        account = fake.account()
        assert client.list_page(client.access(account), None, 0) == []


def test_netrc_does_not_replace_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with Fake() as fake, Sender(fake.account()) as send:
        send(get(fake))
    assert fake.hits[0].headers["authorization"] == "Bearer t"


def test_ca_file_that_is_not_there() -> None:
    with Fake() as fake, pytest.raises(ConfigError, match="no CA file '/nowhere.pem'"):
        Sender(fake.account(verify="/nowhere.pem"))


@pytest.mark.parametrize(
    "url", ["https://a..b/", f"https://{'a' * 64}.example/", "socks9://x/", "https://\ud800/"]
)
def test_address_that_cannot_be_asked(url: str) -> None:
    with (
        Fake() as fake,
        Sender(fake.account()) as send,
        pytest.raises(ConfigError, match="Can't send a request to"),
    ):
        send(Request("GET", url))


@pytest.mark.fault("S1")
@pytest.mark.parametrize("proxy", ["http://user:canary@host:99999", "socks5://canary@h:1"])
def test_proxy_that_cannot_be_used_is_not_quoted(proxy: str) -> None:
    with Fake() as fake, Sender(fake.account(proxies={"https": Secret(proxy)})) as send:
        with pytest.raises(ConfigError) as caught:
            send(Request("GET", "https://va.handoff.liveperson.net/"))
    assert "canary" not in str(caught.value)


def test_ca_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    with Fake() as fake, Sender(fake.account(verify=str(tmp_path / "ca.pem"))) as send:
        with pytest.raises(ConfigError, match="Set the Connection's extra verify to your CA file"):
            send(Request("GET", fake.url.replace("http:", "https:")))


def test_ca_file_of_the_environment_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    with Fake() as fake, Sender(fake.account()) as send, pytest.raises(ConfigError, match="REQUESTS_CA_BUNDLE"):
        send(Request("GET", fake.url.replace("http:", "https:")))


@pytest.mark.fault("R10")
def test_loopback_is_not_asked_through_the_environments_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with Fake() as proxy, Fake() as fake, Sender(fake.account()) as send:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        send(get(fake))
    assert len(fake.hits) == 1
    assert not proxy.hits


@pytest.mark.fault("R8")
def test_body_of_a_redirect_is_bounded() -> None:
    with Fake([Reply(302, b" " * (LARGEST_BODY + 1), {"Location": "/x"})]) as fake:
        with Sender(fake.account()) as send, pytest.raises(NetworkError, match="more than 64 MiB"):
            send(get(fake))
