"""``make screenshots``: the pictures of the documentation, as WebP."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page

from airflow_provider_outbound.catalogue.entries import Snapshot
from airflow_provider_outbound.catalogue.render import render
from airflow_provider_outbound.model.codec import encode
from airflow_provider_outbound.sandbox import Sandbox
from tests import northwind
from tests.browser.airflow_pictures import SCENES, studio
from tests.browser.conftest import PICTURES as PICTURES_OF_TESTS
from tests.browser.conftest import chromium
from tests.browser.states import STATES, State, open_state

DOCS = Path(__file__).parents[2] / "docs"
#: The documentation's pictures of the catalogue, and what they show.
PICTURES = {
    "guides/catalogue": STATES["02-whatsapp-values"]._replace(height=800),
    "guides/catalogue-changes": STATES["03-before-after"],
    "guides/catalogue-gallery": STATES["18-gallery-dark"]._replace(fragment="H100234902", height=860),
}


def _fill(page: Page) -> None:
    page.get_by_label("Value of 1").fill("Maya")
    page.get_by_label("Value of 2").fill("Friday")


#: The template of docs/concepts/model.rst.
EXAMPLE = State("H858049386", 1280, 1000, "light", _fill)

#: Chromium itself writes WebP.
TO_WEBP = """async ([png, quality]) => {
    const picture = new Image();
    picture.src = `data:image/png;base64,${png}`;
    await picture.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [picture.width, picture.height];
    canvas.getContext("2d").drawImage(picture, 0, 0);
    return canvas.toDataURL("image/webp", quality).split(",")[1];
}"""


def main() -> None:
    """Take the pictures, and write them into the documentation."""
    with chromium() as browser, TemporaryDirectory() as folder:
        page = Path(folder, "catalogue.html")
        page.write_text(render(northwind.now(), northwind.before()).html, "utf-8")
        for name, state in PICTURES.items():
            with open_state(browser, page.as_uri(), state, scale=1.5) as shown:
                write(browser, name, shown.screenshot())
        listed = [encode(item) for item in Sandbox().configurations()]
        page.write_text(render(Snapshot(listed, Sandbox.account, None, northwind.READ_AT)).html, "utf-8")
        with open_state(browser, page.as_uri(), EXAMPLE, scale=2) as shown:
            write(browser, "concepts/model", shown.locator("#channel .phone").first.screenshot())
        write(browser, "guides/page", (PICTURES_OF_TESTS / "airflow-page-light.png").read_bytes())
        with studio(browser) as airflow:
            for name, scene in SCENES.items():
                write(browser, name, scene(airflow), quality=0.6, largest=80_000)


def write(browser: Browser, name: str, png: bytes, quality: float = 0.8, largest: int = 200_000) -> None:
    """Write a PNG into the documentation, as WebP.

    :param name: its path there, without the suffix.
    :param png: the picture.
    :param quality: of the WebP. At 0.8, text is as clear as in the PNG, which is three times as large. Airflow's
        pages are mostly text, and clear at 0.6.
    :param largest: the most bytes that it may have.
    """
    page = browser.new_page()
    webp = b64decode(page.evaluate(TO_WEBP, [b64encode(png).decode(), quality]))
    page.close()
    assert len(webp) < largest, f"{name} has {len(webp)} bytes"
    (DOCS / f"{name}.webp").write_bytes(webp)
    print(f"docs/{name}.webp: {len(webp) // 1000} kB", flush=True)


if __name__ == "__main__":
    main()
