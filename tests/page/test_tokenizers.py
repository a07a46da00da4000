"""Vocabularies of every kind on the page: the script gives the tokenizer's ids."""

from dataclasses import replace

import pytest

from sheetgpt.checkpoint import checkpoint
from sheetgpt.errors import PromptError
from sheetgpt.gpt2.tokens import SPELLING, Tokenizer, Unit
from sheetgpt.page.read import read_page
from tests.places import PLAIN

WORDS = ["the", "The", "dog", "é", "日本", "!?", ".", "'", "s", "<user>"]
CHARACTERS = [*" abdegortuT!.'", "é", "日", "😀"]
TEXTS = (
    "the dog", "The  dog!?", " dog\n\nthe", "dog<user>the", "é日本 dog's", "😀", "nothing", "", "T",
    "good.", "<us", "the<user>", "  ",
)  # fmt: skip


def kinds(plain: Tokenizer) -> dict[str, Tokenizer]:
    def of(texts: list[str], unit: Unit, otherwise: int | None = None, **more: object) -> Tokenizer:
        spelled = ["".join(SPELLING[byte] for byte in each.encode()) for each in texts]
        tokens = spelled + [f"<|unused {i}|>" for i in range(len(texts), len(plain.tokens))]
        specials = ["<user>"] if unit is Unit.SIGNS else []
        return Tokenizer.from_tables(
            tokens, [], specials=specials, unit=unit, otherwise=otherwise, leading=None
        )

    return {
        "characters": of(CHARACTERS, Unit.CHARACTERS),
        "words": of(WORDS, Unit.WORDS),
        "signs": of(WORDS, Unit.SIGNS, 0),
        "specials": replace(plain, specials=("<|endoftext|>", "<pad>", "dog"), leading=3),
    }


@pytest.mark.parametrize("kind", ["characters", "words", "signs", "specials"])
def test_the_page_cuts_as_the_model_does(kind, built, show):
    model = checkpoint.load(PLAIN)
    tokenizer = kinds(model.tokenizer)[kind]
    path = built(replace(model, tokenizer=tokenizer), "" if kind == "specials" else ".")
    assert read_page(path).checkpoint().tokenizer == tokenizer
    shown = show(path)
    for text in TEXTS:
        try:
            wanted = tokenizer.encode_prompt(text)
        except PromptError:
            assert shown.run("return tokenizer.unknown(arguments[0])", text), text
        else:
            assert shown.run("return tokenizer.read(arguments[0])", text) == wanted, text
            said = shown.run("return tokenizer.decode(arguments[0])", wanted)
            assert said == tokenizer.decode(wanted), text
