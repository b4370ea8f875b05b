"""Driving flows: in a thread and on an event loop, at the right pace, and nothing left behind."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from airflow_provider_outbound.client.api import Api
from airflow_provider_outbound.client.protocol import Pause
from airflow_provider_outbound.client.sender import Sender
from airflow_provider_outbound.client.transport import arun
from tests.conftest import Driver
from tests.fake import Fake


def test_requests_wait_their_turn(drive: Driver) -> None:
    with Fake() as fake:
        account = fake.account(requests_per_second=0.001)
        api = Api(account)
        for _ in range(2):
            drive(api.list_page(None, 0), account)
    assert [round(wait, -2) for wait in drive.waits] == [1000, 2100]


@pytest.mark.fault("W6")
def test_cancelled_flow_leaves_nothing_behind() -> None:
    closed = []

    def flow() -> Any:
        try:
            yield Pause(1000)
        finally:
            closed.append(True)

    async def cancel() -> None:
        with Fake() as fake, Sender(fake.account()) as send:
            task = asyncio.create_task(arun(flow(), send))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    before = threading.active_count()
    asyncio.run(cancel())
    assert closed == [True]
    assert threading.active_count() == before
