"""Two tokens number by number on the tab `neighbours`, and the angle that comes out of it."""

from dataclasses import replace

from sheetgpt.book.book import Curve, Plot
from sheetgpt.book.page import Page
from sheetgpt.book.rules import beside
from sheetgpt.book.words_typed import TypedWords, Vocabulary
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Expr, Like, Range, call, fixed, when
from sheetgpt.steps import neighbours as formulas
from sheetgpt.steps.microscope import half_the_largest

CHART = 6  # the column of the chart


def two_tokens(page: Page, words: TypedWords, vocabulary: Vocabulary, aside: Area | None) -> None:
    """The numbers, their products, and what they come to.

    aside: where the points of the chart stand; None for no chart.
    """
    label, shown, row = page.words.label, words.when_all, page.row
    first, d = row + 5, vocabulary.wte.area.shape[1]
    left, right, product = (
        page.define(f"neighbours.pair.{name}", page.area(first, column, d))
        for column, name in enumerate(("first", "second", "product"), start=2)
    )
    page.write(first - 1, 1, label("column number"), "heading center")
    page.write(first - 1, 4, label("column product"), "heading center")
    page.count(first, d)
    for column, identifier in zip((left, right), words.each, strict=True):
        page.compute(column.area, shown(vocabulary.row(identifier)), "formula")
        above = page.area(first - 1, column.area.left)
        page.compute(above, vocabulary.text(identifier), "heading center")
    page.compute(product.area, shown(left * right), "formula")
    values = {"cosine": formulas.cosine(left, right)}
    cosine = page.define("neighbours.pair.cosine", page.area(row + 1, 2))
    values["angle"] = formulas.angle(cosine)
    values["large"] = half_the_largest(product)
    cells = {}
    for at, (name, tree) in enumerate(values.items(), start=row + 1):
        page.write(
            at, 1, label("microscope large" if name == "large" else f"column {name}"), "text"
        )
        cells[name] = page.area(at, 2)
        if name != "cosine":
            page.define(f"neighbours.pair.{name}", cells[name])
        page.compute(cells[name], shown(tree), "formula" if name == "large" else "fine")
    _sentences(page, row, words, cells, (left, right, product))
    numbers = page.area(first, 1, d, 4)
    term = beside(numbers, product.area.left)
    is_there, is_large = call("LEN", term) > 0, call("ABS", term) >= fixed(Range(cells["large"]))
    page.rule(numbers, call("AND", is_there, is_large), "middling")
    if aside is not None:
        _arrows(page, words, vocabulary, cosine, aside, page.area(first - 1, CHART))


def _sentences(
    page: Page,
    row: int,
    words: TypedWords,
    cells: dict[str, Area],
    columns: tuple[Range, Range, Range],
) -> None:
    """In how many places they agree; and how the cosine comes about."""
    left, right, product = columns
    arithmetic = page.words.sentence(
        "neighbours arithmetic",
        sum=call("ROUND", call("SUM", product), 3),
        a=call("ROUND", formulas.length(left), 3),
        b=call("ROUND", formulas.length(right), 3),
    )
    page.compute(page.area(row + 1, 3), words.when_all(arithmetic), "text")
    sentence = page.words.sentence(
        "neighbours pair sentence",
        same=call("SUM", when(product > 0, 1, 0)),
        count=product.area.shape[0],
        angle=call("ROUND", Range(cells["angle"]), 0),
    )
    page.compute_named("neighbours.pair.sentence", row, 1, words.when_all(sentence), "live")


def _arrows(
    page: Page,
    words: TypedWords,
    vocabulary: Vocabulary,
    cosine: Range,
    aside: Area,
    corner: Area,
) -> None:
    """Two arrows of length 1 with the angle between them; the shadow of one is the cosine."""
    label, is_blank = page.words.label, cosine.equals("")
    height = call("SQRT", call("MAX", 0, 1 - cosine * cosine))
    ends: list[tuple[tuple[Like, Like], tuple[Like, Like]]] = [
        ((0, 0), (1, 0)), ((0, 0), (cosine, height)), ((cosine, height), (cosine, 0)),
    ]  # fmt: skip
    names: list[Expr] = [when(is_blank, " ", vocabulary.text(each)) for each in words.each]
    names.append(when(is_blank, " ", label("column cosine")))
    curves = []
    for index, (points, name) in enumerate(zip(ends, names, strict=True)):
        top = aside.top + 3 * index
        named = page.area(top - 1, aside.left)
        page.compute(named, name, "heading center")
        for row, point in enumerate(points, start=top):
            for column, value in enumerate(point, start=aside.left):
                page.compute(page.area(row, column), when(is_blank, 0, value), "formula")
        x = page.area(top, aside.left, 2)
        curves.append(Curve(x, replace(x, left=x.left + 1, right=x.right + 1), named, "walk"))
    about = label("neighbours chart")
    page.charts.append(
        Plot(curves, corner, about, 9.3, 6.5, label("column cosine"), "", (-1, 1), (0, 1))
    )
