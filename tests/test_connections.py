"""Connections: read once, strictly, and refused in one line that names the field."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.connection import get_async_connection
from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time.comms import ErrorResponse

from airflow_provider_outbound.client.account import Account, Secret
from airflow_provider_outbound.connections import EXTRAS, account_of, missing_connection
from airflow_provider_outbound.errors import ConfigError, ConnectionNotFound
from tests.versions import AIRFLOW, AirflowSecretsBackendAccessDenied, BaseSecretsBackend, since

SECRET = "canary-secret-5f1e"
GOOD = {"conn_type": "liveperson_outbound", "login": "id", "password": SECRET, "schema": "12345678"}


OAUTH1 = {"auth": "oauth1", "access_token": f"{SECRET}-t", "access_token_secret": f"{SECRET}-ts"}


def account(**fields: Any) -> Account:
    fields = {**GOOD, **fields}
    if not isinstance(fields.get("extra"), (str, type(None))):
        fields["extra"] = json.dumps(fields["extra"])
    return account_of(Connection(conn_id="lp", **fields))


def test_a_uri_is_enough() -> None:
    read = account_of(Connection.from_uri(f"liveperson-outbound://id:{SECRET}@va/12345678", conn_id="lp"))
    assert read == Account(
        account_id="12345678",
        client_id="id",
        secret=Secret(SECRET),
        list_url="https://va.handoff.liveperson.net",
        sentinel_url="https://va.sentinel.liveperson.net",
    )


def test_extras_of_a_uri_are_text() -> None:
    uri = f"liveperson-outbound://:{SECRET}@lo/1?auth=bearer&page_size=50&requests_per_second=2.5&verify=false&timeout=9"
    read = account_of(Connection.from_uri(uri, conn_id="lp"))
    assert (read.auth, read.page_size, read.requests_per_second) == ("bearer", 50, 2.5)
    assert (read.verify, read.timeout, read.client_id) == (False, 9, "")


@pytest.mark.parametrize("by_uri", [False, True])
def test_oauth1_has_four_secrets(by_uri: bool) -> None:
    connection = Connection(conn_id="lp", **GOOD, host="va", extra=json.dumps(OAUTH1))
    read = account_of(Connection.from_uri(connection.get_uri(), conn_id="lp") if by_uri else connection)
    assert (read.app_key, read.secret) == (Secret("id"), Secret(SECRET))
    assert (read.access_token, read.access_token_secret) == (Secret(f"{SECRET}-t"), Secret(f"{SECRET}-ts"))
    assert (read.auth, read.client_id) == ("oauth1", "")
    assert "id" not in repr(read.app_key)
    assert SECRET not in f"{read!r}"
    rotated = {**OAUTH1, "access_token_secret": "other"}
    assert read != account(host="va", extra=rotated)  # so that a new token is used at once


@pytest.mark.parametrize(
    ("host", "list_url", "sentinel_url", "domain_url"),
    [
        (None, None, None, "https://api.liveperson.net"),
        ("", None, None, "https://api.liveperson.net"),
        (
            "sy",
            "https://sy.handoff.liveperson.net",
            "https://sy.sentinel.liveperson.net",
            "https://api.liveperson.net",
        ),
        (
            "lo.handoff.liveperson.net",
            "https://lo.handoff.liveperson.net",
            "https://lo.sentinel.liveperson.net",
            "https://api.liveperson.net",
        ),
        ("outbound.example", "https://outbound.example", None, "https://api.liveperson.net"),
        ("https://proxy.example:8443/", *["https://proxy.example:8443"] * 3),
        (
            "https://va",
            "https://va.handoff.liveperson.net",
            "https://va.sentinel.liveperson.net",
            "https://api.liveperson.net",
        ),
        (
            "https://va.handoff.liveperson.net:443",
            "https://va.handoff.liveperson.net",
            "https://va.sentinel.liveperson.net",
            "https://api.liveperson.net",
        ),
        (
            "https://VA.handoff.liveperson.net/",
            "https://va.handoff.liveperson.net",
            "https://va.sentinel.liveperson.net",
            "https://api.liveperson.net",
        ),
        ("http://127.0.0.1:8765", *["http://127.0.0.1:8765"] * 3),
        ("http://localhost:1", *["http://localhost:1"] * 3),
        ("http://[::1]:1", *["http://[::1]:1"] * 3),
    ],
)
def test_host(host: str | None, list_url: str | None, sentinel_url: str | None, domain_url: str) -> None:
    read = account(host=host)
    assert (read.list_url, read.sentinel_url, read.domain_url) == (list_url, sentinel_url, domain_url)


@pytest.mark.parametrize(
    ("host", "port"), [("http://127.0.0.1", 8765), ("http://127.0.0.1:8765", None), ("VA", None)]
)
def test_connection_that_goes_through_a_uri(host: str, port: int | None) -> None:
    connection = Connection(conn_id="lp", **GOOD, host=host, port=port)
    again = account_of(Connection.from_uri(connection.get_uri(), conn_id="lp"))  # as Airflow's Test button does
    assert again == account_of(connection)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("https://x.example", "https://x.example:8443"),
        ("x.example", "https://x.example:8443"),
        ("https://x.example:1", "https://x.example:1"),
        ("https://x.example:", "https://x.example:8443"),
    ],
)
def test_port_of_the_connection_is_used_if_the_host_has_none(host: str, url: str) -> None:
    assert account(host=host, port=8443).list_url == url


def test_overrides() -> None:
    read = account(host="va", extra={"sentinel_url": "https://s.example", "domain_url": "https://d.example"})
    assert read.list_url == "https://va.handoff.liveperson.net"
    assert (read.sentinel_url, read.domain_url) == ("https://s.example", "https://d.example")


@pytest.mark.parametrize("proxies", [{"https": "http://p:1"}, '{"https": "http://p:1"}'])
def test_proxies_and_ca_file(proxies: Any) -> None:
    read = account(extra={"proxies": proxies, "verify": "/etc/ca.pem"})
    assert (read.proxies, read.verify) == ({"https": Secret("http://p:1")}, "/etc/ca.pem")


@pytest.mark.parametrize("blank", [None, ""])
def test_blank_extras_are_defaults(blank: Any) -> None:
    assert account(extra=dict.fromkeys(EXTRAS, blank)) == account()


BAD: list[tuple[dict[str, Any], str]] = [
    ({"conn_type": "http"}, "type is 'http'"),
    ({"conn_type": None}, "type is missing: .* a URI begins with liveperson-outbound://"),
    ({"login": None}, "login \\(client id\\) is empty"),
    ({"login": ""}, "login \\(client id\\) is empty"),
    ({"password": None}, "password \\(client secret\\) is empty"),
    ({"password": ""}, "password \\(client secret\\) is empty"),
    ({"password": SECRET + "\n"}, "password \\(client secret\\) has a space, a line break"),
    ({"password": " " + SECRET}, "password \\(client secret\\) has a space"),
    ({"login": "id\r\nX: y"}, "login \\(client id\\) has a space"),
    ({"password": "", "extra": {"auth": "bearer"}}, "password \\(token\\) is empty"),
    ({"schema": None}, "schema \\(account id\\) must be"),
    ({"schema": "w@va/canary-secret-5f1e"}, "schema .* must be .*; in a URI, the secret must be percent-encoded"),
    ({"host": "eu"}, "host must be va, lo, sy, or a name with a dot"),
    (
        {"extra": {"tokenapi": "v2"}},
        "extra has \\['tokenapi'\\], which is not known: the extras are auth, token_api,",
    ),
    ({"extra": "{"}, "extra is not JSON"),
    ({"extra": []}, "extra is a JSON list: it must be an object"),
    ({"extra": 5}, "extra is a JSON int"),
    ({"extra": {"auth": "oauth2"}}, "extra auth is 'oauth2': it must be app_jwt or bearer or oauth1"),
    ({"extra": {**OAUTH1, "access_token": None}}, "extra access_token is empty: auth oauth1 needs it"),
    ({"extra": {**OAUTH1, "access_token_secret": ""}}, "extra access_token_secret is empty: auth oauth1 needs it"),
    ({"extra": {**OAUTH1, "access_token": f"{SECRET} "}}, "extra access_token has a space, a line break"),
    (
        {"extra": {**OAUTH1, "access_token_secret": 5}},
        "extra access_token_secret is not text: put it in quotation",
    ),
    ({"login": "", "extra": OAUTH1}, "login \\(app key\\) is empty"),
    ({"login": f"{SECRET}\n", "extra": OAUTH1}, "login \\(app key\\) has a space"),
    ({"password": "", "extra": OAUTH1}, "password \\(app secret\\) is empty"),
    (
        {"extra": {"access_token": SECRET}},
        "extra access_token is for auth oauth1 only: remove it, or set the extra",
    ),
    ({"extra": {**OAUTH1, "auth": "bearer"}}, "extra access_token is for auth oauth1 only"),
    ({"extra": {"token_api": "v3"}}, "extra token_api is 'v3'"),
    ({"extra": {"page_size": 2}}, "extra page_size is 2: it must be a number from 3 to 1000"),
    ({"extra": {"page_size": "many"}}, "extra page_size is 'many'"),
    ({"extra": {"page_size": [30]}}, "extra page_size is"),
    ({"extra": {"requests_per_second": -1}}, "extra requests_per_second is -1"),
    ({"extra": {"requests_per_second": "nan"}}, "extra requests_per_second is 'nan'"),
    ({"extra": {"timeout": 0}}, "extra timeout is 0"),
    ({"extra": {"verify": 1}}, "extra verify is 1"),
    ({"extra": {"proxies": ["http://p"]}}, "extra proxies must be an object"),
    ({"extra": {"proxies": {"https": 5}}}, "extra proxies must be an object"),
    ({"extra": {"proxies": {"https": "http://u:canary-secret-5f1e@"}}}, "extra proxies must be an object"),
    ({"extra": {"proxies": {"https": "http://u:canary-secret-5f1e@h:99999"}}}, "extra proxies must be an object"),
    ({"extra": {"proxies": {"https": "http://u:canary-secret-5f1e/x@h:1"}}}, "extra proxies must be an object"),
    ({"extra": {"proxies": {"https": "http://u:55/x@h:1"}}}, "extra proxies must be an object"),
    ({"extra": {"proxies": {"htps": "http://p:1"}}}, "extra proxies must be an object"),
    ({"extra": {"proxies": {"HTTPS": "http://p:1"}}}, "extra proxies must be an object"),
    ({"host": "a..b"}, "host is"),
    ({"host": "a" * 64 + ".example"}, "host is"),
    ({"host": "va.handoff.liveperson.net/x"}, "host is"),
    ({"host": "ftp://x"}, "host is"),
    ({"host": "https://"}, "host is"),
    ({"host": "https://x:port"}, "host is"),
    ({"host": "https://x:0"}, "host is"),
    ({"host": "https://x?y=1"}, "host is"),
    ({"host": "a b"}, "host is"),
    ({"host": "x\r\ny"}, "host is"),
    ({"extra": {"domain_url": 5}}, "extra domain_url is 5: it must be text"),
    ({"extra": {"auth": 5}}, "extra auth is 5: it must be app_jwt or bearer"),
    ({"extra": {"token_api": ["v1"]}}, "extra token_api is .*: it must be v1 or v2"),
    ({"extra": {"timeout": "1_0"}}, "extra timeout is '1_0': it must be a number from 0.1 to 3600"),
    ({"extra": {"page_size": 3.5}}, "extra page_size is 3.5: it must be a number from 3 to 1000"),
    ({"extra": {"proxies": "{"}}, "extra proxies must be an object"),
]


@pytest.mark.fault("A7")
@pytest.mark.parametrize(("fields", "message"), BAD, ids=[str(index) for index in range(len(BAD))])
def test_bad_connection_gets_one_line(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^Connection 'lp': {message}") as caught:
        account(**fields)
    assert "\n" not in str(caught.value)
    assert SECRET not in f"{caught.value!r}{caught.value.__cause__!r}"


@pytest.mark.fault("A7")
def test_secret_in_the_host_is_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        account(host=f"https://id:{SECRET}@x.example")
    assert SECRET not in str(caught.value)


@pytest.mark.fault("R10")
@pytest.mark.parametrize("where", ["host", "domain_url", "sentinel_url"])
@pytest.mark.parametrize(
    "url",
    [
        "http://va.handoff.liveperson.net",
        "http://169.254.169.254",
        "http://127.0.0.1.evil.com",
        "http://127.999.1.1",  # a name that somebody may own
    ],
)
def test_plain_http_only_on_loopback(where: str, url: str) -> None:
    fields = {"host": url} if where == "host" else {"extra": {where: url}}
    with pytest.raises(ConfigError, match=f"{where} is http://, which would show the secret"):
        account(**fields)


@pytest.mark.fault("D5")
@pytest.mark.parametrize(
    "value", ["..", "a/b", "a%2fb", "a?b", "a#b", "a b", "a\r\nX: y", "a" * 10_000, "1' or 1", "é"]
)
@pytest.mark.parametrize("field", ["schema", "app_name"])
def test_no_field_leads_a_request_elsewhere(field: str, value: str) -> None:
    fields = {"schema": value} if field == "schema" else {"extra": {"app_name": value}}
    with pytest.raises(ConfigError, match=f"{field}.* (is|must be) "):
        account(**fields)


@pytest.mark.fault("S5")
@pytest.mark.parametrize("schema", [12345678, " 12345678 ", "12345678\n"])
def test_account_as_a_number_or_with_spaces_is_taken(schema: Any) -> None:
    assert account(schema=schema) == account()


GETTERS: list[Callable[[str], Any]] = [
    BaseHook.get_connection,
    lambda conn_id: asyncio.run(get_async_connection(conn_id)),
]


@pytest.mark.fault("S5")
@pytest.mark.parametrize("get", GETTERS, ids=["sync", "async"])
@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ('{"schema": "1"', "AIRFLOW_CONN_LP is not valid JSON"),
        ('{"schema": 12345678}', "AIRFLOW_CONN_LP has a schema that is not text: put it in quotation marks"),
        ('{"password": 5}', "AIRFLOW_CONN_LP has a password that is not text"),
        (
            '{"port": "https"}',
            "AIRFLOW_CONN_LP is JSON that Airflow can't read: check its fields' names and its port",
        ),
        ('{"user": "id"}', "AIRFLOW_CONN_LP is JSON that Airflow can't read"),
        (
            f"liveperson-outbound://id:{SECRET}/x@va/1",
            "AIRFLOW_CONN_LP is a URI that Airflow can't read: percent-",
        ),
    ],
)
def test_environment_variable_that_airflow_cannot_read_is_not_called_missing(
    monkeypatch: pytest.MonkeyPatch, get: Callable[[str], Any], variable: str, message: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LP", variable)
    with pytest.raises(ConfigError, match=f"^Connection 'lp': {message}") as caught, missing_connection("lp"):
        get("lp")
    assert not isinstance(caught.value, ConnectionNotFound)
    assert SECRET not in str(caught.value)


class FailingBackend(BaseSecretsBackend):
    """A secrets backend that can't be reached."""

    def get_connection(self, conn_id: str, team_name: str | None = None) -> None:
        raise OSError("the vault does not answer")


class DenyingBackend(BaseSecretsBackend):
    """A secrets backend that lets nobody in."""

    def get_connection(self, conn_id: str, team_name: str | None = None) -> None:
        raise AirflowSecretsBackendAccessDenied("not your team's")


@pytest.fixture
def use_backend(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that configures a secrets backend, which Airflow builds once per process."""
    if AIRFLOW.release >= (3, 3):
        monkeypatch.setattr("airflow.sdk.configuration._secrets_backend_cache", {})
    return lambda backend: monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", backend)


@pytest.mark.fault("W8")
@pytest.mark.parametrize("get", GETTERS, ids=["sync", "async"])
@pytest.mark.parametrize("backend", ["", f"{__name__}.FailingBackend"])
def test_failing_secrets_backend_is_told_from_a_wrong_connection(
    use_backend: Callable[[str], None], get: Callable[[str], Any], backend: str
) -> None:
    use_backend(backend)
    with pytest.raises(
        ConnectionNotFound, match="Airflow found no Connection 'nil': create it.* secrets backend failed"
    ):
        with missing_connection("nil"):
            get("nil")


@pytest.mark.fault("W8")
def test_api_server_that_fails_is_told_from_a_wrong_connection() -> None:
    response = ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail={"status_code": 502})
    with pytest.raises(ConnectionNotFound, match="could not look up Connection 'lp': API_SERVER_ERROR.*502"):
        with missing_connection("lp"):
            raise AirflowRuntimeError(response)


@since("3.2", "a backend may deny access to a connection")
@pytest.mark.fault("W8")
@pytest.mark.parametrize("get", GETTERS, ids=["sync", "async"])
def test_denied_connection_is_final(use_backend: Callable[[str], None], get: Callable[[str], Any]) -> None:
    use_backend(f"{__name__}.DenyingBackend")
    with pytest.raises(ConfigError, match="Airflow denies access to Connection 'lp': not your team's") as caught:
        with missing_connection("lp"):
            get("lp")
    assert not isinstance(caught.value, ConnectionNotFound)


@pytest.mark.fault("S4")
def test_traceback_with_local_variables_shows_no_secret() -> None:
    def read() -> Account:
        return account_of(Connection(conn_id="lp", **{**GOOD, "schema": "a b"}))

    with pytest.raises(ConfigError) as caught:
        read()
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = "".join(shown.format()).partition("in read")[2]
    assert "message = " in ours
    assert SECRET not in ours


@pytest.mark.fault("S1")
def test_account_prints_no_secret() -> None:
    read = account(extra={"proxies": {"https": f"http://u:{SECRET}@p:1"}})
    assert (
        SECRET
        not in f"{read} {read!r} {read.secret} {read.secret!s:>9} {read.proxies} {list(read.__rich_repr__())}"
    )
    assert read.secret.reveal() == SECRET
    assert read == account(extra={"proxies": {"https": f"http://u:{SECRET}@p:1"}})
    assert read != account()
