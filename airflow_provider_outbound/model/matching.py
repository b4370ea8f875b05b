"""Which template is meant, and what a listing has instead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow_provider_outbound.errors import ConfigError, printable
from airflow_provider_outbound.model import fingerprints
from airflow_provider_outbound.model import items as shapes
from airflow_provider_outbound.model.codec import decode
from airflow_provider_outbound.model.items import Item, Record
from airflow_provider_outbound.model.values import parse_timestamp, sort_variables, strings, text, xcom_safe

_WORD = re.compile(r"[\w.+-]+")


@dataclass(frozen=True)
class Match:
    """What a listing has of the template that is meant.

    :param item: the configuration (or bare channel) that fits; None if there is none.
    :param channels: its channels that fit.
    :param seen: one line for logs and messages, without a full stop at its end.
    """

    item: Item | None
    channels: list[Item]
    seen: str

    def summary(self) -> dict[str, Any]:
        """Return what a campaign needs to know about the template, as plain JSON.

        ``language`` is that of the first channel that fits; the other fields cover all channels that fit.
        """
        item = self.item or {}
        parts = [
            each for channel in self.channels for each in shapes.components(channel) if isinstance(each, dict)
        ]
        template: dict[str, Any] = xcom_safe(
            {
                "id": text(item.get("id")),
                "name": text(item.get("name")) or text(self.channels[0].get("templatename")),
                "updated_at": text(item.get("updatedAt")),
                "channels": [text(channel.get("type")) for channel in self.channels],
                "language": text(self.channels[0].get("language")),
                "variables": shapes.variables(*self.channels),
                "header_variables": shapes.header_variables(*self.channels),
                "fingerprint": fingerprints.fingerprint(self.channels),
                "components": [
                    {
                        "type": text(each.get("type")),
                        "sub_type": text(each.get("sub_type")),
                        "variables": sort_variables(shapes.takes(each)),
                    }
                    for each in parts
                ],
            }
        )
        return template


class TemplateIndex:
    """A listing by the names of its templates, for many lookups.

    It holds bytes, not decoded objects, each of which Python's garbage collector would visit again and again.
    """

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self.raws: list[bytes] = []  # of all items, in the order of the listing
        self._first: dict[str, bytes] = {}
        self._others: dict[str, list[bytes]] = {}  # of names that several items have
        self.add(records)

    def add(self, records: Iterable[Record]) -> None:
        """Add items of the listing."""
        for raw, item in records:
            self.raws.append(raw)
            for name in names(item):
                if self._first.setdefault(name, raw) is not raw:
                    self._others.setdefault(name, []).append(raw)

    def named(self, name: str) -> list[Item]:
        """Return the items that have a name, or a channel with that WhatsApp templatename."""
        raws = [self._first[name], *self._others.get(name, ())] if name in self._first else []
        return [decode(raw) for raw in raws]


def names(item: Item) -> list[str]:
    """Return the names by which an item's templates are found, each once."""
    found = [name for channel in shapes.channels(item) for name in _names(item, channel)]
    return list(dict.fromkeys([*found, *_names(item, None)]))


def _names(item: Item, channel: Any) -> list[str]:
    """Return the names of a channel's template: its configuration's, and on WhatsApp its own."""
    found = [item.get("name"), channel.get("templatename") if isinstance(channel, dict) else None]
    return [name for name in map(text, found) if name is not None]


@dataclass(frozen=True)
class Criteria:
    """Which template is meant.

    :param name: a configuration's ``name``, or a WhatsApp ``templatename``.
    :param channel: the type of channel that it must be in; None for any.
    :param language: the language that it must be in, as LivePerson writes it; None for any.
    :param variables: exactly the variables that it must take, without those of media headers, in any order; None
        for any.
    :param fingerprint: the approved fingerprint of a configuration or channel. It must include that of each
        channel that meets the criteria above; None for any.
    :param updated_after: the point in time, or its ISO 8601 text, after which it must have been updated; UTC if it
        has no zone. None for any.
    :raises ConfigError: for a criterion that nothing can meet.
    """

    name: str
    channel: str | None = None
    language: str | None = None
    variables: Iterable[str | int] | None = None
    fingerprint: str | None = None
    updated_after: datetime | str | None = None

    def __post_init__(self) -> None:
        given = {"channel": self.channel, "language": self.language}
        stated = {field: value for field, value in given.items() if value is not None}
        for field, value in {"name": self.name, **stated}.items():
            if not isinstance(value, str) or not value.strip():
                shown = printable(repr(value), 60)
                raise ConfigError(f"template {field} is {shown}: give text that is not empty")
        if self.variables is not None:
            several = isinstance(self.variables, (Sequence, Set)) and not isinstance(self.variables, (str, bytes))
            wanted = strings(list(self.variables)) if several else None
            if wanted is None:
                shown = printable(repr(self.variables), 60)
                raise ConfigError(f"template variables are {shown}: give a list such as ['1', '2']")
            object.__setattr__(self, "variables", tuple(sort_variables(wanted)))
        if self.fingerprint is not None:
            fingerprints.parse(self.fingerprint)
        if self.updated_after is not None:
            object.__setattr__(self, "updated_after", _parse_time(self.updated_after))

    def match(self, index: TemplateIndex) -> Match:
        """Find the template in a listing; the one updated last if several fit."""
        fitting: list[tuple[Item, list[Item]]] = []
        near: dict[str, None] = {}
        for item in index.named(self.name):
            objects = [channel for channel in shapes.channels(item) if isinstance(channel, dict)]
            named = [channel for channel in objects if self.name in _names(item, channel)]
            misfits = [self._misfit(channel) for channel in named]
            if fits := [channel for channel, misfit in zip(named, misfits, strict=True) if not misfit]:
                fitting.append((item, fits))
            near |= dict.fromkeys(misfits or ["has no channel yet"])
        # By id, because a configuration's bare channels are separate items. Items without an id count as one.
        outdated: dict[str | None, list[str]] = {}
        for item, fits in fitting:
            outdated.setdefault(text(item.get("id")), []).extend(self._outdated(item, fits))
        best: tuple[Item, list[Item]] | None = None
        for item, fits in fitting:
            if not outdated[text(item.get("id"))] and (not best or shapes.newer(best[0], item) is item):
                best = (item, fits)
        near |= dict.fromkeys(reason for reasons in outdated.values() for reason in reasons)
        near.pop("", None)
        name = _shown(self.name)
        if best:
            places = dict.fromkeys(_place(channel.get("type"), channel.get("language")) for channel in best[1])
            return Match(*best, printable(f"Found {name} in {', '.join(places)}", 600))
        if near:
            return Match(None, [], printable(f"Not there yet: {name} {'; '.join(near)}", 600))
        return Match(None, [], f"Not there yet: none of {len(index.raws)} configurations is named {name}")

    def _misfit(self, channel: Item) -> str:
        """Return how a channel differs from the one that is meant; empty if it fits."""
        kind, language = channel.get("type"), channel.get("language")
        if self.channel not in (None, kind):
            return f"is in {_place(kind)}, not in {_place(self.channel)}"
        if self.language not in (None, language):
            return f"is in {_place(kind, language)}, not in {_place(self.channel, self.language)}"
        if self.variables is None:
            return ""
        parts = [each for each in shapes.components(channel) if not shapes.media_header(each)]
        if any(map(shapes.is_unreadable, parts)):
            return f"declares variables in {_place(kind, language)} in a form that can't be read"
        taken = shapes.variables(channel)
        if set(taken) == set(self.variables):
            return ""
        used = sort_variables(name for each in parts for name in shapes.placeholders(each))
        differ = f" (its texts use {used})" if used != taken else ""
        return f"has variables {taken} in {_place(kind, language)}{differ}, not {list(self.variables)}"

    def _outdated(self, item: Item, fits: list[Item]) -> Iterator[str]:
        """Yield why an item whose channels fit is not in the required state."""
        if self.fingerprint is not None:
            approved = fingerprints.parse(self.fingerprint)
            for channel in fits:
                if change := fingerprints.changed(fingerprints.channel_fingerprint(channel), approved):
                    yield f"is in {_place(channel.get('type'), channel.get('language'))}, but {change}"
        if self.updated_after is not None:
            after, updated = _parse_time(self.updated_after), parse_timestamp(item.get("updatedAt"))
            if updated is None:
                yield f"has no readable updatedAt, so it may not be updated after {_iso(after)}"
            elif updated <= after:
                yield f"was last updated {_iso(updated)}, not after {_iso(after)}"

    def __str__(self) -> str:
        place = "" if self.channel is self.language is None else f" in {_place(self.channel, self.language)}"
        taking = "" if self.variables is None else f" with variables {list(self.variables)}"
        state = "" if self.fingerprint is None else f" with fingerprint {fingerprints.short(self.fingerprint)}"
        since = "" if self.updated_after is None else f" updated after {_iso(_parse_time(self.updated_after))}"
        return printable(f"{_shown(self.name)}{place}{taking}{state}{since}", 300)


def _parse_time(value: Any) -> datetime:
    """Return a point in time in UTC. A time without a zone is UTC."""
    given = value.isoformat() if isinstance(value, datetime) else value
    # Digits alone would count as milliseconds since 1970, which nobody means who writes a time by hand.
    read = parse_timestamp(given) if isinstance(given, str) and not given.strip().isdigit() else None
    if read is None:
        shown = printable(repr(value), 60)
        raise ConfigError(f"template updated_after is {shown}: give a time such as 2026-05-03T10:00:00Z")
    return read


def _iso(moment: datetime) -> str:
    """Return a point in time as LivePerson writes it, in milliseconds if that is exact."""
    return moment.isoformat().replace("000+00:00", "+00:00").replace("+00:00", "Z")


def _place(*parts: Any) -> str:
    """Return a channel's type and language for a message, such as ``wa/en``, as far as they are known."""
    return "/".join(_shown(part) for part in parts if part is not None) or "a channel without type"


def _shown(value: Any) -> str:
    """Return a value for a message: a plain word as it is, anything else as Python writes it."""
    shown = value if isinstance(value, str) and _WORD.fullmatch(value) else repr(value)
    return printable(shown, 100)
