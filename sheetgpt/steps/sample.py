"""Choosing the next token, and writing it down.

The order of operations is Hugging Face's: temperature, top-k, top-p, draw.  Nothing is sorted: how
many tokens top-p keeps, and the id that a random number falls on, are found bit by bit, each
bit by one sum over the vocabulary.  Tokens equal to the last one that is kept are kept too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sheetgpt.formula.expr import Expr, Number, Range, call, join, when
from sheetgpt.steps.tokenize import Row, RowFormulas, Table

REPLACEMENT = "\ufffd"  # what stands for bytes that are no character

# Wichmann and Hill 1982, "Algorithm AS 183", Applied Statistics 31: factor and modulus of each of
# three generators, small enough for doubles to hold every product exactly.
GENERATORS = ((171, 30269), (172, 30307), (170, 30323))


@dataclass(frozen=True)
class Controls:
    """The cells that say how to choose and how much: as typed, or as understood."""

    temperature: Range
    top_k: Range
    top_p: Range
    seed: Range
    new_tokens: Range


LARGEST_SEED = 10**15 - 1  # the largest whole number that a spreadsheet keeps to the last digit


def understood(typed: Controls) -> dict[str, Expr]:
    """What the formulas take each control for, whatever was typed or pasted into its cell.

    A text, or nothing, is as if the control were not there; a number is brought into its limits.
    """

    def number(cell: Expr, otherwise: float, taken: Expr) -> Expr:
        return when(call("ISNUMBER", cell), taken, otherwise)

    def at_least(least: float, cell: Expr) -> Expr:
        return call("MAX", least, cell)

    top_p = call("MIN", at_least(0, typed.top_p), 1)
    seed = call("MIN", call("INT", at_least(0, typed.seed)), LARGEST_SEED)
    return {
        "new_tokens": number(typed.new_tokens, 1, call("INT", at_least(1, typed.new_tokens))),
        "temperature": number(typed.temperature, 0, at_least(0, typed.temperature)),
        "top_k": number(typed.top_k, 0, call("INT", at_least(0, typed.top_k))),
        "top_p": number(typed.top_p, 1, top_p),
        "seed": number(typed.seed, 0, seed),
    }


@dataclass(frozen=True)
class Vocabulary:
    """What the choice is made of, and what it looks up.

    logits: [n_vocab, context]. ids: every id in a column. text: every token's text.
    partial: of the tokens that are no whole characters, sorted by id, the first row -1: `id`;
        `lead`, how many bytes at the start can only continue a character, and `bits`, what they
        hold; `text`, the characters behind them; `need` and `value`, how many bytes a character
        that begins at the end is missing, and its bits up to there.
    between: what stands between two tokens.
    """

    logits: Range
    ids: Range
    text: Range
    partial: Mapping[str, Range]
    end_of_text: int | None
    between: str = ""

    @property
    def size(self) -> int:
        return self.ids.area.shape[0]


def bits(n_vocab: int) -> range:
    """The bits of a rank or an id, the largest first."""
    return range((n_vocab - 1).bit_length() - 1, -1, -1)


def columns(n_vocab: int) -> dict[str, float | str]:
    """The columns of the table of choices, and what they start from."""
    return {
        "x": 0, "y": 0, "z": 0, "uniform": 0, "largest": 0, "cut_k": 0, "weight_k": 0,
        **{f"rank_{bit}": 0 for bit in bits(n_vocab)}, "cut": 0, "weight": 0,
        **{f"id_{bit}": 0 for bit in bits(n_vocab)}, "id": "", "token": "", "probability": 0,
        "part": 0, "lead": 0, "need": 0, "value": 0, "text": "",
    }  # fmt: skip


def is_chosen(number: Expr, n_tokens: Expr, controls: Controls) -> Expr:
    """Whether the token with this number is one that a new token follows."""
    return call("AND", number >= n_tokens, number < n_tokens + controls.new_tokens)


def written_id(
    number: Expr, n_tokens: Expr, before: Expr, controls: Controls, end_of_text: int | None
) -> Expr:
    """The token in a row behind the prompt: the one chosen in the row before, or nothing.

    The row of the last new token stays empty, for no token is chosen after it.
    """
    ends = before.equals("")
    if end_of_text is not None:
        ends = call("OR", ends, before.equals(end_of_text))
    return when(is_chosen(number, n_tokens, controls), when(ends, "", before), "")


def weights(logits: Expr, largest: Expr, temperature: Expr, cut: Expr) -> Expr:
    """What each token weighs: 1 for the likeliest, 0 for those below the cut; [n_vocab, 1]."""
    return when(logits >= cut, call("EXP", (logits - largest) / temperature), 0)


def choices(
    table: Table, numbers: Range, n_tokens: Range, controls: Controls, vocabulary: Vocabulary
) -> RowFormulas:
    """One row a token: the random number, the two cuts, the id it falls on, the text so far."""
    size = vocabulary.size
    temperature = controls.temperature
    is_greedy = temperature <= 0

    def formulas(index: int) -> Mapping[str, Expr]:
        above, here = table.row(index - 1), table.row(index)
        logits = Range(vocabulary.logits.area.columns(index, index + 1))
        is_first = Range(numbers.area.row(index)).equals(n_tokens)
        kept_k = weights(logits, here["largest"], temperature, here["cut_k"])
        kept = weights(logits, here["largest"], temperature, here["cut"])
        found: dict[str, Expr] = {
            **_random(above, here, is_first, controls.seed),
            "largest": call("MAX", logits),
            "cut_k": when(
                call("OR", is_greedy, controls.top_k < 1, controls.top_k >= size),
                call("MIN", logits),
                call("LARGE", logits, controls.top_k),
            ),
            "weight_k": when(is_greedy, 1, call("SUM", kept_k)),
        }
        # The last rank at which the likeliest tokens do not reach top-p's share yet.
        rank: Expr = Number(0)
        needs_no_search = call("OR", is_greedy, controls.top_p >= 1)
        for bit in bits(size):
            tried = rank + 2**bit
            reached = call("SUM", when(logits >= call("LARGE", logits, tried), kept_k, 0))
            falls_short = reached < controls.top_p * here["weight_k"]
            found[f"rank_{bit}"] = when(
                call("OR", needs_no_search, tried >= size), rank, when(falls_short, tried, rank)
            )
            rank = here[f"rank_{bit}"]
        found["cut"] = when(
            needs_no_search,
            here["cut_k"],
            call("MAX", here["cut_k"], call("LARGE", logits, rank + 1)),
        )
        found["weight"] = when(is_greedy, 1, call("SUM", kept))
        # The last id with no more before it than the random number's share of the weight.
        identifier: Expr = Number(0)
        for bit in bits(size):
            tried = identifier + 2**bit
            before = call("SUM", when(vocabulary.ids < tried, kept, 0))
            is_within = before <= here["uniform"] * here["weight"]
            found[f"id_{bit}"] = when(
                call("OR", is_greedy, tried >= size), identifier, when(is_within, tried, identifier)
            )
            identifier = here[f"id_{bit}"]
        likeliest = call("MATCH", here["largest"], logits, 0) - 1
        chosen = call("INDEX", logits, here["id"] + 1)
        share = call("EXP", (chosen - here["largest"]) / temperature) / here["weight"]
        return found | {
            "id": when(is_greedy, likeliest, identifier),
            "token": call("INDEX", vocabulary.text, here["id"] + 1),
            "probability": when(is_greedy, 1, share),
            **_text(above, here, is_first, vocabulary),
        }

    return formulas


def _random(above: Row, here: Row, is_first: Expr, seed: Expr) -> dict[str, Expr]:
    """Three generators that the seed sets, and the number from 0 up to 1 that they make together.

    The square keeps neighbouring seeds apart; it is taken of the rest of the division, for Excel's
    MOD refuses numbers 2^40 times as large as the divisor.
    """
    found: dict[str, Expr] = {}
    total: Expr | None = None
    rests = [call("MOD", seed, modulus - 1) for _, modulus in GENERATORS]
    starts = (rests[0], rests[1] * rests[1], 7 * rests[2])
    for name, start, (factor, modulus) in zip("xyz", starts, GENERATORS, strict=True):
        before = when(is_first, 1 + call("MOD", start, modulus - 1), above[name])
        found[name] = call("MOD", factor * before, modulus)
        part = here[name] / modulus
        total = part if total is None else total + part
    assert total is not None
    return found | {"uniform": call("MOD", total, 1)}


def _text(above: Row, here: Row, is_first: Expr, vocabulary: Vocabulary) -> dict[str, Expr]:
    """The text up to the chosen token: bytes to characters, where a character spans two tokens.

    need, value: how many bytes the character at the end still misses, and its bits up to there.
    """
    partial, row = vocabulary.partial, here["part"]
    is_partial = row > 1

    def of_token(column: str, otherwise: Expr | float | str) -> Expr:
        return when(is_partial, call("INDEX", partial[column], row), otherwise)

    found = call("MATCH", here["id"], partial["id"], 1)
    lead, held = here["lead"], of_token("bits", 0)
    text = of_token("text", here["token"])
    if vocabulary.end_of_text is not None:
        text = when(here["id"].equals(vocabulary.end_of_text), "", text)
    need, value = (when(is_first, 0, above[name]) for name in ("need", "value"))
    is_all_lead = call(
        "AND", lead > 0, lead < need, call("LEN", text).equals(0), of_token("need", 0).equals(0)
    )
    rest = _power_of_64(call("MIN", lead, 3) - need)
    character = call("UNICHAR", value * _power_of_64(need) + call("INT", held / rest))
    opening = when(
        need.equals(0),
        call("REPT", REPLACEMENT, lead),
        when(
            lead >= need,
            join(call("IFERROR", character, REPLACEMENT), call("REPT", REPLACEMENT, lead - need)),
            when(is_all_lead, "", REPLACEMENT),
        ),
    )
    so_far: Expr = when(is_first, "", above["text"])
    if vocabulary.between:
        so_far = when(is_first, "", join(above["text"], vocabulary.between))
        if vocabulary.end_of_text is not None:
            so_far = when(here["id"].equals(vocabulary.end_of_text), above["text"], so_far)
            so_far = when(is_first, "", so_far)
    return {
        "part": when(call("INDEX", partial["id"], found).equals(here["id"]), found, 1),
        "lead": of_token("lead", 0),
        "need": when(is_all_lead, need - lead, of_token("need", 0)),
        "value": when(is_all_lead, value * _power_of_64(lead) + held, of_token("value", 0)),
        "text": join(so_far, opening, text),
    }


def _power_of_64(exponent: Expr) -> Expr:
    """UTF-8 packs six bits into each byte that continues a character."""
    return Number(64) ** exponent
