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


def of_token(step: Range, number: Expr) -> Call:
    """The column of the token with this number: [n_vocab, 1]."""
    return call("INDEX", step, 0, number)


def likeliest_id(logits: Expr) -> Expr:
    """The lowest id among the tokens with the largest logit."""
    return call("MATCH", call("MAX", logits), logits, 0) - 1


def ranked_id(logits: Expr, ids: Expr, logit: Expr, above: Expr) -> Expr:
    """The id of the token that has this logit; of equal ones the next after those `above`.

    ids: every token id, [n_vocab, 1]; above: the logits of the ranks before.
    """
    among_equals = call("SUM", when(above.equals(logit), 1, 0)) + 1
    return call("SMALL", when(logits.equals(logit), ids, ""), among_equals)
