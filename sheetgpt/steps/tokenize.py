"""Byte-pair encoding as formulas: the prompt's characters, its words, their bytes, the merges.

Each stage is a table whose rows are written alike: a function gives the formulas of one row, from
the rows above and below.  Row -1 of a table holds the constants that it starts from.  Parts of
words are token ids from the first byte on, and a pair of parts is one number, left * FACTOR +
right, so that no look-up ever compares text: spreadsheets ignore case and honour wildcards there.

Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", section 2.2,
and the pattern of words that GPT-2 was published with:
's|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Expr, Number, Range, call, join, when

LETTER, NUMBER, SPACE, OTHER = 1, 2, 3, 4
NEVER = 10_000_000  # a rank behind that of every merge
REPLACEMENT = 0xFFFD

Row = Mapping[str, Expr]
RowFormulas = Callable[[int], Row]


@dataclass(frozen=True)
class Table:
    """Where a table's columns stand: the areas of their data rows, by name."""

    columns: Mapping[str, Area]

    def row(self, index: int) -> "dict[str, Range]":
        """The cells of row `index`, counted from 0; -1 is the row of starting constants."""
        return {
            name: Range(Area(area.tab, area.top + index, area.left, area.top + index, area.left))
            for name, area in self.columns.items()
        }

    def __getitem__(self, column: str) -> Range:
        """A whole column."""
        return Range(self.columns[column])

    def with_start(self, column: str) -> Range:
        """A whole column and the constant that it starts from."""
        area = self.columns[column]
        return Range(Area(area.tab, area.top - 1, area.left, area.bottom, area.right))

    @property
    def length(self) -> int:
        return next(iter(self.columns.values())).shape[0]


@dataclass(frozen=True)
class Tables:
    """What the formulas look up: plain numbers, sorted where they are searched.

    class_from, class_is: the first code point of each run of one class, and the class.
    byte_id: the token id of each of the 256 bytes, in the order of the bytes.
    byte_pair: first * 256 + second of all bytes that stand side by side in some token; -1 first.
    merge_key, merge_rank, merge_id: for each merge left * factor + right, its rank and the id of
        the merged token, in the order of the keys; the first row (-1, NEVER, -1) stands for none.
    factor: larger than every token id.
    """

    class_from: Range
    class_is: Range
    byte_id: Range
    byte_pair: Range
    merge_key: Range
    merge_rank: Range
    merge_id: Range
    factor: int


# Stage 1 and 2: characters, and the words they make.

CHARACTERS: Mapping[str, float] = {  # column -> what the row of starting constants holds
    "position": 0, "code": 0, "character": 0, "class": 0, "start": 0, "contraction": 0, "word": 0,
    "bytes": 0, "offset": 0,
}  # fmt: skip


def characters(table: Table, prompt: Range, tables: Tables) -> RowFormulas:
    """One row a character: where it is, its code point and class, and whether a word starts."""
    def formulas(index: int) -> Row:
        above, here = table.row(index - 1), table.row(index)
        next_, after = table.row(index + 1), table.row(index + 2)
        kind = here["class"]
        space_ends_here = call("OR", next_["class"].equals(SPACE), next_["class"].equals(0))
        starts = when(
            kind.equals(SPACE),
            # Of several spaces the last one belongs to the word behind it.
            when(above["class"].differs(SPACE), 1, when(space_ends_here, 0, 1)),
            when(above["code"].equals(32), 0, when(kind.differs(above["class"]), 1, 0)),
        )
        return {
            "position": above["position"] + when(above["code"] > 65535, _astral(), 1),
            "code": when(
                here["position"] > call("LEN", prompt),
                0,
                call("IFERROR", call("UNICODE", call("MID", prompt, here["position"], 2)), REPLACEMENT),
            ),
            "character": when(here["code"].equals(0), "", call("UNICHAR", here["code"])),
            "class": when(
                here["code"].equals(0),
                0,
                call("INDEX", tables.class_is, call("MATCH", here["code"], tables.class_from, 1)),
            ),
            "start": when(
                call("OR", kind.equals(0), above["contraction"] > 1),
                0,
                when(above["contraction"].equals(1), 1, starts),
            ),
            "contraction": when(
                above["contraction"] > 1,
                above["contraction"] - 1,
                when(
                    call("OR", here["start"].equals(0), here["code"].differs(ord("'"))),
                    0,
                    _contraction(next_["code"], after["code"]),
                ),
            ),
            "word": above["word"] + here["start"],
            "bytes": when(
                here["code"].equals(0),
                0,
                1 + (here["code"] > 0x7F) + (here["code"] > 0x7FF) + (here["code"] > 0xFFFF),
            ),
            "offset": above["offset"] + here["bytes"],
        }

    return formulas


def _astral() -> Expr:
    """The length of a character beyond U+FFFF: 2 where UTF-16 units are counted, else 1."""
    return call("LEN", call("UNICHAR", 0x1F600))


def _contraction(first: Expr, second: Expr) -> Expr:
    """How many characters of a contraction are still to come, the apostrophe included."""
    one = call("OR", *(first.equals(ord(letter)) for letter in "dmst"))
    two = call(
        "OR",
        *(call("AND", first.equals(ord(a)), second.equals(ord(b))) for a, b in ("re", "ve", "ll")),
    )
    return when(one, 2, when(two, 3, 0))


# Stage 3: bytes.

BYTES: Mapping[str, float] = {
    "number": 0, "character": 0, "byte": -1, "id": -1, "segment": 0, "first": 0, "last": 0,
}  # fmt: skip


def utf8(table: Table, letters: Table, tables: Tables) -> RowFormulas:
    """One row a byte: its character, its value in UTF-8, its token id, and its segment.

    A segment is a word, cut further wherever two bytes never stand side by side inside any
    token: no merge can cross such a place, and shorter segments need fewer rounds.
    """
    total = letters.row(letters.length - 1)["offset"]

    def formulas(index: int) -> Row:
        above, here = table.row(index - 1), table.row(index)
        character, byte = here["character"], here["byte"]

        def of_character(column: str, row: Expr = character) -> Expr:
            return call("INDEX", letters[column], row)

        code, size, end = of_character("code"), of_character("bytes"), of_character("offset")
        leading = call("INT", code / Number(64) ** (size - 1)) + call("CHOOSE", size, 0, 192, 224, 240)
        trailing = 128 + call("MOD", call("INT", code / Number(64) ** (end - here["number"])), 64)
        pair = above["byte"] * 256 + byte
        stands = call("INDEX", tables.byte_pair, call("MATCH", pair, tables.byte_pair, 1)).equals(pair)
        cut = when(
            of_character("word").differs(of_character("word", above["character"])),
            1,
            when(stands, 0, 1),
        )
        return {
            "number": above["number"] + 1,
            # Character n ends at offset n: the byte belongs to the one behind those that end before.
            "character": when(
                here["number"] > total,
                0,
                call("MATCH", here["number"] - 1, letters.with_start("offset"), 1),
            ),
            "byte": when(
                character.equals(0),
                -1,
                when(
                    size.equals(1),
                    code,
                    when(character.differs(above["character"]), leading, trailing),
                ),
            ),
            "id": when(character.equals(0), -1, call("INDEX", tables.byte_id, byte + 1)),
            "segment": above["segment"]
            + when(
                call("OR", character.equals(0), above["character"].equals(0)),
                when(character.equals(above["character"]), 0, 1),
                cut,
            ),
            "first": call("MATCH", here["segment"], table["segment"], 0),
            "last": call("MATCH", here["segment"], table["segment"], 1),
        }

    return formulas


# Stage 4: merges.

ROUND: Mapping[str, float] = {
    "id": -1, "next": 0, "pair": -1, "merge": 1, "rank": NEVER, "least": NEVER, "best": NEVER,
    "until": 0, "text": 0,
}  # fmt: skip


def merges(
    table: Table, before: Table | None, units: Table, tables: Tables, token_text: Range
) -> RowFormulas:
    """One row a byte: the part of a word that starts there, and whether it merges in this round.

    id is -1 in the rows inside a part; next is the row where the following part starts.  Every
    word merges its pair of the lowest rank, wherever that pair occurs, from left to right.
    before: the round before this one; the first round starts from the bytes.
    """

    def formulas(index: int) -> Row:
        above, here, below = table.row(index - 1), table.row(index), table.row(index + 1)
        unit, unit_above, unit_below = (units.row(index + step) for step in (0, -1, 1))
        if before is None:
            part, following = unit["id"], unit["number"] + 1
        else:
            was, was_above = before.row(index), before.row(index - 1)
            merged = was["until"] > unit["number"]
            part = when(
                was_above["until"] > unit["number"],
                -1,
                when(merged, call("INDEX", tables.merge_id, was["merge"]), was["id"]),
            )
            following = when(merged, was["until"], was["next"])
        alone = call("OR", here["id"] < 0, here["next"] > unit["last"])
        neighbour = call("INDEX", table["id"], here["next"])
        found = call("INDEX", tables.merge_key, here["merge"]).equals(here["pair"])
        is_best = call(
            "AND",
            here["rank"] < NEVER,
            here["rank"].equals(here["best"]),
            above["until"] <= unit["number"],
        )
        return {
            "id": part,
            "next": following,
            "pair": when(alone, -1, here["id"] * tables.factor + neighbour),
            "merge": when(here["pair"] < 0, 1, call("MATCH", here["pair"], tables.merge_key, 1)),
            "rank": when(found, call("INDEX", tables.merge_rank, here["merge"]), NEVER),
            # The least rank of the segment: a running minimum down, its last value carried up.
            "least": when(
                unit["segment"].equals(unit_above["segment"]),
                call("MIN", above["least"], here["rank"]),
                here["rank"],
            ),
            "best": when(
                unit["segment"].equals(unit_below["segment"]), below["best"], here["least"]
            ),
            "until": when(is_best, call("INDEX", table["next"], here["next"]), above["until"]),
            "text": when(here["id"] < 0, "", call("INDEX", token_text, here["id"] + 1)),
        }

    return formulas


# Stage 5: tokens.


def counted(parts: Table, count: Table) -> RowFormulas:
    """How many tokens start in the rows up to this one."""

    def formulas(index: int) -> Row:
        starts = when(parts.row(index)["id"] < 0, 0, 1)
        return {"count": count.row(index - 1)["count"] + starts}

    return formulas


@dataclass(frozen=True)
class Room:
    """How much of a prompt the sheet has room for."""

    characters: int
    bytes: int
    rounds: int
    tokens: int


@dataclass(frozen=True)
class Use:
    """How much of one kind of room a prompt takes, and whether that is too much."""

    used: Expr
    is_too_much: Expr


def use(
    prompt: Range, letters: Table, units: Table, last: Table, count: Table, room: Room
) -> dict[str, Use]:
    """What the prompt takes of each kind of room; the first that is too much is the one to tell.

    When there are too many characters the later figures speak of a part of the prompt only.
    """
    end = letters.row(letters.length - 1)
    step = when(end["code"] > 65535, _astral(), 1)
    goes_on = call("AND", end["code"] > 0, end["position"] + step <= call("LEN", prompt))
    tokens = count.row(count.length - 1)["count"]
    unmerged = call("COUNTIF", last["rank"], f"<{NEVER}")
    return {
        "characters": Use(call("LEN", prompt), goes_on),
        "bytes": Use(end["offset"], end["offset"] > room.bytes),
        "rounds": Use(unmerged, unmerged > 0),
        "tokens": Use(tokens, tokens > room.tokens),
    }
