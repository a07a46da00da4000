"""The tab `prompt to tokens` against Hugging Face's `tokenizers`, in our evaluator and LibreOffice.

Never a wrong token: a prompt that fits gives the oracle's ids, any other a sentence and no ids, and
no cell of the tab ever shows an error.
"""

import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import tokenizers
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Split

from sheetgpt.book import data
from sheetgpt.book.prompt import room_for
from sheetgpt.calculate.units import Units
from sheetgpt.checkpoint.vocabulary import from_files
from sheetgpt.gpt2.tokens import Tokenizer
from sheetgpt.office.libreoffice import opened
from sheetgpt.steps.tokenize import Room
from sheetgpt.xlsx.write import save
from tests.prompt_book import PromptBook, Shown

ROOT = Path(__file__).parents[2]
VOCABULARIES = {
    "nano": (ROOT / "weights/nano/vocab.json", ROOT / "weights/nano/merges.txt"),
    "shuffled": (
        ROOT / "tests/checkpoints/shuffled/vocab.json",
        ROOT / "tests/checkpoints/shuffled/merges.txt",
    ),
    "gpt2": (
        ROOT.parent / "shared/gpt2-tokenizer/encoder.json",
        ROOT.parent / "shared/gpt2-tokenizer/vocab.bpe",
    ),
}
ROOM = Room(characters=36, bytes=48, rounds=8, tokens=24)

# --- one tab of one vocabulary --------------------------------------------------------------------


@cache
def tokenizer_of(vocabulary: str) -> Tokenizer:
    if not VOCABULARIES[vocabulary][0].exists():
        pytest.skip(f"the vocabulary {vocabulary} is not here")
    return from_files(*VOCABULARIES[vocabulary])


@cache
def book_of(vocabulary: str, room: Room = ROOM) -> PromptBook:
    return PromptBook(tokenizer_of(vocabulary), room)


@cache
def oracle_of(vocabulary: str) -> tokenizers.Tokenizer:
    tokenizer = tokenizer_of(vocabulary)
    ids = {token: i for i, token in enumerate(tokenizer.tokens)}
    oracle = tokenizers.Tokenizer(BPE(ids, list(tokenizer.merges)))
    oracle.pre_tokenizer = ByteLevel(add_prefix_space=False)
    oracle.add_special_tokens(list(tokenizer.specials))
    return oracle


def must_be_right(shown: Shown, vocabulary: str, prompt: str, room: Room) -> None:
    """Never a wrong token."""
    tokenizer = tokenizer_of(vocabulary)
    ids = oracle_of(vocabulary).encode(prompt).ids
    rounds = max((len(word.rounds) for word in tokenizer.stages(prompt).words), default=0)
    too_much = {
        "characters": len(prompt) > room.characters,
        "bytes": len(prompt.encode()) > room.bytes,
        "rounds": rounds > room.rounds,  # of the words; their segments may need fewer
        "tokens": len(ids) > room.tokens,
    }
    assert shown.errors == []
    assert shown.n_tokens == len(shown.ids) == len(shown.texts)
    if not shown.message:
        assert shown.ids == ids
        assert shown.texts == [data.readable(tokenizer.token_bytes(i)) for i in ids]
        assert not any(too_much[kind] for kind in ("characters", "bytes", "tokens"))
    else:
        assert shown.ids == []
        assert any(too_much[kind] for kind in too_much if kind in shown.message)


# --- prompts --------------------------------------------------------------------------------------

CHOSEN = [
    "Mike is quick. He moves", "Sara is quiet. She speaks", "The capital of France is",
    " reindeer", " reinjury", "reindeer and reinjury", "Monday, Tuesday,",
    "Mike is quick.\nHe moves", "HelloWorld", "", " ", "  ", "   x", "a", "aa", "aaa", "aaaa",
    "aaaaaaa", "aaaaaaaaaaaaaaaaa", "abababab", " a a a", "x" * 36, "x" * 37, "'s", "'S", "''s",
    "'s's", "'sx", " 's", "  's", "\t's", "'", "''", "'''", "'l", "'ll", "'lll",
    "'re've'm'll'd't", "'RE'VE'M'LL'D'T", "We've they'll I'm he'd it's", "WE'VE CAN'T YOU'RE",
    "it's  two", "it's\n", "rock 'n' roll", "'t is", "don’t", "o'clock", "'d'", "a'v", "a'r",
    "a  b   c", "two  ", "end \n", " \n x", "\n\n", "\tx", "x\t\ty", "a\r\nb", "a\xa0b",
    "a \xa0 b", "\xa0x", "a\u3000\u3000b", "\u2003 x", "x\u2028y", "\u200bx", "\ufeffx",
    "a\x85b", "\x1c \x1f", "1 22 333", "3.14159265358979", "4,444.5", "٣٤", "三", "Ⅷ", "½²",
    "a1b2", "1st 2nd", "=1+1", '=HYPERLINK("x")', "007", "1e5", "TRUE", "#N/A", "#REF!", "@x",
    "+1", "-1", "~*?", "~~", "*", "?", "<>", "\\", "\\\\", '"', '""', "\"'\"", "{a}", "a&b",
    "_x0041_", "%d", "naïve café", "e\u0301 a\u0308\u0304", "İı", "ßẞ", "ﬁ", "ǅ", "Très bien!",
    "日本語", "中文，", "한국어", "привет", "καλημέρα", "مرحبا", "שלום", "नमस्ते", "ไทย", "😀",
    "😀😀 a", "a😀b", " 😀", "👩\u200d👩\u200d👧", "🏳\ufe0f\u200d🌈", "𝔘𝔫𝔦", "𐍈 x", "🇫🇷", "👍🏽",
    "\ufffd", "\ud7ff", "\ue000", "\U0010ffff", "\U00010000", "<|endoftext|>", "Hi!!!", "...",
    " ... ", "Donaudampfschifffahrtselektrizitäten", "antidisestablishmentarianism", "a\n\n\nb",
    "https://x.org/?q=1", "def f(x): return x**2", "  indented\n    more",
]  # fmt: skip

SCRIPTS = (
    (0x20, 0x7E), (0xA0, 0xFF), (0x100, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x4FF),
    (0x590, 0x5FF), (0x600, 0x6FF), (0x900, 0x97F), (0xE00, 0xE7F), (0x2000, 0x206F),
    (0x2100, 0x218F), (0x2460, 0x24FF), (0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3),
    (0xFE00, 0xFE0F), (0xFF00, 0xFFEF), (0x10330, 0x1034A), (0x1D400, 0x1D7FF),
    (0x1F300, 0x1F64F), (0x1F900, 0x1F9FF), (0x20000, 0x2A6DF), (1, 0x10FFFF),
)  # fmt: skip

PIECES = (
    *("'s", "'S", "'t", "'re", "'ve", "'VE", "'m", "'ll", "'LL", "'d", "'", "''", "’s"),
    *(" ", " ", "  ", "   ", "\n", " \n", "\n\n", "\t", "\r\n", "\xa0", "\u3000", "\u2003"),
    *("1", " 1", "12", " 345", "3.14", "٣", "²", "Ⅷ"),
    *(".", ", ", "...", "!?", " =", "=1+1", "~*?", "~", "\\", '"', "-", "_", "#", "%", "&"),
    *("😀", "👩\u200d👧", "\u0301", "\u200d", "\ufe0f", "🏽"),
    *("the", " the", "The", " quick", " reindeer", "jury", " Mike", " moves", "ing", "aaaa"),
    *(" café", "日本", "я", "א", "ب", "한"),
)


@cache
def newer_than_the_oracle() -> frozenset[str]:
    """Characters that the oracle's older Unicode does not know: there the two must differ."""
    everything = "".join(chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000)
    rest = Split(tokenizers.Regex(r"\p{Cn}+"), behavior="removed", invert=True)
    return frozenset(c for piece, _ in rest.pre_tokenize_str(everything) for c in piece)


def random_prompts(seed: int) -> Iterator[str]:
    """Text in which scripts, signs, white space, contractions and words of a vocabulary meet."""
    draw = random.Random(seed)
    while True:
        pieces = []
        for _ in range(draw.choice((1, 2, 4, 8, 8, 14))):
            if draw.random() < 0.6:
                pieces.append(draw.choice(PIECES))
            else:
                first, last = draw.choice(SCRIPTS)
                pieces += (chr(draw.randint(first, last)) for _ in range(draw.randint(1, 3)))
        text = "".join(pieces)
        if not any("\ud800" <= c < "\ue000" or c in newer_than_the_oracle() for c in text):
            yield text


def rules(prompt: str) -> list[Units]:
    """Every way of counting where they differ."""
    return list(Units) if max(prompt, default="") > "\uffff" else [Units.POINTS]


def compare(vocabulary: str, prompts: list[str], room: Room) -> tuple[int, int]:
    """How many of these prompts fitted, and how many did not; all of them right."""
    book = book_of(vocabulary, room)
    fitted = 0
    for prompt in prompts:
        for units in rules(prompt):
            shown = book.show(prompt, units)
            must_be_right(shown, vocabulary, prompt, room)
        fitted += not shown.message
    return fitted, len(prompts) - fitted


# --- what must hold -------------------------------------------------------------------------------


@pytest.mark.parametrize("vocabulary", ["nano", "gpt2"])
def test_chosen_prompts(vocabulary: str) -> None:
    fitted, _ = compare(vocabulary, CHOSEN, ROOM)
    assert fitted >= 100


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_random_prompts(vocabulary: str) -> None:
    prompts = random_prompts(seed=1)
    fitted, _ = compare(vocabulary, [next(prompts) for _ in range(60)], ROOM)
    assert fitted >= 30


@pytest.mark.slow
@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_many_random_prompts_in_a_sheet_of_the_usual_size(vocabulary: str) -> None:
    prompts = random_prompts(seed=2)
    room = room_for(tokenizer_of(vocabulary), "", context=32)
    fitted, _ = compare(vocabulary, [*CHOSEN, *(next(prompts) for _ in range(1000))], room)
    assert fitted >= 800


def test_the_well_known_sentence_and_the_lesson_of_the_reindeer() -> None:
    book = book_of("gpt2")
    assert book.show("Mike is quick. He moves").ids == [16073, 318, 2068, 13, 679, 6100]
    assert book.show(" reindeer").texts == [" re", "ind", "eer"]
    assert book.show(" reinjury").texts == [" rein", "jury"]


def test_an_empty_prompt_has_no_tokens() -> None:
    for empty in ("", None):
        shown = book_of("nano").show(empty)
        assert shown == Shown(ids=[], texts=[], n_tokens=0, message="", errors=[])


def test_a_prompt_that_a_person_typed_as_a_number() -> None:
    assert book_of("nano").show(42.0).ids == oracle_of("nano").encode("42").ids


POINTS, UTF16 = Units.POINTS, Units.UTF16
SMALL = Room(characters=12, bytes=16, rounds=3, tokens=4)


@pytest.mark.parametrize(
    ("prompt", "units", "message"),
    [
        ("the the the", POINTS, ""),
        (
            "the the theme",
            POINTS,
            "Too long: 12 characters fit, and 1 more follow. Shorten it.",
        ),
        # Characters beyond U+FFFF: 12 of them are 12, however they are counted.
        (
            "😀" * 12,
            POINTS,
            "Too long: 16 bytes fit, and the prompt has 48 in UTF-8. Shorten it.",
        ),
        (
            "😀" * 12,
            UTF16,
            "Too long: 16 bytes fit, and the prompt has 48 in UTF-8. Shorten it.",
        ),
        ("😀" * 15, POINTS, "Too long: 12 characters fit, and 3 more follow. Shorten it."),
        (
            "😀" * 15,
            UTF16,
            "Too long: 12 characters fit, and 6 more follow. Shorten it. (An emoji counts as 2.)",
        ),
        (
            "日本語日本語",
            POINTS,
            "Too long: 16 bytes fit, and the prompt has 18 in UTF-8. Shorten it.",
        ),
        ("a b c d", POINTS, ""),
        ("a b c d e", POINTS, "Too long: 4 tokens fit, and the prompt has 5. Shorten it."),
        ("😀", UTF16, ""),
        ("😀😀", UTF16, "Too long: 4 tokens fit, and the prompt has 8. Shorten it."),
        (
            " spreadsheet",
            POINTS,
            "A word is too long: after 3 rounds it still has pairs to merge (3). Shorten it.",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_words(prompt: str, units: Units, message: str) -> None:
    shown = book_of("nano", SMALL).show(prompt, units)
    assert shown.message == message
    must_be_right(shown, "nano", prompt, SMALL)


@pytest.mark.parametrize("vocabulary", ["nano", "shuffled"])
def test_every_limit_holds_to_the_last_character_byte_round_and_token(vocabulary: str) -> None:
    """Room that just fits, and room that is one too small."""
    tokenizer, prompt = tokenizer_of(vocabulary), "The quick😀 é"
    stages = tokenizer.stages(prompt)
    just = {
        "characters": len(prompt),
        "bytes": len(prompt.encode()),
        "rounds": max(len(word.rounds) for word in stages.words),
        "tokens": len(stages.ids),
    }
    books = {kind: PromptBook(tokenizer, Room(**just | {kind: just[kind] - 1})) for kind in just}
    fits = PromptBook(tokenizer, Room(**just))
    for units in Units:
        shown = fits.show(prompt, units)
        assert (shown.ids, shown.message, shown.errors) == (list(stages.ids), "", [])
        for kind, book in books.items():
            shown = book.show(prompt, units)
            assert (shown.ids, shown.n_tokens, shown.errors) == ([], 0, [])
            assert kind in shown.message


def test_a_sentence_of_why_never_reaches_the_headings() -> None:
    """In any language: a cell that is written twice would break the file."""
    for tab in book_of("nano").book.tabs:
        cells = [(text.area.top, text.area.left) for text in tab.texts]
        assert len(cells) == len(set(cells))
    assert not any(
        text.value.endswith("…")
        for text in book_of("nano").book.tabs[1].texts
        if isinstance(text.value, str)
    )


def test_default_sizes() -> None:
    nano = tokenizer_of("nano")
    assert room_for(nano, "Mike", context=16) == Room(64, 96, 12, 16)
    assert room_for(nano, "Mike", context=32) == Room(128, 192, 12, 32)
    assert room_for(nano, "Mike", context=64) == Room(200, 300, 12, 64)
    assert room_for(nano, "Mike", context=128) == Room(256, 384, 12, 128)
    assert room_for(nano, "Mike", context=32, length=20) == Room(20, 30, 12, 32)
    assert room_for(nano, "😀" * 40, context=16) == Room(80, 160, 12, 16)
    assert room_for(nano, "", context=1).characters == 64
    assert room_for(nano, " wonderfulspreadsheetquickly", context=32).rounds == 15
    assert room_for(tokenizer_of("gpt2"), "", context=32).rounds == 20


def can_be_written(prompt: str) -> bool:
    """UNO changes control characters on their way into a cell, but for line feeds."""
    return all(c >= " " or c == "\n" for c in prompt)


def compare_in_libreoffice(book: PromptBook, vocabulary: str, prompts: list[str], to: Path) -> None:
    """Write the prompt cell of one saved workbook again and again, and read what it shows."""
    save(book.book, book.live.values, to)
    with opened(to) as office:
        for prompt in prompts:
            office.set({"prompt": prompt})
            found = office.read(["tokens.id", "tokens.text", "n_tokens", "prompt.message"])
            ids, texts, n_tokens, message = found.values()
            shown = Shown(
                [int(each) for (each,) in ids if each != ""],
                [each for (each,) in texts if each != ""],
                n_tokens[0][0],
                message[0][0],
                office.errors(),
            )
            must_be_right(shown, vocabulary, prompt, book.room)


@pytest.mark.usefixtures("libreoffice")
def test_libreoffice_shows_the_same(tmp_path: Path) -> None:
    prompts = filter(can_be_written, random_prompts(seed=3))
    chosen = [*filter(can_be_written, CHOSEN[::4]), *(next(prompts) for _ in range(20))]
    compare_in_libreoffice(book_of("nano"), "nano", chosen, tmp_path / "nano.xlsx")


@pytest.mark.slow
@pytest.mark.usefixtures("libreoffice")
@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_libreoffice_shows_the_same_for_many_prompts(vocabulary: str, tmp_path: Path) -> None:
    prompts = filter(can_be_written, random_prompts(seed=4))
    chosen = [*filter(can_be_written, CHOSEN), *(next(prompts) for _ in range(100))]
    room = room_for(tokenizer_of(vocabulary), "", context=32)
    compare_in_libreoffice(book_of(vocabulary, room), vocabulary, chosen, tmp_path / "book.xlsx")
