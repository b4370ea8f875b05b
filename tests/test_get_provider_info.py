"""The provider's metadata: what Airflow's own schemas allow, and names that exist."""

from __future__ import annotations

import importlib
import json
from importlib.metadata import entry_points, version
from importlib.resources import files
from typing import Any

import jsonschema
import msgspec
import pytest
from airflow._shared.secrets_masker import should_hide_value_for_key
from airflow.sdk import Connection

from airflow_provider_outbound import lineage
from airflow_provider_outbound.client.account import Settings
from airflow_provider_outbound.connections import CONN_TYPE, EXTRAS, account_of
from airflow_provider_outbound.get_provider_info import get_provider_info
from airflow_provider_outbound.hooks import OutboundHook
from tests.versions import since

INFO = get_provider_info()


def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((files("airflow") / name).read_text())
    return loaded


def test_airflow_finds_it() -> None:
    (found,) = [each for each in entry_points(group="apache_airflow_provider") if "outbound" in each.value]
    assert found.load()() == INFO


def test_it_keeps_airflows_schemas() -> None:
    jsonschema.validate(INFO, schema("provider_info.schema.json"))


def test_it_names_the_version() -> None:
    assert INFO["versions"] == [version("airflow-provider-outbound")]


@since("3.2", "a provider may have commands and a connection form")
def test_it_has_only_keys_that_airflow_knows() -> None:
    # provider_info's schema lets unknown keys through, provider.yaml's names every one.
    strict = schema("provider.yaml.schema.json")
    for key in INFO.keys() - {"package-name", "name", "description"}:
        subschema = {**strict["properties"][key], "definitions": strict.get("definitions", {})}
        jsonschema.validate(INFO[key], subschema)
    assert INFO.keys() <= strict["properties"].keys()


@pytest.mark.parametrize("kind", ["hooks", "operators", "sensors", "triggers"])
def test_modules_exist(kind: str) -> None:
    for entry in INFO[kind]:
        for module in entry["python-modules"]:
            importlib.import_module(module)


def test_names_exist() -> None:
    (uris,) = INFO["asset-uris"]
    for name in [*INFO["extra-links"], *(uris[key] for key in uris.keys() - {"schemes"})]:
        module, _, attribute = name.rpartition(".")
        assert callable(getattr(importlib.import_module(module), attribute))
    assert uris["schemes"] == [lineage.SCHEME]


def test_connection_type() -> None:
    (declared,) = INFO["connection-types"]
    module, _, name = declared["hook-class-name"].rpartition(".")
    hook = getattr(importlib.import_module(module), name)
    assert hook is OutboundHook
    assert (hook.conn_type, hook.hook_name) == (declared["connection-type"], declared["hook-name"])
    assert hook.conn_type == CONN_TYPE


def test_defaults_of_the_form_are_those_of_the_code() -> None:
    (declared,) = INFO["connection-types"]
    blank = {"conn_id": "x", "conn_type": CONN_TYPE, "login": "i", "password": "p", "schema": "1"}
    defaults = {name: field["schema"]["default"] for name, field in declared["conn-fields"].items()}
    filled = account_of(Connection(**blank, extra=json.dumps(defaults)))
    assert filled == account_of(Connection(**blank))
    assert tuple(defaults) == EXTRAS


def test_form_follows_from_the_settings() -> None:
    (declared,) = INFO["connection-types"]
    (described,) = msgspec.json.schema(Settings, schema_hook=lambda kind: {"type": "string"})["$defs"].values()
    fields = declared["conn-fields"]
    assert {name: each["schema"] for name, each in fields.items()} == {
        name: form_schema(name, each) for name, each in described["properties"].items()
    }
    assert all(each.keys() == {"label", "description", "schema"} for each in fields.values())
    assert all(each["label"].strip() and each["description"].strip() for each in fields.values())


@since("3.2", "the connection form has a field for each extra")
def test_the_form_hides_no_default() -> None:
    # Airflow replaces the default of such a field by ***, and its form would save that.
    (declared,) = INFO["connection-types"]
    defaults = {name: field["schema"]["default"] for name, field in declared["conn-fields"].items()}
    hidden = {name: default for name, default in defaults.items() if should_hide_value_for_key(name)}
    assert hidden == dict.fromkeys(["token_api", "access_token", "access_token_secret", "proxies"])


def form_schema(name: str, described: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of the form's field for a setting: it may be blank, and switches and objects are text."""
    allowed = described.get("anyOf", [described])
    types = {"string" if "enum" in each or each["type"] == "boolean" else each["type"] for each in allowed}
    types |= {"string"} if "object" in types else set()
    default = None if should_hide_value_for_key(name) else described["default"]
    schema = {
        "type": [*sorted(types - {"null"}, reverse=True), "null"],
        "default": str(default).lower() if isinstance(default, bool) else default or None,
    }
    bounds = {key: described[key] for key in ("enum", "format", "minimum", "maximum") if key in described}
    return {**schema, **bounds}
