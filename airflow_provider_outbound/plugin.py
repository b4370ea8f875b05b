"""The plugin that adds the page to Airflow's UI. Every Airflow process loads it, so it imports almost nothing."""

from __future__ import annotations

import base64
import logging
from functools import cached_property
from typing import Any

from airflow.configuration import conf
from airflow.exceptions import AirflowConfigException
from airflow.providers.common.compat.sdk import AirflowPlugin

log = logging.getLogger(__name__)

NAME = "Outbound"  # Airflow's navigation cuts a longer one
#: The page's path in Airflow's UI (``/plugin/...``), and the prefix of the app that serves it.
ROUTE = "outbound-templates"

#: A speech bubble, drawn for this page. As an image, it can't take the colour of the text in Airflow's navigation.
#: The light theme's icon is filled: it stands on a light ground, or on a dark one while the page is open.
ICON = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='{fill}' stroke='{stroke}' stroke-width='2' "
    "stroke-linecap='round' stroke-linejoin='round'>"
    "<path d='M12 3a9 9 0 1 1-4.2 17L3 21l1.1-4.4A9 9 0 0 1 12 3z'/><path d='M8.5 10h7M8.5 14h4'/></svg>"
)


def icon(stroke: str, fill: str) -> str:
    """Return the icon as a URL that holds it.

    :param stroke: the colour of its lines.
    :param fill: the colour between them.
    """
    drawn = ICON.format(stroke=stroke, fill=fill).encode()
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn).decode()}"


class OutboundPlugin(AirflowPlugin):
    """Add the page to Airflow's navigation, and its app to the API server, unless ``[outbound] page`` is off."""

    name = "airflow-provider-outbound"

    @cached_property
    def external_views(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The page's place in Airflow's UI."""
        view = {
            "name": NAME,
            # Relative: Airflow's UI has a <base>, so this also works below the path of [api] base_url.
            "href": f"{ROUTE}/",
            "url_route": ROUTE,
            "destination": "nav",
            "icon": icon("#27272a", "#fff"),
            "icon_dark_mode": icon("#e4e4e7", "none"),
        }
        return [view] if _is_on() else []

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The page's app. Only the API server and the command ``airflow plugins`` ask for it.

        If this Airflow lacks what the app needs to be made, every request for the page gets 503. Airflow starts
        all the same.
        """
        if not _is_on():
            return []
        app: Any
        try:
            from airflow_provider_outbound.page import create_app

            app = create_app()
        except (ImportError, AttributeError, TypeError):
            from starlette.responses import PlainTextResponse

            log.exception(
                "The page %r is closed: this version of Airflow lacks what it needs. Upgrade Airflow, or set the "
                "option page in [outbound] to False",
                NAME,
            )
            app = PlainTextResponse(f"The page {NAME} is closed: it could not start. Airflow logged why.", 503)
        return [{"app": app, "url_prefix": f"/{ROUTE}", "name": NAME}]


def _is_on() -> bool:
    """Look up the option ``[outbound] page``. A value that is no boolean closes the page; Airflow still starts."""
    try:
        return bool(conf.getboolean("outbound", "page", fallback=True))
    except AirflowConfigException as error:
        log.error("The page %r is closed: write True or False as the option page in [outbound]. %s", NAME, error)
        return False
