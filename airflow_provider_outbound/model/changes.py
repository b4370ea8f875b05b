"""What changed from one listing to another: configurations created, updated and removed."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Generic, Literal, NamedTuple, TypeAlias, TypeVar, get_args

import msgspec

from airflow_provider_outbound.model.codec import decode, encode
from airflow_provider_outbound.model.items import Item, channels, item_id
from airflow_provider_outbound.model.values import text

Kind: TypeAlias = Literal["created", "updated", "removed"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_NAME = re.compile(r"\w+")
LONGEST = 500  # characters of a name or a path that are remembered
BEFORE_DIFFERENCE = 40  # characters shown before the first difference of two long values


class Identity(msgspec.Struct, frozen=True, array_like=True):
    """Which configuration this is.

    :param key: identifies the configuration in other listings: its id, or for a bare channel its names, type,
        language and outbound number.
    :param id: its id; empty for a bare channel.
    :param names: its name and its WhatsApp templatenames, if any.
    :param places: the type and the language of each channel.
    """

    key: str
    id: str
    names: tuple[str, ...]
    places: tuple[tuple[str | None, str | None], ...]


class State(Identity, frozen=True, array_like=True):
    """What is stored about a configuration: its names, and digests of its fields; no contents.

    :param digest: of its JSON as the server sent it.
    :param digests: a JSON object of each field's path and the digest of its value.
    """

    digest: str
    digests: msgspec.Raw

    def fields(self) -> dict[str, str]:
        """Return the digest of each field, by path."""
        return msgspec.json.decode(self.digests, type=dict[str, str])

    def contents(self) -> _Contents:
        """Return what pairs it with another item that has the same key: its fields' digests."""
        return tuple(sorted(self.fields().items()))


class Content(Identity, frozen=True, array_like=True):
    """A configuration with its contents.

    :param raw: its JSON as the server sent it.
    """

    raw: bytes

    def fields(self) -> dict[str, str]:
        """Return the JSON text of each field, by path."""
        return fields(decode(self.raw))

    def contents(self) -> _Contents:
        """Return the same as the :class:`State` of this configuration, so that both find the same pairs."""
        return tuple(sorted(_digests(decode(self.raw)).items()))


States: TypeAlias = Sequence[State]
Known = TypeVar("Known", State, Content)
_Contents: TypeAlias = tuple[tuple[str, str], ...]


class Field(NamedTuple):
    """A field that differs.

    :param path: such as ``channels[0].language``.
    :param before: its value; None if it was missing.
    :param after: its value now; None if it is missing.
    """

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Change(Generic[Known]):
    """What happened to one configuration.

    :param kind: ``created``, ``updated`` or ``removed``.
    :param before: what it was; None if it was created.
    :param after: what it is now; None if it was removed.
    :param fields: what differs, if it was updated.
    """

    kind: Kind
    before: Known | None
    after: Known | None
    fields: list[Field]

    @property
    def states(self) -> list[Known]:
        """What it is now and what it was, without those that are None."""
        return [state for state in (self.after, self.before) if state]


def differences(before: Iterable[bytes], after: Iterable[bytes]) -> list[Change[Content]]:
    """Return the changes from one listing to another, as :func:`compare` does, with all values.

    Memory holds the first listing, and those items of the second one that the first does not have.

    :param before: the JSON of the first listing's items.
    :param after: the JSON of the second one's.
    :raises ValueError: for an item that is not a JSON object.
    """
    left, new = Counter(before), []
    for raw in after:
        if left[raw]:
            left[raw] -= 1
        else:
            new.append(raw)
    return compare(map(_content, left.elements()), map(_content, new))


def read_states(raws: Iterable[bytes], known: States) -> States:
    """Return the states of a listing's items.

    :param raws: the items' JSON.
    :param known: states of an earlier listing, reused for items whose JSON is the same.
    """
    same = {state.digest: state for state in known}
    digests = ((raw, _digest(raw, 16)) for raw in raws)
    return [same.get(digest) or _state(digest, decode(raw)) for raw, digest in digests]


def compare(before: Iterable[Known], after: Iterable[Known]) -> list[Change[Known]]:
    """Return the changes from one listing to another, in the order of the second one; removals come last.

    The order of configurations, and of keys in a JSON object, does not matter.

    :param before: the first listing.
    :param after: the second one.
    """
    olds, news = _by_key(before), _by_key(after)
    changes: list[Change[Known]] = []
    removed: list[Change[Known]] = []
    for key in {**news, **olds}:
        for old, new in _paired(olds.get(key, []), news.get(key, [])):
            if old is None:
                changes.append(Change("created", None, new, []))
            elif new is None:
                removed.append(Change("removed", old, None, []))
            elif old != new and (differing := _differing(old.fields(), new.fields())):
                changes.append(Change("updated", old, new, differing))
    return changes + removed


def _by_key(listing: Iterable[Known]) -> dict[str, list[Known]]:
    by_key: dict[str, list[Known]] = {}
    for each in listing:
        by_key.setdefault(each.key, []).append(each)
    return by_key


def _paired(olds: list[Known], news: list[Known]) -> Iterable[tuple[Known | None, Known | None]]:
    """Pair items with the same key. If several have it, as bare channels may, equal ones are paired first."""
    if len(olds) <= 1 and len(news) <= 1:
        return zip_longest(olds, news)
    before, after = ([(each.contents(), each) for each in side] for side in (olds, news))
    both = Counter(content for content, _ in before) & Counter(content for content, _ in after)
    return zip_longest(_without(both, before), _without(both, after))


def _without(both: Counter[_Contents], side: list[tuple[_Contents, Known]]) -> list[Known]:
    """Return what only this side has, sorted, because the order of a listing does not matter."""
    left, only = both.copy(), []
    for content, each in sorted(side, key=lambda pair: pair[0]):
        if left[content]:
            left[content] -= 1
        else:
            only.append(each)
    return only


def _differing(old: dict[str, str], new: dict[str, str]) -> list[Field]:
    paths = {**new, **old}
    return [Field(path, old.get(path), new.get(path)) for path in paths if old.get(path) != new.get(path)]


def _content(raw: bytes) -> Content:
    item = decode(raw)
    if not isinstance(item, dict):
        raise ValueError("the JSON is not an object")
    return Content(*_identity(item), raw)


def _state(digest: str, item: Item) -> State:
    return State(*_identity(item), digest, msgspec.Raw(msgspec.json.encode(_digests(item))))


def _digests(item: Any) -> dict[str, str]:
    return {path: _digest(value.encode(), 6) for path, value in fields(item).items()}


def _identity(item: Item) -> tuple[str, str, tuple[str, ...], tuple[tuple[str | None, str | None], ...]]:
    objects = [channel for channel in channels(item) if isinstance(channel, dict)]
    given = [text(item.get("name")), *(text(channel.get("templatename")) for channel in objects)]
    names = tuple(dict.fromkeys(_short(name) for name in given if name))
    places = tuple((text(channel.get("type")), text(channel.get("language"))) for channel in objects)
    identity = text(item_id(item)) or ""
    called = "" if identity else json.dumps([names, places, text(item.get("outboundnumber"))])
    return f"id:{identity}" if identity else f"bare:{called}", identity, names, places


def fields(item: Any) -> dict[str, str]:
    """Return the JSON text of each field that contains no other field, by path, in the order of the JSON.

    :param item: JSON data; an empty object or list is a value.
    """
    return {path: encode(value).decode() for path, value in _leaves("", item)}


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    left = [(path, value)]
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


def from_difference(before: str | None, after: str | None, *, longest: int) -> tuple[str | None, str | None]:
    """Return two values for a person to compare; long ones begin shortly before their first difference.

    :param before: a value; None if it was missing.
    :param after: what it is now; None if it is missing.
    :param longest: the most characters of a value that is shown from its beginning.
    """
    if before is None or after is None or max(len(before), len(after)) <= longest:
        return before, after
    pairs = enumerate(zip(before, after, strict=False))
    same = next((at for at, (old, new) in pairs if old != new), min(len(before), len(after)))
    begin = max(same - BEFORE_DIFFERENCE, 0)
    dots = "…" if begin else ""
    return f"{dots}{before[begin:]}", f"{dots}{after[begin:]}"


def has_place(state: State, channel: str | None, language: str | None) -> bool:
    """Tell whether a state has a channel of this type in this language; None stands for any."""
    if channel is language is None:
        return True
    return any(channel in (None, kind) and language in (None, spoken) for kind, spoken in state.places)
