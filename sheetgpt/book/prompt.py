"""The tab `prompt to tokens`: byte-pair encoding, stage by stage, from left to right."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from sheetgpt.book.page import Page
from sheetgpt.formula.expr import Expr, Range, Text, call, when
from sheetgpt.steps.tokenize import (
    BYTES,
    CHARACTERS,
    ROUND,
    Room,
    RowFormulas,
    Table,
    Tables,
    Use,
    characters,
    counted,
    merges,
    use,
    utf8,
)

TOP = 11  # the row of column headings; the starting constants stand below it, then the rows
TOKENS, STAGES = 3, 5  # the columns where the tokens end and the stages begin

LOOKS = {"character": "token", "text": "token"}


@dataclass(frozen=True)
class Prompt:
    """What the rest of the book reads: a column each of numbers, texts and ids, and how many."""

    page: Page
    number: Range
    text: Range
    id: Range
    n_tokens: Range
    message: Range


def prompt_page(page: Page, prompt: Range, texts: Range, tables: Tables, room: Room) -> Prompt:
    """Lay out every stage, and the tokens that come of it at the left."""
    page.frozen = (TOP + 1, TOKENS)
    stages = _Stages(page)
    letters = stages.table("characters", CHARACTERS, room.characters)
    stages.formulas(letters, characters(letters, prompt, tables))
    units = stages.table("bytes", BYTES, room.bytes)
    stages.formulas(units, utf8(units, letters, tables))
    before: Table | None = None
    for number in range(1, room.rounds + 1):
        parts = stages.table(f"round_{number}", ROUND, room.bytes, "round", number=number)
        stages.formulas(parts, merges(parts, before, units, tables, texts))
        before = parts
    assert before is not None
    count = stages.table("parts", {"count": 0}, room.bytes)
    stages.formulas(count, counted(before, count))

    used = use(prompt, letters, units, before, count, room)
    n_tokens, message = _room(page, prompt, used, room)
    return _tokens(page, n_tokens, message, room.tokens, (before, count, texts))


def _room(page: Page, prompt: Range, used: dict[str, Use], room: Room) -> tuple[Range, Range]:
    """The prompt, how many tokens it has, and what does not fit, in words."""
    label = page.words.label
    fits = {kind.name: getattr(room, kind.name) for kind in fields(Room)}
    message: Expr = Text("")
    for kind, its in reversed(used.items()):
        sentence = page.words.sentence(f"too many {kind}", used=its.used, room=fits[kind])
        message = when(its.is_too_much, sentence, message)
    page.write(5, 1, label("prompt"), "heading")
    page.compute(page.area(5, 2), when(prompt.equals(""), "", prompt), "text")
    page.write(6, 1, label("tokens"), "heading")
    page.write(7, 1, label("message"), "heading")
    told = page.compute(page.define("prompt.message", page.area(7, 2)).area, message, "message")
    too_much = call("OR", *(its.is_too_much for its in used.values()))
    counted = page.compute(
        page.area(6, 2), when(too_much, 0, used["tokens"].used), "integer left"
    )
    for column, (kind, its) in enumerate(used.items(), start=STAGES + 1):
        page.write(4, column, label(f"room {kind}"), "heading")
        page.compute(page.area(5, column), its.used, "integer")
        page.write(6, column, fits[kind], "integer")
    page.write(5, STAGES, label("used"), "heading")
    page.write(6, STAGES, label("room"), "heading")
    return page.define("n_tokens", counted.area), told


def _tokens(
    page: Page, n_tokens: Range, message: Range, context: int, found: tuple[Table, Table, Range]
) -> Prompt:
    """Token number k is the k-th part that is left when no pair merges any more."""
    parts, count, texts = found
    words = page.words.step("tokens.id")
    page.write(TOP - 2, 1, words.title, "step title")
    page.write(TOP - 1, 1, words.why, "why")
    for column, heading in enumerate(("number", "token", "id"), start=1):
        page.write(TOP, column, page.words.label(f"column {heading}"), "heading")
    first = TOP + 2
    number, text, ids = (page.area(first, column, context) for column in (1, 2, 3))
    page.fill(first, 1, np.arange(1, context + 1)[:, None], "index")
    for row in range(context):
        here, of_row = Range(number.row(row)), Range(ids.row(row))
        where = call("MATCH", here, count["count"], 0)
        page.compute(
            of_row.area, when(here > n_tokens, "", call("INDEX", parts["id"], where)), "integer"
        )
        page.compute(
            text.row(row),
            when(of_row.equals(""), "", call("INDEX", texts, of_row + 1)),
            "token",
        )
    return Prompt(
        page,
        Range(number),
        page.define("tokens.text", text),
        page.define("tokens.id", ids),
        n_tokens,
        message,
    )


class _Stages:
    """Places tables side by side, each under its title and a sentence of why."""

    def __init__(self, page: Page) -> None:
        self.page, self.column = page, STAGES

    def table(
        self, name: str, columns: Mapping[str, float], length: int, key: str = "", **parts: object
    ) -> Table:
        words = self.page.words.step(f"prompt.{key or name}")
        self.page.write(TOP - 2, self.column, words.title.format(**parts), "step title")
        self.page.write(TOP - 1, self.column, words.why, "why")
        table = self.page.table(name, columns, TOP, self.column, length)
        self.column += len(columns) + 1
        return table

    def formulas(self, table: Table, formulas: RowFormulas) -> None:
        for index in range(table.length):
            cells = table.row(index)
            for column, tree in formulas(index).items():
                self.page.compute(cells[column].area, tree, LOOKS.get(column, "integer"))
