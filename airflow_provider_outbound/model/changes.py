"""What changed from one listing to another: configurations created, updated and removed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import msgspec

from airflow_provider_outbound.model.codec import decode
from airflow_provider_outbound.model.items import Item, channels, item_id
from airflow_provider_outbound.model.values import text

Kind: TypeAlias = Literal["created", "updated", "removed"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_NAME = re.compile(r"\w+")
LONGEST = 500  # characters of a name or a path that are remembered


class State(msgspec.Struct, frozen=True, array_like=True):
    """What is stored about a configuration: its names, and digests of its fields; no contents.

    :param key: identifies the configuration in other listings: its id, or for a bare channel its names, type,
        language and outbound number.
    :param digest: of its JSON as the server sent it.
    :param id: its id; empty for a bare channel.
    :param names: its name and its WhatsApp templatenames, if any.
    :param places: the type and the language of each channel.
    :param fields: a JSON object of each field's path and the digest of its value.
    """

    key: str
    digest: str
    id: str
    names: tuple[str, ...]
    places: tuple[tuple[str | None, str | None], ...]
    fields: msgspec.Raw


States: TypeAlias = Mapping[str, State]


class Change(NamedTuple):
    """What happened to one configuration.

    :param kind: ``created``, ``updated`` or ``removed``.
    :param before: its state before; None if it was created.
    :param after: its state now; None if it was removed.
    :param fields: the paths of the fields that differ, such as ``channels[0].language``, if it was updated.
    """

    kind: Kind
    before: State | None
    after: State | None
    fields: list[str]

    @property
    def states(self) -> list[State]:
        """The state now and the state before, without those that are None."""
        return [state for state in (self.after, self.before) if state]


def read_states(raws: Iterable[bytes], known: States) -> dict[str, State]:
    """Return the states of a listing's items, by key.

    :param raws: the items' JSON.
    :param known: states of an earlier listing, reused for items whose JSON is the same.
    """
    same = {state.digest: state for state in known.values()}
    by_key: dict[str, list[State]] = {}
    for raw in raws:
        digest = _digest(raw, 16)
        state = same.get(digest) or _state(digest, decode(raw))
        by_key.setdefault(state.key, []).append(state)
    states: dict[str, State] = {}
    for key, alike in by_key.items():
        # Bare channels may share a key. They are sorted, because neither the order of a listing nor that of an
        # object's keys counts.
        ordered = sorted(alike, key=lambda state: sorted(_fields(state).items())) if len(alike) > 1 else alike
        for number, state in enumerate(ordered):
            states[f"{key} {number}" if number else key] = state
    return states


def compare(before: States, after: States) -> list[Change]:
    """Return the changes from one listing to another, in the order of the second one; removals come last.

    The order of configurations, and of the keys in a JSON object, does not count.

    :param before: the states of the first listing.
    :param after: the states of the second one.
    """
    changes = []
    for key, state in after.items():
        old = before.get(key)
        if old is None:
            changes.append(Change("created", None, state, []))
        elif old.digest != state.digest and (fields := _differing(old, state)):
            changes.append(Change("updated", old, state, fields))
    changes += [Change("removed", old, None, []) for key, old in before.items() if key not in after]
    return changes


def _differing(before: State, after: State) -> list[str]:
    old, new = _fields(before), _fields(after)
    return [path for path in {**new, **old} if old.get(path) != new.get(path)]


def _fields(state: State) -> dict[str, str]:
    return msgspec.json.decode(state.fields, type=dict[str, str])


def _state(digest: str, item: Item) -> State:
    objects = [channel for channel in channels(item) if isinstance(channel, dict)]
    given = [text(item.get("name")), *(text(channel.get("templatename")) for channel in objects)]
    names = tuple(dict.fromkeys(_short(name) for name in given if name))
    places = tuple((text(channel.get("type")), text(channel.get("language"))) for channel in objects)
    fields = {path: _digest(json.dumps(value).encode(), 6) for path, value in leaves(item)}
    identity = text(item_id(item)) or ""
    called = json.dumps([names, places, text(item.get("outboundnumber"))])
    return State(
        key=f"id:{identity}" if identity else f"bare:{called}",
        digest=digest,
        id=identity,
        names=names,
        places=places,
        fields=msgspec.Raw(msgspec.json.encode(fields)),
    )


def leaves(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the path and the value of each field that contains no other field, in the order of the JSON.

    :param value: JSON data; an empty object or list is a value.
    """
    left: list[tuple[str, Any]] = [("", value)]
    while left:
        path, each = left.pop()
        if each and isinstance(each, dict):
            left.extend((_short(_member(path, key)), each[key]) for key in reversed(each))
        elif each and isinstance(each, list):
            left.extend((_short(f"{path}[{number}]"), each[number]) for number in reversed(range(len(each))))
        else:
            yield path, each


def _member(path: str, key: str) -> str:
    if not _NAME.fullmatch(key):
        return f"{path}[{json.dumps(key)}]"
    return f"{path}.{key}" if path else key


def _short(name: str) -> str:
    """Return a name as it is, or cut it and add a digest: servers may send names of a megabyte."""
    return (
        name if len(name) <= LONGEST else f"{name[: LONGEST - 40]}...{_digest(name.encode(errors='replace'), 12)}"
    )


def _digest(content: bytes, size: int) -> str:
    return hashlib.blake2b(content, digest_size=size).hexdigest()


def has_place(state: State, channel: str | None, language: str | None) -> bool:
    """Tell whether a state has a channel of this type in this language; None stands for any."""
    if channel is language is None:
        return True
    return any(channel in (None, kind) and language in (None, spoken) for kind, spoken in state.places)
