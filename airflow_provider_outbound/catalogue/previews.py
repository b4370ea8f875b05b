"""A channel as its customer sees it."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup, escape

from airflow_provider_outbound.model.changes import Change, Content
from airflow_provider_outbound.model.items import IN_BRACES, Item, components


def preview(channel: Item) -> Markup:
    """Return the phone that shows a channel's message.

    :param channel: the channel.
    """
    return Markup('<section class="phone wa">{}</section>').format(Markup("<br>").join(_texts(channel)))


def snippet(channel: Item) -> Markup:
    """Return the first words of a channel's message, for the list.

    :param channel: the channel.
    """
    texts = _texts(channel)
    return texts[0] if texts else Markup("<i>media only</i>")


def comparison(before: Item | None, after: Item | None) -> Markup:
    """Return a channel as it was beside the channel as it is.

    :param before: the channel as it was; None if it is new.
    :param after: the channel as it is; None if it was removed.
    """
    phones = [preview(channel) if channel else Markup() for channel in (before, after)]
    figures = Markup(
        "<figure><figcaption>Before</figcaption>{}</figure><figure><figcaption>After</figcaption>{}</figure>"
    )
    return Markup('<div class="compare">{}</div>').format(figures.format(*phones))


def changed_fields(change: Change[Content]) -> list[tuple[str, Markup, Markup]]:
    """Return the label of each field that changed, and its value before and after.

    :param change: the change.
    """
    return [(each.path, escape(each.before or ""), escape(each.after or "")) for each in change.fields]


def _texts(channel: Item) -> list[Markup]:
    parts: list[Any] = [part for part in components(channel) if isinstance(part, dict) and part.get("content")]
    return [Markup(IN_BRACES.sub(r"<var>\1</var>", str(escape(str(part["content"]))))) for part in parts]  # noqa: S704
