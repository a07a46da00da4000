"""What every step of the model is said with."""

from collections.abc import Mapping
from typing import Protocol

from sheetgpt.formula.expr import Call, Expr, Range
from sheetgpt.steps.mathematics import exp, largest, mean, sqrt, total, var

Weights = Mapping[str, Range]  # the weights of one part, under their names within it


class Step(Protocol):
    def __call__(self, name: str, *panels: Expr, only: Expr | None = None) -> Call:
        """Place a step on its tab and return each token's part of it, to build on.

        panels: one token's formulas, side by side: each 1 x d, 1 x t (a row of a matrix of
            token by token), or d x 1 (a column).
        only: where this is false, the step shows nothing.
        """


def linear(x: Expr, part: Weights, name: str) -> Expr:
    """x w + b:  [1, n_in] -> [1, n_out]."""
    return x @ part[f"{name}.w"] + part[f"{name}.b"]


def layer_norm(step: Step, name: str, x: Expr, part: Weights, epsilon: Expr) -> Call:
    """Mean 0 and variance 1 over the token's numbers, then gain and bias (Ba et al. 2016)."""
    normal = step(f"{name}.normal", (x - mean(x)) / sqrt(var(x) + epsilon))  # [1, n_embd]
    return step(name, normal * part[f"{name}.g"] + part[f"{name}.b"])  # [1, n_embd]


def softmax(x: Expr) -> Expr:
    """Positive numbers that add up to 1; less the largest first, so that EXP stays in range."""
    grown = exp(x - largest(x))  # of x's shape
    return grown / total(grown)
