"""What shows only with another prompt or control, and files that come from elsewhere."""

import shutil
import subprocess

import numpy as np
import pytest

import sheetgpt
from sheetgpt.book.template import path_of
from sheetgpt.build import Order, build_workbook
from sheetgpt.check import check
from sheetgpt.check.file import ModelInFile
from sheetgpt.check.tries import LARGE, VERY_LARGE, affordable, inputs
from sheetgpt.checkpoint import checkpoint
from sheetgpt.office import libreoffice as office
from sheetgpt.xlsx.read import read


def test_inputs_are_always_the_same(tiny_workbook):
    model = ModelInFile(tiny_workbook, read(tiny_workbook))
    for number in range(1, 12):
        assert inputs(model, number) == inputs(model, number)
    assert inputs(model, 2)["prompt"] == "" and "😀" in inputs(model, 1)["prompt"]
    assert len(inputs(model, 3)["prompt"]) > model.room.characters
    assert len({str(inputs(model, number)) for number in range(1, 12)}) == 11


def test_other_inputs_hold(tiny_workbook):
    report = check(tiny_workbook, tries=8)
    assert report.holds, report.first_problem
    assert [result.kind for result in report.results].count("try") == 8
    assert report.prompt == "ab c"


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("choice.uniform", r"MOD\(", "SUM("),  # nothing is drawn at temperature 0
        ("choice.weight", "SUM", "MAX"),
        ("prompt.message", "^.*$", '""'),  # nothing is too long now
    ],
)
def test_what_shows_only_with_others(edit, monkeypatch, name, old, new):
    """Without the book that was written, other inputs find it; without them, nothing would."""
    monkeypatch.setattr(sheetgpt, "__version__", "9.9")
    editor = edit()
    editor.change(name, old, new)
    path = editor.save()
    report = check(path, tries=3)
    assert not report.holds
    assert any("other input" in result.step for result in report.problems) or report.problems


@pytest.mark.parametrize(("n_weights", "count"), [(1, 3), (LARGE, 1), (VERY_LARGE, 0)])
def test_large_models_afford_fewer(tiny_workbook, monkeypatch, n_weights, count):
    model = ModelInFile(tiny_workbook, read(tiny_workbook))
    monkeypatch.setattr("sheetgpt.check.tries.shapes", lambda config: {"wte": (n_weights,)})
    found, why = affordable(model)
    assert found == count and bool(why) == (count < 3)


def test_a_template_of_somebody_s_own(tmp_path, nano):
    """Its words are not known; formulas and numbers are compared all the same."""
    template = tmp_path / "own.toml"
    words = path_of("en").read_text(encoding="utf-8")
    template.write_text(words.replace('= "', '= "~'), encoding="utf-8")
    path = tmp_path / "own.xlsx"
    plain = checkpoint.load(nano.parents[1] / "tests" / "checkpoints" / "plain")
    order = Order("ab c", context=6, prompt_length=4, new_tokens=2, template=template)
    build_workbook(plain, order, path)
    report = check(path, tries=0)
    assert report.holds, report.first_problem
    assert "a template that sheetgpt does not have" in report.notes[0]


def test_saved_by_libreoffice(tiny_workbook, tmp_path, libreoffice):
    """Every formula, name and label is still what sheetgpt wrote."""
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    (tmp_path / "again").mkdir()
    subprocess.run(
        [str(office.soffice()), profile, "--headless", "--convert-to", "xlsx",
         "--outdir", str(tmp_path / "again"), str(shutil.copy(tiny_workbook, tmp_path / "a.xlsx"))],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    for engine in ("numpy", "cached"):
        report = check(tmp_path / "again" / "a.xlsx", engine, tries=0)
        assert report.holds, report.first_problem
        assert not report.notes
        assert any(result.kind == "written" for result in report.results)


@pytest.mark.parametrize("size", [1e10, 1e30])
@pytest.mark.parametrize("which", ["one", "all"])
def test_very_large_weights(plain, tmp_path, size, which):
    """A digit that no double holds is no fault: errors count as parts of the largest number."""

    def enlarge(tensors):
        for name, tensor in tensors.items():
            if which == "all":
                tensor *= np.float32(size)
            elif name.endswith("wte.weight"):
                tensor[97, 3] = size

    plain.edit_tensors(enlarge)
    path = tmp_path / "large.xlsx"
    order = Order("ab c", context=5, prompt_length=4, new_tokens=1)
    build_workbook(checkpoint.load(plain.path), order, path)
    report = check(path, tries=0)
    assert report.holds, report.first_problem
