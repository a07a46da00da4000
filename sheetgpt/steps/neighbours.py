"""Which tokens does the model think alike? Rows of `wte` as arrows, and the angles between them.

Sources: Salton, Wong and Yang 1975, "A Vector Space Model for Automatic Indexing" (cosine);
Mikolov, Yih and Zweig 2013, "Linguistic Regularities in Continuous Space Word Representations"
(king - man + woman).
"""

from sheetgpt.formula.expr import Expr, Range, call, join, when
from sheetgpt.steps.head import ranked_id

SPACE = " "  # what a token within a text begins with


def identifier(text: Expr, texts: Range, ids: Range) -> Expr:
    """The id of the token that is this text and no other; blank where there is none."""
    found = call("MAX", when(call("EXACT", text, texts), ids, -1))
    return when(call("LEN", text).equals(0), "", when(found < 0, "", found))


def spaced(word: Range) -> Expr:
    """The word as it stands within a text; nothing where nothing was typed."""
    return when(call("LEN", word).equals(0), "", join(SPACE, word))


def lengths(rows: Range) -> Expr:
    """[n, d] -> [n, 1]: of each row the root of the sum of its squares (Pythagoras)."""
    columns = Range(rows.area.rows(0, 1))
    return call("SQRT", rows * rows @ (columns * 0 + 1).T)


def length(numbers: Range) -> Expr:
    return call("SQRT", call("SUMPRODUCT", numbers, numbers))


def cosines(rows: Range, norms: Range, numbers: Range, its_length: Expr) -> Expr:
    """[n, d] beside [d, 1] -> [n, 1]; 0 where there is an arrow without a length."""
    size = norms * its_length
    return rows @ numbers / when(size > 0, size, 1)


def cosine(left: Range, right: Range) -> Expr:
    size = length(left) * length(right)
    return call("SUMPRODUCT", left, right) / when(size > 0, size, 1)


def angle(cosine_: Expr) -> Expr:
    """In degrees; a cosine that rounding has carried beyond 1 counts as 1."""
    return call("ACOS", call("MAX", -1, call("MIN", 1, cosine_))) * 180 / call("PI")


def ranked(values: Range, rank: int) -> Expr:
    """The largest value, the second largest, …; blank where there are not so many."""
    return when(call("COUNT", values) < rank, "", call("LARGE", values, rank))


def id_of(values: Range, ids: Range, value: Range, above: Range | None) -> Expr:
    """The id that has this value; of equal ones the next after those above."""
    if above is None:
        return call("MIN", when(values.equals(value), ids, ""))
    return ranked_id(values, ids, value, above.equals(value))
