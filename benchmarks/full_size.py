"""Builds, reads, checks and opens a workbook of GPT-2 small's shape, each beside its peer.

    python benchmarks/full_size.py [--checkpoint DIRECTORY] [--runs 3] [--folder DIRECTORY]

Without a checkpoint one is written with random weights and a made-up vocabulary. It takes about
half an hour, 3 GB of disk and 6 GB of memory. Machines are noisy: look at the ratios. What is
compared takes turns in one run; every figure is the median of the runs.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from measure import Cost, in_process, machine, median, peak_memory, processor_time
from random_checkpoint import config_of, write_checkpoint

from sheetgpt.check import check
from sheetgpt.office import libreoffice as office

ROWS = 5_000  # of wte, which the slow writers and readers are measured with
PROMPT, SHORTER, NEW_TOKENS = "Mike is quick. He moves", "Mike is quick. He", 4

# The weights of a model, or some rows of wte, and nothing else; a tab for each tensor.
BARE = """
import sys, numpy as np
from pathlib import Path
from sheetgpt import models
from sheetgpt.book.book import Book, Numbers, Tab
from sheetgpt.formula.cells import Area
from sheetgpt.calculate.values import Sheet, Sheets
from sheetgpt.workers import Workers, cores
from sheetgpt.xlsx.write import Form, save
weights, rows = models.load(sys.argv[1]).weights, int(sys.argv[3])

def work():
    tabs = []
    for name in ["wte"] if rows else weights:
        matrix = np.atleast_2d(weights[name])[: rows or None]
        numbers = Numbers(Area(name, 1, 1, *matrix.shape), matrix, "weight")
        tabs.append(Tab(name, [], [], [numbers], [], [], {}, {}, (0, 0)))
    sheets = Sheets({tab.name: Sheet(1, 1) for tab in tabs})
    with Workers(cores()) as workers:
        form = Form(addresses=False)
        save(Book(tabs, {}), sheets, Path(sys.argv[2]), form, workers=workers)
"""
MATRIX = """
import sys
from sheetgpt import models
matrix = models.load(sys.argv[1]).weights["wte"][: int(sys.argv[3])].tolist()
"""
XLSXWRITER = (
    MATRIX
    + """
import xlsxwriter

def work():
    book = xlsxwriter.Workbook(sys.argv[2], {"constant_memory": True})
    sheet = book.add_worksheet()
    for number, row in enumerate(matrix):
        sheet.write_row(number, 0, row)
    book.close()
"""
)
OPENPYXL = (
    MATRIX
    + """
import openpyxl

def work():
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in matrix:
        sheet.append(row)
    book.save(sys.argv[2])
"""
)
BUILD = """
import sys
from pathlib import Path
from sheetgpt import models
from sheetgpt.build import Order, build_workbook
from sheetgpt.workers import cores
from sheetgpt.xlsx.write import Form

def work():
    prompt, new_tokens, form = sys.argv[3], int(sys.argv[4]), Form(sys.argv[5] == "compact")
    context = int(sys.argv[6]) if sys.argv[6:] else None
    order = Order(prompt, context, new_tokens=new_tokens, form=form)
    build_workbook(models.load(sys.argv[1]), order, Path(sys.argv[2]), force=True, jobs=cores())
"""
READ = """
import sys
from pathlib import Path
from sheetgpt.workers import cores
from sheetgpt.xlsx.read import read

def work():
    read(Path(sys.argv[1]), jobs=cores())
"""
READ_OPENPYXL = """
import sys, openpyxl

def work():
    for sheet in openpyxl.load_workbook(sys.argv[1], read_only=True):
        for row in sheet.iter_rows(values_only=True):
            pass
"""
CHECK = """
import sys
from pathlib import Path
from sheetgpt.check import check
from sheetgpt.workers import cores

def work():
    assert check(Path(sys.argv[1]), jobs=cores()).holds
"""

Work = dict[str, Callable[[], Cost]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where there is room for the files")
    given = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        place = Path(folder)
        checkpoint = given.checkpoint or place / "gpt2"
        if given.checkpoint is None:
            write_checkpoint(checkpoint, config_of("gpt2"))
        writing_and_reading(checkpoint, place, given.runs)
        whole, bare = building(checkpoint, place, given.runs)
        checking(whole, bare, given.runs)
        if office.is_installed():
            opening(whole, bare, given.runs)


def taking_turns(work: Work, runs: int) -> dict[str, Cost]:
    costs: dict[str, list[Cost]] = defaultdict(list)
    for _ in range(runs):
        for name, measured in work.items():
            costs[name].append(measured())
    return {name: median(each) for name, each in costs.items()}


def table(title: str, costs: dict[str, Cost], peer: str) -> None:
    print(f"\n{title}\n{'':44}{'seconds':>9}{'CPU s':>9}{'peak GB':>9}{'× peer':>9}{'× CPU':>9}")
    for name, cost in costs.items():
        ratios = f"{cost.wall / costs[peer].wall:9.2f}{cost.cpu / costs[peer].cpu:9.2f}"
        figures = f"{cost.wall:9.2f}{cost.cpu:9.2f}{cost.peak / 1e9:9.2f}"
        print(f"{name:44}{figures}{ratios}", flush=True)


def writing_and_reading(checkpoint: Path, place: Path, runs: int) -> None:
    """The same matrix by each of the libraries, and read back."""
    ours, theirs = place / "matrix.xlsx", place / "openpyxl.xlsx"
    work: Work = {
        "sheetgpt": lambda: in_process(BARE, checkpoint, ours, ROWS),
        "XlsxWriter, constant_memory": lambda: in_process(
            XLSXWRITER, checkpoint, place / "other.xlsx", ROWS
        ),
        "openpyxl, write-only": lambda: in_process(OPENPYXL, checkpoint, theirs, ROWS),
    }
    table(f"Writing {ROWS:,} × 768 weights", taking_turns(work, runs), "sheetgpt")
    work = {
        "sheetgpt": lambda: in_process(READ, ours),
        "openpyxl, read-only": lambda: in_process(READ_OPENPYXL, ours),
    }
    table(f"Reading {ROWS:,} × 768 weights", taking_turns(work, runs), "sheetgpt")


def building(checkpoint: Path, place: Path, runs: int) -> tuple[Path, Path]:
    """The whole workbook beside its bare weights; returns both files."""
    whole, bare, small = (place / f"{name}.xlsx" for name in ("whole", "bare", "compact"))
    asked = (PROMPT, NEW_TOKENS)
    work: Work = {
        "bare weights": lambda: in_process(BARE, checkpoint, bare, 0),
        "whole workbook": lambda: in_process(BUILD, checkpoint, whole, *asked, "fast"),
    }
    costs = taking_turns(work, runs)
    costs["whole workbook, compact (one run)"] = in_process(
        BUILD, checkpoint, small, *asked, "compact"
    )
    table("Building", costs, "bare weights")
    mapped = sum(file.stat().st_size for file in checkpoint.glob("*.safetensors"))
    above = costs["whole workbook"].peak - mapped
    print(f"above the mapped checkpoint of {mapped / 1e6:.0f} MB: {above / 1e9:.2f} GB at the peak")
    for path in (bare, whole, small):
        print(f"{path.stem:44}{path.stat().st_size / 1e6:9.1f} MB")
    small.unlink()
    return whole, bare


def checking(whole: Path, bare: Path, runs: int) -> None:
    work: Work = {
        "reading the bare weights": lambda: in_process(READ, bare),
        "reading the whole workbook": lambda: in_process(READ, whole),
        "check (numpy)": lambda: in_process(CHECK, whole),
    }
    table("Checking", taking_turns(work, runs), "reading the bare weights")


def opening(whole: Path, bare: Path, runs: int) -> None:
    """LibreOffice: loading, calculating, and what it then shows."""
    costs: dict[str, list[Cost]] = defaultdict(list)
    for _ in range(runs):
        costs["loading the bare weights"].append(in_office(bare)[0])
        for then, name in (("calculate", "calculating all of it"), ("edit", "one token less")):
            load, after = in_office(whole, then)
            costs["loading the whole workbook"].append(load)
            costs[name].append(after)
    medians = {name: median(each) for name, each in costs.items()}
    table("LibreOffice", medians, "loading the bare weights")
    report = check(whole, "libreoffice")
    print(
        f"every step holds: {report.holds}; largest error of {report.cells:,}: {report.error:.1e}"
    )


def in_office(path: Path, then: str = "") -> tuple[Cost, Cost]:
    """What loading costs, and what is done then."""
    begin = time.perf_counter()
    with office.opened(path) as document:
        group = document.process_group

        def since(begin: float, cpu: float) -> Cost:
            wall = time.perf_counter() - begin
            return Cost(wall, processor_time(group) - cpu, peak_memory(group))

        load = since(begin, 0)
        begin, cpu = time.perf_counter(), processor_time(group)
        if then == "edit":
            document.set({"prompt": SHORTER})
        if then:
            document.calculate()
        return load, since(begin, cpu)


if __name__ == "__main__":
    main()
