"""The tab `checks`: it names what differs, and does not complain of another prompt."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from sheetgpt.book.calculate import calculate
from sheetgpt.book.compile import compile_book
from sheetgpt.book.extras import Extras
from sheetgpt.book.prompt import room_for
from sheetgpt.book.witness import ReadBack
from sheetgpt.book.witness import said as says
from sheetgpt.book.words import load_words
from sheetgpt.calculate.environment import Environment
from sheetgpt.calculate.recalculate import compute
from sheetgpt.calculate.values import Error, Scalar, Sheets
from sheetgpt.check.engines import ordered
from sheetgpt.check.formulas import Formulas, overlap
from sheetgpt.check.stored import recalculated
from sheetgpt.checkpoint import checkpoint
from sheetgpt.formula.cells import Area
from sheetgpt.gpt2.reference import step_names
from sheetgpt.office import libreoffice as office
from sheetgpt.workers import Workers
from sheetgpt.xlsx.read import read
from sheetgpt.xlsx.write import save
from tests.places import PLAIN


class Opened:
    """A workbook that was read once, to be changed and calculated again and again."""

    def __init__(self, path: Path) -> None:
        book = read(path)
        self.names, self.stored = book.names, book.values
        self.formulas, circle = ordered(Formulas(book))
        assert circle is None

    def calculated(self, changes: Mapping[Area, Scalar]) -> Sheets:
        """Its values after something was typed into cells, or pasted over their formulas."""
        values = recalculated((), self.stored)
        for cell, value in changes.items():
            values.write(cell, value)
        kept = [
            each for each in self.formulas if not any(overlap(each.area, cell) for cell in changes)
        ]
        compute(kept, Environment(values))
        return values

    def said(self, changes: Mapping[Area, Scalar]) -> tuple[dict[str, str], str]:
        """The mark of each step, and the summary, which is on the first tab, too."""
        values, names = self.calculated(changes), self.names
        steps, marks = (values.read(names[f"checks.{each}"])[:, 0] for each in ("step", "mark"))
        summary = values.read(names["checks.summary"])
        assert values.read(names["start.checks"]) == summary
        return dict(zip(steps.tolist(), marks.tolist(), strict=True)), str(summary)


@pytest.fixture(scope="module")
def tiny(tiny_workbook: Path) -> Opened:
    return Opened(tiny_workbook)


def test_every_step_is_compared(tiny):
    config = checkpoint.load(PLAIN).config
    marks, summary = tiny.said({})
    assert marks == dict.fromkeys(step_names(config), "✓")
    assert summary.startswith(f"✓ All {len(step_names(config))} steps")


@pytest.mark.parametrize(
    "step", ["embed.position", "h.0.ln_1", "h.0.attn.scores", "h.1.mlp.gelu", "ln_f", "softmax"]
)
def test_one_wrong_cell_is_named(tiny, step):
    """It and what follows from it differ, but nothing before it."""
    cell = tiny.names[step].cell(*((0, 3) if step == "softmax" else (2, 0)))
    marks, summary = tiny.said({cell: tiny.stored.read(cell) + 1e-7})
    before = list(marks)[: list(marks).index(step)]
    assert marks[step] == "✗"
    assert {marks[each] for each in before} <= {"✓"}
    assert summary.startswith("✗ ") and step in summary


@pytest.mark.parametrize(
    ("name", "value"), [("prompt", "ab"), ("prompt", "AB C"), ("seed", 1.0), ("new_tokens", 1.0)]
)
def test_another_prompt_is_no_fault(tiny, name, value):
    marks, summary = tiny.said({tiny.names[name]: value})
    assert set(marks.values()) == {"–"}
    assert summary.startswith("– ")


@pytest.mark.parametrize("prompt", ["", "too long for this sheet", "a"])
def test_no_prompt_makes_errors(tiny, prompt):
    values, names = tiny.calculated({tiny.names["prompt"]: prompt}), tiny.names
    for tab, sheet in values.by_tab.items():
        assert not [at for at, each in sheet.others.items() if isinstance(each, Error)], tab
    if prompt.startswith("too"):
        assert values.read(names["start.likeliest.sentence"]) == ""
        assert not np.any(values.read(names["attention.token"]) != "")


def test_typing_in_libreoffice(tiny_workbook, libreoffice):
    """The verdict on the first tab goes and comes back."""
    with office.opened(tiny_workbook) as document:

        def verdict() -> str:
            return str(document.read(["start.checks"])["start.checks"][0][0])[0]

        document.calculate()
        assert verdict() == "✓"
        document.set({"prompt": "ab"})
        assert verdict() == "–"
        document.set({"prompt": "too long for this sheet"})
        assert verdict() == "–"
        assert document.errors() == []
        document.set({"prompt": "ab c", "temperature": 0.5})
        assert verdict() == "–"
        document.set({"temperature": 0})
        assert verdict() == "✓"


# --- what a large model is built with ------------------------------------------------------------


def test_manual_calculation_and_no_lens(tmp_path):
    plain = checkpoint.load(PLAIN)
    words = load_words("en")
    witness = says(plain, ReadBack(plain.weights, Workers(1)), "ab", 1, 4, parts=False)
    room = room_for(plain.tokenizer, "ab", 4, 4)
    book = compile_book(
        plain, "ab", room, words, manual=True, extras=Extras(lens=False), witness=lambda: witness
    )
    values = calculate(book)
    save(book, values, tmp_path / "a.xlsx")
    assert Opened(tmp_path / "a.xlsx").said({})[0] == dict.fromkeys(step_names(plain.config), "✓")
    assert not any(name.startswith("lens.") for name in book.names)
    start = values.by_tab["start"]
    said = {str(value) for value in start.others.values()}
    assert words.label("calculation manual") in said
    assert words.label("calculation automatic") not in said
