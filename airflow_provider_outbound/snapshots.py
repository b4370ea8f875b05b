"""What the page in Airflow's UI shows: one listing per Connection at a time, shared by all viewers."""

from __future__ import annotations

import gzip
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from airflow.models.connection import Connection
from airflow.sdk import timezone
from airflow.sdk.log import mask_secret

from airflow_provider_outbound.catalogue.entries import Snapshot
from airflow_provider_outbound.catalogue.render import render
from airflow_provider_outbound.client import threads
from airflow_provider_outbound.client.account import Account, host_of
from airflow_provider_outbound.client.api import RETRY_WAITS, Access, Api, reuse_or_new
from airflow_provider_outbound.client.configurations import Configurations
from airflow_provider_outbound.client.listing import Listing
from airflow_provider_outbound.client.prefetch import Prefetch
from airflow_provider_outbound.client.sender import Sender
from airflow_provider_outbound.connections import account_of, missing_connection
from airflow_provider_outbound.errors import OutboundError, ProtocolError
from airflow_provider_outbound.model.codec import TOO_DEEP
from airflow_provider_outbound.model.items import Record

log = logging.getLogger(__name__)

KEPT = 60.0  # seconds for which the outcome of a listing is shown, also if it failed
MOST = 20  # Connections whose pages are held in memory


@dataclass(frozen=True)
class Found:
    """What a listing found.

    :param at: when it ended, in seconds of the clock.
    :param catalogue: the page, compressed by gzip; empty if the listing failed.
    :param policy: the page's Content-Security-Policy.
    :param error: why it failed.
    """

    at: float
    catalogue: bytes = b""
    policy: str = ""
    error: OutboundError | None = None


@dataclass(frozen=True)
class Reading:
    """A listing that is under way, or has ended.

    :param access: the account as its Connection described it.
    :param begun: when it began, in seconds of the clock.
    :param found: what it finds.
    """

    access: Access
    begun: float
    found: Future[Found]


class Snapshots:
    """Read listings, and keep what each found for a minute.

    A failure is kept, too. If each reload repeated a refused login, that could lock the app out. If a Connection
    has changed, the next viewer's request reads it at once.

    :param clock: monotonic seconds.
    :param sleep: waits before a retry.
    """

    def __init__(self, clock: Callable[[], float], sleep: Callable[[float], object]) -> None:
        self._clock, self._sleep = clock, sleep
        self._readings: dict[str, Reading] = {}  # by Connection, the newest last
        self._lock = threading.Lock()

    def read(self, conn_id: str) -> Future[Found]:
        """Return what a Connection's listing finds; the result may be up to a minute old.

        This looks up the Connection, which may block for a moment. It does not wait for the listing.

        :param conn_id: the Connection.
        :raises ConfigError: if it is missing or wrong.
        """
        account = connected_account(conn_id)
        with self._lock:
            reading = self._readings.pop(conn_id, None)
            if reading is None or reading.access.account != account or self._is_old(reading):
                # One retry, because a person waits.
                access = reuse_or_new(
                    reading.access if reading else None,
                    account,
                    retry_waits=RETRY_WAITS[:1],
                    clock=self._clock,
                    mask=mask_secret,
                )
                reading = Reading(
                    access, self._clock(), threads.start(partial(self._find, access), "outbound-page")
                )
            self._readings[conn_id] = reading
            ended = [known for known, each in self._readings.items() if each.found.done()]
            for oldest in ended[: max(len(self._readings) - MOST, 0)]:
                del self._readings[oldest]
            return reading.found

    def last(self, conn_id: str) -> Reading | None:
        """Return a Connection's last listing if it has ended.

        :param conn_id: the Connection.
        """
        reading = self._readings.get(conn_id)
        return reading if reading and reading.found.done() else None

    def age(self, found: Found) -> float:
        """Return how many seconds ago a listing ended."""
        return self._clock() - found.at

    def _is_old(self, reading: Reading) -> bool:
        if not reading.found.done():
            return False
        ended = reading.begun if reading.found.exception() else reading.found.result().at
        return self._clock() - ended >= KEPT

    def _find(self, access: Access) -> Found:
        """Read a listing and draw its page."""
        try:
            raws = self._raws(access)
            host = host_of(access.list_url) if access.list_url else None
            page = render(Snapshot(raws, access.account.account_id, host, timezone.utcnow()))
        except OutboundError as error:
            log.warning("The page can't show the templates at %s: %s", access.place, error)
            return Found(self._clock(), error=error)
        except RecursionError:
            return Found(self._clock(), error=ProtocolError(TOO_DEEP))
        log.info("The page shows %d configurations at %s", len(raws), access.place)
        # Compressed once, here: Airflow would do it for each viewer, on the event loop.
        return Found(self._clock(), gzip.compress(page.html.encode(), 6), page.policy)

    def _raws(self, access: Access) -> list[bytes]:
        records: list[Record] = []
        with Prefetch(Sender(access.account, self._sleep)) as send:
            for page in Configurations([]).read([Listing(Api(access, send, self._sleep))]):
                records[page.offset :] = page.records
        return [record.raw for record in records]


def connected_account(conn_id: str) -> Account:
    """Return the account that a Connection describes.

    :param conn_id: the Connection, found wherever Airflow keeps them.
    :raises ConfigError: if it is missing or wrong.
    """
    with missing_connection(conn_id):
        # Not in a variable: a Connection's repr shows its password, and tracebacks may show variables.
        return account_of(Connection.get_connection_from_secrets(conn_id))
