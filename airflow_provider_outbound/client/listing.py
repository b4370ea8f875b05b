"""Read a whole listing page by page, with proof that no page was missed.

LivePerson documents no total, no largest page and no order. Therefore each page after the first is requested from
the last item already held, and must begin with it. The end is proven by two calls: first nothing is past the last
item, then the last item still comes alone from its own place. The other order could miss what a deletion between
the two calls moves up. The last call has a smaller limit: a server that takes the limit for the place where a page
ends then sends nothing, not the last item.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from typing import NamedTuple, TypeAlias

from airflow_provider_outbound.client.api import Api
from airflow_provider_outbound.client.sender import MOST_AHEAD
from airflow_provider_outbound.errors import ListingChanged, ProtocolError
from airflow_provider_outbound.model.codec import TOO_DEEP
from airflow_provider_outbound.model.items import Record, content_key, item_id

Key: TypeAlias = str | bytes

RESTART_WAITS = (1.0, 2.0, 4.0)  # seconds before a listing that changed while it was read is read again
FEW = 2  # configurations that the last call asks for: enough to see that the last one is not alone
FAR = 1_000_000  # configurations past the last one held, where an honest server has none


class Page(NamedTuple):
    """Items of a listing from number ``offset`` on; offset 0 begins the listing, or begins it again."""

    offset: int
    records: list[Record]
    keys: list[Key]  # what identifies each item: a configuration's id, or the content of anything else


def page_of(offset: int, records: list[Record]) -> Page:
    """Return a page of records."""
    return Page(offset, records, _keys(records))


def _keys(records: list[Record]) -> list[Key]:
    try:
        return [item_id(record.item) or content_key(record.item) for record in records]
    except RecursionError:
        raise ProtocolError(TOO_DEEP) from None


class Listing:
    """One listing, read page by page.

    :param api: the account to read.
    :param channel: a channel such as ``wa``; None for all.
    """

    def __init__(self, api: Api, channel: str | None = None) -> None:
        self.api, self.channel = api, channel
        self.calls = self.count = 0
        self.repeated: Counter[str] = Counter()  # how often each id was repeated in the last reading

    def pages(self) -> Iterator[Page]:
        """Yield the pages; a page of offset 0 discards those before it.

        If a configuration is listed twice, it may have moved, and another one may be missing. So the listing is
        read once more; if the same ones are repeated again, they are listed twice.

        :raises ListingChanged: if the listing changes each time that it is read.
        :raises ProtocolError: if the server does not page as documented.
        """
        shifted: _Shifted | None = None
        listed_twice: Counter[str] = Counter()
        for wait in (*RESTART_WAITS, None):
            attempt = _Attempt(self)
            self.repeated = attempt.repeated
            try:
                for page in attempt.pages():
                    self.count = page.offset + len(page.records)
                    yield page
            except _Shifted as error:
                if shifted and shifted.misfit == error.misfit:
                    raise self.unpageable(error.blame) from None
                shifted = error
            else:
                if attempt.repeated == listed_twice:
                    return
                listed_twice = attempt.repeated
            if wait and self.api.access.retry_waits:  # a sensor's look does not wait: it is repeated anyway
                self.api.sleep(wait)
        raise ListingChanged(
            f"The listing at {self.api.access.place} keeps changing: it changed during each of "
            f"{1 + len(RESTART_WAITS)} readings. Read it when nobody edits templates"
        )

    def request(self, offset: int, ahead: Sequence[int] = (), limit: int | None = None) -> list[Record]:
        """Return one page, and count the call; see :meth:`Api.list_page`."""
        self.calls += 1
        return self.api.list_page(self.channel, offset, ahead, limit)

    def unpageable(self, blame: str) -> ProtocolError:
        """Return the error for a server that does not page as documented."""
        return ProtocolError(
            f"Can't read the whole listing at {self.api.access.place}: {blame}. Report it to LivePerson's support"
        )


class _Shifted(Exception):
    """A page does not continue the listing: that changed, or the server does not page as documented.

    :param misfit: the offset and the identities of the page, and the pages before it.
    :param blame: what to say about the server if another reading ends with the same misfit.
    """

    def __init__(self, misfit: tuple[int, list[Key], Set[int]], blame: str) -> None:
        super().__init__()
        self.misfit, self.blame = misfit, blame


class _Attempt:
    """One reading of a listing from its beginning."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._count = 0
        self._first: list[Key] = []  # the identities of the first page
        self._last: Key = ""  # the identity of the last item held
        self._length = 0  # of the last page that began with it
        self._full = False  # whether that page was as long as pages are
        self._ids: set[str] = set()
        self._pages: set[int] = set()  # a hash of each page held
        self._most = math.inf  # items that an honest server can have; unlimited until checked
        self.repeated: Counter[str] = Counter()

    def pages(self) -> Iterator[Page]:
        # An empty listing is believed the second time: a stray response would let all configurations seem removed.
        records = self._listing.request(0) or self._listing.request(0)
        self._first = _keys(records)
        self._length = len(records)
        self._full = self._length == self._listing.api.access.page_size
        yield self._hold(records)
        while records:
            was_full = self._full
            if was_full:
                records = self._after_last(self._guesses())
            if not was_full or not records:
                beyond = self._listing.request(self._count)
                records = self._after_last(limit=None if beyond else FEW) or self._next_alone(beyond)
            if records:
                yield self._hold(records)

    def _after_last(self, ahead: Sequence[int] = (), limit: int | None = None) -> list[Record]:
        """Return the items that follow the last one held, which must come first from its own place."""
        offset = self._count - 1
        records = self._listing.request(offset, ahead, limit)
        if _keys(records[:1]) != [self._last]:
            raise self._shift(offset, limit or self._listing.api.access.page_size, records)
        self._full = len(records) > 1 and len(records) in (limit, self._listing.api.access.page_size, self._length)
        self._length = len(records) if limit is None else self._length
        return records[1:]

    def _next_alone(self, beyond: list[Record]) -> list[Record]:
        """Return what is past the last item held, where pages have one item."""
        keys = _keys(beyond)
        if beyond and (keys == self._first or keys[-1] == self._last):
            self._look_far()
        return beyond

    def _guesses(self) -> Sequence[int]:
        """Return the offsets that will probably follow: no more than pages read, or than a second allows."""
        rate = math.ceil(self._listing.api.access.account.requests_per_second)
        step = self._length - 1  # the first item of each page is the last one of the page before it
        pages = min(rate, MOST_AHEAD, self._listing.calls) if step else 0
        return range(self._count - 1 + step, self._count + step * pages, step or 1)

    def _hold(self, records: list[Record]) -> Page:
        page = page_of(self._count, records)
        self._check_progress(hash(tuple(page.keys)))
        for key in page.keys:
            if isinstance(key, str):
                if key in self._ids:
                    self.repeated[key] += 1
                self._ids.add(key)
        self._count += len(records)
        self._last = page.keys[-1] if records else ""
        return page

    def _check_progress(self, page: int) -> None:
        """Refuse a server that repeats its pages for ever; items may honestly have the same content."""
        if page in self._pages:
            self._look_far()
        self._pages.add(page)
        if self._count > self._most:
            raise self._listing.unpageable("the server repeats configurations without end")

    def _look_far(self) -> None:
        """Refuse a server that sends configurations at any offset; one check per attempt is enough."""
        if self._most == math.inf:
            far = self._count + FAR
            if self._listing.request(far):
                raise self._listing.unpageable(f"the server ignores offset {far} and sends configurations there")
            self._most = far

    def _shift(self, offset: int, limit: int, records: list[Record]) -> _Shifted:
        keys = _keys(records)
        if keys == self._first:
            blame = f"the server ignores offset {offset} and sends the first page again"
        else:
            blame = (
                f"the page at offset {offset} with limit {limit} does not begin with the last configuration of "
                "the page before it, twice in the same way. The server does not count offset and limit in "
                "configurations"
            )
            if said := self._listing.api.said:
                blame += f". It sent: {said}"
        return _Shifted((offset, keys, self._pages), blame)
