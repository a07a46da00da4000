"""The tab `prompt to tokens`: byte-pair encoding, stage by stage, from left to right."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from sheetgpt.book.lines import broken
from sheetgpt.book.looks import heading_over
from sheetgpt.book.page import Page
from sheetgpt.book.rules import beside, is_blank
from sheetgpt.formula.expr import Expr, Range, Text, call, fixed, join, when
from sheetgpt.formula.text import length_in_excel
from sheetgpt.gpt2.tokens import SPELLING, Tokenizer
from sheetgpt.steps.sample import Controls, written_id
from sheetgpt.steps.tokenize import (
    Columns,
    Room,
    RowFormulas,
    Splitting,
    Table,
    Tables,
    Use,
    characters,
    counted,
    emoji_length,
    first_unknown,
    merges,
    tables_of,
    use,
    utf8,
)

TITLE, WHY, TOP = 8, 9, 12  # the rows of a stage's title, of its sentences, of its headings
STAGES = 6  # the column where the stages begin; the tokens stand left of it

COUNTED = ("characters", "bytes")  # the tables whose rows are numbered
LOOKS = {"text": "token", "token": "token"}
WIDTHS = {
    "number": 6, "code": 8, "characters.text": 7, "character": 11, "contraction": 12, "segment": 9,
    "text": 15,
}  # fmt: skip

PROMPT_LENGTH = 64  # characters, where nobody asks for more
MOST_ROUNDS = 20  # what all but 1 in 250 words of English and of programs needs of GPT-2's merges


@dataclass(frozen=True)
class Prompt:
    """What the rest of the book reads: a column each of numbers, texts and ids, and how many."""

    page: Page
    number: Range
    text: Range
    id: Range
    n_tokens: Range
    message: Range


@dataclass(frozen=True)
class Writing:
    """Where the rows behind the prompt get their tokens: the ids chosen, a row for each token."""

    chosen: Range
    controls: Controls
    end_of_text: int | None


def splitting_of(tokenizer: Tokenizer) -> Splitting:
    """What tables this vocabulary needs."""
    return Splitting(tokenizer.unit, bool(tokenizer.specials))


def room_for(tokenizer: Tokenizer, prompt: str, context: int, length: int | None = None) -> Room:
    """What a sheet should have room for: a prompt of `length` characters, and this one at least.

    Half as many bytes again as characters: scripts that need more have more tokens as well, and
    fill the context first.  Rounds for every token of the vocabulary and one more, for words of
    several tokens; but MOST_ROUNDS where few tokens, which nobody types, would need more.
    """
    units = length_in_excel(prompt)
    n_characters = max(length or max(PROMPT_LENGTH, 2 * context), units)
    needed = max((len(word.rounds) for word in tokenizer.stages(prompt).words), default=0)
    return Room(
        n_characters,
        max(n_characters * 3 // 2, len(prompt.encode())),
        max(min(_deepest(tokenizer) + 1, MOST_ROUNDS), needed) if tokenizer.merges else 0,
        context,
    )


def _deepest(tokenizer: Tokenizer) -> int:
    """The rounds that the token with the most of them needs: its different merges."""
    made: dict[str, frozenset[int]] = {byte: frozenset() for byte in SPELLING.values()}
    for rank, (left, right) in enumerate(tokenizer.merges):
        parts = made.get(left, frozenset()) | made.get(right, frozenset())
        made.setdefault(left + right, parts | {rank})
    return max(map(len, made.values()))


def prompt_page(
    page: Page,
    prompt: Range,
    texts: Range,
    tables: Tables,
    room: Room,
    writing: Writing | None = None,
) -> Prompt:
    """Lay out every stage, and at the left the tokens: the prompt's, then those written."""
    page.frozen = (TOP + 1, 0)
    page.widths = {1: 10, 2: 16, 3: 8, 4: 8, 5: 3}
    stages = _Stages(page, tables_of(room.rounds, tables.splitting))
    letters = stages.place("characters", room.characters)
    fit = _Fit(page, stages.column)
    stages.fill(letters, characters(letters, prompt, fit.emoji, tables))
    units = stages.place("bytes", room.bytes)
    stages.fill(units, utf8(units, letters, tables, fit.used["bytes"], texts))
    rounds: list[Table] = []
    for number in range(1, room.rounds + 1):
        before = rounds[-1] if rounds else units
        parts = stages.place(f"round_{number}", room.bytes, "round", number=number)
        stages.fill(parts, merges(parts, before, units, tables, texts))
        rounds.append(parts)
    last = stages.place("parts", room.bytes)
    merged = rounds[-1] if rounds else units
    stages.fill(last, counted(last, merged, units, tables))

    unknown = None
    if tables.unknown is not None:
        character = first_unknown(units, letters, tables, tables.unknown)
        is_there = call("MAX", units["id"]) >= tables.unknown
        unknown = is_there, page.words.sentence("unknown", character=character)
    used = use(prompt, letters, rounds, last, room, int(tables.leading is not None))
    message = fit.write(used, room, prompt, unknown)
    page.write(4, 1, page.words.label("prompt"), "heading")
    shown = page.define("prompt.shown", page.area(4, 2)).area
    page.compute(shown, when(call("LEN", prompt).equals(0), "", prompt), "text")
    stages_ = (letters, units, merged, last)
    return _tokens(page, prompt, message, stages_, texts, room.tokens, writing, tables.leading)


class _Fit:
    """The small table that tells of each kind of room how much is used, and how much there is."""

    def __init__(self, page: Page, column: int) -> None:
        self.page, self.column = page, column
        places = enumerate((kind.name for kind in fields(Room)), start=column + 1)
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

        message: Expr = Text("") if unknown is None else when(*unknown, "")
        for kind, its in reversed(found.items()):
            sentence = page.words.sentence(
                f"too many {kind}", used=self.used[kind], room=getattr(room, kind), more=its.more
            )
            if kind == "characters":
                note = when(
                    self.emoji > 1, page.words.sentence("emoji count", emoji=self.emoji), ""
                )
                sentence = join(sentence, note)
            message = when(its.is_too_much, sentence, message)
        page.write(6, 1, label("message"), "heading")
        area = page.define("prompt.message", page.area(6, 2)).area
        return page.compute(area, message, "message")


def _tokens(
    page: Page,
    prompt: Range,
    message: Range,
    stages: tuple[Table, Table, Table, Table],
    texts: Range,
    context: int,
    writing: Writing | None,
    leading: int | None,
) -> Prompt:
    """Token number k is the k-th part that is left when no pair merges any more.

    leading: the token that stands before them, if one does. Behind the prompt stand the tokens
    that the sheet has chosen itself.  Without a prompt it starts from the token that ends a text,
    which is also what a text begins after.
    """
    start = writing.end_of_text if writing else None
    letters, units, parts, last = stages
    label, words = page.words.label, page.words.step("tokens.id")
    page.write(5, 1, label("tokens"), "heading")
    n_parts = call("MAX", last["count"])
    counted: Expr = call("MAX", last["count"], 0 if start is None else 1)
    if leading is not None:
        counted = n_parts + 1
    n_tokens = page.define("n_tokens", page.area(5, 2))
    page.compute(n_tokens.area, when(call("LEN", message).equals(0), counted, 0), "integer left")

    _heading(
        page, 1, words.title, words.why, sum(page.widths[column] for column in range(1, STAGES))
    )
    for column, heading in enumerate(("number", "token", "id", "word"), start=1):
        look = heading_over(LOOKS.get(heading, "integer"))
        page.write(TOP, column, label(f"column {heading}"), look)
    first = TOP + 2
    number, text, ids, word = (page.area(first, column, context) for column in range(1, 5))
    counted_rows = page.count(first, context, first=1)
    page.rule(counted_rows, is_blank(beside(counted_rows, 2)), "no token")
    for row in range(context):
        its_number, its_id = Range(number.row(row)), Range(ids.row(row))
        its_part: Expr = its_number if leading is None else its_number - 1
        place = call("MATCH", its_part, last["count"], 0)
        its_word: Expr = call("INDEX", letters["word"], call("INDEX", units["character"], place))
        of_prompt: Expr = call("INDEX", parts["id"], place)
        if leading is not None:
            of_prompt = when(its_number.equals(1), leading, of_prompt)
            its_word = when(its_number.equals(1), "", its_word)
        elif start is not None:
            of_prompt = when(call("LEN", prompt).equals(0), start, of_prompt)
        behind: Expr = Text("")
        if writing is not None:
            above = writing.chosen.area.top + row - 1
            before = Range(replace(writing.chosen.area, top=above, bottom=above))
            behind = written_id(its_number, n_tokens, before, writing.controls, start)
        for area, tree, look in (
            (ids, when(its_number > n_tokens, behind, of_prompt), "integer"),
            (text, when(its_id.equals(""), "", call("INDEX", texts, its_id + 1)), "token"),
            (word, when(its_part > n_parts, "", its_word), "integer"),
        ):
            page.compute(area.row(row), tree, look)
    page.define("tokens.word", word)
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
        _heading(page, left, words.title.format(**parts), words.why, width)
        self.column += len(columns) + 1
        page.widths[self.column - 1] = 3
        return Table(areas)

    def fill(self, table: Table, formulas: RowFormulas) -> None:
        for index in range(table.length):
            cells = table.row(index)
            for column, tree in formulas(index).items():
                self.page.compute(cells[column].area, tree, LOOKS.get(column, "integer"))


def _heading(page: Page, column: int, title: str, why: str, width: float) -> None:
    """The title of a stage, and below it the sentence of why, in lines as wide as the stage."""
    page.write(TITLE, column, title, "step title")
    lines = broken(why, 1.2 * width)
    if len(lines) > TOP - WHY:
        lines = [*lines[: TOP - WHY - 1], f"{lines[TOP - WHY - 1]} …"]
    for row, line in enumerate(lines, start=WHY):
        page.write(row, column, line, "why")
