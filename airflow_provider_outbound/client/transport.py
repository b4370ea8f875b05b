"""Drive flows to their results, in a thread or on an event loop.

``run`` and ``arun`` do the same and decide nothing: what to send, when to retry and when to stop is the flow's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

from airflow_provider_outbound.client.protocol import Flow, Pause, Secret
from airflow_provider_outbound.client.sender import Sender
from airflow_provider_outbound.errors import NetworkError

T = TypeVar("T")
A = TypeVar("A")

# Of our own: the event loop's default pool may be full of somebody else's waits.
_THREADS = ThreadPoolExecutor(max_workers=8, thread_name_prefix="outbound")


def run(
    flow: Flow[T],
    send: Sender,
    *,
    sleep: Callable[[float], object] = time.sleep,
    hide: Callable[[str], object] = lambda secret: None,
) -> T:
    """Drive a flow to its result.

    :param flow: what to do.
    :param send: sends its requests.
    :param sleep: makes its waits, in seconds.
    :param hide: is told its secrets.
    :raises OutboundError: what the flow raises.
    """
    try:
        step = next(flow)
        while True:
            answer = None
            try:
                if isinstance(step, Pause):
                    sleep(step.seconds)
                elif isinstance(step, Secret):
                    hide(step.value)
                else:
                    if wait := send.turn(step):
                        sleep(wait)
                    answer = send(step)
            except NetworkError as error:
                step = flow.throw(error)
            else:
                step = flow.send(answer)
    except StopIteration as stop:
        return cast(T, stop.value)
    finally:
        flow.close()


async def arun(
    flow: Flow[T],
    send: Sender,
    *,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    hide: Callable[[str], object] = lambda secret: None,
) -> T:
    """Drive a flow to its result on an event loop: waits are the loop's, requests a thread's.

    The parameters are those of :func:`run`; ``sleep`` is a coroutine function, ``hide`` runs in a thread.
    """
    try:
        step = next(flow)
        while True:
            answer = None
            try:
                if isinstance(step, Pause):
                    await sleep(step.seconds)
                elif isinstance(step, Secret):
                    await in_thread(hide, step.value)
                else:
                    if wait := send.turn(step):
                        await sleep(wait)
                    answer = await in_thread(send, step)
            except NetworkError as error:
                step = flow.throw(error)
            else:
                step = flow.send(answer)
    except StopIteration as stop:
        return cast(T, stop.value)
    finally:
        flow.close()


async def in_thread(function: Callable[[A], T], argument: A) -> T:
    """Call a function in a thread of our own pool, and return its result.

    :param function: what to call.
    :param argument: its argument.
    """
    from asgiref.sync import sync_to_async  # not needed where DAG files are parsed

    # asgiref's threads can call back into the loop, as Airflow's mask_secret does in a triggerer.
    return await sync_to_async(function, thread_sensitive=False, executor=_THREADS)(argument)
