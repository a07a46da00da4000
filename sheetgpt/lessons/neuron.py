"""The lesson `a neuron, a layer`: a weighted sum with a bend, many at once, and what they can draw.

A network of n ReLUs is a chain of n straight pieces. It meets any curve at n + 1 places exactly if
each ReLU bends the line by the difference of two slopes, which is how `_network` finds its numbers.

Sources: McCulloch and Pitts 1943; Nair and Hinton 2010 (ReLU); Hendrycks and Gimpel 2016 (GELU).
"""

import numpy as np

from sheetgpt.book.book import Curve, Plot
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Expr, Number, Range, call, when
from sheetgpt.lessons.lesson import Lesson, at, column_of, text_at

INPUTS = (("sun", 1.0, 0.6), ("friends", 1.0, 0.9), ("work", 1.0, -1.0))
BIAS = -0.3
LAYER = ((0.6, -0.4, 0.2, 1.0), (0.9, 0.5, -0.7, 0.1), (-1.0, 0.8, 0.3, -0.5))
BIASES = (-0.3, 0.1, 0.0, 0.2)
TURNED = ((1.0, 0.0, 0.5), (-1.0, 0.0, 0.5))  # of two neurons: weight, bias, strength
COUNTS = (2, 8, 32)
POINTS = (
    65  # of a curve that is drawn, from -1 to 1; the places of all three networks are among them
)
FIRST = 3


def neuron(page: Lesson) -> None:
    page.widths |= {2: 24} | dict.fromkeys(range(FIRST, FIRST + 12), 11.5)
    page.widths |= dict.fromkeys(range(FIRST + 14, FIRST + 20), 16)
    _neuron(page)
    _layer(page)
    x, curve = _target(page)
    _by_hand(page, x, curve)
    _solved(page, x, curve)


def relu(x: Expr) -> Expr:
    return when(x > 0, x, 0)


def gelu(x: Expr) -> Expr:
    """As GPT-2 computes it, with tanh."""
    return x * (1 + call("TANH", 0.7978845608028654 * (x + 0.044715 * x * x * x))) / 2


def _neuron(page: Lesson) -> None:
    page.section("neuron")
    page.tries("try rain", "try bend")
    top = page.row
    page.headings(top, 2, "question", look="heading")
    page.headings(top, FIRST, "x", "w", "product")
    names = [[page.label(f"input {name}")] for name, _, _ in INPUTS]
    page.inputs("neuron.name", top + 1, 2, names, "word")
    x = page.inputs("neuron.x", top + 1, FIRST, [[x] for _, x, _ in INPUTS], "control")
    w = page.inputs("neuron.w", top + 1, FIRST + 1, [[w] for _, _, w in INPUTS], "control")
    products = page.show("neuron.products", top + 1, FIRST + 2, x * w, "formula")
    row = top + 1 + len(INPUTS)
    page.write(row, 2, page.label("bias"), "heading")
    b = page.input("neuron.b", row, FIRST + 2, BIAS)
    rows: dict[str, Expr] = {"sum": call("SUM", products) + b}
    total = Range(page.area(row + 1, FIRST + 2))
    rows |= {"relu": relu(total), "gelu": gelu(total)}
    for number, (key, tree) in enumerate(rows.items(), start=row + 1):
        page.write(number, 2, page.label(key), "heading")
        page.write(number, FIRST, page.label(f"{key} says"), "mathematics")
        page.show(f"neuron.{key}", number, FIRST + 2, tree, "live formula")
    line = np.linspace(-3, 3, 25)
    left = FIRST + 14
    page.headings(top, left, "sum", "relu", "gelu")
    xs = page.constants(top + 1, left, line, "formula", down=True)
    areas = [
        page.show(f"neuron.curve.{name}", top + 1, left + i, bend(xs), "formula").area
        for i, (name, bend) in enumerate((("relu", relu), ("gelu", gelu)), start=1)
    ]
    page.write(top + 4, left + 4, page.label("here"), "heading")
    curves = [
        Curve(xs.area, areas[0], page.area(top, left + 1)),
        Curve(xs.area, areas[1], page.area(top, left + 2)),
        Curve(total.area, page.names["neuron.relu"], page.area(top + 4, left + 4), "points"),
    ]
    about = page.label("bend chart")
    page.charts.append(
        Plot(
            curves,
            page.area(top, FIRST + 5),
            about,
            12,
            7,
            page.label("sum"),
            page.label("answer"),
            (-3, 3),
        )
    )
    page.row = top + 16


def _layer(page: Lesson) -> None:
    page.section("layer")
    page.tries("try layer")
    top = page.row
    n = len(BIASES)
    for column in range(n):
        page.write(
            top, FIRST + column, page.label("neuron number", number=column + 1), "heading center"
        )
    names, x = Range(page.names["neuron.name"]), Range(page.names["neuron.x"])
    w = page.inputs("layer.w", top + 1, FIRST, LAYER, "control")
    for row in range(len(INPUTS)):
        page.compute(page.area(top + 1 + row, 2), text_at(names, row), "text")
    row = top + 1 + len(INPUTS)
    page.write(row, 2, page.label("bias"), "heading")
    b = page.inputs("layer.b", row, FIRST, [BIASES], "control")
    page.write(row + 1, 2, page.label("one by one"), "heading")
    singly = page.define("layer.singly", page.area(row + 1, FIRST, 1, n))
    for column in range(n):
        total = call("SUMPRODUCT", x, column_of(w, column)) + at(b, 0, column)
        page.compute(singly.area.cell(0, column), total, "formula")
    page.write(row + 2, 2, page.label("at once"), "heading")
    product = (x + 0).T @ (w + 0)  # + 0: an empty cell counts as 0, which MMULT would refuse
    page.show("layer.sum", row + 2, FIRST, product + b, "formula")
    page.write(row + 2, FIRST + n, "x · w + b", "mathematics")
    page.write(row + 3, 2, page.label("relu"), "heading")
    page.show("layer.relu", row + 3, FIRST, relu(Range(page.names["layer.sum"])), "live formula")
    page.row = row + 6


def _target(page: Lesson) -> tuple[Range, Range]:
    """The curve that networks are to draw: where it is measured, and how high it is there."""
    page.section("fit")
    page.tries("try fit", "try bias")
    which = page.control("fit.curve", 1, "curve", ("whole", 1, 2))
    page.row += 1
    left = FIRST + 14
    page.headings(page.row, left, "place", "target", "two", "net 2", "net 8", "net 32")
    x = page.constants(page.row + 1, left, np.linspace(-1, 1, POINTS), "formula", down=True)
    wave = call("SIN", call("PI") * x)
    curve = page.show("fit.target", page.row + 1, left + 1, when(which.equals(2), wave, x * x))
    return x, curve


def _by_hand(page: Lesson, x: Range, curve: Range) -> None:
    top = page.row
    page.headings(top, FIRST, "weight", "bias", "strength")
    for row in range(2):
        page.write(top + 1 + row, 2, page.label("neuron number", number=row + 1), "heading")
    six = page.inputs("fit.six", top + 1, FIRST, TURNED, "control")
    drawn = [at(six, row, 2) * relu(x * at(six, row, 0) + at(six, row, 1)) for row in range(2)]
    left = x.area.left + 2
    two = page.show("fit.two", x.area.top, left, drawn[0] + drawn[1])
    page.write(top + 3, 2, page.label("error"), "heading")
    away = two - curve
    error = page.show("fit.error", top + 3, FIRST, call("AVERAGE", away * away), "fine")
    good = page.label("good")
    page.show("fit.good", top + 4, 2, when(error < 0.01, good, page.label("turn")), "live")
    curves = [
        Curve(x.area, curve.area, page.area(x.area.top - 1, x.area.left + 1)),
        Curve(x.area, two.area, page.area(x.area.top - 1, left)),
    ]
    about, xs, ys = (page.label(key) for key in ("fit chart", "place", "height"))
    page.charts.append(Plot(curves, page.area(top, FIRST + 4), about, 12, 7, xs, ys, (-1, 1)))
    page.row = top + 16


def _solved(page: Lesson, x: Range, curve: Range) -> None:
    page.section("solved")
    page.tries("try solved", "try rule")
    top = page.row
    page.headings(top, 2, "neurons", look="heading")
    page.headings(top, FIRST, "largest error")
    names, curves = (
        x.area.top - 1,
        [Curve(x.area, curve.area, page.area(x.area.top - 1, x.area.left + 1))],
    )
    for number, n in enumerate(COUNTS):
        page.write(top + 1 + number, 2, n, "integer left")
        left = x.area.left + 7 + 5 * number
        drawn, corners = _network(page, n, x, curve, x.area.left + 3 + number, left)
        worst = call("MAX", call("ABS", drawn - curve))
        page.show(f"solved.{n}.error", top + 1 + number, FIRST, worst, "fine")
        if n < COUNTS[-1]:
            across, up = (corners.columns(side, side + 1) for side in (0, 1))
            curves.append(Curve(across, up, page.area(names, drawn.area.left), "walk"))
    about, xs, ys = (page.label(key) for key in ("solved chart", "place", "height"))
    page.charts.append(Plot(curves, page.area(top, FIRST + 4), about, 12, 7, xs, ys, (-1, 1)))
    page.row = top + 16


def _network(
    page: Lesson, n: int, x: Range, curve: Range, column: int, left: int
) -> tuple[Range, Area]:
    """What n ReLUs draw that bend at n of the places, each by as much as the curve there.

    Beside it the corners of that line, [n + 1, 2]: the chart marks them.
    """
    top, stride = x.area.top, (POINTS - 1) // n
    step = 2 / n
    page.write(top - 2, left, page.label("net", number=n), "heading")
    page.headings(top - 1, left, "bends at", "bend")
    bends = page.constants(top, left, [-1 + step * k for k in range(n)], "formula", down=True)
    strengths = page.define(f"solved.{n}.strength", page.area(top, left + 1, n))
    for k in range(n):
        here, there = (at(curve, stride * place) for place in (k, k + 1))
        slope: Expr = (there - here) / step
        if k:
            slope = slope - (here - at(curve, stride * (k - 1))) / step
        page.compute(strengths.area.row(k), slope, "formula")
    tree = at(curve, 0) + relu(x - bends.T) @ strengths
    drawn = page.show(f"solved.{n}", top, column, tree)
    page.headings(top - 1, left + 2, "corner", "height")
    places = [-1 + step * k for k in range(n + 1)]
    page.constants(top, left + 2, places, "formula", down=True)
    corners = page.area(top, left + 2, n + 1, 2)
    for k in range(n + 1):
        page.compute(corners.cell(k, 1), at(drawn, stride * k) + Number(0), "formula")
    return drawn, corners
