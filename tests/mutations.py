"""Single changes to a workbook that was read, each as one program or person might make it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from sheetgpt.book.book import Book
from sheetgpt.book.looks import LOOKS
from sheetgpt.calculate.values import NUMBER, Scalar
from sheetgpt.formula import excel
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Call, Expr, Number, Range, Text
from sheetgpt.xlsx.read import FormulaText, Workbook

OTHER_OPERATOR = {
    "+": "-", "-": "+", "*": "/", "/": "*", "^": "*", "&": "=", "=": "<>", "<>": "=", "<": "<=",
    "<=": "<", ">": ">=", ">=": ">", "neg": "%", "MAX": "MIN", "MIN": "MAX", "SUM": "AVERAGE",
    "AVERAGE": "SUM", "VARP": "SUM", "AND": "OR", "OR": "AND", "EXP": "TANH", "TANH": "EXP",
    "SQRT": "ABS", "COUNT": "SUM", "LARGE": "SMALL", "ROUND": "MOD", "MOD": "ROUND", "LEN": "ABS",
    "INT": "ABS", "UNICODE": "LEN", "UNICHAR": "UNICODE", "EXACT": "&", "REPT": "EXACT",
    "IFERROR": "EXACT", "ABS": "INT", "TRANSPOSE": "ABS", "SUMPRODUCT": "SUM", "PI": "PI",
}  # fmt: skip


@dataclass(frozen=True)
class Mutation:
    """A changed workbook, and what a sentence about it must say: an address, or a name."""

    kind: str
    tab: str
    workbook: Workbook
    named: str
    undo: tuple[Area, Scalar] | None = None  # a cell that was changed where it stands


def nodes(tree: Expr, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Expr]]:
    """Every node of a tree, with the way to it."""
    yield path, tree
    for index, argument in enumerate(tree.arguments if isinstance(tree, Call) else ()):
        yield from nodes(argument, (*path, index))


def put(tree: Expr, path: tuple[int, ...], new: Expr) -> Expr:
    """The tree with another node at the end of a way; raises ValueError where it does not fit."""
    if not path:
        return new
    assert isinstance(tree, Call)
    arguments = list(tree.arguments)
    arguments[path[0]] = put(arguments[path[0]], path[1:], new)
    return Call(tree.op, tuple(arguments))


def changed_nodes(node: Expr) -> Iterator[tuple[str, Expr]]:
    """What might stand in the place of a node."""
    if isinstance(node, Number):
        yield "a constant", Number(node.value + 1)
        yield "a constant", Number(node.value * 0.5 + 0.001)
    elif isinstance(node, Text):
        yield "a text", Text(node.value + "x")
    elif isinstance(node, Range):
        area = node.area
        for rows, columns in ((1, 0), (0, 1), (-1, 0)):
            if area.top + rows > 0:
                moved = Area(
                    area.tab, area.top + rows, area.left + columns, area.bottom + rows,
                    area.right + columns,
                )  # fmt: skip
                yield "a range", Range(moved)
        yield "a range", Range(replace(area, bottom=area.bottom + 1))
    elif isinstance(node, Call):
        if node.op in OTHER_OPERATOR:
            yield "an operator", Call(OTHER_OPERATOR[node.op], node.arguments)
        if len(node.arguments) > 1:
            first, second, *rest = node.arguments
            yield "arguments that change places", Call(node.op, (second, first, *rest))
            yield "an argument in the place of a call", node.arguments[-1]


def changed_tree(tree: Expr, random: Random) -> tuple[str, Expr] | None:
    """The tree with one node changed, where that makes another formula."""
    choices = list(nodes(tree))
    random.shuffle(choices)
    for path, node in choices:
        try:
            found = list(changed_nodes(node))
        except ValueError:  # of a kind that has no such neighbour
            continue
        random.shuffle(found)
        for kind, new in found:
            try:
                other = put(tree, path, new)
            except ValueError:
                continue
            if other != tree:
                return kind, other
    return None


def of_formulas(workbook: Workbook, book: Book, random: Random, a_tab: int) -> Iterator[Mutation]:
    """Changes of `a_tab` formulas of each tab."""
    places = {(f.area.tab, f.area.top, f.area.left): i for i, f in enumerate(workbook.formulas)}
    for tab in book.tabs:
        for computed in random.sample(tab.computed, min(a_tab, len(tab.computed))):
            changed = changed_tree(computed.tree, random)
            if changed is None:
                continue
            kind, tree = changed
            index = places[tab.name, computed.area.top, computed.area.left]
            new = replace(workbook.formulas[index], text=excel.text(tree, tab.name))
            yield with_formula(workbook, index, new, kind)
    for index, formula in enumerate(random.sample(workbook.formulas, 40)):
        at = workbook.formulas.index(formula)
        if index % 2:
            new = replace(formula, array=not formula.array)
            yield with_formula(workbook, at, new, "no array formula")
        else:
            wider = replace(formula.area, right=formula.area.right + 1)
            yield with_formula(workbook, at, replace(formula, area=wider), "an extent")


def with_formula(workbook: Workbook, index: int, new: FormulaText | None, kind: str) -> Mutation:
    formulas = list(workbook.formulas)
    cell = formulas[index].area.cell(0, 0)
    formulas[index : index + 1] = [new] if new else []
    return Mutation(kind, cell.tab, replace(workbook, formulas=formulas), str(cell))


def without_formulas(workbook: Workbook, random: Random, count: int) -> Iterator[Mutation]:
    """The value of a formula pasted over it."""
    for index in random.sample(range(len(workbook.formulas)), count):
        yield with_formula(workbook, index, None, "a value for a formula")


def of_names(workbook: Workbook, book: Book, random: Random) -> Iterator[Mutation]:
    """Every name moved one column to the right, without `$`, or both on a tab and in the book."""
    for name in book.names:
        area, key = workbook.names[name.lower()], name.lower()
        moved = replace(area, left=area.left + 1, right=area.right + 1)
        names = {**workbook.names, key: moved}
        yield Mutation("a moved name", area.tab, replace(workbook, names=names), name)
        odd = {key: f"is {area}, without $, so that it means other cells in each formula"}
        yield Mutation("a relative name", area.tab, replace(workbook, odd_names=odd), name)
    for name in random.sample(list(book.names), 20):
        names = {other: area for other, area in workbook.names.items() if other != name.lower()}
        yield Mutation("no name", book.names[name].tab, replace(workbook, names=names), name)


def of_constants(workbook: Workbook, book: Book, random: Random, a_tab: int) -> Iterator[Mutation]:
    """Labels, headings, numbers of rows, constants that formulas read; changed where they stand."""
    for tab in book.tabs:
        areas = [text.area for text in tab.texts if not LOOKS[text.look].input]
        for many in (*tab.lists, *tab.numbers):
            if LOOKS[many.look].input:  # switches
                continue
            rows, columns = many.area.shape
            areas.append(many.area.cell(random.randrange(rows), random.randrange(columns)))
        for area in random.sample(areas, min(a_tab, len(areas))):
            sheet = workbook.values.by_tab[tab.name]
            old = sheet.cell(area.top, area.left)
            new: Scalar = old + 1 if isinstance(old, float) else f"{old or ''}x"
            yield from in_place(workbook, area, old, new, "a constant of a tab")


def of_empty_cells(
    workbook: Workbook, book: Book, random: Random, count: int
) -> Iterator[Mutation]:
    """A value in an empty cell that a formula reads."""
    read = set()
    for tab in book.tabs:
        for computed in tab.computed:
            for _, node in nodes(computed.tree):
                if isinstance(node, Range) and node.area.tab in workbook.values.by_tab:
                    read.add(node.area)
    written = {tab.name: tab.blanks for tab in book.tabs}
    empty = [
        area
        for area in sorted(read, key=str)
        if area.shape == (1, 1)
        and workbook.values.by_tab[area.tab].cell(area.top, area.left) is None
        and not any(blank.area == area for blank in written[area.tab])
        and area.top <= workbook.values.by_tab[area.tab].kinds.shape[0]
    ]
    for area in random.sample(empty, min(count, len(empty))):
        yield from in_place(workbook, area, None, 5.0, "a value in an empty cell")


def in_place(
    workbook: Workbook, area: Area, old: Scalar, new: Scalar, kind: str
) -> Iterator[Mutation]:
    sheet = workbook.values.by_tab[area.tab]
    for block in sheet.blocks:
        if block.holds(area):
            place = block.place(area)
            before = block.values[place].copy()
            block.values[place] = new
            yield Mutation(kind, area.tab, workbook, str(area))
            block.values[place] = before
            return
    sheet.set(area.top, area.left, new)
    yield Mutation(kind, area.tab, workbook, str(area))
    sheet.set(area.top, area.left, old)


def of_results(workbook: Workbook, random: Random, a_tab: int) -> Iterator[Mutation]:
    """Stored results of formulas; changed where they stand."""
    by_tab: dict[str, list[Area]] = {}
    for formula in workbook.formulas:
        by_tab.setdefault(formula.area.tab, []).append(formula.area)
    for tab, areas in by_tab.items():
        sheet = workbook.values.by_tab[tab]
        for area in random.sample(areas, min(a_tab, len(areas))):
            row, column = (random.randrange(side) for side in area.shape)
            cell = area.cell(row, column)
            old = sheet.cell(cell.top, cell.left)
            is_number = sheet.kinds[cell.top - 1, cell.left - 1] == NUMBER
            new: Scalar = float(old) * 1.5 + 0.25 if is_number else f"{old or ''}x"  # type: ignore
            yield from in_place(workbook, cell, old, new, "a stored result")
