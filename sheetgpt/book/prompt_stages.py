"""The stages of the tab `prompt to tokens`: tables side by side, and how much room is used."""

from collections.abc import Mapping, Sequence

import numpy as np

from sheetgpt.book.lines import broken
from sheetgpt.book.looks import heading_over
from sheetgpt.book.page import Page
from sheetgpt.book.rules import beside, is_blank
from sheetgpt.formula.expr import Expr, Range, Text, fixed, join, when
from sheetgpt.steps.characters import emoji_length
from sheetgpt.steps.tokenize import Columns, Room, RowFormulas, Table, Use

TITLE, WHY, TOP = 8, 9, 12  # the rows of a stage's title, of its sentences, of its headings
STAGES = 6  # the column where the stages begin; the tokens stand left of it

COUNTED = ("characters", "bytes")  # the tables whose rows are numbered
LOOKS = {"text": "token", "token": "token"}
WIDTHS = {
    "number": 6, "code": 8, "characters.text": 7, "character": 11, "contraction": 12, "segment": 9,
    "text": 15,
}  # fmt: skip


class Fit:
    """The small table that tells of each kind of room how much is used, and how much there is."""

    def __init__(self, page: Page, column: int, kinds: Sequence[str]) -> None:
        self.page, self.column = page, column
        places = enumerate(kinds, start=column + 1)
        self.used = {kind: fixed(Range(page.area(5, place))) for place, kind in places}
        self.emoji = fixed(Range(page.area(5, column + 1 + len(self.used))))

    def write(
        self,
        found: dict[str, Use],
        room: Room,
        prompt: Range,
        unknown: tuple[Expr, Expr] | None,
    ) -> Range:
        """Fill it in; returns the message, which says in words what does not fit.

        unknown: whether a character is not in the vocabulary, and the sentence for it.
        """
        page, label = self.page, self.page.words.label
        page.write(5, self.column, label("used"), "heading")
        page.write(6, self.column, label("room"), "heading")
        for kind, cell in self.used.items():
            page.write(4, cell.area.left, label(f"room {kind}"), "heading")
            page.compute(cell.area, found[kind].used, "integer")
            page.write(6, cell.area.left, getattr(room, kind), "integer")
        page.write(4, self.emoji.area.left, label("emoji"), "heading")
        page.compute(self.emoji.area, emoji_length(prompt), "integer")
        page.define("prompt.used", page.area(5, self.column + 1, 1, len(self.used) + 1))

        too_much = {kind: self._sentence(kind, its, room) for kind, its in found.items()}
        last = [kind for kind in ("rounds", "tokens") if kind in found]
        message: Expr = Text("")
        for kind in reversed(last):
            message = when(found[kind].is_too_much, too_much[kind], message)
        if unknown is not None:  # what does not count as tokens yet
            message = when(*unknown, message)
        for kind in reversed([kind for kind in found if kind not in last]):
            message = when(found[kind].is_too_much, too_much[kind], message)
        page.write(6, 1, label("message"), "heading")
        area = page.define("prompt.message", page.area(6, 2)).area
        return page.compute(area, message, "message")

    def _sentence(self, kind: str, its: Use, room: Room) -> Expr:
        page = self.page
        sentence = page.words.sentence(
            f"too many {kind}", used=self.used[kind], room=getattr(room, kind), more=its.more
        )
        if kind != "characters":
            return sentence
        emoji = page.words.sentence("emoji count", emoji=self.emoji)
        return join(sentence, when(self.emoji > 1, emoji, ""))


class Stages:
    """Places tables side by side, each under its title and a sentence of why."""

    def __init__(self, page: Page, tables: Mapping[str, Columns]) -> None:
        self.page, self.tables, self.column = page, tables, STAGES

    def place(self, name: str, length: int, key: str = "", **parts: object) -> Table:
        """Reserve a table: a row of headings, a row of constants, then `length` rows."""
        page, left = self.page, self.column
        columns = self.tables[name]
        if name in COUNTED:
            columns = {"number": None, **columns}
            numbers = page.fill(TOP + 2, left, np.arange(1, length + 1)[:, None], "index")
            page.rule(numbers.area, is_blank(beside(numbers.area, left + 1)), "no token")
        areas = {}
        for column, (heading, start) in enumerate(columns.items(), start=left):
            page.widths[column] = WIDTHS.get(f"{name}.{heading}", WIDTHS.get(heading, 7))
            look = heading_over(LOOKS.get(heading, "integer"))
            page.write(TOP, column, page.words.label(f"column {heading}"), look)
            if start is not None:
                page.write(TOP + 1, column, start, "start")
            areas[heading] = page.area(TOP + 2, column, length)
            if heading != "number":
                page.define(f"{name}.{heading}", areas[heading])
        words = page.words.step(f"prompt.{key or name}")
        if parts.get("number", 1) != 1:  # the later rounds are like the first
            page.column_groups.append((left, left + len(columns) - 1))
        width = sum(page.widths[column] for column in range(left, left + len(columns)))
        stage_heading(page, left, words.title.format(**parts), words.why, width)
        self.column += len(columns) + 1
        page.widths[self.column - 1] = 3
        return Table(areas)

    def fill(self, table: Table, formulas: RowFormulas) -> None:
        for index in range(table.length):
            cells = table.row(index)
            for column, tree in formulas(index).items():
                self.page.compute(cells[column].area, tree, LOOKS.get(column, "integer"))


def stage_heading(page: Page, column: int, title: str, why: str, width: float) -> None:
    """The title of a stage, and below it the sentence of why, in lines as wide as the stage."""
    page.write(TITLE, column, title, "step title")
    lines = broken(why, 1.2 * width)
    if len(lines) > TOP - WHY:
        lines = [*lines[: TOP - WHY - 1], f"{lines[TOP - WHY - 1]} …"]
    for row, line in enumerate(lines, start=WHY):
        page.write(row, column, line, "why")
