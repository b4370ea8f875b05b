"""Send the requests that will probably follow while a response is awaited; a wrong guess costs a call."""

from __future__ import annotations

from concurrent.futures import Future, wait
from functools import partial

from airflow_provider_outbound.client import threads
from airflow_provider_outbound.client.pacing import Departure
from airflow_provider_outbound.client.sender import MOST_AHEAD, Request, Response, Sender


class Prefetch:
    """Send requests as a :class:`Sender` does, and those that they announce ahead of time.

    Responses are kept by URL until their requests are made. A request that was not announced, such as a retry, or
    that announces none discards them.

    :param sender: sends the requests.
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._ahead: dict[str, Future[Response]] = {}
        self._under_way: set[Future[Response]] = set()  # discarded ones too

    def __enter__(self) -> Prefetch:
        return self

    def __exit__(self, *error: object) -> None:
        self._sender.__exit__(*error)

    def __call__(self, request: Request) -> Response:
        """Return the response to a request, and send the announced ones while it is awaited."""
        # The last calls of a listing announce nothing. They prove its end by their order, so they are sent now.
        if not request.ahead or request.url not in self._ahead:
            self._ahead.clear()
            departure = self._sender.wait_turn(request)
            if not request.ahead or not self._start(request, departure):
                return self._sender.transmit(request, departure)
        response = self._ahead.pop(request.url)
        self._send_ahead(request, response)
        return response.result()

    def _send_ahead(self, request: Request, response: Future[Response]) -> None:
        pace = self._sender.pace(request)
        later = [each for each in request.ahead if each.url not in self._ahead]
        while later:
            wait([response], pace.delay())
            if response.done() or any(map(_failed, self._ahead.values())):
                return
            # Those who have reserved a place go first.
            departure = pace.try_acquire()
            if departure and not self._start(later.pop(0), departure):
                return

    def _start(self, request: Request, departure: Departure) -> bool:
        """Send a request in a daemon thread, which does not delay an exit; return False if none is available."""
        self._under_way = {each for each in self._under_way if not each.done()}
        if len(self._under_way) > MOST_AHEAD:
            return False
        try:
            response = threads.start(partial(self._sender.transmit, request, departure), "outbound-ahead")
        except RuntimeError:  # the system has no more threads
            return False
        self._under_way.add(response)
        self._ahead[request.url] = response
        return True


def _failed(response: Future[Response]) -> bool:
    return response.done() and (response.exception() is not None or response.result().status >= 300)
