"""Every kind of vocabulary, typed into the prompt's cell: the ids are those of the oracle.

The oracle is `transformers.AutoTokenizer` where its files say the rules, else the few lines of
Python that lectures cut a text with. A prompt that fits gives its ids, one with what the model
does not know a sentence that names it; never a wrong token.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import ironcalc
import pytest
import tokenizers
from tokenizers import pre_tokenizers
from tokenizers.models import WordLevel

from sheetgpt.book.book import Book, Text
from sheetgpt.book.prompt import room_for
from sheetgpt.calculate.units import Units
from sheetgpt.checkpoint import checkpoint
from sheetgpt.gpt2.tokens import SPELLING, Tokenizer
from sheetgpt.office.libreoffice import opened
from sheetgpt.xlsx.write import save
from tests.oracle import oracle
from tests.prompt_book import PromptBook

transformers = oracle("transformers")

MERGES = [
    "Ġ t", "h e", "Ġt he", "q u", "i c", "qu ic", "quic k", "Ġ quick", "a a", "aa aa", "Ġ Ġ",
    "Ã ©", "ã ģ", "i n", "in g", "' s", "D o", "Do g",
]  # fmt: skip
MERGED = [line.replace(" ", "") for line in MERGES]
BYTES = [*SPELLING.values(), *MERGED]
END = "<|endoftext|>"
SPECIALS = ["<user>", "<User>", "<user>!", "'sx", " x ", "\n\n", "éé"]
GAPS = [each for each in BYTES if each not in "XYZ#~ðĠĠ" or each == "Ġ"]

Ids = Callable[[str], list[int] | None]  # None where the model has no tokens for the text


@dataclass(frozen=True)
class Kind:
    """Files of a vocabulary, and the pieces that its prompts are made of besides the usual."""

    files: dict[str, str]
    n_vocab: int
    pieces: tuple[str, ...] = ()
    oracle: Callable[[Path], Ids] | None = None


def two_files(tokens: list[str], **more: object) -> dict[str, str]:
    ids = json.dumps({token: i for i, token in enumerate(tokens)})
    merges = [line for line in MERGES if {*line.split(" "), line.replace(" ", "")} <= set(tokens)]
    others = {name.replace("__", "."): json.dumps(said) for name, said in more.items()}
    return {"vocab.json": ids, "merges.txt": "\n".join(merges), **others}


def auto(directory: Path) -> Ids:
    """As `transformers.AutoTokenizer` does it."""
    (directory / "config.json").write_text('{"model_type": "gpt2"}')
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    n_vocab = len(json.loads((directory / "vocab.json").read_text()))
    added = directory / "added_tokens.json"
    n_vocab += len(json.loads(added.read_text())) if added.exists() else 0

    def ids(text: str) -> list[int] | None:
        found = tokenizer(text)["input_ids"]
        return None if any(each >= n_vocab for each in found) else list(found)

    return ids


def with_gaps(directory: Path) -> Ids:
    """Bytes without a token are left out there, which the sheet refuses."""
    found, spelled = auto(directory), set(GAPS)

    def ids(text: str) -> list[int] | None:
        plain = text.replace(END, "")
        return found(text) if spelled >= {SPELLING[byte] for byte in plain.encode()} else None

    return ids


CHARACTERS = "\n !',.0123:?ABDabdeghiknoqrstuxy"
WIDE = CHARACTERS + "éあ日本、한я😀\u0301"
WORDS = [
    "the", "The", "quick", "Quick", "dog", "x", "b", "'s", "1", "12", "あ", "日本", "一", "<", ">",
    "[", "😀", "é", ".", ",", "a", "aa", "aaa", "UNK", "user", "!?", "...", "it", "'",
]  # fmt: skip


def looked_up(cut: Callable[[str], list[str]], otherwise: str = "") -> Callable[[Path], Ids]:
    """As lectures do it: `[stoi[each] for each in cut(text)]`."""

    def oracle(directory: Path) -> Ids:
        stoi = json.loads((directory / "stoi.json").read_text())

        def ids(text: str) -> list[int] | None:
            found = [stoi.get(each, stoi.get(otherwise)) for each in cut(text)]
            return None if None in found else found

        return ids

    return oracle


def stoi(tokens: Sequence[str]) -> dict[str, str]:
    return {"stoi.json": json.dumps({token: i for i, token in enumerate(tokens)})}


def word_level(splitting: pre_tokenizers.PreTokenizer, unk: bool) -> dict[str, str]:
    """`tokenizer.json` of a model of words, with special tokens."""
    ids = {word: i for i, word in enumerate([*WORDS, "[UNK]"])}
    tokenizer = tokenizers.Tokenizer(WordLevel(ids, "[UNK]" if unk else "nothing"))
    tokenizer.pre_tokenizer = splitting
    tokenizer.add_special_tokens(["[UNK]", "<user>", "x<", " b"])
    return {
        "tokenizer.json": tokenizer.to_str(),
        "tokenizer_config.json": '{"tokenizer_class": "PreTrainedTokenizerFast"}',
    }


def of_tokenizer_json(directory: Path) -> Ids:
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)

    def ids(text: str) -> list[int] | None:
        try:
            return list(tokenizer(text)["input_ids"])
        except Exception:  # without a token for unknown words
            return None

    return ids


TYPED_WORDS = (*(f" {word} " for word in WORDS), "  ", "\n", "the", "dog", "s", " < user>", " UNK ")
OF_WORD_LEVEL = (*TYPED_WORDS, "[UNK]", "<user>", "x<", " b", "_", "a_a", "é1")
ADDED = {each: len(BYTES) + 1 + i for i, each in enumerate(SPECIALS)}
KINDS = {
    "all bytes": Kind(two_files([*BYTES, END]), len(BYTES) + 1, (END,)),
    "gaps": Kind(two_files([*GAPS, END]), len(GAPS) + 1, (END, "X", "😀"), with_gaps),
    "specials": Kind(
        two_files([*BYTES, END], added_tokens__json=ADDED,
                  tokenizer_config__json={"pad_token": "<pad>", "unk_token": "Dog"}),
        len(BYTES) + 1 + len(ADDED),
        (*SPECIALS, *SPECIALS, END, "Dog", "<pad>", "<USER>", "'s", "<use"),
    ),
    "leading": Kind(
        two_files([*BYTES, END], tokenizer_config__json={"add_bos_token": True}),
        len(BYTES) + 1,
        (END,),
    ),
    "characters": Kind(stoi(CHARACTERS), len(CHARACTERS), tuple(CHARACTERS), looked_up(list)),
    "characters of several bytes": Kind(stoi(WIDE), len(WIDE), tuple(WIDE), looked_up(list)),
    "words": Kind(stoi(WORDS), len(WORDS), TYPED_WORDS, looked_up(str.split)),
    "words and one for others": Kind(
        stoi([*WORDS, "<unk>"]), len(WORDS) + 1, TYPED_WORDS, looked_up(str.split, "<unk>")
    ),
    "words by WhitespaceSplit": Kind(
        word_level(pre_tokenizers.WhitespaceSplit(), unk=True), len(WORDS) + 4, OF_WORD_LEVEL,
        of_tokenizer_json,
    ),
    "words by Whitespace": Kind(
        word_level(pre_tokenizers.Whitespace(), unk=True), len(WORDS) + 4, OF_WORD_LEVEL,
        of_tokenizer_json,
    ),
    "words by Whitespace, none for others": Kind(
        word_level(pre_tokenizers.Whitespace(), unk=False), len(WORDS) + 4, OF_WORD_LEVEL,
        of_tokenizer_json,
    ),
}  # fmt: skip

PIECES = (
    *("the", " the", "The", " THE", "quick", " Quick", "ing", "aaaa", "dog", "Dog", "x", " x", "b"),
    *("'s", "'S", "'re", "'ll", "'sx", "'", "’s", " ", "  ", "   ", "\n", "\n\n", "\t", " \n "),
    *("1", " 12", "3.14", ".", ", ", "!?", "...", "=1+1", "*", "?", "~", '"', "<", ">", "[", "]"),
    *("😀", "👩\u200d👧", "é", "É", "e\u0301", "あ", "日本", "、", "한국", "я", "\xa0", "\u3000"),
)


def prompts(kind: str, seed: int) -> Iterator[str]:
    draw = random.Random(seed)
    own = KINDS[kind].pieces
    pieces = PIECES + own * (2 + (len(own) > 20) * 4)
    while True:
        yield "".join(draw.choices(pieces, k=draw.choice((0, 1, 2, 3, 5, 8))))


@cache
def of(kind: str) -> tuple[PromptBook, Ids]:
    with TemporaryDirectory() as folder:
        directory = Path(folder)
        for name, text in KINDS[kind].files.items():
            (directory / name).write_text(text, encoding="utf-8")
        tokenizer = checkpoint.read_tokenizer(directory, KINDS[kind].n_vocab)
        oracle = (KINDS[kind].oracle or auto)(directory)
    return PromptBook(tokenizer, room_for(tokenizer, "", 24, 32)), oracle


def must_be_right(
    ids: list[int], message: str, prompt: str, wanted: list[int] | None, tokenizer: Tokenizer
) -> bool:
    """Whether the prompt fitted."""
    if wanted is None:
        unknown = tokenizer.unknown(prompt)
        assert unknown is not None and not ids and message, prompt
        assert f"“{unknown}”" in message or "Too long" in message or "too long" in message, prompt
        return False
    assert tokenizer.encode(prompt) == wanted, prompt
    if message:
        assert not ids and "oo long" in message, (prompt, message)
        return False
    assert ids == wanted, prompt
    return True


def compare(kind: str, count: int, seed: int) -> int:
    """How many prompts fitted; all of them were right."""
    book, oracle = of(kind)
    fitted = 0
    drawn = prompts(kind, seed)
    for number in range(count):
        prompt = next(drawn)
        units = list(Units)[number % len(Units)]
        shown = book.show(prompt, units)
        assert shown.errors == [], prompt
        fitted += must_be_right(shown.ids, shown.message, prompt, oracle(prompt), book.tokenizer)
    return fitted


@pytest.mark.parametrize("kind", KINDS)
def test_prompts_typed_into_the_cell(kind: str) -> None:
    assert compare(kind, 100, seed=1) > 40


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_thousand_prompts_typed_into_the_cell(kind: str) -> None:
    assert compare(kind, 1000, seed=2) > 400


@pytest.mark.usefixtures("libreoffice")
@pytest.mark.parametrize("kind", KINDS)
def test_libreoffice_finds_the_same(kind: str, tmp_path: Path) -> None:
    book, oracle = of(kind)
    save(book.book, book.live.values, tmp_path / "book.xlsx")
    drawn = prompts(kind, seed=3)
    typed = [p for p in (next(drawn) for _ in range(40)) if "\t" not in p][:12]
    with opened(tmp_path / "book.xlsx") as office:
        for prompt in typed:
            office.set({"prompt": prompt})
            ids, message = office.read(["tokens.id", "prompt.message"]).values()
            found = [int(each) for (each,) in ids if each != ""]
            must_be_right(found, message[0][0], prompt, oracle(prompt), book.tokenizer)
            assert office.errors() == []


def with_prompt(book: Book, prompt: str) -> Book:
    """The same book with another prompt in its cell; whatever else is stored stays as it was."""
    cell = book.names["prompt"]

    def typed(text: Text) -> Text:
        return replace(text, value=prompt) if text.area == cell else text

    first = replace(book.tabs[0], texts=[typed(each) for each in book.tabs[0].texts])
    return replace(book, tabs=[first, *book.tabs[1:]])


@pytest.mark.parametrize("kind", ["specials", "characters of several bytes", "words by Whitespace"])
def test_ironcalc_finds_the_same(kind: str, tmp_path: Path) -> None:
    """A prompt at a time is saved, with another one's tokens, and calculated."""
    book, oracle = of(kind)
    drawn = prompts(kind, seed=4)
    fitted = 0
    for prompt in [next(drawn) for _ in range(8)]:
        save(with_prompt(book.book, prompt), book.live.values, tmp_path / "book.xlsx")
        model = ironcalc.load_from_xlsx(str(tmp_path / "book.xlsx"), "en", "UTC", "en")
        model.evaluate()
        tabs = [each["name"] for each in model.get_worksheets_properties()]

        def read(name: str, tabs: list[str] = tabs, model: ironcalc.Model = model) -> list[object]:
            area = book.book.names[name]
            rows = range(area.top, area.bottom + 1)
            return [model.get_cell_value(tabs.index(area.tab), row, area.left) for row in rows]

        ids = [int(str(each).split(".")[0]) for each in read("tokens.id") if each not in (None, "")]
        message = str(read("prompt.message")[0] or "")
        fitted += must_be_right(ids, message, prompt, oracle(prompt), book.tokenizer)
    assert fitted > 2
