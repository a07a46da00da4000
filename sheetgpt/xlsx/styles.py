"""Looks as openpyxl's styles."""

from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.numbers import NumberFormat

from sheetgpt.book.looks import LINE, RULES, Look

# The formats of conditional looks by their numbers; below 164 an application has its own.
FORMATS = [""] * 164 + sorted({look.format for look in RULES.values()})


def dress(cell: Cell, look: Look) -> int:
    """Give a cell a look; returns the look's number in the workbook."""
    cell.font = Font(
        name="Calibri",
        size=look.size,
        bold=look.bold,
        italic=look.italic,
        color=look.color,
        underline="single" if look.underline else None,
    )
    cell.fill = (
        PatternFill(look.pattern, fgColor=look.fill, bgColor="FFFFFF")
        if look.fill
        else PatternFill()
    )
    cell.border = _frame(look)
    cell.number_format = look.format
    cell.alignment = Alignment(
        horizontal=look.horizontal,
        vertical=look.vertical,
        wrap_text=look.wrap,
        indent=look.indent,
        shrink_to_fit=look.shrink,
    )
    cell.protection = Protection(locked=not look.input)
    return int(cell.style_id)


def difference(look: Look) -> DifferentialStyle:
    """What a conditional look changes: only what is unlike that of any other cell."""
    plain, fill = Look(), None
    if look.fill and look.pattern == "solid":  # of a conditional fill the background shows
        fill = PatternFill(bgColor=look.fill)
    elif look.fill:
        fill = PatternFill(look.pattern, fgColor=look.fill, bgColor="FFFFFF")
    return DifferentialStyle(
        font=Font(bold=look.bold, color=look.color) if look.color != plain.color else None,
        numFmt=_format(look.format) if look.format != plain.format else None,
        fill=fill,
        border=_frame(look) if look.frame else None,
    )


def _format(code: str) -> NumberFormat:
    return NumberFormat(FORMATS.index(code), code)


def _frame(look: Look) -> Border:
    return Border(**{side: Side("thin", LINE) for side in look.frame})
