"""The page on a real API server, below a path prefix. ``make compat`` runs this with older Airflows, too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.fake import SECRET, Fake, configuration, paged
from tests.system.api_server import ApiServer
from tests.system.one_connection import PERMITTED

pytestmark = pytest.mark.system

OTHER = "another"
ROUTES = ("", PERMITTED, f"{PERMITTED}/content", f"{PERMITTED}/status", "openapi.json", "docs", "redoc", "a/b/c")
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def fake() -> Iterator[Fake]:
    with Fake(paged([configuration(1, name=HOSTILE)])) as fake:
        yield fake


@pytest.fixture(scope="module")
def airflow(fake: Fake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    env = {"AIRFLOW_CONN_ELSEWHERE": json.dumps(fake.connection())}
    with ApiServer(tmp_path_factory.mktemp("page"), "/some/prefix", env) as airflow:
        airflow.add(PERMITTED, fake.connection())
        airflow.add(OTHER, fake.connection())
        yield airflow


def get(airflow: ApiServer, user: str | None, path: str) -> requests.Response:
    return airflow.session(user).get(f"{airflow.url}/outbound-templates/{path}", allow_redirects=False, timeout=60)


# First, while nothing has been read.
def test_ten_viewers_at_once_make_one_listing_and_none_in_the_next_minute(airflow: ApiServer, fake: Fake) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda user: get(airflow, user, f"{PERMITTED}/content"), ["op", "one"] * 5))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert get(airflow, "admin", f"{PERMITTED}/content").status_code == 200
    assert fake.kinds() == ["token", "list", "list", "list"]


@pytest.mark.parametrize("path", ROUTES)
def test_nobody_sees_anything_without_logging_in(path: str, airflow: ApiServer) -> None:
    response = get(airflow, None, path)
    assert response.status_code == 401
    assert PERMITTED not in response.text


@pytest.mark.parametrize("path", ROUTES[1:4])
@pytest.mark.parametrize("user", ["viewer", "user"])
def test_a_viewer_who_may_not_read_connections_is_refused(user: str, path: str, airflow: ApiServer) -> None:
    response = get(airflow, user, path)
    assert response.status_code == 403
    assert "You can’t open this connection’s templates" in response.text
    assert "There is no connection to choose" in get(airflow, user, "").text


@pytest.mark.parametrize("more", ["", "/content", "/status"])
def test_only_the_permitted_connection_is_shown(more: str, airflow: ApiServer) -> None:
    assert get(airflow, "one", PERMITTED + more).status_code == 200
    assert get(airflow, "one", OTHER + more).status_code == 403
    assert get(airflow, "op", OTHER + more).status_code == 200
    choice = get(airflow, "one", "").text
    assert f'value="{PERMITTED}"' in choice
    assert f'value="{OTHER}"' not in choice


def test_a_connection_of_the_environment_is_shown(airflow: ApiServer) -> None:
    assert get(airflow, "op", "elsewhere/content").status_code == 200
    assert get(airflow, "one", "elsewhere/content").status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_the_page_can_only_be_read(method: str, airflow: ApiServer) -> None:
    session = airflow.session("admin")
    for path in ROUTES:
        url = f"{airflow.url}/outbound-templates/{path}"
        assert session.request(method, url, timeout=60).status_code == 405


def test_the_frame_is_sandboxed_and_compressed_and_has_no_secret(airflow: ApiServer) -> None:
    response = get(airflow, "op", f"{PERMITTED}/content")
    policy = response.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'; script-src 'sha256-")
    assert policy.endswith("; frame-ancestors 'self'")
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert HOSTILE not in response.text
    assert SECRET not in response.text


def test_airflow_offers_the_page_in_its_navigation(airflow: ApiServer) -> None:
    plugins = airflow.session("op").get(f"{airflow.url}/api/v2/plugins", timeout=60).json()["plugins"]
    (ours,) = [plugin for plugin in plugins if plugin["name"] == "airflow-provider-outbound"]
    (view,) = ours["external_views"]
    assert (view["url_route"], view["destination"], view["href"]) == (
        "outbound-templates",
        "nav",
        "outbound-templates/",
    )
