"""What Airflow asks of an installed provider; imports nothing, as every Airflow process reads it."""

from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata, after Airflow's ``provider.yaml`` schema."""
    name = "LivePerson Outbound"
    page = "https://developers.liveperson.com/outbound-configuration-api-overview.html"
    package = "airflow_provider_outbound"
    return {
        "package-name": "airflow-provider-outbound",
        "name": name,
        "description": "LivePerson's Outbound Configuration API: export message templates, wait for one.",
        "integrations": [{"integration-name": name, "external-doc-url": page, "tags": ["service"]}],
        "hooks": [{"integration-name": name, "python-modules": [f"{package}.hooks"]}],
        "operators": [{"integration-name": name, "python-modules": [f"{package}.operators"]}],
        "sensors": [{"integration-name": name, "python-modules": [f"{package}.sensors"]}],
        "triggers": [{"integration-name": name, "python-modules": [f"{package}.triggers"]}],
        "connection-types": [
            {
                "connection-type": "liveperson_outbound",
                "hook-class-name": f"{package}.hooks.OutboundHook",
                "hook-name": name,
                "ui-field-behaviour": {
                    "hidden-fields": ["port"],
                    "relabeling": {
                        "host": "Domain",
                        "schema": "Account (site) ID",
                        "login": "client_id",
                        "password": "client_secret",
                    },
                    "placeholders": {
                        "host": "blank to find it, or va, lo, sy, or a host name",
                        "schema": "12345678",
                        "password": "or the LE bearer token",
                    },
                },
                "conn-fields": {
                    "auth": _field(
                        "Authorization",
                        "app_jwt: log in with client_id and client_secret. bearer: client_secret is the token.",
                        ["string", "null"],
                        "app_jwt",
                        enum=["app_jwt", "bearer"],
                    ),
                    "token_api": _field(
                        "AppJWT version",
                        "The version of Sentinel's token endpoint.",
                        ["string", "null"],
                        "v1",
                        enum=["v1", "v2"],
                    ),
                    "app_name": _field("App name", "The app in the URL.", ["string", "null"], "prmsg"),
                    "page_size": _field(
                        "Page size (limit)",
                        "Configurations per request.",
                        ["integer", "null"],
                        100,
                        minimum=2,
                        maximum=1000,
                    ),
                    "requests_per_second": _field(
                        "Requests per second",
                        "LivePerson allows 10; 0 for no limit.",
                        ["number", "null"],
                        10,
                        minimum=0,
                        maximum=1000,
                    ),
                    "timeout": _field(
                        "Timeout", "Seconds for one request.", ["number", "null"], 30, minimum=0.1, maximum=3600
                    ),
                    "verify": _field(
                        "Verify certificates", "true, false, or the path of a CA file.", ["string", "null"], "true"
                    ),
                    "proxies": _field(
                        "Proxies",
                        'Proxy URLs by scheme, as JSON: {"https": "http://proxy.example:3128"}',
                        ["string", "object", "null"],
                        None,
                    ),
                    "domain_url": _field(
                        "Domain API URL", "Instead of https://api.liveperson.net", ["string", "null"], None
                    ),
                    "sentinel_url": _field(
                        "Sentinel URL", "Instead of the one that the Domain API names", ["string", "null"], None
                    ),
                },
            }
        ],
    }


def _field(label: str, description: str, types: list[str], default: Any, **schema: Any) -> dict[str, Any]:
    return {
        "label": label,
        "description": description,
        "schema": {"type": types, "default": default, **schema},
    }
