"""The hook: an Airflow Connection becomes an account, and the account's configurations an answer."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from airflow.providers.common.compat.sdk import AirflowFailException, BaseHook
from airflow.sdk import timezone
from airflow.sdk.log import mask_secret

from airflow_provider_outbound.client.api import Api, renewed
from airflow_provider_outbound.client.configurations import Configurations, Items, Once, find, indexed
from airflow_provider_outbound.client.listing import Listing
from airflow_provider_outbound.client.protocol import RETRY_WAITS, Flow, host_of, path_part
from airflow_provider_outbound.client.sender import Sender
from airflow_provider_outbound.client.spool import Spool
from airflow_provider_outbound.client.transport import run
from airflow_provider_outbound.connections import CONN_TYPE, DEFAULT_CONN_ID, account_of, missing_connection
from airflow_provider_outbound.errors import TRANSIENT, OutboundError, printable
from airflow_provider_outbound.model.codec import encode
from airflow_provider_outbound.model.items import CHANNELS, Item, Record, channels, parse_channels
from airflow_provider_outbound.model.matching import Criteria, Match
from airflow_provider_outbound.model.values import text
from airflow_provider_outbound.tables import build as tables
from airflow_provider_outbound.tables.schemas import TABLES, schema

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

T = TypeVar("T")
Channels: TypeAlias = str | Sequence[str] | None

PAGES_PER_LOG_LINE = 10


class OutboundHook(BaseHook):
    """Read a LivePerson account's outbound configurations.

    Errors are those of :mod:`airflow_provider_outbound.errors`; the Connection is read at the first call.

    :param outbound_conn_id: the Connection to use.
    :param retry_waits: seconds before each retry of a request; LivePerson's policy unless given.
    """

    conn_name_attr = "outbound_conn_id"
    default_conn_name = DEFAULT_CONN_ID
    conn_type = CONN_TYPE
    hook_name = "LivePerson Outbound"

    def __init__(
        self, outbound_conn_id: str = DEFAULT_CONN_ID, *, retry_waits: Collection[float] = RETRY_WAITS
    ) -> None:
        super().__init__()
        self.outbound_conn_id = outbound_conn_id
        self.retry_waits = retry_waits
        self._api: Api | None = None

    @property
    def api(self) -> Api:
        """The account, its hosts and its token, kept from call to call.

        :raises ConfigError: if there is no such Connection, or it is wrong.
        """
        return self._api or self._read_connection()

    def _read_connection(self) -> Api:
        with missing_connection(self.outbound_conn_id):
            connection = self.get_connection(self.outbound_conn_id)
        self._api = renewed(self._api, account_of(connection), self.retry_waits)
        return self._api

    def iter_configurations(self, channel: str | None = None) -> Iterator[Item]:
        """Yield the account's configurations as its pages come, holding a few pages and one key per configuration.

        They come before the end is proven: an error may follow, and one that was deleted meanwhile may have come.
        A configuration that is listed twice comes once, as listed first. Where the listing has to be read again
        because it changed, what has come already does not come again.

        :param channel: one channel, such as ``wa``; None for all.
        """
        listing, once = Listing(self.api, channel), Once()
        with Sender(self.api.account) as send:
            while (page := self._run(listing.next_page(), send)) is not None:
                yield from once.pick(page)

    def get_configurations(self, channel: Channels = None) -> list[Item]:
        """Return the account's configurations, each id once, as updated last.

        :param channel: one channel, such as ``wa``, or several; None for all.
        """
        return list(self._listed(channel, list[Item]()))

    def _listed(self, channel: Channels, keep: Items) -> Iterator[Item]:
        """Read the listings of some channels whole, then yield their items, and log what they were."""
        wanted: list[str | None] = [None]
        if (names := parse_channels(channel)) is not None:
            wanted = [path_part("channel", each) for each in names]
        begun, found, repeated = time.monotonic(), Configurations(keep), 0
        with Sender(self.api.account) as send:
            for each in wanted:
                listing = Listing(self.api, each)
                self._run(found.read(listing, self._progress(begun)), send)
                repeated += len(listing.repeated)
        took, count, kinds = time.monotonic() - begun, 0, Counter[str | None]()
        for item in found:
            count += 1
            for kind in _kinds(item):
                kinds[kind] += 1
            yield item
        summary = (count, self._where(self.api), took, _counts(kinds), repeated)
        self.log.info("Listed %d configurations of %s in %.1f s: %s; %d were listed more than once", *summary)
        if not count:
            self.log.warning(
                "0 configurations at %s, channel %s. A wrong region can answer with an empty list: check the "
                "Connection's host and schema; known channels: %s",
                self._where(self.api),
                printable(channel),
                ", ".join(CHANNELS),
            )

    def find_template(self, name: str, channel: str | None = None, language: str | None = None) -> Item | None:
        """Return the configuration that holds a template, as updated last if several do; None if none does.

        :param name: the configuration's name, or a WhatsApp templatename.
        :param channel: the channel it must be in; None for any.
        :param language: the language it must be in; None for any.
        """
        return Criteria(name, channel, language).match(indexed(self.get_configurations(channel))).item

    def look(self, criteria: Criteria) -> Match:
        """Look for a template once, with the Connection as it is now; an error that may pass counts as not seen.

        :param criteria: which template is meant.
        """
        api = self._read_connection()
        with Sender(api.account) as send:
            return self._run(find(api, criteria), send)

    def iter_tables(
        self, channel: Channels = None, names: Collection[str] = TABLES
    ) -> Iterator[dict[str, pa.Table]]:
        """Yield the tables of one listing in parts, by name; after the last, log what was odd in them.

        The listing is read whole, into a temporary file, before the first part comes.

        :param channel: one channel, such as ``wa``, or several; None for all.
        :param names: ``configurations``, ``components`` or both.
        """
        for name in names:
            schema(name)
        anomalies = Counter[str]()
        with Spool() as spool:
            records = (Record(encode(item), item) for item in self._listed(channel, spool))
            yield from tables.parts(records, self.api.account.account_id, timezone.utcnow, anomalies, names)
        for anomaly, count in sorted(anomalies.items()):
            self.log.warning("%d x %s; the raw column holds everything as it came", count, anomaly)

    def get_table(self, table: str = "components", channel: Channels = None) -> pa.Table:
        """Return one table of the account's configurations.

        :param table: ``configurations`` (a row each) or ``components`` (a row per message component).
        :param channel: one channel, such as ``wa``, or several; None for all.
        """
        return tables.concat_parts(self.iter_tables(channel, [table]))[table]

    def get_df(self, table: str = "components", channel: Channels = None) -> pd.DataFrame:
        """Return one table of the account's configurations as a pandas DataFrame.

        :param table: ``configurations`` or ``components``.
        :param channel: one channel, such as ``wa``, or several; None for all.
        """
        return self.get_table(table, channel).to_pandas()

    def test_connection(self) -> tuple[bool, str]:
        """Log in and read one page; return whether it worked, and what was found or what to change."""
        try:
            api = Api(self.api.account, retry_waits=())  # somebody waits for the answer
            with Sender(api.account) as send:
                items = self._run(api.list_page(None, 0), send)
        except OutboundError as error:
            return False, str(error)
        life = f"token lives {api.token_life / 60:g} min" if api.token_life else "bearer token accepted"
        kinds = Counter(kind for item in items for kind in _kinds(item))
        found = f"{len(items)} configurations ({_counts(kinds)})"
        return True, f"{self._where(api)} answered; first page: {found}; {life}"

    @staticmethod
    def _where(api: Api) -> str:
        return f"{host_of(api.list_url or api.account.domain_url)}, account {api.account.account_id}"

    def _run(self, flow: Flow[T], send: Sender) -> T:
        return run(flow, send, hide=mask_secret)

    def _progress(self, begun: float) -> Callable[[Listing], None]:
        def log(listing: Listing) -> None:
            if listing.calls % PAGES_PER_LOG_LINE == 0:
                progress = (listing.channel or "all", listing.calls, listing.count, time.monotonic() - begun)
                self.log.info("Channel %s: %d pages, %d configurations, %.1f s so far", *progress)

        return log


@contextmanager
def airflow_errors() -> Iterator[None]:
    """Turn errors that a retry can't mend into AirflowFailException, so that the task fails at once."""
    try:
        yield
    except TRANSIENT:
        raise
    except RecursionError as error:
        raise AirflowFailException("LivePerson sent JSON that is nested too deeply to be passed on") from error
    except OutboundError as error:
        raise AirflowFailException(str(error)) from error


def _kinds(item: Item) -> list[str | None]:
    """Return the types of an item's channels, for logs."""
    return [text(channel.get("type")) for channel in channels(item) if isinstance(channel, dict)]


def _counts(kinds: Counter[str | None]) -> str:
    shown = sorted((printable(kind, 40), count) for kind, count in kinds.items())
    return ", ".join(f"{kind} {count}" for kind, count in shown) or "no channels"
