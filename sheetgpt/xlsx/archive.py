"""The zip container of a workbook: small parts as `zipfile` writes them, large ones streamed.

A streamed part is cut into chunks that are deflated side by side while the next is made, in
threads or elsewhere. Every chunk ends on a byte (RFC 1951, an empty stored block), so that one
follows the other; where it is cut depends on nothing but its text.
Sizes are put into the part's own header afterwards instead of behind the data, and Zip64 is used
for no part that stays below its limit: some readers do not take either for granted.
"""

import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from zipfile import ZIP64_LIMIT, ZIP_DEFLATED, ZipFile, ZipInfo

from isal import isal_zlib

from sheetgpt.workers import Frame, Workers

T = TypeVar("T")

CHUNK = 1 << 23  # bytes that are deflated at a time
END = b"\x03\x00"  # an empty last block


@dataclass(frozen=True)
class Deflated:
    """A chunk of a part, deflated; how many bytes it was, and their checksum (CRC-32)."""

    data: Frame
    size: int
    crc: int


Deflate = Callable[[bytes], Deflated]


def plain(chunk: bytes) -> Deflated:
    """Deflate as everybody does."""
    return _deflated(zlib.compressobj(6, zlib.DEFLATED, -15, 9, zlib.Z_FILTERED), chunk)


def fast(chunk: bytes) -> Deflated:
    """Deflate as fast as numbers become text."""
    return _deflated(isal_zlib.compressobj(1, isal_zlib.DEFLATED, -15), chunk)


def fast_numbers(chunk: bytes) -> Deflated:
    """The same for numbers and little else.

    Digits hardly ever repeat but by chance, what stands between them always does: a window of
    512 bytes leaves chance out, and makes the file a tenth smaller.
    """
    return _deflated(isal_zlib.compressobj(1, isal_zlib.DEFLATED, -9), chunk)


def compact(chunk: bytes) -> Deflated:
    """Deflate as well as zlib can, ten times slower: few and long matches are best for numbers."""
    return _deflated(zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_FILTERED), chunk)


def _deflated(compressor: Any, chunk: bytes) -> Deflated:
    data = compressor.compress(chunk) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return Deflated(data, len(chunk), isal_zlib.crc32(chunk))


DEFLATE: dict[str, Deflate] = {
    "plain": plain, "fast": fast, "fast numbers": fast_numbers, "compact": compact
}  # fmt: skip


class Archive(ZipFile):
    """An archive of parts that are written whole, and of parts that are streamed."""

    @contextmanager
    def streamed(self, name: str, expected_size: int) -> Iterator["Part"]:
        """A part to be written chunk by chunk; expected_size: about how many bytes it will have."""
        file: Any = self.fp
        info = ZipInfo(name, time.localtime()[:6])
        info.compress_type, info.external_attr = ZIP_DEFLATED, 0o600 << 16
        info.header_offset, info.CRC = file.tell(), 0
        is_long = expected_size > ZIP64_LIMIT
        file.write(info.FileHeader(is_long))
        part = Part(file)
        yield part
        part.write(Deflated(END, 0, 0))
        info.CRC, info.file_size, info.compress_size = part.crc, part.size, part.deflated_size
        end = file.tell()
        file.seek(info.header_offset)
        file.write(info.FileHeader(is_long))
        file.seek(end)
        self.start_dir, self._didModify = end, True
        self.filelist.append(info)
        self.NameToInfo[name] = info


class Part:
    """Takes a part's chunks."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.size = self.deflated_size = self.crc = 0

    def write(self, chunk: Deflated) -> None:
        self._file.write(chunk.data)
        self.crc = isal_zlib.crc32_combine(self.crc, chunk.crc, chunk.size)
        self.size += chunk.size
        self.deflated_size += len(chunk.data)


Chunk = Future[Deflated]


def chunks(pieces: Iterable[bytes | Chunk], how: str, workers: Workers) -> Iterator[Chunk]:
    """Bytes as chunks that are being deflated; chunks among them, as they are.

    how: the name of a way to deflate.
    """
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        if isinstance(piece, bytes):
            waiting.append(piece)
            size += len(piece)
        if waiting and (size >= CHUNK or not isinstance(piece, bytes)):
            yield workers.in_thread(DEFLATE[how], b"".join(waiting))
            waiting, size = [], 0
        if not isinstance(piece, bytes):
            yield piece
    if waiting:
        yield workers.in_thread(DEFLATE[how], b"".join(waiting))


def ahead(items: Iterable[T], count: int) -> Iterator[T]:
    """The same items, so many of which are made before the first is asked for."""
    made: deque[T] = deque()
    for item in items:
        made.append(item)
        if len(made) > count:
            yield made.popleft()
    yield from made
