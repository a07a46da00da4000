"""All cores: work for other processes, and for threads of this one.

A process is asked over its standard input and answers over its standard output, in frames of
bytes. It works until nobody asks any more, so none is left over, however this program ends. It
belongs to a session of its own: an interrupt at the terminal does not reach it.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from struct import Struct
from threading import Lock
from typing import IO, Any, Self, TypeVar

from sheetgpt.errors import SheetGPTError
from sheetgpt.progress import Progress

T = TypeVar("T")
Frame = bytes | memoryview
Task = Callable[..., Iterable[Frame]]  # takes frames and gives frames

PIPE = 1 << 20  # bytes that wait between two processes

_LENGTH = Struct("<q")
_END, _FAILED = -1, -2  # in the place of a frame's length


class WorkError(RuntimeError):
    """What went wrong in another process; its text is that of the error there."""


class WorkersError(SheetGPTError):
    """One of the processes has ended."""


def cores() -> int:
    """How many processors this program may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Workers:
    """So many jobs at a time; one job works here and now, in neither process nor thread."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self._threads = ThreadPoolExecutor(jobs)
        self._askers = ThreadPoolExecutor(jobs)  # each waits for one process
        self._lock = Lock()  # of the following
        self._processes: list[subprocess.Popen[bytes]] = []
        self._idle: list[subprocess.Popen[bytes]] = []
        self._is_over = False

    def __enter__(self) -> Self:
        self._interval = sys.getswitchinterval()
        if self.jobs > 1:  # a thread that hands work on shall not wait long for one that computes
            sys.setswitchinterval(self._interval / 10)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setswitchinterval(self._interval)
        with self._lock:
            self._is_over = True
            for process in self._processes:
                process.kill()
        for pool in (self._askers, self._threads):
            pool.shutdown(cancel_futures=True)
        for process in self._processes:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def while_wanted(self, progress: Progress) -> Progress:
        """The same, but it raises WorkersError once nobody waits for the work any more."""

        def tell(what: str, done: int = 0, of: int = 0, /) -> None:
            if self._is_over:
                raise WorkersError("the work has ended before it was done")
            progress(what, done, of)

        return tell

    def in_thread(self, work: Callable[..., T], *arguments: Any) -> "Future[T]":
        """For what lets others work meanwhile: compressing, NumPy."""
        if self.jobs > 1:
            return self._threads.submit(work, *arguments)
        return _done(work, *arguments)

    def in_process(
        self, task: Task, *frames: Frame, then: Callable[[list[Frame]], T]
    ) -> "Future[T]":
        """For what does not. The task must be a function of a module; `then` reads its answer.

        The future raises WorkError where the task fails, MemoryError where it lacks memory, and
        WorkersError where its process has ended.
        """
        if self.jobs > 1:
            return self._askers.submit(lambda: then(self._ask(task, frames)))
        return _done(lambda: then(list(task(*frames))))

    def _ask(self, task: Task, frames: Sequence[Frame]) -> list[Frame]:
        process = self._process()
        assert process.stdin is not None and process.stdout is not None
        name = f"{task.__module__}:{task.__qualname__}".encode()
        try:
            _send(process.stdin, [name, *frames])
            answer: list[Frame] = [*_received(process.stdout)]
        except WorkError:
            self._rest(process)
            raise
        except (EOFError, BrokenPipeError) as error:
            raise WorkersError(
                "one of the processes that share the work has ended, perhaps for want of memory; "
                "close other programs, or give --jobs 1"
            ) from error
        self._rest(process)
        return answer

    def _rest(self, process: "subprocess.Popen[bytes]") -> None:
        with self._lock:
            self._idle.append(process)

    def _process(self) -> "subprocess.Popen[bytes]":
        """One that is idle, or a new one."""
        with self._lock:
            if self._is_over:
                raise EOFError
            if self._idle:
                return self._idle.pop()
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", "from sheetgpt.workers import serve; serve()"],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pipesize=PIPE,
                start_new_session=True,
            )
            self._processes.append(process)
            return process


def _done(work: Callable[..., T], *arguments: Any) -> "Future[T]":
    future: Future[T] = Future()
    future.set_result(work(*arguments))
    return future


def serve() -> None:
    """Do one task after another; runs in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with open(0, "rb") as asked, open(1, "wb") as answer:
        while True:
            try:
                name, *frames = _received(asked)
            except EOFError:
                return
            module, _, function = name.decode().partition(":")
            try:
                _send(answer, getattr(import_module(module), function)(*frames))
            except BrokenPipeError:
                return
            except Exception as error:
                said = "" if isinstance(error, MemoryError) else str(error) or type(error).__name__
                _send(answer, [said.encode()], _FAILED)


def _send(file: IO[bytes], frames: Iterable[Frame], end: int = _END) -> None:
    if end == _FAILED:
        file.write(_LENGTH.pack(_FAILED))
    for frame in frames:
        file.write(_LENGTH.pack(memoryview(frame).nbytes))
        file.write(frame)
    file.write(_LENGTH.pack(_END))
    file.flush()


def _received(file: IO[bytes]) -> Iterator[bytes]:
    """Frames until their end; raises EOFError where the other side is no more."""
    while (length := _LENGTH.unpack(_whole(file, _LENGTH.size))[0]) >= 0:
        yield _whole(file, length)
    if length == _FAILED:
        (said,) = _received(file)
        raise WorkError(said.decode()) if said else MemoryError


def _whole(file: IO[bytes], length: int) -> bytes:
    data = file.read(length)
    if len(data) < length:
        raise EOFError
    return data
