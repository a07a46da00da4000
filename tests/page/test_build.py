"""The file of a page, without a browser."""

import re
from pathlib import Path

import numpy as np
import pytest

from sheetgpt.book.words import languages, load_words
from sheetgpt.checkpoint import checkpoint
from sheetgpt.gpt2 import reference
from sheetgpt.page.build import PageOrder, build_page, save_page
from sheetgpt.page.cells import cells
from sheetgpt.page.read import read_page

CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"
SCRIPTS = Path(build_page.__code__.co_filename).parent


@pytest.fixture(scope="module")
def model():
    return checkpoint.load(CHECKPOINTS / "sharded")


def test_the_cells_are_the_steps_of_the_witness(model):
    assert [cell.name for cell in cells(model.config)] == reference.step_names(model.config)[1:]


def test_weights_come_back_exactly(model, tmp_path):
    save_page(model, PageOrder("ab"), tmp_path / "gpt.html")
    inside = read_page(tmp_path / "gpt.html").checkpoint()
    assert inside.config == model.config
    assert inside.tokenizer == model.tokenizer
    for name, weight in model.weights.items():
        assert np.array_equal(inside.weights[name], weight)


@pytest.mark.parametrize("language", languages())
def test_nothing_is_fetched_and_nothing_left_unfilled(model, language):
    text = build_page(model, PageOrder("ab", language), load_words(language))
    without_scripts = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r"https?://|\bsrc=|<link|@import|url\(", without_scripts)
    assert "{{" not in without_scripts
    assert "default-src &#x27;none&#x27;" in text


def test_nano_is_small(nano):
    text = build_page(checkpoint.load(nano, "nano"), PageOrder("Mike is"), load_words("en"))
    assert len(text.encode()) < 6_000_000


def test_scripts_can_be_read():
    """Short lines, and nothing that ends its element early."""
    for script in SCRIPTS.glob("*.js"):
        text = script.read_text(encoding="utf-8")
        assert "</script" not in text and "<!--" not in text
        assert max(map(len, text.splitlines())) <= 100, script.name


def test_what_is_refused(model, tmp_path, refusal):
    path = tmp_path / "gpt.html"
    path.write_text("<p>something else")
    assert "no page that sheetgpt has built" in refusal(lambda: read_page(path))
    assert "exists already" in refusal(lambda: save_page(model, PageOrder("ab"), path))
    assert path.read_text() == "<p>something else"
    assert "cannot be read" in refusal(lambda: read_page(tmp_path / "none.html"))
    nowhere = tmp_path / "no" / "gpt.html"
    assert "cannot be written" in refusal(lambda: save_page(model, PageOrder("ab"), nowhere))
    assert "shorten" in refusal(lambda: save_page(model, PageOrder("a b" * 99), tmp_path / "x"))
