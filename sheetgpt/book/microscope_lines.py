"""The lines of arithmetic under the microscope, for each kind of step, with the numbers in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sheetgpt.book.records import BEND, LINES, NORM, PRODUCT, SOFTMAX
from sheetgpt.book.under_microscope import At
from sheetgpt.book.words import Words
from sheetgpt.formula.expr import Call, Expr, Like, Range, call, when
from sheetgpt.formula.notation import mathematics
from sheetgpt.steps import microscope as formulas
from sheetgpt.steps.block import ACTIVATIONS
from sheetgpt.steps.mathematics import exp, largest, mean, total, var


@dataclass(frozen=True)
class Line:
    """What a number is called, the number, and how it comes about."""

    label: Like = ""
    value: Like = ""
    arithmetic: Like = ""


@dataclass(frozen=True)
class View:
    """What the lines are computed from.

    left, right, product: the columns of terms; first, terms: the places of the first and last.
    gain, bias: those of the column. divisor: what a sum is divided by, where there is such a thing,
    and `is_divided` says whether. entering: the number that goes into the activation.
    cells: where the values of the lines stand, each of which may use those above it and no others:
    of any kind, or the lines of two kinds would make a circle.
    """

    at: At
    left: Range
    right: Range
    product: Range
    first: Range
    terms: Range
    gain: Expr
    bias: Expr
    divisor: Like
    is_divided: Expr
    entering: Expr
    logits: Range
    is_tall: Expr
    epsilon: Expr
    activation: str
    cells: Sequence[Range]


def lines(view: View, words: Words) -> Mapping[int, Sequence[Line]]:
    """Of each kind of step so many lines; the last one is the result."""
    found = {PRODUCT: _product, NORM: _norm, SOFTMAX: _softmax, BEND: _bend}
    return {kind: _filled(of_kind(view, words)) for kind, of_kind in found.items()}


def _filled(some: Sequence[Line]) -> Sequence[Line]:
    *above, result = some
    return [*above, *[Line()] * (LINES - len(some)), result]


def _product(view: View, words: Words) -> Sequence[Line]:
    """Scores are divided and have no bias; what else has one is not divided. A part that can be
    switched off has its switch for a gain.
    """
    label, say, (total_, other, switch, *_, result) = words.label, formulas.arithmetic, view.cells
    left, right = (call("INDEX", side, view.first) for side in (view.left, view.right))
    is_divided, has_none, has_switch = (
        view.is_divided, view.bias.equals(""), view.gain.differs("")
    )  # fmt: skip
    divided = say(total_, " / ", other, " = ", result)
    shifted = say(total_, " + ", other, " = ", result)
    switched = when(
        has_none,
        say(total_, " × ", switch, " = ", result),
        say("(", total_, " + ", other, ") × ", switch, " = ", result),
    )
    plain = when(is_divided, total_ / other, total_ + when(has_none, 0, other))
    its_label = when(has_none, "", label("microscope bias"))
    return [
        Line(label("microscope total"), total(view.product), say(left, " × ", right, " + …")),
        Line(
            when(is_divided, label("microscope divisor"), its_label),
            when(is_divided, view.divisor, view.bias),
        ),
        Line(when(has_switch, label("microscope switch"), ""), view.gain),
        Line(
            label("microscope result"),
            plain * when(has_switch, switch, 1),
            when(is_divided, divided, when(has_switch, switched, when(has_none, "", shifted))),
        ),
    ]


def _norm(view: View, words: Words) -> Sequence[Line]:
    label, say, (mean_, var_, normal, gain, bias, result) = (
        words.label, formulas.arithmetic, view.cells,
    )  # fmt: skip
    own = call("INDEX", view.left, view.at.column + 1)
    return [
        Line(label("microscope mean"), mean(view.left), say(total(view.left), " / ", view.terms)),
        Line(
            label("microscope variance"),
            var(view.left),
            say(total(view.product), " / ", view.terms),
        ),
        Line(
            label("microscope normal"),
            formulas.normalised(own, mean_, var_, view.epsilon),
            say("(", own, " − ", mean_, ") / √(", var_, " + ε)"),
        ),
        Line(label("microscope gain"), view.gain),
        Line(label("microscope bias"), view.bias),
        Line(
            label("microscope result"),
            normal * gain + bias,
            say(normal, " × ", gain, " + ", bias, " = ", result),
        ),
    ]


def _softmax(view: View, words: Words) -> Sequence[Line]:
    """Of a head's scores, which are the terms; or of the vocabulary, which are too many to list."""
    label, say, (largest_, grown, sum_, *_, result) = words.label, formulas.arithmetic, view.cells
    column = call("INDEX", view.logits, 0, view.at.token)
    logit = call("INDEX", view.logits, view.at.column + 1, view.at.token)
    score = when(view.is_tall, logit, call("INDEX", view.left, view.at.column))
    all_grown = when(view.is_tall, total(exp(column - largest_)), total(view.product))
    return [
        Line(
            label("microscope largest"),
            when(view.is_tall, largest(column), largest(view.left)),
        ),
        Line(
            label("microscope grown"),
            exp(score - largest_),
            say("exp(", score, " − ", largest_, ")"),
        ),
        Line(label("microscope grown sum"), all_grown),
        Line(label("microscope result"), grown / sum_, say(grown, " / ", sum_, " = ", result)),
    ]


def _bend(view: View, words: Words) -> Sequence[Line]:
    """The activation: what enters, the function that bends it, and how much of it comes out."""
    label, function = words.label, ACTIVATIONS[view.activation]
    entering = view.cells[0]
    x = replace(entering, name="x")
    inner = formulas.bend(function(entering))
    is_comparison = isinstance(inner, Call) and inner.op == ">"
    return [
        Line(label("microscope entering"), view.entering),
        Line(
            mathematics(formulas.bend(function(x))), when(inner, 1, 0) if is_comparison else inner
        ),
        Line(
            label("microscope passes"), when(entering.equals(0), "", function(entering) / entering)
        ),
        Line(label("microscope result"), function(entering), mathematics(function(x))),
    ]
