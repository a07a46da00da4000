"""What may be typed on the tab `microscope`, and the sentence for whatever else is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sheetgpt.book.page import Page
from sheetgpt.book.prompt import Prompt
from sheetgpt.book.records import MICROSCOPE_INPUTS, UNDER_MICROSCOPE
from sheetgpt.book.under_microscope import SeenStep
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Expr, Like, Range, Text, call, fixed, when
from sheetgpt.gpt2.config import Config

TOP = 5  # the row of the first input
UNDERSTOOD = 6  # the column of what the formulas make of it
START = "attn.c_attn"  # the step that is shown first


@dataclass(frozen=True)
class Windows:
    """How many tokens one sees in each block; 0: all up to it."""

    of_blocks: Sequence[int]

    def __bool__(self) -> bool:
        return any(self.of_blocks)

    def at(self, block: Expr) -> Expr:
        return call("CHOOSE", block + 1, *self.of_blocks)


def inputs(page: Page, prompt: Prompt, config: Config, names: Area) -> Mapping[str, Range]:
    """Yellow cells, and beside each what the formulas make of it; returns these.

    names: where the names of the steps are listed, with their numbers left of them.
    """
    context = prompt.id.area.shape[0]
    widest = max(3 * config.n_embd, config.n_inner, config.n_vocab)
    last = {"block": config.n_layer, "token": context + 1, "head": config.n_head, "column": widest}
    whole = page.area(TOP, UNDERSTOOD, len(MICROSCOPE_INPUTS))
    page.define("microscope.typed", whole)
    page.write(TOP - 1, UNDERSTOOD, page.words.label("understood"), "heading right")
    found = {}
    for row, name in enumerate(MICROSCOPE_INPUTS, start=TOP):
        cell = page.define(f"microscope.{name}", page.area(row, 1))
        page.write(row, 1, START if name == "step" else 0, "control")
        if name == "step":
            page.choose(cell.area, "microscope step", names)
            numbers = Range(page.area(names.top, names.left - 1, names.shape[0]))
            tree: Expr = call("MAX", when(call("EXACT", cell, Range(names)), numbers, 0))
        else:
            page.allow(cell.area, f"microscope {name}", "whole", 0, last[name] - 1)
            tree = _whole(cell)
        if name == "token":
            tree = when(tree.equals(0), prompt.n_tokens, tree)
        if name != "column":  # what that is depends on the step
            page.write(row, 2, page.words.label(f"microscope {name}"), "note")
        found[name] = fixed(page.compute(whole.row(row - TOP), tree, "index"))
    page.cursor = page.area(TOP, 1)
    return found


def _whole(cell: Range) -> Expr:
    """What was typed, as a whole number; nothing counts as 0, and what is no number as -1."""
    nothing = when(call("LEN", cell).equals(0), 0, -1)
    return when(call("ISNUMBER", cell), call("INT", cell), nothing)


def place(name: str) -> int:
    """The number of a step in the list of steps."""
    return list(UNDER_MICROSCOPE).index(name) + 1


def limits(steps: Sequence[SeenStep], typed: Mapping[str, Range]) -> Sequence[Expr]:
    """What the chosen step allows: whether it stands in a block, the least and the last column."""
    step = typed["step"]
    in_block = call("CHOOSE", step, *(int(each.is_in_block) for each in steps))
    least = call("CHOOSE", step, *(int(each.is_of_tokens) for each in steps))
    last = call("CHOOSE", step, *(typed["token"] if e.is_of_tokens else e.last for e in steps))
    return [when(step.equals(0), 0, each) for each in (in_block, least, last)]


def message(
    page: Page, prompt: Prompt, config: Config, typed: Mapping[str, Range],
    allowed: Sequence[Range], called: Mapping[str, Range], windows: Windows, logits: Area,
) -> Expr:  # fmt: skip
    """What is wrong with what was typed, the first of it, in a sentence; nothing if all is well.

    allowed: the cells with the `limits`. called: the cells that say what each input is called.
    """
    words, step, token = page.words, typed["step"], typed["token"]
    in_block, least, last = allowed
    is_of_tokens = least > 0
    of_first_entry = call("INDEX", Range(logits.row(0)), 1, token)
    is_not_computed = call("AND", step >= place("logits"), call("LEN", of_first_entry).equals(0))

    def outside(name: str, least: Like, most: Like, only: Expr | None = None) -> tuple[Expr, Expr]:
        """Whether a number is not within its limits, where it counts, and the sentence for it."""
        is_so = call("OR", typed[name] < least, typed[name] > most)
        parts = {"what": called[name], "least": least, "most": most}
        sentence = words.sentence("microscope outside", **parts)
        return is_so if only is None else call("AND", only, is_so), sentence

    def fault(is_so: Expr, name: str) -> tuple[Expr, Expr]:
        return is_so, Text(words.label(f"microscope {name}"))

    hidden = when(is_of_tokens, _is_hidden(windows, typed), 0) if windows else None
    faults = [
        fault(prompt.n_tokens.equals(0), "no tokens"),
        fault(step.equals(0), "no step"),
        outside("block", 0, config.n_layer - 1, in_block > 0),
        outside("token", 1, call("COUNT", prompt.id)),
        outside("head", 0, config.n_head - 1, is_of_tokens),
        outside("column", least, last),
        *([] if hidden is None else [fault(hidden, "hidden")]),
        fault(is_not_computed, "not computed"),
    ]
    tree: Expr = Text("")
    for is_so, sentence in reversed(faults):
        tree = when(is_so, sentence, tree)
    return tree


def _is_hidden(windows: Windows, typed: Mapping[str, Range]) -> Expr:
    """Whether the chosen block's window has left behind the token that is looked at."""
    window = windows.at(typed["block"])
    return call("AND", window > 0, typed["column"] <= typed["token"] - window)
