"""The configurations of an account, each once: page by page, indexed by name, or as they arrive."""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeAlias

from airflow_provider_outbound.client.api import Api
from airflow_provider_outbound.client.listing import Key, Listing, Page, page_of
from airflow_provider_outbound.client.spool import Spool
from airflow_provider_outbound.model.codec import encode
from airflow_provider_outbound.model.items import Item, Record, merged, newer
from airflow_provider_outbound.model.matching import TemplateIndex

MERGED = 100  # configurations per page of what was merged


Records: TypeAlias = list[Record] | Spool  # where listings' records are kept


class Configurations:
    """The records of one listing or of several, each id once, in the server's order.

    If one listing has a configuration twice, the state that was updated last counts. If several channels' listings
    contain it, their channels are merged. Bare channels are kept as often as one listing has them.

    :param records: where to keep them; empty at first.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._keys: list[Key] = []  # of each record
        self._begins: list[int] = []  # the number of each listing's first record

    def read(
        self, listings: Sequence[Listing], on_page: Callable[[Listing], object] = lambda listing: None
    ) -> Iterator[Page]:
        """Read listings, and yield what they hold; a page of offset 0 discards those before it.

        The pages of a single listing are yielded as they arrive. If it has a configuration twice, or there are
        several listings, everything is yielded at the end.

        :param listings: what to read.
        :param on_page: called after each page.
        :raises OutboundError: if a listing can't be read whole. Discard what was yielded before.
        """
        for listing in listings:
            begin = len(self._keys)
            self._begins.append(begin)
            for page in listing.pages():
                self._records[begin + page.offset :] = page.records
                self._keys[begin + page.offset :] = page.keys
                on_page(listing)
                if len(listings) == 1:
                    yield page
        if len(listings) > 1 or listings[0].repeated:
            records, offset = self._merged(), 0
            while (page := page_of(offset, list(islice(records, MERGED)))).records or not offset:
                yield page
                offset += MERGED

    def _merged(self) -> Iterator[Record]:
        numbers: dict[Key, list[int]] = {}
        for number, key in enumerate(self._keys):
            if isinstance(key, str):
                numbers.setdefault(key, []).append(number)
        once = Once()
        for number, key in enumerate(self._keys):
            if number in self._begins:
                once.begin()
            if once.is_new(key):
                same = numbers.get(key, [number])
                yield self._records[number] if len(same) == 1 else self._one(same)

    def _one(self, numbers: list[int]) -> Record:
        """Return one record for all records of an id."""
        latest: dict[int, Record] = {}
        for number in numbers:
            listing, record = bisect(self._begins, number), self._records[number]
            held = latest.setdefault(listing, record)
            if held is not record and newer(held.item, record.item) is record.item:
                latest[listing] = record
        states = list(latest.values())
        item = merged([record.item for record in states]) if len(states) > 1 else states[0].item
        return next((record for record in states if record.item is item), None) or Record(encode(item), item)


class Once:
    """Pick what was not picked before, even if a listing is read again.

    A configuration counts once; bare channels, which have no id, as often as one listing has them.
    """

    def __init__(self) -> None:
        self._picked: Counter[Key] = Counter()
        self._listed: Counter[Key] = Counter()

    def pick(self, page: Page) -> list[Item]:
        """Return the page's items that are new."""
        if page.offset == 0:
            self.begin()
        return [record.item for record, key in zip(page.records, page.keys, strict=True) if self.is_new(key)]

    def begin(self) -> None:
        """Begin a listing, or begin it again."""
        self._listed.clear()

    def is_new(self, key: Key) -> bool:
        """Tell whether an item was not picked before."""
        self._listed[key] += 1
        new = self._listed[key] > self._picked[key] and not (isinstance(key, str) and self._picked[key])
        self._picked[key] += new
        return new


def read_index(api: Api, channel: str | None) -> TemplateIndex:
    """Read a listing and index it by the names of its templates.

    :param api: the account to read.
    :param channel: a channel such as ``wa``; None for all.
    """
    index = TemplateIndex()
    with Spool() as spool:
        for page in Configurations(spool).read([Listing(api, channel)]):
            if page.offset == 0:
                index = TemplateIndex()
            index.add(page.records)
    return index
