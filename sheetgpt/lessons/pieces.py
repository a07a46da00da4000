"""Words in pieces, as one text: each part between two spaces, " l  o  w  · ".

To join a pair of parts is then to substitute one text by another, and no part is ever taken for the
end of a longer one.
"""

from sheetgpt.formula.expr import Expr, call, join, when

LETTERS = 12  # that a word may have
END = "·"
WIDE = 40  # more than all parts of a word together: each part finds itself alone in so many letters


def spelled(word: Expr) -> Expr:
    """Every letter a part, and the mark of the end; nothing where there is no word."""
    plain = call("SUBSTITUTE", word, " ", "")
    return when(call("LEN", plain) < 1, "", join(spelling(plain), f" {END} "))


def spelling(word: Expr) -> Expr:
    """Every letter a part, without an end: GPT-2's mark is the space before a word instead."""
    letters = [
        when(call("LEN", word) >= place, join(" ", call("MID", word, place, 1), " "), "")
        for place in range(1, LETTERS + 1)
    ]
    return join(*letters)


def joined(pair: Expr) -> Expr:
    return call("SUBSTITUTE", pair, "  ", "")


def plus(parts: Expr) -> Expr:
    """Parts as a person reads them: l + o + w."""
    return call("TRIM", call("SUBSTITUTE", parts, "  ", " + "))


def merged(word: Expr, pair: Expr) -> Expr:
    return when(pair.equals(""), word, call("SUBSTITUTE", word, pair, joined(pair)))


def n_parts(word: Expr) -> Expr:
    """How many parts a word, or each of several, has: one more than the gaps between them."""
    gaps = (call("LEN", word) - call("LEN", call("SUBSTITUTE", word, "  ", ""))) / 2
    return when(call("LEN", word) > 0, gaps + 1, 0)


def part(word: Expr, place: Expr) -> Expr:
    """The part of a word at a place, "" behind its last one."""
    spread = call("SUBSTITUTE", word, "  ", " " * WIDE)
    return call("TRIM", call("MID", spread, (place - 1) * WIDE + 1, WIDE))
