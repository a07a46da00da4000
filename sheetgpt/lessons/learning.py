"""The lesson `learning`: gradient descent that one can watch, a row a step.

First one parameter on a curve with two valleys, then a network of eight ReLUs, whose gradients are
those of the mean squared error, written out (Rumelhart, Hinton and Williams 1986, "Learning
Representations by Back-propagating Errors"). The slope of a ReLU at its bend counts as 0.

With n points x, y and neurons w, b, v and c, and e(i) = prediction(i) - y(i):
    c -= rate * 2/n * sum e        v -= rate * 2/n * e h'
    b -= rate * 2/n * v * (e s')   w -= rate * 2/n * v * ((e x) s'),  where s is 1 where h > 0
"""

from dataclasses import dataclass, replace

import numpy as np

from sheetgpt.book.book import Curve, Plot
from sheetgpt.formula.expr import Expr, Number, Range, call, when
from sheetgpt.lessons.lesson import Lesson, Limits, at
from sheetgpt.lessons.neuron import relu

WALK, STEPS = 30, 200
LOST = 1_000  # farther than this nobody walks
HOPELESS = 1_000_000  # an error from which on a network is left alone
POINTS, NEURONS = 9, 8
X = np.linspace(-1, 1, POINTS)
W = (1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0)  # at the start; every second looks to the left
B = (0.8, 0.8, 0.4, 0.4, 0.0, 0.0, -0.4, -0.4)
V = (0.1, 0.1, -0.1, -0.1, 0.1, 0.1, -0.1, -0.1)
DRAWN = 41  # points of the curve that the network draws
FIRST = 3
RATES: Limits = ("decimal", 0, 10)
SMALL: Limits = ("decimal", -10, 10)  # of a network's numbers and its points


def learning(page: Lesson) -> None:
    page.widths |= {2: 22, 20: 20, 42: 24, 44: 14}  # the last three: beside the charts
    _hiker(page)
    _network(page)


def _valleys(w: Expr) -> Expr:
    return (w**2 - 1) ** 2 + Number(0.3) * w


def _slope(w: Expr) -> Expr:
    return 4 * w * (w**2 - 1) + Number(0.3)


def _hiker(page: Lesson) -> None:
    page.section("hiker")
    page.tries("try walk", "try rate", "try other side")
    start = page.control("hiker.start", 1.6, "start", ("decimal", -2, 2))
    rate = page.control("hiker.rate", 0.02, "rate", RATES)
    page.row += 1
    top = page.row
    page.headings(top, 1, "step")
    page.headings(top, 2, "w", "error", "slope")
    where = page.define("hiker.w", page.area(top + 1, 2, WALK + 1))
    for step in range(WALK + 1):
        page.write(top + 1 + step, 1, step, "index")
        here: Expr = start
        if step:
            before, slope = at(where, step - 1), Range(page.area(top + step, 4))
            here = when(call("ABS", before) > LOST, before, before - rate * slope)
        page.compute(where.area.row(step), here, "formula")
    is_near = call("ABS", where) < 10  # so that the powers stay numbers
    page.show("hiker.error", top + 1, 3, when(is_near, _valleys(where), LOST), "formula")
    slopes = page.define("hiker.slope", page.area(top + 1, 4, WALK + 1))
    for step in range(WALK + 1):
        page.compute(slopes.area.row(step), _slope(at(where, step)), "formula")
    last = at(where, WALK)
    is_lost = call("ABS", last) > 10
    rests = call("ABS", at(slopes, WALK)) < 0.1
    valley = page.words.sentence("learning.valley", w=call("ROUND", last, 3))
    still = page.words.sentence("learning.walking", w=call("ROUND", last, 3))
    sentence = when(is_lost, page.label("lost"), when(rests, valley, still))
    page.show("hiker.sentence", top - 1, FIRST + 4, sentence, "live")
    left = FIRST + 16
    page.headings(top, left, "w", "landscape")
    page.headings(top, left + 3, "walk")
    xs = page.constants(top + 1, left, np.linspace(-2, 2, 41), "formula", down=True)
    curve = page.show("hiker.landscape", top + 1, left + 1, _valleys(xs))
    seen_x = page.define("hiker.seen.x", page.area(top + 1, left + 3, WALK + 1))
    seen_y = page.define("hiker.seen.y", page.area(top + 1, left + 4, WALK + 1))
    for step in range(WALK + 1):
        here = at(where, step)
        inside = call("MAX", call("MIN", here, 2), -Number(2))
        page.compute(seen_x.area.row(step), inside, "formula")
    page.compute(seen_y.area, _valleys(seen_x), "formula")
    curves = [
        Curve(xs.area, curve.area, page.area(top, left + 1)),
        Curve(seen_x.area, seen_y.area, page.area(top, left + 3), "walk"),
    ]
    about, x, y = (page.label(key) for key in ("hiker chart", "w", "error"))
    page.charts.append(
        Plot(curves, page.area(top, FIRST + 4), about, 17, 10, x, y, (-2, 2), (-1, 10))
    )
    page.row = top + WALK + 4


@dataclass(frozen=True)
class _Net:
    """The parameters of one row: [1, NEURONS] each of the first three, and one cell."""

    w: Range
    b: Range
    v: Expr
    c: Range

    def hidden(self, x: Expr) -> Expr:
        """[NEURONS, points]"""
        return relu(self.w.T * x + self.b.T)

    def says(self, x: Expr) -> Expr:
        """[1, points]"""
        return self.v @ self.hidden(x) + self.c


def _network(page: Lesson) -> None:
    page.section("network")
    page.tries("try learn", "try own points", "try too fast", "try look back")
    rate = page.control("net.rate", 0.2, "rate", RATES)
    look_at = page.control("net.look", STEPS, "look at", ("whole", 0, STEPS))
    sentence_row = page.row
    page.row += 2
    top = page.row
    page.write(top, 2, page.label("x"), "heading right")
    page.write(top + 1, 2, page.label("y"), "heading right")
    x = page.constants(top, FIRST, X, "formula")
    y = page.inputs("net.y", top + 1, FIRST, [tuple(X * X)], "control", SMALL)
    page.write(top + 2, 2, page.label("answers"), "heading right")
    chart_row = top + 4
    table = chart_row + 17
    columns = {"error": 2, "e": FIRST, "w": 13, "b": 22, "v": 31, "c": 40}
    page.write(table, 1, page.label("step"), "heading center")
    for key, column in columns.items():
        page.write(table, column, page.label(f"column {key}"), "heading")
    steps = page.constants(table + 1, 1, range(STEPS + 1), down=True)
    net = _Net(
        page.inputs("net.w", table + 1, columns["w"], [W], "control", SMALL),
        page.inputs("net.b", table + 1, columns["b"], [B], "control", SMALL),
        page.inputs("net.v", table + 1, columns["v"], [V], "control", SMALL),
        page.input("net.c", table + 1, columns["c"], 0.0, limits=SMALL),
    )
    errors = page.define("net.error", page.area(table + 1, columns["error"], STEPS + 1))
    for step in range(STEPS + 1):
        row = table + 1 + step
        if step:
            net = _stepped(page, row, columns, net, x, rate)
        says = (net if step else replace(net, v=net.v + 0)).says(x)  # + 0: nothing is 0
        e = page.compute(page.area(row, columns["e"], 1, POINTS), says - y, "formula")
        page.compute(errors.area.row(step), call("AVERAGE", e * e), "fine")
    wholes = {
        key: page.define(f"net.all.{key}", page.area(table + 1, columns[key], STEPS + 1, width))
        for key, width in (("w", NEURONS), ("b", NEURONS), ("v", NEURONS), ("c", 1))
    }
    shown = call("INT", call("MAX", 0, call("MIN", look_at, STEPS))) + 1
    left = 43
    page.headings(table, left, "x", "column drawn")
    for number, (key, whole) in enumerate(wholes.items()):
        page.write(top + number, left - 1, page.label(f"column {key}"), "heading right")
        one = call("INDEX", whole, shown, 0) if key != "c" else call("INDEX", whole, shown)
        page.show(f"net.shown.{key}", top + number, left, one, "formula")
    seen = _Net(*(Range(page.names[f"net.shown.{key}"]) for key in wholes))
    page.show("net.answers", top + 2, FIRST, seen.says(x), "formula")
    line = page.constants(table + 1, left, np.linspace(-1, 1, DRAWN), "formula", down=True)
    drawn = page.show("net.drawn", table + 1, left + 1, seen.says(line.T).T)
    first, last = at(errors, 0), at(errors, STEPS)
    learned = page.words.sentence(
        "learning.learned", first=call("ROUND", first, 4), last=call("ROUND", last, 6)
    )
    stays = page.words.sentence("learning.stays", error=call("ROUND", first, 4))
    sentence = when(last > first, page.label("diverged"), when(last < first, learned, stays))
    page.show("net.sentence", sentence_row, 2, sentence, "live")
    curves = [
        Curve(line.area, drawn.area, page.area(table, left + 1)),
        Curve(x.area, y.area, page.area(top + 1, 2), "points"),
    ]
    about, xs, ys = (page.label(key) for key in ("net chart", "x", "y"))
    page.charts.append(Plot(curves, page.area(chart_row, 2), about, 13, 8, xs, ys, (-1, 1)))
    fall = [Curve(steps.area, errors.area, page.area(table, columns["error"]))]
    about, xs, ys = (page.label(key) for key in ("error chart", "step", "column error"))
    page.charts.append(
        Plot(fall, page.area(chart_row, FIRST + 6), about, 13, 8, xs, ys, (0, STEPS), log=True)
    )
    page.row = table + STEPS + 4


def _stepped(
    page: Lesson, row: int, columns: dict[str, int], net: _Net, x: Range, rate: Range
) -> _Net:
    """The parameters after one step downhill, in a row of their own."""
    e = Range(page.area(row - 1, columns["e"], 1, POINTS))
    is_lost = Range(page.area(row - 1, columns["error"])) > HOPELESS
    pace = rate * 2 / POINTS
    bend = when(net.hidden(x) > 0, 1, 0).T
    steep = {
        "w": net.v * ((e * x) @ bend),
        "b": net.v * (e @ bend),
        "v": e @ net.hidden(x).T,
        "c": call("SUM", e),
    }
    after = {}
    for key, slope in steep.items():
        before: Range = getattr(net, key)
        moved = when(is_lost, before, before - pace * slope)
        there = page.area(row, columns[key], *before.area.shape)
        after[key] = page.compute(there, moved, "formula")
    return _Net(**after)
