"""The links of a task in Airflow's UI: to the page with the templates, and to LivePerson's web tool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from airflow.providers.common.compat.sdk import BaseOperatorLink

from airflow_provider_outbound.client.account import region_of

if TYPE_CHECKING:
    from airflow.sdk.types import TaskInstanceKey

# Source: the Proactive Messaging user guide of https://knowledge.liveperson.com. It has no link to one template.
WEB_TOOL = "https://proactive-messaging.fs.liveperson.com"
#: The web tool of each region; the Proactive Messaging API's page lists the same hosts.
WEB_TOOLS = {
    region: f"https://proactive-messaging.{zone}.fs.liveperson.com"
    for region, zone in (("va", "z1"), ("lo", "z2"), ("sy", "z3"))
}

#: The page in Airflow's UI; ``plugin.py`` has its path. Relative: the UI has a <base>, also below a prefix.
PAGE = "plugin/outbound-templates"


class TemplatesLink(BaseOperatorLink):
    """Link to the page in Airflow's UI: from a sensor to its template, from an export to all templates.

    The worker makes the link when the task ends, and Airflow stores it as an XCom. Whoever follows it needs the
    right to read the Connection.
    """

    name = "Templates"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        """Return the page's address in Airflow's UI.

        :param operator: the operator or sensor that has run.
        :param ti_key: the task instance.
        """
        query = {"connection_id": operator.outbound_conn_id}
        if template := getattr(operator, "template_id", None) or getattr(operator, "template_name", None):
            query["template"] = template
        return f"{PAGE}?{urlencode(query)}"


class WebToolLink(BaseOperatorLink):
    """Link to the web tool in which the account's templates are edited.

    The worker makes the link when the task ends, and Airflow stores it as an XCom. The API server needs no
    Connection.
    """

    name = "LivePerson"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        """Return the web tool for the region that the task read, or the one for all regions.

        :param operator: the operator that has run.
        :param ti_key: the task instance.
        """
        return web_tool(operator.list_url)


def web_tool(list_url: str | None) -> str:
    """Return the URL of the web tool.

    :param list_url: base URL of the configurations' host; None if unknown.
    """
    return WEB_TOOLS.get(region_of(list_url) or "", WEB_TOOL)
