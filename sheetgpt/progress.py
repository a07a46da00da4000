"""How long work tells of itself."""

from typing import Protocol


class Progress(Protocol):
    """Told what is being done and, where that is known, how much of how much is done."""

    def __call__(self, what: str, done: int = 0, of: int = 0, /) -> None: ...


def silent(what: str, done: int = 0, of: int = 0, /) -> None:
    """The progress that tells nobody."""
