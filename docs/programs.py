"""Tries a workbook in other programs: does it load, recalculate, answer an edit, know an emoji?

    python docs/programs.py PROGRAM ...      ironcalc, onlyoffice, formulon, betteroffice, ...

What a program should show after an edit is what a workbook stores that was built for the edited
text.  Behind each program in `PROGRAMS` stands the package on PyPI that brings it.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from sheetgpt.build import Order, build_workbook
from sheetgpt.checkpoint import checkpoint
from sheetgpt.formula.cells import Area, column_letters
from sheetgpt.xlsx.read import read

ROOT = Path(__file__).parents[1]
TEXTS = {
    "tiny": ("ab c", "ba", "😀 a"),
    "nano": ("Mike is quick. He moves", "Sara is quiet. She speaks", "😀 ok"),
}
COMPARED = ("tokens.id", "logits", "softmax", "completion", "start.completion")
TOLERANCE = 1e-9

Value = float | str | None


class Program(Protocol):
    """An open workbook; rows and columns are counted from 1."""

    def get(self, tab: str, row: int, column: int) -> Value: ...
    def put(self, tab: str, row: int, column: int, text: str) -> None: ...
    def recalculate(self) -> None: ...


class IronCalc:
    def __init__(self, path: Path) -> None:
        import ironcalc

        self.model = ironcalc.load_from_xlsx(str(path), "en", "UTC", "en")
        self.tabs = [sheet["name"] for sheet in self.model.get_worksheets_properties()]

    def get(self, tab: str, row: int, column: int) -> Value:
        return self.model.get_cell_value(self.tabs.index(tab), row, column)

    def put(self, tab: str, row: int, column: int, text: str) -> None:
        self.model.set_user_input(self.tabs.index(tab), row, column, text)

    def recalculate(self) -> None:
        self.model.evaluate()


class OnlyOffice:
    """The engine of ONLYOFFICE, in its Document Builder."""

    def __init__(self, path: Path) -> None:
        import docbuilder

        self.builder = docbuilder.CDocBuilder()
        if self.builder.OpenFile(str(path), ""):
            raise RuntimeError("does not open")
        self.api = self.builder.GetContext().GetGlobal()["Api"]

    def _cell(self, tab: str, row: int, column: int) -> Any:
        sheet = self.api.Call("GetSheet", tab)
        return sheet.Call("GetRange", f"{column_letters(column)}{row}")

    def get(self, tab: str, row: int, column: int) -> Value:
        found = self._cell(tab, row, column).Call("GetValue")
        return found.ToDouble() if found.IsDouble() else found.ToString()

    def put(self, tab: str, row: int, column: int, text: str) -> None:
        self._cell(tab, row, column).Call("SetValue", text)

    def recalculate(self) -> None:
        self.api.Call("RecalculateAllFormulas")


class Formulon:
    def __init__(self, path: Path) -> None:
        import formulon

        self.book = formulon.Workbook.load(path.read_bytes())
        self.tabs = [self.book.sheet_name(index) for index in range(self.book.sheet_count())]

    def get(self, tab: str, row: int, column: int) -> Value:
        return self.book.get_value(self.tabs.index(tab), row - 1, column - 1).to_python()

    def put(self, tab: str, row: int, column: int, text: str) -> None:
        self.book.set_text(self.tabs.index(tab), row - 1, column - 1, text)

    def recalculate(self) -> None:
        self.book.recalc()


class BetterOffice:
    def __init__(self, path: Path) -> None:
        import betteroffice_xlsx

        self.book = betteroffice_xlsx.Workbook.open_path(str(path))

    def get(self, tab: str, row: int, column: int) -> Value:
        return self.book.value(tab, f"{column_letters(column)}{row}")

    def put(self, tab: str, row: int, column: int, text: str) -> None:
        self.book.set(tab, f"{column_letters(column)}{row}", text)

    def recalculate(self) -> None:
        self.book.recalculate()


class Formualizer:
    def __init__(self, path: Path) -> None:
        import formualizer

        self.book = formualizer.load_workbook(str(path))

    def get(self, tab: str, row: int, column: int) -> Value:
        return self.book.get_value(tab, row, column)

    def put(self, tab: str, row: int, column: int, text: str) -> None:
        self.book.set_value(tab, row, column, text)

    def recalculate(self) -> None:
        self.book.evaluate_all()


class CellRune:
    def __init__(self, path: Path) -> None:
        import cellrune

        self.book = cellrune.Workbook.open_path(str(path))

    def get(self, tab: str, row: int, column: int) -> Value:
        at = f"{column_letters(column)}{row}"
        found = self.book.read_values(tab, at, at)
        while isinstance(found, (list, tuple)):
            found = found[0]
        return found.get("value") if isinstance(found, dict) else found

    def put(self, tab: str, row: int, column: int, text: str) -> None:
        self.book.set_text(tab, f"{column_letters(column)}{row}", text)

    def recalculate(self) -> None:
        self.book.recalculate()


PROGRAMS: dict[str, tuple[str, Callable[[Path], Program]]] = {
    "ironcalc": ("ironcalc", IronCalc),
    "onlyoffice": ("document-builder", OnlyOffice),
    "formulon": ("formulon", Formulon),
    "betteroffice": ("betteroffice-xlsx", BetterOffice),
    "formualizer": ("formualizer", Formualizer),
    "cellrune": ("cellrune", CellRune),
}


def built(model: str, text: str, folder: Path) -> Path:
    """A workbook of the smallest model, or of nano, for a text."""
    where, order = {
        "tiny": ("tests/checkpoints/plain", Order(text, 6, prompt_length=12, new_tokens=2)),
        "nano": ("weights/nano", Order(text)),
    }[model]
    path = folder / f"{model}-{TEXTS[model].index(text)}.xlsx"
    build_workbook(checkpoint.load(ROOT / where), order, path)
    return path


def stored(path: Path) -> dict[tuple[str, int, int], Value]:
    """What stands in the compared cells, read by calamine."""
    from python_calamine import CalamineWorkbook

    names, book = read(path).names, CalamineWorkbook.from_path(str(path))
    tabs = {
        area.tab: book.get_sheet_by_name(area.tab).to_python(skip_empty_area=False)
        for area in (names[name] for name in COMPARED)
    }
    cells = (cell for name in COMPARED for cell in cells_of(names[name]))
    return {(t, r, c): tabs[t][r - 1][c - 1] for t, r, c in cells if r <= len(tabs[t])}


def cells_of(area: Area) -> list[tuple[str, int, int]]:
    rows, columns = range(area.top, area.bottom + 1), range(area.left, area.right + 1)
    return [(area.tab, row, column) for row in rows for column in columns]


def differing(program: Program, wanted: dict[tuple[str, int, int], Value]) -> str:
    """How many cells differ, and the first of them."""
    wrong = []
    for (tab, row, column), value in wanted.items():
        found = program.get(tab, row, column)
        if isinstance(value, float) and isinstance(found, (int, float)):
            same = abs(found - value) <= TOLERANCE * max(1, abs(value))
        else:
            same = (found or "") == (value or "")
        if not same:
            wrong.append(f"{tab}!{column_letters(column)}{row} {found!r}, not {value!r}")
    total = len(wanted)
    return f"{len(wrong)} of {total} differ: {wrong[0]}" if wrong else f"all {total} cells right"


def tried(name: str, model: str) -> None:
    with TemporaryDirectory() as folder:
        paths = [built(model, text, Path(folder)) for text in TEXTS[model]]
        prompt = read(paths[0]).names["prompt"]
        at = (prompt.tab, prompt.top, prompt.left)

        def say(what: str, how: Callable[[], str]) -> None:
            began = time.monotonic()
            result = how()
            print(
                f"{name}, {model}: {what}: {result} ({time.monotonic() - began:.1f} s)", flush=True
            )

        program = PROGRAMS[name][1](paths[0])
        say("loads", lambda: differing(program, stored(paths[0])))

        def edited(path: Path, text: str) -> str:
            program.put(*at, text)
            return differing(program, stored(path))

        edits = list(zip(TEXTS[model], paths, strict=True))
        for text, path in edits[1:] + edits[:1]:
            say(f"edit to {text!r}", lambda path=path, text=text: edited(path, text))
            program.recalculate()
            say("  … recalculated", lambda path=path: differing(program, stored(path)))


def main() -> None:
    """Each program and model in a process of its own, for a program may end it."""
    *names, last = sys.argv[1:] or list(PROGRAMS)
    if last in TEXTS:
        return tried(names[0], last)
    for name in (*names, last):
        if name not in PROGRAMS:
            sys.exit(f"programs: there is no {name}; there are {', '.join(PROGRAMS)}")
        for model in TEXTS:
            done = subprocess.run([sys.executable, __file__, name, model], check=False)
            if done.returncode:
                print(f"{name}, {model}: ended with {done.returncode}")


if __name__ == "__main__":
    main()
