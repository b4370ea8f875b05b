"""Turn an Airflow Connection into an account."""

from __future__ import annotations

import ipaddress
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

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
    region_urls,
)
from airflow_provider_outbound.errors import ConfigError, ConnectionNotFound, printable
from airflow_provider_outbound.get_provider_info import get_provider_info

if TYPE_CHECKING:
    from airflow.sdk import Connection

CONN_TYPE = "liveperson_outbound"
DEFAULT_CONN_ID = "liveperson_outbound_default"
EXTRAS = Settings.__struct_fields__
TOKENS = ("access_token", "access_token_secret")  # extras for OAuth 1.0
# By the extra auth: what login and password are.
CREDENTIALS = {
    "app_jwt": ("login (client id)", "password (client secret)"),
    "bearer": ("", "password (token)"),
    "oauth1": ("login (app key)", "password (app secret)"),
}
# A name, or an IPv6 address.
HOST_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*|[0-9a-f:]+:[0-9a-f:.]*")


@contextmanager
def missing_connection(conn_id: str) -> Iterator[None]:
    """Turn Airflow's errors about a Connection into errors of this package.

    :param conn_id: the Connection to look up.
    :raises ConnectionNotFound: if Airflow finds none, or its secrets backend or API server is down.
    :raises ConfigError: if Airflow denies access, or the Connection's environment variable can't be read.
    """
    shown = f"Connection {printable(repr(conn_id), 80)}"
    try:
        yield
    except AirflowNotFoundException:
        if broken := _broken_variable(conn_id):
            raise ConfigError(f"{shown}: {broken}") from None
        raise ConnectionNotFound(
            f"Airflow found no {shown}: create it, with type {CONN_TYPE}. If it exists, Airflow's secrets backend "
            "failed or could not read it; Airflow logs the cause at level DEBUG"
        ) from None
    except AirflowRuntimeError as error:  # the response of Airflow's API server
        raise ConnectionNotFound(
            f"Airflow could not look up {shown}: {printable(error)}. Check Airflow's API server, then run the "
            "task again"
        ) from None
    except PermissionError as error:  # Airflow 3.3's AirflowSecretsBackendAccessDenied
        raise ConfigError(
            f"Airflow denies access to {shown}: {printable(error)}. Ask an Airflow administrator for access"
        ) from None


def _broken_variable(conn_id: str) -> str:
    """Return what is wrong with an environment variable that Airflow skipped; empty if nothing is."""
    name = f"AIRFLOW_CONN_{str(conn_id).upper()}"
    text = os.environ.get(name, "").strip()
    if not text.startswith("{"):
        words = (
            f"{name} is a URI that Airflow can't read: percent-encode its password (/ is %2F, @ is %40), or write "
            "the Connection as JSON"
        )
        return words if text else ""
    try:
        fields = json.loads(text)
    except ValueError:
        return f"{name} is not valid JSON: check its quotation marks, commas and braces"
    for key in ("conn_type", "host", "login", "password", "schema"):
        if not isinstance(fields.get(key), (str, type(None))):
            return f"{name} has a {key} that is not text: put it in quotation marks"
    return f"{name} is JSON that Airflow can't read: check its fields' names and its port"


def account_of(connection: Connection) -> Account:
    """Return the account that an Airflow Connection describes.

    :param connection: of type ``liveperson_outbound``; ``docs/reference/connection.rst`` lists its fields.
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
    if not connection.conn_type:  # Airflow reads no scheme that has an underscore
        raise ConfigError(f"type is missing: it must be {CONN_TYPE}; a URI begins with liveperson-outbound://")
    if connection.conn_type != CONN_TYPE:
        raise ConfigError(f"type is {printable(repr(connection.conn_type), 60)}: it must be {CONN_TYPE}")
    settings = _settings(connection.extra)
    credentials = _credentials(connection, settings)
    try:
        # JSON may hold the account as a number.
        account_id = check_path_segment("schema", str(connection.schema or "").strip())
    except ConfigError:
        # Not shown: in a URI whose secret is not percent-encoded, a part of the secret ends up here.
        raise ConfigError(
            "schema (account id) must be letters, digits, - and _; in a URI, the secret must be percent-encoded"
        ) from None
    urls = {"domain_url": DOMAIN_URL, **_hosts(connection.host, connection.port)}
    for key in ("domain_url", "sentinel_url"):
        if (url := getattr(settings, key)) is not None:
            urls[key] = _base_url(f"extra {key}", url)
    return Account(**{**structs.asdict(settings), **urls, **credentials}, account_id=account_id)


def _settings(text: str | None) -> Settings:
    try:
        extra = json.loads(text) if text else {}
    except ValueError:
        raise ConfigError('extra is not JSON: give an object such as {"page_size": 30}') from None
    if not isinstance(extra, dict):
        raise ConfigError(f"extra is a JSON {type(extra).__name__}: it must be an object")
    if unknown := extra.keys() - set(EXTRAS):
        shown = printable(sorted(unknown))
        raise ConfigError(f"extra has {shown}, which is not known: the extras are {', '.join(EXTRAS)}")
    given = {key: value for key, value in extra.items() if value not in (None, "")}
    readers: dict[str, Callable[[object], object]]
    readers = {"verify": _verify, "proxies": _proxies, **{key: partial(_token, key) for key in TOKENS}}
    for key in readers.keys() & given.keys():
        given[key] = readers[key](given[key])
    if "app_name" in given:
        check_path_segment("extra app_name", given["app_name"])
    try:
        return msgspec.convert(given, Settings, strict=False)  # not strict: in a URI, all extras are text
    except msgspec.ValidationError as error:
        key = str(error).rpartition("$.")[2].strip("`")  # the message ends with "at `$.page_size`"
    schema = get_provider_info()["connection-types"][0]["conn-fields"][key]["schema"]
    allowed = " or ".join(schema.get("enum", ["text"]))
    if "maximum" in schema:
        allowed = f"a number from {schema['minimum']:g} to {schema['maximum']:g}"
    raise ConfigError(f"extra {key} is {printable(repr(given[key]), 60)}: it must be {allowed}")


def _credentials(connection: Connection, settings: Settings) -> dict[str, str | Secret]:
    """Return what the account's kind of authorization needs, by the names of an account's fields."""
    login_name, password_name = CREDENTIALS[settings.auth]
    found: dict[str, str | Secret] = {"secret": Secret(_credential(password_name, connection.password))}
    if settings.auth == "app_jwt":
        found["client_id"] = _credential(login_name, connection.login)
    if settings.auth == "oauth1":
        found["app_key"] = Secret(_credential(login_name, connection.login))
    for key in TOKENS:
        if settings.auth == "oauth1" and not getattr(settings, key):
            raise ConfigError(f"extra {key} is empty: auth oauth1 needs it, so add it to the Connection's extras")
        if settings.auth != "oauth1" and getattr(settings, key):
            raise ConfigError(f"extra {key} is for auth oauth1 only: remove it, or set the extra auth to oauth1")
    return found


def _credential(field: str, value: object) -> str:
    if not value:
        raise ConfigError(f"{field} is empty: fill it in")
    if not isinstance(value, str):
        raise ConfigError(f"{field} is not text: put it in quotation marks")
    if not re.fullmatch(r"[!-~]+", value):
        raise ConfigError(
            f"{field} has a space, a line break or another character that credentials don't have: copy it again"
        )
    return value


def _token(key: str, value: object) -> Secret:
    return Secret(_credential(f"extra {key}", value))


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
    if isinstance(urls, dict):
        split = [_split(url) for url in urls.values()]
        known = all(scheme.partition("://")[0] in ("http", "https", "all") for scheme in urls)
        if known and all(parts and parts.scheme and parts.path in ("", "/") for parts in split):
            return {scheme: Secret(url) for scheme, url in urls.items()}
    raise ConfigError(
        'extra proxies must be an object such as {"https": "http://name:password@proxy.example:3128"}, '
        "with special characters in the password percent-encoded"
    )


def _hosts(host: str | None, port: int | None) -> dict[str, str]:
    """Return the base URLs that a Connection's host stands for."""
    host = (host or "").strip().lower()
    if not host:
        return {}
    for region in REGIONS:
        urls = region_urls(region)
        if host.removeprefix("https://").rstrip("/").removesuffix(":443") in (region, host_of(urls["list_url"])):
            return urls
    if "://" in host:
        return dict.fromkeys(("list_url", "sentinel_url", "domain_url"), _base_url("host", host, port))
    base = _base_url("host", f"https://{host}", port)
    if "." not in host:
        raise ConfigError("host must be va, lo, sy, or a name with a dot in it")
    return {"list_url": base}


def _base_url(field: str, url: str, port: int | None = None) -> str:
    """Return a URL's scheme, host and port. What was given is not shown: it may hold a password."""
    parts = _split(url)
    base = f"{parts.scheme}://{parts.netloc.lower()}".rstrip(":") if parts else ""
    # Compared with what was given, because urlsplit drops line breaks.
    if not parts or parts.scheme not in ("https", "http") or "@" in base or url.lower().rstrip("/:") != base:
        raise ConfigError(
            f"{field} is not a host or base URL: give va, lo, sy, a host name, or a base URL such as {DOMAIN_URL}"
        )
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ConfigError(f"{field} is http://, which would show the secret to others: use https://")
    return f"{base}:{port}" if port and not parts.port else base


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(url: object) -> SplitResult | None:
    """Return the parts of a URL with a valid host and port; None for anything else."""
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        return parts if parts.port != 0 and HOST_NAME.fullmatch(parts.hostname or "") else None
    except ValueError:
        return None
