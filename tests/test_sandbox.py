"""The sandbox, over real HTTP: its promises to those who test DAGs with it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import fields
from typing import Any
from uuid import UUID

import jwt
import pytest
import requests

from airflow_provider_outbound.sandbox import Sandbox
from airflow_provider_outbound.sandbox.__main__ import main
from airflow_provider_outbound.sandbox.data import CHANNELS, configurations, template
from airflow_provider_outbound.sandbox.texts import LANGUAGES, ODD_TEXTS, URLS

Json = dict[str, Any]
VARIABLE = "AIRFLOW_CONN_LIVEPERSON_OUTBOUND_DEFAULT"
CREDENTIALS = {
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
    "grant_type": "client_credentials",
}
V1 = "/sentinel/api/account/12345678/app/token?v=1.0"
V2 = "/sentinel/api/v2/account/12345678/app/token"
LIST = "/api/account/12345678/app/prmsg/handoffs/list"


class Clock:
    """Monotonic seconds that pass when told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Client:
    """A client of one sandbox, which logs in when it first asks for a page."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.token = ""

    def login(self, path: str = V1, **form: str) -> requests.Response:
        return requests.post(self.sandbox.url + path, data=CREDENTIALS | form, timeout=10)

    def get(self, path: str, token: str = "", **query: object) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        params = {name: str(value) for name, value in query.items()}
        return requests.get(self.sandbox.url + path, params=params, headers=headers, timeout=10)

    def page(self, path: str = LIST, **query: object) -> requests.Response:
        self.token = self.token or self.login().json()["access_token"]
        return self.get(path, self.token, **({"v": 1} | query))

    def names(self) -> list[str]:
        return [item["name"] for item in self.page(limit=1000).json()]


Connect = Callable[..., Client]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Start sandboxes with the settings given, and stop them in the end."""
    with ExitStack() as running:
        yield lambda **settings: Client(running.enter_context(Sandbox(**settings)))


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A sandbox with the default settings, for tests that change nothing."""
    with Sandbox() as sandbox:
        yield Client(sandbox)


def refused(answer: requests.Response, status: int) -> str:
    """Check a refusal's status and shape, and return its message."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    if status in (404, 405):
        assert body == {"errorMessage": body["errorMessage"], "errorCode": {404: 1004, 405: 1005}[status]}
        return str(body["errorMessage"])
    assert body == {"code": 0, "requestTraceId": body["requestTraceId"], "message": body["message"]}
    assert str(UUID(body["requestTraceId"])) == body["requestTraceId"]
    return str(body["message"])


# The Domain API


def test_domain_names_the_sentinel_host(client: Client) -> None:
    answer = client.get("/api/account/12345678/service/sentinel/baseURI.json", version="1.0")
    sentinel = {"service": "sentinel", "account": "12345678", "baseURI": "va.sentinel.liveperson.net"}
    assert answer.json() == sentinel
    assert sentinel in client.get("/api/account/12345678/baseURI.json", version="1.0").json()["baseURIs"]


def test_domain_refuses_others(client: Client) -> None:
    refused(client.get("/api/account/12345678/service/Sentinel/baseURI.json", version="1.0"), 404)
    refused(client.get("/api/account/12345678/service/sentinel/baseURI.json"), 400)
    refused(client.get("/api/account/87654321/service/sentinel/baseURI.json", version="1.0"), 400)
    refused(client.get("/api/account/87654321/baseURI.json", version="1.0"), 400)
    refused(client.get("/no/such/path"), 404)
    refused(requests.post(client.sandbox.url + LIST, timeout=10), 405)


# Tokens


@pytest.mark.parametrize("path", [V1, V2])
def test_token_verifies_with_the_published_key(client: Client, path: str) -> None:
    answer = client.login(path).json()
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3600)
    token = answer["access_token"]
    keys = jwt.PyJWKClient(f"{client.sandbox.url}/sentinel/well-known/jwks")
    key = keys.get_signing_key_from_jwt(token)
    header = {"alg": "RS256", "kid": key.key_id, "typ": "JWT"}
    assert jwt.get_unverified_header(token) == header
    claims = jwt.decode(token, key.key, algorithms=["RS256"], audience="le12345678")
    assert (claims["iss"], claims["azp"]) == ("Sentinel", "sandbox-client")
    assert claims["scope"]
    assert claims["exp"] - claims["iat"] == 3600


def test_each_login_gives_another_token(client: Client) -> None:
    first, second = (client.login().json()["access_token"] for _ in range(2))
    assert first != second
    assert client.get(LIST, first, v=1).ok


@pytest.mark.parametrize("path", [V1, V2])
def test_token_refuses_others(client: Client, path: str) -> None:
    refused(client.login(path, client_secret="guess"), 401)
    refused(client.login(path, client_id="guess"), 401)
    refused(client.login(path, client_id=""), 401)
    refused(client.login(path, grant_type="password"), 400)
    refused(client.login(path.replace("12345678", "87654321")), 401)
    refused(client.login(V1.replace("?v=1.0", "")), 400)


def test_each_refusal_has_its_own_trace_id(client: Client) -> None:
    first, second = (client.get(LIST).json()["requestTraceId"] for _ in range(2))
    assert first != second


def test_a_refusal_repeats_no_secret(client: Client) -> None:
    text = client.login(client_secret="canary-secret").text + client.get(LIST, "canary-token", v=1).text
    assert "canary" not in text


def test_credentials_belong_in_a_form(client: Client) -> None:
    assert "body" in refused(requests.post(client.sandbox.url + V2, params=CREDENTIALS, timeout=10), 400)
    refused(client.login(V1 + "&client_secret=sandbox-secret"), 400)
    refused(requests.post(client.sandbox.url + V2, json=CREDENTIALS, timeout=10), 400)
    refused(requests.post(client.sandbox.url + V2, data=b"\xff\xfe", timeout=10), 400)


def test_token_expires_by_the_clock(connect: Connect) -> None:
    clock = Clock()
    client = connect(clock=clock, token_ttl=60.0)
    assert client.login().json()["expires_in"] == 60
    assert client.page().ok
    clock.now += 59.9
    assert client.page().ok
    clock.now += 0.1
    answer = client.page()
    refused(answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_of_another_sandbox_is_refused(client: Client, connect: Connect) -> None:
    other = connect(items=0).login().json()["access_token"]
    refused(client.get(LIST, other, v=1), 401)


# Listings


def test_listing_pages_through_all(client: Client) -> None:
    held = client.sandbox.configurations()
    assert held == configurations(90, 1)
    for offset in (0, 30, 60, 90):
        assert client.page(offset=offset).json() == held[offset : offset + 30]
    assert client.page(limit=4, offset=88).json() == held[88:]


@pytest.mark.parametrize("channel", CHANNELS)
def test_listing_by_channel(client: Client, channel: str) -> None:
    held = configurations(90, 1)
    expected = [item for item in held if channel in {each["type"] for each in item["channels"]}]
    assert expected != held
    assert client.page(f"{LIST}/channel/{channel}", limit=90).json() == expected
    assert client.page(f"{LIST}/channel/{channel}", limit=2, offset=1).json() == expected[1:3]


def test_a_channel_that_nobody_knows_is_empty(client: Client) -> None:
    assert client.page(f"{LIST}/channel/telegraph").json() == []


def test_bare_shape_lists_channels(connect: Connect) -> None:
    client = connect(shape="bare")
    held = channels(configurations(90, 1))
    assert client.page(limit=500).json() == client.sandbox.configurations() == held
    only = client.page(f"{LIST}/channel/inapp", limit=500).json()
    assert only == [channel for channel in held if channel["type"] == "inapp"] != []


def test_wrapped_shape_lists_configurations_in_an_envelope(connect: Connect) -> None:
    client = connect(shape="wrapped", items=25)
    held = configurations(25, 1)
    assert client.sandbox.configurations() == held
    metadata = {"accountId": "12345678", "app": "prmsg"}
    pages = {
        0: {"count": 10, "previousOffset": -1, "currentOffset": 0, "nextOffset": 10},
        5: {"count": 10, "previousOffset": 0, "currentOffset": 5, "nextOffset": 15},
        20: {"count": 5, "previousOffset": 10, "currentOffset": 20, "nextOffset": -1},
        25: {"count": 0, "previousOffset": 15, "currentOffset": 25, "nextOffset": -1},
    }
    for offset, page in pages.items():
        answer = client.page(limit=10, offset=offset).json()
        assert answer == {"requestMetadata": metadata, "page": page, "handoffs": held[offset : offset + 10]}
    answer = client.page(f"{LIST}/channel/inapp").json()
    assert answer["requestMetadata"] == {**metadata, "channel": "inapp"}
    assert answer["handoffs"] == [item for item in held if item["channels"][0]["type"] == "inapp"] != []


def test_page_cap_beats_the_limit(connect: Connect) -> None:
    client = connect(page_cap=7)
    assert len(client.page(limit=30).json()) == len(client.page().json()) == 7
    assert len(client.page(limit=5).json()) == 5


@pytest.mark.parametrize("query", ["v=", "v=2", "limit=0", "limit=ten", "offset=-1", "offset=1.5"])
def test_listing_refuses_a_bad_query(client: Client, query: str) -> None:
    name, value = query.split("=")
    assert name in refused(client.page(**{name: value}), 400)


def test_listing_refuses_others(client: Client) -> None:
    refused(client.page(LIST.replace("12345678", "87654321")), 403)
    refused(client.page(LIST.replace("prmsg", "other")), 404)
    refused(client.page(LIST + "/all"), 404)
    refused(client.get(LIST, client.token), 400)  # no version
    refused(client.get(LIST, "made.it.up", v=1), 401)
    refused(client.get(LIST), 401)  # and the query isn't looked at


# What appears


def test_publish_appears_now_and_last(connect: Connect) -> None:
    client = connect(items=3)
    client.sandbox.publish("spring_sale", channel="sms-twilio", language="pt_BR", variables=("1", "2", "3"))
    assert client.names()[3:] == ["spring_sale"]
    (channel,) = client.page().json()[-1]["channels"]
    assert (channel["type"], channel["language"]) == ("sms-twilio", "pt_BR")
    assert declared(channel) == ["1", "2", "3"]
    with pytest.raises(ValueError, match="telegraph"):
        client.sandbox.publish("spring_sale", channel="telegraph")
    with pytest.raises(ValueError, match="variables is '12': give a list"):
        client.sandbox.publish("spring_sale", variables="12")


def test_configurations_are_updated_and_removed_in_place(connect: Connect) -> None:
    client = connect(items=3)
    before = client.sandbox.configurations()
    name, gone = before[1]["name"], before[0]["name"]
    client.sandbox.update(name, name="renamed", status="x")
    client.sandbox.remove(gone)
    after = client.page().json()
    assert [item["name"] for item in after] == ["renamed", before[2]["name"]]
    assert after[0] == {**before[1], "name": "renamed", "status": "x", "updatedAt": after[0]["updatedAt"]}
    assert after[0]["updatedAt"] > before[1]["updatedAt"]
    for call in (client.sandbox.update, client.sandbox.remove):
        with pytest.raises(KeyError, match=gone):
            call(gone)


def test_names_appear_in_time_order(connect: Connect) -> None:
    clock = Clock()
    client = connect(items=0, clock=clock, appear={"later": 60, "sooner": 5, "at_once": 0})
    assert client.names() == ["at_once"]
    clock.now += 5
    client.sandbox.publish("by_hand")
    assert client.names() == ["at_once", "sooner", "by_hand"]
    clock.now += 55
    assert client.names() == ["at_once", "sooner", "by_hand", "later"]


def test_what_appears_counts_from_the_start() -> None:
    clock = Clock()
    sandbox = Sandbox(items=0, clock=clock, appear={"promo": 10})
    clock.now += 100
    with sandbox:
        assert sandbox.configurations() == []
        clock.now += 10
        assert [item["name"] for item in sandbox.configurations()] == ["promo"]


def test_a_copy_is_handed_out(connect: Connect) -> None:
    client = connect(items=1)
    client.sandbox.configurations()[0]["channels"].clear()
    assert client.page().json()[0]["channels"]
    channels = [{"type": "wa"}]
    client.sandbox.update(client.names()[0], channels=channels)
    channels.clear()
    assert client.page().json()[0]["channels"] == [{"type": "wa"}]


@pytest.mark.parametrize("shape", ["profile", "bare", "wrapped"])
@pytest.mark.parametrize("channels", [None, "wa", [{"language": "en"}], [5], [None]])
def test_odd_channels_are_listed_as_they_are(connect: Connect, shape: str, channels: Any) -> None:
    client = connect(items=0, shape=shape)
    client.sandbox.publish("odd")
    client.sandbox.update("odd", channels=channels)
    bodies = [client.page(path).json() for path in (LIST, f"{LIST}/channel/wa")]
    listed, of_wa = [body["handoffs"] if shape == "wrapped" else body for body in bodies]
    objects = [{"language": "en"}] if channels == [{"language": "en"}] else []
    assert listed == objects if shape == "bare" else listed[0]["channels"] == channels
    assert of_wa == []


# What goes wrong on purpose


def test_pace_is_limited_over_lists_and_tokens(connect: Connect) -> None:
    clock = Clock()
    client = connect(clock=clock, requests_per_second=3)
    assert [client.page().status_code for _ in range(3)] == [200, 200, 429]  # the first one logs in, too
    answer = client.login()
    refused(answer, 429)
    assert answer.headers["Retry-After"] == "1"
    assert client.get("/api/account/12345678/baseURI.json", version="1.0").ok
    clock.now += 1
    assert client.page().ok


def test_failures_come_at_their_rate_and_by_the_seed(connect: Connect) -> None:
    def outcomes(seed: int) -> list[int]:
        client = connect(items=0, seed=seed, fail_rate=0.25)
        return [client.page().status_code for _ in range(40)]

    first = outcomes(1)
    assert 9 <= first.count(503) <= 11
    assert set(first) == {200, 503}
    assert outcomes(1) == first
    assert outcomes(2) != first


def test_an_outage_may_begin_and_end(connect: Connect) -> None:
    client = connect(items=1)
    assert client.page().ok
    client.sandbox.fail_rate = 1
    refused(client.page(), 503)
    assert client.login().ok
    client.sandbox.fail_rate = 0
    assert client.page().ok


def test_latency_holds_up_each_answer(connect: Connect) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    client = connect(latency=2.5, sleep=sleep)
    assert client.page().ok
    refused(client.get(LIST), 401)
    assert slept == [2.5, 2.5, 2.5]


def test_calls_are_counted_when_refused_too(connect: Connect) -> None:
    client = connect()
    client.get("/api/account/12345678/baseURI.json", version="1.0")
    client.page()
    client.page(limit=0)
    client.get(LIST)
    client.login(client_id="guess")
    client.get("/sentinel/well-known/jwks")
    assert client.sandbox.calls == {"domain": 1, "token": 2, "list": 3, "jwks": 1}


# The server


def test_it_can_be_browsed(client: Client) -> None:
    answer = client.get("/")
    assert answer.url == f"{client.sandbox.url}/docs"
    assert "swagger" in answer.text.lower()
    api = client.get("/openapi.json").json()
    assert "sandbox-client" in api["info"]["description"]
    assert V2.replace("12345678", "{account}") in api["paths"]
    assert '"422"' not in json.dumps(api)  # FastAPI's own refusal, which is 400 here


def test_a_second_start_is_the_same_account(connect: Connect) -> None:
    client = connect(items=2, appear={"promo": 0})
    url, names = client.sandbox.url, client.names()
    client.sandbox.stop()
    client.sandbox.stop()
    with pytest.raises(requests.ConnectionError):
        client.page()
    client.sandbox.start()
    assert (client.sandbox.url, client.names()) == (url, names)
    with pytest.raises(RuntimeError, match="already"):
        client.sandbox.start()


def test_stop_does_not_wait_for_a_slow_answer(connect: Connect) -> None:
    client = connect(latency=3600.0)
    with pytest.raises(requests.Timeout):
        requests.get(f"{client.sandbox.url}/sentinel/well-known/jwks", timeout=0.2)
    begun = time.monotonic()
    client.sandbox.stop()
    assert time.monotonic() - begun < 10


def test_a_taken_port_is_told(client: Client) -> None:
    port = int(client.sandbox.url.rpartition(":")[2])
    with pytest.raises(OSError, match=f"cannot listen on http://127.0.0.1:{port}: Address already in use"):
        Sandbox(port=port).start()


def test_settings_that_make_no_sense_are_refused() -> None:
    wrong = {"host": "0.0.0.0", "port": 65536, "account": "1/2", "items": -1, "appear": {"promo": -1}}
    wrong |= {"latency": float("nan"), "page_cap": 0, "requests_per_second": 0.5, "fail_rate": 1.1}
    wrong |= {"token_ttl": 0, "shape": "round", "auth": "bearer"}
    with pytest.raises(ValueError, match="^account must be"):
        Sandbox(account="é")
    for name, value in wrong.items():
        with pytest.raises(ValueError, match=f"^{name} must be"):
            Sandbox(**{name: value})  # type: ignore[arg-type]


def test_remote_access_must_be_asked_for(connect: Connect) -> None:
    port = int(connect(host="0.0.0.0", insecure_bind=True).sandbox.url.rpartition(":")[2])
    assert requests.get(f"http://127.0.0.1:{port}/sentinel/well-known/jwks", timeout=10).ok


def test_the_fixture_can_be_imported_without_fastapi() -> None:
    script = "import sys; import airflow_provider_outbound.testing; assert 'fastapi' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_fixture_is_the_default_connection(outbound_sandbox: Sandbox) -> None:
    assert json.loads(os.environ[VARIABLE]) == {
        "conn_type": "liveperson_outbound",
        "host": outbound_sandbox.url,
        "login": "sandbox-client",
        "password": "sandbox-secret",
        "schema": "12345678",
    }
    assert Client(outbound_sandbox).page().ok


# The command line


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_command_serves_until_told_to_end(ending: signal.Signals) -> None:
    options = "--port 0 --items 5 --seed 3 --appear promo:0 --appear late:3600 --page-cap 4"
    command = [sys.executable, "-m", "airflow_provider_outbound.sandbox", *options.split()]
    with ExitStack() as ended:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        ended.enter_context(process)
        ended.callback(process.kill)  # should a check fail, or leaving would wait for it
        assert process.stdout
        assert process.stderr
        printed = [""]
        while not printed[-1].startswith("export"):
            printed.append(process.stdout.readline() or pytest.fail(process.stderr.read()))
        shell = f'{printed[-1].strip()}; printf %s "${VARIABLE}"'
        value = subprocess.run(["sh", "-c", shell], stdout=subprocess.PIPE, check=True).stdout
        url = json.loads(value)["host"]
        text = "".join(printed)
        assert f"{url} serves account 12345678 with 5 configurations" in text
        assert f"{url}/docs" in text
        assert "late appears 3600 seconds from now" in text

        client = Client(Sandbox(port=int(url.rpartition(":")[2])))  # not started: the command answers
        assert client.page().json() == configurations(4, 3)
        assert [item["name"] for item in client.page(offset=5).json()] == ["promo"]
        process.send_signal(ending)
        assert process.wait(timeout=30) == 0
        assert process.stderr.read() == ""


WRONG = ("--port many", "--port 65536", "--appear promo", "--appear a:soon", "--fail-rate 2", "--host ::")


@pytest.mark.parametrize("wrong", [*WRONG, "--shape round", "--auth bearer", "--colour red"])
def test_command_refuses_in_one_line(capsys: pytest.CaptureFixture[str], wrong: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(wrong.split())
    assert ended.value.code == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert wrong.split()[0].strip("-") in message.replace("_", "-")


def test_command_warns_of_remote_access_and_tells_of_a_taken_port(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken, pytest.raises(SystemExit) as ended:
        main(["--host", "0.0.0.0", "--allow-remote", "--port", str(taken.getsockname()[1])])
    assert ended.value.code == 1
    warning, problem = capsys.readouterr().err.splitlines()
    assert warning.startswith("warning: other machines")
    assert "Address already in use" in problem


def test_command_explains_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    text = capsys.readouterr().out
    assert "(default: 8765)" in text
    assert all(f"--{field.name.replace('_', '-')} " in text for field in fields(Sandbox)[:-3])
    assert "--allow-remote " in text


# The data


PHONES = ("outboundnumber", "phone_number")


def channels(items: list[Json]) -> list[Json]:
    return [channel for item in items for channel in item["channels"]]


def components(items: list[Json]) -> list[Json]:
    return [part for channel in channels(items) for part in channel["messageComponents"]]


def declared(channel: Json) -> list[str]:
    lists = (part.get("variables", part.get("Variables", [])) for part in channel["messageComponents"])
    return sorted({name for names in lists for name in names}, key=in_order)


def in_order(name: str) -> tuple[int, str]:
    return len(name), name


@pytest.mark.parametrize("seed", range(4))
def test_every_kind_of_component_occurs(seed: int) -> None:
    items = configurations(90, seed)
    kinds = {(part["type"], part.get("sub_type")) for part in components(items)}
    headers = {("header", kind) for kind in ("image", "document", "video")}
    others = {(kind, None) for kind in ("body", "footer", "media", "text", "image")}
    buttons = {("button", kind) for kind in ("phone_number", "url", "quick_reply")}
    assert kinds == headers | buttons | others
    keys = {key for part in components(items) for key in part}
    assert {"title", "optOut", "Variables", "height", "thumbnailImageAlignment", "notificationTitle"} <= keys
    assert {channel["type"] for channel in channels(items)} == set(CHANNELS)
    assert {channel["language"] for channel in channels(items)} == set(LANGUAGES)
    assert {len(item["channels"]) for item in items} == {1, 2, 3}


def test_variables_match_the_placeholders() -> None:
    for part in components(configurations(300, 1)):
        texts = " ".join(value for value in part.values() if isinstance(value, str))
        found = set(re.findall(r"\{\{(\w+)\}\}", texts))
        assert sorted(found, key=in_order) == part.get("variables", part.get("Variables", []))
        assert "$" not in part.get("url", "") or part["type"] == "image"


def test_items_are_unique_and_invented() -> None:
    items = configurations(300, 1)
    assert len({item["id"] for item in items}) == len({item["name"] for item in items}) == 300
    assert all(re.fullmatch(r"[a-z_]+_\d{4}", item["name"]) for item in items)
    assert [item["createdAt"] for item in items] == sorted(item["createdAt"] for item in items)
    assert all(item["createdAt"] <= item["updatedAt"] for item in items)
    text = json.dumps(items)
    assert set(re.findall(r"https?://([^/\"]+)", text)) == {"example.com"}
    phones = [each[key] for each in [*channels(items), *components(items)] for key in PHONES if key in each]
    assert [phone for phone in phones if not re.fullmatch(r"\+?120255501\d\d|c2m-\d+-grcs", phone)] == []


def test_ids_are_those_of_liveperson() -> None:
    items = configurations(9000, 1)
    ids = {item["id"] for item in items} | {template(f"t{n}", "wa", "en", ())["id"] for n in range(9)}
    assert len(ids) == 9009
    assert [each for each in ids if not re.fullmatch(r"H\d{9,15}", each)] == []


def test_titles_are_unique_and_free_of_tags() -> None:
    names = [item["name"] for item in configurations(9000, 1)]
    assert len(set(names)) == 9000
    assert not set("<>") & set("".join(names))


def test_channels_stand_in_order_of_preference() -> None:
    items = configurations(300, 1)
    orders = {tuple(channel["type"] for channel in item["channels"]) for item in items}
    assert ("wa", "sms-twilio") in orders
    for order in orders:
        assert "wa" not in order[1:]
        assert "sms-twilio" not in order[:-1]
        assert "inapp" not in order or not {"wa", "sms-twilio"} & set(order)
    counts = {len(channel["appNames"]) for channel in channels(items) if channel["type"] == "inapp"}
    assert counts == {1, 2, 3, 4}


def test_lookback_lasts_an_hour_to_thirty_days() -> None:
    periods = {(item["lookbackPeriodDay"], item["lookbackPeriodHour"]) for item in configurations(300, 1)}
    assert {(0, 1), (1, 12), (30, 0)} <= periods
    assert all(0 <= hour <= 23 and 1 <= 24 * day + hour <= 720 for day, hour in periods)


def test_buttons_are_three_replies_or_two_calls_to_action_at_most() -> None:
    seen = set()
    for channel in channels(configurations(300, 1)):
        buttons = [part for part in channel["messageComponents"] if part["type"] == "button"]
        assert [button["index"] for button in buttons] == list(range(len(buttons)))
        assert all(len(button.get("variables", [])) <= 1 for button in buttons)
        seen.add(tuple(sorted(button["sub_type"] for button in buttons)))
    assert seen == {(), ("quick_reply",) * 2, ("quick_reply",) * 3, ("phone_number", "url")}


@pytest.mark.parametrize("seed", range(4))
def test_odd_texts_and_urls_are_among_the_first_ninety(seed: int) -> None:
    parts = components(configurations(90, seed))
    texts = {part[key] for part in parts for key in ("content", "messageText", "url") if key in part}
    assert {body for _, _, body in ODD_TEXTS} | set(URLS) <= texts
    free = next(part for part in parts if "$100" in part.get("content", part.get("messageText", "")))
    assert free["variables"] == []


def test_a_picture_has_a_variable_of_its_own() -> None:
    for channel in channels(configurations(900, 1)):
        if channel["type"] in ("googlercs", "inapp"):
            lists = [part.get("variables", part.get("Variables", [])) for part in channel["messageComponents"]]
            names = [name for names in lists for name in names]
            assert len(names) == len(set(names))


def test_data_follows_from_the_seed_alone() -> None:
    assert configurations(5, 7) == configurations(50, 7)[:5]
    assert configurations(5, 7) != configurations(5, 8)
    script = "import json; from airflow_provider_outbound.sandbox import data; "
    script += "print(json.dumps(data.configurations(9, 7)))"
    for hash_seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        run = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True)
        assert json.loads(run.stdout) == configurations(9, 7)


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("variables", [(), ("1",), ("1", "2", "10")])
def test_template_has_just_its_variables(channel: str, variables: tuple[str, ...]) -> None:
    item = template("promo", channel, "xx", variables)
    assert item.keys() == configurations(1, 1)[0].keys()
    assert declared(item["channels"][0]) == list(variables)
    assert template("promo", channel, "xx", variables) == item
    assert template("promo", channel, "he", variables)["id"] != item["id"]
