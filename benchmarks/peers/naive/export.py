"""The script that one writes first: requests until a page is short, then pandas."""

import pandas as pd
import pyarrow.parquet  # noqa: F401 - what pandas imports when it writes
import requests


def export(order):
    """Write the listing to a Parquet file."""
    form = {
        "grant_type": "client_credentials",
        "client_id": order.client_id,
        "client_secret": order.client_secret,
    }
    with requests.Session() as session:
        answer = session.post(order.token_url, data=form, timeout=30)
        answer.raise_for_status()
        session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        items = []
        while True:
            query = {"v": 1, "limit": order.page_size, "offset": len(items)}
            answer = session.get(f"{order.url}/{order.list_path}", params=query, timeout=30)
            answer.raise_for_status()
            page = answer.json()
            items += page
            if len(page) < order.page_size:
                break
    pd.json_normalize(items).to_parquet(order.file)
