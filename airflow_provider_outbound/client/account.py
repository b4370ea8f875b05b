"""One LivePerson account: its settings, its credentials and its hosts.

Sources: the Outbound Configuration API, Domain API and AppJWT pages of https://developers.liveperson.com, read in
November 2026.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from airflow_provider_outbound.errors import ConfigError, printable

DOMAIN_URL = "https://api.liveperson.net"  # Domain API page, which says http://: that could be forged
HIDDEN = {"format": "password"}  # how a JSON schema says that a form must not show a field's value
REGIONS = ("va", "lo", "sy")  # Americas, EMEA, APAC: those whose hosts the API's page lists


class Secret:
    """Hold text that logs, messages and tracebacks must not show; it prints as ``***``."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the text; call this only where it is sent or handed to Airflow's masker."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value


class Settings(Struct, frozen=True, kw_only=True):
    """A Connection's extras: types, bounds and defaults. ``provider.json`` has the labels and help of the form."""

    auth: Literal["app_jwt", "bearer", "oauth1"] = "app_jwt"
    token_api: Literal["v1", "v2"] = "v1"
    access_token: Annotated[Secret | None, Meta(extra_json_schema=HIDDEN)] = None
    access_token_secret: Annotated[Secret | None, Meta(extra_json_schema=HIDDEN)] = None
    app_name: str = "prmsg"
    # At least 3: a page begins with the last configuration of the one before it, and the last call asks for fewer.
    page_size: Annotated[int, Meta(ge=3, le=1000)] = 100
    # For each host and account, in any one second. LivePerson's retry policy page allows 10 per account.
    requests_per_second: Annotated[float, Meta(ge=0, le=1000)] = 10
    # For the connection to open, and then for the whole response.
    timeout: Annotated[float, Meta(ge=0.1, le=3600)] = 30
    verify: bool | str = True
    proxies: dict[str, Secret] = {}
    domain_url: str | None = None
    sentinel_url: str | None = None


class Account(Settings, frozen=True, kw_only=True):
    """What a client needs to know about one account. Bounds are checked where a Connection is read, not here.

    :param account_id: LivePerson's account (site) id.
    :param client_id: the AppJWT client id; empty with other credentials.
    :param app_key: the OAuth 1.0 app key; None with other credentials.
    :param secret: the AppJWT client secret, the bearer token itself, or the OAuth 1.0 app secret.
    :param list_url: base URL of the configurations' host; None to look it up through the Domain API.
    """

    account_id: str
    client_id: str = ""
    app_key: Secret | None = None
    secret: Secret
    list_url: str | None = None
    domain_url: str = DOMAIN_URL


def region_urls(region: str) -> dict[str, str]:
    """Return the base URLs of one of ``REGIONS``: of its configurations, and of its token endpoint."""
    services = {"list_url": "handoff", "sentinel_url": "sentinel"}
    return {name: f"https://{region}.{service}.liveperson.net" for name, service in services.items()}


def region_of(list_url: str | None) -> str | None:
    """Return the region whose configurations' host a base URL names; None for another host, or None."""
    return next((region for region in REGIONS if region_urls(region)["list_url"] == list_url), None)


def host_of(url: str) -> str:
    """Return a URL's host, with its port if it names one."""
    return urlsplit(url).netloc


def sender_of(url: str, account: Account) -> str:
    """Return the beginning of a message about what a server sent: account and host."""
    return f"For account {account.account_id}, {host_of(url)}"


def check_path_segment(name: str, value: object) -> str:
    """Return the value if a URL's path can hold it as it is.

    :param name: what it is, for the message.
    :param value: what was given.
    :raises ConfigError: for anything that could lead a request to another place.
    """
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value):
        return value
    raise ConfigError(f"{name} is {printable(repr(value), 60)}: it must be 1 to 64 letters, digits, - and _")
