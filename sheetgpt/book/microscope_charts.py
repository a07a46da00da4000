"""Two charts under the microscope: the sum as it grows, and the activation's curve."""

from dataclasses import replace

import numpy as np

from sheetgpt.book.book import Curve, Plot
from sheetgpt.book.microscope_terms import FIRST, SUM, Chosen, Terms, Workings
from sheetgpt.book.page import Page
from sheetgpt.book.records import BEND
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Range, call, when
from sheetgpt.steps import microscope as formulas
from sheetgpt.steps.block import ACTIVATIONS
from sheetgpt.steps.mathematics import total

CURVE, POINTS = 5.0, 41  # how far the activation's curve goes to both sides, and its points
ASIDE = -10 * CURVE  # where the chart does not reach


def running_sum(page: Page, workings: Workings, chosen: Chosen, terms: Terms, corner: Area) -> None:
    """The sum so far, term after term; places behind the last term lie on that one."""
    label, is_there = page.words.label, terms.numbers <= chosen.terms
    across = when(is_there, terms.numbers, chosen.terms)
    so_far = when(terms.sum.equals(""), 0, terms.sum)  # nothing yet, where a window begins
    up = when(is_there, so_far, total(terms.product))
    x = workings.place(across, label("column number"))
    y = workings.place(up, label("microscope sum"))
    curve = Curve(x, y, page.area(FIRST - 1, SUM))
    about, title = label("microscope sum chart"), label("microscope sum")
    page.charts.append(Plot([curve], corner, about, 9.8, 9.5, label("column terms"), title))


def activation_curve(
    page: Page,
    workings: Workings,
    chosen: Chosen,
    activation: str,
    ends: tuple[Range, Range],
    corner: Area,
) -> None:
    """The activation's curve, with the number that was chosen on it, if that is the step.

    ends: the cells of what enters and of what comes out.
    """
    label, function, (entering, result) = page.words.label, ACTIVATIONS[activation], ends
    title = page.words.step("h.b.mlp.gelu").title
    grid = np.linspace(-CURVE, CURVE, POINTS)[:, None]
    x = workings.reserve(POINTS, "x")
    page.fill(x.top, x.left, grid, "formula")
    y = workings.place(function(Range(x)), title)
    is_it = chosen.kind.equals(BEND)
    at_most = call("MAX", -CURVE, call("MIN", CURVE, entering))
    point_x = workings.place(when(is_it, at_most, ASIDE), label("microscope entering"))
    height = when(is_it, function(Range(point_x)), ASIDE)
    point_y = workings.place(height, label("microscope result"))
    name = replace(point_x, top=FIRST + 1, bottom=FIRST + 1)
    page.compute(name, when(is_it, formulas.arithmetic(entering, " → ", result), " "), "text")
    line = Curve(x, y, page.area(FIRST - 1, y.left))
    curves = [line, Curve(point_x, point_y, name, "answer")]
    limits = (-CURVE, CURVE), (-1.0, CURVE)
    about = label("microscope curve chart")
    page.charts.append(Plot(curves, corner, about, 10.5, 9.5, "x", title, *limits))
