"""Paging: every configuration, or an error that says why not; never a loop, never a row less in silence."""

from __future__ import annotations

import json
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_outbound.client.account import Account, Secret
from airflow_provider_outbound.client.api import Access, Api
from airflow_provider_outbound.client.configurations import Configurations
from airflow_provider_outbound.client.listing import FAR, Listing
from airflow_provider_outbound.client.prefetch import Prefetch
from airflow_provider_outbound.client.sender import Request, Response, Sender
from airflow_provider_outbound.errors import AuthError, ListingChanged, NetworkError, OutboundError, ProtocolError
from tests.clock import Clock
from tests.conftest import Client
from tests.fake import Fake, Hit, Reply, bare, changing, configuration, grant, paged

Items = list[dict[str, Any]]


def read(fake: Fake, client: Client, **more: Any) -> Items:
    return client.read(fake.account(**more))


@pytest.mark.parametrize("count", [1, 2, 19, 20, 21, 30, 31, 100])
@pytest.mark.parametrize("cap", [2, 3, 20, 30, 1000])
@pytest.mark.parametrize("make", [configuration, bare])
def test_capped_pages(client: Client, count: int, cap: int, make: Callable[[int], dict[str, Any]]) -> None:
    items = [make(number) for number in range(count)]
    with Fake(paged(items, cap)) as fake:
        assert read(fake, client) == items
    most_a_page = min(cap, 30)
    # The pages, two calls that prove the end, two to find out that pages are capped or that the last one is full.
    assert fake.kinds().count("list") <= 5 + count / (most_a_page - 1)


@pytest.mark.fault("P1")
def test_thousand_configurations_capped_at_20(client: Client) -> None:
    items = [configuration(number) for number in range(1000)]
    with Fake(paged(items, 20)) as fake:
        assert read(fake, client, page_size=30) == items


@pytest.mark.fault("P7")
@pytest.mark.parametrize("make", [configuration, bare, lambda number: bare(0)])
def test_pages_of_one_are_complete(client: Client, make: Callable[[int], dict[str, Any]]) -> None:
    items = [make(number) for number in range(7)]
    with Fake(paged(items, 1)) as fake:
        assert read(fake, client) == items
    assert fake.kinds().count("list") <= 2 * len(items) + 3


@pytest.mark.fault("P2")
@pytest.mark.parametrize("count", [1, 2, 29, 30, 1000])
@pytest.mark.parametrize("make", [configuration, bare])
def test_offset_ignored(client: Client, count: int, make: Callable[[int], dict[str, Any]]) -> None:
    items = [make(number) for number in range(count)]
    with Fake(lambda hit: items[: int(hit.query["limit"])]) as fake:
        with pytest.raises(ProtocolError, match=rf"{fake.host}.*12345678.*ignores offset"):
            read(fake, client)
    assert fake.kinds().count("list") <= 6


@pytest.mark.fault("P2")
@pytest.mark.parametrize("count", [31, 59, 60, 90, 1000])
def test_offset_counted_in_pages(client: Client, count: int) -> None:
    items = [configuration(number) for number in range(count)]
    with Fake(lambda hit: items[hit.offset * 30 : hit.offset * 30 + 30]) as fake:
        with pytest.raises(ProtocolError, match="does not count offset and limit in configurations"):
            read(fake, client)
    assert fake.kinds().count("list") == 4


@pytest.mark.fault("P2")
@pytest.mark.parametrize("count", [31, 45, 58])
def test_offset_clamped_to_the_last_page(client: Client, count: int) -> None:
    items = [configuration(number) for number in range(count)]

    def clamped(hit: Hit) -> Items:
        begin = min(hit.offset, len(items) - 30)
        return items[begin : begin + 30]

    with Fake(clamped) as fake:
        with pytest.raises(ProtocolError, match="does not count offset and limit in configurations"):
            read(fake, client)
    assert fake.kinds().count("list") == 4


@pytest.mark.fault("P2")
@pytest.mark.parametrize("count", [12, 45])
def test_offset_clamped_past_the_end_only(client: Client, count: int) -> None:
    items = [configuration(number) for number in range(count)]
    with Fake(lambda hit: items[hit.offset if hit.offset < count else count // 30 * 30 :][:30]) as fake:
        with pytest.raises(ProtocolError, match="Can't read the whole listing"):
            read(fake, client)
    assert fake.kinds().count("list") <= 10


@pytest.mark.fault("P2")
@pytest.mark.parametrize("make", [configuration, bare, lambda number: bare(0)])
def test_round_and_round(client: Client, make: Callable[[int], dict[str, Any]]) -> None:
    items = [make(number) for number in range(7)]
    with Fake(lambda hit: [items[(hit.offset + step) % 7] for step in range(5)]) as fake:
        with pytest.raises(ProtocolError, match="Can't read the whole listing"):
            read(fake, client)
    assert len(fake.hits) < 30


@pytest.mark.fault("P2")
@pytest.mark.parametrize(("count", "size"), [(101, 100), (250, 100), (5, 3)])
@pytest.mark.parametrize(("nothing", "calls"), [([], 8), (Reply(404, b"no more"), 12)])  # a 404 may be stray
def test_limit_taken_for_the_place_where_a_page_ends(
    client: Client, count: int, size: int, nothing: Any, calls: int
) -> None:
    items = [configuration(number) for number in range(count)]
    words = f"offset {size - 1} with limit 2 .* does not count offset and limit in configurations"
    with Fake(lambda hit: items[hit.offset : int(hit.query["limit"])] or nothing) as fake:
        with pytest.raises(ProtocolError, match=words):
            read(fake, client, page_size=size)
    assert fake.kinds().count("list") == calls


CHANGES: dict[str, Callable[[Items], object]] = {
    "inserted first": lambda items: items.insert(0, configuration(1000)),
    "inserted last": lambda items: items.append(configuration(1000)),
    "inserted five": lambda items: items.__setitem__(slice(3, 3), [configuration(1000 + n) for n in range(5)]),
    "deleted first": lambda items: items.pop(0),
    "deleted at the border": lambda items: items.pop(29),
    "deleted last": lambda items: items.pop(),
    "deleted all": lambda items: items.clear(),
    "deleted all but one": lambda items: items.__delitem__(slice(1, None)),
    "moved to the front": lambda items: items.insert(0, items.pop(70)),
    "moved to the end": lambda items: items.append(items.pop(3)),
    "turned round": lambda items: items.reverse(),
}


@pytest.mark.fault("P3")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("when", [1, 2, 3])
def test_changed_while_paging(client: Client, change: Callable[[Items], object], when: int) -> None:
    items = [configuration(number) for number in range(90)]
    with Fake(changing(items, {when: change})) as fake:
        got = read(fake, client)
    names = [item["name"] for item in got]
    assert len(set(names)) == len(names)
    assert set(names) >= {item["name"] for item in items} - {"n1000"}


@pytest.mark.fault("P3")
def test_items_deleted_while_paging_are_gone(client: Client) -> None:
    items = [configuration(number) for number in range(90)]
    with Fake(changing(items, {2: lambda items: items.pop(0)})) as fake:
        assert read(fake, client) == items


@pytest.mark.fault("P3")
def test_the_same_misfit_after_other_pages_is_a_change(client: Client) -> None:
    items = [configuration(number) for number in range(12)]
    script = changing(
        items,
        {
            1: lambda items: items.pop(6),
            3: lambda items: items.insert(0, configuration(12)),
            4: lambda items: items.pop(4),
        },
    )
    with Fake(lambda hit: script(hit)[:8]) as fake:
        assert read(fake, client) == items
    lists = [hit.offset for hit in fake.hits if hit.kind == "list"]
    assert lists.count(0) == 3


@pytest.mark.fault("P3")
def test_keeps_changing(client: Client) -> None:
    items = [configuration(number) for number in range(90)]
    always = {call: (lambda items: items.insert(0, configuration(len(items)))) for call in range(1, 100, 2)}
    with (
        Fake(changing(items, always)) as fake,
        pytest.raises(ListingChanged, match="keeps changing: it changed during each of 4 readings"),
    ):
        read(fake, client)
    assert fake.kinds().count("list") == 8
    assert client.waits == [1.0, 2.0, 4.0]


@pytest.mark.fault("P3")
def test_a_look_without_retries_reads_a_changed_listing_again_at_once(client: Client) -> None:
    items = [configuration(number) for number in range(90)]
    with Fake(changing(items, {2: lambda items: items.pop(0)})) as fake:
        assert client.read(fake.account(), retry_waits=()) == items
    assert client.waits == []


@pytest.mark.fault("P3")
def test_as_many_new_ones_on_top_as_make_the_first_page_again(client: Client) -> None:
    items = [configuration(number) for number in range(90)]
    on_top = [configuration(1000 + number) for number in range(29)]
    with Fake(changing(items, {1: lambda items: items.__setitem__(slice(0, 0), on_top)})) as fake:
        assert read(fake, client) == items
    assert client.waits == [1.0]


@pytest.mark.fault("P3")
def test_nothing_is_lost_to_a_deletion_while_the_end_is_proven(client: Client) -> None:
    """Asking from the last item first and past it second would lose the row that the deletion moves up."""
    for when in range(1, 5):
        items = [configuration(number) for number in range(3)]

        def grow(items: Items) -> None:
            items.append(configuration(7))
            items.pop(0)

        with Fake(changing(items, {when: grow})) as fake:
            got = read(fake, client)
        assert {item["id"] for item in got} >= {item["id"] for item in items} - {"id-7"}


@pytest.mark.fault("P7")
def test_a_call_that_announces_none_is_not_answered_from_ahead() -> None:
    sent_ahead = threading.Event()

    def reply(hit: Hit) -> Any:
        if hit.offset == 1:
            sent_ahead.set()
        return [configuration(number) for number in range(2 if sent_ahead.wait(5) else 0)]

    # Such calls prove a listing's end by their order: a deletion between them may not be missed.
    with Fake(reply) as fake:
        account = fake.account()
        first, second = (Request("GET", f"{account.list_url}/handoffs/list?offset={at}") for at in (0, 1))
        with Prefetch(Sender(account)) as send:
            send(replace(first, ahead=(second,)))
            send(second)
        assert sorted(hit.offset for hit in fake.hits) == [0, 1, 1]  # the first two leave together


@pytest.mark.fault("P4")
def test_same_id_twice(client: Client) -> None:
    old, new = configuration(5, updatedAt="2026-01-02T00:00:00Z"), configuration(5, updatedAt="2026-03-01")
    items = [configuration(number) for number in range(100)]
    for first, second in ((old, new), (new, old)):
        items[5], items[70] = first, second
        with Fake(paged(items)) as fake:
            account = fake.account()
            got = client.read(account)
        assert got == [*items[:5], new, *items[6:70], *items[71:]]


@pytest.mark.fault("P4")
def test_repeats_are_counted(client: Client) -> None:
    with Fake(paged([configuration(number % 40) for number in range(60)])) as fake:
        with client.open(client.access(fake.account())) as api:
            listing = Listing(api)
            assert len(list(listing.pages())) == 6  # read twice, since what comes twice may have moved
    assert (listing.count, len(listing.repeated)) == (60, 20)


@pytest.mark.fault("P5")
def test_bare_channels_are_kept(client: Client) -> None:
    items = [bare(number // 2) for number in range(90)]
    with Fake(paged(items)) as fake:
        assert read(fake, client) == items


@pytest.mark.fault("P5")
def test_a_single_object(client: Client) -> None:
    with Fake(lambda hit: [] if hit.offset else bare(1)) as fake:
        assert read(fake, client) == [bare(1)]


@pytest.mark.fault("P6")
def test_empty_account(client: Client) -> None:
    with Fake([[]]) as fake:
        assert read(fake, client) == []
    assert fake.kinds() == ["token", "list", "list"]


@pytest.mark.fault("R13")
@pytest.mark.parametrize("nothing", [[], Reply(204, b"")])
@pytest.mark.parametrize("readings", [1, 2])
def test_one_stray_nothing_empties_no_listing(client: Client, nothing: Any, readings: int) -> None:
    """In the second reading too, which begins again because a deletion moved the second page."""
    items = [configuration(number) for number in range(40)]
    first = count(1)

    def respond(hit: Hit) -> Any:
        if hit.offset == 0 and next(first) == readings:
            return nothing
        if readings == 2 and hit.offset and len(items) == 40:
            items.pop(0)
        return paged(items)(hit)

    with Fake(respond) as fake:
        assert read(fake, client) == items


@pytest.mark.parametrize(("count", "calls"), [(0, 2), (1, 3), (29, 3), (30, 4), (31, 4), (90, 6)])
def test_calls_of_a_listing(client: Client, count: int, calls: int) -> None:
    with Fake(paged([configuration(number) for number in range(count)])) as fake:
        read(fake, client)
    assert fake.kinds().count("list") == calls


BEARER = Account(
    account_id="1", secret=Secret("t"), auth="bearer", list_url="http://127.0.0.1", page_size=5, timeout=5
)


def read_offline(respond: Callable[[int], Items], ahead: int = 0) -> Items:
    """Read a listing from a function of the offset, without HTTP, with that many requests sent ahead."""
    held: dict[str, Response] = {}

    def answer(request: Request) -> Response:
        offset = int(dict(parse_qsl(urlsplit(request.url).query))["offset"])
        return Response(200, {}, json.dumps(respond(offset)).encode())

    def send(request: Request) -> Response:
        if request.url not in held:
            held.clear()
        response = held.pop(request.url, None) or answer(request)
        for later in request.ahead[:ahead]:
            held[later.url] = held.get(later.url) or answer(later)
        return response

    items: list[Any] = []
    for page in Configurations([]).read([Listing(Api(Access(BEARER), send, Clock().sleep))]):
        items[page.offset :] = [record.item for record in page.records]
    return items


NUMBERS = st.integers(0, 40)
PLACES = st.tuples(st.sampled_from(["insert", "delete"]), NUMBERS)
DELETIONS = st.tuples(st.just("delete"), NUMBERS)


def read_while_changing(count: int, caps: list[int], changes: dict[int, tuple[str, int]], ahead: int = 0) -> None:
    """Read a listing whose pages are cut and which changes before some calls; what stayed there must be read.

    A change costs two readings at most: one that notices it, and one that confirms what was listed twice. So
    with two changes the listing must be read. More may make it fail: four readings differ, or two differ alike.
    """
    items = [{"id": f"id-{number}"} for number in range(count)]
    stayed = {item["id"] for item in items}
    calls = 0

    def respond(offset: int) -> Items:
        nonlocal calls
        what, place = changes.get(calls, ("", 0))
        if what == "insert":
            items.insert(place % (len(items) + 1), {"id": f"new-{calls}"})
        elif what == "delete" and items:
            stayed.discard(items.pop(place % len(items))["id"])
        cap = caps[calls % len(caps)]
        calls += 1
        return items[offset : offset + min(cap, 5)]

    try:
        got = read_offline(respond, ahead)
    except (ListingChanged, ProtocolError):
        assert len(changes) > 2
    else:
        ids = [item["id"] for item in got]
        assert len(ids) == len(set(ids))
        assert set(ids) >= stayed
    assert calls < 600


@pytest.mark.fault("P3")
@settings(max_examples=300)
@given(
    count=NUMBERS,
    caps=st.lists(st.integers(2, 7), min_size=1, max_size=8),
    changes=st.dictionaries(st.integers(1, 12), PLACES, max_size=4),
    ahead=st.integers(0, 9),
)
def test_no_insertion_or_deletion_loses_a_row(
    count: int, caps: list[int], changes: dict[int, tuple[str, int]], ahead: int
) -> None:
    read_while_changing(count, caps, changes, ahead)


@pytest.mark.fault("P7")
@settings(max_examples=300)
@given(
    count=NUMBERS,
    caps=st.lists(st.integers(1, 7), min_size=1, max_size=8),
    changes=st.dictionaries(st.integers(1, 60), DELETIONS, max_size=4),
    ahead=st.integers(0, 9),
)
def test_no_deletion_loses_a_row_where_pages_may_have_one_item(
    count: int, caps: list[int], changes: dict[int, tuple[str, int]], ahead: int
) -> None:
    read_while_changing(count, caps, changes, ahead)


@pytest.mark.fault("P1")
@settings(max_examples=300)
@given(count=NUMBERS, caps=st.lists(st.integers(1, 7), min_size=1, max_size=8))
def test_every_row_is_read_whatever_the_pages_lengths(count: int, caps: list[int]) -> None:
    read_while_changing(count, caps, {})


@pytest.mark.fault("P8")
@pytest.mark.parametrize("cap", [1, 2, 30])
@pytest.mark.parametrize("count", [1, 2, 29, 30, 31, 300])
def test_identical_bare_channels_are_all_kept(client: Client, cap: int, count: int) -> None:
    items = [bare(0) for _ in range(count)]
    with Fake(paged(items, cap)) as fake:
        assert read(fake, client) == items
    assert sum(hit.offset >= FAR for hit in fake.hits if hit.kind == "list") <= 1


@pytest.mark.fault("P9")
def test_bare_channels_that_carry_their_configurations_id_are_all_kept(client: Client) -> None:
    items = [bare(0, id="H1", language=language) for language in ("en", "de", "fr")] * 20
    with Fake(paged(items)) as fake:
        assert read(fake, client) == items


NOTHING: dict[str, Reply] = {
    "204": Reply(204, b""),
    "empty": Reply(200, b""),
    "null": Reply(200, b"null"),
    "object": Reply(200, b"{}"),
    "400": Reply(400, b'{"message": "offset out of range"}'),
    "404": Reply(404, b""),
    "416": Reply(416, b""),
}
STRAY = {name: reply for name, reply in NOTHING.items() if reply.status != 204}  # 204 is believed at once


@pytest.mark.fault("R13")
@pytest.mark.parametrize("nothing", NOTHING.values(), ids=NOTHING)
@pytest.mark.parametrize("count", [1, 30, 45])
def test_nothing_past_the_end_has_many_forms(client: Client, nothing: Reply, count: int) -> None:
    items = [configuration(number) for number in range(count)]
    with Fake(lambda hit: paged(items)(hit) or nothing) as fake:
        assert read(fake, client) == items
    assert client.waits == []


@pytest.mark.fault("R13")
@pytest.mark.parametrize("nothing", NOTHING.values(), ids=NOTHING)
def test_nothing_in_the_middle_of_a_listing_loses_no_row(client: Client, nothing: Reply) -> None:
    """A server that has nothing from the fourth item on, but did list it, changed or is broken."""
    items = [configuration(number) for number in range(10)]
    with Fake(lambda hit: paged(items)(hit) if hit.offset in (0, 9) and hit.offset != 9 else nothing) as fake:
        with pytest.raises(OutboundError):
            read(fake, client)


@pytest.mark.fault("R13")
@pytest.mark.parametrize("nothing", STRAY.values(), ids=STRAY)
@pytest.mark.parametrize("number", [1, *range(3, 12)])  # 2 is at offset 0, where no end can be: an error
def test_one_stray_nothing_ends_no_listing(client: Client, nothing: Reply, number: int) -> None:
    """Where pages have one item, the last one comes alone from its place, in the middle of the listing too."""
    items, calls = [configuration(number) for number in range(6)], count()
    with Fake(lambda hit: nothing if next(calls) == number else paged(items, 1)(hit)) as fake:
        assert read(fake, client) == items


@pytest.mark.fault("P3")
@pytest.mark.parametrize("nothing", NOTHING.values(), ids=NOTHING)
@pytest.mark.parametrize("when", [1, 2, 3])
def test_a_deletion_while_the_end_is_proven_is_a_change(client: Client, nothing: Reply, when: int) -> None:
    items = [configuration(number) for number in range(20)]
    listing = changing(items, {when: lambda items: items.pop()})
    with Fake(lambda hit: listing(hit) or nothing) as fake:
        got = read(fake, client)
    assert got[:19] == items[:19]
    assert len(got) <= 20


@pytest.mark.fault("P4")
@pytest.mark.parametrize("numbers", [[1, 1, 2], [0, 1, 0, 1], [1, 2, 1], [1, 2, 2]])
def test_an_id_that_is_listed_twice_in_pages_of_one_comes_once(client: Client, numbers: list[int]) -> None:
    items = [configuration(number) for number in numbers]
    with Fake(paged(items, 1)) as fake:
        assert read(fake, client) == [configuration(number) for number in dict.fromkeys(numbers)]


@pytest.mark.fault("P2")
@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ("limit must be 10 or more", lambda hit: int(hit.query["limit"]) < 10),
        ("offset may be 20 at most", lambda hit: hit.offset > 20),
    ],
)
def test_what_the_server_says_about_a_refused_page_is_told(
    client: Client, words: str, refused: Callable[[Hit], bool]
) -> None:
    listing = paged([configuration(number) for number in range(25)])
    refusal = Reply(400, {"message": words, "code": 7})
    shown = rf"offset 24 with limit 2 does not begin .* It sent: status 400, {words} \(code 7\)\. Report"
    with Fake(lambda hit: refusal if refused(hit) else listing(hit)) as fake:
        with pytest.raises(ProtocolError, match=shown):
            read(fake, client)


@pytest.mark.fault("R12")
@pytest.mark.parametrize("count", [0, 5, 45])
def test_an_envelope_may_be_named_like_a_field(client: Client, count: int) -> None:
    items = [bare(number) for number in range(count)]
    with Fake(lambda hit: {"channels": paged(items)(hit)}) as fake:
        assert read(fake, client) == items
    assert fake.kinds().count("list") <= 6


@pytest.mark.fault("R12")
@pytest.mark.parametrize("name", ["handoffs", "data", "items", "x y"])
def test_an_envelope_is_opened(client: Client, name: str) -> None:
    items = [configuration(number) for number in range(45)]

    def wrapped(hit: Hit) -> Any:
        return {
            "requestMetadata": {"accountId": "1"},
            "page": {"count": 3},
            name: paged(items)(hit),
            "ids": [1, 2],
            "others": [],
            "errors": [],
            "warnings": [{"id": "w1", "message": "slow"}],
            "success": True,
        }

    with Fake(wrapped) as fake:
        assert read(fake, client) == items


@pytest.mark.fault("P3")
def test_swapped_configurations_are_noticed() -> None:
    items = [{"id": f"id-{number}"} for number in range(10)]
    calls = 0

    def respond(offset: int) -> Items:
        nonlocal calls
        if calls == 1:  # one comes up into the page that is read already, another one goes down
            items[1], items[8] = items[8], items[1]
        calls += 1
        return items[offset : offset + 5]

    got = read_offline(respond)
    assert sorted(item["id"] for item in got) == sorted(item["id"] for item in items)


@pytest.mark.fault("P5")
@pytest.mark.parametrize("blank", ["", None, [], {}, 0, False])
def test_blank_ids_tell_nothing_apart(blank: Any) -> None:
    items = [{"id": blank, "name": name} for name in "abc"]
    assert read_offline(lambda offset: items[offset:]) == items


@pytest.mark.fault("D8")
def test_an_id_is_the_same_as_text_and_as_a_number() -> None:
    items: Items = [{"id": 1, "channels": []}, {"id": "1", "channels": []}]
    assert read_offline(lambda offset: items[offset:]) == items[1:]


class Slow:
    """A server that answers a page after the first once several are asked for, or after a moment."""

    def __init__(self, answer: Callable[[Hit], Any], several: int = 4) -> None:
        self._answer, self._several = answer, several
        self._changed = threading.Condition()
        self._waiting = self.most = 0

    def __call__(self, hit: Hit) -> Any:
        with self._changed:
            self._waiting += 1
            self.most = max(self.most, self._waiting)
            self._changed.notify_all()
            if hit.offset:
                self._changed.wait_for(lambda: self._waiting >= self._several, 0.05)
            self._waiting -= 1
        return self._answer(hit)


MANY = [configuration(number) for number in range(1000)]
PACE = 500.0


def test_pages_are_under_way_together_and_come_in_order(client: Client) -> None:
    slow = Slow(paged(MANY))
    with Fake(slow) as fake:
        assert read(fake, client, requests_per_second=PACE) == MANY
    assert (slow.most >= 4) == (client.way == "prefetch")
    offsets = Counter(hit.offset for hit in fake.hits if hit.kind == "list")
    assert max(offsets.values()) == 1  # none is asked for twice
    assert len([offset for offset in offsets if offset > len(MANY)]) <= 30
    assert len({hit.port for hit in fake.hits}) < len(fake.hits) / 2  # connections are used again


def test_no_more_pages_are_under_way_than_the_pace_allows_in_a_second(client: Client) -> None:
    slow = Slow(paged(MANY[:300]), several=99)
    with Fake(slow) as fake:
        assert read(fake, client, requests_per_second=5.0) == MANY[:300]
    assert slow.most <= 6


def test_one_connection_is_enough_for_a_quick_server(client: Client) -> None:
    with Fake(paged(MANY)) as fake:
        read(fake, client)
    assert len({hit.port for hit in fake.hits}) == 1


@pytest.mark.parametrize("cap", [20, 30])
def test_a_listing_of_less_than_a_page_costs_no_burst(client: Client, cap: int) -> None:
    slow = Slow(paged(MANY[:19], cap))
    with Fake(slow) as fake:
        assert read(fake, client, requests_per_second=PACE) == MANY[:19]
    assert fake.kinds().count("list") == 3


@pytest.mark.parametrize(("count", "calls"), [(30, 3), (31, 4), (59, 4), (88, 5)])
def test_wrong_guesses_cost_a_short_listing_little(client: Client, count: int, calls: int) -> None:
    with Fake(Slow(paged(MANY[:count]), several=99)) as fake:
        assert read(fake, client, requests_per_second=PACE) == MANY[:count]
    assert fake.kinds().count("list") <= 2 * calls


@pytest.mark.fault("R1")
def test_nothing_is_sent_ahead_once_an_answer_is_no_success(client: Client) -> None:
    calls, waited = count(), threading.Event()
    client.on_wait = lambda seconds: waited.set() if seconds >= 1 else None

    def busy(hit: Hit) -> Any:
        number = next(calls)
        if number == 20:  # those after it are refused long before it is answered
            waited.wait(0.3)
        return Reply(429, b"") if number > 20 and not waited.is_set() else paged(MANY)(hit)

    with Fake(busy) as fake:
        assert read(fake, client, requests_per_second=100.0) == MANY
    assert [wait for wait in client.waits if wait >= 1] == [1.0]
    assert fake.kinds().count("list") < 37 + 30  # those sent ahead before the first failure was known


def once(number: int, answer: Reply) -> Callable[[Hit], Any]:
    """List as documented, but give that answer to one call."""
    calls = iter(range(10**6))
    return lambda hit: answer if next(calls) == number else paged(MANY)(hit)


@pytest.mark.fault("P1")
def test_capped_pages_are_under_way_together(client: Client) -> None:
    slow = Slow(paged(MANY, 20))
    with Fake(slow) as fake:
        assert read(fake, client, requests_per_second=PACE) == MANY
    assert (slow.most >= 4) == (client.way == "prefetch")


@pytest.mark.fault("R2")
@pytest.mark.parametrize("number", range(1, 12, 3))
def test_failure_of_one_page_of_several(client: Client, number: int) -> None:
    with Fake(Slow(once(number, Reply(503, b"")))) as fake:
        assert read(fake, client, requests_per_second=PACE) == MANY
    assert [wait for wait in client.waits if wait > 1] == [5.0]


@pytest.mark.fault("R1")
@pytest.mark.parametrize("status", [429, 500])
def test_one_wait_is_enough_for_all_pages_under_way(client: Client, status: int) -> None:
    calls, waited = count(), threading.Event()
    client.on_wait = lambda seconds: waited.set() if seconds >= 1 else None

    def busy(hit: Hit) -> Any:
        return Reply(status, b"") if next(calls) >= 9 and not waited.is_set() else paged(MANY)(hit)

    with Fake(Slow(busy)) as fake:
        assert read(fake, client, requests_per_second=PACE) == MANY
    assert [wait for wait in client.waits if wait >= 1] == [1.0 if status == 429 else 5.0]


@pytest.mark.fault("A1")
@pytest.mark.parametrize("number", range(1, 12, 3))
def test_refused_token_of_one_page_of_several(client: Client, number: int) -> None:
    revoked: list[str] = []

    def listing(hit: Hit) -> Any:
        if next(calls) == number:
            revoked.append(hit.headers["authorization"])
        return Reply(401, b"") if hit.headers["authorization"] in revoked else paged(MANY)(hit)

    calls, tokens = count(), count()
    with Fake(Slow(listing), token=lambda hit: grant(jti=str(next(tokens)))) as fake:
        assert read(fake, client, requests_per_second=PACE) == MANY
    assert fake.kinds().count("token") == 2


@pytest.mark.fault("P3")
def test_changed_while_several_pages_are_under_way(client: Client) -> None:
    items = list(MANY)
    with Fake(Slow(changing(items, {9: lambda items: items.pop(0)}))) as fake:
        assert read(fake, client, requests_per_second=PACE) == items


SCENARIOS: dict[str, tuple[Callable[[], Fake], type[OutboundError] | None]] = {
    "complete": (lambda: Fake(paged([configuration(number) for number in range(70)], 20)), None),
    "busy": (
        lambda: Fake(
            [Reply(429, b"", {"Retry-After": "3"}), Reply(500, b""), [configuration(1)], [], [configuration(1)]]
        ),
        None,
    ),
    "revoked": (lambda: Fake([Reply(401, b""), [configuration(1)], [], [configuration(1)]]), None),
    "broken": (lambda: Fake([Reply(raw=b"")]), NetworkError),
    "refused": (lambda: Fake(token=[Reply(401, b"")]), AuthError),
    "ignored": (lambda: Fake(lambda hit: [configuration(1), configuration(2)]), ProtocolError),
    "changing": (
        lambda: Fake(changing([configuration(n) for n in range(90)], {2: lambda items: items.pop(0)})),
        None,
    ),
}


@pytest.mark.parametrize(("scenario", "fails"), SCENARIOS.values(), ids=SCENARIOS)
def test_sending_ahead_changes_no_result(scenario: Callable[[], Fake], fails: type[OutboundError] | None) -> None:
    logs = []
    for way in ("plain", "prefetch"):
        client = Client(way)
        with scenario() as fake:
            if fails:
                with pytest.raises(fails) as caught:
                    read(fake, client)
                result: Any = str(caught.value).replace(fake.host, "host")
            else:
                result = read(fake, client)
        logs.append((result, client.waits, [(hit.method, hit.path, hit.query) for hit in fake.hits]))
    assert logs[0] == logs[1]


@pytest.mark.fault("D2")
def test_nesting_is_read_or_refused_in_words_at_every_depth(client: Client) -> None:
    def refused(depth: int) -> bool:
        body = b'[{"x": ' + b"[" * depth + b"]" * depth + b"}]"
        with Fake(lambda hit: [] if hit.offset else Reply(body=body)) as fake:
            try:
                client.read(fake.account())
            except ProtocolError:
                return True
        return False

    limit = bisect_left(range(100_000), True, key=refused)  # Python's, which differs between versions
    found = [refused(depth) for depth in range(limit - 195, limit + 200, 10)]
    assert found == [False] * 20 + [True] * 20
