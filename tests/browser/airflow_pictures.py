"""Pictures of Airflow's own UI for the documentation: the Connection and the sample DAGs, with a sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from playwright.sync_api import Browser, Page, expect

from airflow_provider_outbound.sandbox import Sandbox
from tests.system.local_airflow import LocalAirflow

DAGS = Path(__file__).parents[2] / "dags"
CONN = "liveperson_outbound_default"
LOOK = 5  # seconds from one look of a gate or an asset to the next
WIDTH, HEIGHT = 1310, 930  # of the window
SCALE = 2
NAVIGATION = 64  # its width, at the left of each page


class Studio:
    """An Airflow with the sample DAGs, the sandbox that it reads, and a browser before it.

    :param airflow: has the sandbox as its default Connection.
    :param sandbox: the account.
    :param folder: where the exports go.
    :param page: a page of the browser.
    """

    def __init__(self, airflow: LocalAirflow, sandbox: Sandbox, folder: str, page: Page) -> None:
        self.airflow, self.sandbox, self.folder, self.page = airflow, sandbox, folder, page

    def open(self, path: str, width: int = WIDTH, height: int = HEIGHT) -> None:
        """Open a path of Airflow's UI in a window of a size."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.goto(self.airflow.url + quote(path))

    def picture(self, top: int, height: int) -> bytes:
        """Return a part of the window as a PNG, without Airflow's navigation."""
        return self._clip({"x": NAVIGATION, "y": top, "width": WIDTH - NAVIGATION, "height": height})

    def details(self, height: int) -> bytes:
        """Return what is beside the grid as a PNG."""
        box = self.page.locator("[data-panel-id=details-panel]").bounding_box()
        assert box
        handle = 14  # of the line between the two
        return self._clip({**box, "x": box["x"] + handle, "width": box["width"] - handle, "height": height})

    def _clip(self, clip: Mapping[str, float]) -> bytes:
        self.page.mouse.move(0, 0)
        self.page.wait_for_timeout(1000)  # what moves has come to rest
        return self.page.screenshot(clip=dict(clip), animations="disabled", caret="hide")  # type: ignore[arg-type]

    def log(self, dag_id: str, run_id: str, task_id: str, words: str) -> None:
        """Wait until a task's log has some words."""
        self.airflow.poll(words, 60, lambda: words in self.airflow.logs(dag_id, run_id, task_id))

    def run_of(self, dag_id: str, number: int = 1) -> str:
        """Wait until the DAG has as many runs that succeeded, and return the id of the last one."""

        def ids() -> list[str]:
            runs = self.airflow.get(f"/api/v2/dags/{dag_id}/dagRuns?state=success&order_by=run_after")
            return [str(run["dag_run_id"]) for run in runs["dag_runs"]]

        return self.airflow.poll(f"{number} runs of {dag_id}", 120, lambda: (ids() + [""] * number)[number - 1])

    def reword(self, name: str, text: str) -> None:
        """Give a template's message another text."""
        (item,) = [each for each in self.sandbox.configurations() if each["name"] == name]
        item["channels"][0]["messageComponents"][0]["content"] = text
        self.sandbox.update(name, channels=item["channels"])


def connection_form(studio: Studio) -> bytes:
    """Fill the form of a new Connection."""
    studio.open("/connections")
    studio.page.get_by_role("button", name="Add Connection").click()
    form = studio.page.get_by_role("dialog")
    form.locator("input[name=connection_id]").fill(CONN)
    form.get_by_role("combobox").first.click()
    studio.page.keyboard.type("LivePerson")
    studio.page.keyboard.press("Enter")
    values = {"host": "va", "login": "your_client_id", "password": "x" * 24, "schema": "12345678"}
    for name, value in values.items():
        form.locator(f"input[name={name}]").fill(value)
    form.locator("input[name=schema]").blur()
    return form.screenshot(animations="disabled")


def connection_test(studio: Studio) -> bytes:
    """Test the sandbox's Connection."""
    studio.open("/connections", height=440)  # the result appears at its lower edge
    studio.page.get_by_label("Test Connection").click()
    expect(studio.page.get_by_text("Test Connection Successful")).to_be_visible()
    return studio.picture(115, 325)


def export_grid(studio: Studio) -> bytes:
    """Run the export, and show the run."""
    run_id = studio.airflow.trigger("outbound_export")
    assert studio.airflow.wait("outbound_export", run_id) == "success"
    studio.open(f"/dags/outbound_export/runs/{run_id}")
    expect(studio.page.get_by_role("link", name="summarize").last).to_be_visible()
    return studio.picture(0, 540)


def gate_log(studio: Studio) -> bytes:
    """Let a gate wait for a template that comes in the wrong language, then with the wrong variables."""
    dag_id, task_id = "outbound_campaign_gate", "wait_for_template"
    run_id = studio.airflow.trigger(dag_id)
    studio.airflow.wait(dag_id, run_id, until={task_id: "deferred"})
    studio.sandbox.publish("spring_sale", language="es")
    studio.log(dag_id, run_id, task_id, "wa/es")
    studio.sandbox.remove("spring_sale")
    studio.sandbox.publish("spring_sale", variables=["1"])
    studio.log(dag_id, run_id, task_id, "variables")
    studio.open(f"/dags/{dag_id}/runs/{run_id}/tasks/{task_id}", width=1170)
    expect(studio.page.get_by_text("has variables").first).to_be_visible()
    studio.page.keyboard.press("t")  # hides the lines' times
    taken = studio.details(470)
    studio.sandbox.remove("spring_sale")
    studio.airflow.end_run(dag_id, run_id)
    return taken


def change_event(studio: Studio) -> bytes:
    """Let an asset have an event for a template that is updated."""
    dag_id = "outbound_on_change"
    studio.airflow.unpause(dag_id)
    watching = studio.airflow.home / "logs" / "triggerer.log"
    studio.airflow.poll("a watch", 60, lambda: "spring_templates: watching" in watching.read_text())
    studio.sandbox.publish("spring_more")
    studio.run_of(dag_id)
    studio.reword("spring_more", "Two weeks more: ${{1}}, ${{2}}")
    studio.open(f"/dags/{dag_id}/runs/{studio.run_of(dag_id, 2)}/asset_events", width=1170)
    for number in (0, 0, 2):  # the event, in it the payload, and in it the fields
        studio.page.locator(".inline-folded").nth(number).click()
    expect(studio.page.get_by_text("updatedAt")).to_be_visible()
    studio.page.get_by_text("Source Asset Event").click()  # the cursor leaves the event
    return studio.details(730)


def approval(studio: Studio) -> bytes:
    """Let a person be asked about a template that changed since the last approval."""
    dag_id = "outbound_approval"
    studio.sandbox.publish("spring_sale")
    studio.airflow.run("outbound", "export", f"{studio.folder}/approval/approved", "--channel", "wa")
    studio.reword("spring_sale", "20 % off until ${{1}}, for ${{2}}")
    studio.airflow.unpause(dag_id)  # the daily run is due
    runs = f"/api/v2/dags/{dag_id}/dagRuns"
    (run,) = studio.airflow.poll("a run", 60, lambda: studio.airflow.get(runs)["dag_runs"])
    studio.airflow.wait(dag_id, run["dag_run_id"], until={"approve": "awaiting_input"})
    studio.open(f"/dags/{dag_id}/runs/{run['dag_run_id']}/tasks/approve/required_actions")
    expect(studio.page.get_by_role("button", name="Approve")).to_be_visible()
    return studio.details(530)


#: The pictures, by their paths in the documentation.
SCENES: Mapping[str, Callable[[Studio], bytes]] = {
    "reference/connection-form": connection_form,
    "reference/connection-test": connection_test,
    "guides/export-grid": export_grid,
    "guides/gate-log": gate_log,
    "guides/on-change-event": change_event,
    "guides/approve-question": approval,
}


@contextmanager
def studio(browser: Browser) -> Iterator[Studio]:
    """Start a sandbox, and an Airflow whose DAGs are paused."""
    with TemporaryDirectory(prefix="outbound-pictures-") as folder, Sandbox() as sandbox:
        output = f"{folder}/outbound"
        settings = {
            "OUTBOUND_OUTPUT": output,
            "OUTBOUND_POKE_INTERVAL": str(LOOK),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        }
        connections = {CONN: sandbox.connection}
        with LocalAirflow(Path(folder, "home"), DAGS, settings, connections=connections) as airflow:
            page = browser.new_page(device_scale_factor=SCALE)
            yield Studio(airflow, sandbox, output, page)
            page.close()
