"""A screen that nobody sees, with real windows on it and real keys pressed (X11: Xvfb, xdotool)."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sheetgpt.office.libreoffice import OfficeError, soffice

INSTALL = (
    "install what shows windows where there is no screen "
    "(Debian, Ubuntu: apt-get install xvfb xdotool openbox imagemagick libreoffice-calc)"
)
PROGRAMS = ("Xvfb", "openbox", "xdotool", "import")
PATIENCE = 60.0  # seconds that a window may take to appear, or a program to answer


def missing() -> str | None:
    """What is not here that a window on a screen needs, as a sentence; None where all is."""
    for program in PROGRAMS:
        if shutil.which(program) is None:
            return f"{program} was not found; {INSTALL}"
    folder = Path(os.path.realpath(soffice() or "")).parent
    if not any(folder.glob("libvclplug_*")):  # what draws windows; Debian's -nogui lacks it
        return f"LibreOffice cannot show windows here; {INSTALL}"
    return None


@dataclass(frozen=True)
class Screen:
    """display: its name, such as `:99`."""

    display: str

    def focus(self, title: str) -> None:
        """Wait for a window whose title holds this, and give it the keys."""
        self._xdotool(
            "search", "--sync", "--onlyvisible", "--name", title, "windowactivate", "--sync"
        )

    def type(self, text: str) -> None:
        """Press the keys of a text, one after the other."""
        self._xdotool("type", "--delay", "20", "--", text)

    def press(self, *keys: str) -> None:
        """Press keys by X11's names: `Return`, `Tab`, `ctrl+Home`."""
        self._xdotool("key", "--delay", "20", *keys)

    def picture(self) -> bytes:
        """What is seen, as a PPM of three bytes a dot."""
        return self._run(["import", "-silent", "-window", "root", "-depth", "8", "ppm:-"])

    def _xdotool(self, *arguments: str) -> None:
        self._run(["xdotool", *arguments])

    def _run(self, command: list[str]) -> bytes:
        try:
            done = subprocess.run(
                command, env=_on(self.display), capture_output=True, check=True, timeout=PATIENCE
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise OfficeError(f"{command[0]} cannot do this on the screen ({error})") from None
        return done.stdout


@contextmanager
def screen(width: int = 1366, height: int = 768) -> Iterator[Screen]:
    """A screen of this size with a window manager, under a display's name that is free.

    Raises OfficeError where a program is missing or does not start.
    """
    if (lacking := missing()) is not None:
        raise OfficeError(lacking)
    reader, writer = os.pipe()
    with tempfile.TemporaryDirectory(prefix="sheetgpt-screen-") as home:
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writer), "-screen", "0", f"{width}x{height}x24"],
            pass_fds=[writer],
            stderr=subprocess.DEVNULL,
        )
        os.close(writer)
        with os.fdopen(reader) as answer:
            number = answer.readline().strip()  # empty when it ends without one
        started = [server]
        try:
            if not number:
                raise OfficeError(f"Xvfb did not start; {INSTALL}")
            started.append(
                subprocess.Popen(
                    ["openbox", "--sm-disable"],
                    env=_on(f":{number}") | {"HOME": home},  # nobody's own settings
                    stderr=subprocess.DEVNULL,
                )
            )
            yield Screen(f":{number}")
        finally:
            for process in reversed(started):
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=10)


def _on(display: str) -> dict[str, str]:
    return dict(os.environ, DISPLAY=display)
