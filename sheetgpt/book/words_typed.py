"""Yellow cells for words, and the token of the vocabulary that each of them is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from sheetgpt.book.looks import heading_over
from sheetgpt.book.page import Page
from sheetgpt.formula.expr import Expr, Range, call, when
from sheetgpt.steps import neighbours as formulas

LOOKS = {"token": "token", "id": "integer", "spaced": "integer", "typed": "integer"}
LETTERS = "abc"  # what several words are called
EXAMPLES = {  # where the vocabulary has all of them
    "word": ["quick"], "sum": ["Paris", "France", "Spain"], "pair": ["quick", "quiet"],
}  # fmt: skip


@dataclass(frozen=True)
class Vocabulary:
    """Of every token the text, the id and its row of `wte`."""

    texts: Range
    ids: Range
    wte: Range

    def text(self, identifier: Range) -> Expr:
        return when(identifier.equals(""), "", call("INDEX", self.texts, identifier + 1))

    def row(self, identifier: Range) -> Expr:
        """[n_embd, 1]: the token's row, as a column."""
        return call("INDEX", self.wte, identifier + 1, 0).T


@dataclass(frozen=True)
class TypedWords:
    """The ids of the tokens that were typed; blank where a word is none."""

    ids: Range

    @property
    def each(self) -> Sequence[Range]:
        return [Range(self.ids.area.row(index)) for index in range(self.ids.area.shape[0])]

    @property
    def some_missing(self) -> Expr:
        return call("COUNT", self.ids) < self.ids.area.shape[0]

    def when_all(self, tree: Expr) -> Expr:
        """A formula that is blank where a word is no token."""
        return when(self.some_missing, "", tree)


def typed_words(
    page: Page, part: str, examples: Sequence[str], vocabulary: Vocabulary
) -> TypedWords:
    """A row for each word, below headings; the cursor moves below them.

    A word is looked for as it stands within a text, with a space before it, and then as typed.
    """
    label, top, n = page.words.label, page.row + 1, len(examples)
    page.write(page.row, 1, label(f"neighbours {part}"), "heading")
    areas = {}
    for column, (name, look) in enumerate({**LOOKS, "note": "message"}.items(), start=2):
        if name != "note":
            page.write(page.row, column, label(f"column {name}"), heading_over(look))
        areas[name] = page.define(f"neighbours.{part}.{name}", page.area(top, column, n)).area
    for index, example in enumerate(examples):
        letter = f".{LETTERS[index]}" if n > 1 else ""
        cell = page.define(f"neighbours.{part}{letter}", page.area(top + index, 1))
        page.write_input(cell.area, example, "word")
        here = {name: Range(area.row(index)) for name, area in areas.items()}
        is_empty = call("LEN", cell).equals(0)
        unknown = when(here["id"].equals(""), label("neighbours unknown"), "")
        trees = {
            "spaced": formulas.identifier(formulas.spaced(cell), vocabulary.texts, vocabulary.ids),
            "typed": formulas.identifier(cell, vocabulary.texts, vocabulary.ids),
            "id": when(here["spaced"].equals(""), here["typed"], here["spaced"]),
            "token": vocabulary.text(here["id"]),
            "note": when(is_empty, label("neighbours empty"), unknown),
        }
        for name, tree in trees.items():
            page.compute(here[name].area, tree, LOOKS.get(name, "message"))
    page.row = top + n + 1
    return TypedWords(Range(areas["id"]))


def examples(texts: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Words to begin with, of each part: ours, or else three that the vocabulary has."""
    known = {text.removeprefix(formulas.SPACE) for text in texts}
    if known.issuperset(chain(*EXAMPLES.values())):
        return EXAMPLES
    some = sorted(text for text in known if text.isascii() and text.isalpha())[-3:]
    three = [*some, "", "", ""]
    return {part: three[: len(words)] for part, words in EXAMPLES.items()}
