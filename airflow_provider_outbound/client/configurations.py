"""The configurations of an account, each once: kept in memory or on disk, looked through, or as they come."""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from airflow_provider_outbound.client.api import Api
from airflow_provider_outbound.client.listing import Listing, Page, identity, item_id
from airflow_provider_outbound.client.protocol import Flow
from airflow_provider_outbound.errors import TRANSIENT, OutboundError
from airflow_provider_outbound.model.codec import encode
from airflow_provider_outbound.model.items import Item, Record, merged, newer
from airflow_provider_outbound.model.matching import Criteria, Match, TemplateIndex


class Items(Protocol):
    """Where a listing's items are kept: a list, or a :class:`~airflow_provider_outbound.spool.Spool`."""

    def __len__(self) -> int: ...
    def __getitem__(self, number: int, /) -> Item: ...
    def __setitem__(self, where: slice, items: Iterable[Item], /) -> None: ...


class Configurations:
    """The items of one listing or of several, each id once, in the server's order.

    A configuration that one listing has twice is taken as updated last; of one that several channels' listings
    have, the channels are put together. Items without id are all kept.

    :param items: where to keep them.
    """

    def __init__(self, items: Items) -> None:
        self._items = items
        self._ids: list[str] = []  # of each item
        self._begins: list[int] = []  # the number of each listing's first item

    def read(self, listing: Listing, on_page: Callable[[Listing], None] = lambda listing: None) -> Flow[None]:
        """Read a whole listing, after those that were read before.

        :param listing: what to read, from its beginning.
        :param on_page: is told after each page.
        """
        begin = len(self._ids)
        self._begins.append(begin)
        while (page := (yield from listing.next_page())) is not None:
            self._items[begin + page.offset :] = page.items
            self._ids[begin + page.offset :] = map(item_id, page.items)
            on_page(listing)

    def __iter__(self) -> Iterator[Item]:
        first: dict[str, int] = {}
        again: dict[str, list[int]] = {}
        for number, key in enumerate(self._ids):
            if key and first.setdefault(key, number) != number:
                again.setdefault(key, []).append(number)
        for number, key in enumerate(self._ids):
            if key in again:
                if first[key] == number:
                    yield self._one([number, *again[key]])
            else:
                yield self._items[number]

    def _one(self, numbers: list[int]) -> Item:
        """Return one configuration for all items of an id."""
        latest: dict[int, Item] = {}
        for number in numbers:
            listing, item = bisect(self._begins, number), self._items[number]
            latest[listing] = newer(latest[listing], item) if listing in latest else item
        return merged(list(latest.values()))


def configurations(listing: Listing) -> Flow[list[Item]]:
    """Read a whole listing.

    :param listing: what to read, from its beginning.
    """
    found = Configurations(list[Item]())
    yield from found.read(listing)
    return list(found)


def indexed(items: Iterable[Item]) -> TemplateIndex:
    """Return an index of decoded items."""
    return TemplateIndex(Record(encode(item), item) for item in items)


def look_at(criteria: Criteria, found: TemplateIndex | OutboundError) -> Match:
    """Look for a template in a listing; an error that may pass counts as not seen.

    :param criteria: which template is meant.
    :param found: the listing, or the error that came instead.
    :raises OutboundError: if it is one that can't pass.
    """
    if isinstance(found, TemplateIndex):
        return criteria.match(found)
    if isinstance(found, TRANSIENT):
        return Match(None, [], f"Could not look for {criteria}: {found}")
    raise found


def find(api: Api, criteria: Criteria) -> Flow[Match]:
    """Read a listing and look for a template in it; an error that may pass counts as not seen.

    :param api: the account to look in.
    :param criteria: which template is meant.
    """
    found: TemplateIndex | OutboundError
    try:
        found = indexed((yield from configurations(Listing(api, criteria.channel))))
    except OutboundError as error:
        found = error
    return look_at(criteria, found)


class Once:
    """Pick from pages what was not handed out before, also when the listing is read again."""

    def __init__(self) -> None:
        self._handed_out: Counter[str] = Counter()
        self._listed: Counter[str] = Counter()

    def pick(self, page: Page) -> list[Item]:
        """Return the page's items that are new.

        :param page: the next page of one listing.
        """
        if page.offset == 0:
            self._listed.clear()
        new = []
        for item in page.items:
            key = identity(item)
            self._listed[key] += 1
            if self._listed[key] > self._handed_out[key] and not (item_id(item) and self._handed_out[key]):
                self._handed_out[key] += 1
                new.append(item)
        return new
