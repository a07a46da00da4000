"""The zip container of a workbook: small parts as `zipfile` writes them, large ones streamed.

A streamed part is cut into chunks that are deflated side by side while the next is made. Every
chunk ends on a byte (RFC 1951, an empty stored block), so that one follows the other.
Sizes are put into the part's own header afterwards instead of behind the data, and Zip64 is used
for no part that stays below its limit: some readers do not take either for granted.
"""

import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from zipfile import ZIP64_LIMIT, ZIP_DEFLATED, ZipFile, ZipInfo

from isal import isal_zlib

CHUNK = 1 << 23  # bytes that are deflated at a time
WORKERS = 2
END = b"\x03\x00"  # an empty last block

Deflate = Callable[[bytes], bytes]


def plain(chunk: bytes) -> bytes:
    """Deflate as everybody does."""
    return _deflated(zlib.compressobj(6, zlib.DEFLATED, -15, 9, zlib.Z_FILTERED), chunk)


def fast(chunk: bytes) -> bytes:
    """Deflate as fast as numbers become text."""
    return _deflated(isal_zlib.compressobj(1, isal_zlib.DEFLATED, -15), chunk)


def fast_numbers(chunk: bytes) -> bytes:
    """The same for numbers and little else.

    Digits hardly ever repeat but by chance, what stands between them always does: a window of
    512 bytes leaves chance out, and makes the file a tenth smaller.
    """
    return _deflated(isal_zlib.compressobj(1, isal_zlib.DEFLATED, -9), chunk)


def compact(chunk: bytes) -> bytes:
    """Deflate as well as zlib can, ten times slower: few and long matches are best for numbers."""
    return _deflated(zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_FILTERED), chunk)


def _deflated(compressor: Any, chunk: bytes) -> bytes:
    deflated: bytes = compressor.compress(chunk) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return deflated


class Archive(ZipFile):
    """An archive of parts that are written whole, and of parts that are streamed."""

    @contextmanager
    def streamed(self, name: str, expected_size: int, deflate: Deflate) -> Iterator["Part"]:
        """A part to be written piece by piece; expected_size: about how many bytes it will have."""
        file: Any = self.fp
        info = ZipInfo(name, time.localtime()[:6])
        info.compress_type, info.external_attr = ZIP_DEFLATED, 0o600 << 16
        info.header_offset, info.CRC = file.tell(), 0
        is_long = expected_size > ZIP64_LIMIT
        file.write(info.FileHeader(is_long))
        with ThreadPoolExecutor(WORKERS) as pool:
            part = Part(file, pool, deflate)
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

    def __init__(self, file: Any, pool: ThreadPoolExecutor, deflate: Deflate) -> None:
        self._file, self._pool, self._deflate = file, pool, deflate
        self._pieces: list[bytes] = []
        self._waiting = 0  # bytes in these pieces
        self._chunks: deque[Future[bytes]] = deque()
        self.size = self.deflated_size = self.crc = 0

    def write(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._waiting += len(piece)
        if self._waiting >= CHUNK:
            self._deflate_waiting()

    def _deflate_waiting(self) -> None:
        chunk = b"".join(self._pieces)
        self._pieces, self._waiting = [], 0
        self.size += len(chunk)
        self.crc = isal_zlib.crc32(chunk, self.crc)
        self._chunks.append(self._pool.submit(self._deflate, chunk))
        if len(self._chunks) > WORKERS:  # no more in memory than are being worked on
            self._put(self._chunks.popleft().result())

    def finish(self) -> None:
        self._deflate_waiting()
        while self._chunks:
            self._put(self._chunks.popleft().result())
        self._put(END)

    def _put(self, deflated: bytes) -> None:
        self._file.write(deflated)
        self.deflated_size += len(deflated)
