"""Checkpoints and prompts that nobody has seen: built, and checked from the saved file."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sheetgpt.book.book import Book
from sheetgpt.book.calculate import calculate
from sheetgpt.book.page import Page
from sheetgpt.book.words import load_words
from sheetgpt.build import Order, build_workbook
from sheetgpt.calculate.units import Units
from sheetgpt.check import check
from sheetgpt.check.engines import by_numpy
from sheetgpt.check.file import ModelInFile
from sheetgpt.check.formulas import Formulas
from sheetgpt.check.report import StepResult
from sheetgpt.check.tries import tried
from sheetgpt.checkpoint import checkpoint
from sheetgpt.checkpoint.config_file import OURS
from sheetgpt.errors import CheckpointError, PromptError
from sheetgpt.formula.cells import Area
from sheetgpt.gpt2 import reference
from sheetgpt.gpt2.tokens import END_OF_TEXT, SPELLING, Tokenizer
from sheetgpt.office import libreoffice as office
from sheetgpt.steps.block import ACTIVATIONS
from sheetgpt.steps.tokenize import Room
from sheetgpt.xlsx.read import Workbook, read
from sheetgpt.xlsx.write import save
from tests.places import CHECKPOINTS
from tests.prompt_book import PromptBook
from tests.safetensors_file import write_tensors

MERGES = ["Ġ t", "h e", "Ġt he", "i n", "in g", "a a", "aa aa", "' s", "1 2", "Ã ©", "e r", "er e"]


@dataclass(frozen=True)
class Shape:
    """A random GPT-2: its configuration, and how it is stored."""

    n_layer: int = 1
    n_embd: int = 4
    n_head: int = 1
    n_ctx: int = 16
    n_inner: int | None = None
    activation: str = "gelu_new"
    epsilon: float = 1e-5
    n_merges: int = len(MERGES)
    tied: bool = True
    prefix: str = "transformer."
    dtype: str = "float32"
    shards: int = 1
    more: dict[str, Any] = field(default_factory=dict)  # in config.json

    def write(self, directory: Path) -> Path:
        directory.mkdir()
        tokens = [*SPELLING.values(), *(m.replace(" ", "") for m in MERGES[: self.n_merges])]
        tokens.append(END_OF_TEXT)
        inner = self.n_inner or 4 * self.n_embd
        config = {
            "model_type": "gpt2", "vocab_size": len(tokens), "n_positions": self.n_ctx,
            "n_embd": self.n_embd, "n_head": self.n_head, "n_layer": self.n_layer,
            "n_inner": self.n_inner, "activation_function": self.activation,
            "layer_norm_epsilon": self.epsilon, "tie_word_embeddings": self.tied, **self.more,
        }  # fmt: skip
        (directory / "config.json").write_text(json.dumps(config))
        (directory / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(tokens)}))
        lines = ["#version: 0.2", *MERGES[: self.n_merges], ""]
        (directory / "merges.txt").write_text("\n".join(lines), encoding="utf-8")
        d = self.n_embd
        shapes = {"wte.weight": (len(tokens), d), "wpe.weight": (self.n_ctx, d)}
        for b in range(self.n_layer):
            shapes |= {
                f"h.{b}.ln_1.weight": (d,), f"h.{b}.ln_1.bias": (d,),
                f"h.{b}.attn.c_attn.weight": (d, 3 * d), f"h.{b}.attn.c_attn.bias": (3 * d,),
                f"h.{b}.attn.c_proj.weight": (d, d), f"h.{b}.attn.c_proj.bias": (d,),
                f"h.{b}.ln_2.weight": (d,), f"h.{b}.ln_2.bias": (d,),
                f"h.{b}.mlp.c_fc.weight": (d, inner), f"h.{b}.mlp.c_fc.bias": (inner,),
                f"h.{b}.mlp.c_proj.weight": (inner, d), f"h.{b}.mlp.c_proj.bias": (d,),
            }  # fmt: skip
        shapes |= {"ln_f.weight": (d,), "ln_f.bias": (d,)}
        stored = {self.prefix + name: shape for name, shape in shapes.items()}
        if not self.tied:
            stored["lm_head.weight"] = (len(tokens), d)
        self._write_tensors(directory, stored)
        return directory

    def _write_tensors(self, directory: Path, shapes: dict[str, tuple[int, ...]]) -> None:
        random = np.random.default_rng(sum(map(ord, repr(self))))
        names = list(shapes)
        places = {}
        for shard in range(self.shards):
            tensors = {}
            for name in names[shard :: self.shards]:
                values = random.normal(0, 0.4, shapes[name]).astype(np.float32)
                if self.dtype == "bfloat16":
                    tensors[name] = (values.view(np.uint32) >> 16).astype(np.uint16)
                else:
                    tensors[name] = values.astype(self.dtype)
            file = f"model-{shard + 1:05}-of-{self.shards:05}.safetensors"
            file = file if self.shards > 1 else "model.safetensors"
            places |= dict.fromkeys(tensors, file)
            write_tensors(directory / file, tensors)
        if self.shards > 1:
            index = json.dumps({"weight_map": places})
            (directory / "model.safetensors.index.json").write_text(index)


UNSEEN = {
    "deep": Shape(n_layer=4, n_embd=4, n_head=2),
    "wide": Shape(n_embd=40, n_head=5),
    "one number a head": Shape(n_embd=6, n_head=6),
    "one number": Shape(n_embd=1, n_head=1, n_inner=1),
    "narrow MLP": Shape(n_embd=6, n_head=2, n_inner=3),
    "relu": Shape(activation="relu", n_layer=2),
    "gelu": Shape(activation="gelu", n_layer=2),
    "gelu_pytorch_tanh": Shape(activation="gelu_pytorch_tanh", epsilon=0.01),
    "a head of its own": Shape(tied=False, prefix=""),
    "float16": Shape(dtype="float16", prefix=""),
    "bfloat16": Shape(dtype="bfloat16", tied=False),
    "float64": Shape(dtype="float64"),
    "sharded": Shape(shards=3, n_layer=2),
    "no merges": Shape(n_merges=0),
    "one token of context": Shape(n_ctx=1),
    "two tokens of context": Shape(n_ctx=2),
    "more context than rows": Shape(n_ctx=80),
    "a small epsilon": Shape(epsilon=1e-12),
}


def build(directory: Path, prompt: str, path: Path, **order: Any) -> Path:
    build_workbook(checkpoint.load(directory), Order(prompt, **order), path)
    return path


def build_small(directory: Path, prompt: str, path: Path) -> Path:
    """A workbook with room for this prompt and no more: the fewest formulas."""
    units = len(prompt.encode("utf-16-le")) // 2
    n_tokens = len(checkpoint.load(directory).tokenizer.encode(prompt))
    return build(directory, prompt, path, prompt_length=units, context=n_tokens, new_tokens=1)


def expect_to_hold(path: Path, engine: str = "numpy", **more: Any) -> None:
    report = check(path, engine, **more)
    assert report.holds, report.first_problem
    assert report.error < 1e-9


@pytest.mark.parametrize("name", UNSEEN)
def test_unseen_checkpoints(tmp_path, name):
    directory = UNSEEN[name].write(tmp_path / "model")
    short = "a" if UNSEEN[name].n_ctx < 3 else "in the"
    few = {"context": min(UNSEEN[name].n_ctx, 6), "prompt_length": 8, "new_tokens": 2}
    path = build(directory, short, tmp_path / "a.xlsx", **few)
    expect_to_hold(path, "numpy", checkpoint=checkpoint.load(directory))


def test_an_activation_is_known_everywhere():
    assert set(OURS) == set(ACTIVATIONS) == set(reference.ACTIVATIONS)


@pytest.mark.parametrize("activation", OURS)
def test_labels_of_every_activation_are_compared(tmp_path, activation):
    """The words of step 14 are the activation's own, and the template is known all the same."""
    directory = Shape(activation=activation).write(tmp_path / "model")
    path = build_small(directory, "a", tmp_path / "a.xlsx")
    report = check(path, tries=0)
    assert report.holds
    assert report.notes == []


@pytest.mark.parametrize("name", ["deep", "gelu", "relu", "a head of its own", "one number"])
def test_unseen_checkpoints_in_libreoffice(tmp_path, libreoffice, name):
    directory = UNSEEN[name].write(tmp_path / "model")
    path = build(directory, "in the", tmp_path / "a.xlsx", context=6, prompt_length=8)
    expect_to_hold(path, "libreoffice")


@pytest.mark.parametrize("name", ["openai", "padded", "plain", "sharded", "shuffled"])
def test_recorded_checkpoints(tmp_path, name):
    """Their logits are transformers' own: the workbook's stored values are as good as those."""
    recorded = json.loads((CHECKPOINTS / name / "expected.json").read_text())
    path = build_small(CHECKPOINTS / name, recorded["prompt"], tmp_path / "a.xlsx")
    expect_to_hold(path, checkpoint=checkpoint.load(CHECKPOINTS / name))
    book = read(path)
    ids = book.values.read(book.names["tokens.id"])[:, 0]
    logits = book.values.read(book.names["logits"])
    n = len(recorded["ids"])
    assert ids[:n].tolist() == recorded["ids"]
    assert np.allclose(logits[:, n - 1].astype(float), recorded["logits"][-1], atol=1e-4)
    assert book.values.read(book.names["predicted.id"]) == recorded["completion"][0]


PROMPTS = {
    "one token": "a",
    "a formula": "=1+1",
    "a link": '=HYPERLINK("http://x","y")',
    "a formula of another kind": "+1",
    "an apostrophe": "'quoted",
    "digits": "007",
    "a number": "1e5",
    "a truth": "TRUE",
    "an error": "#N/A",
    "a space before": " leading space",
    "spaces behind": "a  ",
    "only spaces": "   ",
    "what looks like an escape": "a_x0041_b",
    "an escape of an escape": "_x005F_x0041_",
    "signs of XML": "<a href=\"x\">&amp;'</a>",
    "the end of CDATA": "]]>",
    "emoji": "😀👍🏽 a",
    "accents": "é e\u0301 ñ",
    "Korean": "안녕",
    "a no-break space": "a\xa0b",
    "a line feed": "a\nb",
    "a tab": "a\tb",
    "line feed and tab": "a\nb\tc",
    "line breaks of Windows": "a\r\nb",
    "a carriage return": "a\rb",
    "a lone contraction": "it's",
    "beyond the basic plane": "𝔘",
    "the end of text": "<|endoftext|>",
    "a formula's own sign": '"&A1&"',
}  # fmt: skip


@pytest.fixture(scope="module")
def all_prompts(tmp_path_factory: pytest.TempPathFactory) -> Workbook:
    """A saved workbook that has each prompt in a cell like that of `start`."""
    names: dict[str, Area] = {}
    page = Page("start", names, load_words("en"), "start", "start")
    for row, prompt in enumerate(PROMPTS.values(), start=5):
        page.write(row, 2, prompt, "input")
        page.define(f"prompt_{row}_", page.area(row, 2))
    book = Book([page.finished(link_to=[page])], names)
    path = tmp_path_factory.mktemp("prompts") / "a.xlsx"
    save(book, calculate(book), path)
    return read(path)


@pytest.fixture(scope="module")
def prompt_book() -> PromptBook:
    tokenizer = checkpoint.load(CHECKPOINTS / "padded").tokenizer
    return PromptBook(tokenizer, Room(characters=32, bytes=48, rounds=8, tokens=32))


@pytest.mark.parametrize("name", PROMPTS)
def test_prompts(name, all_prompts, prompt_book):
    """A prompt is text, whatever it looks like: it comes out of the file as it went in."""
    prompt = PROMPTS[name]
    row = 5 + [*PROMPTS].index(name)
    assert all_prompts.values.read(all_prompts.names[f"prompt_{row}_"]) == prompt
    assert all_prompts.formulas == []
    shown = prompt_book.show(prompt, Units.UTF16)
    assert shown.ids == prompt_book.tokenizer.encode(prompt)
    assert (shown.message, shown.errors) == ("", [])


@pytest.fixture(scope="module")
def typed(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], tuple[StepResult, list[Any]]]:
    """Types a prompt into a whole workbook, and compares everything that follows from it."""
    path = tmp_path_factory.mktemp("typed") / "a.xlsx"
    order = {"context": 32, "prompt_length": 32, "new_tokens": 1}
    workbook = read(build(CHECKPOINTS / "padded", "a", path, **order))
    model = ModelInFile(path, workbook)
    again = by_numpy(model, Formulas(workbook), []).again
    assert again is not None

    def type_(prompt: str) -> tuple[StepResult, list[Any]]:
        result = tried(model, {"prompt": prompt}, prompt, [*model.records], again)
        ids = model.shown("tokens.id")
        assert ids is not None
        return result, ids[:, 0].tolist()

    return type_


@pytest.mark.parametrize("name", PROMPTS)
def test_prompts_in_a_whole_workbook(name, typed):
    result, ids = typed(PROMPTS[name])
    assert not result.problem
    assert result.error < 1e-9
    expected = checkpoint.load(CHECKPOINTS / "padded").tokenizer.encode(PROMPTS[name])
    assert ids == expected + [""] * (len(ids) - len(expected))


BUILT = ["a formula's own sign", "a link", "beyond the basic plane", "a tab"]


@pytest.mark.parametrize("name", BUILT)
def test_whole_workbooks_built_with_a_prompt(tmp_path, name):
    path = build_small(CHECKPOINTS / "padded", PROMPTS[name], tmp_path / "a.xlsx")
    report = check(path, "cached")
    assert report.holds, report.first_problem
    assert report.prompt == PROMPTS[name]
    expected = checkpoint.load(CHECKPOINTS / "padded").tokenizer.encode(PROMPTS[name])
    book = read(path)
    assert np.ravel(book.values.read(book.names["tokens.id"])).tolist() == expected
    assert not any("http:" in formula.text for formula in book.formulas)


def test_prompts_in_libreoffice(tmp_path, libreoffice):
    """Typed into one workbook, one after another."""
    path = build(CHECKPOINTS / "padded", "a", tmp_path / "a.xlsx", prompt_length=40, new_tokens=1)
    tokenizer = checkpoint.load(CHECKPOINTS / "padded").tokenizer
    with office.opened(path) as document:
        for name, prompt in PROMPTS.items():
            if "\r" in prompt or "\n" in prompt:  # typed, these become line feeds
                continue
            document.set({"prompt": prompt})
            document.calculate()
            shown = document.read(["prompt", "tokens.id", "n_tokens", "start.message"])
            ids = [i for (i,) in shown["tokens.id"][: int(shown["n_tokens"][0][0])]]
            assert ids == tokenizer.encode(prompt), (name, shown)
            assert shown["prompt"] == [[prompt]]
            assert document.errors() == []


@pytest.mark.parametrize("name", ["a carriage return", "what looks like an escape"])
def test_written_prompts_in_libreoffice(tmp_path, libreoffice, name):
    path = build_small(CHECKPOINTS / "padded", PROMPTS[name], tmp_path / "a.xlsx")
    expect_to_hold(path, "libreoffice")


def test_a_prompt_that_fills_the_context(tmp_path):
    report = check(build_small(CHECKPOINTS / "padded", "x" * 32, tmp_path / "a.xlsx"))
    assert report.holds
    assert report.n_tokens == 32


def test_an_empty_prompt(tmp_path):
    """It begins with the token that ends texts, where the vocabulary has one."""
    path = build(CHECKPOINTS / "plain", "", tmp_path / "a.xlsx", context=3, prompt_length=4)
    report = check(path)
    assert report.holds, report.first_problem
    assert (report.prompt, report.n_tokens) == ("", 1)

    plain = checkpoint.load(CHECKPOINTS / "plain")
    tokens = [token.replace("<|endoftext|>", "<|other|>") for token in plain.tokenizer.tokens]
    other = replace(plain, tokenizer=Tokenizer.from_tables(tokens, plain.tokenizer.merges))
    with pytest.raises(PromptError) as caught:
        build_workbook(other, Order(""), tmp_path / "b.xlsx")
    assert str(caught.value) == (
        "the prompt is empty, and the vocabulary has no <|endoftext|> to start from; "
        "give a prompt with --prompt"
    )


def test_prompts_beyond_the_context(tmp_path):
    def refusal(**order: Any) -> str:
        with pytest.raises(PromptError) as caught:
            build(CHECKPOINTS / "padded", path=tmp_path / "a.xlsx", **order)
        return str(caught.value)

    assert refusal(prompt="x" * 33) == "the prompt has 33 tokens, but 32 fit; shorten it"
    assert refusal(prompt="x" * 9, context=8) == (
        "the prompt has 9 tokens, but 8 fit; give --context 9, or shorten it"
    )
    assert refusal(prompt="x" * 9, prompt_length=8) == (
        "the prompt has 9 characters, but 8 fit; give --prompt-length 9, or shorten it"
    )
    assert refusal(prompt="a", context=33) == (
        "a context of 33 tokens was asked for, but padded reads at most 32; "
        "give --context 32 or less"
    )
    assert refusal(prompt="a\x07b") == (
        "the prompt's character 2 is the control character U+0007, which no workbook can hold; "
        "leave it out"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_long_prompt(tmp_path):
    """Longer than the cell has room for unless somebody asks."""
    prompt = ("quick " * 20)[:66]
    report = check(build_small(CHECKPOINTS / "plain", prompt, tmp_path / "a.xlsx"))
    assert report.holds
    assert report.prompt == prompt


@pytest.mark.parametrize(
    "character", ["\x00", "\x08", "\x0b", "\x1f", "\ufffe", "\uffff", "\ud800"]
)
def test_characters_that_no_file_can_hold(tmp_path, character):
    with pytest.raises(PromptError):
        build(CHECKPOINTS / "padded", f"a{character}", tmp_path / "a.xlsx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "order", "sentence"),
    [
        (
            {"n_embd": 6000},
            {},
            "padded: h.0.attn.c_attn needs 18000 columns, but a sheet has "
            "16384; take a smaller --context, a shorter prompt or a smaller model",
        ),
        (
            {"n_inner": 20_000},
            {},
            "padded: h.0.mlp.c_fc needs 20000 columns, but a sheet has 16384; "
            "take a smaller --context, a shorter prompt or a smaller model",
        ),
        (
            {"n_head": 50, "n_ctx": 1024},
            {"context": 1024},
            "padded: h.0.attn.scores needs 51200 columns, but a sheet has "
            "16384; take a smaller --context, a shorter prompt or a smaller model",
        ),
        (
            {"n_vocab": 1_048_576},
            {},
            "padded: the vocabulary of 1048576 tokens needs 1048676 rows, but a sheet has 1048576; "
            "take a model with a smaller vocabulary",
        ),
    ],
)
def test_models_too_large_for_a_sheet(tmp_path, changes, order, sentence):
    padded = checkpoint.load(CHECKPOINTS / "padded")
    large = replace(padded, config=replace(padded.config, **changes), weights={})
    with pytest.raises(CheckpointError) as caught:
        build_workbook(large, Order("a", **order), tmp_path / "a.xlsx")
    assert str(caught.value) == sentence
    assert list(tmp_path.iterdir()) == []
