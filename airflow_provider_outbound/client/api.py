"""The calls of LivePerson's API: find the hosts, and list one page. A call retries as LivePerson's policy says."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlencode

from airflow_provider_outbound.client.account import (
    REGIONS,
    Account,
    check_path_segment,
    host_of,
    list_url,
    sentinel_url,
)
from airflow_provider_outbound.client.auth import auth_of
from airflow_provider_outbound.client.responses import LEGAL, Endpoint, Reader, says_nothing
from airflow_provider_outbound.client.sender import Request, Response
from airflow_provider_outbound.errors import (
    TRANSIENT,
    AuthError,
    HttpError,
    ProtocolError,
    Unavailable,
    printable,
)
from airflow_provider_outbound.model.items import Record

log = logging.getLogger(__name__)
T = TypeVar("T")

RETRY_WAITS = (5.0, 10.0, 15.0)  # seconds before each retry of a 5xx: retry policy page
LONGEST_WAIT = 60.0  # seconds that a Retry-After may ask for; past that Airflow's own retries do better
SMALLER_PAGE = 30  # the limit in the example of the API's page, for servers that refuse a larger one
TOO_LARGE = (400, 413, 422)  # statuses by which a server may refuse a limit

LIST = Endpoint(
    purpose="list the configurations",
    busy_wait=1.0,
    auth_statuses=(401, 403),
    advice={
        401: "The token was refused. Check that the app is installed for the account, or renew the bearer token.",
        403: "The app may not read outbound configurations. Check its scope and installation in LivePerson.",
        404: "No such account, app or channel there. Check the Connection's schema, host and app_name.",
        451: LEGAL,
    },
)
UNKNOWN_ACCOUNT = "The Domain API does not know the account. Check the Connection's schema."
HOSTS = Endpoint(
    purpose="find the hosts",
    busy_wait=1.0,
    auth_statuses=(),
    advice={**dict.fromkeys((400, 401, 404), UNKNOWN_ACCOUNT), 451: LEGAL},
)


class Access:
    """What is known of an account from call to call: its hosts, its token, the page size that it accepts.

    :param account: whose configurations to read.
    :param retry_waits: seconds before each retry; empty for none (a sensor looks again anyway).
    :param clock: monotonic seconds, for the token's age.
    :param now: seconds since 1970, for a Retry-After that is a date.
    :param mask: gets each token, to keep it out of logs.
    """

    def __init__(
        self,
        account: Account,
        *,
        retry_waits: Collection[float] = RETRY_WAITS,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        mask: Callable[[str], object] = lambda token: None,
    ) -> None:
        self.account, self.retry_waits, self.now = account, retry_waits, now
        self.list_url, self.sentinel_url = account.list_url, account.sentinel_url
        self.page_size = account.page_size
        self.auth = auth_of(account, clock, mask)

    def __repr__(self) -> str:
        return f"Access({self.account!r})"

    @property
    def place(self) -> str:
        """Host and account, for messages."""
        return f"{host_of(self.list_url or self.account.domain_url)}, account {self.account.account_id}"


class Api:
    """The calls for one account, over one session.

    :param access: what is known of the account; what a call learns is kept there.
    :param send: sends a request and returns its whole response.
    :param sleep: waits before a retry, in seconds.
    """

    def __init__(
        self, access: Access, send: Callable[[Request], Response], sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self.access, self.send, self.sleep = access, send, sleep

    def list_page(self, channel: str | None, offset: int, ahead: Sequence[int] = ()) -> list[Record]:
        """Return one page of the account's configurations, or of one channel's.

        :param channel: a channel such as ``wa``; None for all.
        :param offset: how many configurations to skip. Past the end, a server may say in many ways that there is
            nothing; any but an empty list is asked for twice, so that one stray error does not end a listing.
        :param ahead: the offsets that will probably be asked for next.
        :returns: the page's items: configurations or bare channels, as the server sends them.
        :raises OutboundError: see :mod:`airflow_provider_outbound.errors`.
        """
        access, path = self.access, self._list_path(channel)

        def build() -> Request:
            base = self.list_url()
            auth = access.auth.ready(self)
            following = tuple(page(base, each, auth) for each in ahead)
            return page(base, offset, auth, following)

        def page(base: str, at: int, auth: Any, following: tuple[Request, ...] = ()) -> Request:
            query = urlencode({"v": 1, "limit": access.page_size, "offset": at})
            # LivePerson's page asks for this Content-Type although a GET has no content.
            return Request("GET", f"{base}{path}?{query}", auth, "application/json", following)

        def call() -> list[Record] | None:
            return self._call(LIST, build, partial(self._read_page, channel, offset), refused=access.auth.refused)

        try:
            records = call()
            return (call() if records is None else records) or []
        except HttpError as error:
            if isinstance(error, AuthError) or path not in error.url or offset:
                raise
            if error.status in TOO_LARGE and access.page_size > SMALLER_PAGE:
                return self._smaller_page(channel, error)
            if error.status == 404 and channel is not None and self._lists_others():
                return []
            raise

    def _list_path(self, channel: str | None) -> str:
        account = self.access.account
        path = f"/api/account/{account.account_id}/app/{account.app_name}/handoffs/list"
        return path if channel is None else f"{path}/channel/{check_path_segment('channel', channel)}"

    def _read_page(
        self, channel: str | None, offset: int, reader: Reader, request: Request, response: Response
    ) -> list[Record] | None:
        """Return a page's items; None where only a page past the end may say in that way that there is nothing."""
        if response.status == 204:
            return []
        if offset and says_nothing(response):
            return None
        reader.check(request, response, self.access.now())
        if channel is not None and response.body.strip() == b"null":
            return []
        return reader.records(request, response)

    def _smaller_page(self, channel: str | None, error: HttpError) -> list[Record]:
        """Ask for the first page again with a limit that LivePerson's page uses, and keep to it if it works."""
        access, refused = self.access, self.access.page_size
        access.page_size = SMALLER_PAGE
        try:
            records = self.list_page(channel, 0)
        except HttpError:
            access.page_size = refused
            raise
        log.warning(
            "Page size %d was refused with status %d by %s: continuing with %d",
            refused,
            error.status,
            access.place,
            SMALLER_PAGE,
        )
        return records

    def _lists_others(self) -> bool:
        """Tell whether the whole account is listed, so that a channel's 404 means that it is empty."""
        try:
            self.list_page(None, 0)
        except HttpError as error:
            if error.status != 404:
                raise
            return False
        return True

    def list_url(self) -> str:
        """Return the base URL of the configurations' host."""
        if self.access.list_url is None:
            self._find_hosts()
        return str(self.access.list_url)

    def sentinel_url(self) -> str:
        """Return the base URL of the token endpoint's host."""
        if self.access.sentinel_url is None:
            self._find_hosts()
        return str(self.access.sentinel_url)

    def _find_hosts(self) -> None:
        """Find the account's region, and by it the hosts, through the Domain API."""
        account = self.access.account
        path = f"/api/account/{account.account_id}/service/sentinel/baseURI.json?version=1.0"
        host, data = self.read_json(HOSTS, lambda: Request("GET", f"{account.domain_url}{path}"))
        base_uri = data.get("baseURI") if isinstance(data, dict) else None
        # No service names the configurations' host; its region is the prefix of Sentinel's. The secret goes to the
        # host found here, so only LivePerson's own are accepted.
        found = re.fullmatch(rf"({'|'.join(REGIONS)})\.sentinel\.liveperson\.net", str(base_uri))
        if not isinstance(base_uri, str) or not found:
            raise ProtocolError(
                f"{host} named {printable(repr(base_uri), 80)} as the account's Sentinel host, which is none of "
                "LivePerson's. Set the Connection's host to va, lo or sy."
            )
        self.access.list_url = self.access.list_url or list_url(found[1])
        self.access.sentinel_url = self.access.sentinel_url or sentinel_url(found[1])

    def read_json(self, endpoint: Endpoint, build: Callable[[], Request]) -> tuple[str, Any]:
        """Return the host that answered a call, and the JSON value that it sent.

        :param endpoint: the kind of call.
        :param build: makes the request.
        """

        def read(reader: Reader, request: Request, response: Response) -> tuple[str, Any]:
            reader.check(request, response, self.access.now())
            return host_of(request.url), reader.json(request, response)

        return self._call(endpoint, build, read)

    def _call(
        self,
        endpoint: Endpoint,
        build: Callable[[], Request],
        read: Callable[[Reader, Request, Response], T],
        refused: Callable[[], bool] = lambda: False,
    ) -> T:
        """Send a request, retrying transient failures, and return what its response says.

        :param endpoint: the kind of call.
        :param build: makes the request, anew for each try, so that its token is fresh after a wait.
        :param read: makes the result of a response.
        :param refused: tells after a 401 whether another try is worthwhile; it is asked once.
        :raises OutboundError: transient once the retries are used up, any other at once.
        """
        access, waits, renewable = self.access, iter(self.access.retry_waits), True
        while True:
            # Outside the try: a login that was refused on the way is final. Repeating it can lock the app out.
            request = build()
            try:
                return read(Reader(endpoint, access.account, access.auth.secrets()), request, self.send(request))
            except TRANSIENT as error:
                wait = next(waits, None)
                if wait is None:
                    raise
                if isinstance(error, Unavailable):
                    wait = endpoint.busy_wait if error.status == 429 else wait
                    wait = max(wait, min(error.retry_after, LONGEST_WAIT))
            except AuthError as error:
                if error.status != 401 or not renewable or not refused():
                    raise
                renewable, wait = False, 0.0
            if wait:
                self.sleep(wait)


def reuse_or_new(access: Access | None, account: Account, **options: Any) -> Access:
    """Return the access, with its token, while its account stays as it is; a new one otherwise.

    :param access: the one in use; None for none yet.
    :param account: what the Connection says now.
    :param options: those of :class:`Access`.
    """
    return access if access and access.account == account else Access(account, **options)
