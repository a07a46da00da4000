"""Keeps the figures in the model card the measured ones: `evaluation.json` -> README.md.

`python weights/card.py` writes the tables afresh; training does so by itself.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from grammar import FAMILIES, Draw, questions_in

HERE = Path(__file__).parent
CARD = HERE / "README.md"
EVALUATION = HERE / "nano" / "evaluation.json"

BETWEEN_MARKS = re.compile(
    r"(?<=<!-- measured -->\n).*(?=<!-- end of what was measured -->)", re.DOTALL
)


def rows(*cells_of_rows: tuple[object, ...]) -> list[str]:
    return ["| " + " | ".join(str(cell) for cell in cells) + " |" for cells in cells_of_rows]


def share(figures: dict[str, Any]) -> str:
    return f"{figures['right']}/{figures['prompts']}"


def times(margin: float) -> str:
    return f"{margin:,.1f}×" if margin < 100 else f"{margin:,.0f}×"


def margins(figures: dict[str, Any]) -> tuple[str, str]:
    return times(figures["smallest_margin"]), times(figures["median_margin"])


def training_line(training: dict[str, Any]) -> str:
    return (
        f"{training['n_weights']:,} weights; {training['steps']:,} steps of {training['rows']} "
        f"rows of 64 tokens; {training['seconds'] / 60:.0f} minutes on one thread; seed "
        f"{training['seed']}; torch {training['torch']}; weighted loss at the end "
        f"{training['loss']} nats."
    )


def example(name: str) -> str:
    """The shortest document of a family, up to the last word that has one right answer."""
    (family,) = (family for family in FAMILIES if family.name == name)
    draw = Draw(f"example of {name}")
    document = min((family.write(draw) for _ in range(50)), key=len)
    prompt, answer = [q for q in questions_in(document) if q.answer != "."][-1]
    return f"{prompt} → **{answer.strip()}**"


def family_table(families: dict[str, Any]) -> list[str]:
    head = ("family", "for example", "right", "margin: smallest", "median")
    table = rows(head, ("---",) * len(head))
    for name, figures in families.items():
        shown = figures["shown"]
        table += rows((name, example(name), share(shown), *margins(shown)))
    return table


def held_out_table(families: dict[str, Any]) -> list[str]:
    head = ("family", "held out", "right", "margin: smallest", "median")
    table = rows(head, ("---",) * len(head))
    for name, figures in families.items():
        if held_out := figures.get("held_out"):
            table += rows((name, held_out["what"], share(held_out), *margins(held_out)))
    return table


def showcase_table(showcase: dict[str, Any]) -> list[str]:
    head = ("prompt", "goes on", "margin")
    table = rows(head, ("---",) * len(head))
    for prompt, shown in showcase.items():
        goes_on = shown["goes_on"].replace("<|endoftext|>", " ▪")
        table += rows((prompt, goes_on, times(shown["smallest_margin"])))
    return table


def head_table(heads: list[dict[str, Any]]) -> list[str]:
    head = (
        "from",
        "to",
        "block",
        "head",
        "weight",
        "after `<\\|endoftext\\|>`",
        "after “Sara is quiet.”",
    )
    table = rows(head, ("---",) * len(head))
    for seen in heads:
        weights = [
            f"{seen[name]:.2f}"
            for name in ("weight", "weight_after_end_of_text", "weight_after_another_sentence")
        ]
        read = (f"`{seen['from']}`", f"`{seen['to']}`", seen["block"], seen["head"])
        table += rows((*read, *weights))
    return table


def measured(report: dict[str, Any]) -> str:
    """The part of the card that comes from `evaluation.json`, as Markdown."""
    parts = [
        ["### Training"],
        [training_line(report["training"])],
        ["### Families"],
        family_table(report["families"]),
        ["### Combinations that training never showed"],
        held_out_table(report["families"]),
        ["### Showcase"],
        showcase_table(report["showcase"]),
        ["### Attention heads to look at"],
        head_table(report["heads"]),
    ]
    return "\n" + "\n\n".join("\n".join(lines) for lines in parts) + "\n\n"


def write_card(card: Path = CARD, evaluation: Path = EVALUATION) -> None:
    report = json.loads(evaluation.read_text("utf-8"))
    text = BETWEEN_MARKS.sub(lambda _: measured(report), card.read_text("utf-8"))
    card.write_text(text, "utf-8")


if __name__ == "__main__":
    write_card()
