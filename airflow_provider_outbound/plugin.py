"""The plugin that adds the page to Airflow's UI. Every Airflow process loads it, so it imports almost nothing."""

from __future__ import annotations

import base64
import logging
from functools import cached_property
from typing import Any

from airflow.providers.common.compat.sdk import AirflowPlugin

log = logging.getLogger(__name__)

NAME = "Outbound templates"
#: The page's path in Airflow's UI (``/plugin/...``), and the prefix of the app that serves it.
ROUTE = "outbound-templates"

#: A speech bubble, drawn for this page. Airflow's UI shows icons as images, which don't inherit its colour.
ICON = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='{colour}' stroke-width='2' "
    "stroke-linecap='round' stroke-linejoin='round'>"
    "<path d='M12 3a9 9 0 1 1-4.2 17L3 21l1.1-4.4A9 9 0 0 1 12 3z'/><path d='M8.5 10h7M8.5 14h4'/></svg>"
)


def icon(colour: str) -> str:
    """Return the icon as a URL that holds it.

    :param colour: of its lines, for CSS.
    """
    return f"data:image/svg+xml;base64,{base64.b64encode(ICON.format(colour=colour).encode()).decode()}"


class OutboundPlugin(AirflowPlugin):
    """Add the page to Airflow's navigation, and its app to the API server."""

    name = "airflow-provider-outbound"
    external_views = [  # noqa: RUF012 - Airflow wants a list
        {
            "name": NAME,
            # Relative: Airflow's UI has a <base>, so this also works below the path of [api] base_url.
            "href": f"{ROUTE}/",
            "url_route": ROUTE,
            "destination": "nav",
            "icon": icon("#27272a"),
            "icon_dark_mode": icon("#e4e4e7"),
        }
    ]

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The page's app. Only the API server asks for it.

        If it can't be made, because this Airflow lacks what it needs, every request for the page is refused, and
        Airflow starts all the same.
        """
        app: Any
        try:
            from airflow_provider_outbound.page import create_app

            app = create_app()
        except (ImportError, AttributeError, TypeError):
            from starlette.responses import PlainTextResponse

            log.exception("The page %r is closed: it does not work with this Airflow", NAME)
            app = PlainTextResponse(f"The page is closed: {NAME} could not start. Airflow logged why.", 503)
        return [{"app": app, "url_prefix": f"/{ROUTE}", "name": NAME}]
