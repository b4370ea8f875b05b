"""An Airflow Connection, read once into a frozen account."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.providers.common.compat.sdk import AirflowNotFoundException

from airflow_provider_outbound.client.api import REGIONS, list_url, sentinel_url
from airflow_provider_outbound.client.protocol import DOMAIN_URL, Account, path_part
from airflow_provider_outbound.errors import ConfigError, printable

if TYPE_CHECKING:
    from airflow.sdk import Connection

CONN_TYPE = "liveperson_outbound"
DEFAULT_CONN_ID = "liveperson_outbound_default"
MOST_PER_PAGE = 1000
EXTRAS = (
    "auth",
    "token_api",
    "app_name",
    "page_size",
    "requests_per_second",
    "timeout",
    "verify",
    "proxies",
    "domain_url",
    "sentinel_url",
)
# A name, or an IPv6 address.
HOST_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*|[0-9a-f:]+:[0-9a-f:.]*")


@contextmanager
def missing_connection(conn_id: str) -> Iterator[None]:
    """Turn Airflow's error for a Connection that doesn't exist into a ConfigError.

    :param conn_id: the Connection that is looked up.
    """
    try:
        yield
    except AirflowNotFoundException:
        raise ConfigError(
            f"there is no Connection {printable(repr(conn_id), 80)}: create it, with type {CONN_TYPE}"
        ) from None


def account_of(connection: Connection) -> Account:
    """Read an Airflow Connection.

    :param connection: of type ``liveperson_outbound``; see the docs' page of its fields.
    :raises ConfigError: naming the field that is wrong.
    """
    whose = f"Connection {printable(repr(connection.conn_id), 80)}"
    try:
        return _account(connection)
    except ConfigError as error:
        raise ConfigError(f"{whose}: {error}") from None


def _account(connection: Connection) -> Account:
    if connection.conn_type != CONN_TYPE:
        raise ConfigError(f"its type is {printable(repr(connection.conn_type), 60)}: it must be {CONN_TYPE}")
    extra = _extra(connection.extra)
    if unknown := extra.keys() - set(EXTRAS):
        shown = printable(sorted(unknown))
        raise ConfigError(f"extra has {shown}, which is not known: there are {', '.join(EXTRAS)}")
    auth = _choice(extra, "auth", "app_jwt", "bearer")
    client_id = _credential("login (client id)", connection.login) if auth == "app_jwt" else ""
    secret = _credential(f"password ({'client secret' if auth == 'app_jwt' else 'token'})", connection.password)
    hosts = _hosts(connection.host, connection.port)
    for key in ("domain_url", "sentinel_url"):
        if extra.get(key):
            hosts[key] = _base_url(f"extra {key}", extra[key])
    return Account(
        account_id=_account_id(connection.schema),
        client_id=client_id,
        secret=secret,
        auth=auth,
        token_api=_choice(extra, "token_api", "v1", "v2"),
        app_name=path_part("extra app_name", extra.get("app_name") or "prmsg"),
        # With pages of one configuration, none could begin with the last one of the page before it.
        page_size=int(_number(extra, "page_size", 30, 2, MOST_PER_PAGE)),
        requests_per_second=_number(extra, "requests_per_second", 10, 0, 1000),
        timeout=_number(extra, "timeout", 30, 0.1, 3600),
        verify=_verify(extra.get("verify")),
        proxies=_proxies(extra.get("proxies")),
        **hosts,
    )


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


def _account_id(schema: str | None) -> str:
    try:
        return path_part("schema", schema)
    except ConfigError:
        # Not shown: in a URI whose secret is not percent-encoded, a part of the secret ends up here.
        raise ConfigError(
            "schema (account id) must be of letters, digits, - and _; in a URI, the secret must be percent-encoded"
        ) from None


def _choice(extra: Mapping[str, Any], key: str, *allowed: str) -> str:
    value = extra.get(key) or allowed[0]
    if value not in allowed:
        raise ConfigError(f"extra {key} is {printable(repr(value), 60)}: it must be {' or '.join(allowed)}")
    return str(value)


def _number(extra: Mapping[str, Any], key: str, default: float, least: float, most: float) -> float:
    value = extra.get(key)
    try:
        number = default if value in (None, "") else float(value)  # a URI's extras are all text
        if least <= number <= most:
            return number
    except (TypeError, ValueError, OverflowError):
        pass
    shown = printable(repr(value), 60)
    raise ConfigError(f"extra {key} is {shown}: it must be a number from {least:g} to {most:g}")


def _verify(value: Any) -> bool | str:
    words = {"": True, "true": True, "false": False}
    if value is None or isinstance(value, bool):
        return value is not False
    if isinstance(value, str):
        return words.get(value.strip().lower(), value)
    raise ConfigError(f"extra verify is {printable(repr(value), 60)}: give true, false or the path of a CA file")


def _proxies(value: Any) -> dict[str, str]:
    if isinstance(value, str) and value:
        value = _extra(value)
    if value in (None, ""):
        return {}
    if isinstance(value, dict) and all(_is_proxy(each) for each in value.values()):
        return dict(value)
    raise ConfigError(
        'extra proxies must be an object such as {"https": "http://name:password@proxy.example:3128"}, '
        "with special characters of the password percent-encoded"
    )


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


def _hosts(host: str | None, port: int | None) -> dict[str, Any]:
    """Return the base URLs that a Connection's host stands for."""
    host = (host or "").strip().lower()
    if not host:
        return {}
    if host in REGIONS:
        return {"list_url": list_url(host), "sentinel_url": sentinel_url(host)}
    if "://" in host:
        base = _base_url("host", host, port)
        return {"list_url": base, "sentinel_url": base, "domain_url": base}
    base = _base_url("host", f"https://{host}", port)
    for region in REGIONS:
        if base == list_url(region):
            return {"list_url": base, "sentinel_url": sentinel_url(region)}
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
