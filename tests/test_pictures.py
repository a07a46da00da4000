"""The script behind the pictures in docs: what it writes is a picture, and small."""

import importlib.util
import struct
import zlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from sheetgpt.office import libreoffice as office

DOCS = Path(__file__).parents[1] / "docs"
MOST = 250_000  # bytes


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("pictures", DOCS / "pictures.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def chunks(png: bytes) -> dict[bytes, bytes]:
    """A PNG taken apart; every checksum must be right."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    found, rest = {}, png[8:]
    while rest:
        (length,) = struct.unpack(">I", rest[:4])
        kind, data = rest[4:8], rest[8 : 8 + length]
        assert struct.unpack(">I", rest[8 + length : 12 + length]) == (zlib.crc32(kind + data),)
        found[kind], rest = data, rest[12 + length :]
    return found


def dots(png: bytes) -> np.ndarray:
    """[height, width, 3] of a PNG with a palette and without filters."""
    parts = chunks(png)
    width, height = struct.unpack(">II", parts[b"IHDR"][:8])
    lines = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(height, width + 1)
    return np.frombuffer(parts[b"PLTE"], np.uint8).reshape(-1, 3)[lines[:, 1:]]


def test_a_palette_keeps_few_colours_exactly(script):
    colours = np.random.default_rng(1).integers(0, 256, (200, 3), dtype=np.uint8)
    picture = colours[np.random.default_rng(2).integers(0, 200, (30, 50))]
    ppm = b"P6\n50 30\n255\n" + picture.tobytes()
    assert (dots(script.as_png(ppm)) == picture).all()


def test_of_many_colours_it_takes_the_nearest(script):
    greys = np.repeat(np.arange(250), 3)[:, None].repeat(3, axis=1)
    bluish = np.arange(250)[:, None] + [0, 0, 4]
    picture = np.concatenate([greys, bluish]).astype(np.uint8)
    ppm = b"P6\n10 100\n255\n" + picture.tobytes()
    change = dots(script.as_png(ppm)).reshape(-1, 3).astype(int) - picture
    assert (change[:750] == 0).all()
    assert np.abs(change).max() <= 4


def test_pictures_of_the_docs_exist_and_are_small(script):
    """Every picture that a page shows is there, and every picture is shown."""
    shown = set()
    for page in (*DOCS.glob("*.md"), DOCS.parent / "README.md"):
        text = page.read_text(encoding="utf-8")
        shown |= {part.partition(")")[0] for part in text.split("pictures/")[1:] if ".png)" in part}
    there = {path.name: path.stat().st_size for path in script.FOLDER.glob("*.png")}
    assert shown == there.keys()
    assert max(there.values()) < MOST


@pytest.mark.usefixtures("libreoffice")
def test_a_part_of_a_tab_as_a_page(tiny_workbook, tmp_path):
    with office.opened(tiny_workbook) as opened:
        opened.picture("start", "A1:C8", tmp_path / "a.pdf")
        opened.picture("block 0", "A1:F20", tmp_path / "b.pdf", ["A5:A9"], ["C1:D1"])
        with pytest.raises(office.OfficeError, match="LibreOffice cannot do this"):
            opened.picture("no such tab", "A1:B2", tmp_path / "c.pdf")
    for name in ("a.pdf", "b.pdf"):
        assert (tmp_path / name).read_bytes().startswith(b"%PDF-")
