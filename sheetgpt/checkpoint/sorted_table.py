"""Reading a sorted string table: the file of keys and values in which TensorFlow keeps its indexes.

The format is LevelDB's (its doc/table_format.md and doc/log_format.md; TensorFlow has a copy of
the code). A file is a row of blocks and a footer. The footer says where the index block lies,
whose values say where the blocks of data lie. In a block each key is stored as what it does not
share with the key before it. Behind each block stand one byte, how it is compressed, and a
CRC-32C of all that.
"""

from collections.abc import Iterator
from pathlib import Path

from sheetgpt.errors import CheckpointError, unreadable

FOOTER = 48  # bytes: two places, filled up with zeros, and the magic number
MAGIC = 0xDB4775248B80FB57
TRAILER = 5  # bytes behind a block: one for the compression, four for the checksum
LONGEST = 50_000_000  # bytes; the index of the largest GPT-2 has fifty thousand

# CRC-32C (Castagnoli) of every byte; the polynomial is 0x1EDC6F41, written from the lowest bit.
POLYNOMIAL = 0x82F63B78


def _crc_of(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (POLYNOMIAL if byte & 1 else 0)
    return byte


CRC = tuple(_crc_of(byte) for byte in range(256))


def read(path: Path) -> dict[bytes, bytes]:
    """Every key with its value; CheckpointError if the file cannot be read or does not hold."""
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST + 1)
    except OSError as error:
        raise unreadable(path, error) from error
    try:
        index = _block(data, *_place(_footer(data))[:2])
        blocks = [_block(data, *_place(place)[:2]) for _, place in _entries(index)]
        return {key: value for block in blocks for key, value in _entries(block)}
    except ValueError as error:
        raise CheckpointError(
            f"{path} is not a whole index of a TensorFlow checkpoint: {error}; "
            "copy or download it again"
        ) from error


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins at a byte, seven bits a byte and the lowest first, and where it ends.

    Raises ValueError if it does not end.
    """
    value = 0
    for i, byte in enumerate(data[at : at + 10]):
        value |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            return value, at + i + 1
    raise ValueError(f"the number at byte {at} does not end")


def cut(data: bytes, at: int, length: int) -> bytes:
    """So many bytes from a place on; ValueError if there are fewer."""
    if at + length > len(data):
        raise ValueError(f"{length} bytes from byte {at} on were expected, but it ends before")
    return data[at : at + length]


def checksum(data: bytes) -> int:
    """The CRC-32C of a block as it is stored: rotated and moved, so that it is none of itself."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _footer(data: bytes) -> bytes:
    """The place of the index block."""
    if len(data) > LONGEST:
        raise ValueError(f"it has more than {LONGEST} bytes")
    if len(data) < FOOTER or int.from_bytes(data[-8:], "little") != MAGIC:
        raise ValueError("it does not end with a table's footer")
    footer = data[-FOOTER:-8]
    _, _, index = _place(footer)  # of the blocks about blocks, of which TensorFlow writes none
    return footer[index:]


def _place(data: bytes) -> tuple[int, int, int]:
    """Where a block begins and how long it is; and where these two numbers end."""
    begin, at = varint(data, 0)
    length, at = varint(data, at)
    return begin, length, at


def _block(data: bytes, begin: int, length: int) -> bytes:
    stored = cut(data, begin, length + TRAILER)
    checked, crc = stored[:-4], int.from_bytes(stored[-4:], "little")
    if checksum(checked) != crc:
        raise ValueError(f"the block at byte {begin} has not the checksum that stands behind it")
    if checked[-1] != 0:
        raise ValueError(
            f"the block at byte {begin} is compressed, which TensorFlow's own indexes are not"
        )
    return checked[:-1]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The keys and values of a block, without the list of places to start from at its end."""
    starts = int.from_bytes(block[-4:], "little")
    entries = cut(block, 0, max(0, len(block) - 4 - 4 * starts))
    key, at = b"", 0
    while at < len(entries):
        shared, at = varint(entries, at)
        own, at = varint(entries, at)
        length, at = varint(entries, at)
        key = cut(key, 0, shared) + cut(entries, at, own)
        yield key, cut(entries, at + own, length)
        at += own + length
