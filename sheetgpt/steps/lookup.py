"""Vocabularies without merges, as formulas: each word of the prompt, or each character, is a token.

A word is found letter by letter: from the root of a tree of all words each letter leads on to
another node (Fredkin 1960, "Trie memory"), and the node where the word ends has its id. A step is
one number, node * FACTOR + code, so that no look-up compares text.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sheetgpt.formula.expr import Expr, Number, Range, call, when
from sheetgpt.steps.characters import SPACE, reading, special
from sheetgpt.steps.tokenize import (
    Row,
    RowFormulas,
    Specials,
    Splitting,
    Table,
    found,
    unless_blank,
)

FACTOR = 1 << 21  # above every code point


@dataclass(frozen=True)
class Lookup:
    """What the formulas look up: plain numbers, sorted where they are searched.

    key: node * FACTOR + code of each step from a node to the next one, -1 first; the root is 0.
    next: the node that it leads to; beside -1 a node behind all, which no step leaves.
    id: of the word that ends at each node, in the order of the nodes; `unknown` where none does,
        or the token for such words.
    class_from, class_is: as `Tables` has them; of characters there is no need for any.
    unknown: the number of tokens: the id of what has none.
    specials, leading: as `Tables` has them.
    """

    key: Range
    next: Range
    id: Range
    classes: tuple[Range, Range] | None
    unknown: int
    specials: Specials | None = None
    leading: int | None = None
    unit: str = "characters"

    @property
    def splitting(self) -> Splitting:
        return Splitting(self.unit, self.specials is not None)


def looked_up(table: Table, prompt: Range, emoji: Range, lookup: Lookup) -> RowFormulas:
    """One row a character; the last one of each word has the id."""

    def formulas(index: int) -> Mapping[str, Expr]:
        above, here, below = table.row(index - 1), table.row(index), table.row(index + 1)
        if lookup.classes is None:
            of_character = _of_character(above, here, lookup)
        else:
            of_character = _of_word(above, here, below, prompt, lookup)
        of_character |= {
            "text": call("MID", prompt, here["position"], when(here["code"] > 0xFFFF, emoji, 1)),
            "count": above["count"] + when(here["id"].equals(""), 0, 1),
        }
        blank = {name: unless_blank(here["code"], tree) for name, tree in of_character.items()}
        return {**reading(above, here, prompt), **blank}

    return formulas


def _step(node: Expr, code: Expr, lookup: Lookup) -> Expr:
    """The node that a letter leads to, or the one behind all."""
    key = node * FACTOR + code
    place = when(found(key, lookup.key), call("MATCH", key, lookup.key, 1), 1)
    return call("INDEX", lookup.next, place)


def _of_character(above: Row, here: Row, lookup: Lookup) -> dict[str, Expr]:
    return {
        "word": above["word"] + 1,
        "id": call("INDEX", lookup.id, _step(Number(0), here["code"], lookup) + 1),
    }


def _of_word(above: Row, here: Row, below: Row, prompt: Range, lookup: Lookup) -> dict[str, Expr]:
    """Of special tokens only the last character has an id, and they lead through no nodes."""
    assert lookup.classes is not None
    class_from, class_is = lookup.classes
    kind = here["class"]
    its_class: Expr = call("INDEX", class_is, call("MATCH", here["code"], class_from, 1))
    starts: Expr = when(kind.equals(SPACE), 0, when(kind.differs(above["class"]), 1, 0))
    before = when(here["word"].equals(above["word"]), above["node"], 0)
    node: Expr = when(kind.equals(SPACE), "", _step(before, here["code"], lookup))
    ends = call("OR", below["word"].differs(here["word"]), below["class"].equals(SPACE))
    its_id: Expr = when(ends, call("INDEX", lookup.id, here["node"] + 1), "")
    its_id = unless_blank(here["node"], its_id)
    columns: dict[str, Expr] = {}
    if lookup.specials is not None:
        is_special, is_last = here["special"] > 0, here["to_come"].equals(1)
        of_special = call("INDEX", lookup.specials.id, here["special"])
        columns = special(above, here, prompt, lookup.specials)
        its_class = when(is_special, 0, its_class)
        starts = when(is_special, when(above["to_come"] > 1, 0, 1), starts)
        node = when(is_special, "", node)
        its_id = when(is_special, when(is_last, of_special, ""), its_id)
    word = above["word"] + starts
    return {**columns, "class": its_class, "word": word, "node": node, "id": its_id}


def first_unknown(table: Table, prompt: Range, unknown: int) -> Expr:
    """The text of the first word, or character, that has no token."""
    last = call("MATCH", float(unknown), table["id"], 0)
    first = call("MATCH", call("INDEX", table["word"], last), table["word"], 0)
    begin, end = (call("INDEX", table["position"], place) for place in (first, last))
    return call("MID", prompt, begin, end - begin + call("LEN", call("INDEX", table["text"], last)))
