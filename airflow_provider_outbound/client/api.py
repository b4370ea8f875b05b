"""The calls of LivePerson's API: find the hosts, and list one page. A call retries as LivePerson's policy says."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, TypeVar

from airflow_provider_outbound.client.account import REGIONS, Account, check_path_segment, host_of, region_urls
from airflow_provider_outbound.client.auth import auth_of
from airflow_provider_outbound.client.responses import Endpoint, Reader
from airflow_provider_outbound.client.sender import Request, Response
from airflow_provider_outbound.errors import TRANSIENT, AuthError, HttpError, ProtocolError, Unavailable, printable
from airflow_provider_outbound.model.items import Record

log = logging.getLogger(__name__)
T = TypeVar("T")

RETRY_WAITS = (5.0, 10.0, 15.0)  # seconds before each retry after a 5xx or network error: retry policy page
LONGEST_WAIT = 60.0  # most seconds of one wait for a Retry-After
SMALLER_PAGE = 30  # the limit in the example of the API's page, for servers that refuse a larger one
TOO_LARGE = (400, 413, 422)  # statuses by which a server may refuse a limit

LIST = Endpoint(
    purpose="list the configurations",
    advice={
        404: "No such account, app or channel there. Check the Connection's schema, host and app_name.",
    },
    auth_statuses=(401, 403),
)
UNKNOWN_ACCOUNT = "The Domain API does not know the account. Check the Connection's schema."
HOSTS = Endpoint(purpose="find the hosts", advice=dict.fromkeys((400, 401, 404), UNKNOWN_ACCOUNT))


class Access:
    """What is known about an account from call to call: its hosts, its token, the page size that it accepts.

    :param account: whose configurations to read.
    :param retry_waits: seconds before each retry; empty for none (a sensor looks again anyway).
    :param longest_retry_after: a Retry-After of more seconds is raised at once, for the caller to wait.
    :param clock: monotonic seconds, for the token's age.
    :param now: seconds since 1970, for a signature, and for a Retry-After that is a date.
    :param mask: gets each token, to keep it out of logs.
    """

    def __init__(
        self,
        account: Account,
        *,
        retry_waits: Collection[float] = RETRY_WAITS,
        longest_retry_after: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        mask: Callable[[str], object] = lambda token: None,
    ) -> None:
        self.account, self.now = account, now
        self.retry_waits, self.longest_retry_after = retry_waits, longest_retry_after
        self.list_url, self.sentinel_url = account.list_url, account.sentinel_url
        self.page_size = account.page_size
        self.auth = auth_of(account, clock, now, mask)
        self.listing = replace(LIST, advice={**LIST.advice, **self.auth.advice})

    @property
    def place(self) -> str:
        """Host and account, for messages."""
        return f"{host_of(self.list_url or self.account.domain_url)}, account {self.account.account_id}"


class Api:
    """The calls for one account, over one session.

    :param access: what is known about the account; calls add to it.
    :param send: sends a request and returns its whole response.
    :param sleep: waits before a retry, in seconds.
    """

    def __init__(
        self, access: Access, send: Callable[[Request], Response], sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self.access, self.send, self.sleep = access, send, sleep
        self.said = ""  # what the server sent instead of the last page, if that counts as "nothing"

    def list_page(
        self, channel: str | None, offset: int, ahead: Sequence[int] = (), limit: int | None = None
    ) -> list[Record]:
        """Return a page of an account or channel: configurations or bare channels, as the server sends them.

        :param channel: a channel such as ``wa``; None for all.
        :param offset: how many configurations to skip.
        :param ahead: the offsets that will probably be requested next.
        :param limit: the most configurations to ask for, if fewer than a page has.
        :raises OutboundError: see :mod:`airflow_provider_outbound.errors`.
        """
        access, account = self.access, self.access.account
        path = f"/api/account/{account.account_id}/app/{account.app_name}/handoffs/list"
        if channel is not None:
            path += f"/channel/{check_path_segment('channel', channel)}"

        def build() -> Request:
            most = min(access.page_size, limit or access.page_size)
            url = f"{self.list_url()}{path}?v=1&limit={most}&offset="
            auth = access.auth.ready(self)
            later = tuple(Request("GET", f"{url}{at}", auth) for at in ahead)
            return Request("GET", f"{url}{offset}", auth, later)

        call = partial(self._call, access.listing, build, partial(Reader.page, channel=channel, offset=offset))
        try:
            found = call()
            if isinstance(found, str):  # perhaps a stray error, which must not end a listing
                found = call()
            self.said, records = (found, []) if isinstance(found, str) else ("", found)
            return records
        except HttpError as error:
            if isinstance(error, AuthError) or path not in error.url or offset:
                raise
            if error.status in TOO_LARGE and access.page_size > SMALLER_PAGE:
                return self._smaller_page(channel, error.status)
            if error.status == 404 and channel is not None:
                self.list_page(None, 0)  # raises unless the account's listing answers: then the channel is empty
                return []
            raise

    def _smaller_page(self, channel: str | None, status: int) -> list[Record]:
        """Return the first page with a limit that LivePerson's page uses, and keep to it if it works."""
        access, refused = self.access, self.access.page_size
        access.page_size = SMALLER_PAGE
        try:
            records = self.list_page(channel, 0)
        except HttpError:
            access.page_size = refused
            raise
        words = (
            "Page size %d was refused with status %d by %s: continuing with %d. To avoid the refused request, set "
            "the Connection's extra page_size to %d"
        )
        log.warning(words, refused, status, access.place, SMALLER_PAGE, SMALLER_PAGE)
        return records

    def list_url(self) -> str:
        """Return the base URL of the configurations' host."""
        self.access.list_url = self.access.list_url or self._urls["list_url"]
        return self.access.list_url

    def sentinel_url(self) -> str:
        """Return the base URL of the token endpoint's host."""
        self.access.sentinel_url = self.access.sentinel_url or self._urls["sentinel_url"]
        return self.access.sentinel_url

    @cached_property
    def _urls(self) -> dict[str, str]:
        # No service names the configurations' host; its region is the prefix of Sentinel's. The secret goes to the
        # host found here, so only LivePerson's own are accepted.
        account = self.access.account
        path = f"/api/account/{account.account_id}/service/sentinel/baseURI.json?version=1.0"
        data = self.read_json(HOSTS, Request("GET", f"{account.domain_url}{path}"))
        base_uri = data.get("baseURI") if isinstance(data, dict) else None
        for urls in map(region_urls, REGIONS):
            if urls["sentinel_url"] == f"https://{base_uri}":
                return urls
        raise ProtocolError(
            f"{host_of(account.domain_url)} named {printable(repr(base_uri), 80)} as the account's Sentinel host, "
            "which is not one of LivePerson's hosts. Set the Connection's host to va, lo or sy."
        )

    def read_json(self, endpoint: Endpoint, request: Request) -> Any:
        """Send a request and return the JSON value of its response."""
        return self._call(endpoint, lambda: request, Reader.json)

    def _call(self, endpoint: Endpoint, build: Callable[[], Request], read: Callable[[Reader], T]) -> T:
        """Send a request and return what is read; retry transient failures, and once with a new token."""
        access, waits, renewed = self.access, iter(self.access.retry_waits), False
        while True:
            # Built anew, so that its token is fresh after a wait. Outside the try: a login that is refused here is
            # final, because repeating it can lock the app out.
            request = build()
            secrets = access.auth.secrets  # those of this request
            try:
                response = self.send(request)
                return read(Reader(endpoint, access.account, secrets, request.url, response, access.now()))
            except TRANSIENT as error:
                wait = next(waits, None)
                if wait is None:
                    raise
                if isinstance(error, Unavailable):
                    if error.retry_after > access.longest_retry_after:
                        raise
                    wait = endpoint.busy_wait if error.status == 429 else wait
                    wait = max(wait, min(error.retry_after, LONGEST_WAIT))
            except AuthError as error:
                if error.status != 401 or endpoint.login or renewed or not access.auth.refused():
                    raise
                renewed, wait = True, 0.0
            if wait:
                self.sleep(wait)


def reuse_or_new(access: Access | None, account: Account, **options: Any) -> Access:
    """Return the access, with its token, if its account has not changed; a new one otherwise.

    :param access: the one in use; None if there is none yet.
    :param account: what the Connection says now.
    :param options: those of :class:`Access`.
    """
    return access if access and access.account == account else Access(account, **options)
