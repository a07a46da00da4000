"""The tab `checks`: it names what differs, and does not complain of another prompt."""

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
from sheetgpt.calculate.recalculate import recalculate
from sheetgpt.calculate.values import Error, Sheets
from sheetgpt.check.formulas import Formulas
from sheetgpt.checkpoint import checkpoint
from sheetgpt.formula.cells import Area
from sheetgpt.gpt2.reference import step_names
from sheetgpt.office import libreoffice as office
from sheetgpt.workers import Workers
from sheetgpt.xlsx.read import read
from sheetgpt.xlsx.write import save
from tests.places import PLAIN


def recalculated(path: Path) -> tuple[Sheets, dict[str, Area]]:
    book = read(path)
    recalculate(Formulas(book).all, Environment(book.values))
    return book.values, dict(book.names)


def marks(path: Path) -> dict[str, str]:
    """The mark of each step, after a recalculation."""
    values, names = recalculated(path)
    steps, marks = (values.read(names[f"checks.{each}"])[:, 0] for each in ("step", "mark"))
    return dict(zip(steps.tolist(), marks.tolist(), strict=True))


def summary(path: Path) -> str:
    values, names = recalculated(path)
    assert values.read(names["start.checks"]) == values.read(names["checks.summary"])
    return str(values.read(names["checks.summary"]))


def test_every_step_is_compared(tiny_workbook):
    config = checkpoint.load(PLAIN).config
    assert marks(tiny_workbook) == dict.fromkeys(step_names(config), "✓")
    assert summary(tiny_workbook).startswith(f"✓ All {len(step_names(config))} steps")


@pytest.mark.parametrize(
    "step", ["embed.position", "h.0.ln_1", "h.0.attn.scores", "h.1.mlp.gelu", "ln_f", "softmax"]
)
def test_one_wrong_cell_is_named(edit, step):
    """It and what follows from it differ, but nothing before it."""
    editor = edit()
    cell = editor.at(step, 0, 3) if step == "softmax" else editor.at(step, 2)
    editor.paste(cell, float(cell[-1].text) + 1e-7)
    path = editor.save()
    found = marks(path)
    before = list(found)[: list(found).index(step)]
    assert found[step] == "✗"
    assert {found[each] for each in before} <= {"✓"}
    assert summary(path).startswith("✗ ") and step in summary(path)


@pytest.mark.parametrize(
    ("name", "value"), [("prompt", "ab"), ("prompt", "AB C"), ("seed", 1), ("new_tokens", 1)]
)
def test_another_prompt_is_no_fault(edit, name, value):
    editor = edit()
    editor.put(editor.at(name), value)
    path = editor.save()
    assert set(marks(path).values()) == {"–"}
    assert summary(path).startswith("– ")


@pytest.mark.parametrize("prompt", ["", "too long for this sheet", "a"])
def test_no_prompt_makes_errors(edit, prompt):
    editor = edit()
    editor.put(editor.at("prompt"), prompt)
    values, names = recalculated(editor.save())
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
    weights = ReadBack(plain.weights, Workers(1))
    witness = says(plain, weights, "ab", 1, 4, parts=False).fingerprints
    room = room_for(plain.tokenizer, "ab", 4, 4)
    book = compile_book(
        plain, "ab", room, words, manual=True, extras=Extras(lens=False), witness=witness
    )
    values = calculate(book)
    save(book, values, tmp_path / "a.xlsx")
    assert marks(tmp_path / "a.xlsx") == dict.fromkeys(step_names(plain.config), "✓")
    assert not any(name.startswith("lens.") for name in book.names)
    start = values.by_tab["start"]
    said = {str(value) for value in start.others.values()}
    assert words.label("calculation manual") in said
    assert words.label("calculation automatic") not in said
