"""dlt's REST client as a resource, loaded into Parquet by dlt's own pipeline."""

import os

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

import dlt
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.auth import OAuth2ClientCredentials
from dlt.sources.helpers.rest_client.paginators import OffsetPaginator


def export(order):
    """Load the listing into a folder with one Parquet file."""
    client = RESTClient(
        base_url=order.url,
        auth=OAuth2ClientCredentials(
            access_token_url=order.token_url, client_id=order.client_id, client_secret=order.client_secret
        ),
        paginator=OffsetPaginator(limit=order.page_size, total_path=None),
    )

    # Without nesting, or the channels and their components would become tables of their own.
    @dlt.resource(name="configurations", write_disposition="replace", max_table_nesting=0)
    def configurations():
        yield from client.paginate(order.list_path, params={"v": 1})

    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=f"{order.folder}/pipelines",
        destination=dlt.destinations.filesystem(bucket_url=f"file://{order.folder}"),
        dataset_name="outbound",
    )
    pipeline.run(configurations, loader_file_format="parquet")
