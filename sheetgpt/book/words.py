"""The words on the tabs: one TOML file a language in `templates/`, words only, no structure."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property
from pathlib import Path

from sheetgpt.book.template import PLACE, path_of, read_template
from sheetgpt.errors import TemplateError
from sheetgpt.formula.expr import Expr, Like, call, join, when
from sheetgpt.resources import resource

_BIT = re.compile(r"(rank|id)_(\d+)")


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

    steps: Mapping[str, StepWords]
    tabs: Mapping[str, TabWords]
    labels: Mapping[str, str]

    @cached_property
    def digest(self) -> str:
        """What tells these words from any others: 16 digits of SHA-256."""
        said = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def step(self, name: str) -> StepWords:
        return self.steps[name]

    def tab(self, name: str) -> TabWords:
        return self.tabs[name]

    def label(self, name: str, **parts: object) -> str:
        return self.labels[name].format(**parts)

    def column(self, name: str) -> str:
        """A column's heading; columns for each bit, such as `rank_3`, share one with a number."""
        bit = _BIT.fullmatch(name)
        if bit is None:
            return self.label(f"column {name}")
        return self.label(f"column {bit[1]}_n", number=f"{2 ** int(bit[2]):,}")

    def of_activation(self, name: str) -> "Words":
        """The same words, but step 14 is called what it computes; its name stays `mlp.gelu`."""
        own = self.steps.get(f"activation.{name}")  # what has none is a kind of GELU
        return replace(self, steps={**self.steps, "h.b.mlp.gelu": own}) if own else self

    def sentence(self, name: str, **parts: Like) -> Expr:
        """A label as a formula that puts values from the sheet into its words."""
        pieces = PLACE.split(self.labels[name])
        joined = [parts[piece] if i % 2 else piece for i, piece in enumerate(pieces)]
        return join(*(piece for piece in joined if piece != ""))


def percent(share: Expr, digits: int) -> Expr:
    """A share in per cent, for a sentence: what is too small for its digits is not nothing."""
    least = 10.0**-digits
    rounded = call("ROUND", 100 * share, digits)
    return when(100 * share < least, f"< {least:g}", rounded)


def languages() -> list[str]:
    """The languages that have a template."""
    return sorted(path.stem for path in resource("templates").glob("*.toml"))


@cache
def load_words(language: str) -> Words:
    """The words of one of our templates; raises TemplateError where there is none."""
    if language not in languages():
        raise TemplateError(
            f"there are no words in language '{language}'; choose one of {', '.join(languages())}"
        )
    return read_words(path_of(language))


def read_words(path: Path, like: Path | None = None) -> Words:
    """The words of any template; raises TemplateError where one of its texts cannot be used.

    like: the template that says which texts there are, if not the one of the model's workbook.
    """
    texts = read_template(path, like)

    def names(table: str) -> list[str]:
        return list(dict.fromkeys(key[1] for key in texts if key[0] == table))

    return Words(
        {
            name: StepWords(*(texts["steps", name, part] for part in ("title", "why")))
            for name in names("steps")
        },
        {
            name: TabWords(*(texts["tabs", name, part] for part in ("title", "about", "why")))
            for name in names("tabs")
        },
        {name: texts["labels", name] for name in names("labels")},
    )
