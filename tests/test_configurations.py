"""The configurations of an account, each once, wherever they are kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_outbound.client.configurations import Configurations, Once, Records
from airflow_provider_outbound.client.listing import Listing, Page, page_of
from airflow_provider_outbound.client.spool import Spool
from airflow_provider_outbound.model.codec import encode
from airflow_provider_outbound.model.items import Record
from tests.conftest import Client
from tests.fake import Fake, Hit, Reply, bare, changing, configuration, paged
from tests.listed import records


@pytest.fixture(params=["list", "spool"])
def keep(request: pytest.FixtureRequest) -> Iterator[Records]:
    """Return where records are kept; a test that takes it runs in memory and on disk."""
    if request.param == "list":
        yield list[Record]()
    else:
        with Spool() as spool:
            yield spool


def read(keep: Records, *listings: Listing) -> list[Record]:
    """Read listings whole, and return the records that are left."""
    found: list[Record] = []
    for page in Configurations(keep).read(listings):
        found[page.offset :] = page.records
    return found


def items_of(records: list[Record]) -> list[Any]:
    return [record.item for record in records]


@pytest.mark.fault("P3")
def test_kept_items_begin_again_with_the_listing(client: Client, keep: Records) -> None:
    items = [configuration(number) for number in range(90)]
    with Fake(changing(items, {2: lambda items: items.pop(0)})) as fake:
        with client.open(client.access(fake.account())) as api:
            assert items_of(read(keep, Listing(api), Listing(api))) == items
    assert len(items) == len([keep[number] for number in range(89)]) == 89


@pytest.mark.fault("P4")
def test_same_id_twice_is_kept_as_updated_last(client: Client, keep: Records) -> None:
    old, new = configuration(5, updatedAt="2026-01-02T00:00:00Z"), configuration(5, updatedAt="2026-03-01")
    items = [configuration(number) for number in range(100)]
    items[5], items[70] = new, old
    with Fake(paged(items)) as fake, client.open(client.access(fake.account())) as api:
        assert items_of(read(keep, Listing(api))) == [*items[:70], *items[71:]]


@pytest.mark.fault("P4")
def test_a_repeated_configuration_keeps_channels_of_the_same_content(client: Client, keep: Records) -> None:
    twin = configuration(5, channels=[{"type": "wa"}, {"type": "wa"}])
    with Fake(paged([twin, configuration(6), twin])) as fake, client.open(client.access(fake.account())) as api:
        assert items_of(read(keep, Listing(api))) == [twin, configuration(6)]


@pytest.mark.fault("P10")
def test_channels_of_several_listings_are_merged(client: Client, keep: Records) -> None:
    def narrow(hit: Hit) -> Any:
        kind = hit.path.rpartition("/")[2]
        here = [bare(1), {"id": "7", "name": kind, "channels": [{"type": kind}]}]
        return here[hit.offset :]

    with Fake(narrow) as fake, client.open(client.access(fake.account())) as api:
        found = read(keep, Listing(api, "wa"), Listing(api, "inapp"))
    both = {"id": "7", "name": "inapp", "channels": [{"type": "wa"}, {"type": "inapp"}]}
    assert items_of(found) == [bare(1), both]  # the bare channel is in both listings
    assert found[1].raw == encode(both)


@pytest.mark.fault("P10")
def test_bare_channels_of_listings_that_are_not_narrowed_come_once(client: Client, keep: Records) -> None:
    items = [configuration(1), bare(1), bare(1), bare(2)]
    with Fake(paged(items)) as fake, client.open(client.access(fake.account())) as api:
        assert items_of(read(keep, Listing(api, "wa"), Listing(api, "inapp"))) == items


def test_records_keep_the_bytes_of_the_wire(client: Client, keep: Records) -> None:
    raw = b'{ "id":"1",  "name" : "\\u00e9 1e2",\n "channels":[ ] }'
    with Fake(lambda hit: Reply(body=b"[" + raw + b" ]") if hit.offset == 0 else []) as fake:
        with client.open(client.access(fake.account())) as api:
            assert [record.raw for record in read(keep, Listing(api))] == [raw]


@pytest.mark.fault("P3")
def test_streamed_items_come_once(client: Client) -> None:
    items = [configuration(number) for number in range(90)]
    with Fake(changing(items, {2: lambda items: items.insert(0, configuration(1000))})) as fake:
        with client.open(client.access(fake.account())) as api:
            once = Once()
            got = [item["name"] for page in Listing(api).pages() for item in once.pick(page)]
    assert len(got) == 91
    assert set(got) == {item["name"] for item in items}


def page(offset: int, *items: Any) -> Page:
    return page_of(offset, records(items))


@pytest.mark.fault("P3")
def test_streamed_bare_channels_keep_their_number() -> None:
    once = Once()
    assert once.pick(page(0, bare(1), bare(1), bare(2))) == [bare(1), bare(1), bare(2)]
    assert once.pick(page(0, bare(3), bare(1))) == [bare(3)]
    assert once.pick(page(2, bare(1), bare(1))) == [bare(1)]
