"""Models of other dialects as workbooks: built, recalculated, and compared with their own code."""

import json
from pathlib import Path

import pytest

from sheetgpt.build import Order, build_workbook
from sheetgpt.check import check
from sheetgpt.checkpoint import checkpoint
from sheetgpt.xlsx.read import read

CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"
MODELS = ["gpt-neo", "lecture", "unscaled", "inverse"]  # each computes something of its own
SAME = ["nanogpt", "mingpt", "makemore", "mingpt-2020", "lecture-whole", "book", "mlx", "llm-c"]
ALL = [*MODELS, *(pytest.param(name, marks=pytest.mark.slow) for name in SAME)]


@pytest.fixture(scope="module")
def workbook(tmp_path_factory):
    """Builds the workbook of a recorded model with its prompt, once; gives its path."""
    built = {}

    def build(name):
        if name not in built:
            path = tmp_path_factory.mktemp(name) / "model.xlsx"
            expected = json.loads((CHECKPOINTS / name / "expected.json").read_text())
            new, prompt = len(expected["completion"]), expected["prompt"]
            room = {"context": len(expected["ids"]) + new, "prompt_length": len(prompt)}
            order = Order(prompt, new_tokens=new, **room)
            build_workbook(checkpoint.load(CHECKPOINTS / name), order, path)
            built[name] = path
        return built[name]

    return build


@pytest.mark.parametrize(
    "name", [*MODELS, *(pytest.param(n, marks=pytest.mark.slow) for n in SAME)]
)
def test_the_sheet_computes_what_their_own_code_computes(name, workbook):
    model = checkpoint.load(CHECKPOINTS / name)
    expected = json.loads((CHECKPOINTS / name / "expected.json").read_text())
    report = check(workbook(name), "numpy", model)
    assert report.holds, report.first_problem
    book = read(workbook(name), lambda what: None)
    tokens, logits = (book.names[each] for each in ("tokens.id", "logits"))
    n = len(expected["ids"])
    ids = [book.values.read(tokens.cell(row, 0)) for row in range(n)]
    assert ids == expected["ids"]
    for token, logit in enumerate(expected["logits"][-1]):
        found = book.values.read(logits.cell(token, n - 1))
        assert found == pytest.approx(logit, abs=1e-6)
    chosen = book.names["choice.id"]
    written = [
        book.values.read(chosen.cell(n - 1 + i, 0)) for i in range(len(expected["completion"]))
    ]
    assert written == expected["completion"]


@pytest.mark.parametrize("name", ["gpt-neo", "lecture"])
def test_libreoffice_computes_the_same(name, workbook, libreoffice):
    report = check(workbook(name), "libreoffice")
    assert report.holds, report.first_problem


def test_a_window_is_the_shape_of_the_ranges(workbook):
    """A local block reads the last three tokens; before the window there is nothing."""
    book = read(workbook("gpt-neo"), lambda what: None)
    formulas = {(each.area.tab, each.area.address): each.text for each in book.formulas}
    for block, window in enumerate((100, 3, 100, 3)):
        parts = (f"h.{block}.attn.{part}" for part in ("scores", "k", "v", "heads"))
        scores, k, v, heads = (book.names[part] for part in parts)
        for t in range(10):
            first = max(0, t + 1 - window)
            score = formulas[scores.tab, scores.row(t).columns(first, t + 1).address]
            head = formulas[heads.tab, heads.row(t).columns(0, 4).address]
            seen = first, t + 1
            assert k.columns(0, 4).rows(*seen).address in score.replace("$", "")
            assert v.columns(0, 4).rows(*seen).address in head.replace("$", "")
            for hidden in range(first):
                assert book.values.read(scores.cell(t, hidden)) is None


def test_a_head_with_a_bias_has_a_tab_of_its_own(workbook):
    book = read(workbook("lecture"), lambda what: None)
    assert book.names["lm_head.w"].tab == book.names["lm_head.b"].tab == "lm_head"
    assert book.names["lm_head.b"].shape == (270, 1)
