"""What the pages of ``docs/concepts`` show of requests, compared with the requests."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest

from airflow_provider_outbound.client.account import Account, Secret
from airflow_provider_outbound.client.api import Access, Api
from airflow_provider_outbound.client.listing import Listing
from airflow_provider_outbound.client.sender import Request, Response, Sender
from airflow_provider_outbound.sandbox import Sandbox
from tests.blocks import ROOT


@pytest.mark.parametrize(("items", "page_cap"), [(240, None), (100, 30)])
def test_requests_of_a_listing_are_those_on_the_page(items: int, page_cap: int | None) -> None:
    lines = []
    with Sandbox(items=items, page_cap=page_cap) as sandbox:
        account = Account(
            account_id=sandbox.account,
            client_id=sandbox.client_id,
            secret=Secret(sandbox.client_secret),
            list_url=sandbox.url,
            sentinel_url=sandbox.url,
        )
        with Sender(account) as sender:

            def send(request: Request) -> Response:
                response = sender(request)
                if request.method == "GET":
                    asked = urlsplit(request.url)
                    sent = len(json.loads(response.body))
                    lines.append(f"{sent:3} from GET {asked.path}?{asked.query}")
                return response

            held = [record for page in Listing(Api(Access(account), send)).pages() for record in page.records]
    assert len(held) == items
    page = (ROOT / "docs" / "concepts" / "paging.rst").read_text()
    assert "".join(f"   {line}\n" for line in lines) in page
