"""Airflow assets that have an event when a template changes."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from airflow.sdk import Asset, AssetWatcher

from airflow_provider_outbound.connections import DEFAULT_CONN_ID
from airflow_provider_outbound.lineage import SCHEME
from airflow_provider_outbound.model.changes import KINDS
from airflow_provider_outbound.triggers import OutboundTemplateEventTrigger


def template_asset(
    name: str,
    outbound_conn_id: str = DEFAULT_CONN_ID,
    *,
    template_name: str = "*",
    channel: str | None = None,
    language: str | None = None,
    kinds: Sequence[str] = KINDS,
    existing: bool = False,
    poke_interval: float = 60.0,
) -> Asset:
    """Return an asset that has an event for each template that is created, updated or removed.

    Put it into a DAG's ``schedule`` to start the DAG on each event.

    :param name: the asset's name, unique among all assets.
    :param outbound_conn_id: the Connection to use.
    :param template_name: a pattern such as ``spring_*`` for the configuration's name or a WhatsApp templatename.
    :param channel: the channel that a template must be in, such as ``wa``; None for any.
    :param language: the language that it must have in that channel; None for any.
    :param kinds: which changes count: ``created``, ``updated``, ``removed``.
    :param existing: whether templates that exist when the watch begins count as created.
    :param poke_interval: seconds from one look to the next.
    :raises ConfigError: for an argument that is blank or of another type, or that no template can match.
    """
    trigger = OutboundTemplateEventTrigger(
        asset_name=name,
        template_name=template_name,
        channel=channel,
        language=language,
        kinds=kinds,
        existing=existing,
        outbound_conn_id=outbound_conn_id,
        poke_interval=poke_interval,
    )
    uri = f"{SCHEME}://{quote(outbound_conn_id, safe='')}/watched/{quote(name, safe='')}"
    return Asset(name=name, uri=uri, watchers=[AssetWatcher(name=name, trigger=trigger)])
