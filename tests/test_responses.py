"""Faults in answers: each is retried as LivePerson's policy says, or refused at once, and never shows a secret."""

from __future__ import annotations

import html
import json
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from airflow_provider_outbound.client.account import Secret, check_path_segment
from airflow_provider_outbound.errors import (
    AuthError,
    ConfigError,
    HttpError,
    NetworkError,
    OutboundError,
    ProtocolError,
    Unavailable,
)
from tests.conftest import Client
from tests.fake import Fake, Hit, Reply, configuration, grant, paged

NOON = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


def page(fake: Fake, client: Client) -> list[dict[str, object]]:
    account = fake.account()
    return client.list_page(client.access(account, now=lambda: NOON), None, 0)


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
        ("30.5", 30.5),
        ("30s", 1.0),
        ("7 ", 7.0),
        ("Tue Nov 14 22:13:50 2023", 30.0),
        ("Tue, 14 Nov 2023 22:13:50 -0000", 30.0),
        (None, 1.0),
    ],
)
def test_retry_after(client: Client, retry_after: str | None, waited: float) -> None:
    headers = {} if retry_after is None else {"Retry-After": retry_after.encode().decode("latin-1")}
    with Fake([Reply(429, b"{}", headers), []]) as fake:
        assert page(fake, client) == []
    assert client.waits == [waited]


@pytest.mark.fault("R1")
def test_login_waits_longer(client: Client) -> None:
    with Fake(token=[Reply(429, b"{}", {"Retry-After": "2"}), grant()]) as fake:
        page(fake, client)
    assert client.waits == [5.0]


@pytest.mark.fault("R1")
def test_repeated(client: Client) -> None:
    with (
        Fake([Reply(429, b"slow down")]) as fake,
        pytest.raises(Unavailable, match=r"12345678.*429.*slow down") as caught,
    ):
        page(fake, client)
    assert caught.value.status == 429
    assert fake.kinds() == ["token", "list", "list", "list", "list"]
    assert client.waits == [1.0, 1.0, 1.0]


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
    "chunk of negative length": Reply(
        raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n[]\r\n0\r\n\r\n"
    ),
    "not gzip": Reply(body=b"plain", headers={"Content-Encoding": "gzip"}),
}


@pytest.mark.fault("R2")
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_retried_by_policy(client: Client, broken: Reply) -> None:
    with Fake([broken, broken, broken, [{"id": "1"}]]) as fake:
        assert page(fake, client) == [{"id": "1"}]
    assert client.waits == [5.0, 10.0, 15.0]


@pytest.mark.fault("R2")
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_broken_responses_are_given_up(client: Client, broken: Reply) -> None:
    with Fake([broken]) as fake, pytest.raises((Unavailable, NetworkError), match="127.0.0.1"):
        page(fake, client)
    assert fake.kinds().count("list") == 4
    assert client.waits == [5.0, 10.0, 15.0]


@pytest.mark.fault("R2")
def test_connection_refused_and_unknown_host(client: Client) -> None:
    with Fake() as fake:
        account = fake.account()
    for gone in (account, fake.account(list_url="http://nowhere.invalid", sentinel_url="http://nowhere.invalid")):
        client.waits.clear()
        with pytest.raises(NetworkError, match="Can't connect to .* for account 12345678 "):
            client.list_page(client.access(gone), None, 0)
        assert client.waits == [5.0, 10.0, 15.0]


@pytest.mark.fault("R2")
def test_no_answer_in_time(client: Client) -> None:
    release = threading.Event()
    with Fake(lambda hit: release.wait(10)) as fake:
        account = fake.account(timeout=0.05)
        with pytest.raises(NetworkError, match=r"timeout 0\.05 s"):
            client.list_page(client.access(account, retry_waits=()), None, 0)
        release.set()


@pytest.mark.fault("R3")
def test_truncated_json_is_retried(client: Client) -> None:
    with Fake([Reply(body=b'[{"id": "1"}, {"id"'), Reply(body=b""), [{"id": "1"}]]) as fake:
        assert page(fake, client) == [{"id": "1"}]
    assert client.waits == [5.0, 10.0]


@pytest.mark.fault("R3")
@pytest.mark.parametrize("body", [b'[{"id": "1"}, {"id"', b'[{"id": "\xc3'])
def test_truncated_json_is_given_up(client: Client, body: bytes) -> None:
    with Fake([Reply(body=body)]) as fake, pytest.raises(NetworkError, match="ends early"):
        page(fake, client)
    assert fake.kinds().count("list") == 4


@pytest.mark.fault("R4")
@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"<html>\x1b[31mLog in</html>", r"<html>\\x1b"),
        (b'[{"id": "caf\xe9 au lait"}]', "caf. au lait"),
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
def test_not_a_listing(client: Client, body: bytes, shown: str) -> None:
    reply = Reply(body=body, headers={"Content-Type": "text/odd"})
    with Fake([reply]) as fake, pytest.raises(ProtocolError, match=rf"127.0.0.1.*text/odd.*{shown}") as caught:
        page(fake, client)
    assert fake.kinds() == ["token", "list"]
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.fault("R5")
@pytest.mark.parametrize(
    ("status", "words"),
    [(451, "legal reasons"), (404, "No such account"), (400, "status 400"), (418, "status 418")],
)
def test_other_4xx_fail_at_once(client: Client, status: int, words: str) -> None:
    with Fake([Reply(status, b"no")]) as fake, pytest.raises(HttpError, match=words) as caught:
        page(fake, client)
    assert not isinstance(caught.value, Unavailable | AuthError)
    assert fake.kinds() == ["token", "list"]
    assert caught.value.status == status


TRACE = "5102ce1f-35bd-4e5e-9bd3-bacdfd28dd3a"
ERROR_BODIES: list[tuple[dict[str, Any], str]] = [
    (
        {"code": 0, "requestTraceId": TRACE, "message": "jwt expired"},
        f"jwt expired (code 0, requestTraceId {TRACE})",
    ),
    ({"errorMessage": "Not Found", "errorCode": 1004}, "Not Found (code 1004)"),
    ({"internalErrorCode": "9007", "message": "no"}, "no (code 9007)"),
    ({"message": "only words"}, "only words"),
    ({"message": "two\nlines \x1b[31m", "code": "x\ny"}, "two\\nlines \\x1b[31m (code x\\ny)"),
    ({"message": ["odd"], "code": None}, "application/json, "),
]


@pytest.mark.fault("R6")
@pytest.mark.parametrize(("body", "shown"), ERROR_BODIES)
def test_livepersons_error_bodies_are_shown(client: Client, body: dict[str, Any], shown: str) -> None:
    with Fake([Reply(403, body)]) as fake, pytest.raises(AuthError) as caught:
        page(fake, client)
    assert f"Response: {shown}" in str(caught.value)


@pytest.mark.fault("R6")
def test_a_refused_login_shows_code_and_trace_id_only(client: Client) -> None:
    body = {"code": 0, "requestTraceId": TRACE, "message": "canary"}
    with Fake(token=[Reply(401, body)]) as fake, pytest.raises(AuthError) as caught:
        page(fake, client)
    assert f"Response: (code 0, requestTraceId {TRACE})" in str(caught.value)


NO_ENVELOPES: dict[str, Any] = {
    "two lists": {"handoffs": [configuration(1)], "others": [configuration(2)]},
    "no list": {"page": {"count": 1}},
    "list of texts": {"handoffs": ["a"]},
    "only errors": {"errors": [{"code": "5", "message": "no such app"}]},
    "only warnings": {"warnings": [{"code": "5", "message": "no such app"}]},
    "no errors, and nothing else": {"errors": []},
    "errors beside an empty list": {"handoffs": [], "errors": [{"message": "no more"}]},
    "errors as texts": {"handoffs": [], "errors": ["backend down"]},
    "errors beside a part of the list": {"handoffs": [configuration(1)], "errors": ["shard 2 failed"]},
    "an error": {"status": 500, "error": "backend down", "handoffs": []},
    "no success": {"success": False, "message": "boom", "data": []},
    "no success, as text": {"success": "false", "data": []},
    "LivePerson's error": {"errorCode": 1004, "errorMessage": "boom", "handoffs": []},
    "another of LivePerson's": {"internalErrorCode": 5, "handoffs": [configuration(1)]},
    "the body of LivePerson's refusals": {
        "code": 0,
        "requestTraceId": TRACE,
        "message": "expired",
        "handoffs": [],
    },
    "an error, and no channels": {"error": "backend down", "channels": []},
    "two lists and warnings": {"handoffs": [configuration(1)], "data": [{"id": 1}], "warnings": [{"id": 1}]},
}


@pytest.mark.fault("R12")
@pytest.mark.parametrize("body", NO_ENVELOPES.values(), ids=NO_ENVELOPES)
def test_an_object_without_one_list_of_objects_is_no_listing(client: Client, body: Any) -> None:
    with Fake([body]) as fake, pytest.raises(ProtocolError, match="not a list of configurations"):
        page(fake, client)


@pytest.mark.fault("R12")
@pytest.mark.parametrize("more", [{"requestTraceId": TRACE}, {"message": "success"}])
def test_what_an_envelope_says_of_a_success_is_no_error(client: Client, more: dict[str, str]) -> None:
    with Fake([{**more, "handoffs": [configuration(1)]}]) as fake:
        assert page(fake, client) == [configuration(1)]


@pytest.mark.fault("R12")
@pytest.mark.parametrize("body", [b'{"a": [NaN], "handoffs": [{"id": "1"}]}', b'{ "handoffs" : [ {"id":"1"} ] }'])
def test_an_envelopes_items_keep_their_bytes(client: Client, body: bytes) -> None:
    with Fake([Reply(body=body)]) as fake, client.open(client.access(fake.account())) as api:
        (record,) = api.list_page(None, 0)
    assert record.item == json.loads(record.raw) == {"id": "1"}


@pytest.mark.fault("R13")
@pytest.mark.parametrize("reply", [Reply(204, b""), Reply(200, b"null"), Reply(200, b"[]")])
def test_a_channel_without_configurations_is_empty(client: Client, reply: Reply) -> None:
    with Fake([reply]) as fake:
        assert client.list_page(client.access(fake.account()), "wa") == []
    assert fake.kinds() == ["token", "list"]


@pytest.mark.fault("R13")
def test_a_channels_404_means_empty_if_the_account_is_listed(client: Client) -> None:
    with Fake(lambda hit: Reply(404, b"") if "/channel/" in hit.path else [configuration(1)]) as fake:
        assert client.list_page(client.access(fake.account()), "wa") == []
    with Fake([Reply(404, b"")]) as fake, pytest.raises(HttpError, match="No such account, app or channel"):
        client.list_page(client.access(fake.account()), "wa")


@pytest.mark.fault("R14")
@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_page_size_is_lowered_and_stays_lowered(
    client: Client, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    items = [configuration(number) for number in range(45)]

    def listing(hit: Hit) -> Any:
        return Reply(status, b"") if int(hit.query["limit"]) > 50 else paged(items)(hit)

    with Fake(listing) as fake:
        assert client.read(fake.account(page_size=100)) == items
    limits = [hit.query["limit"] for hit in fake.hits if hit.kind == "list"]
    assert limits == ["100", *["30"] * (len(limits) - 2), "2"]
    assert f"Page size 100 was refused with status {status}" in caplog.text


@pytest.mark.fault("R14")
@pytest.mark.parametrize(("page_size", "calls"), [(100, 2), (30, 1)])
def test_a_400_that_a_smaller_page_does_not_change_is_an_error(client: Client, page_size: int, calls: int) -> None:
    with Fake([Reply(400, b"")]) as fake:
        access = client.access(fake.account(page_size=page_size))
        with pytest.raises(HttpError, match="status 400"):
            client.list_page(access)
    assert fake.kinds().count("list") == calls
    assert access.page_size == page_size  # it was not the size that was refused


@pytest.mark.fault("R14")
def test_a_login_refused_with_400_is_not_repeated_for_a_smaller_page(client: Client) -> None:
    with Fake(token=[Reply(400, b"")]) as fake, pytest.raises(AuthError):
        client.list_page(client.access(fake.account(page_size=100)))
    assert fake.kinds() == ["token"]


@pytest.mark.fault("R9")
@pytest.mark.parametrize("location", ["https://evil.example/x?token=1", "//evil.example/", "http://evil.example"])
@pytest.mark.parametrize("call", ["list", "token"])
def test_redirect_is_not_followed(client: Client, location: str, call: str) -> None:
    reply = Reply(302, b"", {"Location": location})
    scripts = {"listing": [reply]} if call == "list" else {"token": [reply]}
    with Fake(**scripts) as fake, pytest.raises(HttpError, match=r"redirects to evil\.example,") as caught:
        page(fake, client)
    assert caught.value.status == 302
    assert fake.kinds().count(call) == 1


@pytest.mark.fault("R9")
@pytest.mark.parametrize(
    "location", ["http://[bad", "https://user:canary@evil.example", "\xff", "", "https://evil.example:port/"]
)
def test_redirect_to_nowhere(client: Client, location: str) -> None:
    with Fake([Reply(302, b"", {"Location": location})]) as fake:
        with pytest.raises(HttpError, match="redirects to") as caught:
            page(fake, client)
    assert "canary" not in str(caught.value)


SECRETS = ["canary-secret-5f1e", "canary\"&<'/+%x"]
SPELLINGS: list[Callable[[str], str]] = [
    str,
    quote,
    quote_plus,
    html.escape,
    lambda text: json.dumps(text)[1:-1],
    lambda text: quote(text, safe="").lower(),  # as .NET writes it
    lambda text: quote(quote(text, safe=""), safe=""),
    lambda text: html.escape(text, quote=False),
    lambda text: "".join(char if char.isalnum() else f"&#{ord(char)};" for char in text),
    lambda text: "".join(char if char.isalnum() else f"&#x{ord(char):02X};" for char in text),
    lambda text: "".join(char if char.isalnum() else f"\\u{ord(char):04x}" for char in text),  # as Gson does
    lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),  # as PHP does
    lambda text: json.dumps(json.dumps(text)),
]


@pytest.mark.fault("S1")
@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 418, 500])
@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("call", ["listing", "token"])
@pytest.mark.parametrize("spell", SPELLINGS)
def test_an_answer_that_echoes_secrets_shows_none(
    client: Client, status: int, secret: str, call: str, spell: Callable[[str], str]
) -> None:
    def echo(hit: Hit) -> Reply:
        sent = hit.headers.get("authorization", "Bearer opaque-canary-token")
        return Reply(status, f"{sent} {spell(secret)}".encode())

    opaque = [{"access_token": "opaque-canary-token"}]
    scripts: dict[str, Any] = {"listing": echo, "token": opaque} if call == "listing" else {"token": echo}
    with Fake(**scripts) as fake:
        account = fake.account(secret=Secret(secret))
        with pytest.raises(OutboundError) as caught:
            client.list_page(client.access(account, retry_waits=()), None, 0)
    assert "canary" not in f"{caught.value} {caught.value!r} {vars(caught.value)}"


@pytest.mark.fault("S1")
def test_a_secret_that_is_cut_off_is_not_shown(client: Client) -> None:
    token = "canary" * 140
    body = "".join(f"x{token}" for _ in range(9)).encode()
    with Fake([Reply(403, body)], token=[{"access_token": token}]) as fake:
        with pytest.raises(AuthError) as caught:
            page(fake, client)
    assert "canary" not in str(caught.value)


@pytest.mark.fault("S1")
@pytest.mark.parametrize("call", ["listing", "token"])
@pytest.mark.parametrize(
    "reply",
    [
        Reply(403, b"x", {"Content-Type": "canary-secret-5f1e"}),
        Reply(302, b"x", {"Location": "https://canary-secret-5f1e.example/"}),
        Reply(raw=b"HTTP/9 canary-secret-5f1e\r\n\r\n"),
        Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ncanary-secret-5f1e\r\n"),
    ],
)
def test_a_secret_in_headers_or_framing_is_not_shown(client: Client, call: str, reply: Reply) -> None:
    scripts: dict[str, Any] = {call: [reply]}
    with Fake(**scripts) as fake, pytest.raises(OutboundError) as caught:
        client.list_page(client.access(fake.account(), retry_waits=()))
    assert "canary" not in str(caught.value)


@pytest.mark.fault("S1")
def test_a_broken_login_answer_is_not_quoted(client: Client) -> None:
    with Fake(token=[Reply(body=b'{"access_token":"opaque-canary-77","expires_in":36')]) as fake:
        with pytest.raises(NetworkError) as caught:
            page(fake, client)
    assert "canary" not in str(caught.value)


def test_internal_error_codes_are_shown_for_the_login_too(client: Client) -> None:
    with Fake(token=[Reply(400, {"internalErrorCode": "0815", "message": "canary"})]) as fake:
        with pytest.raises(AuthError, match=r"\(code 0815\)") as caught:
            page(fake, client)
    assert "canary" not in str(caught.value)


@pytest.mark.fault("D5")
@pytest.mark.parametrize(
    "value", ["", "..", "a/b", "a%2fb", "a?b", "a#b", "a b", "a\r\nX: y", "a" * 10_000, "ü", None, 5, ["wa"]]
)
def test_no_value_leads_a_request_elsewhere(value: object) -> None:
    with pytest.raises(ConfigError, match="channel is") as caught:
        check_path_segment("channel", value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200
