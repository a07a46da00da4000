"""Keeps the figures in the model card the measured ones: each `evaluation.json` -> README.md.

`python weights/card.py` writes the tables afresh; training does so by itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from grammar import FAMILIES, Draw, questions_in

HERE = Path(__file__).parent
CARD = HERE / "README.md"
MODELS = ("nano", "stories")


def rows(*cells_of_rows: tuple[object, ...]) -> list[str]:
    return ["| " + " | ".join(str(cell) for cell in cells) + " |" for cells in cells_of_rows]


def share(figures: dict[str, Any]) -> str:
    return f"{figures['right']}/{figures['prompts']}"


def times(margin: float) -> str:
    return f"{margin:,.1f}×" if margin < 100 else f"{margin:,.0f}×"


def margins(figures: dict[str, Any]) -> tuple[str, str]:
    return times(figures["smallest_margin"]), times(figures["median_margin"])


def on_one_line(text: str) -> str:
    """▪ stands for the end of the document, ⏎ for a new line."""
    return text.replace("<|endoftext|>", " ▪").replace("\n", " ⏎ ")


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
        goes_on = on_one_line(shown["goes_on"])
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


def stories_line(training: dict[str, Any]) -> str:
    flat, at_the_end = training["falls"][0][0], training["rows_of_the_grammar_at_the_end"]
    grammar = flat * training["rows_of_the_grammar"] + (training["steps"] - flat) * at_the_end
    read = 128 * (training["steps"] * training["rows"] - grammar)
    return (
        f"{training['n_weights']:,} weights; {training['steps']:,} steps of {training['rows']} "
        f"rows of 128 tokens, {training['rows_of_the_grammar']} of them from the grammar, "
        f"{at_the_end} from step {flat:,} on; "
        f"{training['stories']:,} stories of {training['tokens_of_the_stories'] / 1e6:.1f} M "
        f"tokens, read {read / training['tokens_of_the_stories']:.1f} times; "
        f"{training['seconds'] / 60:.0f} minutes on one thread; seed {training['seed']}; "
        f"torch {training['torch']}."
    )


def kept_out_line(read: dict[str, Any]) -> str:
    return (
        f"**{read['bits_per_byte']:.3f} bits a byte** on the {read['stories']:,} stories that "
        f"were kept out ({read['bytes']:,} bytes, {read['tokens']:,} tokens, "
        f"{read['nats_per_token']:.3f} nats a token). Every token of every story counts, with the "
        "`<|endoftext|>` behind it; longer stories are read in windows of 128 tokens that move on "
        "by 64."
    )


def continuation_list(told: dict[str, str]) -> list[str]:
    return [f"* **{beginning}**{on_one_line(goes_on)}" for beginning, goes_on in told.items()]


def measured(report: dict[str, Any]) -> str:
    """The part of the card that comes from a model's `evaluation.json`, as Markdown."""
    training, read = report["training"], report.get("stories")
    parts = [["### Training"], [stories_line(training) if read else training_line(training)]]
    if read:
        parts += [["### Stories that training never showed"], [kept_out_line(read)]]
    for temperature, told in report.get("continuations", {}).items():
        parts += [[f"### Continuations at {temperature}"], continuation_list(told)]
    parts += [
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


def filled(text: str, name: str, figures: str) -> str:
    """The card's text with a model's figures between its two marks."""
    opening, closing = f"<!-- {name}: measured -->\n", f"<!-- {name}: end of what was measured -->"
    before, _, from_here = text.partition(opening)
    _, _, after = from_here.partition(closing)
    return before + opening + figures + closing + after


def write_card(card: Path = CARD) -> None:
    text = card.read_text("utf-8")
    for name in MODELS:
        report = json.loads((HERE / name / "evaluation.json").read_text("utf-8"))
        text = filled(text, name, measured(report))
    card.write_text(text, "utf-8")


if __name__ == "__main__":
    write_card()
