"""A tap made with the Meltano SDK; its records go to one Parquet file by the SDK's own batches."""

from functools import cached_property

import pyarrow.parquet  # noqa: F401 - the SDK imports it when it writes
from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import OAuthAuthenticator
from singer_sdk.pagination import OffsetPaginator


class Sentinel(OAuthAuthenticator):
    """LivePerson's login."""

    @property
    def oauth_request_body(self):
        """Return the form of the client-credentials grant."""
        return {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }


class Configurations(RESTStream):
    """The account's configurations."""

    name = "configurations"
    primary_keys = ("id",)
    records_jsonpath = "$[*]"
    schema = th.PropertiesList(
        th.Property("id", th.StringType, required=True),
        th.Property("name", th.StringType),
        th.Property("lookbackPeriodDay", th.IntegerType),
        th.Property("lookbackPeriodHour", th.IntegerType),
        th.Property("routeAllWithinLookback", th.BooleanType),
        th.Property("createdAt", th.DateTimeType),
        th.Property("updatedAt", th.DateTimeType),
        th.Property("channels", th.ArrayType(th.ObjectType(additional_properties=True))),
    ).to_dict()

    @property
    def url_base(self):
        """Return the server's URL."""
        return f"{self.config['url']}/"

    @property
    def path(self):
        """Return the path of the listing."""
        return self.config["path"]

    @cached_property
    def authenticator(self):
        """Return what logs in, when it has to."""
        return Sentinel(
            auth_endpoint=self.config["token_url"],
            client_id=self.config["client_id"],
            client_secret=self.config["client_secret"],
        )

    def get_new_paginator(self):
        """Return the paginator, which ends with an empty page."""
        return OffsetPaginator(start_value=0, page_size=self.config["page_size"])

    def get_url_params(self, context, next_page_token):
        """Return the query of the next page."""
        return {"v": 1, "limit": self.config["page_size"], "offset": next_page_token}


class OutboundTap(Tap):
    """The tap."""

    name = "tap-outbound"
    config_jsonschema = th.PropertiesList(
        th.Property("url", th.StringType, required=True),
        th.Property("path", th.StringType, required=True),
        th.Property("token_url", th.StringType, required=True),
        th.Property("client_id", th.StringType, required=True),
        th.Property("client_secret", th.StringType, required=True, secret=True),
        th.Property("page_size", th.IntegerType, required=True),
    ).to_dict()

    def discover_streams(self):
        """Return the one stream."""
        return [Configurations(self)]


def export(order):
    """Run the tap with a batch that has room for all, so that there is one file."""
    config = {
        "url": order.url,
        "path": order.list_path,
        "token_url": order.token_url,
        "client_id": order.client_id,
        "client_secret": order.client_secret,
        "page_size": order.page_size,
        "batch_config": {
            "encoding": {"format": "parquet"},
            "storage": {"root": f"file://{order.folder}"},
            "batch_size": 1_000_000,
        },
    }
    OutboundTap(config=config).sync_all()
