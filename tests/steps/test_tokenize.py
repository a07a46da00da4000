"""The stages of the tokenizer one by one, against the pattern of words, UTF-8 and the witness."""

import random
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sheetgpt.calculate.environment import Environment
from sheetgpt.calculate.recalculate import Formula, recalculate
from sheetgpt.calculate.values import Error, Scalar, Sheet, Sheets
from sheetgpt.formula import excel
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Call, Expr, Range
from sheetgpt.formula.fill import misfit
from sheetgpt.gpt2.characters import class_runs
from sheetgpt.gpt2.tokens import SPELLING, WORD, Tokenizer
from sheetgpt.steps import characters, tokenize
from sheetgpt.steps.tokenize import RowFormulas, Table, Tables

TAB = "t"
LENGTH = 24  # rows of every table here
ROUNDS = 8

# Functions of Excel 2013 and LibreOffice, nothing volatile, nothing that computes an address.
ALLOWED = {
    *("IF", "OR", "AND", "IFERROR", "LEN", "MID", "UNICODE", "UNICHAR", "INDEX", "MATCH"),
    *("INT", "MOD", "CHOOSE", "MIN", "MAX"),
}

MERGES = [
    *(("Ġ", "t"), ("h", "e"), ("Ġt", "he"), ("q", "u"), ("i", "c"), ("qu", "ic"), ("quic", "k")),
    *(("Ġ", "quick"), ("a", "a"), ("aa", "aa"), ("aaaa", "aaaa"), ("Ġ", "Ġ"), ("Ã", "©")),
]


def tokenizer_of(merges: Sequence[tuple[str, str]], seed: int | None = None) -> Tokenizer:
    """Byte tokens and one token a merge; ids in that order, or shuffled."""
    tokens = [*SPELLING.values(), *dict.fromkeys(a + b for a, b in merges)]
    if seed is not None:
        random.Random(seed).shuffle(tokens)
    return Tokenizer.from_tables(tokens, merges)


class Workings:
    """All stages side by side on one tab, in our evaluator."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.sheet = Sheet(len(class_runs()), 120)
        self.column = 1
        self.formulas: list[Formula] = []
        self.prompt, self.emoji, self.n_bytes = (self.constants([[0]]) for _ in range(3))
        texts = self.constants([[token] for token in tokenizer.tokens])
        tables = self.tables(tokenizer)
        self.compute(self.emoji.area, characters.emoji_length(self.prompt))
        self.letters = self.table(tokenize.CHARACTERS)
        self.fill(
            self.letters, characters.characters(self.letters, self.prompt, self.emoji, tables)
        )
        self.compute(self.n_bytes.area, Call("MAX", (self.letters["end"],)))
        self.units = self.table(tokenize.BYTES)
        self.fill(self.units, tokenize.utf8(self.units, self.letters, tables, self.n_bytes, texts))
        self.rounds: list[Table] = []
        for _ in range(ROUNDS):
            before = self.rounds[-1] if self.rounds else self.units
            self.rounds.append(self.table(tokenize.ROUND))
            one = tokenize.merges(self.rounds[-1], before, self.units, tables, texts)
            self.fill(self.rounds[-1], one)

    def tables(self, tokenizer: Tokenizer) -> Tables:
        ids, merges = tokenizer.ids, tokenizer.merges
        factor = 65536
        keys = [(ids[a] * factor + ids[b], rank) for rank, (a, b) in enumerate(merges)]
        in_tokens = {a + b for token in tokenizer.tokens for a, b in pairwise(token)}
        byte_of = {character: byte for byte, character in SPELLING.items()}
        pairs = sorted(byte_of[a] * 256 + byte_of[b] for a, b in in_tokens)
        by_key = np.array(sorted([(-1, tokenize.NEVER), *keys]))
        runs = np.array(class_runs())
        return Tables(
            class_from=self.constants(runs[:, :1].tolist()),
            class_is=self.constants(runs[:, 1:].tolist()),
            byte_id=self.constants([[ids[SPELLING[byte]]] for byte in range(256)]),
            byte_pair=self.constants([[-1], *([pair] for pair in pairs)]),
            merge_id=self.constants([[ids[a + b]] for a, b in merges] or [[-1]]),
            merge_key=self.constants(by_key[:, :1].tolist()),
            merge_rank=self.constants(by_key[:, 1:].tolist()),
            factor=factor,
        )

    def constants(self, column: Sequence[Sequence[float | str]]) -> Range:
        for row, (value,) in enumerate(column, start=1):
            self.sheet.set(row, self.column, value if isinstance(value, str) else float(value))
        self.column += 1
        return Range(Area(TAB, 1, self.column - 1, len(column), self.column - 1))

    def table(self, columns: tokenize.Columns) -> Table:
        areas = {}
        for name, start in {"number": None, **columns}.items():
            if start is not None:
                self.sheet.set(1, self.column, float(start))
            areas[name] = Area(TAB, 2, self.column, LENGTH + 1, self.column)
            self.column += 1
        for row in range(LENGTH):
            self.sheet.set(2 + row, areas["number"].left, row + 1.0)
        return Table(areas)

    def compute(self, area: Area, tree: Expr) -> None:
        self.formulas.append(Formula(area, tree))

    def fill(self, table: Table, formulas: RowFormulas) -> None:
        for index in range(table.length):
            for column, tree in formulas(index).items():
                self.compute(table.row(index)[column].area, tree)

    def show(self, text: str, *, utf16: bool = False) -> None:
        self.sheet.set(1, self.prompt.area.left, text)
        recalculate(self.formulas, Environment(Sheets({TAB: self.sheet}), utf16))

    def column_of(self, table: Table, column: str) -> list[Scalar]:
        """What stands in a column, but for its blank cells."""
        area = table.columns[column]
        cells = [self.sheet.cell(row, area.left) for row in range(area.top, area.bottom + 1)]
        assert not any(isinstance(cell, Error) for cell in cells)
        return [cell for cell in cells if cell != ""]

    def words(self) -> list[str]:
        """The prompt cut where the number of the word changes."""
        words: dict[Scalar, str] = {}
        numbers, codes = (self.column_of(self.letters, name) for name in ("word", "code"))
        for number, code in zip(numbers, codes, strict=True):
            assert isinstance(code, float)
            words[number] = words.get(number, "") + chr(int(code))
        assert list(words) == list(range(1, len(words) + 1))
        return list(words.values())

    def ids(self) -> list[Scalar]:
        return self.column_of(self.rounds[-1], "id")


@pytest.fixture(scope="module")
def small() -> Tokenizer:
    return tokenizer_of(MERGES)


@pytest.fixture(scope="module")
def workings(small: Tokenizer) -> Workings:
    return Workings(small)


def formulas_of_columns(workings: Workings) -> Iterator[list[Expr]]:
    """The formulas of each column, from top to bottom."""
    trees: dict[int, list[Expr]] = {}
    for formula in sorted(workings.formulas, key=lambda formula: formula.area.top):
        trees.setdefault(formula.area.left, []).append(formula.tree)
    return iter(trees.values())


def functions(tree: Expr) -> Iterator[str]:
    if isinstance(tree, Call):
        yield tree.op
        for argument in tree.arguments:
            yield from functions(argument)


def test_every_column_is_one_formula_filled_down(workings: Workings) -> None:
    for trees in formulas_of_columns(workings):
        assert misfit(trees) is None


def test_formulas_use_only_what_every_spreadsheet_has(workings: Workings) -> None:
    used = {op for each in workings.formulas for op in functions(each.tree)}
    assert {op for op in used if op.isalpha()} == ALLOWED


def test_one_row_of_a_round_as_a_person_reads_it(small: Tokenizer) -> None:
    """Golden: A holds the segments, B the ids before the round, C the texts, K to P the round."""
    columns = {name: Area(TAB, 2, i, 9, i) for i, name in enumerate(tokenize.ROUND, start=11)}
    units = Table({"segment": Area(TAB, 2, 1, 9, 1), "id": Area(TAB, 2, 2, 9, 2)})
    tables = Workings(small).tables(small)
    one = tokenize.merges(Table(columns), units, units, tables, Range(Area(TAB, 1, 3, 300, 3)))
    key, rank, merged = (
        f"{table.area.address}" for table in (tables.merge_key, tables.merge_rank, tables.merge_id)
    )
    pair = "B4*65536+K4"
    assert {name: excel.text(tree, TAB) for name, tree in one(2).items()} == {
        "right": 'IF(A4="","",IF(A5<>A4,"",IF(B5="",K5,B5)))',
        "rank": (
            f'IF(B4="","",IF(K4="","",IF(INDEX({key},MATCH({pair},{key},1))={pair},'
            f'INDEX({rank},MATCH({pair},{key},1)),"")))'
        ),
        "least": 'IF(A4="","",IF(OR(A5<>A4,M5=""),L4,IF(L4="",M5,MIN(L4,M5))))',
        "joins": (
            'IF(A4="","",IF(B4="",N3,IF(N3=1,2,IF(L4="","",IF(L4=INDEX($M$2:$M$9,A4),1,"")))))'
        ),
        "id": f'IF(B4="","",IF(N4=2,"",IF(N4=1,INDEX({merged},L4+1),B4)))',
        "text": 'IF(O4="","",INDEX(C1:C300,O4+1))',
    }


PIECES = [
    "'s",
    "'S",
    "'ll",
    "'re",
    "'",
    "a",
    "b",
    " ",
    "  ",
    "\n",
    "\xa0",
    "1",
    "é",
    ".",
    "日",
    "😀",
]
texts = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@settings(max_examples=60, deadline=None)
@given(text=texts, utf16=st.booleans())
def test_words_and_bytes(workings: Workings, text: str, utf16: bool) -> None:
    if len(text) > LENGTH or len(text.encode()) > LENGTH:
        return
    workings.show(text, utf16=utf16)
    assert workings.words() == WORD.findall(text)
    assert bytes(map(int, workings.column_of(workings.units, "byte"))) == text.encode()  # type: ignore[arg-type]
    places = [place for place, character in enumerate(text, 1) for _ in character.encode()]
    assert workings.column_of(workings.units, "character") == places


@pytest.mark.parametrize("word", [" quick", " the", "aaaaaaa", "é", "   ", "x", "aaaaaaaa"])
def test_each_round_merges_what_the_witness_merges(
    workings: Workings, small: Tokenizer, word: str
) -> None:
    workings.show(word)
    (stages,) = small.stages(word).words
    for number, table in enumerate(workings.rounds, start=1):
        so_far = stages.rounds[:number]
        parts = so_far[-1].parts if so_far else stages.parts
        assert workings.column_of(table, "text") == list(parts)
        ranks = workings.column_of(table, "rank")
        if number <= len(stages.rounds):
            assert min(ranks) == stages.rounds[number - 1].rank  # type: ignore[type-var]
        else:
            assert ranks == []


def test_words_merge_side_by_side(workings: Workings, small: Tokenizer) -> None:
    workings.show("the quick the quick aa")
    assert workings.ids() == small.encode("the quick the quick aa")
    deepest = max(len(word.rounds) for word in small.stages("the quick the quick aa").words)
    last = [bool(workings.column_of(table, "rank")) for table in workings.rounds]
    assert last == [True] * deepest + [False] * (ROUNDS - deepest)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_random_vocabularies(data: st.DataObject) -> None:
    """Any well-formed list of merges, ids in any order, with many ties and overlaps."""
    parts = ["a", "b", "Ġ"]
    merges: list[tuple[str, str]] = []
    for _ in range(data.draw(st.integers(0, ROUNDS))):
        pair = data.draw(st.tuples(st.sampled_from(parts), st.sampled_from(parts)))
        if pair not in merges and "".join(pair) not in parts:
            merges.append(pair)
            parts.append("".join(pair))
    tokenizer = tokenizer_of(merges, seed=data.draw(st.integers(0, 9)))
    workings = Workings(tokenizer)
    text = data.draw(st.text("ab ", max_size=LENGTH))
    workings.show(text)
    assert workings.ids() == tokenizer.encode(text)
