"""The app behind the page in Airflow's UI. Only the API server imports it.

Fetched text is shown only in a sandboxed frame, which can reach neither Airflow nor the viewer's session. What
surrounds the frame shows no fetched text. Each route requires the right to see the pages of plugins, and each one
that names a Connection the right to read that Connection.
"""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView, ConnectionDetails
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_connection, requires_access_view
from airflow.models.connection import Connection
from airflow.utils.session import create_session
from fastapi import Depends, FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse
from sqlalchemy import select
from starlette.exceptions import HTTPException

from airflow_provider_outbound.client.account import host_of, region_of
from airflow_provider_outbound.client.api import Access
from airflow_provider_outbound.connections import CONN_TYPE, DEFAULT_CONN_ID
from airflow_provider_outbound.errors import OutboundError
from airflow_provider_outbound.messages import (
    BROKEN,
    CHOOSE,
    NO_CONNECTION,
    NO_PAGES,
    NOT_FOUND,
    NOT_LOGGED_IN,
    TITLE,
    Html,
    Message,
    draw,
    failed,
    not_permitted,
)
from airflow_provider_outbound.snapshots import KEPT, Snapshots

#: The frame's content runs its own script, but in an opaque origin: it can reach neither cookies nor this page.
SANDBOX = "sandbox allow-scripts; "
HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}


def create_app(
    clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], object] = time.sleep
) -> FastAPI:
    """Return the app; it shows only messages to anyone who may not see the pages of plugins.

    :param clock: monotonic seconds.
    :param sleep: waits before a request is sent again.
    """
    app = FastAPI(
        title=TITLE,
        dependencies=[Depends(requires_access_view(AccessView.PLUGINS)), Depends(_remember)],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.add_exception_handler(HTTPException, _refuse)
    app.add_exception_handler(Exception, _refuse)  # Starlette logs it, too
    may_read = [Depends(requires_access_connection("GET"))]  # it looks at the path's connection_id
    snapshots = Snapshots(clock, sleep)

    @app.get("/")
    def index(user: GetUserDep) -> Response:
        """Lead to the Connection that the address names, or to the first one."""
        known = _connections(user)
        return _around(draw("", known, CHOOSE if known else NO_CONNECTION, home=known[0] if known else ""))

    @app.get("/{connection_id}", dependencies=may_read)
    def shell(connection_id: str, user: GetUserDep) -> Response:
        """Show what surrounds the frame; the browser then asks for its content."""
        return _around(draw(connection_id, _connections(user)))

    @app.get("/{connection_id}/content", dependencies=may_read)
    async def content(connection_id: str, request: Request) -> Response:
        """Show the templates, or why there are none to show."""
        try:
            # Looking up the Connection may block, so a thread does it. No thread of Airflow waits for the listing.
            found = await asyncio.wrap_future(await run_in_threadpool(snapshots.read, connection_id))
        except OutboundError as error:
            return _in_frame(failed(error, connection_id))
        if found.error:
            return _in_frame(failed(found.error, connection_id, KEPT))
        headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            return _response(found.catalogue, SANDBOX + found.policy, headers=headers)
        return _response(gzip.decompress(found.catalogue), SANDBOX + found.policy)

    @app.get("/{connection_id}/status", dependencies=may_read)
    def status(connection_id: str) -> Response:
        """Return whose templates the frame shows, and how old they are; empty if no listing has ended."""
        last = snapshots.last(connection_id)
        if last is None or last.found.exception():
            return JSONResponse({}, headers=HEADERS)
        found = last.found.result()
        state = {"place": _place(last.access), "failed": found.error is not None}
        return JSONResponse({**state, "age": snapshots.age(found), "kept": KEPT}, headers=HEADERS)

    @app.get("/{path:path}")
    def elsewhere(path: str) -> Response:
        """Refuse any other address, after the same checks."""
        raise HTTPException(404)

    return app


def _remember(request: Request, user: GetUserDep) -> None:
    """Remember the viewer, because a refusal offers the Connections that this viewer may read."""
    request.state.viewer = user


def _refuse(request: Request, error: Exception) -> Response:
    """Return a refusal, or an unexpected error, as a page for people."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    conn_id, viewer = request.path_params.get("connection_id", ""), getattr(request.state, "viewer", None)
    known = _connections(viewer) if viewer else []
    forbidden = not_permitted(conn_id, bool(known)) if viewer else NO_PAGES
    messages = {401: NOT_LOGGED_IN, 403: forbidden, 500: BROKEN}
    message = messages.get(status, NOT_FOUND._replace(status=status))  # also of 405
    if request.url.path.endswith("/content"):
        return _in_frame(message)
    return _around(draw(conn_id if viewer else "", known, message))


def _connections(viewer: Any) -> list[str]:
    """Return the Connections of this type that a viewer may read, the default one first.

    Airflow can list only those in its database.
    """
    with create_session() as session:
        known = session.scalars(select(Connection.conn_id).where(Connection.conn_type == CONN_TYPE)).all()
    return sorted(
        (conn_id for conn_id in known if _has_address(conn_id) and _may_read(conn_id, viewer)),
        key=lambda each: (each != DEFAULT_CONN_ID, each),
    )


def _has_address(conn_id: str) -> bool:
    """Tell whether a Connection's id can be a part of an address. Browsers resolve dots as folders."""
    return "/" not in conn_id and conn_id not in (".", "..")


def _may_read(conn_id: str, viewer: Any) -> bool:
    """Check whether a viewer may read a Connection, as the routes do."""
    details = ConnectionDetails(conn_id=conn_id, team_name=Connection.get_team_name(conn_id))
    return get_auth_manager().is_authorized_connection(method="GET", details=details, user=viewer)


def _place(access: Access) -> str:
    """Return account and region; the host if it is not one of LivePerson's regions."""
    host = host_of(access.list_url or access.account.domain_url)
    region = region_of(access.list_url) or host
    return f"Account {access.account.account_id} · {region}"


def _around(drawn: Html) -> Response:
    """Return a page outside the sandbox, which holds no fetched text."""
    return _response(drawn.html, f"{drawn.policy}; frame-src 'self'; connect-src 'self'", drawn.status)


def _in_frame(message: Message) -> Response:
    """Return a message in place of the templates. It may quote a server."""
    drawn = draw(message=message, embedded=True)
    return _response(drawn.html, SANDBOX + drawn.policy, drawn.status)


def _response(
    html: str | bytes, policy: str, status: int = 200, headers: Mapping[str, str] = MappingProxyType({})
) -> Response:
    headers = {**HEADERS, **headers, "Content-Security-Policy": f"{policy}; frame-ancestors 'self'"}
    return HTMLResponse(html, status, headers)
