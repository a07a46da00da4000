"""What sheetgpt wrote into a file: its book, compiled again from what the file says of itself."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

import sheetgpt
from sheetgpt.book.book import Book
from sheetgpt.book.compile import compile_book
from sheetgpt.book.template import PLACE
from sheetgpt.book.words import StepWords, TabWords, Words, languages, load_words
from sheetgpt.check.file import ModelInFile
from sheetgpt.checkpoint.checkpoint import Checkpoint
from sheetgpt.checkpoint.tensor import Float32
from sheetgpt.errors import SheetGPTError
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.weights import kind, shapes

UNKNOWN = "\ue000"  # for private use: stands for words that only the file's own template has


def written(model: ModelInFile) -> tuple[Book | None, str]:
    """The book, with zeros for weights, which need no memory; and what must be said of it.

    None where the file does not say enough, or was written by another version.
    """
    said = model.said
    version = said.get("version", "")
    if version != sheetgpt.__version__:
        return None, (
            f"sheetgpt {version} wrote this file and this is {sheetgpt.__version__}, so formulas, "
            "names and labels are not compared with what was written"
        )
    words, note = _words(said.get("words", ""))
    prompt, new_tokens = "".join(model.texts("checks.prompt")), said.get("new_tokens", "")
    if model.tokenizer is None or not new_tokens.isdecimal():
        return None, (
            "what the file was built from is not in it any more, so formulas, names and labels are "
            "not compared with what was written"
        )
    try:
        book = compile_book(
            Checkpoint(
                model.name,
                model.config,
                _zeros(model),
                model.tokenizer,
                _missing(model.config, said.get("zeros", "").split()),
            ),
            prompt,
            model.room,
            words,
            int(new_tokens),
            manual=said.get("manual") == "true",
            extras=model.extras,
        )
    except (SheetGPTError, ValueError) as error:
        return None, f"what the file says of itself cannot be compiled again: {error}"
    return book, note


def _missing(config: Config, kinds: list[str]) -> tuple[str, ...]:
    """The biases that the model did not have: those of these kinds, in every block."""
    return tuple(name for name in shapes(config) if kind(name) in kinds)


def _zeros(model: ModelInFile) -> Mapping[str, Float32]:
    nothing = np.zeros((), dtype=np.float32)
    return {name: np.broadcast_to(nothing, shape) for name, shape in shapes(model.config).items()}


def _words(digest: str) -> tuple[Words, str]:
    """The words with this digest; where we have none, words that stand for any."""
    for language in languages():
        words = load_words(language)
        if words.digest == digest:
            return words, ""
    return _any_words(load_words("en")), (
        "the words come from a template that sheetgpt does not have, so labels and sentences are "
        "not compared with what was written"
    )


def _any_words(words: Words) -> Words:
    """As many words, of which nothing is known but the places where values are put in."""

    def unknown(text: str) -> str:
        return UNKNOWN + "".join(f"{{{place}}}" for place in PLACE.findall(text))

    return replace(
        words,
        steps={
            name: StepWords(unknown(said.title), unknown(said.why))
            for name, said in words.steps.items()
        },
        tabs={
            name: TabWords(unknown(said.title), unknown(said.about), unknown(said.why))
            for name, said in words.tabs.items()
        },
        labels={name: unknown(text) for name, text in words.labels.items()},
    )
