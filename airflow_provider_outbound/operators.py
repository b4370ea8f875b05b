"""The operator that fetches an account's configurations."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_outbound.connections import DEFAULT_CONN_ID
from airflow_provider_outbound.hooks import Channels, OutboundHook, airflow_errors
from airflow_provider_outbound.model.values import xcom_safe
from airflow_provider_outbound.tables import parquet

if TYPE_CHECKING:
    from airflow.sdk import Context, ObjectStoragePath

#: Bytes of XCom past which Airflow's docs send larger data to files; its MySQL column ends at 64 kB.
XCOM_LIMIT = 48_000


class OutboundConfigurationsOperator(BaseOperator):
    """Fetch an account's outbound configurations, all or those of some channels.

    Without ``output_path`` the configurations are the task's XCom. With it they become two Parquet files in that
    folder, ``configurations.parquet`` and ``components.parquet``, each replaced whole, and the XCom is
    ``{"account_id", "configurations": {"path", "rows"}, "components": {"path", "rows"}}``.

    Errors that a retry can't mend fail the task at once; others are left to Airflow's retries.

    :param channel: one channel, such as ``wa``, or a list of them; None for all. (templated)
    :param output_path: a folder: local, or any URL that Airflow's object storage takes. (templated)
    :param outbound_conn_id: the Connection to use. (templated)
    """

    template_fields: Sequence[str] = ("channel", "output_path", "outbound_conn_id")
    ui_color = "#f4dcc9"

    def __init__(
        self,
        *,
        channel: Channels = None,
        output_path: str | os.PathLike[str] | ObjectStoragePath | None = None,
        outbound_conn_id: str = DEFAULT_CONN_ID,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.channel = channel
        self.output_path = output_path
        self.outbound_conn_id = outbound_conn_id

    def execute(self, context: Context) -> Any:
        """Fetch, and return the items or where they were written."""
        hook = OutboundHook(self.outbound_conn_id)
        with airflow_errors():
            if self.output_path is not None:
                written = parquet.write(hook.iter_tables(self.channel), self.output_path)
                for table in written.values():
                    self.log.info("Wrote %d rows to %s", table["rows"], table["path"])
                return {"account_id": hook.api.account.account_id, **written}
            items = xcom_safe(hook.get_configurations(self.channel))
        size = len(json.dumps(items))
        if size > XCOM_LIMIT:
            self.log.warning("The XCom has %d kB: set output_path to write Parquet instead", size // 1000)
        return items
