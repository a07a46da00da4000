"""Times building and checking the default workbook beside LibreOffice, in one run.

    python benchmarks/nano.py [--runs 3]

Machines are noisy: look at the ratios.  Every figure is the median of the runs, which take turns.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sheetgpt import models
from sheetgpt.build import Order, build_workbook
from sheetgpt.check import check
from sheetgpt.xlsx import office

PROMPT = "Mike is quick. He moves"


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def measure(path: Path) -> dict[str, float]:
    """One turn: each piece of work once, in seconds."""
    nano = models.load("nano")
    took = {
        "build": seconds(lambda: build_workbook(nano, Order(PROMPT), path, force=True)),
        "check (numpy)": seconds(lambda: check(path)),
        "check (cached)": seconds(lambda: check(path, "cached")),
    }
    if office.is_installed():
        begin = time.perf_counter()
        with office.opened(path) as document:
            took["LibreOffice: start and load"] = time.perf_counter() - begin
            took["LibreOffice: recalculate all"] = seconds(document.calculate)
            document.set({"prompt": PROMPT + " quickly"})
            took["LibreOffice: after an edit"] = seconds(lambda: document.read(["predicted.token"]))
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nano.xlsx"
        turns = [measure(path) for _ in range(runs)]
        size = path.stat().st_size / 1e6
    medians = {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}
    peer = medians.get("LibreOffice: start and load", 0) + medians.get(
        "LibreOffice: recalculate all", 0
    )
    print(f"nano, context 32, {size:.1f} MB, median of {runs} runs")
    print(f"{'':32}{'seconds':>10}{'× LibreOffice (load + recalculate)':>38}")
    for name, median in medians.items():
        ratio = f"{median / peer:.2f}" if peer else "not installed"
        print(f"{name:32}{median:10.2f}{ratio:>38}")


if __name__ == "__main__":
    main()
