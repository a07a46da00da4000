"""Takes the pictures in docs/pictures: LibreOffice recalculates workbooks and prints parts of them.

Run it by `make pictures`.  Needs LibreOffice, pdftoppm (Debian package poppler-utils), Carlito,
which is as wide as Calibri (fonts-crosextra-carlito), Japanese and Korean fonts (fonts-noto-cjk),
and for a picture of the window xvfb, xdotool, openbox and imagemagick.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from struct import pack
from tempfile import TemporaryDirectory
from zlib import compress, crc32

import numpy as np

from sheetgpt.book.page import FIRST
from sheetgpt.build import EXAMPLE, Order, build_lessons, build_workbook
from sheetgpt.errors import SheetGPTError
from sheetgpt.formula.cells import Area, column_letters
from sheetgpt.models import DEFAULT, load
from sheetgpt.office.libreoffice import Office, opened
from sheetgpt.office.screen import Screen, missing, screen
from sheetgpt.xlsx.read import read

FOLDER = Path(__file__).with_name("pictures")
DOTS = 96  # an inch: what a screen shows at 100 %
FONTS = {  # what fontconfig is asked for, what that is, and where it comes from
    "Carlito": ("the font Carlito", "fonts-crosextra-carlito"),
    ":lang=ja": ("a Japanese font", "fonts-noto-cjk"),
    ":lang=ko": ("a Korean font", "fonts-noto-cjk"),
}

TYPED = "Sara is quiet. She speaks"
STORY = "Once upon a time"
QUIET = 3.0  # seconds after which a window that has not changed has drawn itself

LESSONS = {  # the lessons in docs/lessons.md, and the last cell of their pictures
    "learn-tokens": ("learn tokens", "J54"),
    "words-as-numbers": ("words as numbers", "P27"),
    "neuron": ("a neuron, a layer", "M26"),
    "learning": ("learning", "R34"),
    "attention": ("attention by hand", "O44"),
    "choosing": ("from scores to a word", "P51"),
    "counting": ("before transformers", "M37"),
}

Names = Mapping[str, Area]


@dataclass(frozen=True)
class Picture:
    """A part of a tab, from A1 to a cell; the rows and columns of some areas are left out."""

    name: str
    tab: str
    to: str
    rows: Sequence[str] = ()
    columns: Sequence[str] = ()


def start(name: str) -> Picture:
    return Picture(name, "start", "V54")


def pictures(names: Names, tokens: int) -> Iterator[Picture]:
    """All of the English workbook; `tokens` rows of it have a token."""
    stage, longest = names["round_2.text"], names["characters.text"].top + len(EXAMPLE)
    bottom = names["embed.position"].top + tokens - 1
    softmax, candidates = names["softmax"], names["candidates.token"]
    lens, checks = names["lens.token"], names["checks.mark"]
    yield start("start")
    yield Picture("prompt-to-tokens", "prompt to tokens", cell(stage.right, longest))
    yield Picture("embeddings", "embeddings", f"M{bottom}", empty_rows(names, "embed.", tokens))
    yield steps("block-0-attention", names, 0, ("attn.scores", "attn.heads"), tokens)
    yield steps("block-0-mlp", names, 0, ("mlp.c_fc", "mlp.residual"), tokens)
    yield head("head-of-names", names, 3, 1, tokens)
    yield head("head-of-manners", names, 5, 1, tokens)
    yield Picture("softmax", "softmax", f"O{softmax.top + 565}", between(softmax), ["C1:G1"])
    yield Picture("predicted-token", "predicted token", f"J{candidates.top + 29}")
    yield Picture("attention", "attention", f"N{names['attention.weight'].bottom}")
    yield Picture("logit-lens", "logit lens", f"N{lens.bottom + 1}")
    split = names["reasons.split.vote"]
    yield Picture("reasons", "reasons", f"J{split.top + tokens - 1}")
    yield Picture("switches", "switches", f"I{names['switches.effect'].bottom}")
    yield Picture("microscope", "microscope", f"Q{names['microscope.left'].top + 20}")
    yield Picture("neighbours", "neighbours", f"H{names['neighbours.pair.first'].top + 12}")
    yield Picture("checks", "checks", f"I{checks.top + 16}")


def between(softmax: Area) -> list[str]:
    """The rows of a vocabulary of which nothing is likely: names and manners are left."""
    gaps = ((0, 425), (436, 450), (459, 557))
    return [f"A{softmax.top + first}:A{softmax.top + last}" for first, last in gaps]


def cell(column: int, row: int) -> str:
    return f"{column_letters(column)}{row}"


def empty_rows(names: Names, prefix: str, tokens: int) -> list[str]:
    """The rows without a token, of all steps whose names begin like this."""
    areas = [area for name, area in names.items() if name.startswith(prefix)]
    on_tab = [area for area in areas if not area.tab.startswith("weights")]
    return [f"A{area.top + tokens}:A{area.bottom}" for area in on_tab]


def steps(name: str, names: Names, block: int, ends: tuple[str, str], tokens: int) -> Picture:
    """Some steps of a block, below its title; in the first columns of numbers."""
    first, last = (names[f"h.{block}.{step}"] for step in ends)
    above = [f"A4:A{first.top - 7}"]
    return Picture(
        name,
        first.tab,
        cell(FIRST + tokens, last.top + tokens - 1),
        above + empty_rows(names, f"h.{block}.", tokens),
    )


def head(name: str, names: Names, block: int, number: int, tokens: int) -> Picture:
    """The attention weights of one head, as they look when one scrolls to it."""
    weights = names[f"h.{block}.attn.weights"]
    left = FIRST + number * weights.shape[0]
    return Picture(
        name,
        weights.tab,
        cell(left + tokens - 1, weights.top + tokens - 1),
        [f"A5:A{weights.top - 7}"],
        [f"{column_letters(FIRST)}1:{column_letters(left - 1)}1"] if number else [],
    )


def take(office: Office, picture: Picture, folder: Path) -> None:
    pdf = folder / f"{picture.name}.pdf"
    office.picture(picture.tab, f"A1:{picture.to}", pdf, picture.rows, picture.columns)
    dots = ["pdftoppm", "-r", str(DOTS), "-singlefile", pdf]
    keep(picture.name, subprocess.run(dots, capture_output=True, check=True).stdout)


def take_window(path: Path) -> None:
    """A real window of a small laptop's size, after a person has typed and pressed Return."""
    with screen() as there, opened(path, display=there.display) as office:
        there.focus("workbook.xlsx")
        settled(there)
        there.type(TYPED)
        there.press("Return")
        while office.read(["prompt"])["prompt"] != [[TYPED]]:
            time.sleep(0.1)
        office.read(["start.completion"])  # answered only when all is calculated
        keep("window", settled(there))


def settled(there: Screen) -> bytes:
    """What is seen once it has stopped changing."""
    seen = there.picture()
    while True:
        time.sleep(QUIET)
        before, seen = seen, there.picture()
        if before == seen:
            return seen


def keep(name: str, ppm: bytes) -> None:
    png = FOLDER / f"{name}.png"
    png.write_bytes(as_png(ppm))
    print(f"{png.name}: {png.stat().st_size / 1000:.0f} kB")


def as_png(ppm: bytes) -> bytes:
    """A picture of three bytes a dot as one of a byte a dot: its most frequent colours.

    PNG (third edition), sections 5 and 11; a PPM is a line each of kind, size, depth, then dots.
    """
    _, size, _, dots = ppm.split(b"\n", 3)
    width, height = map(int, size.split())
    parts = np.frombuffer(dots, np.uint8).astype(np.uint32).reshape(-1, 3)
    found, which, counts = np.unique(
        parts @ [1 << 16, 1 << 8, 1], return_inverse=True, return_counts=True
    )
    colours = found[:, None] >> np.array([16, 8, 0]) & 255
    palette = colours[np.argsort(-counts)[:256]]
    distances = ((colours[:, None] - palette.astype(int)) ** 2).sum(axis=2)
    lines = distances.argmin(axis=1).astype(np.uint8)[which].reshape(height, width)
    unfiltered = np.pad(lines, ((0, 0), (1, 0)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        pack(">I", len(data)) + kind + data + pack(">I", crc32(kind + data))
        for kind, data in (
            (b"IHDR", pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            (b"PLTE", palette.astype(np.uint8).tobytes()),
            (b"IDAT", compress(unfiltered.tobytes(), 9)),
            (b"IEND", b""),
        )
    )


def need_tools() -> None:
    if shutil.which("pdftoppm") is None:
        raise SheetGPTError("pdftoppm was not found; install it (Debian, Ubuntu: poppler-utils)")
    if (lacking := missing()) is not None:
        raise SheetGPTError(lacking)
    if shutil.which("fc-list") is None:  # nobody can say which fonts there are
        return
    for asked, (font, package) in FONTS.items():
        if not subprocess.run(["fc-list", asked], capture_output=True, check=True).stdout:
            raise SheetGPTError(
                f"{font} was not found, so the pictures would not look as they should; "
                f"install it (Debian, Ubuntu: {package})"
            )


def main() -> None:
    need_tools()
    FOLDER.mkdir(exist_ok=True)
    nano = load("nano")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "stories.xlsx"
        build_workbook(load(DEFAULT), Order(STORY), path)
        with opened(path) as office:
            office.calculate()
            take(office, start("stories"), Path(folder))
        for language in ("en", "ja", "ko"):
            path = Path(folder) / f"{language}.xlsx"
            build_workbook(nano, Order(EXAMPLE, language=language), path)
            with opened(path) as office:
                office.calculate()
                ids = office.read(["tokens.id"])["tokens.id"]
                tokens = sum(row != [""] for row in ids)
                english = language == "en"
                wanted = (
                    pictures(read(path).names, tokens) if english else [start(f"start-{language}")]
                )
                for picture in wanted:
                    take(office, picture, Path(folder))
            if english:
                take_window(path)
        path = Path(folder) / "lessons.xlsx"
        build_lessons(nano, "en", path)
        with opened(path) as office:
            for name, (tab, to) in LESSONS.items():
                take(office, Picture(f"lesson-{name}", tab, to), Path(folder))


if __name__ == "__main__":
    try:
        main()
    except SheetGPTError as error:
        sys.exit(f"pictures: {error}")
