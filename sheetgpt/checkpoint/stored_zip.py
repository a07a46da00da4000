"""The members of a zip file that is mapped: where each lies, without unpacking any.

PyTorch and NumPy store tensors in a zip, as they are. What is packed smaller there has been packed
by somebody else, and might unpack to any size: it is refused.

Source: PKWARE, ".ZIP File Format Specification", sections 4.3.7 (local header) and 4.3.16 (end of
the directory); zipfile reads the directory between them.
"""

import mmap
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

from sheetgpt.errors import CheckpointError, shown

START = b"PK\x03\x04"  # of a member; and so of a zip file
END = b"PK\x05\x06"  # of the directory

# Bytes that the directory may have; it keeps a hostile file from asking for all memory.
LONGEST_DIRECTORY = 16_000_000


@dataclass(frozen=True)
class Member:
    """Where the bytes of a member lie in the file."""

    offset: int
    size: int


def members(path: Path, data: mmap.mmap | bytes) -> dict[str, Member]:
    """Every member of the zip in `path`, whose bytes `data` is, by its name.

    Raises CheckpointError if the file does not hold, or something in it is packed.
    """
    end = data.rfind(END, max(0, len(data) - 65_557))
    if end < 0 or end + 22 > len(data):
        raise _broken(path, "its directory is missing")
    if int.from_bytes(data[end + 12 : end + 16], "little") > LONGEST_DIRECTORY:
        raise _broken(path, "its directory is longer than that of any checkpoint")
    try:
        with zipfile.ZipFile(path) as archive:
            listed = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, struct.error, NotImplementedError) as error:
        raise _broken(path, "its directory does not hold") from error
    found: dict[str, Member] = {}
    for each in listed:
        if each.filename in found:
            raise _broken(path, f"{shown(each.filename)} stands there twice")
        if each.compress_type != zipfile.ZIP_STORED or each.flag_bits & 1:
            raise CheckpointError(
                f"{path}: {shown(each.filename)} in it is compressed or encrypted, expected it "
                "stored as it is; save it again with torch.save, numpy.savez or mlx.core.savez"
            )
        found[each.filename] = _member(path, data, each)
    return found


def _member(path: Path, data: mmap.mmap | bytes, entry: zipfile.ZipInfo) -> Member:
    header = data[entry.header_offset : entry.header_offset + 30]
    if len(header) < 30 or not header.startswith(START):
        raise _broken(path, f"{shown(entry.filename)} is not where the directory says")
    name, extra = struct.unpack("<2H", header[26:])
    offset = entry.header_offset + 30 + name + extra
    if offset + entry.file_size > len(data):
        raise _broken(
            path,
            f"{shown(entry.filename)} ends at byte {offset + entry.file_size}, "
            f"the file at {len(data)}",
        )
    return Member(offset, entry.file_size)


def _broken(path: Path, what: str) -> CheckpointError:
    return CheckpointError(f"{path} is not a whole zip file: {what}; copy or download it again")
