"""The words of the lessons: one TOML file a language in `templates/lessons/`."""

from functools import cache
from pathlib import Path

from sheetgpt.book.template import MODEL
from sheetgpt.book.words import Words, read_words
from sheetgpt.resources import resource


def path_of(language: str) -> Path:
    return resource("templates") / "lessons" / f"{language}.toml"


def languages() -> list[str]:
    """The languages that the lessons speak."""
    return sorted(path.stem for path in path_of(MODEL).parent.glob("*.toml"))


@cache
def load_words(language: str) -> Words:
    """The words in one of these languages."""
    return read_words(path_of(language), like=path_of(MODEL))
