"""Why this token? A logit as an exact sum of what each part of the model has to say for it.

The final layer norm is linear once its deviation σ is known, so a logit is the product of the
residual stream's last row, which is a sum itself, with one direction: the token's row of the
unembedding, times gain, through σ, less the mean of that (Elhage et al. 2021, "A Mathematical
Framework for Transformer Circuits"; nostalgebraist 2020).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sheetgpt.formula.expr import MOST, Call, Expr, Like, Range, call, expr, join, when
from sheetgpt.steps.head import Head

MOST_CHOICES = MOST - 1  # blocks that one formula can choose among


@dataclass(frozen=True)
class Pair:
    """The ids of a token and of another; versus: 1 if it is about the one rather than the other, 0
    if about the one alone.
    """

    token: Expr
    other: Expr
    versus: Expr

    def gap(self, of: Callable[[Expr], Expr]) -> Expr:
        """What the one has, less what the other has."""
        return of(self.token) - self.versus * of(self.other)


def typed_id(typed: Expr, texts: Range, ids: Expr) -> Expr:
    """The id that was typed, or that of the text; of a text that only with a space before it is a
    token, n_vocab more; 2 n_vocab where there is none, or nothing was typed.
    """
    n_vocab = texts.area.shape[0]
    exactly, spaced = (call("EXACT", texts, key) for key in (typed, join(" ", typed)))
    of_text = call("MIN", when(exactly, ids, when(spaced, ids + n_vocab, 2 * n_vocab)))
    is_id = call("AND", typed >= 0, typed < n_vocab)
    of_number = when(is_id, call("INT", typed), 2 * n_vocab)
    return when(
        call("LEN", typed).equals(0),
        2 * n_vocab,
        when(call("ISNUMBER", typed), of_number, of_text),
    )


def likeliest(logits: Expr, ids: Expr) -> Expr:
    """The id of the largest logit, of equal ones the first."""
    return call("MIN", when(logits.equals(call("MAX", logits)), ids, ""))


def next_likeliest(logits: Expr, ids: Expr, than: Expr) -> Expr:
    """The same among all tokens but one."""
    others = ids.differs(than)
    largest = call("MAX", when(others, logits, ""))
    return call("MIN", when(others * logits.equals(largest), ids, ""))


def apart(head: Head, pair: Pair) -> Expr:  # [1, n_embd]
    """The row of a token in the unembedding, less that of the other."""
    return pair.gap(lambda token: call("INDEX", head.matrix, token + 1, 0))


def reads(direction: Expr, c_proj: Expr) -> Expr:  # [1, n_embd]
    """What each number that the heads of a block give is worth in a direction."""
    return Call("MMULT", (c_proj, direction.T)).T


def constant(head: Head, pair: Pair, apart: Expr, bias: Expr) -> Expr:
    """What no text changes: the bias of the final layer norm, and the unembedding's own."""
    votes, own = call("SUM", apart * bias), head.bias
    if own is None:
        return votes
    return votes + pair.gap(lambda token: call("INDEX", own, token + 1))


def largest_part(votes: Range, rank: Like) -> Expr:
    """The size of the vote with this rank, for or against."""
    return call("LARGE", call("ABS", votes), rank)


def part_of(votes: Range, size: Expr, numbers: Range, equals_above: Expr | None = None) -> Expr:
    """The number of the part whose vote has this size; of equal ones the next after those above."""
    before: Like = 0 if equals_above is None else call("SUM", when(equals_above, 1, 0))
    are_as_large = call("ABS", votes).equals(size)
    return call("SMALL", when(are_as_large, numbers, ""), expr(before) + 1)


def chosen(block: Expr, of_blocks: Sequence[Range]) -> Expr:
    """The cells of one step in a block with this number."""
    return call("CHOOSE", block + 1, *of_blocks)
