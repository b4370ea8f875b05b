"""OAuth 1.0: each request is signed when it is sent, the sandbox verifies it, and none of four secrets shows."""

from __future__ import annotations

import asyncio
import base64
import copy
import hashlib
import hmac
import logging
import os
import re
import runpy
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
import requests
from airflow.providers.common.compat.sdk import TaskDeferred
from airflow.serialization.serialized_objects import BaseSerialization
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, SIGNATURE_PLAINTEXT
from requests_oauthlib import OAuth1

from airflow_provider_outbound.client.account import Account, Secret
from airflow_provider_outbound.errors import AuthError, ConfigError, OutboundError
from airflow_provider_outbound.hooks import OutboundHook
from airflow_provider_outbound.sandbox import Sandbox
from airflow_provider_outbound.sandbox.oauth1 import (
    ACCESS_TOKEN,
    ACCESS_TOKEN_SECRET,
    APP_KEY,
    APP_SECRET,
    TIMESTAMP_LIFETIME,
)
from airflow_provider_outbound.sensors import OutboundTemplateSensor
from airflow_provider_outbound.triggers import OutboundTemplateTrigger
from tests.clock import BEGIN, World
from tests.conftest import Client
from tests.fake import Fake, Hit, Reply, configuration, paged

Connect = Callable[..., str]
Logs = Callable[[], list[str]]
ITEMS = [configuration(number) for number in range(70)]

# One is the beginning of another, and characters that URLs escape are among them.
CANARIES = ("canary-key", 'canary"&<+/%secret', "canary/token", "canary/token=canary")
EXTRA = {"auth": "oauth1", "access_token": CANARIES[2], "access_token_secret": CANARIES[3]}
CREDENTIALS = {"login": CANARIES[0], "password": CANARIES[1], "extra": EXTRA}
WARNING = "LivePerson ended OAuth 1.0 on 2026-05-31, but account 12345678 still uses it. Create an app for"


def account(fake: Fake, **more: Any) -> Account:
    """Return the fake's account with OAuth 1.0 credentials."""
    app_key, app_secret, token, token_secret = map(Secret, CANARIES)
    secrets = {"app_key": app_key, "access_token": token, "access_token_secret": token_secret}
    return fake.account(auth="oauth1", client_id="", secret=app_secret, **secrets, **more)


def sent(hit: Hit) -> dict[str, str]:
    """Return the parameters of an Authorization header."""
    header = hit.headers["authorization"]
    assert header.startswith("OAuth ")
    return {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', header)}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(auth="oauth1", page_cap=7) as sandbox:
        yield sandbox


# Signatures


def test_signature_is_that_of_the_specification(client: Client) -> None:
    with Fake() as fake:
        client.list_page(client.access(account(fake), now=lambda: 1_800_000_000.9), "wa", 30)
    (hit,) = fake.hits
    parameters = sent(hit)
    signature = parameters.pop("oauth_signature")
    nonce = parameters.pop("oauth_nonce")
    assert parameters == {
        "oauth_consumer_key": CANARIES[0],
        "oauth_token": CANARIES[2],
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": "1800000000",
        "oauth_version": "1.0",
    }
    # RFC 5849, section 3.4.1
    pairs = sorted(
        (quote(k, ""), quote(v, "")) for k, v in {**parameters, "oauth_nonce": nonce, **hit.query}.items()
    )
    signed = (hit.method, f"{fake.url}{hit.path}", "&".join(f"{key}={value}" for key, value in pairs))
    text = "&".join(quote(each, "") for each in signed)
    key = f"{quote(CANARIES[1], '')}&{quote(CANARIES[3], '')}"
    digest = hmac.new(key.encode(), text.encode(), hashlib.sha1).digest()
    assert signature == base64.b64encode(digest).decode()


def test_each_request_is_signed_when_it_is_sent(client: Client) -> None:
    with Fake(paged(ITEMS, 4)) as fake:
        moments = count(1_800_000_000)
        assert client.read(account(fake), now=lambda: next(moments)) == ITEMS
    assert set(fake.kinds()) == {"list"}
    for name in ("oauth_nonce", "oauth_timestamp", "oauth_signature"):
        assert len({sent(hit)[name] for hit in fake.hits}) == len(fake.hits) > 20


def test_a_retry_is_signed_again(client: Client) -> None:
    with Fake([Reply(503, b""), []]) as fake:
        client.list_page(client.access(account(fake), now=lambda: 1_800_000_000 + client.time))
    first, second = map(sent, fake.hits)
    assert (first["oauth_timestamp"], second["oauth_timestamp"]) == ("1800000000", "1800000005")
    assert first["oauth_nonce"] != second["oauth_nonce"]


@pytest.mark.fault("A9")
@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, r"The signature was refused. Check .*login \(app key\), password \(app secret\).* access_token and"),
        (403, r"The API key may not read outbound configurations.*login \(app key\) and extra access_token\."),
    ],
)
def test_a_refusal_is_final_and_names_the_fields(client: Client, status: int, message: str) -> None:
    with Fake([Reply(status, b"{}")]) as fake, pytest.raises(AuthError, match=message):
        client.list_page(client.access(account(fake)))
    assert fake.kinds() == ["list"]


@pytest.mark.fault("A9")
def test_missing_package_is_told_before_any_request(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "requests_oauthlib", None)  # as Python marks what can't be imported
    with Fake() as fake, pytest.raises(ConfigError, match="pip install requests-oauthlib"):
        client.list_page(client.access(account(fake)))
    assert not fake.hits


def test_package_is_loaded_for_oauth1_only() -> None:
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent.parent)!r})
from airflow_provider_outbound.client.api import Access, Api
from airflow_provider_outbound.client.sender import Sender
import airflow_provider_outbound.hooks, airflow_provider_outbound.triggers, airflow_provider_outbound.sensors
from tests.fake import Fake
with Fake() as fake:
    access = Access(fake.account())
    with Sender(access.account) as send:
        Api(access, send).list_page(None, 0)
print(sorted({{"oauthlib", "requests_oauthlib"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


# From the hook and the triggers to the sandbox


def test_sandbox_accepts_the_client(client: Client, sandbox: Sandbox) -> None:
    names = {"app_key": APP_KEY, "secret": APP_SECRET, "access_token": ACCESS_TOKEN}
    secrets = {name: Secret(value) for name, value in names.items()}
    secrets["access_token_secret"] = Secret(ACCESS_TOKEN_SECRET)
    right = Account(account_id=sandbox.account, auth="oauth1", list_url=sandbox.url, **secrets)  # type: ignore[arg-type]
    assert client.read(right) == sandbox.configurations()
    assert set(sandbox.calls) == {"list"}


@pytest.mark.fault("A9")
def test_hook_lists_and_warns_once(connect: Connect, sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    hook = OutboundHook(connect(sandbox.connection))
    assert hook.get_configurations() == sandbox.configurations()
    assert hook.find_template("nobody") is None
    assert set(sandbox.calls) == {"list"}
    assert caplog.text.count(WARNING) == 1
    works, message = hook.test_connection()
    assert works
    assert message.endswith(". OAuth 1.0 accepted, although LivePerson ended it on 2026-05-31; change to AppJWT.")


@pytest.mark.fault("A9")
def test_triggers_list_and_warn_once(connect: Connect, sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        world = World()
        trigger = OutboundTemplateTrigger(template_name="promo", deadline=BEGIN + timedelta(seconds=1000))
        waiting = world.start(trigger.wait(world.sleep, world.now))
        await world.run(until=150)
        sandbox.publish("promo")
        await world.run()
        assert waiting.result().payload["status"] == "success"

    connect(sandbox.connection)
    asyncio.run(story())
    assert set(sandbox.calls) == {"list"}
    assert caplog.text.count(WARNING) == 1


@pytest.mark.parametrize("field", ["login", "password", "access_token", "access_token_secret"])
def test_wrong_credential_is_refused(connect: Connect, sandbox: Sandbox, field: str) -> None:
    connection = copy.deepcopy(sandbox.connection)
    given = connection if field in connection else connection["extra"]
    given[field] += "x"
    with pytest.raises(AuthError, match="The signature was refused"):
        OutboundHook(connect(connection)).get_configurations()
    assert sandbox.calls == {"list": 1}


# The sandbox's side, by other clients


def get(sandbox: Sandbox, *secrets: str, query: str = "", **options: Any) -> requests.Response:
    """Ask for a page with a signature by requests-oauthlib."""
    credentials = (APP_KEY, secrets[0] if secrets else APP_SECRET, ACCESS_TOKEN, ACCESS_TOKEN_SECRET)
    sign = OAuth1(*credentials, **options)

    def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
        signed = sign(request)
        signed.url += query
        return signed

    url = f"{sandbox.url}/api/account/12345678/app/prmsg/handoffs/list?v=1&limit=2"
    return requests.get(url, auth=authorize, timeout=10)


def test_sandbox_accepts_a_right_signature(sandbox: Sandbox) -> None:
    assert get(sandbox).json() == sandbox.configurations()[:2]


@pytest.mark.parametrize(
    "wrong",
    [
        {"offset": -TIMESTAMP_LIFETIME - 60},
        {"offset": TIMESTAMP_LIFETIME + 60},
        {"timestamp": "soon"},
        {"query": "&offset=1"},
        {"signature_method": SIGNATURE_HMAC_SHA256},
        {"signature_method": SIGNATURE_PLAINTEXT},
    ],
    ids=["old", "future", "no number", "unsigned parameter", "SHA-256", "plaintext"],
)
def test_sandbox_refuses(sandbox: Sandbox, wrong: dict[str, Any]) -> None:
    assert get(sandbox).status_code == 200
    if "offset" in wrong:  # from the time of the test, not of its collection
        wrong = {"timestamp": str(int(time.time()) + wrong["offset"])}
    refused(get(sandbox, **wrong))


def refused(response: requests.Response) -> None:
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "OAuth"
    assert response.json()["message"].startswith(
        "OAuth 1.0: wrong credentials or signature, a nonce that was used"
    )


def test_sandbox_refuses_a_wrong_secret(sandbox: Sandbox) -> None:
    refused(get(sandbox, "guess"))


def test_sandbox_refuses_a_replay(sandbox: Sandbox) -> None:
    first = get(sandbox)
    assert first.ok
    headers = {"Authorization": first.request.headers["Authorization"]}
    refused(requests.get(str(first.request.url), headers=headers, timeout=10))
    assert get(sandbox, nonce="n1").ok
    refused(get(sandbox, nonce="n1", timestamp=re.findall(r'timestamp="(\d+)"', header(get(sandbox)))[0]))


def header(response: requests.Response) -> str:
    value = response.request.headers["Authorization"]
    return value.decode() if isinstance(value, bytes) else value


@pytest.mark.parametrize("malformed", ["OAuth", "OAuth ", "OAuth x", 'OAuth oauth_nonce="1"', "oauth a=b,a=c"])
def test_sandbox_refuses_a_malformed_header(sandbox: Sandbox, malformed: str) -> None:
    url = f"{sandbox.url}/api/account/12345678/app/prmsg/handoffs/list?v=1"
    assert requests.get(url, headers={"Authorization": malformed}, timeout=10).status_code == 401


# Secrets

FAILURES: dict[str, Any] = {
    "refused": Reply(401, b""),
    "echo": lambda hit: Reply(418, hit.headers["authorization"].encode()),
    "echo of a secret": Reply(403, CANARIES[3].encode()),
    "echo of all": Reply(418, " ".join(CANARIES).encode()),
    "echo in a URL": Reply(418, quote(" ".join(CANARIES)).encode()),
    "echo of an escaped URL": lambda hit: Reply(418, quote(hit.headers["authorization"]).encode()),
    "echo in JSON": lambda hit: {"token": [CANARIES, hit.headers["authorization"]]},
    "broken": Reply(body=b"["),
    "no response": Reply(raw=b""),
}


@pytest.mark.fault("S1", "S4")
@pytest.mark.parametrize("reply", FAILURES.values(), ids=FAILURES)
def test_no_message_frame_or_log_shows_a_secret(
    client: Client, caplog: pytest.LogCaptureFixture, reply: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    with Fake(reply if callable(reply) else [reply]) as fake:
        access = client.access(account(fake), retry_waits=())
        with pytest.raises(OutboundError) as caught:
            client.list_page(access)
    shown = [f"{caught.value!r} {vars(caught.value)}", caplog.text]
    error: BaseException | None = caught.value
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    while error := error.__cause__ or error.__context__:
        frames += [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = [frame for frame in frames if "airflow_provider_outbound" in frame.f_code.co_filename]
    assert len(ours) >= 3
    shown += [f"{frame.f_code.co_name} {frame.f_locals!r}" for frame in ours]
    shown += [repr(each) for each in (access, access.account, vars(access), vars(access.auth))]
    assert [text for text in shown if "canary" in text] == []
    assert client.tokens == list(CANARIES)  # Airflow is told each, to keep it out of other logs


@pytest.mark.fault("S1")
def test_nothing_of_a_wait_shows_a_secret(
    connect: Connect, logs: Logs, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    with Fake(lambda hit: [*paged(ITEMS)(hit)]) as fake:
        connect(fake.connection(**CREDENTIALS))
        sensor = OutboundTemplateSensor(task_id="wait", template_name="none", deferrable=True)
        with pytest.raises(TaskDeferred) as deferred:
            sensor.execute({})
        found = OutboundTemplateSensor(task_id="found", template_name="n7").execute({})
        trigger = OutboundTemplateTrigger(template_name="n7")
        event = asyncio.run(trigger.wait())
        table = OutboundHook().get_table("configurations")
    assert fake.hits
    assert all(sent(hit)["oauth_consumer_key"] == CANARIES[0] for hit in fake.hits)
    stored = [BaseSerialization.serialize(each.serialize()[1]) for each in (trigger, deferred.value.trigger)]
    shown = [
        *logs(),
        caplog.text,
        repr(sensor),
        repr(deferred.value.kwargs),
        repr(event),
        repr(found),
        *map(repr, stored),
    ]
    shown += [repr(table.schema.metadata), repr(table.to_pylist())]
    assert [text for text in shown if "canary" in text] == []


@pytest.mark.fault("S1")
@pytest.mark.usefixtures("airflow_db")
@pytest.mark.parametrize("sample", ["outbound_export", "outbound_campaign_gate"])
def test_no_file_or_line_of_airflow_shows_a_secret(
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    sample: str,
) -> None:
    for name, value in sandbox.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OUTBOUND_OUTPUT", str(tmp_path))
    monkeypatch.setenv("OUTBOUND_POKE_INTERVAL", "0.1")
    sandbox.publish("spring_sale", after=1)
    dag = runpy.run_path(str(Path(__file__).parent.parent / "dags" / f"{sample}.py"))[sample]()
    assert dag.test().state == "success"
    texts = {path: path.read_bytes() for path in Path(os.environ["AIRFLOW_HOME"]).rglob("*") if path.is_file()}
    texts |= {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    printed = capfd.readouterr()
    assert WARNING in caplog.text
    texts[Path("logs")] = f"{printed.out}{printed.err}{caplog.text}".encode()
    assert any(sample.encode() in text for text in texts.values())
    secrets = [secret.encode() for secret in (APP_KEY, APP_SECRET, ACCESS_TOKEN)]
    assert [path for path, text in texts.items() if any(secret in text for secret in secrets)] == []
