"""Ctrl-C at any moment: status 2, one sentence, nothing lost, nothing left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SENTENCE = "sheetgpt: interrupted; nothing was written\n"
MOMENTS = 20
READY = "from sheetgpt.__main__ import main; print('ready', flush=True); main()"


class Running:
    """The command line in a session of its own, as a terminal starts it."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        self.folder = folder
        (folder / "temporary").mkdir(parents=True)
        self.process = subprocess.Popen(
            [sys.executable, "-c", READY, *map(str, arguments)],
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
        return [*(file for file in files if not file.endswith("a.xlsx")), *self._processes()]

    def _processes(self) -> list[str]:
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if str(self.folder) in path.read_bytes().decode(errors="replace"):
                    found.append((path.parent / "cmdline").read_text())
            except OSError:
                continue  # it has ended
        return [command for command in found if command]


def build(folder: Path, *more: object) -> Running:
    folder.mkdir()
    (folder / "a.xlsx").write_text("something precious")
    return Running(folder, "build", "--force", "-o", folder / "a.xlsx", *more)


@pytest.fixture(scope="module")
def duration(tmp_path_factory: pytest.TempPathFactory) -> float:
    """Seconds that a build takes which nobody interrupts."""
    running = build(tmp_path_factory.mktemp("whole") / "folder", *SMALL)
    assert running.end() == (0, "")
    assert not running.left()
    return time.monotonic() - running.begin


PLAIN = Path(__file__).parent / "checkpoints" / "plain"
SMALL = ("--model", PLAIN, "--prompt", "ab", "--context", 6, "--jobs", 2)


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_an_interrupt_at_any_moment(moment, duration, tmp_path):
    running = build(tmp_path / "folder", *SMALL)
    time.sleep(duration * moment / MOMENTS)
    running.interrupt()
    status, said = running.end()
    assert running.left() == []
    if (status, said) == (0, ""):  # it was faster this time
        assert moment >= MOMENTS / 2
        assert (tmp_path / "folder" / "a.xlsx").read_bytes().startswith(b"PK")
        return
    assert (status, said) == (2, SENTENCE)
    assert (tmp_path / "folder" / "a.xlsx").read_text() == "something precious"
