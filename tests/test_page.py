"""The page in Airflow's UI: who sees what, what it fetches, and what it says if there is nothing to show."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points
from typing import Any

import pytest
from airflow.api_fastapi.app import init_auth_manager, purge_cached_app
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.models.connection import Connection
from airflow.utils.session import create_session
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.routing import Route

from airflow_provider_outbound.links import PAGE, TemplatesLink
from airflow_provider_outbound.operators import OutboundConfigurationsOperator
from airflow_provider_outbound.page import create_app
from airflow_provider_outbound.plugin import ROUTE, OutboundPlugin
from airflow_provider_outbound.sensors import OutboundTemplateSensor
from airflow_provider_outbound.snapshots import MOST, Snapshots
from tests.clock import Clock
from tests.fake import ACCOUNT, SECRET, Fake, Reply, configuration, paged

Connect = Callable[..., str]
Visit = Callable[..., TestClient]

CONN = "liveperson_outbound_default"
HOSTILE = "<script>alert(1)</script>"
LISTING = ["list"] * 3  # a page, and two calls that prove its end


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def visit(airflow_db: None, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visit]:
    """Return a function that gives the browser of a viewer with a role. None is logged in nowhere."""
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "s" * 64)
    purge_cached_app()
    manager = init_auth_manager()
    app = create_app(clock, clock.sleep)

    def browser(role: str | None = "op") -> TestClient:
        user = SimpleAuthManagerUser(username="someone", role=role)
        cookies = {} if role is None else {"_token": manager.generate_jwt(user)}
        return TestClient(app, cookies=cookies, headers={"accept-encoding": "identity"})

    yield browser
    purge_cached_app()


@pytest.fixture
def stored(airflow_db: None) -> Iterator[Callable[..., None]]:
    """Return a function that puts Connections into the database."""
    ids: list[str] = []

    def store(conn_id: str, conn_type: str = "liveperson_outbound") -> None:
        ids.append(conn_id)
        with create_session() as session:
            session.add(Connection(conn_id=conn_id, conn_type=conn_type))

    yield store
    with create_session() as session:
        session.query(Connection).filter(Connection.conn_id.in_(ids)).delete()


def paths(app: FastAPI) -> list[str]:
    """Return an address of each route."""
    found = [route.path for route in app.routes if isinstance(route, Route)]
    assert len(found) >= 5
    return [path.replace("{connection_id}", CONN).replace("{path:path}", "a/b/c") for path in found]


def test_the_api_server_finds_the_plugin() -> None:
    (found,) = [each for each in entry_points(group="airflow.plugins") if "outbound" in each.value]
    assert found.load() is OutboundPlugin
    (view,) = OutboundPlugin().external_views
    assert f"plugin/{view['url_route']}" == PAGE
    assert view["href"] == f"{ROUTE}/"


def test_a_process_that_loads_the_plugin_does_not_load_the_page() -> None:
    heavy = "{'fastapi', 'jinja2', 'requests', 'sqlalchemy', 'airflow_provider_outbound.page'}"
    code = (
        f"import sys; from airflow_provider_outbound.plugin import OutboundPlugin; OutboundPlugin(); print({heavy}"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{code} & (set(sys.modules) - before))".replace("import sys;", BEFORE)],
        capture_output=True,
        text=True,
    )
    assert done.stdout.split("\n")[-2] == "set()", done.stderr


BEFORE = "import sys; import airflow.plugins_manager; before = set(sys.modules);"


@pytest.mark.parametrize("broken", ["airflow_provider_outbound.page", "airflow_provider_outbound.snapshots"])
def test_a_page_that_can_not_be_imported_refuses_everyone(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "airflow_provider_outbound.page", raising=False)
    monkeypatch.setitem(sys.modules, broken, None)  # as Python marks what can't be imported
    (mounted,) = OutboundPlugin().fastapi_apps
    airflow = FastAPI()
    airflow.mount(mounted["url_prefix"], mounted["app"])
    browser = TestClient(airflow)
    for path in ("", CONN, f"{CONN}/content", "openapi.json"):
        response = browser.get(f"/{ROUTE}/{path}")
        assert response.status_code == 503
        assert "Airflow logged why" in response.text


def test_the_plugin_serves_the_page() -> None:
    plugin: Any = OutboundPlugin()
    (mounted,) = plugin.fastapi_apps
    assert isinstance(mounted["app"], FastAPI)
    assert mounted["url_prefix"] == f"/{ROUTE}"
    assert plugin.fastapi_apps[0]["app"] is mounted["app"]


def test_the_page_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__OUTBOUND__PAGE", "False")
    assert OutboundPlugin().external_views == OutboundPlugin().fastapi_apps == []


@pytest.mark.parametrize("value", ["", "off", "nope"])
def test_a_value_that_is_neither_true_nor_false_closes_the_page_and_stops_nothing(
    value: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AIRFLOW__OUTBOUND__PAGE", value)
    assert OutboundPlugin().external_views == OutboundPlugin().fastapi_apps == []
    assert "write True or False as the option page in [outbound]" in caplog.text


@pytest.mark.parametrize("more", ["openapi.json", "docs", "redoc", "docs/oauth2-redirect"])
def test_nobody_sees_anything_without_logging_in(more: str, visit: Visit, connect: Connect) -> None:
    with Fake(paged([configuration(1)])) as fake:
        connect(fake.connection())
        anonymous = visit(None)
        for path in [*paths(anonymous.app), f"/{more}"]:  # type: ignore[arg-type]
            response = anonymous.get(path, follow_redirects=False)
            assert response.status_code == 401, path
            assert "You are not logged in" in response.text
            assert CONN not in response.text
    assert fake.kinds() == []


def test_a_viewer_who_may_not_read_connections_is_told_so(visit: Visit, connect: Connect) -> None:
    with Fake(paged([configuration(1)])) as fake:
        connect(fake.connection())
        for path in (f"/{CONN}", f"/{CONN}/content", f"/{CONN}/status"):
            response = visit("viewer").get(path)
            assert response.status_code == 403
            assert "You can’t open this connection’s templates" in response.text
            assert "Ask an Airflow administrator for the right to read it." in response.text
    assert fake.kinds() == []


def test_a_viewer_without_a_role_is_told_so(visit: Visit) -> None:
    response = visit("").get("/")
    assert response.status_code == 403
    assert "Your role may not use the pages of plugins" in response.text


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_the_page_can_only_be_read(method: str, visit: Visit) -> None:
    browser = visit("admin")
    assert {browser.request(method, path).status_code for path in paths(browser.app)} == {405}  # type: ignore[arg-type]


def test_the_choice_has_the_connections_of_this_type_the_default_one_first(
    visit: Visit, stored: Callable[..., None]
) -> None:
    stored("another"), stored(CONN), stored("smtp", "smtp"), stored("a/b"), stored("..")
    response = visit().get("/")
    assert response.text.index(f'value="{CONN}"') < response.text.index('value="another"')
    assert 'value="smtp"' not in response.text
    assert response.text.count("<option value=") == 2
    assert f'data-home="{CONN}"' in response.text
    assert "There is no connection to choose" in visit("viewer").get("/").text


def test_a_connection_that_is_not_in_the_database_is_shown_by_its_address(visit: Visit, connect: Connect) -> None:
    with Fake(paged([configuration(1, name="first_one")])) as fake:
        connect(fake.connection(), "elsewhere")
        assert "<option selected>elsewhere</option>" in visit().get("/elsewhere").text
        assert "first_one" in visit().get("/elsewhere/content").text


def test_the_shell_has_no_fetched_text_and_its_own_script_only(visit: Visit, connect: Connect) -> None:
    with Fake(paged([configuration(1, name=HOSTILE)])) as fake:
        connect(fake.connection())
        assert visit().get(f"/{CONN}/content").status_code == 200
        response = visit().get(f"/{CONN}")
    assert "alert" not in response.text
    assert f'<iframe sandbox="allow-scripts" title="Templates of {CONN}"' in response.text
    policy = directives(response)
    assert policy["default-src"] == "'none'"
    assert policy["script-src"].startswith("'sha256-")
    assert policy["frame-src"] == policy["connect-src"] == policy["frame-ancestors"] == "'self'"
    assert " on" not in response.text.split("</style>")[1].split("<script>")[0]


def directives(response: Any) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in response.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in parts}


@pytest.mark.parametrize("works", [True, False])
def test_the_frame_is_sandboxed_whatever_it_shows(works: bool, visit: Visit, connect: Connect) -> None:
    with Fake(paged([configuration(1)]) if works else [Reply(403, {"message": HOSTILE})]) as fake:
        connect(fake.connection())
        response = visit().get(f"/{CONN}/content")
    assert response.status_code == (200 if works else 502)
    policy = directives(response)
    assert policy["sandbox"] == "allow-scripts"
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'self'"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert HOSTILE not in response.text


def test_the_content_is_compressed_for_browsers(visit: Visit, connect: Connect) -> None:
    with Fake(paged([configuration(1)])) as fake:
        connect(fake.connection())
        plain = visit().get(f"/{CONN}/content")
        compressed = visit().get(f"/{CONN}/content", headers={"accept-encoding": "gzip, br"})
    assert "content-encoding" not in plain.headers
    assert compressed.headers["content-encoding"] == "gzip"
    assert compressed.text == plain.text
    assert compressed.headers["vary"] == "Accept-Encoding"


def test_a_listing_is_shown_for_a_minute_to_all(visit: Visit, connect: Connect, clock: Clock) -> None:
    with Fake(paged([configuration(1)])) as fake:
        connect(fake.connection())
        for _ in range(3):
            visit("op").get(f"/{CONN}/content"), visit("admin").get(f"/{CONN}/content")
        clock.time += 59.9
        visit().get(f"/{CONN}/content")
        assert fake.kinds() == ["token", *LISTING]
        clock.time += 0.1
        visit().get(f"/{CONN}/content")
        assert fake.kinds() == ["token", *LISTING, *LISTING]


def test_ten_viewers_at_once_make_one_listing(visit: Visit, connect: Connect) -> None:
    arrived = threading.Barrier(11)
    first = threading.Event()

    def listed(hit: Any) -> Any:
        if not first.is_set():
            first.set()
            arrived.wait(30)  # until each viewer has asked for the page
        return paged([configuration(1)])(hit)

    def look(_: int) -> int:
        browser = visit()
        arrived.wait(30)
        return browser.get(f"/{CONN}/content").status_code

    with Fake(listed) as fake, ThreadPoolExecutor(11) as pool:
        connect(fake.connection())
        waiting = pool.submit(lambda: visit().get(f"/{CONN}/content").status_code)
        assert {*pool.map(look, range(10)), waiting.result()} == {200}
    assert fake.kinds() == ["token", *LISTING]


def test_a_refused_login_is_not_sent_again_by_each_reload(visit: Visit, connect: Connect, clock: Clock) -> None:
    refusal = Reply(401, {"message": "no", "code": 2001, "requestTraceId": "trace-5f1e"})
    with Fake(token=lambda hit: refusal) as fake:
        connect(fake.connection())
        for _ in range(3):
            response = visit().get(f"/{CONN}/content")
        assert response.status_code == 502
        assert "LivePerson refused the login" in response.text
        assert "trace-5f1e" in response.text
        assert "For 60 s after a try, nothing more is sent to LivePerson" in response.text
        assert SECRET not in response.text
        clock.time += 45
        visit().get(f"/{CONN}/content")
        assert fake.kinds() == ["token"]
        clock.time += 15
        visit().get(f"/{CONN}/content")
        assert fake.kinds() == ["token", "token"]


def test_a_server_that_fails_once_is_asked_again(visit: Visit, connect: Connect, clock: Clock) -> None:
    with Fake([Reply(503), [configuration(1)], [], [configuration(1)]]) as fake:
        connect(fake.connection())
        assert visit().get(f"/{CONN}/content").status_code == 200
    assert clock.waits == [5.0]


def test_a_connection_that_has_changed_is_read_at_once(visit: Visit, connect: Connect) -> None:
    with (
        Fake(paged([configuration(1)]), token=lambda hit: Reply(401)) as wrong,
        Fake(paged([configuration(2, name="second_one")])) as right,
    ):
        connect(wrong.connection())
        assert visit().get(f"/{CONN}/content").status_code == 502
        connect(right.connection())
        assert "second_one" in visit().get(f"/{CONN}/content").text


def test_the_status_says_whose_templates_are_shown_and_how_old_they_are(
    visit: Visit, connect: Connect, clock: Clock
) -> None:
    with Fake(paged([configuration(1)])) as fake:
        connect(fake.connection())
        assert visit().get(f"/{CONN}/status").json() == {}
        assert fake.kinds() == []
        visit().get(f"/{CONN}/content")
        clock.time += 12
        status = visit().get(f"/{CONN}/status")
    place = f"Account {ACCOUNT} · {fake.host}"
    assert status.json() == {"place": place, "failed": False, "age": 12, "kept": 60}
    assert status.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("connection", "listing", "status", "words"),
    [
        ({}, Reply(503), 503, "The templates could not be read"),
        ({}, Reply(raw=b""), 503, "The templates could not be read"),
        ({}, Reply(403, {"message": "no scope"}), 502, "LivePerson refused the login"),
        ({}, Reply(200, b"<html>"), 502, "LivePerson’s response can’t be used"),
        ({"schema": "a b"}, Reply(503), 422, "This connection can’t be used"),
        ({"conn_type": "http"}, Reply(503), 422, "it must be liveperson_outbound"),
    ],
)
def test_a_failure_is_explained(
    connection: dict[str, Any], listing: Reply, status: int, words: str, visit: Visit, connect: Connect
) -> None:
    with Fake([listing]) as fake:
        connect(fake.connection(extra={"timeout": 2}, **connection), "odd_one")
        response = visit().get("/odd_one/content")
    assert response.status_code == status
    assert words in response.text
    assert SECRET not in response.text


@pytest.mark.parametrize("conn_id", ["missing", HOSTILE.replace("/", "")])
def test_an_unknown_connection_is_explained(conn_id: str, visit: Visit) -> None:
    response = visit().get(f"/{conn_id}/content")
    assert response.status_code == 404
    assert "Airflow found no such connection" in response.text
    assert "<script>alert" not in response.text
    assert "<script>alert" not in visit("viewer").get(f"/{conn_id}").text


def test_what_should_not_fail_is_told_in_words_and_kept_too(visit: Visit, connect: Connect, clock: Clock) -> None:
    def broken(seconds: float) -> None:
        if seconds:  # before a retry
            raise OSError(28, "No space left on device")

    app = create_app(clock, broken)
    browser = TestClient(app, cookies=visit().cookies, raise_server_exceptions=False)
    with Fake(paged([]), token=lambda hit: Reply(503)) as fake:
        connect(fake.connection())
        for _ in range(3):
            response = browser.get(f"/{CONN}/content")
            assert response.status_code == 500
            assert "The templates can’t be shown" in response.text
            assert directives(response)["sandbox"] == "allow-scripts"
            assert browser.get(f"/{CONN}/status").json() == {}
        assert fake.kinds() == ["token"]
        clock.time += 60
        browser.get(f"/{CONN}/content")
        assert fake.kinds() == ["token", "token"]


def test_a_listing_under_way_is_shared_however_many_others_there_are(connect: Connect, clock: Clock) -> None:
    go = threading.Event()

    def slow(hit: Any) -> Any:
        go.wait(60)
        return paged([])(hit)

    snapshots = Snapshots(clock, clock.sleep)
    with Fake(slow) as first, Fake(paged([])) as others:
        connect(first.connection(), "first")
        begun = snapshots.read("first")
        for number in range(MOST + 1):
            connect(others.connection(), f"account_{number}")
            snapshots.read(f"account_{number}").result(30)
        assert snapshots.read("first") is begun
        go.set()
        begun.result(30)


def test_memory_holds_few_accounts(connect: Connect, clock: Clock) -> None:
    snapshots = Snapshots(clock, clock.sleep)
    ids = [f"account_{number}" for number in range(MOST + 2)]
    with Fake(paged([])) as fake:
        for conn_id in ids:
            connect(fake.connection(), conn_id)
            assert snapshots.read(conn_id).result(30).error is None
        assert [conn_id for conn_id in ids if snapshots.last(conn_id) is None] == ids[:2]


def test_tasks_link_to_the_page() -> None:
    link = TemplatesLink()
    operator = OutboundConfigurationsOperator(task_id="export", outbound_conn_id="my conn")
    sensor = OutboundTemplateSensor(task_id="wait", template_name="spring & sale")
    assert [type(each) for each in (operator.operator_extra_links[0], *sensor.operator_extra_links)] == [
        TemplatesLink
    ] * 2
    assert link.get_link(operator, ti_key=None) == f"{PAGE}?connection_id=my+conn"  # type: ignore[arg-type]
    named = f"{PAGE}?connection_id={CONN}&template=spring+%26+sale"
    assert link.get_link(sensor, ti_key=None) == named  # type: ignore[arg-type]


@pytest.mark.parametrize("deferred", [True, False])
def test_the_link_of_a_sensor_leads_to_what_it_found(deferred: bool, connect: Connect) -> None:
    sensor = OutboundTemplateSensor(task_id="wait", template_name="n1")
    with Fake(paged([configuration(1)])) as fake:
        connect(fake.connection())
        if deferred:
            sensor.execute_complete({}, {"status": "success", "template": {"id": "id-1", "channels": ["wa"]}})
        else:
            sensor.poke({})
    link = TemplatesLink().get_link(sensor, ti_key=None)  # type: ignore[arg-type]
    assert link == f"{PAGE}?connection_id={CONN}&template=id-1"
