"""Pages in a real browser. Without one, these tests are skipped, or fail where it is required."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sheetgpt.check import browser
from sheetgpt.check.page import READY
from sheetgpt.checkpoint.checkpoint import Checkpoint
from sheetgpt.page.build import PageOrder, save_page


@dataclass(frozen=True)
class Shown:
    """A page in a browser, used as a person uses it."""

    driver: Any

    def run(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def ready(self) -> None:
        self.driver.execute_async_script(READY)

    def find(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def text(self, selector: str) -> str:
        return str(self.run("return document.querySelector(arguments[0]).textContent", selector))

    def set(self, selector: str, text: str) -> None:
        """Put a text into a field, as pasting does."""
        self.run(
            "const field = document.querySelector(arguments[0]); field.value = arguments[1];"
            "field.dispatchEvent(new Event('input', {bubbles: true}))",
            selector,
            text,
        )

    def wait(self, condition: Callable[[], object], seconds: float = 15) -> None:
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, seconds, 0.05).until(lambda _: condition())


@pytest.fixture(scope="session")
def has_browser() -> None:
    if browser.installed():
        return
    if os.environ.get("SHEETGPT_REQUIRE_BROWSER") == "1":
        pytest.fail(f"SHEETGPT_REQUIRE_BROWSER is set, but there is none: {browser.INSTALL}")
    pytest.skip(f"no browser was found; {browser.INSTALL}")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A function that builds a page of a checkpoint."""

    def build(checkpoint: Checkpoint, prompt: str, **order: Any) -> Path:
        path = tmp_path_factory.mktemp("page") / "gpt.html"
        save_page(checkpoint, PageOrder(prompt, **order), path)
        return path

    return build


@pytest.fixture(scope="module")
def driver(has_browser: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One browser for all tests of a file."""
    nothing = tmp_path_factory.mktemp("nothing") / "nothing.html"
    nothing.write_text("<!doctype html><title>nothing</title>")
    with browser.opened(nothing) as driver:
        yield driver


@pytest.fixture
def show(driver: Any) -> Callable[[Path], Shown]:
    """A function that opens a page and waits until it has computed."""

    def open_page(path: Path, *, ready: bool = True) -> Shown:
        driver.get(path.resolve().as_uri())
        shown = Shown(driver)
        if ready:
            shown.ready()
        return shown

    return open_page
