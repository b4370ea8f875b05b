"""Read a whole listing page by page, with proof that no page was missed.

LivePerson documents no total, no largest page and no order. So each page after the first is asked for from
the last configuration that is held already, and must begin with that very one.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from airflow_provider_outbound.api import Api
from airflow_provider_outbound.errors import TRANSIENT, ProtocolError
from airflow_provider_outbound.protocol import Flow, host_of
from airflow_provider_outbound.templates import Criteria, Item, Look, newer

RESTARTS = 3  # times that a listing which changes while it is read is read again


@dataclass(frozen=True)
class Page:
    """Configurations that a listing holds from ``offset`` on; offset 0 begins the listing, or begins it again."""

    offset: int
    items: list[Item]


class Listing:
    """One listing, read page by page.

    :param api: the account to read.
    :param channel: a channel such as ``wa``; None for all.
    """

    def __init__(self, api: Api, channel: str | None = None) -> None:
        self.api, self.channel = api, channel
        self.calls = 0
        self._restarts = 0
        self._misfit: tuple[int, list[Item]] | None = None
        self._begin()

    def _begin(self) -> None:
        self.count = 0
        self.repeats = 0  # configurations listed more than once
        self._first: list[Item] = []
        self._last: Item = {}
        self._seen: set[str] = set()
        self._ended = False

    def next_page(self) -> Flow[Page | None]:
        """Ask for the next page; None at the end.

        :raises ProtocolError: if the server ignores offsets, or the listing keeps changing while it is read.
        """
        while not self._ended:
            # From the last one held, which must come first; if only one is held, that would be the first
            # request again, so ask past it, where there must be nothing.
            offset = max(self.count - 1, 1) if self.count else 0
            items = yield from self.api.list_page(self.channel, offset)
            self.calls += 1
            if offset == 0:
                self._first, self._ended = items, not items
                return self._hold(items)
            if offset == self.count:
                self._ended = not items
            elif items and identity(items[0]) == identity(self._last):
                if items[1:]:
                    return self._hold(items[1:])
                self._ended = True
            if not self._ended:
                self._start_over(offset, items)
        return None

    def _hold(self, items: list[Item]) -> Page:
        page = Page(self.count, items)
        for item in items:
            key = identity(item)
            self.repeats += key in self._seen
            self._seen.add(key)
            self._last = item
        self.count += len(items)
        if self.repeats > len(self._seen) + self.api.account.page_size:
            raise self._broken(f"the server repeats {len(self._seen)} configurations without end")
        return page

    def _start_over(self, offset: int, items: list[Item]) -> None:
        """Begin again after a page that does not fit, unless that can't help."""
        if [identity(item) for item in items] == [identity(item) for item in self._first]:
            raise self._broken(f"the server ignores offset {offset} and sends the first page again")
        if self._misfit == (offset, items):
            raise self._broken(
                f"the page at offset {offset} does not begin with the last configuration of the page before it, "
                "twice in the same way: the server does not count offsets in configurations"
            )
        if self._restarts == RESTARTS:
            raise self._broken(f"the listing kept changing, also when read {RESTARTS} times again")
        self._restarts += 1
        self._misfit = (offset, items)
        self._begin()

    def _broken(self, promise: str) -> ProtocolError:
        host = host_of(str(self.api.list_url))
        return ProtocolError(f"{host} can't be paged for account {self.api.account.account_id}: {promise}")


def identity(item: Item) -> str:
    """Return what tells an item from others: its id, or for a bare channel its whole content."""
    if item.get("id") is not None:
        return f"id {item['id']}"
    return hashlib.sha256(json.dumps(item, sort_keys=True).encode()).hexdigest()


def configurations(
    api: Api, channel: str | None = None, on_page: Callable[[int, int], None] = lambda calls, count: None
) -> Flow[list[Item]]:
    """Read a whole listing.

    :param api: the account to read.
    :param channel: a channel such as ``wa``; None for all.
    :param on_page: told, after each page, the calls made and the items held so far.
    :returns: every item in the server's order; a configuration that is listed twice once, as updated last.
    """
    listing = Listing(api, channel)
    items: list[Item] = []
    while (page := (yield from listing.next_page())) is not None:
        items[page.offset :] = page.items
        on_page(listing.calls, len(items))
    return unique(items)


def unique(items: list[Item]) -> list[Item]:
    """Return the items with each id once, as updated last; items without id are all kept."""
    by_id: dict[str, Item] = {}
    for number, item in enumerate(items):
        key = f"number {number}" if item.get("id") is None else identity(item)
        by_id[key] = newer(by_id[key], item) if key in by_id else item
    return list(by_id.values())


def find(api: Api, criteria: Criteria) -> Flow[Look]:
    """Look for a template once; an error that may pass counts as not seen.

    :param api: the account to look in.
    :param criteria: which template is meant.
    """
    try:
        items = yield from configurations(api, criteria.channel)
    except TRANSIENT as error:
        return Look(None, [], f"{criteria} could not be looked for: {error}")
    return criteria.look(items)


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
            if self._listed[key] > self._handed_out[key] and (item.get("id") is None or not self._handed_out[key]):
                self._handed_out[key] += 1
                new.append(item)
        return new
