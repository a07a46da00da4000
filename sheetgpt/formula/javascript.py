"""Reading a tree as a cell of JavaScript: the code that computes one token's row.

What it calls (`row`, `past`, `matmul`, …) is the runtime of the page. Ranges become constants at
the top, under the last part of their name; what a formula says twice is said once and has a letter.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from sheetgpt.formula.expr import Call, Expr, Number, Range

FUNCTION = {
    "+": "add", "-": "sub", "*": "mul", "/": "div", "^": "pow", "neg": "neg",
    ">": "greater", "MMULT": "matmul", "TRANSPOSE": "transpose", "SUM": "sum", "MAX": "max",
    "AVERAGE": "mean", "VARP": "variance", "EXP": "exp", "SQRT": "sqrt",
    "TANH": "tanh", "NORMSDIST": "phi",
}  # fmt: skip
TOKEN_PARTS = ("row", "past", "seen", "column")  # what names the part that belongs to one token
RUNTIME = frozenset({*FUNCTION.values(), *TOKEN_PARTS, "weight", "part", "heads", "index", "i"})
LETTERS = "xyzuvw"
WIDTH = 80  # columns of a line of code


def javascript(panels: Sequence[Expr], widths: Mapping[str, int]) -> str:
    """The body of a function that returns one token's row.

    panels: the formulas side by side; where they differ only in which part of a range they
        read, one formula stands for all.
    widths: how many numbers a token's row of each range has; the tab of a range is its name.
    Raises ValueError for a function that the runtime does not have.
    """
    printer = _Printer(panels, widths)
    inputs, (cell, *others) = printer.inputs(), printer.cells()
    if any(other != cell for other in others):
        raise ValueError("panels of a step differ, and the page can only say them as one")
    if others:
        one_line = cell.removeprefix("return ").removesuffix(";")
        arrow = f"{{\n{_indented(cell)}\n}}" if "\n" in cell else one_line
        cell = f"return heads({len(panels)}, i => {arrow});"
    if len(inputs) == 1 and inputs[0].startswith(f"const {cell[len('return ') : -1]} = "):
        return "return " + inputs[0].split(" = ")[1]  # nothing but the input itself
    return "\n".join([*inputs, cell])


class _Printer:
    """The inputs of a step's panels under short names, and each panel's code."""

    def __init__(self, panels: Sequence[Expr], widths: Mapping[str, int]) -> None:
        self._panels, self._widths = panels, widths
        found = [leaf for panel in panels for leaf in _leaves(panel)]
        self._names: dict[str, str] = {}
        for source in dict.fromkeys(_source(leaf) for leaf in found):
            self._names[source] = _free(source.split('"')[1], self._names.values())

    def inputs(self) -> list[str]:
        """`const ln_1 = row("h.0.ln_1");` for each range that is read."""
        return [f"const {name} = {source};" for source, name in self._names.items()]

    def cells(self) -> list[str]:
        return [self._cell(panel, index) for index, panel in enumerate(self._panels)]

    def _cell(self, panel: Expr, index: int) -> str:
        letters: dict[Expr, str] = {}
        lines = []
        for part in _repeated(panel, self._is_compound):
            printed = self._print(part, index, letters)
            taken = {*letters.values(), *self._names.values()}
            letters[part] = next(each for each in LETTERS if each not in taken)
            lines.append(f"const {letters[part]} = {printed};")
        lines.append(_broken(f"return {self._print(panel, index, letters)};"))
        return "\n".join(lines)

    def _is_compound(self, tree: Expr) -> bool:
        """Whether a tree takes more than its own name to say."""
        if not isinstance(tree, Call) or _is_constant(tree):
            return False
        return tree.op not in TOKEN_PARTS or self._part(tree) is not None

    def _print(self, tree: Expr, index: int, letters: Mapping[Expr, str]) -> str:
        if tree in letters:
            return letters[tree]
        if _is_constant(tree):
            return _constant(tree)
        match tree:
            case Range():
                return self._names[_source(tree)]
            case Call(op) if op in TOKEN_PARTS:
                name, part = self._names[_source(tree)], self._part(tree)
                if part is None:
                    return name
                at, count = part
                is_own = count == len(self._panels) > 1 and at == index
                return f"part({name}, {'i' if is_own else at}, {count})"
            case Call("INDEX", (whole, place, Number(0))):
                return f"index({self._print(whole, index, letters)}, {self._from_0(place, index)})"
            case Call(op, arguments) if op in FUNCTION:
                printed = [self._print(argument, index, letters) for argument in arguments]
                return f"{FUNCTION[op]}({', '.join(printed)})"
        raise ValueError(f"the page's runtime has nothing that computes {tree}")

    def _from_0(self, place: Expr, index: int) -> str:
        """A place that spreadsheets count from 1, as JavaScript counts."""
        match place:
            case Call("+", (inner, Number(1))):
                return self._print(inner, index, {})
        return f"sub({self._print(place, index, {})}, 1)"

    def _part(self, tree: Expr) -> tuple[int, int] | None:
        """Which of how many equal parts of its step a range is, where it is not all of it."""
        assert isinstance(tree, Call) and isinstance(tree.arguments[0], Range)
        area = tree.arguments[0].area
        whole, width = self._widths.get(area.tab, area.shape[1]), area.shape[1]
        if whole == width:
            return None
        return (area.left - 1) // width, whole // width


def _leaves(tree: Expr) -> Iterator[Expr]:
    """The ranges that a tree reads, each with what says which part of it belongs to a token."""
    if isinstance(tree, Range) or (isinstance(tree, Call) and tree.op in TOKEN_PARTS):
        yield tree
    elif isinstance(tree, Call):
        for argument in tree.arguments:
            yield from _leaves(argument)


def _source(leaf: Expr) -> str:
    """Where a range comes from: `row("h.0.ln_1")`, `weight("wte")`."""
    match leaf:
        case Range(area):
            return f'weight("{area.tab}")'
        case Call(op, (Range(area), *window)):
            behind = "".join(f", {_constant(each)}" for each in window)
            return f'{"row" if op == "seen" else op}("{area.tab}"{behind})'
    raise ValueError(f"{leaf} is no range")


def _free(name: str, taken: Collection[str]) -> str:
    """The last part of a name, or its last two where that part is taken."""
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        short = "_".join(parts[-count:])
        if short not in taken and short not in RUNTIME and short.isidentifier():
            return short
    raise ValueError(f"{name} has no short name that is free")


def _is_constant(tree: Expr) -> bool:
    return isinstance(tree, Number) or (isinstance(tree, Call) and not any(_leaves(tree)))


def _constant(tree: Expr) -> str:
    match tree:
        case Number(value):
            return str(int(value)) if value == int(value) and value < 1e15 else repr(value)
        case Call("PI", ()):
            return "Math.PI"
        case Call("+" | "-" | "*" | "/" as op, (left, right)):
            return f"{_constant(left)} {op} {_constant(right)}"
        case Call("neg", (operand,)):
            return f"-{_constant(operand)}"
        case Call("SQRT", (operand,)):
            return f"Math.sqrt({_constant(operand)})"
    raise ValueError(f"{tree} is no constant that the page can say")


def _repeated(tree: Expr, is_compound: Callable[[Expr], bool]) -> list[Expr]:
    """What stands more than once in a tree, inner ones before the outer ones that hold them."""
    counts: Counter[Expr] = Counter()
    order: list[Expr] = []

    def visit(each: Expr) -> None:
        if not is_compound(each):
            return
        counts[each] += 1
        if counts[each] > 1:
            return
        if isinstance(each, Call) and each.op not in TOKEN_PARTS:
            for argument in each.arguments:
                visit(argument)
        order.append(each)

    visit(tree)
    return [each for each in order if counts[each] > 1]


def _broken(line: str) -> str:
    """A line of code, its outermost arguments each on a line of their own where it is long."""
    if len(line) <= WIDTH or "(" not in line:
        return line
    head, rest = line.split("(", 1)
    inside, tail = rest[: rest.rindex(")")], rest[rest.rindex(")") :]
    arguments, depth, start = [], 0, 0
    for place, character in enumerate(inside):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            arguments.append(inside[start:place].strip())
            start = place + 1
    arguments.append(inside[start:].strip())
    return f"{head}(\n" + ",\n".join(f"  {each}" for each in arguments) + f"\n{tail}"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
