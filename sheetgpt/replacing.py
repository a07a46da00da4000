"""Files that change only when all of them is written."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path`, whose file takes its place in the end, or is gone if anything fails.

    The name is known before there is a file, so that an interrupt at any moment leaves none.
    """
    beside = path.with_name(f".{path.name[:50]}.{token_hex(8)}")
    try:
        yield beside
        beside.replace(path)
    finally:
        with suppress(OSError):
            beside.unlink()
