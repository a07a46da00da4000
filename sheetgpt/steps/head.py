"""From the last block to the next token: logits, softmax, the likeliest."""

from dataclasses import dataclass

from sheetgpt.formula.expr import Call, Expr, Range, call, when
from sheetgpt.steps.step import Step, softmax


@dataclass(frozen=True)
class Head:
    """What turns a token's last row into a logit for every entry of the vocabulary.

    matrix: [n_vocab, n_embd], `wte` itself where the head is tied; bias: [n_vocab, 1], or none.
    """

    matrix: Range
    bias: Range | None = None

    def logits(self, ln_f: Expr) -> Expr:  # [n, n_embd] -> [n_vocab, n]
        product = self.matrix @ ln_f.T
        return product if self.bias is None else product + self.bias


def probabilities(
    on_logits: Step, on_softmax: Step, ln_f: Expr, head: Head, only: Expr
) -> tuple[Range, Range]:
    """Logits and their softmax, [n_vocab, 1] for each token, where `only` holds."""
    logits = on_logits("logits", head.logits(ln_f), only=only)
    return _all(logits), _all(on_softmax("softmax", softmax(logits), only=only))


def _all(step: Call) -> Range:
    (whole,) = step.arguments
    assert isinstance(whole, Range)
    return whole


def ranked_id(logits: Expr, ids: Expr, logit: Expr, equals_above: Expr) -> Expr:
    """The id of the token that has this logit; of equal ones the next after those above.

    ids: every token id, [n_vocab, 1]; equals_above: for each better rank, whether it is equal.
    """
    among_equals = call("SUM", when(equals_above, 1, 0)) + 1
    return call("SMALL", when(logits.equals(logit), ids, ""), among_equals)
