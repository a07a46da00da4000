"""Planted faults: each must be noticed, by the name of the step that it is in."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner, Result

import sheetgpt
from sheetgpt.build import Order
from sheetgpt.check import check
from sheetgpt.cli import main
from tests.check.conftest import Editor
from tests.once import built_once
from tests.places import CHECKPOINTS, PLAIN

ACTIVE, INACTIVE = 1, 2  # two of the three rows of a small workbook: its prompt has two tokens


@pytest.fixture(scope="module")
def small_workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two blocks and the tabs that faults are planted in, for more than a hundred of them."""
    without = {"effects": False, "neighbours": False}
    order = Order("ab", context=3, prompt_length=2, new_tokens=1, extras=without)
    return built_once(tmp_path_factory, "small.xlsx", PLAIN, order)


@pytest.fixture
def edit_small(small_workbook: Path, tmp_path: Path) -> Callable[[], Editor]:
    return lambda: Editor(small_workbook, tmp_path / "edited.xlsx")


def run(path: Path, *options: str) -> Result:
    """Other inputs have tests of their own."""
    return CliRunner().invoke(main, ["check", str(path), "--json", "--try", "0", *options])


def first_problem(path: Path, *options: str) -> str:
    """The step that `sheetgpt check` names first; its exit status and its sentence must agree."""
    result = run(path, *options)
    assert result.exit_code == 1, result.output
    report = json.loads(result.stdout)
    assert not report["holds"]
    assert report["first_problem"]["problem"]
    return str(report["first_problem"]["step"])


def test_nothing_is_wrong_before(tiny_workbook):
    for engine in ("numpy", "cached"):
        result = run(tiny_workbook, "--engine", engine, "--model", str(CHECKPOINTS / "plain"))
        assert result.exit_code == 0, result.output


Fault = Callable[[Any], object]

WEIGHTS_AND_CONSTANTS: dict[str, tuple[Fault, str]] = {
    "a weight": (lambda x: x.put(x.at("h.1.mlp.c_fc.w", 3, 2), 0.25), "h.1.mlp.c_fc.w"),
    "a bias": (lambda x: x.put(x.at("h.0.attn.c_proj.b", 0, 7), 0.25), "h.0.attn.c_proj.b"),
    "a gain": (lambda x: x.put(x.at("ln_f.g", 0, 0), 0.25), "ln_f.g"),
    "a weight that nothing reads yet": (lambda x: x.put(x.at("wpe", 30, 1), 0.25), "wpe"),
    "text for a weight": (lambda x: x.put(x.at("wte", 7, 1), "a"), "wte"),
    "no weight": (lambda x: x.at("wte", 7, 1).clear(), "wte"),
    "epsilon": (lambda x: x.put(x.at("layer_norm_epsilon"), 1e-6), "layer_norm_epsilon"),
    "the text of a token": (lambda x: x.put(x.at("vocabulary.text", 70), "no"), "vocabulary.text"),
    "the spelling of a token": (
        lambda x: x.put(x.at("vocabulary.token", 70), "no"),
        "vocabulary.token",
    ),
    "a merge": (lambda x: x.put(x.at("merges.key", 3), 77.0), "merges.key"),
    "a merge's rank": (lambda x: x.put(x.at("merges.rank", 3), 77.0), "merges.rank"),
    "a token of a byte": (lambda x: x.put(x.at("bytes.token", 3), 77.0), "bytes.token"),
    "a class of characters": (lambda x: x.put(x.at("classes.class", 3), 4.0), "classes.class"),
    "what the witness said": (lambda x: x.put(x.at("checks.built", 9), 0.5), "checks.built"),
    "what it forgives": (lambda x: x.put(x.at("checks.tolerance", 9), 0.5), "checks.tolerance"),
    "a factor": (lambda x: x.put(x.at("factors.of_places", 3), 0.5), "factors.of_places"),
    "a fingerprint": (lambda x: x.put(x.at("checks.digest", 0), "0"), "vocabulary.token"),
}

# row: one that has a token, or one that has none.
ONE_FORMULA: dict[str, tuple[Callable[[Any, int], object], str]] = {
    "an operand": (
        lambda x, row: x.change("h.1.attn.residual", r"C(\d+):J\1\+", r"D\1:K\1+", row),
        "h.1.attn.residual",
    ),
    "an operator": (lambda x, row: x.change("h.0.ln_1", r"\*", "+", row), "h.0.ln_1"),
    "a weight's name": (
        lambda x, row: x.change("h.0.mlp.c_fc", "h.0.mlp.c_fc.b", "h.1.mlp.c_fc.b", row),
        "h.0.mlp.c_fc",
    ),
    "another head's key": (
        lambda x, row: x.change("h.0.attn.scores", "TRANSPOSE[(]C(.*?):F", r"TRANSPOSE(G\1:J", row),
        "h.0.attn.scores",
    ),
    "epsilon": (
        lambda x, row: x.change("h.0.ln_2.normal", "layer_norm_epsilon", "0.001", row),
        "h.0.ln_2.normal",
    ),
    "a label": (
        lambda x, row: setattr(x.beside("h.0.attn.heads", row, columns=-1)[0], "text", '"a"'),
        "h.0.attn.heads",
    ),
    "an id": (lambda x, row: x.change("tokens.id", r"IF\(A\d+", "IF(A17", row), "tokens.id"),
    "a formula that cannot be": (
        lambda x, row: x.change("h.0.ln_1", r"\*", "#REF!*", row),
        "h.0.ln_1",
    ),
    "the same number": (lambda x, row: x.paste(x.at("h.0.ln_1", row)), "h.0.ln_1"),
    "another number": (lambda x, row: x.paste(x.at("h.0.ln_1", row), 0.5), "h.0.ln_1"),
    "the number of one head": (
        lambda x, row: x.paste(x.at("h.1.attn.weights", row, 3)),
        "h.1.attn.weights",
    ),
    "the number of a label": (
        lambda x, row: x.paste(x.beside("h.1.mlp.gelu", row, columns=-1)),
        "h.1.mlp.gelu",
    ),
    "the number of a token": (lambda x, row: x.paste(x.at("tokens.id", row)), "tokens.id"),
    "the text of a token": (lambda x, row: x.paste(x.at("tokens.text", row)), "tokens.text"),
    "the number of a byte": (lambda x, row: x.paste(x.at("bytes.byte", row)), "bytes.byte"),
    "a cell of the second round": (
        lambda x, row: x.paste(x.at("round_2.rank", row)),
        "round_2.rank",
    ),
    "one of the likeliest": (
        lambda x, row: x.paste(x.at("candidates.id", row)),
        "candidates.id",
    ),
    "logits": (lambda x, row: x.paste(x.at("logits", 0, row)), "logits"),
    "the token above logits": (
        lambda x, row: x.paste(x.beside("logits", 0, rows=-1, columns=row)),
        "logits",
    ),
}

WHOLE_STEP: dict[str, tuple[Fault, str]] = {
    "no square root of d": (
        lambda x: x.change("h.0.attn.scores", r"/SQRT\(4\)", ""),
        "h.0.attn.scores",
    ),
    "a wrong norm": (lambda x: x.change("h.1.ln_1.normal", "VARP", "SUM"), "h.1.ln_1.normal"),
    "a constant of GELU": (
        lambda x: x.change("h.0.mlp.gelu", "0.044715", "0.0447"),
        "h.0.mlp.gelu",
    ),
    "epsilon in a whole step": (
        lambda x: x.change("ln_f.normal", "layer_norm_epsilon", "0.0001"),
        "ln_f.normal",
    ),
    "a lost residual": (
        lambda x: x.change("h.0.attn.residual", r",(\w+:\w+)\+(\w+:\w+)", r",\2"),
        "h.0.attn.residual",
    ),
    "a shifted row": (lambda x: x.shift("h.1.attn.c_proj", -1, 0), "h.1.attn.c_proj"),
    "a shifted column": (lambda x: x.shift("h.1.ln_2", 0, 1), "h.1.ln_2"),
    "names of K and V swapped": (
        lambda x: (
            x.point("h.0.attn.k", (v := x.area("h.0.attn.v"), k := x.area("h.0.attn.k"))[0]),
            x.point("h.0.attn.v", k),
            v,
        ),
        "h.0.attn.k",
    ),
    "the tokens above scores": (
        lambda x: x.paste(x.beside("h.0.attn.scores", 0, rows=-1)),
        "h.0.attn.scores",
    ),
    "another token above scores": (
        lambda x: setattr(
            heading := x.beside("h.1.attn.scores", 0, rows=-1)[0],
            "text",
            heading.text.replace("14:", "15:"),
        ),
        "h.1.attn.scores",
    ),
    "the predicted token": (lambda x: x.paste(x.at("predicted.token")), "predicted.token"),
    "the token on the first tab": (lambda x: x.paste(x.at("start.token")), "start.token"),
    "the number of tokens": (lambda x: x.paste(x.at("n_tokens")), "n_tokens"),
    "the largest weight": (
        lambda x: x.change("attention.weight", "MAX", "MIN"),
        "attention.weight",
    ),
    "the token looked at": (
        lambda x: x.change("attention.place", r"0\)=", "0)<>"),
        "attention.place",
    ),
    "the text of that token": (
        lambda x: x.change("attention.token", r"INDEX\((.*?),C\d+\)", r"INDEX(\1,1)"),
        "attention.token",
    ),
    "another token's attention": (
        lambda x: x.change("attention.number", "n_tokens", "1"),
        "attention.number",
    ),
    "the remarkable head": (
        lambda x: x.change("attention.head", r"=F(\d+)\)", r"<>F\1)"),
        "attention.head",
    ),
    "a remarkable first token": (
        lambda x: x.change("attention.strength", "<>1", "=1"),
        "attention.strength",
    ),
    "a lens without gain": (lambda x: x.change("lens.ln_f", r"\*ln_f.g", ""), "lens.ln_f"),
    "a lens of another token": (
        lambda x: x.change("lens.residual", "n_tokens", "1"),
        "lens.residual",
    ),
    "a lens of the wrong embedding": (
        lambda x: x.change("lens.logits", r"MMULT\(wte", "MMULT(2*wte"),
        "lens.logits",
    ),
    "the least likely": (lambda x: x.change("lens.id", "MAX", "MIN"), "lens.id"),
    "a token's neighbour": (
        lambda x: x.change("lens.token", r"\+1", "+2"),
        "lens.token",
    ),
    "how likely": (lambda x: x.change("lens.probability", "EXP", ""), "lens.probability"),
    "how likely in the end": (lambda x: x.change("lens.final", "EXP", ""), "lens.final"),
    "the block it is decided in": (lambda x: x.change("lens.from", "MAX", "MIN"), "lens.from"),
    "a switch that nothing reads": (
        lambda x: x.change("h.1.mlp.c_proj", r"\*switches!\$?\w+\$?\d+", ""),
        "h.1.mlp.c_proj",
    ),
    "another head's switch": (
        lambda x: x.change("h.0.attn.heads", r"switches!\$C", "switches!$D"),
        "h.0.attn.heads",
    ),
    "a switch that is always on": (
        lambda x: x.change("switches.mlp", "ISNUMBER", "ISERROR"),
        "switches.mlp",
    ),
    "a vote for the other token": (
        lambda x: x.change("reasons.apart", r"\)-", ")+"),
        "reasons.apart",
    ),
    "a vote of the mean": (
        lambda x: x.change("reasons.direction", "-AVERAGE", "+AVERAGE"),
        "reasons.direction",
    ),
    "the weakest vote": (
        lambda x: x.change("reasons.strongest.size", "LARGE", "SMALL"),
        "reasons.strongest.size",
    ),
    "a fingerprint's cells": (
        lambda x: x.change("checks.now", "A", "B", 0),
        "checks.now",
    ),
    "what a mark means": (
        lambda x: x.change("checks.mark", "<=", ">"),
        "checks.mark",
    ),
    "what is the same": (lambda x: x.change("checks.same", "EXACT", "OR"), "checks.same"),
    "the sentence at the heat map": (
        lambda x: x.paste(x.at("live.h.0.attn.weights")),
        "live.h.0.attn.weights",
    ),
    "the verdict on the first tab": (lambda x: x.paste(x.at("start.checks")), "start.checks"),
    "a message": (lambda x: x.change("prompt.message", "^.*$", '"all is well"'), "prompt.message"),
}


def shorter(x: Any, name: str, rows: int = 0, columns: int = 0) -> None:
    area = x.area(name)
    height, width = area.shape
    x.point(name, area.rows(0, height - rows).columns(0, width - columns))


NAMES: dict[str, tuple[Fault, str]] = {
    "no name of a step": (lambda x: x.remove("h.1.attn.heads"), "h.1.attn.heads"),
    "no name of a weight": (lambda x: x.remove("h.0.ln_1.g"), "h.0.ln_1.g"),
    "no name of the prompt": (lambda x: x.remove("prompt"), "prompt"),
    "no name of epsilon": (lambda x: x.remove("layer_norm_epsilon"), "layer_norm_epsilon"),
    "no fingerprints": (lambda x: x.remove("checks.digest"), "checks.digest"),
    "no tokens": (lambda x: x.remove("tokens.id"), "tokens.id"),
    "a name without cells": (lambda x: x.point("ln_f", "#REF!$A$1"), "ln_f"),
    "a name on a tab that is not there": (lambda x: x.point("ln_f", "'no'!$A$1"), "ln_f"),
    "a weight of fewer rows": (lambda x: shorter(x, "h.0.attn.c_proj.w", 1), "h.0.attn.c_proj.w"),
    "a weight of fewer columns": (lambda x: shorter(x, "h.1.mlp.c_fc.b", 0, 1), "h.1.mlp.c_fc.b"),
    "a weight as it is elsewhere": (
        lambda x: x.point("h.1.ln_1.g", x.area("h.1.ln_1.b")),
        "h.1.ln_1.g",
    ),
    "a step of fewer columns": (lambda x: shorter(x, "h.0.attn.scores", 0, 1), "h.0.attn.scores"),
    "a step of fewer rows": (lambda x: shorter(x, "h.0.attn.q", 2), "h.0.attn.q"),
    "logits of fewer rows": (lambda x: shorter(x, "logits", 1), "logits"),
    "a step in a corner": (
        lambda x: x.point("ln_f", replace(x.area("ln_f"), left=1, right=8)),
        "ln_f",
    ),
    "one cell for a step": (lambda x: x.point("softmax", x.area("softmax").cell(0, 0)), "softmax"),
}


@pytest.mark.parametrize("fault", WEIGHTS_AND_CONSTANTS)
def test_a_changed_constant(edit_small, fault):
    plant, step = WEIGHTS_AND_CONSTANTS[fault]
    editor = edit_small()
    plant(editor)
    assert first_problem(editor.save()) == step


@pytest.mark.parametrize("row", [ACTIVE, INACTIVE], ids=["active", "inactive"])
@pytest.mark.parametrize("fault", ONE_FORMULA)
def test_one_changed_formula(edit_small, fault, row):
    plant, step = ONE_FORMULA[fault]
    editor = edit_small()
    plant(editor, row)
    assert first_problem(editor.save()) == step


@pytest.mark.parametrize("fault", WHOLE_STEP)
def test_a_changed_step(edit_small, fault):
    plant, step = WHOLE_STEP[fault]
    editor = edit_small()
    plant(editor)
    assert first_problem(editor.save()) == step


@pytest.mark.parametrize("fault", NAMES)
def test_a_changed_name(edit_small, fault):
    plant, step = NAMES[fault]
    editor = edit_small()
    plant(editor)
    assert first_problem(editor.save()) == step


def test_formulas_of_k_and_v_swapped(edit_small):
    """The names and titles stay where they are; the numbers change places."""
    editor = edit_small()
    k, v = (editor.formulas(editor.area(f"h.0.attn.{name}")) for name in "kv")
    for one, other in zip(k, v, strict=True):
        one.text, other.text = other.text, one.text
    assert first_problem(editor.save()) == "h.0.attn.k"


def test_several_faults(edit):
    """Without a weight there is no witness; what can be said is said all the same."""
    editor = edit()
    editor.remove("h.0.attn.c_proj.w")
    shorter(editor, "h.0.attn.scores", 0, 1)
    editor.paste(editor.at("h.1.ln_2", 3))
    report = json.loads(run(editor.save()).stdout)
    problems = {step["step"] for step in report["steps"] if step["problem"]}
    assert {"h.0.attn.c_proj.w", "h.0.attn.c_proj", "h.1.ln_2"} <= problems


def test_a_wrong_stored_value_matters_where_nobody_calculates(edit):
    editor = edit()
    editor.put(editor.at("h.1.attn.heads", 2, 5), 0.5)
    path = editor.save()
    assert first_problem(path, "--engine", "cached") == "h.1.attn.heads"
    assert run(path, "--engine", "numpy").exit_code == 0


def test_libreoffice_finds_them_too(edit, libreoffice):
    """It says of an error no more than that there is one; that must not pass for a zero."""
    editor = edit()
    editor.change("h.1.mlp.gelu", r"^.*$", 'IF(B190="","",0/0)', ACTIVE)
    assert first_problem(editor.save(), "--engine", "libreoffice") == "h.1.mlp.gelu"


def test_a_stored_error_is_no_number(edit):
    editor = edit()
    cell = editor.at("h.0.mlp.gelu", 2, 5)
    editor.put(cell, "#DIV/0!")
    cell.set("t", "e")
    path = editor.save()
    assert first_problem(path, "--engine", "cached") == "h.0.mlp.gelu"
    problem = json.loads(run(path, "--engine", "cached").stdout)["first_problem"]["problem"]
    assert "#DIV/0!" in problem


@pytest.mark.parametrize(
    ("other", "step"),
    [("padded", "config"), ("sharded", "config")],
)
def test_another_checkpoint(tiny_workbook, other, step):
    assert first_problem(tiny_workbook, "--model", str(CHECKPOINTS / other)) == step


def test_every_formula_is_looked_at(tiny_workbook, monkeypatch):
    """Also where another version wrote the file, so that only neighbours can be compared.

    Labels, charts and workings of the tabs that explain have no names: what they show is in
    columns that have, and they are compared with what was written.
    """
    from sheetgpt.check.formulas import Formulas
    from sheetgpt.xlsx.read import read

    looked_at: set[tuple[str, int, int]] = set()
    problem = Formulas.problem

    def seen(self, area, needed, **how):
        for row, column in zip(*needed.nonzero(), strict=True):
            looked_at.add((area.tab, area.top + int(row), area.left + int(column)))
        return problem(self, area, needed, **how)

    monkeypatch.setattr(Formulas, "problem", seen)
    monkeypatch.setattr(sheetgpt, "__version__", "9.9")
    report = check(tiny_workbook, tries=0)
    assert report.holds and "and this is 9.9" in report.notes[0]
    missed = [
        str(formula.area)
        for formula in read(tiny_workbook).formulas
        if (formula.area.tab, formula.area.top, formula.area.left) not in looked_at
        and formula.area.tab not in ("reasons", "microscope", "neighbours")
    ]
    assert missed == []


@pytest.mark.parametrize(
    "controls",
    [
        {"new_tokens": 1},
        {"new_tokens": 5},
        {"temperature": 1.0, "seed": 3},
        {"temperature": 0.7, "top_k": 5, "top_p": 0.9, "seed": 12345},
    ],
)
def test_controls_may_be_turned(edit, controls):
    """The witness draws as the workbook is told to, also before anybody has recalculated it."""
    editor = edit()
    for name, value in controls.items():
        editor.put(editor.at(name), value)
    assert run(editor.save()).exit_code == 0


@pytest.mark.parametrize(
    ("name", "value"), [("lens.on", 0), ("lens.on", 2), ("attention.chosen", 1)]
)
def test_what_explains_may_be_turned(edit, name, value):
    """Another token to explain, or no lens: then it shows nothing, and that is as it should be."""
    editor = edit()
    editor.put(editor.at(name), value)
    result = run(editor.save())
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("value", [-1, 2.7, 99, "two", ""])
def test_a_token_that_is_not_there(edit, value):
    """The last one of the prompt stands in for it."""
    editor = edit()
    editor.put(editor.at("attention.chosen"), value)
    assert run(editor.save()).exit_code == 0


@pytest.mark.parametrize("column", ["uniform", "cut", "id_3", "id", "probability", "text", "after"])
def test_a_changed_choice(edit, column):
    """The choice is compared step by step, too; here a value stands for one of its formulas."""
    editor = edit()
    editor.paste(editor.at(f"choice.{column}", 4), 1.0)
    assert first_problem(editor.save()) == f"choice.{column}"


# --- what openpyxl saves again -------------------------------------------------------------------


def test_openpyxl_may_save_it_again(tiny_workbook, tmp_path):
    """It drops what the formulas showed, and puts texts into a table of their own."""
    path = tmp_path / "again.xlsx"
    openpyxl.load_workbook(tiny_workbook).save(path)
    assert run(path, "--model", str(CHECKPOINTS / "plain")).exit_code == 0


@pytest.fixture(scope="module")
def loaded(tiny_workbook):
    """The workbook as openpyxl has it, to type prompts into."""
    return openpyxl.load_workbook(tiny_workbook)


@pytest.mark.parametrize("prompt", ["a", "quic", "", "éé", " a b", "007", "a\nb", 7, True, "=1+1"])
def test_openpyxl_may_type_another_prompt(loaded, tmp_path, prompt):
    path = tmp_path / "again.xlsx"
    loaded["start"]["B4"] = prompt
    loaded.save(path)
    result = run(path)
    assert result.exit_code == 0, result.output
    shown = {True: "TRUE", 7: "7", "=1+1": "2"}.get(prompt, prompt)
    assert json.loads(result.stdout)["prompt"] == shown


def test_openpyxl_changes_a_weight(small_workbook, tmp_path):
    path = tmp_path / "again.xlsx"
    book = openpyxl.load_workbook(small_workbook)
    tab, address = book.defined_names["h.0.mlp.c_fc.w"].attr_text.split("!")
    book[tab.strip("'")][address.replace("$", "").split(":")[0]] = 3.0
    book.save(path)
    assert first_problem(path) == "h.0.mlp.c_fc.w"


def test_openpyxl_pastes_a_value(small_workbook, tmp_path):
    path = tmp_path / "again.xlsx"
    book = openpyxl.load_workbook(small_workbook)
    tab, address = book.defined_names["h.1.mlp.gelu"].attr_text.split("!")
    book[tab.strip("'")][address.replace("$", "").split(":")[0]] = 3.0
    book.save(path)
    assert first_problem(path) == "h.1.mlp.gelu"


def test_openpyxl_removes_a_name(small_workbook, tmp_path):
    path = tmp_path / "again.xlsx"
    book = openpyxl.load_workbook(small_workbook)
    del book.defined_names["h.1.mlp.c_proj"]
    book.save(path)
    assert first_problem(path) == "h.1.mlp.c_proj"
