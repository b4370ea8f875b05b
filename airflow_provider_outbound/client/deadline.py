"""A requests session in which an answer has one deadline, headers and body."""

from __future__ import annotations

import http.client
import io
import math
import socket
import time
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter


class _Timed(io.RawIOBase):
    """What comes from a socket, within the seconds of one read; sockets themselves give that to each read.

    :param stream: the socket's own.
    :param sock: the socket.
    """

    def __init__(self, stream: io.RawIOBase, sock: socket.socket) -> None:
        self._stream, self._sock = stream, sock
        self._end = time.monotonic() + (sock.gettimeout() or math.inf)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer drips")
        self._sock.settimeout(left)
        return self._stream.readinto(buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """An answer that is to come in time as a whole, headers and body."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Timed(self.fp.detach(), sock))


class _HTTPConnection(urllib3.connection.HTTPConnection):
    response_class = _Response


class _HTTPSConnection(urllib3.connection.HTTPSConnection):
    response_class = _Response


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


class _Adapter(HTTPAdapter):
    """An adapter that makes such connections."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _use_own_pools(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        return _use_own_pools(super().proxy_manager_for(*args, **kwargs))


def _use_own_pools(manager: Any) -> Any:
    if type(manager) in (urllib3.PoolManager, urllib3.ProxyManager):  # SOCKS has connections of its own
        manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
    return manager


class Session(requests.Session):
    """A session whose answers come in time, and that looks at no redirect.

    requests reads and parses even redirects that it does not follow.

    :param connections: to keep for further requests.
    """

    def __init__(self, connections: int) -> None:
        super().__init__()
        for scheme in ("https://", "http://"):
            self.mount(scheme, _Adapter(pool_maxsize=connections))

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None
