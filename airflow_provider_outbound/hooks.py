"""The hook: read the account of an Airflow Connection as items, tables and frames."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from airflow.providers.common.compat.sdk import AirflowFailException, BaseHook
from airflow.sdk import timezone
from airflow.sdk.log import mask_secret

from airflow_provider_outbound import lineage
from airflow_provider_outbound.client.account import Account, check_path_segment
from airflow_provider_outbound.client.api import RETRY_WAITS, Access, Api, reuse_or_new
from airflow_provider_outbound.client.configurations import Configurations, Once, Records, read_index
from airflow_provider_outbound.client.listing import Listing, Page
from airflow_provider_outbound.client.prefetch import Prefetch
from airflow_provider_outbound.client.sender import Sender
from airflow_provider_outbound.client.spool import Spool
from airflow_provider_outbound.connections import CONN_TYPE, DEFAULT_CONN_ID, account_of, missing_connection
from airflow_provider_outbound.errors import TRANSIENT, OutboundError, printable
from airflow_provider_outbound.model.codec import TOO_DEEP
from airflow_provider_outbound.model.items import CHANNELS, Item, Record, channels, parse_channels
from airflow_provider_outbound.model.matching import Criteria, TemplateIndex
from airflow_provider_outbound.model.values import text
from airflow_provider_outbound.retries import longest_retry_after
from airflow_provider_outbound.tables import build, parquet
from airflow_provider_outbound.tables.build import Part
from airflow_provider_outbound.tables.schemas import TABLES, check_tables

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Channels: TypeAlias = str | Sequence[str] | None

CALLS_PER_LOG_LINE = 10
MOST_TYPES = 10  # named in one log line


class OutboundHook(BaseHook):
    """Read a LivePerson account's outbound configurations.

    The hook reads the Connection at the first call. Methods that read the account raise subclasses of
    :class:`~airflow_provider_outbound.errors.OutboundError`. By default, Airflow retries a task after any of them.
    With :func:`airflow_errors`, errors that a retry can't fix fail the task at once.

    :param outbound_conn_id: the Connection to use.
    :param retry_waits: seconds before each retry of a request, by default LivePerson's 5, 10 and 15. After a
        429, the wait is 1 second, or 5 at the login. A longer ``Retry-After`` is obeyed, up to a minute.
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
        self._access: Access | None = None

    @property
    def account(self) -> Account:
        """The account that the Connection describes.

        :raises ConfigError: if the Connection is missing or wrong.
        """
        return (self._access or self._read_connection()).account

    @property
    def list_url(self) -> str | None:
        """The base URL of the configurations' host; None until it is known."""
        return self._access.list_url if self._access else None

    @property
    def place(self) -> str:
        """The host and account, for messages; until the host is known, that of the Domain API."""
        return (self._access or self._read_connection()).place

    def _read_connection(self) -> Access:
        """Read the Connection as it is now; keep hosts and token if it has not changed."""
        with missing_connection(self.outbound_conn_id):
            # Not in a variable: a Connection's repr shows its password, and tracebacks may show variables.
            account = account_of(self.get_connection(self.outbound_conn_id))
        longest = longest_retry_after()
        self._access = reuse_or_new(
            self._access, account, retry_waits=self.retry_waits, longest_retry_after=longest, mask=mask_secret
        )
        return self._access

    @contextmanager
    def _open(self, access: Access | None = None) -> Iterator[Api]:
        access = access or self._access or self._read_connection()
        with Prefetch(Sender(access.account)) as send:
            yield Api(access, send)

    def iter_configurations(self, channel: str | None = None) -> Iterator[Item]:
        """Yield the account's configurations, as LivePerson sends them, while its pages arrive.

        The end is not proven yet: an error may follow, and a configuration that is deleted meanwhile may have been
        yielded. A configuration that is listed twice is yielded once, as first listed, also if the listing has to
        be read again. Memory holds a few pages and a key per configuration.

        :param channel: one channel, such as ``wa``; None for all.
        """
        once = Once()
        with self._open() as api:
            lineage.report_input(self, api.access.account.account_id)
            for page in Listing(api, channel).pages():
                yield from once.pick(page)

    def get_configurations(self, channel: Channels = None) -> list[Item]:
        """Return the account's configurations as LivePerson sends them, each id once, in its last updated state.

        :param channel: one channel, such as ``wa``, or several, as a list or as text (``wa,inapp``); None for all.
        :returns: dicts with ``id``, ``name``, ``channels`` and more, after the listing is proven to be complete.
        """
        items: list[Item] = []
        for page in self._pages(channel, list[Record]()):
            items[page.offset :] = [record.item for record in page.records]
        return items

    def _pages(self, channel: Channels, keep: Records) -> Iterator[Page]:
        """Yield the pages of channels' listings, then log a summary; one of offset 0 discards those before it."""
        names = parse_channels(channel)
        wanted = [None] if names is None else [check_path_segment("channel", name) for name in names]
        started, count, kinds = time.monotonic(), 0, Counter[str | None]()
        with self._open() as api:
            lineage.report_input(self, api.access.account.account_id)
            listings = [Listing(api, each) for each in wanted]
            for page in Configurations(keep).read(listings, self._progress(started)):
                if page.offset == 0:
                    kinds.clear()
                count = page.offset + len(page.records)
                kinds.update(chain.from_iterable(_kinds(record.item) for record in page.records))
                yield page
        repeated = sum(len(listing.repeated) for listing in listings)
        twice = f"; {repeated} were listed more than once" if repeated else ""
        place, took = api.access.place, time.monotonic() - started
        self.log.info("%d configurations at %s, read in %.1f s: %s%s", count, place, took, _counts(kinds), twice)
        if not count:
            self.log.warning(
                "0 configurations at %s, channel %s. A wrong region may answer with an empty list: check the "
                "Connection's host and schema. Known channels: %s",
                place,
                printable(channel or "all"),
                ", ".join(CHANNELS),
            )

    def find_template(self, name: str, channel: str | None = None, language: str | None = None) -> Item | None:
        """Return the configuration with a template, the last updated one if there are several; None without one.

        Each call reads the listing. To look for several templates, read it once with :meth:`index_templates`.

        :param name: the configuration's name, or a WhatsApp templatename.
        :param channel: the channel it must be in, such as ``wa``; None for any.
        :param language: the language it must be in, as LivePerson writes it, such as ``pt_BR``; None for any.
        """
        return Criteria(name, channel, language).match(self.index_templates(channel)).item

    def index_templates(self, channel: str | None = None) -> TemplateIndex:
        """Return the account's templates, for many lookups by name; read the Connection anew.

        :param channel: one channel, such as ``wa``; None for all.
        :returns: an index. Its ``named(name)`` returns the configurations with that name or WhatsApp templatename.
        """
        with self._open(self._read_connection()) as api:
            return read_index(api, channel)

    def iter_parts(self, channel: Channels = None, names: Collection[str] = TABLES) -> Iterator[Part]:
        """Yield the tables of one listing in parts as its pages arrive; after the last one, log the anomalies.

        An error may follow. A part of ``offset`` 0 replaces those before it, because the listing is read again.
        Several channels have a listing each: their parts come when all are read.

        :param channel: one channel, such as ``wa``, or several; None for all.
        :param names: ``configurations``, ``components`` or both.
        :returns: parts with ``offset``, the number of configurations before, and ``tables``, Arrow tables by name.
        :raises ConfigError: for other names, or none.
        """
        check_tables(names)
        anomalies = Counter[str]()
        with Spool() as spool:
            pages = self._pages(channel, spool)
            yield from build.parts(pages, self.account.account_id, timezone.utcnow, anomalies, names)
        for anomaly, count in sorted(anomalies.items()):
            self.log.warning("%d x %s; the raw column holds everything as it was sent", count, anomaly)

    def iter_tables(
        self, channel: Channels = None, names: Collection[str] = TABLES
    ) -> Iterator[dict[str, pa.Table]]:
        """Read a whole listing into temporary files, then yield its tables in parts, by name.

        A part has the rows of about 5,000 configurations, or of fewer large ones. The files are in the folder that
        ``TMPDIR`` names.

        :param channel: one channel, such as ``wa``, or several; None for all.
        :param names: ``configurations``, ``components`` or both.
        :returns: dicts of Arrow tables, such as ``{"configurations": ..., "components": ...}``.
        :raises ConfigError: for other names, or none.
        """
        check_tables(names)
        return parquet.read_back(self.iter_parts(channel, names), names)

    def get_table(self, table: str = "components", channel: Channels = None) -> pa.Table:
        """Return one table of the account's configurations as an Arrow table, all of it in memory.

        :param table: ``configurations`` (a row per configuration) or ``components`` (a row per message component).
        :param channel: one channel, such as ``wa``, or several; None for all.
        :raises ConfigError: if there is no such table.
        """
        parts: list[dict[str, pa.Table]] = []
        for part in self.iter_parts(channel, [table]):
            if part.offset == 0:
                parts.clear()
            parts.append(part.tables)
        return build.concat_parts(parts)[table]

    def get_df(self, table: str = "components", channel: Channels = None) -> pd.DataFrame:
        """Return one table of the account's configurations as a pandas DataFrame.

        :param table: ``configurations`` or ``components``.
        :param channel: one channel, such as ``wa``, or several; None for all.
        :raises ConfigError: if there is no such table.
        """
        return self.get_table(table, channel).to_pandas()

    def warn_of_unknown(self, channels: Sequence[str] | None) -> None:
        """Log a warning for each channel that LivePerson's documentation does not name.

        :param channels: channels such as ``wa``; None for all.
        """
        for unknown in [each for each in channels or () if each not in CHANNELS]:
            words = "Unknown channel %s: check its spelling. Known channels: %s"
            self.log.warning(words, printable(repr(unknown)), ", ".join(CHANNELS))

    def test_connection(self) -> tuple[bool, str]:
        """Log in and read one page, as the *Test* button of a Connection does.

        :returns: whether that worked, and what was found or what to change.
        """
        try:
            return True, self.check()[1]
        except OutboundError as error:
            return False, str(error)

    def check(self) -> tuple[Access, str]:
        """Log in and read one page, without retries; return the account's access, and what was found.

        :raises OutboundError: if that fails. The message says what to change.
        """
        access = Access(self.account, retry_waits=(), mask=mask_secret)  # a person waits for the result
        with self._open(access) as api:
            items = [record.item for record in api.list_page(None, 0)]
        kinds = Counter(kind for item in items for kind in _kinds(item))
        found = f"{len(items)} configurations on the first page of {access.place} ({_counts(kinds)})"
        return access, f"{found}. {access.auth.accepted}."

    def _progress(self, started: float) -> Callable[[Listing], None]:
        def log(listing: Listing) -> None:
            if listing.calls % CALLS_PER_LOG_LINE == 0:
                progress = (listing.count, listing.calls, listing.channel or "all", time.monotonic() - started)
                self.log.info("%d configurations so far: %d calls, channel %s, %.1f s", *progress)

        return log


@contextmanager
def airflow_errors() -> Iterator[None]:
    """Turn errors that a retry can't fix into ``AirflowFailException``, so that the task fails at once.

    Use it in a ``with`` statement. Transient errors are not changed, and Airflow's retries apply.
    """
    try:
        yield
    except TRANSIENT:
        raise
    except RecursionError as error:
        raise AirflowFailException(TOO_DEEP) from error
    except OutboundError as error:
        raise AirflowFailException(str(error)) from error


def _kinds(item: Item) -> list[str | None]:
    return [text(channel.get("type")) for channel in channels(item) if isinstance(channel, dict)]


def _counts(kinds: Counter[str | None]) -> str:
    """Return how many channels there are of each type, for the most frequent types."""
    shown = sorted((printable(kind, 40), count) for kind, count in kinds.most_common(MOST_TYPES))
    others = [f"and {len(kinds) - MOST_TYPES} other types"] if len(kinds) > MOST_TYPES else []
    return ", ".join([*(f"{kind} {count}" for kind, count in shown), *others]) or "no channels"
