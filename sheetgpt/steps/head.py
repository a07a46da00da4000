"""From the last block to the next token: logits, softmax, the likeliest."""

from sheetgpt.formula.expr import Call, Expr, Range, call, when
from sheetgpt.steps.step import Step, softmax


def probabilities(
    on_logits: Step, on_softmax: Step, ln_f: Expr, unembedding: Range, only: Expr
) -> tuple[Range, Range]:
    """Logits and their softmax, [n_vocab, 1] for each token, where `only` holds."""
    logits = on_logits("logits", unembedding @ ln_f.T, only=only)
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
