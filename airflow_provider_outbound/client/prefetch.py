"""The requests that will probably follow, sent while a response is awaited.

So a long listing runs along the limit of requests per second, whatever the latency. A wrong guess costs a call.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait

from airflow_provider_outbound.client.sender import MOST_AHEAD, Request, Response, Sender


class Prefetch:
    """Send requests as a :class:`Sender` does, and those that they announce ahead of time.

    The responses wait until their requests are made. An unannounced request, such as a retry, discards them.
    Requests are told apart by URL: their signatures may differ each time.

    :param sender: sends the requests.
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._ahead: dict[str, Future[Response]] = {}
        self._under_way: set[Future[Response]] = set()  # discarded ones too
        self._closed = False

    def __enter__(self) -> Prefetch:
        return self

    def __exit__(self, *error: object) -> None:
        self._closed = True
        self._sender.__exit__(*error)

    def __call__(self, request: Request) -> Response:
        """Return the response to a request, and send the announced ones while it is awaited.

        :raises OutboundError: as :meth:`Sender.transmit` does.
        """
        response = self._ahead.pop(request.url, None)
        if response is None:
            self._ahead.clear()
            self._sender.wait_turn(request)
            response = self._start(request) if request.ahead else None
        if response is None:
            return self._sender.transmit(request)
        self._send_ahead(request, response)
        return response.result()

    def _send_ahead(self, request: Request, response: Future[Response]) -> None:
        pace = self._sender.pace(request)
        if pace is None:
            return
        for later in request.ahead:
            if later.url in self._ahead:
                continue
            acquired = False
            while not acquired:  # whoever has reserved a place goes first
                wait([response], pace.delay())
                if response.done() or self._closed or any(map(_failed, self._ahead.values())):
                    return
                acquired = pace.try_acquire()
            started = self._start(later)
            if started is None:
                return
            self._ahead[later.url] = started

    def _start(self, request: Request) -> Future[Response] | None:
        """Send a request in a daemon thread, which no process waits for at its end; None if there are too many."""
        response: Future[Response] = Future()

        def transmit() -> None:
            try:
                response.set_result(self._sender.transmit(request))
            except BaseException as error:  # noqa: BLE001 - raised where the response is awaited
                response.set_exception(error)

        self._under_way = {each for each in self._under_way if not each.done()}
        if len(self._under_way) > MOST_AHEAD:
            return None
        try:
            threading.Thread(target=transmit, name="outbound-ahead", daemon=True).start()
        except RuntimeError:  # the system gives no more threads
            return None
        self._under_way.add(response)
        return response


def _failed(response: Future[Response]) -> bool:
    return response.done() and (response.exception() is not None or response.result().status >= 300)
