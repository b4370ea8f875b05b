"""The configurations of an account, each once: kept in memory or on disk, indexed by name, or as they come."""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from airflow_provider_outbound.client.api import Api
from airflow_provider_outbound.client.listing import Key, Listing, Page, identity
from airflow_provider_outbound.client.spool import Spool
from airflow_provider_outbound.model.codec import encode
from airflow_provider_outbound.model.items import Item, Record, item_id, merged, newer
from airflow_provider_outbound.model.matching import TemplateIndex


class Records(Protocol):
    """Where a listing's records are kept: a list, or a :class:`~airflow_provider_outbound.client.spool.Spool`."""

    def __len__(self) -> int: ...
    def __getitem__(self, number: int, /) -> Record: ...
    def __setitem__(self, where: slice, records: Iterable[Record], /) -> None: ...


class Configurations:
    """The records of one listing or of several, each id once, in the server's order.

    If one listing has a configuration twice, the state that was updated last counts. If several channels' listings
    contain it, their channels are merged. Bare channels are kept as often as one listing has them.

    :param records: where to keep them.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._ids: list[str] = []  # of each record
        self._begins: list[int] = []  # the number of each listing's first record

    def read(self, listing: Listing, on_page: Callable[[Listing], object] = lambda listing: None) -> None:
        """Read a whole listing, after those that were read before.

        :param listing: what to read, from its beginning.
        :param on_page: called after each page.
        """
        begin = len(self._ids)
        self._begins.append(begin)
        for page in listing.pages():
            self._records[begin + page.offset :] = page.records
            self._ids[begin + page.offset :] = [item_id(record.item) for record in page.records]
            on_page(listing)

    def __iter__(self) -> Iterator[Record]:
        numbers: dict[str, list[int]] = {}
        for number, key in enumerate(self._ids):
            if key:
                numbers.setdefault(key, []).append(number)
        once = Once()
        for number, key in enumerate(self._ids):
            if number in self._begins:
                once.begin()
            same = numbers.get(key, [number])
            if same[0] != number:
                continue
            record = self._records[number] if len(same) == 1 else self._one(same)
            if key or len(self._begins) == 1 or once.is_new(record):
                yield record

    def _one(self, numbers: list[int]) -> Record:
        """Return one record for all of an id."""
        latest: dict[int, Record] = {}
        for number in numbers:
            listing, record = bisect(self._begins, number), self._records[number]
            held = latest.setdefault(listing, record)
            if held is not record and newer(held.item, record.item) is record.item:
                latest[listing] = record
        states = list(latest.values())
        item = merged([record.item for record in states])
        return next((record for record in states if record.item is item), None) or Record(encode(item), item)


def read_index(api: Api, channel: str | None) -> TemplateIndex:
    """Read a listing and index it by the names of its templates.

    :param api: the account to read.
    :param channel: a channel such as ``wa``; None for all.
    """
    with Spool() as spool:
        found = Configurations(spool)
        found.read(Listing(api, channel))
        return TemplateIndex(found)


class Once:
    """Pick the items from pages that were not picked before, also when the listing is read again."""

    def __init__(self) -> None:
        self._picked: Counter[Key] = Counter()
        self._listed: Counter[Key] = Counter()

    def pick(self, page: Page) -> list[Item]:
        """Return the page's items that are new.

        :param page: the next page of one listing.
        """
        if page.offset == 0:
            self.begin()
        return [record.item for record in page.records if self.is_new(record)]

    def begin(self) -> None:
        """Begin with a listing, or begin it again."""
        self._listed.clear()

    def is_new(self, record: Record) -> bool:
        """Tell whether a record was not picked before: a configuration once, others as often as a listing has it.

        :param record: the next record of the listing.
        """
        key = identity(record)
        self._listed[key] += 1
        new = self._listed[key] > self._picked[key] and not (item_id(record.item) and self._picked[key])
        self._picked[key] += new
        return new
