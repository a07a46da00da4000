"""How cost grows with the width of the model, its blocks and the tokens: a table and a plot.

    python benchmarks/growth.py [--plot docs/pictures/growth.png]

One of the three is changed at a time, the others stay in the middle: d = 256, 6 blocks, 8 tokens;
the made-up vocabulary has 2,000 tokens. An exponent of 1 means twice as much for twice as much.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from full_size import BUILD, CHECK, in_office
from measure import in_process, machine
from random_checkpoint import config_of, write_checkpoint

from sheetgpt.office import libreoffice as office

MIDDLE = {"d": 256, "blocks": 6, "tokens": 8}
CHANGED = {"d": (64, 256, 768), "blocks": (2, 6, 12), "tokens": (4, 8, 16)}
N_VOCAB, PROMPT = 2_000, "e"  # one token; the sheet writes the others
COSTS = (
    "file, MB", "build, s", "check, s", "LibreOffice: load, CPU s", "LibreOffice: calculate, CPU s",
)  # fmt: skip


def measure(folder: Path, d: int, blocks: int, tokens: int) -> list[float]:
    """The costs of one shape."""
    checkpoint, book = folder / f"{d}-{blocks}", folder / "book.xlsx"
    if not checkpoint.exists():
        sizes = {"n_layer": blocks, "n_embd": d, "n_head": d // 64, "n_vocab": N_VOCAB}
        write_checkpoint(checkpoint, config_of("gpt2", **sizes))
    build = in_process(BUILD, checkpoint, book, PROMPT, tokens, "fast", tokens)
    check = in_process(CHECK, book)
    load, calculate = in_office(book, "calculate")
    return [book.stat().st_size / 1e6, build.wall, check.wall, load.cpu, calculate.cpu]


def exponents(sizes: tuple[int, ...], costs: list[list[float]]) -> list[float]:
    """The slopes of the logarithms, by least squares."""
    return [
        float(np.polyfit(np.log(sizes), np.log(np.maximum(each, 1e-3)), 1)[0])
        for each in zip(*costs, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--plot", type=Path)
    plot = parser.parse_args().plot
    if not office.is_installed():
        raise SystemExit(office.INSTALL)
    print(machine())
    print("| " + " | ".join(("changed", *COSTS)) + " |\n" + "|---" * (len(COSTS) + 1) + "|")
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, sizes in CHANGED.items():
            costs = [measure(Path(folder), **MIDDLE | {name: size}) for size in sizes]
            found[name] = costs
            for size, each in zip(sizes, costs, strict=True):
                row(f"{name} = {size}", [f"{cost:.2f}" for cost in each])
            row("*exponent*", [f"*{each:.2f}*" for each in exponents(sizes, costs)])
    if plot is not None:
        draw(plot, found)


def row(name: str, cells: list[str]) -> None:
    print("| " + " | ".join((name, *cells)) + " |", flush=True)


def draw(path: Path, found: dict[str, list[list[float]]]) -> None:
    """Three panels on logarithmic axes, one for each size that was changed."""
    import matplotlib.pyplot as pyplot

    figure, panels = pyplot.subplots(1, 3, figsize=(11, 3.6), sharey=True, layout="constrained")
    for panel, (name, costs) in zip(panels, found.items(), strict=True):
        for label, values in zip(COSTS, zip(*costs, strict=True), strict=True):
            panel.plot(CHANGED[name], values, marker="o", label=label)
        panel.set(xscale="log", yscale="log", xlabel=name, xticks=CHANGED[name])
        panel.set_xticklabels(CHANGED[name])
        panel.minorticks_off()
        panel.grid(alpha=0.3)
    panels[0].legend(fontsize=8)
    figure.savefig(path, dpi=90)


if __name__ == "__main__":
    main()
