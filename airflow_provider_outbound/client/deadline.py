"""An adapter of requests that gives each response one deadline, for headers and body."""

from __future__ import annotations

import http.client
import io
import math
import socket
import time
from collections.abc import Callable
from typing import Any

from requests.adapters import HTTPAdapter


class DeadlineReader(io.RawIOBase):
    """Read from a socket until one deadline: the socket's timeout, counted from now.

    A socket applies its timeout to each read, so a server that sends byte by byte would never be too late.

    :param stream: the socket's own stream.
    :param sock: the socket.
    :param clock: monotonic seconds.
    """

    def __init__(
        self, stream: io.RawIOBase, sock: socket.socket, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream, self._sock, self._clock = stream, sock, clock
        self._deadline = clock() + (sock.gettimeout() or math.inf)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - self._clock()
        if left <= 0:
            raise TimeoutError("response incomplete when the timeout expired")
        self._sock.settimeout(left)
        return self._stream.readinto(buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(DeadlineReader(self.fp.detach(), sock))


class DeadlineAdapter(HTTPAdapter):
    """Send requests over connections whose responses have one deadline each."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        if pool.ConnectionCls.response_class is not _Response:
            pool.ConnectionCls = type("Connection", (pool.ConnectionCls,), {"response_class": _Response})
        return pool
