"""A channel as its customer sees it."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup, escape

from airflow_provider_outbound.model.items import Item, components


def preview(channel: Item) -> Markup:
    """Return the phone that shows a channel's message.

    :param channel: the channel.
    """
    texts = [escape(part.get("content")) for part in components(channel) if isinstance(part, dict)]
    return Markup('<section class="phone">') + Markup("<br>").join(texts) + Markup("</section>")


def snippet(channel: Any) -> Markup:
    """Return the first words of a channel's message, for the list.

    :param channel: the channel.
    """
    return preview(channel).striptags()[:80]  # type: ignore[return-value]
