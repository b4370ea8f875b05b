"""The fields that changed, each with a label for people."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, TypeAlias

from markupsafe import Markup

from airflow_provider_outbound.catalogue import texts
from airflow_provider_outbound.catalogue.pairs import channel_pairs, component_pairs, kind_of
from airflow_provider_outbound.catalogue.phones import LOOKS
from airflow_provider_outbound.catalogue.words import changes
from airflow_provider_outbound.errors import printable
from airflow_provider_outbound.model import items, values
from airflow_provider_outbound.model.changes import Change, Content, fields
from airflow_provider_outbound.model.codec import decode
from airflow_provider_outbound.model.items import Item

#: A label, what was there, and what is there now.
Row: TypeAlias = tuple[str, Markup, Markup]

#: Labels of fields, in the order of rows. Source: "Data fields definitions" of LivePerson's API page.
_OF_CONFIGURATION = {
    "name": "Name",
    "id": "ID",
    "lookbackPeriodDay": "Lookback days",
    "lookbackPeriodHour": "Lookback hours",
    "routeAllWithinLookback": "Route all within the lookback period",
    "createdAt": "Created",
    "updatedAt": "Last update",
}
_DATES = ("Created", "Last update")  # below all others
_OF_CHANNEL = {
    "type": "Channel",
    "language": "Language",
    "outboundnumber": "Send from",
    "serviceAccountName": "RCS agent",
    "appNames": "Apps",
    "templatename": "WhatsApp name",
    "namespace": "WhatsApp namespace",
    "cardOrientation": "Card orientation",
}
_OF_COMPONENT = {
    "sub_type": "kind",
    "title": "title",
    "content": "",
    "optOut": "opt-out",
    "messageText": "message",
    "notificationTitle": "notification title",
    "notificationMessage": "notification text",
    "isSameMessageForNotification": "same text in the notification",
    "url": "link",
    "phone_number": "phone number",
    "height": "height",
    "thumbnailImageAlignment": "side of the picture",
    "isClickable": "clickable",
    "destinationUrl": "opens",
    "variables": "variables",
    "index": "place",
    "type": "type",
}
_ABSENT = Markup("<i>not there</i>")


def changed_fields(change: Change[Content]) -> list[Row]:
    """Return the label of each field that differs, and its value before and after, with the changed words marked.

    A field without a label is named by its path, as ``code``.

    :param change: the change; that of a created or removed configuration has no rows.
    """
    if not (change.before and change.after):
        return []
    rows = list(_configuration(decode(change.before.raw), decode(change.after.raw)))
    if not rows:  # only the nesting of lists changed
        before = {each.path: each.before for each in change.fields if each.before is not None}
        after = {each.path: each.after for each in change.fields if each.after is not None}
        rows = list(_leaves("", before, after))
    return rows


def _configuration(before: Item, after: Item) -> Iterator[Row]:
    old, new = ({} if items.is_bare(item) else item for item in (before, after))
    rows = list(_object(_without("channels", old), _without("channels", new), _OF_CONFIGURATION, "", ""))
    yield from (row for row in rows if row[0] not in _DATES)
    pairs = channel_pairs(before, after)
    for at, pair in enumerate(pairs):
        kind = LOOKS[pair.kind][1] if pair.kind in LOOKS else printable(pair.kind, 60) or "Channel"
        label = "" if len(pairs) == 1 else kind if pair.alone else f"{kind} {pair.number}"
        yield from _channel(pair.before or {}, pair.after or {}, label, f"channels[{at}]")
    yield from _order("Channels", items.channels(before), items.channels(after))
    yield from (row for row in rows if row[0] in _DATES)


def _channel(before: Any, after: Any, label: str, path: str) -> Iterator[Row]:
    nested = "messageComponents"
    yield from _object(_without(nested, before), _without(nested, after), _OF_CHANNEL, label, path)
    for at, pair in enumerate(component_pairs(before, after)):
        kind = printable(pair.kind, 60).capitalize() or "Component"
        numbered = kind if pair.alone and pair.kind != "button" else f"{kind} {pair.number}"
        old, new = (({} if side is None else side) for side in (pair.before, pair.after))
        yield from _object(old, new, _OF_COMPONENT, _named(label, numbered), f"{path}.messageComponents[{at}]")
    yield from _order(_named(label, "Components"), items.components(before), items.components(after))


def _without(key: str, value: Any) -> Any:
    """Return an object without one of its fields."""
    return {each: value[each] for each in value if each != key} if isinstance(value, dict) else value


def _order(label: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Row]:
    """Yield a row if the types of channels or components differ, or their order does."""
    old, new = ([kind_of(each) for each in side] for side in (before, after))
    if old != new:
        yield (label, *_words(*(texts.visible(", ".join(kinds)) for kinds in (old, new)), (), ()))


def _object(before: Any, after: Any, labels: dict[str, str], label: str, path: str) -> Iterator[Row]:
    """Yield the rows of two objects' fields, those with a label first."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        yield from _leaves(path, fields(before), fields(after))
        return
    order = {key: at for at, key in enumerate(labels)}
    for key in sorted({**after, **before}, key=lambda key: order.get(_spelled(key), len(order))):
        old, new = (fields(side[key]) if key in side else {} for side in (before, after))
        if old == new or (key == "type" and not (before and after)):  # a new component's label has its type
            continue
        known = labels.get(_spelled(key))
        was, now = (_text(side[key]) if key in side else None for side in (before, after))
        if known is None or (old and was is None) or (new and now is None):
            yield from _leaves(f"{path}.{key}" if path else key, old, new)
            continue
        declared = [items.declared(side) or () for side in (before, after)]
        yield (_named(label, known), *_words(was, now, *declared))


def _spelled(key: str) -> str:
    """Return the spelling of a field that has a label."""
    return next((each for each, spelling in items.SPELLINGS.items() if spelling == key), key)


def _named(label: str, name: str) -> str:
    return " · ".join(filter(None, (label, name)))


def _text(value: Any) -> str | None:
    """Return a value for people; None for one that has fields."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "null"
    listed = values.strings(value)
    return None if listed is None else texts.visible(", ".join(listed))


def _words(before: str | None, after: str | None, *declared: Collection[str]) -> tuple[Markup, Markup]:
    """Return two texts with the changed words marked; None stands for a missing one."""
    ranges = changes(before or "", after or "")
    old, new = (
        _ABSENT if text is None else texts.html(text, names, changed=changed, mark=mark)
        for text, names, changed, mark in zip((before, after), declared, ranges, ("del", "ins"), strict=True)
    )
    return old, new


def _leaves(path: str, before: dict[str, str], after: dict[str, str]) -> Iterator[Row]:
    """Yield the rows of what differs within two values, each given as the JSON of its fields by path."""
    for name in {**after, **before}:
        old, new = before.get(name), after.get(name)
        if old != new:
            where = f"{path}{name}" if not (path and name) or name.startswith("[") else f"{path}.{name}"
            label = Markup("<code>{}</code>").format(printable(where))
            was, now = (side and texts.visible(side) for side in (old, new))
            yield (label, *_words(was, now, (), ()))
