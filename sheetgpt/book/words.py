"""The words on the tabs: one TOML file a language in `templates/`, words only, no structure."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from sheetgpt.errors import SheetGPTError
from sheetgpt.formula.expr import Expr, Like, join
from sheetgpt.resources import resource


@dataclass(frozen=True)
class StepWords:
    title: str
    why: str


@dataclass(frozen=True)
class TabWords:
    """about: what happens on the tab; why: what it is good for."""

    title: str
    about: str
    why: str


@dataclass(frozen=True)
class Words:
    """Everything a template says, by the names of steps, tabs and labels."""

    language: str
    steps: Mapping[str, StepWords]
    tabs: Mapping[str, TabWords]
    labels: Mapping[str, str]

    def step(self, name: str) -> StepWords:
        return self.steps[name]

    def tab(self, name: str) -> TabWords:
        return self.tabs[name]

    def label(self, name: str, **parts: object) -> str:
        return self.labels[name].format(**parts)

    def sentence(self, name: str, **parts: Like) -> Expr:
        """A label as a formula that puts values from the sheet into its words."""
        pieces = re.split(r"\{(\w+)\}", self.labels[name])
        joined = [parts[piece] if i % 2 else piece for i, piece in enumerate(pieces)]
        return join(*(piece for piece in joined if piece != ""))


def languages() -> list[str]:
    """The languages that have a template."""
    return sorted(path.stem for path in resource("templates").glob("*.toml"))


def load_words(language: str) -> Words:
    """Read `templates/LANGUAGE.toml`; raises SheetGPTError where it is missing or broken."""
    path = resource("templates") / f"{language}.toml"
    try:
        with path.open("rb") as file:
            words = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SheetGPTError(
            f"{path}: the words of language '{language}' cannot be read ({error}); "
            f"choose one of {', '.join(languages())}"
        ) from error
    return Words(
        language,
        {name: StepWords(**step) for name, step in words["steps"].items()},
        {name: TabWords(**tab) for name, tab in words["tabs"].items()},
        words["labels"],
    )
