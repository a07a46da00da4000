"""Our templates in every language: the same texts, really translated, and room for each."""

import re
from unicodedata import east_asian_width

import pytest

from sheetgpt.book.checks import COLUMNS, WIDTHS
from sheetgpt.book.lines import broken, width
from sheetgpt.book.prompt_stages import TOP, WHY
from sheetgpt.book.records import CANDIDATES, CONTROLS
from sheetgpt.book.start import FACTS, KINDS, SIGNS
from sheetgpt.book.template import PLACE, path_of, read_template
from sheetgpt.book.words import languages, load_words
from sheetgpt.checkpoint import checkpoint
from sheetgpt.gpt2 import reference
from sheetgpt.steps.tokenize import Splitting, tables_of

every_language = pytest.mark.parametrize("language", languages())
translated = pytest.mark.parametrize("language", sorted({*languages()} - {"en"}))

# What is the same everywhere: signs, letters, ids, and names that nobody translates.
SAME = re.compile(
    r"✓|[xyz]|id( \{number\})?|top-[kp]|softmax|GELU|ReLU|SiLU|MLP|exp|a − b \+ c|a, b, c|a、b、c"
    r"|[“「\"]{token}[”」\"]"
)


def halves(text: str) -> int:
    """The width of a text where a wide character takes the room of two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def test_there_are_three_at_least():
    assert {"en", "ja", "ko"} <= {*languages()}


@every_language
def test_the_same_texts_with_the_same_values(language):
    ours, english = read_template(path_of(language)), read_template(path_of("en"))
    assert list(ours) == list(english)
    for key, text in english.items():
        assert sorted(PLACE.findall(ours[key])) == sorted(PLACE.findall(text)), key


@translated
def test_nothing_is_left_in_english(language):
    ours, english = read_template(path_of(language)), read_template(path_of("en"))
    same = {text for key, text in ours.items() if text == english[key]}
    assert [text for text in same if not SAME.fullmatch(text)] == []


@pytest.mark.parametrize(("language", "letters"), [("ja", "[ぁ-ヿ一-鿿]"), ("ko", "[가-힣]")])
def test_every_sentence_has_letters_of_its_language(language, letters):
    for key, text in read_template(path_of(language)).items():
        assert re.search(letters, text) or SAME.fullmatch(text), key


@every_language
def test_sentences_end_and_labels_do_not(language):
    """A why is a sentence, and the title of a step is none."""
    for key, text in read_template(path_of(language)).items():
        if key[-1] in ("why", "about"):
            assert text.endswith((".", "。", "?")), key
        elif key[-1] == "title":
            assert not text.endswith((".", "。")), key


# --- room ----------------------------------------------------------------------------------------


@every_language
def test_the_map_has_room_for_its_words(language):
    for name, tab in load_words(language).tabs.items():
        if name != "start":
            assert halves(tab.about) <= 60, name
            assert halves(tab.why) <= 55, name


@every_language
def test_the_right_side_of_start_has_room_for_its_words(language):
    label = load_words(language).label
    names = [*CONTROLS, *FACTS]
    names += [f"legend {kind}" for kind in KINDS] + [f"symbols {sign}" for sign in SIGNS]
    for name in names:
        assert width(label(name)) <= 62, name


@every_language
def test_the_left_side_of_start_has_room_for_its_titles(language):
    """In 13 points, left of the prompt and of what follows from it."""
    for name in ("prompt", "completion", "status"):
        assert width(load_words(language).label(name)) <= 18, name


@every_language
def test_why_of_each_stage_has_room_above_it(language):
    words = load_words(language)
    columns = {"tokens.id": 45, "characters": 68, "bytes": 55, "round": 50, "parts": 21}
    for name, wide in columns.items():
        key = name if "." in name else f"prompt.{name}"
        assert len(broken(words.step(key).why, 1.2 * wide)) <= TOP - WHY, name


@every_language
def test_headings_of_narrow_columns(language):
    """A column of the tokenizer is seven figures wide; its heading's letters are about as wide."""
    label = load_words(language).label
    names = {
        name for columns in tables_of(1, Splitting(has_specials=True)).values() for name in columns
    } - {"contraction"}
    for name in sorted(names | {"word", "number"}):
        assert halves(label(f"column {name}")) <= (9 if name in ("character", "segment") else 7), (
            name
        )
    for name in CANDIDATES:
        assert halves(label(f"column {name}")) <= 12, name


@every_language
def test_titles_of_steps_have_room_on_checks(language, nano):
    words, room = load_words(language), dict(zip(COLUMNS, WIDTHS, strict=False))
    for name in reference.step_names(checkpoint.load(nano).config):
        title = words.step(re.sub(r"^h\.\d+\.", "h.b.", name)).title
        assert halves(title) <= room["title"], name
    for column in COLUMNS:
        assert halves(words.label(f"column {column}")) <= room[column], column
