"""What Airflow asks of an installed provider. Every Airflow process calls it, so it imports nothing slow."""

from __future__ import annotations

from typing import Any

import msgspec

from airflow_provider_outbound.client.account import Settings

FORM_TYPES = {"integer": ["integer"], "number": ["number"], "object": ["string", "object"]}


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata, after Airflow's ``provider.yaml`` schema."""
    name = "LivePerson Outbound"
    page = "https://developers.liveperson.com/outbound-configuration-api-overview.html"
    package = "airflow_provider_outbound"
    labels = {"host": "Domain", "schema": "Account (site) ID", "login": "client_id", "password": "client_secret"}
    placeholders = {
        "host": "blank to find it, or va, lo, sy, or a host name",
        "schema": "12345678",
        "password": "or the LE bearer token",
    }
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
                    "relabeling": labels,
                    "placeholders": placeholders,
                },
                "conn-fields": conn_fields(),
            }
        ],
    }


def conn_fields() -> dict[str, dict[str, Any]]:
    """Return the connection form's fields: the settings, each of which may be left blank."""
    schema = msgspec.json.schema(Settings, schema_hook=lambda kind: {"type": "string"})
    return {name: _field(each) for name, each in schema["$defs"]["Settings"]["properties"].items()}


def _field(setting: dict[str, Any]) -> dict[str, Any]:
    # Switches are text, as they may be blank; so may objects be, which Airflow's form has no field for.
    types = FORM_TYPES.get(setting.get("type", ""), ["string"])
    default = "true" if setting["default"] is True else setting["default"] or None
    schema = {"type": [*types, "null"], "default": default}
    schema |= {key: setting[key] for key in ("enum", "minimum", "maximum") if key in setting}
    return {"label": setting["title"], "description": setting["description"], "schema": schema}
