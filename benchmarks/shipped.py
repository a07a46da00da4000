"""Times building and checking the workbooks of our own models beside LibreOffice, in one run.

    python benchmarks/shipped.py [--runs 3] [nano stories]

Machines are noisy: look at the ratios.  Every figure is the median of the runs, which take turns.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

from sheetgpt import models
from sheetgpt.build import Order, build_workbook
from sheetgpt.check import check
from sheetgpt.office import libreoffice as office
from sheetgpt.workers import cores

PROMPT = "Mike is quick. He moves"
LOAD, RECALCULATE = "LibreOffice: start and load", "LibreOffice: recalculate all"


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def measure(name: str, path: Path) -> dict[str, float]:
    """One turn: each piece of work once, in seconds."""
    model = models.load(name)
    took = {}
    for jobs in sorted({1, cores()}):
        with_cores = f"{jobs} core{'s' * (jobs > 1)}"
        took[f"build, {with_cores}"] = seconds(
            lambda jobs=jobs: build_workbook(model, Order(PROMPT), path, force=True, jobs=jobs)
        )
        took[f"check (numpy), {with_cores}"] = seconds(lambda jobs=jobs: check(path, jobs=jobs))
    took["check (numpy), no other inputs"] = seconds(lambda: check(path, tries=0))
    took["check (cached)"] = seconds(lambda: check(path, "cached"))
    if office.is_installed():
        begin = time.perf_counter()
        with office.opened(path) as document:
            took[LOAD] = time.perf_counter() - begin
            took[RECALCULATE] = seconds(document.calculate)

            def edited(read: str, **cells: str | float) -> float:
                document.set(cells)
                return seconds(lambda: document.read([read]))

            took["LibreOffice: tokens of another prompt"] = edited("n_tokens", prompt=PROMPT + "!")
            took["LibreOffice: all that follows from it"] = edited("completion", prompt="Sara is")
            for n in (4, 8, 16, 24):
                edited("completion", prompt="", new_tokens=1.0, temperature=0.0)
                took[f"LibreOffice: writing {n} tokens"] = edited(
                    "completion", prompt="Sara", new_tokens=float(n), temperature=1.0
                )
    return took


def share_of_tokenizer(path: Path) -> float:
    """How much of the file the tab `prompt to tokens` takes, the second sheet."""
    with ZipFile(path) as archive:
        return archive.getinfo("xl/worksheets/sheet2.xml").compress_size / path.stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("models", nargs="*", default=["nano", "stories"])
    chosen = parser.parse_args()
    for name in chosen.models:
        compare(name, chosen.runs)


def compare(name: str, runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.xlsx"
        turns = [measure(name, path) for _ in range(runs)]
        size, share = path.stat().st_size / 1e6, share_of_tokenizer(path)
    medians = {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}
    peer = medians.get(LOAD, 0) + medians.get(RECALCULATE, 0)
    print(f"{name}, {size:.1f} MB, {share:.1%} of it the tokenizer; median of {runs} runs")
    print(f"{'':40}{'seconds':>10}{'× LibreOffice (load + recalculate)':>38}")
    for name, median in medians.items():
        ratio = f"{median / peer:.2f}" if peer else "LibreOffice is not installed"
        print(f"{name:40}{median:10.2f}{ratio:>38}")


if __name__ == "__main__":
    main()
