"""Takes the pictures of the page in docs/pictures: in a browser, light, dark and narrow.

Run it by `make pictures`.  Needs Chromium and its driver (chromium, chromium-driver).
"""

import base64
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sheetgpt.build import EXAMPLE
from sheetgpt.check.browser import opened
from sheetgpt.check.page import READY
from sheetgpt.errors import SheetGPTError
from sheetgpt.models import load
from sheetgpt.page.build import PageOrder, save_page

FOLDER = Path(__file__).with_name("pictures")


@dataclass(frozen=True)
class Picture:
    """What a screen of this size shows after a click, scrolled to something."""

    name: str
    to: str = "header"
    click: Sequence[str] = ()
    width: int = 1180
    height: int = 760
    theme: str = "light"
    above: int = 0  # pixels that stay above what it is scrolled to


HEAD = "#map tbody tr:nth-child(6) td:nth-child(3) button"  # block 5, head 1
PICTURES = (
    Picture("page"),
    Picture("page-dark", "[data-name='h.b.attn.weights'] .here", (HEAD,), 1180, 560, "dark", 150),
    Picture("page-cell", "[data-name='h.b.attn.c_attn']", height=520, above=110),
    Picture("page-phone", width=360, height=740),
)


def take(driver: object, picture: Picture) -> None:
    command = driver.execute_cdp_cmd  # type: ignore[attr-defined]
    run = driver.execute_script  # type: ignore[attr-defined]
    size = {"width": picture.width, "height": picture.height}
    command(
        "Emulation.setDeviceMetricsOverride",
        size | {"deviceScaleFactor": 1, "mobile": picture.width < 500},
    )
    theme = {"name": "prefers-color-scheme", "value": picture.theme}
    command("Emulation.setEmulatedMedia", {"features": [theme]})
    run("scrollTo(0, 0)")
    for selector in picture.click:
        run("document.querySelector(arguments[0]).click()", selector)
    run(
        "const top = document.querySelector(arguments[0]).getBoundingClientRect().top;"
        "scrollBy(0, top - arguments[1])",
        picture.to,
        picture.above,
    )
    driver.execute_async_script(  # type: ignore[attr-defined]
        "const done = arguments[0]; requestAnimationFrame(() => setTimeout(done, 300))"
    )
    png = command("Page.captureScreenshot", {"format": "png"})["data"]
    path = FOLDER / f"{picture.name}.png"
    path.write_bytes(base64.b64decode(png))
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "gpt.html"
        save_page(load("nano"), PageOrder(EXAMPLE), path)
        with opened(path) as driver:
            driver.execute_async_script(READY)
            for picture in PICTURES:
                take(driver, picture)


if __name__ == "__main__":
    try:
        main()
    except SheetGPTError as error:
        sys.exit(f"pictures: {error}")
