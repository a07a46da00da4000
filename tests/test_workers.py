"""Work in other processes: what comes back, what goes wrong, and that nobody is left over."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sheetgpt.workers import WorkError, Workers, WorkersError, cores

HERE = str(Path(__file__).parent)


@pytest.fixture(autouse=True)
def found_by_workers(monkeypatch):
    """The tasks below are functions of this module."""
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.setitem(sys.modules, "test_workers", sys.modules[__name__])
    for task in (doubled, broken, exhausted, ended, alone, slow):
        monkeypatch.setattr(task, "__module__", "test_workers")


def doubled(*frames: bytes) -> Iterator[bytes]:
    yield from (bytes(frame) * 2 for frame in frames)


def broken() -> list[bytes]:
    raise KeyError("no such thing")


def exhausted() -> list[bytes]:
    raise MemoryError


def ended() -> list[bytes]:
    os._exit(3)


def alone() -> list[bytes]:
    return [str(os.getpid()).encode(), str(os.getsid(0)).encode()]


def slow() -> list[bytes]:
    time.sleep(60)
    return []


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_comes_back(jobs):
    """Everything, in the order of asking, however large."""
    large = bytes(range(256)) * 20_000
    with Workers(jobs) as workers:
        found = [workers.in_process(doubled, b"", bytes([i]), large, then=list) for i in range(5)]
        found += [workers.in_process(doubled, then=list)]
        answers = [[bytes(frame) for frame in future.result()] for future in found]
        assert workers.in_thread(sum, [1, 2]).result() == 3
    assert answers == [[b"", bytes([i, i]), large + large] for i in range(5)] + [[]]


def test_what_goes_wrong():
    with Workers(2) as workers:
        with pytest.raises(WorkError, match="no such thing"):
            workers.in_process(broken, then=list).result()
        with pytest.raises(MemoryError):
            workers.in_process(exhausted, then=list).result()
        with pytest.raises(WorkersError, match="perhaps for want of memory") as caught:
            workers.in_process(ended, then=list).result()
        assert "\n" not in str(caught.value)
        (again,) = workers.in_process(doubled, b"a", then=list).result()
        assert again == b"aa"


def test_a_session_of_its_own():
    """So that an interrupt at the terminal ends this program only."""
    with Workers(2) as workers:
        pid, session = workers.in_process(alone, then=list).result()
    assert pid == session and int(session) != os.getsid(0)


def test_one_job_works_here():
    with Workers(1) as workers:
        assert workers.in_process(alone, then=list).result()[0] == str(os.getpid()).encode()


def test_no_process_is_left_over():
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt), Workers(2) as workers:
        pids = [int(workers.in_process(alone, then=list).result()[0])]
        for _ in range(4):
            workers.in_process(slow, then=list)
        raise KeyboardInterrupt
    assert time.monotonic() - begin < 20
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, signal.SIG_DFL)


def test_cores():
    assert 1 <= cores() <= (os.cpu_count() or 1)
