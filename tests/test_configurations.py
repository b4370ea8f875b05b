"""The configurations of an account, each once, wherever they are kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_outbound.client.api import Api
from airflow_provider_outbound.client.configurations import Configurations, Items, Once, find
from airflow_provider_outbound.client.listing import Listing, Page
from airflow_provider_outbound.client.spool import Spool
from airflow_provider_outbound.model.matching import Criteria
from tests.conftest import Driver
from tests.fake import Fake, Hit, Reply, configuration, paged
from tests.test_paging import bare, changing


@pytest.fixture(params=["list", "spool"])
def keep(request: pytest.FixtureRequest) -> Iterator[Items]:
    """Return where items are kept; a test that takes it runs in memory and on disk."""
    if request.param == "list":
        yield list[Any]()
    else:
        with Spool() as spool:
            yield spool


@pytest.mark.fault("P3")
def test_kept_items_begin_again_with_the_listing(drive: Driver, keep: Items) -> None:
    items = [configuration(number) for number in range(90)]
    with Fake(changing(items, {2: lambda items: items.pop(0)})) as fake:
        account = fake.account()
        found = Configurations(keep)
        drive(found.read(Listing(Api(account))), account)
        assert list(found) == items
        drive(found.read(Listing(Api(account))), account)
        assert (len(keep), list(found)) == (178, items)


@pytest.mark.fault("P4")
def test_same_id_twice_is_kept_as_updated_last(drive: Driver, keep: Items) -> None:
    old, new = configuration(5, updatedAt="2026-01-02T00:00:00Z"), configuration(5, updatedAt="2026-03-01")
    items = [configuration(number) for number in range(100)]
    items[5], items[70] = new, old
    with Fake(paged(items)) as fake:
        account = fake.account()
        found = Configurations(keep)
        drive(found.read(Listing(Api(account))), account)
    assert list(found) == [*items[:70], *items[71:]]


def test_channels_of_several_listings_are_put_together(drive: Driver, keep: Items) -> None:
    def narrow(hit: Hit) -> Any:
        kind = hit.path.rpartition("/")[2]
        here = [bare(1), {"id": "7", "name": kind, "channels": [{"type": kind}]}]
        return here[hit.offset :]

    with Fake(narrow) as fake:
        account = fake.account()
        api, found = Api(account), Configurations(keep)
        for channel in ("wa", "inapp"):
            drive(found.read(Listing(api, channel)), account)
    both = {"id": "7", "name": "inapp", "channels": [{"type": "wa"}, {"type": "inapp"}]}
    assert list(found) == [bare(1), both, bare(1)]


@pytest.mark.fault("P3")
def test_streamed_items_come_once(drive: Driver) -> None:
    items = [configuration(number) for number in range(90)]
    with Fake(changing(items, {2: lambda items: items.insert(0, configuration(1000))})) as fake:
        account = fake.account()
        listing, once = Listing(Api(account)), Once()
        got: list[str] = []
        while page := drive(listing.next_page(), account):
            got += [item["name"] for item in once.pick(page)]
    assert len(got) == 91
    assert set(got) == {item["name"] for item in items}


@pytest.mark.fault("P3")
def test_streamed_bare_channels_keep_their_number() -> None:
    once = Once()
    assert once.pick(Page(0, [bare(1), bare(1), bare(2)])) == [bare(1), bare(1), bare(2)]
    assert once.pick(Page(0, [bare(3), bare(1)])) == [bare(3)]
    assert once.pick(Page(2, [bare(1), bare(1)])) == [bare(1)]


def test_find_waits_through_what_may_pass(drive: Driver) -> None:
    with Fake([Reply(503, b"")]) as fake:
        account = fake.account()
        look = drive(find(Api(account, retry_waits=()), Criteria("n1")), account)
    assert look.item is None
    assert "Could not look for n1" in look.seen
    assert "503" in look.seen
    assert fake.kinds() == ["token", "list"]
