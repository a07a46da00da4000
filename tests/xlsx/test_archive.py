"""The container: streamed parts are those of any other zip file."""

import io
import zipfile
import zlib

import numpy as np
import pytest

from sheetgpt.xlsx import archive
from sheetgpt.xlsx.archive import Archive, compact, fast, fast_numbers, plain

WAYS = [plain, fast, fast_numbers, compact]


def numbers(count: int) -> bytes:
    random = np.random.default_rng(0).standard_normal(count).astype(np.float32)
    return b'</v></c><c s="9"><v>'.join(str(each).encode() for each in random)


@pytest.mark.parametrize("deflate", WAYS)
@pytest.mark.parametrize("pieces", [[], [b""], [b"a"], [b"abc" * 10, b"", b"x" * 70_000]])
def test_every_reader_reads_it(deflate, pieces, monkeypatch):
    monkeypatch.setattr(archive, "CHUNK", 1000)
    file = io.BytesIO()
    with Archive(file, "w") as made:
        made.writestr("before.txt", "b")
        with made.streamed("part.xml", 100, deflate) as part:
            for piece in pieces:
                part.write(piece)
        made.writestr("after.txt", "a")
    with zipfile.ZipFile(file) as read:
        assert read.testzip() is None
        assert read.namelist() == ["before.txt", "part.xml", "after.txt"]
        assert read.read("part.xml") == b"".join(pieces)
        info = read.getinfo("part.xml")
        assert not info.flag_bits & 8, "sizes stand in front, not behind"
        assert info.extra == b"" and info.create_version < 45, "no zip64"


def test_many_chunks_in_order(monkeypatch):
    monkeypatch.setattr(archive, "CHUNK", 5_000)
    data, file = numbers(20_000), io.BytesIO()
    with Archive(file, "w") as made, made.streamed("part.xml", len(data), fast_numbers) as part:
        for start in range(0, len(data), 777):
            part.write(data[start : start + 777])
    with zipfile.ZipFile(file) as read:
        assert read.read("part.xml") == data


def test_zip64_where_a_part_may_need_it():
    file = io.BytesIO()
    with Archive(file, "w") as made, made.streamed("part.xml", 3_000_000_000, fast) as part:
        part.write(b"short after all")
    with zipfile.ZipFile(file) as read:
        assert read.read("part.xml") == b"short after all"


def test_what_is_slower_is_smaller():
    data = numbers(200_000)
    sizes = [len(way(data)) for way in (fast, fast_numbers, compact)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 0.92 * sizes[1]


@pytest.mark.parametrize("deflate", WAYS)
def test_chunks_can_be_put_together(deflate):
    joined = deflate(b"one ") + deflate(b"two") + archive.END
    assert zlib.decompress(joined, -15) == b"one two"


def test_an_error_in_a_worker_is_not_lost():
    def broken(chunk: bytes) -> bytes:
        raise MemoryError

    with (
        pytest.raises(MemoryError),
        Archive(io.BytesIO(), "w") as made,
        made.streamed("part.xml", 1, broken) as part,
    ):
        part.write(b"x")
