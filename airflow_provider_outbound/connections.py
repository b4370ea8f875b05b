"""Read an Airflow Connection into an account."""

from __future__ import annotations

import ipaddress
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import urlsplit

import msgspec
from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.sdk.exceptions import AirflowRuntimeError
from msgspec import structs

from airflow_provider_outbound.client.account import (
    DOMAIN_URL,
    REGIONS,
    Account,
    Secret,
    Settings,
    check_path_segment,
    host_of,
    list_url,
    sentinel_url,
)
from airflow_provider_outbound.errors import ConfigError, ConnectionNotFound, printable

if TYPE_CHECKING:
    from airflow.sdk import Connection

CONN_TYPE = "liveperson_outbound"
DEFAULT_CONN_ID = "liveperson_outbound_default"
EXTRAS = Settings.__struct_fields__
# A name, or an IPv6 address.
HOST_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*|[0-9a-f:]+:[0-9a-f:.]*")
ACCOUNT_ADVICE = (
    "schema (account id) must be of letters, digits, - and _; in a URI, the secret must be percent-encoded"
)
PROXIES_ADVICE = (
    'extra proxies must be an object such as {"https": "http://name:password@proxy.example:3128"}, '
    "with special characters of the password percent-encoded"
)


@contextmanager
def missing_connection(conn_id: str) -> Iterator[None]:
    """Turn Airflow's errors for a Connection that it can't give into errors of this package.

    :param conn_id: the Connection to look up.
    :raises ConnectionNotFound: if Airflow finds none. Airflow skips a secrets backend that fails, so a backend or
        an API server that is down for a moment raises this too.
    :raises ConfigError: if Airflow denies access, or the Connection's environment variable can't be read.
    """
    shown = f"Connection {printable(repr(conn_id), 80)}"
    try:
        yield
    except AirflowNotFoundException:
        if broken := _broken_variable(conn_id):
            raise ConfigError(f"{shown}: {broken}") from None
        raise ConnectionNotFound(
            f"there is no {shown}: create it, with type {CONN_TYPE}. If it exists, Airflow's secrets backend "
            "failed or could not read it; Airflow logs the cause at level DEBUG"
        ) from None
    except AirflowRuntimeError as error:  # what Airflow's API server said to the task
        raise ConnectionNotFound(f"Airflow could not look up {shown}: {printable(error)}") from None
    except PermissionError as error:  # Airflow 3.3's AirflowSecretsBackendAccessDenied
        raise ConfigError(f"Airflow denies access to {shown}: {printable(error)}") from None


def _broken_variable(conn_id: str) -> str:
    """Return what is wrong with a Connection's environment variable; empty if there is none, or nothing is wrong.

    Airflow skips a variable that it can't read, and then says that the Connection is not defined.
    """
    name = f"AIRFLOW_CONN_{str(conn_id).upper()}"
    text = os.environ.get(name, "").strip()
    if not text.startswith("{"):
        advice = "percent-encode its password (/ is %2F, @ is %40), or write the Connection as JSON"
        return f"{name} is a URI that Airflow can't read: {advice}" if text else ""
    try:
        fields = json.loads(text)
    except ValueError:
        return f"{name} is not valid JSON"
    for key in ("conn_type", "host", "login", "password", "schema"):
        if not isinstance(fields.get(key), (str, type(None))):
            return f"{name} has a {key} that is not text: put it in quotation marks"
    return f"{name} is JSON that Airflow can't read: check its fields' names and its port"


def account_of(connection: Connection) -> Account:
    """Return the account that an Airflow Connection describes.

    :param connection: of type ``liveperson_outbound``; see the docs' page of its fields.
    :raises ConfigError: naming the field that is wrong.
    """
    shown = f"Connection {printable(repr(connection.conn_id), 80)}"
    try:
        return _account(connection)
    except ConfigError as error:
        message = f"{shown}: {error}"
    del connection  # its repr has the password: a traceback that shows local variables must not
    raise ConfigError(message)


def _account(connection: Connection) -> Account:
    if connection.conn_type != CONN_TYPE:
        raise ConfigError(f"its type is {printable(repr(connection.conn_type), 60)}: it must be {CONN_TYPE}")
    settings = _settings(_extra(connection.extra))
    login, password = "", "password (token)"
    if settings.auth == "app_jwt":
        login, password = _credential("login (client id)", connection.login), "password (client secret)"
    account = {
        **structs.asdict(settings),
        "account_id": _account_id(connection.schema),
        "client_id": login,
        "secret": Secret(_credential(password, connection.password)),
        "domain_url": DOMAIN_URL,
        **_hosts(connection.host, connection.port),
    }
    for key in ("domain_url", "sentinel_url"):
        if (url := getattr(settings, key)) is not None:
            account[key] = _base_url(f"extra {key}", url)
    return Account(**account)


def _settings(extra: dict[str, Any]) -> Settings:
    """Check the extras, of which blank ones are left out; a URI's are all text."""
    if unknown := extra.keys() - set(EXTRAS):
        shown = printable(sorted(unknown))
        raise ConfigError(f"extra has {shown}, which is not known: there are {', '.join(EXTRAS)}")
    given = {key: value for key, value in extra.items() if value not in (None, "")}
    if "verify" in given:
        given["verify"] = _verify(given["verify"])
    if "proxies" in given:
        given["proxies"] = _proxies(given["proxies"])
    if "app_name" in given:
        check_path_segment("extra app_name", given["app_name"])
    try:
        return msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        key = str(error).rpartition("$.")[2].strip("`")  # the message ends with "at `$.page_size`"
    raise ConfigError(f"extra {key} is {printable(repr(given[key]), 60)}: it must be {_allowed(key)}")


def _allowed(key: str) -> str:
    """Return what an extra may be, in words."""
    kind, meta = get_args(next(field.type for field in structs.fields(Settings) if field.name == key))
    if meta.le is not None:
        return f"a number from {meta.ge:g} to {meta.le:g}"
    words = [word for word in get_args(kind) if isinstance(word, str)]  # of a Literal
    return " or ".join(words) or "text"


def _extra(text: str | None) -> dict[str, Any]:
    try:
        extra = json.loads(text) if text else {}
    except ValueError:
        raise ConfigError("extra is not JSON") from None
    if not isinstance(extra, dict):
        raise ConfigError(f"extra is a JSON {type(extra).__name__}: it must be an object")
    return extra


def _credential(field: str, value: str | None) -> str:
    if not value:
        raise ConfigError(f"{field} is empty")
    if not re.fullmatch(r"[!-~]+", value):
        raise ConfigError(f"{field} has a space, a line break or another character that credentials don't have")
    return value


def _account_id(schema: object) -> str:
    try:
        # JSON may hold the account as a number.
        return check_path_segment("schema", str(schema if schema is not None else "").strip())
    except ConfigError:
        # Not shown: in a URI whose secret is not percent-encoded, a part of the secret ends up here.
        raise ConfigError(ACCOUNT_ADVICE) from None


def _verify(value: object) -> bool | str:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower(), value)
    raise ConfigError(f"extra verify is {printable(repr(value), 60)}: give true, false or the path of a CA file")


def _proxies(value: object) -> dict[str, Secret]:
    try:
        urls = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        urls = None
    if isinstance(urls, dict) and all(_is_proxy(url) for url in urls.values()):
        return {scheme: Secret(url) for scheme, url in urls.items()}
    raise ConfigError(PROXIES_ADVICE)


def _is_proxy(url: Any) -> bool:
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        return (
            parts.port != 0
            and bool(HOST_NAME.fullmatch(parts.hostname or ""))
            and bool(parts.scheme)
            and parts.path in ("", "/")
        )
    except ValueError:
        return False


def _hosts(host: str | None, port: int | None) -> dict[str, str]:
    """Return the base URLs that a Connection's host stands for."""
    host = (host or "").strip().lower()
    if not host:
        return {}
    for region in REGIONS:
        if host.removeprefix("https://").rstrip("/") in (region, host_of(list_url(region))):
            return {"list_url": list_url(region), "sentinel_url": sentinel_url(region)}
    if "://" in host:
        base = _base_url("host", host, port)
        return {"list_url": base, "sentinel_url": base, "domain_url": base}
    base = _base_url("host", f"https://{host}", port)
    if "." not in host:
        raise ConfigError("host is neither va, lo or sy nor a name with a dot in it")
    return {"list_url": base}


def _base_url(field: str, url: Any, port: int | None = None) -> str:
    """Return a URL's scheme, host and port. What was given is not shown: it may hold a password."""
    try:
        url = url if isinstance(url, str) else ""
        parts = urlsplit(url)
        named = parts.hostname or ""
        port = parts.port or port
    except ValueError:
        raise ConfigError(f"{field} is no host or base URL") from None
    # urlsplit drops line breaks, so they are looked for in what was given.
    rest = parts.username or parts.password or parts.query or parts.fragment or parts.path.strip("/")
    plain = re.fullmatch(r"[!-~]+", url) and not rest
    if parts.scheme not in ("https", "http") or not plain or not HOST_NAME.fullmatch(named):
        raise ConfigError(
            f"{field} is no host or base URL: give va, lo, sy, a host name, or a base URL such as {DOMAIN_URL}"
        )
    if parts.scheme == "http" and not _is_loopback(named):
        raise ConfigError(f"{field} is http://, which would show the secret to others: use https://")
    name = f"[{named}]" if ":" in named else named
    return f"{parts.scheme}://{name}" + (f":{port}" if port else "")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
