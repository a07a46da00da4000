"""The container: streamed parts are those of any other zip file."""

import io
import zipfile
import zlib

import numpy as np
import pytest

from sheetgpt.workers import Workers
from sheetgpt.xlsx import archive
from sheetgpt.xlsx.archive import (
    DEFLATE,
    Archive,
    Deflated,
    ahead,
    chunks,
    compact,
    fast,
    fast_numbers,
)

WAYS = list(DEFLATE)


def numbers(count: int) -> bytes:
    random = np.random.default_rng(0).standard_normal(count).astype(np.float32)
    return b'</v></c><c s="9"><v>'.join(str(each).encode() for each in random)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("pieces", [[], [b""], [b"a"], [b"abc" * 10, b"", b"x" * 70_000]])
def test_every_reader_reads_it(way, pieces, monkeypatch):
    monkeypatch.setattr(archive, "CHUNK", 1000)
    file = io.BytesIO()
    with Archive(file, "w") as made, Workers(2) as workers:
        made.writestr("before.txt", "b")
        with made.streamed("part.xml", 100) as part:
            for chunk in chunks(pieces, way, workers):
                part.write(chunk.result())
        made.writestr("after.txt", "a")
    with zipfile.ZipFile(file) as read:
        assert read.testzip() is None
        assert read.namelist() == ["before.txt", "part.xml", "after.txt"]
        assert read.read("part.xml") == b"".join(pieces)
        info = read.getinfo("part.xml")
        assert not info.flag_bits & 8, "sizes stand in front, not behind"
        assert info.extra == b"" and info.create_version < 45, "no zip64"


def test_many_chunks_in_order(monkeypatch):
    """Also where others make some of them."""
    monkeypatch.setattr(archive, "CHUNK", 5_000)
    data, other, file = numbers(20_000), numbers(10), io.BytesIO()
    with Workers(3) as workers, Archive(file, "w") as made:
        pieces = [data[start : start + 777] for start in range(0, len(data), 777)]
        pieces.insert(100, workers.in_thread(fast, other))
        with made.streamed("part.xml", len(data)) as part:
            for chunk in ahead(chunks(pieces, "fast numbers", workers), 4):
                part.write(chunk.result())
    with zipfile.ZipFile(file) as read:
        assert read.read("part.xml") == data[:77_700] + other + data[77_700:]


def test_some_are_made_ahead():
    made = []
    items = ahead((made.append(i) or i for i in range(5)), 2)
    assert next(items) == 0 and made == [0, 1, 2]
    assert list(items) == [1, 2, 3, 4]


def test_zip64_where_a_part_may_need_it():
    file = io.BytesIO()
    with Archive(file, "w") as made, made.streamed("part.xml", 3_000_000_000) as part:
        part.write(fast(b"short after all"))
    with zipfile.ZipFile(file) as read:
        assert read.read("part.xml") == b"short after all"


def test_what_is_slower_is_smaller():
    data = numbers(200_000)
    sizes = [len(way(data).data) for way in (fast, fast_numbers, compact)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 0.92 * sizes[1]


@pytest.mark.parametrize("way", WAYS)
def test_chunks_can_be_put_together(way):
    chunks = [DEFLATE[way](b"one "), DEFLATE[way](b"two")]
    joined = b"".join([*(chunk.data for chunk in chunks), archive.END])
    assert zlib.decompress(joined, -15) == b"one two"
    assert [(each.size, each.crc) for each in chunks] == [
        (4, zlib.crc32(b"one ")), (3, zlib.crc32(b"two"))
    ]  # fmt: skip


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_in_a_worker_is_not_lost(jobs, monkeypatch):
    def broken(chunk: bytes) -> Deflated:
        raise MemoryError

    monkeypatch.setitem(DEFLATE, "broken", broken)
    with pytest.raises(MemoryError), Workers(jobs) as workers:
        [chunk.result() for chunk in chunks([b"x"], "broken", workers)]
