"""Calls in daemon threads, for which no process waits when it exits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def start(function: Callable[[], T], name: str) -> Future[T]:
    """Call a function in a daemon thread of its own, and return what will be its result.

    :param function: what to call.
    :param name: the thread's name.
    :raises RuntimeError: if the system has no more threads.
    """
    future: Future[T] = Future()

    def call() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001 - raised where the result is awaited
            future.set_exception(error)

    future.set_running_or_notify_cancel()  # from here on, it can't be cancelled
    threading.Thread(target=call, name=name, daemon=True).start()
    return future
