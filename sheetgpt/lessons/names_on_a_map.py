"""Names beside the points of a map, so that none covers another."""

from sheetgpt.book.book import Curve
from sheetgpt.formula.expr import Range, call, when
from sheetgpt.lessons.lesson import Lesson, at, column_of
from sheetgpt.lessons.text import SentenceWords

SIDES = {"→": "r", "←": "l", "↑": "t"}  # of a point on the map, where its name may stand
NEAR = (0.12, 0.07)  # of the map's width and height: so near, two names would cover each other


def names_at(page: Lesson, points: Range, text: SentenceWords) -> list[Curve]:
    """A name at each point, on the side where no other word stands near: a chart has no such rule.

    For each side there is a column of names, " " where a name belongs to another side.
    """
    size, _ = points.area.shape
    top, left = points.area.top, points.area.right + 1
    x, y = (column_of(points, number) for number in (0, 1))
    is_there = when(text.ids.equals(""), 0, 1)
    order = x + when(text.ids.equals(""), 0, text.ids) / 1e9  # of equals, too
    orders = page.place("squeeze.order", page.area(top, left, size), order, "number")
    sides = page.define("squeeze.side", page.area(top, left + 1, size))
    names = {side: page.area(top, left + 2 + i, size) for i, side in enumerate(SIDES)}
    for column, side in enumerate(SIDES, start=left + 2):
        page.write(top - 1, column, side, "heading center")
    curves = []
    for word in range(size):
        apart = [call("ABS", each - at(each, word)) for each in (x, y)]
        reach = [
            (call("MAX", each) - call("MIN", each)) * near
            for each, near in zip((x, y), NEAR, strict=True)
        ]
        is_near = is_there * (apart[0] <= reach[0]) * (apart[1] <= reach[1])
        n_left = call("SUM", is_near * (orders < at(orders, word)))
        n_right = call("SUM", is_near * (orders > at(orders, word)))
        free = when(n_right.equals(0), "→", when(n_left.equals(0), "←", "↑"))
        page.compute(sides.area.row(word), free, "index")
        across, up = (points.area.cell(word, number) for number in (0, 1))
        for side, area in names.items():
            shown = when(at(sides, word).equals(side), Range(page.area(top + word, 2)), " ")
            page.compute(area.row(word), shown, "token")
            curves.append(Curve(across, up, area.row(word), "name", SIDES[side]))
    return curves
