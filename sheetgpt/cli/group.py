"""The group of all commands: whatever goes wrong becomes one sentence, and nothing is lost."""

import signal
import sys
import threading
from io import TextIOWrapper
from typing import Any, NoReturn, Self

import click

from sheetgpt.errors import SheetGPTError

INTERRUPTED = "interrupted; nothing was written"


class Interrupts:
    """Raises KeyboardInterrupt where somebody presses Ctrl-C, and remembers it.

    Python swallows what is raised while it tidies up an object; then it is raised again. Libraries
    may make another error of it; that it `happened` tells what it was.
    """

    def __init__(self) -> None:
        self.happened = False
        self._before, self._unraisable = signal.getsignal(signal.SIGINT), sys.unraisablehook

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._interrupt)
            sys.unraisablehook = self._swallowed
        return self

    def __exit__(self, *_: object) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._before)
            sys.unraisablehook = self._unraisable

    def _interrupt(self, *_: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # once is enough; let what follows tidy up
        self.happened = True
        raise KeyboardInterrupt

    def _swallowed(self, what: "sys.UnraisableHookArgs") -> None:
        if not isinstance(what.exc_value, KeyboardInterrupt):
            self._unraisable(what)
            return
        signal.signal(signal.SIGINT, self._interrupt)
        threading.Timer(0.01, signal.raise_signal, [signal.SIGINT]).start()  # not in this call


class Commands(click.Group):
    """Shows every error that a person can cause as one sentence, without a traceback."""

    def invoke(self, context: click.Context) -> Any:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that clean-up still happens
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="replace")  # where a terminal has no emoji
        with Interrupts() as interrupts:
            try:
                return super().invoke(context)
            except SystemExit:
                raise
            except BaseException as error:
                if interrupts.happened or isinstance(error, KeyboardInterrupt):
                    fail(INTERRUPTED, 2)
                if isinstance(error, SheetGPTError):
                    fail(str(error), 2)
                if isinstance(error, MemoryError):
                    fail("there is not enough memory for this model; close other programs", 2)
                raise


def fail(sentence: str, status: int) -> NoReturn:
    click.echo(f"sheetgpt: {sentence}", err=True)
    sys.exit(status)
