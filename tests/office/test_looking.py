"""The tabs `microscope` and `neighbours` in LibreOffice and IronCalc: choose, type, read."""

from random import Random

import ironcalc
import numpy as np
import pytest

from sheetgpt.checkpoint import checkpoint
from sheetgpt.formula.cells import read_address, split_tab
from sheetgpt.office import libreoffice as office
from sheetgpt.xlsx.read import read
from tests.book.test_microscope import drawn
from tests.places import PLAIN

STEPS = ("ln_1", "attn.c_attn", "attn.scores", "attn.weights", "attn.heads", "mlp.c_fc", "mlp.gelu")
STEPS += ("mlp.c_proj", "ln_f", "logits", "softmax")


def test_libreoffice_shows_the_cell_that_was_chosen(short_nano_workbook, libreoffice, nano):
    """As a person does it: choose, read, and ask for no calculation."""
    config, random = checkpoint.load(nano).config, Random(3)
    names = ["microscope.message", "microscope.line", "microscope.equals", "microscope.link"]
    with office.opened(short_nano_workbook) as document:
        for number in range(33):
            step = STEPS[number % len(STEPS)]
            inputs = drawn(random, config, 6, step)
            document.set({f"microscope.{name}": value for name, value in inputs.items()})
            found = document.read(names)
            assert found["microscope.message"] == [[""]], inputs
            result, equals = found["microscope.line"][-1][0], found["microscope.equals"][0][0]
            assert isinstance(equals, float)
            assert result == pytest.approx(equals, abs=1e-9 * max(1, abs(equals))), inputs
        document.set({"microscope.step": "attn.c_atn"})
        found = document.read(names)
        assert len(found["microscope.message"][0][0]) > 20
        assert found["microscope.line"][-1] == found["microscope.link"][0] == [""]


def test_ironcalc_shows_the_cell_that_was_chosen(tiny_workbook):
    config, random, names = checkpoint.load(PLAIN).config, Random(4), read(tiny_workbook).names
    book = ironcalc.load_from_xlsx(str(tiny_workbook), "en", "UTC", "en")
    tabs = [each["name"] for each in book.get_worksheets_properties()]

    def shown(area):
        return book.get_cell_value(tabs.index(area.tab), area.top, area.left)

    for number in range(22):
        step = STEPS[number % len(STEPS)]
        for name, value in drawn(random, config, 4, step).items():
            area = names[f"microscope.{name}"]
            typed = value if isinstance(value, str) else f"{value:g}"
            book.set_user_input(tabs.index(area.tab), area.top, area.left, typed)
        book.evaluate()
        tab, address = split_tab(shown(names["microscope.link"]))
        wanted = shown(read_address(address, tab))
        line = names["microscope.line"]
        assert shown(line.cell(5, 0)) == pytest.approx(wanted, abs=1e-9), step
        assert shown(names["microscope.equals"]) == wanted


def test_libreoffice_finds_the_neighbours(short_nano_workbook, libreoffice, nano):
    model = checkpoint.load(nano)
    wte = np.asarray(model.weights["wte"], dtype=np.float64)
    texts = [model.tokenizer.decode([i]) for i in range(len(wte))]
    cosines = wte / np.linalg.norm(wte, axis=1, keepdims=True)
    with office.opened(short_nano_workbook) as document:
        for word in ("dog", "she", "Monday"):
            document.set({"neighbours.word": word})
            own = texts.index(f" {word}")
            angles = cosines @ cosines[own]
            ranked = [i for i in np.argsort(-angles, kind="stable") if i != own][:10]
            found = document.read(["neighbours.word.nearest.id", "neighbours.word.nearest.cosine"])
            assert [row[0] for row in found["neighbours.word.nearest.id"]] == ranked
            assert [row[0] for row in found["neighbours.word.nearest.cosine"]] == pytest.approx(
                angles[ranked], abs=1e-6
            )
        document.set({"neighbours.word": "xyzzy"})
        found = document.read(["neighbours.word.nearest.id", "neighbours.word.note"])
        assert {row[0] for row in found["neighbours.word.nearest.id"]} == {""}
        assert len(found["neighbours.word.note"][0][0]) > 20
