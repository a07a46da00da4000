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
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from shutil import copyfileobj
from typing import Any
from zipfile import ZIP64_LIMIT, ZIP_DEFLATED, ZipFile, ZipInfo

from isal import isal_zlib

from sheetgpt.workers import Frame, Workers

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
    def streamed(
        self, name: str, expected_size: int, how: str, workers: Workers
    ) -> Iterator["Part"]:
        """A part to be written piece by piece.

        expected_size: about how many bytes it will have. how: the name of a way to deflate it.
        """
        file: Any = self.fp
        info = ZipInfo(name, time.localtime()[:6])
        info.compress_type, info.external_attr = ZIP_DEFLATED, 0o600 << 16
        info.header_offset, info.CRC = file.tell(), 0
        is_long = expected_size > ZIP64_LIMIT
        file.write(info.FileHeader(is_long))
        part = Part(file, workers, how)
        yield part
        part.finish()
        info.CRC, info.file_size, info.compress_size = part.crc, part.size, part.deflated_size
        end = file.tell()
        file.seek(info.header_offset)
        file.write(info.FileHeader(is_long))
        file.seek(end)
        self.start_dir, self._didModify = end, True
        self.filelist.append(info)
        self.NameToInfo[name] = info


class Part:
    """Takes the bytes of a part in any pieces, and writes them deflated."""

    def __init__(self, file: Any, workers: Workers, how: str) -> None:
        self.file, self._workers, self.how = file, workers, how
        self._pieces: list[bytes] = []
        self._waiting = 0  # bytes in these pieces
        self._chunks: deque[Future[Any]] = deque()
        self.size = self.deflated_size = self.crc = 0

    def write(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._waiting += len(piece)
        if self._waiting >= CHUNK:
            self._deflate_waiting()

    def put(self, chunk: Future[Deflated]) -> None:
        """Bytes that are being deflated elsewhere come next."""
        if self._waiting:
            self._deflate_waiting()
        self._append(chunk)

    def _deflate_waiting(self) -> None:
        chunk = b"".join(self._pieces)
        self._pieces, self._waiting = [], 0
        self._append(self._workers.in_thread(DEFLATE[self.how], chunk))

    def _append(self, chunk: Future[Deflated]) -> None:
        self._chunks.append(chunk)
        if len(self._chunks) > 2 * self._workers.jobs:  # no more in memory than keep all busy
            self._take(self._chunks.popleft().result())

    def add(self, other: "Part") -> None:
        """What was written into another part, and into a file of its own, comes next."""
        other.drain()
        self.drain()
        other.file.seek(0)
        copyfileobj(other.file, self.file, CHUNK)
        self._count(other.size, other.deflated_size, other.crc)

    def drain(self) -> None:
        """Write everything that waits."""
        if self._waiting:
            self._deflate_waiting()
        while self._chunks:
            self._take(self._chunks.popleft().result())

    def finish(self) -> None:
        self.drain()
        self.file.write(END)
        self.deflated_size += len(END)

    def _take(self, chunk: Deflated) -> None:
        self.file.write(chunk.data)
        self._count(chunk.size, len(chunk.data), chunk.crc)

    def _count(self, size: int, deflated_size: int, crc: int) -> None:
        self.crc = isal_zlib.crc32_combine(self.crc, crc, size)
        self.size += size
        self.deflated_size += deflated_size
