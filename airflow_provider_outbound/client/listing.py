"""Read a whole listing page by page, with proof that no page was missed.

LivePerson documents no total, no largest page and no order. So each page after the first is asked for from
the last configuration that is held already, and must begin with that very one.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from airflow_provider_outbound.client.api import Api
from airflow_provider_outbound.client.protocol import MOST_AHEAD, Flow, host_of
from airflow_provider_outbound.errors import ProtocolError
from airflow_provider_outbound.model.items import Item

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
        self._repeated_before: Counter[str] = Counter()
        self._begin()

    def _begin(self) -> None:
        self.count = 0
        self._length, self._full = 0, False  # of the page that came last
        self.repeated: Counter[str] = Counter()  # how often an id came again
        self._first: list[Item] = []
        self._last: Item = {}
        self._seen: set[str] = set()
        self._repeats = 0
        self._alone = False  # the last one held came with none after it
        self._none_beyond = False  # nothing came past it
        self._beyond: list[Item] = []  # something came past it all the same
        self._ended = False

    def next_page(self) -> Flow[Page | None]:
        """Ask for the next page; None at the end, which only an empty page proves.

        :raises ProtocolError: if the server ignores offsets, or the listing keeps changing while it is read.
        """
        while not self._ended:
            # From the last one held, which must come first. If it comes alone, the end is near: past it, there
            # must be nothing. If only one is held, the other way round: asking from it first would tell nothing.
            past = self._alone or (self.count == 1 and not self._none_beyond)
            offset = self.count if past else max(self.count - 1, 0)
            items = yield from self.api.list_page(self.channel, offset, self._ahead(offset))
            self.calls += 1
            self._full = len(items) in (self.api.account.page_size, self._length)
            self._length = len(items)
            if self.count == 0:
                self._first = items
                return self._hold(items)
            if past and not items:
                self._none_beyond = True
            elif self._alone:
                self._alone, self._beyond = False, items  # it may have come alone by chance: ask again
                continue
            elif not past and items and identity(items[0]) == identity(self._last):
                if items[1:]:
                    return self._hold(items[1:])
                if self._beyond:
                    raise self._broken(
                        f"at offset {self.count} there are {len(self._beyond)} more, "
                        f"but none after the last one at offset {offset}"
                    )
                self._alone = True
            else:
                self._start_over(offset, items)
            if self._alone and self._none_beyond:
                self._end()
        return None

    def _ahead(self, offset: int) -> Sequence[int]:
        """Guess the offsets to be asked for after this one; what comes in between decides."""
        rate = math.ceil(self.api.account.requests_per_second)
        step = self._length - 1  # the first one of each page is the last of the page before it
        if offset + 1 != self.count or not rate:
            return ()
        if self._full and step:
            # No more than have been read, so that a guess too many costs a short listing little.
            pages = min(rate, MOST_AHEAD, self.calls)
            return range(offset + step, offset + step * pages + 1, step)
        return [self.count]

    def _hold(self, items: list[Item]) -> Page:
        page = Page(self.count, items)
        for item in items:
            key = identity(item)
            if key in self._seen:
                self._repeats += 1
                self.repeated.update([key] if item_id(item) else [])
            self._seen.add(key)
            self._last = item
        self.count += len(items)
        self._alone, self._none_beyond, self._beyond, self._ended = False, False, [], not items
        if self._repeats > len(self._seen) + self.api.account.page_size:
            raise self._broken(f"the server repeats {len(self._seen)} configurations without end")
        return page

    def _end(self) -> None:
        """Take the listing as whole, unless an id came twice: it may have moved, and another one with it."""
        self._ended = self.repeated == self._repeated_before
        if not self._ended:
            before = self.repeated
            self._read_again()
            self._repeated_before = before

    def _start_over(self, offset: int, items: list[Item]) -> None:
        """Begin again after a page that does not fit, unless that can't help."""
        if self._is_first(items):
            raise self._broken(f"the server ignores offset {offset} and sends the first page again")
        if self._misfit == (offset, items):
            raise self._broken(
                f"the page at offset {offset} does not begin with the last configuration of the page before it, "
                "twice in the same way: the server does not count offsets in configurations"
            )
        self._misfit = (offset, items)
        self._read_again()

    def _read_again(self) -> None:
        if self._restarts == RESTARTS:
            raise self._broken(f"the listing kept changing, also when read {RESTARTS} times again")
        self._restarts += 1
        self._begin()

    def _is_first(self, items: list[Item]) -> bool:
        return [identity(item) for item in items] == [identity(item) for item in self._first]

    def _broken(self, promise: str) -> ProtocolError:
        host = host_of(str(self.api.list_url))
        return ProtocolError(f"{host} can't be paged for account {self.api.account.account_id}: {promise}")


def item_id(item: Item) -> str:
    """Return an item's id, with its type; empty for an item without one, such as a bare channel."""
    value = item.get("id")
    return f"{type(value).__name__} {value}" if isinstance(value, (str, int)) and value else ""


def identity(item: Item) -> str:
    """Return what tells an item from others: its id, or its whole content if it has none."""
    return item_id(item) or hashlib.sha256(json.dumps(item, sort_keys=True).encode()).hexdigest()
