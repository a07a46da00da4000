"""Vocabularies with gaps, and those of characters: the right ids, or a sentence and no ids."""

import random

import pytest

from sheetgpt.book.prompt import room_for
from sheetgpt.calculate.units import Units
from sheetgpt.errors import PromptError
from sheetgpt.gpt2.tokens import SPELLING, Tokenizer
from sheetgpt.office.libreoffice import opened
from sheetgpt.steps.tokenize import Room
from sheetgpt.xlsx.write import save

from .test_prompt import PromptBook

SHAKESPEARE = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ROOM = Room(characters=20, bytes=30, rounds=0, tokens=16)


def of_characters(characters):
    tokens = ["".join(SPELLING[byte] for byte in each.encode()) for each in characters]
    return Tokenizer.from_tables(tokens, [])


CHARACTERS = of_characters(SHAKESPEARE)
MERGED = Tokenizer.from_tables(["e", "h", "t", "Ġ", "he", "the", "Ġthe"],
                               [("h", "e"), ("t", "he"), ("Ġ", "the")])  # fmt: skip
BOOKS = {
    "characters": (CHARACTERS, ROOM),
    "merges": (MERGED, Room(characters=20, bytes=30, rounds=4, tokens=16)),
}


@pytest.fixture(scope="module", params=BOOKS)
def book(request):
    return PromptBook(*BOOKS[request.param])


def texts(book):
    """Random prompts of the vocabulary's own characters; into every third goes another one."""
    draw = random.Random(1)
    own = SHAKESPEARE if book.tokenizer is CHARACTERS else "the  "
    for number in range(60):
        text = draw.choices(own, k=draw.randint(0, 15))
        if number % 3 == 0:
            text.insert(draw.randint(0, len(text)), draw.choice("0#é😀€Ġ\t"))
        yield "".join(text)


@pytest.mark.parametrize("units", Units)
def test_the_right_ids_or_a_sentence_that_names_the_character(book, units):
    for text in texts(book):
        shown = book.show(text, units)
        try:
            wanted = book.tokenizer.encode(text)
        except PromptError:
            character = book.tokenizer.unknown(text)
            said = f"This model has no tokens for the character “{character}”. Leave it out."
            assert (shown.ids, shown.message, shown.errors) == ([], said, []), text
        else:
            assert (shown.ids, shown.message, shown.errors) == (wanted, "", []), text


@pytest.mark.usefixtures("libreoffice")
def test_libreoffice_says_the_same(book, tmp_path):
    save(book.book, book.live.values, tmp_path / "book.xlsx")
    prompts = [text for text in texts(book) if text.isprintable()][:12]
    with opened(tmp_path / "book.xlsx") as office:
        for prompt in prompts:
            office.set({"prompt": prompt})
            ids, message = office.read(["tokens.id", "prompt.message"]).values()
            found = [int(each) for (each,) in ids if each != ""]
            unknown = book.tokenizer.unknown(prompt)
            if unknown is None:
                assert (found, message[0][0]) == (book.tokenizer.encode(prompt), ""), prompt
            else:
                assert found == [] and f"character “{unknown}”" in message[0][0], prompt
            assert office.errors() == []


def test_a_character_is_a_token():
    assert CHARACTERS.encode("Hi!") == [SHAKESPEARE.index(each) for each in "Hi!"]
    assert CHARACTERS.decode(CHARACTERS.encode("To be,\nor")) == "To be,\nor"


def test_without_merges_there_are_no_rounds_to_show():
    assert room_for(CHARACTERS, "Hi", 8).rounds == 0
    names = PromptBook(CHARACTERS, ROOM).book.names
    assert not any(name.startswith("round_") for name in names)


def test_characters_of_several_bytes_are_written_but_not_typed():
    tokenizer = of_characters("abé€")
    assert tokenizer.decode([0, 2, 3]) == "aé€"
    with pytest.raises(PromptError, match="has the character 'é', for which the model has no tok"):
        tokenizer.encode("aé")
