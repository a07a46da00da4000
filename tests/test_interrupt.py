"""Ctrl-C at any moment: status 2, one sentence, nothing lost, nothing left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from sheetgpt import cli

SENTENCE = "sheetgpt: interrupted; nothing was written\n"
MOMENTS = 20
PLAIN = Path(__file__).parent / "checkpoints" / "plain"
READY = "from sheetgpt.__main__ import main; print('ready', flush=True); main()"

# The same, but every matrix is large enough to be worth asking other processes.
SHARED = f"""
from sheetgpt.calculate import numerals
from sheetgpt.xlsx import parallel, sheet_rows, write
numerals.LARGE = numerals.SHARED = 16
write.FEW = write.MANY = parallel.LARGE = 1
sheet_rows.LARGE = sheet_rows.CELLS = 16
{READY}"""


class Running:
    """The command line in a session of its own, as a terminal starts it."""

    def __init__(self, code: str, folder: Path, *arguments: object) -> None:
        self.folder = folder
        (folder / "temporary").mkdir(parents=True)
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            env=os.environ
            | {
                "PYTHONPATH": os.pathsep.join(sys.path),
                "TMPDIR": str(folder / "temporary"),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        self.begin = time.monotonic()

    def interrupt(self) -> None:
        """What a terminal does: everybody in the foreground hears of it."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> tuple[int, str]:
        _, said = self.process.communicate(timeout=120)
        return self.process.returncode, said

    def left(self) -> list[str]:
        """Temporary files and processes that are still there."""
        files = [str(path) for path in self.folder.rglob("*") if path.is_file()]
        return [*(file for file in files if not file.endswith("a.xlsx")), *self.processes()]

    def processes(self) -> list[str]:
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if str(self.folder) in path.read_bytes().decode(errors="replace"):
                    found.append((path.parent / "cmdline").read_text())
            except OSError:
                continue  # it has ended
        return [command for command in found if command]


def build(folder: Path, code: str = READY) -> Running:
    folder.mkdir()
    (folder / "a.xlsx").write_text("something precious")
    small = ("--prompt", "a", "--prompt-length", 4, "--context", 2, "--tokens", 1)
    build = ("build", "--force", "-o", folder / "a.xlsx", "--model", PLAIN, *small)
    return Running(code, folder, *build, "--jobs", 2)


def is_interrupted(running: Running) -> bool:
    """Interrupted as it should be; or it was faster, and all is well."""
    path = running.folder / "a.xlsx"
    status, said = running.end()
    assert running.left() == []
    if (status, said) == (0, ""):
        assert path.read_bytes().startswith(b"PK")
        return False
    assert (status, said) == (2, SENTENCE)
    assert path.read_text() == "something precious"
    return True


@pytest.fixture(scope="module")
def seconds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """How long each takes if nobody interrupts it."""
    found = {}
    for code in (READY, SHARED):
        running = build(tmp_path_factory.mktemp("whole") / "folder", code)
        assert not is_interrupted(running)
        found[code] = time.monotonic() - running.begin
    return found


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_an_interrupt_at_any_moment(moment, seconds, tmp_path):
    running = build(tmp_path / "folder")
    time.sleep(seconds[READY] * moment / MOMENTS)
    running.interrupt()
    assert is_interrupted(running) or moment >= MOMENTS / 2


@pytest.mark.parametrize("moment", range(2, 10))
def test_an_interrupt_while_others_share_the_work(moment, seconds, tmp_path):
    """The processes that help end, too, and say nothing."""
    running = build(tmp_path / "folder", SHARED)
    time.sleep(seconds[SHARED] * moment / 10)
    running.interrupt()
    assert is_interrupted(running) or moment >= 5


def test_an_interrupt_of_a_check(tiny_workbook, tmp_path):
    """While other processes read the tabs."""
    running = Running(SHARED, tmp_path / "folder", "check", tiny_workbook, "--jobs", 2)
    until = time.monotonic() + 60
    while len(running.processes()) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    running.interrupt()
    assert running.end() == (2, SENTENCE)
    assert running.left() == []


def test_what_libraries_make_of_an_interrupt(monkeypatch, tmp_path):
    """An error of another kind is still an interrupt; one that is swallowed is raised again."""

    class Swallows:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    def turned(*_: object, **__: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except BaseException:
            raise TypeError("expected something else") from None

    def swallowed(*_: object, **__: object) -> None:
        Swallows()
        for _ in range(100):
            time.sleep(0.1)
        raise AssertionError("nobody noticed")

    before = signal.getsignal(signal.SIGINT)
    for what in (turned, swallowed):
        monkeypatch.setattr(cli, "build_workbook", what)
        result = CliRunner().invoke(cli.main, ["build", "-o", str(tmp_path / "a.xlsx")])
        assert (result.exit_code, result.stderr) == (2, SENTENCE)
    assert signal.getsignal(signal.SIGINT) is before
