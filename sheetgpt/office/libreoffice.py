"""LibreOffice as a second spreadsheet: a real recalculation, headless, never left running."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import Timer
from typing import Any

from sheetgpt.errors import SheetGPTError

SERVER = Path(__file__).with_name("server.py")
INSTALL = (
    "install LibreOffice Calc and its Python bridge "
    "(Debian, Ubuntu: apt-get install libreoffice-calc python3-uno; elsewhere: libreoffice.org)"
)
TIME_LIMIT = 900.0  # seconds for everything that is done with one workbook

_PLACES = (
    "/usr/lib/libreoffice/program/soffice",
    "/opt/libreoffice/program/soffice",
    "/Applications/LibreOffice.app/Contents/MacOS/soffice",
    r"C:\Program Files\LibreOffice\program\soffice.exe",
)


class OfficeError(SheetGPTError):
    """LibreOffice is missing, or failed."""


@cache
def soffice() -> str | None:
    """LibreOffice's program, or None where it is not installed."""
    found = shutil.which("soffice") or shutil.which("libreoffice")
    return found or next((place for place in _PLACES if Path(place).exists()), None)


@cache
def uno_python() -> str | None:
    """An interpreter that can `import uno`: ours, the system's, or the one LibreOffice brings."""
    program = Path(os.path.realpath(soffice() or "")).parent
    candidates = [
        sys.executable,
        "/usr/bin/python3",
        str(program / "python"),
        str(program / "python.exe"),
        str(program.parent / "Resources" / "python"),
    ]
    for candidate in candidates:
        with suppress(OSError):
            done = subprocess.run([candidate, "-c", "import uno"], capture_output=True, check=False)
            if done.returncode == 0:
                return candidate
    return None


def is_installed() -> bool:
    """Whether a recalculation by LibreOffice is possible here."""
    return soffice() is not None and uno_python() is not None


class Office:
    """An open workbook in LibreOffice; see `server.py` for what it can be asked."""

    def __init__(self, server: "subprocess.Popen[str]", path: Path) -> None:
        self._server, self._path = server, path

    @property
    def process_group(self) -> int:
        """The group of all processes that belong to it, for those who measure."""
        return self._server.pid

    def _ask(self, verb: str, what: object) -> Any:
        assert self._server.stdin is not None and self._server.stdout is not None
        try:
            self._server.stdin.write(json.dumps({verb: what}) + "\n")
            self._server.stdin.flush()
            line = self._server.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise OfficeError(
                f"{self._path}: LibreOffice stopped, or took too long; "
                "close other programs that use much memory and try again"
            )
        answer = json.loads(line)
        if "error" in answer:
            raise OfficeError(f"{self._path}: LibreOffice cannot do this ({answer['error']})")
        return answer["ok"]

    def set(self, values: Mapping[str, str | float | list[list[float]]]) -> None:
        """Put a value into the first cell of each defined name, or rows into all of them."""
        self._ask("set", dict(values))

    def press_f9(self) -> None:
        """Calculate what LibreOffice believes to have changed, as its key F9 does."""
        self._ask("press F9", True)

    def calculate(self) -> None:
        """Calculate every formula afresh."""
        self._ask("calculate", True)

    def read(self, names: Sequence[str]) -> dict[str, list[list[float | str | None]]]:
        """The values of defined names, row by row."""
        found: dict[str, list[list[float | str | None]]] = self._ask("read", list(names))
        return found

    def errors(self) -> list[str]:
        """The addresses of the cells that show an error."""
        found: list[str] = self._ask("errors", True)
        return found

    def picture(
        self, tab: str, area: str, to: Path, rows: Sequence[str] = (), columns: Sequence[str] = ()
    ) -> None:
        """Print an area to a PDF of one page, without the rows and the columns of other areas."""
        what = {"tab": tab, "area": area, "to": str(to.resolve())}
        self._ask("picture", {**what, "rows": list(rows), "columns": list(columns)})


@contextmanager
def opened(path: Path, time_limit: float = TIME_LIMIT, display: str = "") -> Iterator[Office]:
    """Open a workbook in a LibreOffice of our own, with a profile that nothing else uses.

    display: of the X server on which its window is shown, such as `:99`; none is, without.
    Raises OfficeError where LibreOffice is missing, fails, or exceeds `time_limit` seconds.
    """
    program, python = soffice(), uno_python()
    if program is None or python is None:
        raise OfficeError(f"LibreOffice was not found; {INSTALL}")
    with tempfile.TemporaryDirectory(prefix="sheetgpt-office-") as profile:
        server = subprocess.Popen(
            [python, str(SERVER), program, profile, *([display] if display else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # so that it can be ended with all that it has started
        )
        watch = Timer(time_limit, _end, [server])
        watch.start()
        try:
            office = Office(server, path)
            office._ask("open", str(_beside(Path(profile), path)))
            yield office
        finally:
            watch.cancel()
            if server.stdin is not None:
                with suppress(BrokenPipeError):
                    server.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                server.wait(timeout=15)
            _end(server)
            if server.stdout is not None:
                server.stdout.close()


def _beside(profile: Path, path: Path) -> Path:
    """The workbook under a second name in our own folder.

    There nobody else's lock stands in the way, and LibreOffice leaves none behind.
    """
    other = profile / "workbook.xlsx"
    try:
        other.hardlink_to(path.resolve())
    except OSError:  # it is on another file system
        shutil.copyfile(path, other)
    return other


def _end(server: "subprocess.Popen[str]") -> None:
    """End the server and the LibreOffice it started, if they still run."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()
