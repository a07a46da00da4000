"""A real browser without a window: Chromium, Chrome or Firefox, driven by Selenium."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sheetgpt.errors import SheetGPTError

INSTALL = (
    "install Chromium and its driver (Debian: apt-get install chromium chromium-driver), or "
    "Firefox and geckodriver, and "
    "Selenium (pip install 'sheetgpt[browser]')"
)
BROWSERS = {  # the program -> its driver
    "chromium": "chromedriver",
    "chromium-browser": "chromedriver",
    "google-chrome": "chromedriver",
    "firefox": "geckodriver",
    "firefox-esr": "geckodriver",
}
ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--hide-scrollbars",
)
PATIENCE = 60  # seconds for one answer of a page


class BrowserError(SheetGPTError):
    """No browser, or one that does not do what it is asked for."""


def installed() -> tuple[str, str] | None:
    """The paths of a browser and its driver, if both are there, and Selenium is."""
    try:
        import selenium  # noqa: F401
    except ImportError:
        return None
    for program, driver in BROWSERS.items():
        paths = shutil.which(program), shutil.which(driver)
        if paths[0] and paths[1]:
            return paths[0], paths[1]
    return None


@contextmanager
def opened(path: Path, width: int = 1280, height: int = 900) -> Iterator[Any]:
    """A Selenium driver that shows a file; raises BrowserError where there is no browser."""
    found = installed()
    if found is None:
        raise BrowserError(f"no browser was found to run the page in; {INSTALL}")
    from selenium.common.exceptions import WebDriverException

    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        try:
            driver = _driver(*found, profile, width, height)
        except WebDriverException as error:
            raise BrowserError(
                f"{found[0]} does not start ({(error.msg or '').splitlines()[0]}); {INSTALL}"
            ) from error
        try:
            driver.set_script_timeout(PATIENCE)
            driver.get(path.resolve().as_uri())
            yield driver
        finally:
            driver.quit()


def _driver(program: str, driver: str, profile: str, width: int, height: int) -> Any:
    from selenium import webdriver

    if os.path.basename(driver) == "geckodriver":
        firefox = webdriver.FirefoxOptions()
        firefox.binary_location = program
        firefox.add_argument("--headless")
        firefox.add_argument(f"--width={width}")
        firefox.add_argument(f"--height={height}")
        return webdriver.Firefox(firefox, webdriver.FirefoxService(driver))
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in (*ARGUMENTS, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
        options.add_argument(argument)
    return webdriver.Chrome(options, webdriver.ChromeService(driver))
