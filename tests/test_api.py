"""Hosts, login and tokens: asked for as documented, once, and never of anybody but LivePerson."""

from __future__ import annotations

import json
import traceback
from types import FrameType
from typing import Any

import jwt
import pytest

from airflow_provider_outbound.client.account import Account, Secret
from airflow_provider_outbound.client.api import Access, Api
from airflow_provider_outbound.client.sender import Request, Response
from airflow_provider_outbound.errors import AuthError, HttpError, NetworkError, OutboundError, ProtocolError
from tests.clock import Clock
from tests.conftest import Client
from tests.fake import ACCOUNT, SECRET, Fake, Hit, Reply, grant, token


def test_login_and_list_go_out_as_documented(client: Client) -> None:
    with Fake() as fake:
        account = fake.account()
        client.list_page(client.access(account), None, 0)
        client.list_page(client.access(account), "wa", 30)
    login, listing, _, by_channel = fake.hits
    assert (login.method, login.path, login.query) == (
        "POST",
        f"/sentinel/api/account/{ACCOUNT}/app/token",
        {"v": "1.0"},
    )
    assert login.body == f"client_id=client&client_secret={SECRET}&grant_type=client_credentials"
    assert login.headers["content-type"] == "application/x-www-form-urlencoded"
    assert (listing.method, listing.path) == ("GET", f"/api/account/{ACCOUNT}/app/prmsg/handoffs/list")
    assert listing.query == {"v": "1", "limit": "30", "offset": "0"}
    assert listing.headers["content-type"] == "application/json"
    assert listing.headers["authorization"].startswith("Bearer eyJ")
    assert by_channel.path == f"/api/account/{ACCOUNT}/app/prmsg/handoffs/list/channel/wa"
    assert by_channel.offset == 30
    assert client.tokens == [listing.headers["authorization"][7:], by_channel.headers["authorization"][7:]]


def test_token_api_v2(client: Client) -> None:
    with Fake() as fake:
        account = fake.account(token_api="v2")
        client.list_page(client.access(account), None, 0)
    assert (fake.hits[0].path, fake.hits[0].query) == (f"/sentinel/api/v2/account/{ACCOUNT}/app/token", {})


def test_bearer_token_is_used_as_it_is(client: Client) -> None:
    with Fake() as fake:
        account = fake.account(auth="bearer", secret=Secret("le-token"))
        client.list_page(client.access(account), None, 0)
    assert [hit.headers["authorization"] for hit in fake.hits] == ["Bearer le-token"]


@pytest.mark.fault("A1")
def test_revoked_token_is_fetched_once_more(client: Client) -> None:
    with Fake([Reply(401, b"{}"), [{"id": "1"}]]) as fake:
        account = fake.account()
        assert client.list_page(client.access(account), None, 60) == [{"id": "1"}]
    assert fake.kinds() == ["token", "list", "token", "list"]
    assert {hit.offset for hit in fake.hits if hit.kind == "list"} == {60}


@pytest.mark.fault("A1")
def test_second_401_fails(client: Client) -> None:
    with Fake([Reply(401, b"{}")]) as fake:
        account = fake.account()
        with pytest.raises(AuthError, match="The token was refused"):
            client.list_page(client.access(account), None, 0)
    assert fake.kinds() == ["token", "list", "token", "list"]
    assert client.waits == []


@pytest.mark.fault("A1")
def test_bearer_token_cannot_be_fetched(client: Client) -> None:
    with Fake([Reply(401, b"{}")]) as fake:
        account = fake.account(auth="bearer")
        with pytest.raises(AuthError, match="renew the bearer token"):
            client.list_page(client.access(account), None, 0)
    assert fake.kinds() == ["list"]


@pytest.mark.fault("A2")
@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_refused_login_is_never_repeated(client: Client, status: int, version: str) -> None:
    with Fake(token=[Reply(status, f"no {SECRET}".encode())]) as fake:
        account = fake.account(token_api=version)
        with pytest.raises(AuthError, match=rf"{fake.host}.*token_api, which is {version}") as caught:
            client.list_page(client.access(account), None, 0)
    assert fake.kinds() == ["token"]
    assert client.waits == []
    assert SECRET not in f"{caught.value!r}"


@pytest.mark.fault("A2")
def test_refused_login_in_mid_run(client: Client) -> None:
    with Fake([Reply(401, b"{}")], token=[grant(), Reply(401, b"{}")]) as fake:
        account = fake.account()
        with pytest.raises(AuthError, match="Can't get a token"):
            client.list_page(client.access(account), None, 0)
    assert fake.kinds() == ["token", "list", "token"]


@pytest.mark.fault("A3")
def test_forbidden(client: Client) -> None:
    with Fake([Reply(403, b"{}")]) as fake:
        account = fake.account()
        with pytest.raises(AuthError, match="scope and installation"):
            client.list_page(client.access(account), None, 0)
    assert fake.kinds() == ["token", "list"]


DAY = 86_400


@pytest.mark.fault("A4")
@pytest.mark.parametrize(
    ("answer", "life"),
    [
        ({"expires_in": 600}, 600),
        ({"expires_in": "600"}, 600),
        ({}, 3600),
        ({"expires_in": 0}, 3600),
        ({"expires_in": -5}, 3600),
        ({"expires_in": 1e12}, 3600),
        ({"expires_in": None}, 3600),
        ({"expires_in": "soon"}, 3600),
        ({"expires_in": [1]}, 3600),
        ({"access_token": token(life=1200)}, 1200),
        ({"access_token": token(life=1200, iat=1, exp=1201)}, 1200),  # a clock decades behind
        ({"access_token": jwt.encode({"exp": 1}, "k" * 32), "expires_in": 90}, 90),
        ({"access_token": "opaque", "expires_in": 90}, 90),
        ({"access_token": "opaque"}, 3600),
        ({"access_token": jwt.encode({"sub": "x"}, "", algorithm="none"), "expires_in": 90}, 90),
    ],
)
def test_lifetime(client: Client, answer: dict[str, Any], life: float) -> None:
    clock = Clock()
    with Fake(token=[{**grant(), **answer}]) as fake:
        account = fake.account()
        access = client.access(account, clock=clock)
        for moment in (0.0, life - min(60, life / 2) - 1, life - min(60, life / 2)):
            clock.time = moment
            client.list_page(access, None, 0)
    assert access.auth.token_life == life
    assert fake.kinds() == ["token", "list", "list", "token", "list"]


@pytest.mark.fault("A4")
def test_no_life_at_all_is_no_refresh_loop(client: Client) -> None:
    clock = Clock()

    def granted(hit: Hit) -> dict[str, Any]:
        clock.sleep(5)  # the login takes longer than the token lives
        return grant(life=1)

    with Fake(token=granted) as fake:
        account = fake.account()
        client.list_page(client.access(account, clock=clock), None, 0)
    assert fake.kinds() == ["token", "list"]


@pytest.mark.fault("A5")
@pytest.mark.parametrize("opaque", ["opaque", "a.b.c", "eyJ.eyJ.x", jwt.encode({}, "", algorithm="none")])
def test_opaque_token_is_used(client: Client, opaque: str) -> None:
    with Fake(token=[{"access_token": opaque}]) as fake:
        account = fake.account()
        client.list_page(client.access(account), None, 0)
    assert fake.hits[1].headers["authorization"] == f"Bearer {opaque}"


@pytest.mark.fault("A5")
@pytest.mark.parametrize("audience", ["le99999999", ["le1", "le2"]])
def test_token_for_another_account(client: Client, audience: Any) -> None:
    with Fake(token=[grant(aud=audience)]) as fake:
        account = fake.account()
        with pytest.raises(AuthError, match=r"for le(99999999|1), not for account 12345678"):
            client.list_page(client.access(account), None, 0)
    assert fake.kinds() == ["token"]


@pytest.mark.fault("A5")
@pytest.mark.parametrize(
    "audience", [f"le{ACCOUNT}", ["other", f"le{ACCOUNT}"], "some-api", ["legacy-api", ACCOUNT], None]
)
def test_audience_that_fits_or_names_no_account(client: Client, audience: Any) -> None:
    with Fake(token=[grant(aud=audience)]) as fake:
        account = fake.account()
        client.list_page(client.access(account), None, 0)
    assert fake.kinds() == ["token", "list"]


@pytest.mark.fault("A5")
@pytest.mark.parametrize(
    "answer",
    [{}, [], {"access_token": None}, {"access_token": ""}, {"access_token": "a\r\nX: y"}, {"access_token": 7}],
)
def test_login_without_a_token(client: Client, answer: Any) -> None:
    with Fake(token=[answer]) as fake:
        account = fake.account()
        with pytest.raises(ProtocolError, match="no usable access_token"):
            client.list_page(client.access(account), None, 0)
    assert fake.kinds() == ["token"]


@pytest.mark.fault("A6")
def test_token_that_ends_during_a_wait(client: Client) -> None:
    tokens = [{"access_token": "first", "expires_in": 4}, {"access_token": "second", "expires_in": 4000}]
    with Fake([Reply(503, b""), []], token=tokens) as fake:
        account = fake.account()
        client.list_page(client.access(account, clock=client), None, 0)
    sent = [hit.headers["authorization"] for hit in fake.hits if hit.kind == "list"]
    assert sent == ["Bearer first", "Bearer second"]


def discover(answer: Any) -> tuple[Access, list[Request]]:
    """Ask for a page with an answer of the Domain API, up to the login, which fails."""
    sent: list[Request] = []

    def send(request: Request) -> Response:
        sent.append(request)
        if len(sent) == 2:
            raise NetworkError("no login here")
        return Response(200, {}, json.dumps(answer).encode())

    access = Access(Account(account_id=ACCOUNT, client_id="client", secret=Secret(SECRET)), retry_waits=())
    with pytest.raises(NetworkError, match="no login here"):
        Api(access, send).list_page(None, 0)
    return access, sent


@pytest.mark.parametrize("region", ["va", "lo", "sy"])
def test_discovery_of_the_region(region: str) -> None:
    host = f"{region}.sentinel.liveperson.net"
    access, (domain, login) = discover({"service": "sentinel", "account": ACCOUNT, "baseURI": host})
    assert domain.url == (
        f"https://api.liveperson.net/api/account/{ACCOUNT}/service/sentinel/baseURI.json?version=1.0"
    )
    assert login.url == f"https://{host}/sentinel/api/account/{ACCOUNT}/app/token?v=1.0"
    assert access.list_url == f"https://{region}.handoff.liveperson.net"


@pytest.mark.fault("R11")
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "169.254.169.254",
        "x@evil",
        "va.sentinel.liveperson.net.evil.com",
        "va.sentinel.liveperson.net@evil.com",
        "va.sentinel.liveperson.net:444",
        "va.sentinel.liveperson.net/x",
        "evil.com/va.sentinel.liveperson.net",
        "va.sentinel.liveperson.net\n",
        "VA.sentinel.liveperson.net",
        "va-sentinel.liveperson.net",
        "xx.sentinel.liveperson.net",
        "",
        None,
        ["va.sentinel.liveperson.net"],
    ],
)
def test_discovered_host_is_none_of_livepersons(client: Client, host: Any) -> None:
    with Fake(domain=[{"service": "sentinel", "account": ACCOUNT, "baseURI": host}]) as fake:
        account = fake.account(list_url=None, sentinel_url=None)
        with pytest.raises(
            ProtocolError, match="not one of LivePerson's hosts. Set the Connection's host to va, lo or sy"
        ):
            client.list_page(client.access(account), None, 0)
    assert fake.kinds() == ["domain"]


@pytest.mark.fault("R11")
@pytest.mark.parametrize("answer", [[], {}, "va.sentinel.liveperson.net", {"baseURIs": []}])
def test_discovery_without_an_answer(client: Client, answer: Any) -> None:
    with Fake(domain=[answer]) as fake:
        account = fake.account(list_url=None, sentinel_url=None)
        with pytest.raises(ProtocolError, match="not one of LivePerson's hosts"):
            client.list_page(client.access(account), None, 0)


@pytest.mark.fault("R11")
def test_connection_wins_over_discovery(client: Client) -> None:
    with Fake(domain=[{"baseURI": "lo.sentinel.liveperson.net"}]) as fake:
        account = fake.account()
        client.list_page(client.access(account), None, 0)
    assert "domain" not in fake.kinds()


@pytest.mark.parametrize("status", [400, 401, 404])
def test_discovery_of_an_unknown_account(client: Client, status: int) -> None:
    with Fake(domain=[Reply(status, b"")]) as fake:
        account = fake.account(list_url=None, sentinel_url=None)
        with pytest.raises(HttpError, match="Domain API does not know the account. Check the Connection's schema"):
            client.list_page(client.access(account), None, 0)
    assert fake.kinds() == ["domain"]


CANARY_TOKEN = "canary-token-77"


@pytest.mark.fault("S1")
def test_nothing_that_can_be_printed_shows_a_secret(client: Client) -> None:
    with Fake(token=[{"access_token": CANARY_TOKEN}]) as fake:
        account = fake.account(proxies={"ftp": Secret(f"http://user:{SECRET}@proxy")})
        access = client.access(account)
        sent: list[Request] = []
        with client.open(access) as api:
            send = api.send

            def note(request: Request) -> Response:
                sent.append(request)
                return send(request)

            api.send = note
            api.list_page(None, 0)
            seen = (account, access, access.auth, vars(access.auth), api, vars(api), sent)
            shown = [repr(each) for each in seen]
            shown += [repr(vars(request.auth)) for request in sent]
    assert CANARY_TOKEN in fake.hits[1].headers["authorization"]
    assert not [text for text in shown if SECRET in text or CANARY_TOKEN in text]


def frames_of_ours(error: BaseException | None) -> list[FrameType]:
    """Return the frames of this package that an error and all that it hangs on lead through."""
    found: list[FrameType] = []
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if "airflow_provider_outbound" in frame.f_code.co_filename:
                found.append(frame)
        error = error.__cause__ or error.__context__
    return found


FAILURES: dict[str, dict[str, Any]] = {
    "refused login": {"token": [Reply(401, b"")]},
    "broken login": {"token": [Reply(body=b'{"access_token": "canary-token-77", "expires')]},
    "unusable token": {"token": [{"access_token": "canary-token-77\r\n"}]},
    "token by another name": {"token": [{"accessToken": CANARY_TOKEN, "data": {"access_token": CANARY_TOKEN}}]},
    "token in a list": {"token": [[{"access_token": CANARY_TOKEN}]]},
    "token for another account": {"token": [grant(aud="le1")]},
    "refused token": {"listing": [Reply(401, b"")], "token": [{"access_token": CANARY_TOKEN}]},
    "forbidden": {"listing": [Reply(403, b"")], "token": [{"access_token": CANARY_TOKEN}]},
    "broken listing": {"listing": [Reply(body=b"[")], "token": [{"access_token": CANARY_TOKEN}]},
    "echo": {"listing": [Reply(418, CANARY_TOKEN.encode())], "token": [{"access_token": CANARY_TOKEN}]},
    "echo in JSON": {"listing": [{"token": CANARY_TOKEN}], "token": [{"access_token": CANARY_TOKEN}]},
    "echo in a header": {
        "listing": [Reply(418, b"", {"X-Token": CANARY_TOKEN})],
        "token": [{"access_token": CANARY_TOKEN}],
    },
    "no response": {"listing": [Reply(raw=b"")], "token": [{"access_token": CANARY_TOKEN}]},
    "no login": {"token": [Reply(raw=b"")]},
}


@pytest.mark.fault("S4")
@pytest.mark.parametrize("scripts", FAILURES.values(), ids=FAILURES)
def test_no_frame_of_a_traceback_shows_a_secret(client: Client, scripts: dict[str, Any]) -> None:
    with Fake(**scripts) as fake:
        access = client.access(fake.account(), retry_waits=())
        with pytest.raises(OutboundError) as caught:
            client.list_page(access)
    frames = frames_of_ours(caught.value)
    assert len(frames) >= 3
    tokens = [*client.tokens, CANARY_TOKEN, SECRET]
    shown = [f"{frame.f_code.co_name} {frame.f_locals!r}" for frame in frames]
    assert not [text for text in shown if any(token in text for token in tokens)]
