"""Completion and sampling inside the workbook, against `gpt2/sampling.py`."""

from pathlib import Path

import numpy as np
import pytest

from sheetgpt.book.calculate import calculate
from sheetgpt.book.compile import compile_book
from sheetgpt.book.prompt import room_for
from sheetgpt.book.words import load_words
from sheetgpt.checkpoint import checkpoint
from sheetgpt.checkpoint.checkpoint import Checkpoint
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.sampling import Controls, complete
from sheetgpt.gpt2.tokens import SPELLING, Tokenizer
from sheetgpt.gpt2.weights import shapes
from sheetgpt.office import libreoffice as office
from sheetgpt.xlsx.write import save
from tests.live import Live

CONTEXT = 12  # the longest prompt has six tokens, and at most six are written
PROMPTS = (
    "Mike is quick. He moves", "The capital of France is", "Monday, Tuesday,", "2 + 3 =", "Sara",
    "", "What colour is the hat?", "日本",
)  # fmt: skip


def live(model: Checkpoint, prompt: str, context: int, new_tokens: int) -> Live:
    room = room_for(model.tokenizer, prompt, context)
    book = compile_book(model, prompt, room, load_words("en"), new_tokens)
    return Live(book, calculate(book))


@pytest.fixture(scope="module")
def model(nano: Path) -> Checkpoint:
    return checkpoint.load(nano)


@pytest.fixture(scope="module")
def writing(model: Checkpoint) -> Live:
    return live(model, PROMPTS[0], CONTEXT, 4)


def wanted(model: Checkpoint, prompt: str, n: int, how: Controls) -> tuple[list[int], str]:
    end = model.tokenizer.end_of_text
    ids = model.tokenizer.encode(prompt) or [end]
    written = complete(model.config, model.weights, ids, n, end, how, CONTEXT).ids
    return written, model.tokenizer.decode([i for i in written if i != end])


def combinations(n: int, seed: int) -> list[tuple[str, int, Controls]]:
    generator = np.random.default_rng(seed)

    def one_of(*values: float) -> float:
        return float(generator.choice(values))

    return [
        (
            PROMPTS[int(generator.integers(len(PROMPTS)))],
            int(one_of(1, 3, 6)),
            Controls(
                one_of(0, 0.5, 1, 2, 8),
                int(one_of(0, 1, 2, 40, 5000)),
                one_of(0, 0.3, 0.9, 0.99, 1),
                int(generator.integers(1_000_000)),
            ),
        )
        for _ in range(n)
    ]


def cells(prompt: str, n: int, how: Controls) -> dict[str, str | float]:
    return {
        "prompt": prompt,
        "new_tokens": float(n),
        "temperature": how.temperature,
        "top_k": float(how.top_k),
        "top_p": how.top_p,
        "seed": float(how.seed),
    }


def check_choices(writing: Live, model: Checkpoint, combination: tuple[str, int, Controls]) -> None:
    writing.set(**cells(*combination))
    ids, text = wanted(model, *combination)
    assert [i for i in writing.read("choice.id") if i not in ("", None)] == ids
    assert writing.read("completion") == writing.read("start.completion") == [text]
    assert [*writing.errors()] == []


@pytest.mark.parametrize("combination", combinations(12, 1), ids=str)
def test_sheet_chooses_as_numpy_does(
    writing: Live, model: Checkpoint, combination: tuple[str, int, Controls]
) -> None:
    check_choices(writing, model, combination)


@pytest.mark.slow
@pytest.mark.parametrize("combination", combinations(200, 2), ids=str)
def test_sheet_always_chooses_as_numpy_does(
    writing: Live, model: Checkpoint, combination: tuple[str, int, Controls]
) -> None:
    check_choices(writing, model, combination)


def test_candidates_tell_where_the_random_number_falls(writing: Live) -> None:
    writing.set(**cells("Sara", 5, Controls(2.0, 40, 0.9, 11)))
    ranks = len(writing.read("start.likeliest.token"))
    uniform = [u for u in writing.read("choice.uniform") if u != ""]
    columns = {
        name: writing.read(f"candidates.{name}") for name in ("from", "to", "after", "taken")
    }
    assert len(uniform) == 5
    for draw, number in enumerate(uniform):
        for row in range(draw * ranks, (draw + 1) * ranks):
            begin, end, after = (columns[name][row] for name in ("from", "to", "after"))
            falls_here = after != 0 and begin <= number < end
            assert (columns["taken"][row] == "◀") == falls_here


def test_the_sheet_in_libreoffice(
    libreoffice: None, writing: Live, model: Checkpoint, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("sample") / "nano.xlsx"
    save(writing.book, writing.values, path)
    with office.opened(path) as document:
        for combination in combinations(20, 3):
            document.set(cells(*combination))
            found = document.read(["choice.id", "completion"])
            ids, text = wanted(model, *combination)
            assert [row[0] for row in found["choice.id"] if row[0] != ""] == ids, combination
            assert found["completion"] == [[text]], combination
        assert document.errors() == []


# --- characters that span tokens ------------------------------------------------------------------


def reciting(text: bytes) -> Checkpoint:
    """A model of single bytes that recites `text`: each token's row points at the next token.

    Every byte of the text must be another one.
    """
    assert len(set(text)) == len(text)
    tokens = [*SPELLING.values(), "<|endoftext|>"]
    config = Config(len(tokens), 32, 64, 1, 1, 4, 1e-5, "relu", False)
    weights = {name: np.zeros(shape, dtype=np.float32) for name, shape in shapes(config).items()}
    rows = np.random.default_rng(0).normal(size=(len(tokens), 64))
    rows -= rows.mean(axis=1, keepdims=True)
    weights["wte"] = rows.astype(np.float32)
    weights["ln_f.g"] += 1
    follows = dict(zip([256, *text], [*text, 256], strict=True))
    for before, after in follows.items():
        weights["lm_head.w"][after] = rows[before]
    return Checkpoint("recite", config, weights, Tokenizer.from_tables(tokens, []))


@pytest.mark.parametrize(
    "text",
    [
        "né".encode(),
        "a日!".encode(),
        "😀".encode(),
        "日".encode()[:2],
        "日".encode()[:2] + b"a",
        b"a\x80b",
        b"a\x01\tb",
    ],
    ids=ascii,
)
def test_characters_become_whole(text: bytes) -> None:
    model = reciting(text)
    written = live(model, "", 8, len(text) + 1)
    assert written.read("completion") == [text.decode(errors="replace")]
    assert [*written.errors()] == []
