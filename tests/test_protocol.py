"""Faults in answers: each is retried as LivePerson's policy says, or refused at once, and never shows a secret."""

from __future__ import annotations

import html
import json
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from airflow_provider_outbound.client.api import Api
from airflow_provider_outbound.client.protocol import path_part
from airflow_provider_outbound.errors import (
    AuthError,
    ConfigError,
    HttpError,
    NetworkError,
    OutboundError,
    ProtocolError,
    Unavailable,
)
from tests.conftest import Driver
from tests.fake import Fake, Hit, Reply, grant

NOON = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


def page(fake: Fake, drive: Driver) -> list[dict[str, object]]:
    account = fake.account()
    return drive(Api(account, now=lambda: NOON).list_page(None, 0), account)


@pytest.mark.fault("R1")
@pytest.mark.parametrize(
    ("retry_after", "waited"),
    [
        ("7", 7.0),
        ("0", 1.0),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0),
        ("Tue, 14 Nov 2023 22:13:00 GMT", 1.0),
        ("86400", 60.0),
        ("9" * 400, 60.0),
        ("-3", 1.0),
        ("soon", 1.0),
        ("²", 1.0),
        (None, 1.0),
    ],
)
def test_retry_after(drive: Driver, retry_after: str | None, waited: float) -> None:
    headers = {} if retry_after is None else {"Retry-After": retry_after.encode().decode("latin-1")}
    with Fake([Reply(429, b"{}", headers), []]) as fake:
        assert page(fake, drive) == []
    assert drive.waits == [waited]


@pytest.mark.fault("R1")
def test_login_waits_longer(drive: Driver) -> None:
    with Fake(token=[Reply(429, b"{}", {"Retry-After": "2"}), grant()]) as fake:
        page(fake, drive)
    assert drive.waits == [5.0]


@pytest.mark.fault("R1")
def test_repeated(drive: Driver) -> None:
    with (
        Fake([Reply(429, b"slow down")]) as fake,
        pytest.raises(Unavailable, match=r"12345678.*429.*slow down") as caught,
    ):
        page(fake, drive)
    assert caught.value.status == 429
    assert fake.kinds() == ["token", "list", "list", "list", "list"]
    assert drive.waits == [1.0, 1.0, 1.0]


BROKEN = {
    "500": Reply(500, b"oops"),
    "502": Reply(502, b"oops"),
    "503": Reply(503, b"oops"),
    "504": Reply(504, b"oops"),
    "closed at once": Reply(raw=b""),
    "no HTTP": Reply(raw=b"\x00\x01\x02\r\n\r\n"),
    "short body": Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{"),
    "reset in body": Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[{}"),
    "broken chunking": Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[]\r\n0\r\n\r\n"),
    "not gzip": Reply(body=b"plain", headers={"Content-Encoding": "gzip"}),
}


@pytest.mark.fault("R2")
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_retried_by_policy(drive: Driver, broken: Reply) -> None:
    with Fake([broken, broken, broken, [{"id": "1"}]]) as fake:
        assert page(fake, drive) == [{"id": "1"}]
    assert drive.waits == [5.0, 10.0, 15.0]


@pytest.mark.fault("R2")
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_broken_responses_are_given_up(drive: Driver, broken: Reply) -> None:
    with Fake([broken]) as fake, pytest.raises((Unavailable, NetworkError), match="127.0.0.1"):
        page(fake, drive)
    assert fake.kinds().count("list") == 4
    assert drive.waits == [5.0, 10.0, 15.0]


@pytest.mark.fault("R2")
def test_connection_refused_and_unknown_host(drive: Driver) -> None:
    with Fake() as fake:
        account = fake.account()
    for gone in (account, fake.account(list_url="http://nowhere.invalid", sentinel_url="http://nowhere.invalid")):
        drive.waits.clear()
        with pytest.raises(NetworkError, match="no whole answer from"):
            drive(Api(gone).list_page(None, 0), gone)
        assert drive.waits == [5.0, 10.0, 15.0]


@pytest.mark.fault("R2")
def test_no_answer_in_time(drive: Driver) -> None:
    release = threading.Event()
    with Fake(lambda hit: release.wait(10)) as fake:
        account = fake.account(timeout=0.05)
        with pytest.raises(NetworkError, match=r"within 0\.05 s"):
            drive(Api(account, retry_waits=()).list_page(None, 0), account)
        release.set()


@pytest.mark.fault("R3")
def test_truncated_json_is_retried(drive: Driver) -> None:
    with Fake([Reply(body=b'[{"id": "1"}, {"id"'), Reply(body=b""), [{"id": "1"}]]) as fake:
        assert page(fake, drive) == [{"id": "1"}]
    assert drive.waits == [5.0, 10.0]


@pytest.mark.fault("R3")
def test_truncated_json_is_given_up(drive: Driver) -> None:
    with Fake([Reply(body=b'[{"id": "1"}, {"id"')]) as fake, pytest.raises(NetworkError, match="ends early"):
        page(fake, drive)
    assert fake.kinds().count("list") == 4


@pytest.mark.fault("R4")
@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"<html>\x1b[31mLog in</html>", r"<html>\\x1b"),
        (b"null", "null"),
        (b"42", "42"),
        (b'"text"', "text"),
        (b"{}", "{}"),
        (b'{"error": "x"}', "error"),
        (b"[1, 2]", r"\[1, 2\]"),
        (b"[[]]", r"\[\[\]\]"),
        (b"[" * 100_000 + b"]" * 100_000, r"\[\[\["),
    ],
)
def test_not_a_listing(drive: Driver, body: bytes, shown: str) -> None:
    reply = Reply(body=body, headers={"Content-Type": "text/odd"})
    with Fake([reply]) as fake, pytest.raises(ProtocolError, match=rf"127.0.0.1.*text/odd.*{shown}") as caught:
        page(fake, drive)
    assert fake.kinds() == ["token", "list"]
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.fault("R5")
@pytest.mark.parametrize(
    ("status", "words"),
    [(451, "legal reasons"), (404, "no such account"), (400, "status 400"), (418, "status 418")],
)
def test_other_4xx_fail_at_once(drive: Driver, status: int, words: str) -> None:
    with Fake([Reply(status, b"no")]) as fake, pytest.raises(HttpError, match=words) as caught:
        page(fake, drive)
    assert not isinstance(caught.value, Unavailable | AuthError)
    assert fake.kinds() == ["token", "list"]
    assert caught.value.status == status


@pytest.mark.fault("R6")
def test_code_9007(drive: Driver) -> None:
    with (
        Fake([Reply(500, {"internalErrorCode": "9007"})]) as fake,
        pytest.raises(Unavailable, match="9007") as caught,
    ):
        page(fake, drive)
    assert "possibly an invalid JWT" in str(caught.value)
    assert drive.waits == [5.0, 10.0, 15.0]


@pytest.mark.fault("R9")
@pytest.mark.parametrize("location", ["https://evil.example/x?token=1", "//evil.example/", "http://evil.example"])
@pytest.mark.parametrize("call", ["list", "token"])
def test_redirect_is_not_followed(drive: Driver, location: str, call: str) -> None:
    reply = Reply(302, b"", {"Location": location})
    scripts = {"listing": [reply]} if call == "list" else {"token": [reply]}
    with Fake(**scripts) as fake, pytest.raises(HttpError, match=r"redirects to evil\.example,") as caught:
        page(fake, drive)
    assert caught.value.status == 302
    assert fake.kinds().count(call) == 1


@pytest.mark.fault("R9")
@pytest.mark.parametrize(
    "location", ["http://[bad", "https://user:canary@evil.example", "\xff", "", "https://evil.example:port/"]
)
def test_redirect_to_nowhere(drive: Driver, location: str) -> None:
    with Fake([Reply(302, b"", {"Location": location})]) as fake:
        with pytest.raises(HttpError, match="redirects to") as caught:
            page(fake, drive)
    assert "canary" not in str(caught.value)


SECRETS = ["canary-secret-5f1e", "canary\"&<'/+%x"]
SPELLINGS: list[Callable[[str], str]] = [str, quote, quote_plus, html.escape, lambda text: json.dumps(text)[1:-1]]


@pytest.mark.fault("S1")
@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 418, 500])
@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("call", ["listing", "token"])
def test_an_answer_that_echoes_secrets_shows_none(drive: Driver, status: int, secret: str, call: str) -> None:
    def echo(hit: Hit) -> Reply:
        sent = hit.headers.get("authorization", "Bearer opaque-canary-token")
        return Reply(status, " ".join([sent, *(spell(secret) for spell in SPELLINGS)]).encode())

    opaque = [{"access_token": "opaque-canary-token"}]
    scripts: dict[str, Any] = {"listing": echo, "token": opaque} if call == "listing" else {"token": echo}
    with Fake(**scripts) as fake:
        account = fake.account(secret=secret)
        with pytest.raises(OutboundError) as caught:
            drive(Api(account, retry_waits=()).list_page(None, 0), account)
    assert "canary" not in f"{caught.value} {caught.value!r} {vars(caught.value)}"


@pytest.mark.fault("S1")
def test_a_broken_login_answer_is_not_quoted(drive: Driver) -> None:
    with Fake(token=[Reply(body=b'{"access_token":"opaque-canary-77","expires_in":36')]) as fake:
        with pytest.raises(NetworkError) as caught:
            page(fake, drive)
    assert "canary" not in str(caught.value)


def test_internal_error_codes_are_shown_for_the_login_too(drive: Driver) -> None:
    with Fake(token=[Reply(400, {"internalErrorCode": "0815", "message": "canary"})]) as fake:
        with pytest.raises(AuthError, match="internalErrorCode 0815") as caught:
            page(fake, drive)
    assert "canary" not in str(caught.value)


@pytest.mark.fault("D5")
@pytest.mark.parametrize(
    "value", ["", "..", "a/b", "a%2fb", "a?b", "a#b", "a b", "a\r\nX: y", "a" * 10_000, "ü", None, 5, ["wa"]]
)
def test_no_value_leads_a_request_elsewhere(value: object) -> None:
    with pytest.raises(ConfigError, match="channel is") as caught:
        path_part("channel", value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200
