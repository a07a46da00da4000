"""The default workbook, whole: in our evaluator, in LibreOffice, in IronCalc, saved again."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import ironcalc
import numpy as np

from sheetgpt.check import CALCULATORS, Report, check
from sheetgpt.check.engines import Calculated
from sheetgpt.check.file import ModelInFile
from sheetgpt.check.formulas import Formulas
from sheetgpt.checkpoint import checkpoint
from sheetgpt.office import libreoffice as office

NEAR = 1e-9  # the largest absolute error of any step


def expect_quickly(report: Report) -> None:
    """Every step of every block holds, and the sentence goes on as it should."""
    assert report.holds, report.first_problem
    assert report.error <= NEAR
    assert report.n_tokens == 6
    assert report.predicted == " quickly"
    compared = {result.step for result in report.results if result.is_compared}
    assert {f"h.{b}.{step}" for b in range(12) for step in ("input", "mlp.residual")} <= compared


def test_size(nano_workbook):
    assert nano_workbook.stat().st_size <= 9_000_000


def test_in_our_evaluator(nano_workbook, nano):
    expect_quickly(check(nano_workbook, "numpy", checkpoint.load(nano)))


def test_in_libreoffice(nano_workbook, libreoffice, monkeypatch):
    """Recalculated as after Ctrl+Shift+F9; no cell shows an error, the named ones or any other."""
    errors: list[str] = []
    opened = office.opened

    @contextmanager
    def watched(path: Path) -> Iterator[office.Office]:
        with opened(path) as document:
            yield document
            errors.extend(document.errors())

    monkeypatch.setattr(office, "opened", watched)
    expect_quickly(check(nano_workbook, "libreoffice"))
    assert errors == []


def test_in_ironcalc(short_nano_workbook, tmp_path):
    """A third engine, from a file whose formulas carry wrong values: it calculates them itself."""
    path = tmp_path / "wrong.xlsx"
    spoil(short_nano_workbook, path)

    def by_ironcalc(model: ModelInFile, formulas: Formulas, names: Sequence[str]) -> Calculated:
        book = ironcalc.load_from_xlsx(str(path), "en", "UTC", "en")
        book.evaluate()
        tabs = [each["name"] for each in book.get_worksheets_properties()]
        for name in names:
            area = model.names[name]
            tab = tabs.index(area.tab)
            values = np.empty(area.shape, dtype=object)
            for row, column in np.ndindex(area.shape):
                value = book.get_cell_value(tab, area.top + row, area.left + column)
                values[row, column] = float(value) if type(value) is int else value
            values[np.equal(values, None)] = ""
            model.values.write(area, values)
        return Calculated(is_whole=False)

    calculators = {**CALCULATORS, "ironcalc": by_ironcalc}
    expect_quickly(check(path, "ironcalc", calculators=calculators))


def spoil(path: Path, to: Path) -> None:
    """Copy a workbook, with 777 for what its formulas had shown."""
    formula = re.compile(rb'(<c r="\w+" s="\d+")[^>]*>(<f[^>]*>[^<]*</f>)<v>[^<]*</v></c>')
    with ZipFile(path) as archive, ZipFile(to, "w", ZIP_DEFLATED, compresslevel=1) as copy:
        for name in archive.namelist():
            data = archive.read(name)
            if name.startswith("xl/worksheets/sheet"):
                data = formula.sub(rb"\1>\2<v>777</v></c>", data)
            copy.writestr(name, data)


def saved_by_libreoffice(path: Path, to: Path) -> Path:
    to.mkdir()
    subprocess.run(
        [
            str(office.soffice()),
            f"-env:UserInstallation={(to / 'profile').as_uri()}",
            *("--headless", "--convert-to", "xlsx", "--outdir", str(to), str(path)),
        ],
        check=True,
        capture_output=True,
        timeout=300,
    )
    return to / path.name


def test_saved_by_libreoffice(tiny_workbook, nano_workbook, nano, libreoffice, tmp_path):
    """What it writes in its own way is the same model, the same formulas, the same values."""
    tiny = saved_by_libreoffice(tiny_workbook, tmp_path / "tiny")
    assert check(tiny, "numpy").holds
    assert check(tiny, "cached").holds
    whole = saved_by_libreoffice(nano_workbook, tmp_path / "nano")
    expect_quickly(check(whole, "cached", checkpoint.load(nano)))
