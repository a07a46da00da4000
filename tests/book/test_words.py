"""Words that depend on the model: headings of as many bits as it has ids, the activation's name."""

import pytest

from sheetgpt.book.page import Page
from sheetgpt.book.words import languages, load_words
from sheetgpt.steps.sample import columns

every_language = pytest.mark.parametrize("language", languages())


@every_language
@pytest.mark.parametrize("n_vocab", [1, 1024, 131_072, 131_073, 250_000, 1_048_576])
def test_every_column_of_the_choice_has_a_heading(language, n_vocab):
    """However many bits the ids have: Llama's 128,256 tokens have 17, Gemma's 262,144 18."""
    page, names = Page("t", {}, load_words(language), "t", "t"), columns(n_vocab)
    page.table("choice", names, top=1, left=1, length=3)
    headings = [text.value for text in page.texts if text.look == "heading center"]
    assert len(headings) == len(names)
    bits = (n_vocab - 1).bit_length()
    assert sum(f"{2**bit:,}" == text.split()[-1] for bit in range(bits) for text in headings) == (
        2 * bits
    )


@every_language
@pytest.mark.parametrize(
    ("activation", "title"),
    [("gelu_new", "GELU"), ("gelu", "GELU"), ("relu", "ReLU"), ("silu", "SiLU")],
)
def test_step_14_is_called_what_it_computes(language, activation, title):
    words = load_words(language)
    found = words.of_activation(activation).step("h.b.mlp.gelu")
    assert found.title == title
    assert (found == words.step("h.b.mlp.gelu")) == (title == "GELU")
