"""Byte-pair encoding as formulas: the bytes of the prompt's words, and the merges.

Each stage is a table whose rows are written alike: a function gives the formulas of one row, from
the rows above and below.  Above the first row stand the constants that a table starts from; below
the last row the cells are empty.  A cell that has nothing to say holds "", never an error.

Parts of words are token ids from the first byte on, and a pair of parts is one number, left *
factor + right, so that no look-up ever compares text: spreadsheets ignore case and honour
wildcards there, and some take a text of invisible characters for none.

Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", section 2.2.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Expr, Number, Range, call, fixed, when

NEVER = 10_000_000  # a rank behind that of every merge

Columns = Mapping[str, int | None]  # the columns of a table, each with the constant above it
RowFormulas = Callable[[int], Mapping[str, Expr]]


@dataclass(frozen=True)
class Row:
    """The cells of one row of a table, by their columns."""

    columns: Mapping[str, Area]
    index: int

    def __getitem__(self, column: str) -> Range:
        area = self.columns[column]
        row = area.top + self.index
        return Range(Area(area.tab, row, area.left, row, area.left))


@dataclass(frozen=True)
class Table:
    """Where a table's columns stand: the areas of their rows, by name.

    A column `number`, where a table has one, counts its rows from 1.
    """

    columns: Mapping[str, Area]

    def row(self, index: int) -> Row:
        """Row `index`, counted from 0; -1 is the row of the constants above the first."""
        return Row(self.columns, index)

    def __getitem__(self, column: str) -> Range:
        """A whole column."""
        return fixed(Range(self.columns[column]))

    def with_start(self, column: str) -> Range:
        """A whole column and the constant above it: its row k + 1 is the table's row k."""
        area = self.columns[column]
        return fixed(Range(replace(area, top=area.top - 1)))

    @property
    def length(self) -> int:
        return next(iter(self.columns.values())).shape[0]


@dataclass(frozen=True)
class Specials:
    """Texts that are cut out of the prompt before it is split: a row for each, the longest first.

    length: in characters, however a program counts them.
    """

    text: Range
    id: Range
    length: Range


@dataclass(frozen=True)
class Splitting:
    """What a vocabulary's texts are split into, which decides what tables there are."""

    unit: str = "bytes"
    has_specials: bool = False


@dataclass(frozen=True)
class Tables:
    """What the formulas look up: plain numbers, sorted where they are searched.

    class_from, class_is: the first code point of each run of one class, and the class.
    byte_id: the token id of each of the 256 bytes, in the order of the bytes.
    byte_pair: first * 256 + second of all bytes that stand side by side in some token; -1 first.
    merge_id: the id of each merged token, in the order of the ranks.
    merge_key, merge_rank: left * factor + right of each merge, in the order of these keys, and
        its rank; the first row (-1, NEVER) stands for none.
    factor: larger than every token id.
    unknown: the id of what has no token, if there is such a thing: a byte or a special token. It
        is the number of tokens, and no merge knows it.
    specials: what is cut out first, if there is any.
    leading: the id that stands before every prompt, if one does.
    """

    class_from: Range
    class_is: Range
    byte_id: Range
    byte_pair: Range
    merge_id: Range
    merge_key: Range
    merge_rank: Range
    factor: int
    unknown: int | None = None
    specials: Specials | None = None
    leading: int | None = None

    @property
    def splitting(self) -> Splitting:
        return Splitting(has_specials=self.specials is not None)


def found(key: Expr, keys: Range) -> Expr:
    """Whether a sorted column holds `key`; it must hold something that is not above it."""
    return call("INDEX", keys, call("MATCH", key, keys, 1)).equals(key)


def shown_text(its_id: Expr, token_text: Range, tables: Tables) -> Expr:
    """The text of a part; of one that is no token, nothing."""
    text: Expr = call("INDEX", token_text, its_id + 1)
    if tables.unknown is not None:
        text = when(its_id.equals(tables.unknown), "", text)
    return text


def unless_blank(cell: Expr, tree: Expr) -> Expr:
    """A formula for rows that have something to say: where `cell` is blank, so is this one."""
    return when(cell.equals(""), "", tree)


# Stages 1 and 2: characters, and the words they make (`characters.py`).

CHARACTERS: Columns = {
    "position": 1, "unit": None, "code": 0, "text": None, "class": 0, "contraction": 0, "word": 0,
    "bytes": None, "end": 0,
}  # fmt: skip
SPECIAL: Columns = {"special": 0, "to_come": 0}  # the columns that special tokens need besides

# Without merges (`lookup.py`): each character or each word is looked up.

OF_CHARACTERS: Columns = {
    "position": 1, "unit": None, "code": 0, "text": None, "word": 0, "id": None, "count": 0,
}  # fmt: skip
OF_WORDS: Columns = {
    "position": 1, "unit": None, "code": 0, "text": None, "class": 0, "word": 0, "node": 0,
    "id": None, "count": 0,
}  # fmt: skip

# Stage 3: bytes.

BYTES: Columns = {"character": 0, "byte": None, "segment": None, "id": None, "text": None}


def utf8(
    table: Table, letters: Table, tables: Tables, n_bytes: Range, token_text: Range
) -> RowFormulas:
    """One row a byte: its character, its value in UTF-8, its segment, its token.

    A segment is a word, cut further wherever two bytes never stand side by side inside any
    token: no merge can cross such a place, and shorter segments need fewer rounds.  It is
    called by the number of its first row.
    """

    def formulas(index: int) -> Mapping[str, Expr]:
        above, here = table.row(index - 1), table.row(index)
        number, byte = here["number"], here["byte"]

        def of_character(column: str, row: Expr = here["character"]) -> Expr:
            return call("INDEX", letters[column], row)

        def of_character_above(column: str) -> Expr:  # 0 above the first: the constants
            return call("INDEX", letters.with_start(column), above["character"] + 1)

        code, size, end = of_character("code"), of_character("bytes"), of_character("end")
        leading = call("INT", code / Number(64) ** (size - 1)) + call(
            "CHOOSE", size, 0, 192, 224, 240
        )
        trailing = 128 + call("MOD", call("INT", code / Number(64) ** (end - number)), 64)
        is_cut = when(
            of_character("word").differs(of_character_above("word")),
            1,
            when(found(above["byte"] * 256 + byte, tables.byte_pair), 0, 1),
        )
        next_ends = number > of_character_above("end")

        def special_id(specials: Specials) -> Expr:
            """In the row of a special token's first byte its id; its other bytes are no parts."""
            which = of_character("special")
            begins = of_character("to_come").equals(call("INDEX", specials.length, which))
            is_first = call("AND", begins, here["character"].differs(above["character"]))
            return when(is_first, call("INDEX", specials.id, which), "")

        its_id: Expr = call("INDEX", tables.byte_id, byte + 1)
        its_text = shown_text(here["id"], token_text, tables)
        if tables.specials is not None:
            its_id = when(of_character("special") > 0, special_id(tables.specials), its_id)
            its_text = unless_blank(here["id"], its_text)
        of_byte: dict[str, Expr] = {
            "byte": when(
                size.equals(1),
                code,
                when(here["character"].differs(above["character"]), leading, trailing),
            ),
            "segment": when(is_cut.equals(1), number, above["segment"]),
            "id": its_id,
            "text": its_text,
        }
        return {
            "character": when(number > n_bytes, "", above["character"] + when(next_ends, 1, 0)),
            **{column: unless_blank(here["character"], tree) for column, tree in of_byte.items()},
        }

    return formulas


# Stage 4: merges.

ROUND: Columns = {
    "right": None, "rank": None, "least": None, "joins": None, "id": None, "text": None,
}  # fmt: skip


def pairs(table: Table, before: Table, units: Table, tables: Tables) -> RowFormulas:
    """For each part of a word its right neighbour, and the rank of this pair among the merges.

    A part stands in the row of its first byte; its other rows are blank.
    before: the table with the parts.
    """

    def formulas(index: int) -> Mapping[str, Expr]:
        here, below = table.row(index), table.row(index + 1)
        part, part_below = before.row(index)["id"], before.row(index + 1)["id"]
        segment, segment_below = (units.row(index + step)["segment"] for step in (0, 1))
        pair = part * tables.factor + here["right"]
        place = call("MATCH", pair, tables.merge_key, 1)
        neighbour = when(part_below.equals(""), below["right"], part_below)
        rank = when(found(pair, tables.merge_key), call("INDEX", tables.merge_rank, place), "")
        return {
            "right": unless_blank(segment, when(segment_below.differs(segment), "", neighbour)),
            "rank": unless_blank(part, unless_blank(here["right"], rank)),
        }

    return formulas


def merges(
    table: Table, before: Table, units: Table, tables: Tables, token_text: Range
) -> RowFormulas:
    """One round: every word merges its pair of the least rank, wherever that pair occurs.

    joins: 1 for a part that joins the next one, 2 for that next one, blank for one that stays;
        from left to right, so that of `a a a` the first two join.
    before: the round before this one, or the bytes.
    """
    neighbours = pairs(table, before, units, tables)

    def formulas(index: int) -> Mapping[str, Expr]:
        above, here, below = table.row(index - 1), table.row(index), table.row(index + 1)
        part, rank, least_below = before.row(index)["id"], here["rank"], below["least"]
        segment, segment_below = (units.row(index + step)["segment"] for step in (0, 1))
        least = when(
            call("OR", segment_below.differs(segment), least_below.equals("")),
            rank,
            when(rank.equals(""), least_below, call("MIN", rank, least_below)),
        )
        # The least rank from the segment's first row on is that of the whole segment.
        is_best = rank.equals(call("INDEX", table["least"], segment))
        joins = when(above["joins"].equals(1), 2, unless_blank(rank, when(is_best, 1, "")))
        merged = call("INDEX", tables.merge_id, rank + 1)
        still = when(here["joins"].equals(2), "", when(here["joins"].equals(1), merged, part))
        return {
            **neighbours(index),
            "least": unless_blank(segment, least),
            "joins": unless_blank(segment, when(part.equals(""), above["joins"], joins)),
            "id": unless_blank(part, still),
            "text": unless_blank(here["id"], shown_text(here["id"], token_text, tables)),
        }

    return formulas


# Stage 5: what is left are the tokens.

PARTS: Columns = {"right": None, "rank": None, "count": 0}


def counted(table: Table, before: Table, units: Table, tables: Tables) -> RowFormulas:
    """How many tokens start in the rows up to this one, and whether pairs are left to merge."""
    neighbours = pairs(table, before, units, tables)

    def formulas(index: int) -> Mapping[str, Expr]:
        part, count = before.row(index)["id"], table.row(index - 1)["count"]
        so_far = when(part.equals(""), count, count + 1)
        return {**neighbours(index), "count": unless_blank(units.row(index)["segment"], so_far)}

    return formulas


@dataclass(frozen=True)
class Room:
    """How much of a prompt the sheet has room for."""

    characters: int
    bytes: int
    rounds: int
    tokens: int


def tables_of(rounds: int, splitting: Splitting) -> dict[str, Columns]:
    """Every table of the tokenizer under the name that its columns' names begin with."""
    more = SPECIAL if splitting.has_specials else {}
    if splitting.unit != "bytes":
        looked_up = OF_CHARACTERS if splitting.unit == "characters" else OF_WORDS
        return {"characters": {**looked_up, **more}}
    each_round = {f"round_{number}": ROUND for number in range(1, rounds + 1)}
    return {"characters": {**CHARACTERS, **more}, "bytes": BYTES, **each_round, "parts": PARTS}


@dataclass(frozen=True)
class Use:
    """How much of one kind of room a prompt takes, and whether that is too much.

    more: what the sentence about it can tell besides: how many characters too many there are,
        how many pairs are left to merge.
    """

    used: Expr
    is_too_much: Expr
    more: Expr


def first_unknown(units: Table, letters: Table, tables: Tables, unknown: int) -> Expr:
    """The text of the first character or special token that the model has no token for."""
    row = call("INDEX", units["character"], call("MATCH", float(unknown), units["id"], 0))
    text = call("INDEX", letters["text"], row)
    if tables.specials is None:
        return text
    which = call("INDEX", letters["special"], row)
    return when(which > 0, call("INDEX", tables.specials.text, which), text)


def characters_used(prompt: Range, letters: Table) -> Use:
    end = letters.row(letters.length - 1)
    behind = call("LEN", prompt) + 1 - end["position"] - call("LEN", end["text"])
    more = when(end["code"].equals(""), 0, behind)
    return Use(call("COUNT", letters["code"]) + more, more > 0, more)


def tokens_used(last: Table, room: Room, n_leading: int) -> Use:
    """n_leading: tokens that stand before every prompt."""
    tokens: Expr = call("MAX", last["count"])
    if n_leading:
        tokens = tokens + n_leading
    return Use(tokens, tokens > room.tokens, tokens - room.tokens)


def use(
    prompt: Range,
    letters: Table,
    rounds: Sequence[Table],
    last: Table,
    room: Room,
    n_leading: int = 0,
) -> dict[str, Use]:
    """What the prompt takes of each kind of room; the first that is too much is the one to tell.

    Where there is too much of one kind, the later figures speak of what did fit.
    """
    size = call("MAX", letters["end"])
    left = call("COUNT", last["rank"])
    needed: Expr = left > 0
    for each in rounds:
        needed = needed + (call("COUNT", each["rank"]) > 0)
    return {
        "characters": characters_used(prompt, letters),
        "bytes": Use(size, size > room.bytes, size - room.bytes),
        "rounds": Use(needed, left > 0, left),
        "tokens": tokens_used(last, room, n_leading),
    }
