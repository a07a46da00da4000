"""What a person may type, what becomes of anything else, and what is typed where nobody asked."""

from pathlib import Path

import openpyxl
import pytest

from sheetgpt.book.records import UNDER_MICROSCOPE
from sheetgpt.build import EXAMPLE, Order, build_workbook
from sheetgpt.check.formulas import Formulas
from sheetgpt.checkpoint import checkpoint
from sheetgpt.gpt2.sampling import uniform_numbers
from sheetgpt.xlsx.read import read
from tests.live import LiveFormulas

CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"


@pytest.fixture(scope="module")
def saved(tiny_workbook):
    book = read(tiny_workbook)
    return LiveFormulas(Formulas(book).all, book.names, book.values)


@pytest.fixture
def typed(saved):
    """Types into named cells of the workbook; afterwards they are as they were."""
    before = {}

    def type_(**inputs):
        for name in inputs:
            (before[name],) = saved.read(name)
        saved.set(**inputs)
        return saved

    yield type_
    saved.set(**before)


@pytest.mark.parametrize("name", ["temperature", "top_k", "top_p", "seed", "new_tokens"])
@pytest.mark.parametrize("value", ["abc", "", None, -3.0, 1e300])
def test_whatever_is_pasted_into_a_control_no_error_follows(typed, name, value):
    """Validation refuses what is typed; what is pasted it does not see."""
    shown = typed(**{"temperature": 0.7, "seed": 3.0, name: value})
    assert [*shown.errors()] == []
    assert all(shown.read("start.completion"))


@pytest.mark.parametrize("seed", [1.8e8, 123_456_789_012.0, float(10**15 - 1)])
def test_large_seeds_draw_what_they_should(typed, seed):
    """No number that MOD has to divide is 2^40 times as large as the divisor: Excel refuses it."""
    shown = typed(temperature=1.0, seed=seed)
    drawn = [each for each in shown.read("choice.uniform") if each != ""]
    wanted = uniform_numbers(int(seed))
    assert drawn == pytest.approx([next(wanted) for _ in drawn], abs=1e-12)
    assert drawn


def test_every_number_input_says_what_may_be_typed(tiny_workbook):
    book = openpyxl.load_workbook(tiny_workbook)
    found = {
        (sheet.title, str(each.sqref)): each
        for sheet in book
        for each in sheet.data_validations.dataValidation
    }
    for name in (
        "temperature",
        "top_k",
        "top_p",
        "seed",
        "new_tokens",
        "attention.chosen",
        "lens.on",
        "reasons.position",
        "reasons.rather",
        "reasons.block",
        "reasons.head",
        "microscope.block",
        "microscope.token",
        "microscope.head",
        "microscope.column",
    ):
        tab, cell = book.defined_names[name].attr_text.replace("$", "").rsplit("!", 1)
        rule = found[tab.strip("'"), cell]
        assert (
            rule.showErrorMessage
            and rule.errorTitle
            and rule.formula2 in rule.error.replace(",", "")
        )


def test_the_step_under_the_microscope_is_one_of_a_list(tiny_workbook):
    """The program offers the names, and says what to do about any other."""
    book = openpyxl.load_workbook(tiny_workbook)
    (rule,) = (
        each for each in book["microscope"].data_validations.dataValidation if each.type == "list"
    )
    assert str(rule.sqref) == book.defined_names["microscope.step"].attr_text.split("$", 1)[
        1
    ].replace("$", "")
    assert rule.showErrorMessage and rule.errorTitle and rule.error
    cells = book["microscope"][rule.formula1.replace("$", "")]
    assert [cell.value for (cell,) in cells] == list(UNDER_MICROSCOPE)


def test_no_formula_would_become_text(tiny_workbook):
    """Whoever enters a formula again in a cell of the format Text makes a text of it."""
    for sheet in openpyxl.load_workbook(tiny_workbook):
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f" or cell.number_format != "@", cell


@pytest.mark.parametrize(("context", "prompt"), [(40, EXAMPLE), (5, "Mike"), (1, "M")])
def test_the_prompt_that_nobody_gave_fits(tmp_path, context, prompt):
    model = checkpoint.load(CHECKPOINTS / "plain")
    order = Order(context=min(context, model.config.n_ctx), prompt_length=23, new_tokens=1)
    built = build_workbook(model, order, tmp_path / "a.xlsx")
    assert built.prompt == prompt
    assert len(built.ids) <= context
