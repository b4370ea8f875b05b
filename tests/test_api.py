"""Hosts, login and tokens: asked for as documented, once, and never of anybody but LivePerson."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt
import pytest
from msgspec.structs import asdict

from airflow_provider_outbound.client.account import Account, Secret
from airflow_provider_outbound.client.api import Api
from airflow_provider_outbound.client.protocol import Request, Response
from airflow_provider_outbound.errors import AuthError, HttpError, ProtocolError
from tests.conftest import Driver
from tests.fake import ACCOUNT, SECRET, Fake, Hit, Reply, grant, token


class Clock:
    """Monotonic seconds that pass when told to."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time

    def pass_(self, seconds: float) -> None:
        self.time += seconds


def test_login_and_list_go_out_as_documented(drive: Driver) -> None:
    with Fake() as fake:
        account = fake.account()
        drive(Api(account).list_page(None, 0), account)
        drive(Api(account).list_page("wa", 30), account)
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
    assert drive.secrets == [listing.headers["authorization"][7:], by_channel.headers["authorization"][7:]]


def test_token_api_v2(drive: Driver) -> None:
    with Fake() as fake:
        account = fake.account(token_api="v2")
        drive(Api(account).list_page(None, 0), account)
    assert (fake.hits[0].path, fake.hits[0].query) == (f"/sentinel/api/v2/account/{ACCOUNT}/app/token", {})


def test_bearer_token_is_used_as_it_is(drive: Driver) -> None:
    with Fake() as fake:
        account = fake.account(auth="bearer", secret="le-token")
        drive(Api(account).list_page(None, 0), account)
    assert [hit.headers["authorization"] for hit in fake.hits] == ["Bearer le-token"]


@pytest.mark.fault("A1")
def test_revoked_token_is_fetched_once_more(drive: Driver) -> None:
    with Fake([Reply(401, b"{}"), [{"id": "1"}]]) as fake:
        account = fake.account()
        assert drive(Api(account).list_page(None, 60), account) == [{"id": "1"}]
    assert fake.kinds() == ["token", "list", "token", "list"]
    assert {hit.offset for hit in fake.hits if hit.kind == "list"} == {60}


@pytest.mark.fault("A1")
def test_second_401_fails(drive: Driver) -> None:
    with Fake([Reply(401, b"{}")]) as fake:
        account = fake.account()
        with pytest.raises(AuthError, match="the token was refused"):
            drive(Api(account).list_page(None, 0), account)
    assert fake.kinds() == ["token", "list", "token", "list"]
    assert drive.waits == []


@pytest.mark.fault("A1")
def test_bearer_token_cannot_be_fetched(drive: Driver) -> None:
    with Fake([Reply(401, b"{}")]) as fake:
        account = fake.account(auth="bearer")
        with pytest.raises(AuthError, match="renew the bearer token"):
            drive(Api(account).list_page(None, 0), account)
    assert fake.kinds() == ["list"]


@pytest.mark.fault("A2")
@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_refused_login_is_never_repeated(drive: Driver, status: int, version: str) -> None:
    with Fake(token=[Reply(status, f"no {SECRET}".encode())]) as fake:
        account = fake.account(token_api=version)
        with pytest.raises(AuthError, match=rf"{fake.host}.*token_api, which is {version}") as caught:
            drive(Api(account).list_page(None, 0), account)
    assert fake.kinds() == ["token"]
    assert drive.waits == []
    assert SECRET not in f"{caught.value!r}"


@pytest.mark.fault("A2")
def test_refused_login_in_mid_run(drive: Driver) -> None:
    with Fake([Reply(401, b"{}")], token=[grant(), Reply(401, b"{}")]) as fake:
        account = fake.account()
        with pytest.raises(AuthError, match="refused to give the token"):
            drive(Api(account).list_page(None, 0), account)
    assert fake.kinds() == ["token", "list", "token"]


@pytest.mark.fault("A3")
def test_forbidden(drive: Driver) -> None:
    with Fake([Reply(403, b"{}")]) as fake:
        account = fake.account()
        with pytest.raises(AuthError, match="scope and installation"):
            drive(Api(account).list_page(None, 0), account)
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
def test_lifetime(drive: Driver, answer: dict[str, Any], life: float) -> None:
    clock = Clock()
    with Fake(token=[{**grant(), **answer}]) as fake:
        account = fake.account()
        api = Api(account, clock=clock)
        for moment in (0.0, life - min(60, life / 2) - 1, life - min(60, life / 2)):
            clock.time = moment
            drive(api.list_page(None, 0), account)
    assert api.token_life == life
    assert fake.kinds() == ["token", "list", "list", "token", "list"]


@pytest.mark.fault("A4")
def test_no_life_at_all_is_no_refresh_loop(drive: Driver) -> None:
    clock = Clock()

    def granted(hit: Hit) -> dict[str, Any]:
        clock.pass_(5)  # the login takes longer than the token lives
        return grant(life=1)

    with Fake(token=granted) as fake:
        account = fake.account()
        drive(Api(account, clock=clock).list_page(None, 0), account)
    assert fake.kinds() == ["token", "list"]


@pytest.mark.fault("A5")
@pytest.mark.parametrize("opaque", ["opaque", "a.b.c", "eyJ.eyJ.x", jwt.encode({}, "", algorithm="none")])
def test_opaque_token_is_used(drive: Driver, opaque: str) -> None:
    with Fake(token=[{"access_token": opaque}]) as fake:
        account = fake.account()
        drive(Api(account).list_page(None, 0), account)
    assert fake.hits[1].headers["authorization"] == f"Bearer {opaque}"


@pytest.mark.fault("A5")
@pytest.mark.parametrize("audience", ["le99999999", ["le1", "le2"]])
def test_token_for_another_account(drive: Driver, audience: Any) -> None:
    with Fake(token=[grant(aud=audience)]) as fake:
        account = fake.account()
        with pytest.raises(AuthError, match=r"for le(99999999|1), not for account 12345678"):
            drive(Api(account).list_page(None, 0), account)
    assert fake.kinds() == ["token"]


@pytest.mark.fault("A5")
@pytest.mark.parametrize("audience", [f"le{ACCOUNT}", ["other", f"le{ACCOUNT}"], "some-api", None])
def test_audience_that_fits_or_names_no_account(drive: Driver, audience: Any) -> None:
    with Fake(token=[grant(aud=audience)]) as fake:
        account = fake.account()
        drive(Api(account).list_page(None, 0), account)
    assert fake.kinds() == ["token", "list"]


@pytest.mark.fault("A5")
@pytest.mark.parametrize(
    "answer",
    [{}, [], {"access_token": None}, {"access_token": ""}, {"access_token": "a\r\nX: y"}, {"access_token": 7}],
)
def test_login_without_a_token(drive: Driver, answer: Any) -> None:
    with Fake(token=[answer]) as fake:
        account = fake.account()
        with pytest.raises(ProtocolError, match="without a usable access_token"):
            drive(Api(account).list_page(None, 0), account)
    assert fake.kinds() == ["token"]


@pytest.mark.fault("A6")
def test_token_that_ends_during_a_wait(drive: Driver) -> None:
    clock = Clock()
    drive.on_wait = clock.pass_
    tokens = [{"access_token": "first", "expires_in": 4}, {"access_token": "second", "expires_in": 4000}]
    with Fake([Reply(503, b""), []], token=tokens) as fake:
        account = fake.account()
        drive(Api(account, clock=clock).list_page(None, 0), account)
    sent = [hit.headers["authorization"] for hit in fake.hits if hit.kind == "list"]
    assert sent == ["Bearer first", "Bearer second"]


def discover(answer: Any) -> tuple[Api, list[Request]]:
    """Run the flow up to its second request, with an answer of the Domain API."""
    import json

    api = Api(Account(account_id=ACCOUNT, client_id="client", secret=Secret(SECRET)))
    flow = api.list_page(None, 0)
    first = next(flow)
    assert isinstance(first, Request)
    second = flow.send(Response(200, {}, json.dumps(answer).encode()))
    assert isinstance(second, Request)
    return api, [first, second]


@pytest.mark.parametrize("region", ["va", "lo", "sy"])
def test_discovery_of_the_region(region: str) -> None:
    host = f"{region}.sentinel.liveperson.net"
    api, (domain, login) = discover({"service": "sentinel", "account": ACCOUNT, "baseURI": host})
    assert domain.url == (
        f"https://api.liveperson.net/api/account/{ACCOUNT}/service/sentinel/baseURI.json?version=1.0"
    )
    assert login.url == f"https://{host}/sentinel/api/account/{ACCOUNT}/app/token?v=1.0"
    assert api.list_url == f"https://{region}.handoff.liveperson.net"


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
def test_discovered_host_is_none_of_livepersons(drive: Driver, host: Any) -> None:
    with Fake(domain=[{"service": "sentinel", "account": ACCOUNT, "baseURI": host}]) as fake:
        account = fake.account(list_url=None, sentinel_url=None)
        with pytest.raises(ProtocolError, match="none of LivePerson's: set the Connection's host to va, lo or sy"):
            drive(Api(account).list_page(None, 0), account)
    assert fake.kinds() == ["domain"]


@pytest.mark.fault("R11")
@pytest.mark.parametrize("answer", [[], {}, "va.sentinel.liveperson.net", {"baseURIs": []}])
def test_discovery_without_an_answer(drive: Driver, answer: Any) -> None:
    with Fake(domain=[answer]) as fake:
        account = fake.account(list_url=None, sentinel_url=None)
        with pytest.raises(ProtocolError, match="none of LivePerson's"):
            drive(Api(account).list_page(None, 0), account)


@pytest.mark.fault("R11")
def test_connection_wins_over_discovery(drive: Driver) -> None:
    with Fake(domain=[{"baseURI": "lo.sentinel.liveperson.net"}]) as fake:
        account = fake.account()
        drive(Api(account).list_page(None, 0), account)
    assert "domain" not in fake.kinds()


@pytest.mark.parametrize("status", [400, 401, 404])
def test_discovery_of_an_unknown_account(drive: Driver, status: int) -> None:
    with Fake(domain=[Reply(status, b"")]) as fake:
        account = fake.account(list_url=None, sentinel_url=None)
        with pytest.raises(HttpError, match="Domain API does not know the account: check the Connection's schema"):
            drive(Api(account).list_page(None, 0), account)
    assert fake.kinds() == ["domain"]


@pytest.mark.fault("S1")
def test_nothing_that_can_be_printed_shows_a_secret(drive: Driver) -> None:
    shown: list[str] = []
    with Fake() as fake:
        account = fake.account(proxies={"ftp": Secret(f"http://user:{SECRET}@proxy")})
        api = Api(account)
        flow = api.list_page(None, 0)
        step: Any = next(flow)
        answers: dict[str, Callable[[], Response]] = {
            "POST": lambda: Response(200, {}, b'{"access_token": "canary-token-77"}'),
            "GET": lambda: Response(200, {}, b"[]"),
        }
        while step is not None:
            shown.append(repr(step))
            answer = answers[step.method]() if isinstance(step, Request) else None
            shown.append(repr(answer))
            try:
                step = flow.send(answer)
            except StopIteration:
                step = None
        shown += [repr(account), repr(api), repr(asdict(account))]
    assert any("Request" in text for text in shown)
    assert not [text for text in shown if SECRET in text or "canary-token" in text]
