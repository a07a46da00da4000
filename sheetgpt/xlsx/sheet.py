"""A worksheet but for its cells: one function for each element, in the schema's order.

Source: ECMA-376 Part 1, 18.3.1.99 (CT_Worksheet) and the sections of each element beside it;
an attribute that would say what is so anyway is left out.
"""

from collections.abc import Iterator, Mapping
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from sheetgpt.book.book import Diverging, Tab, Validation
from sheetgpt.book.looks import DIVERGING, HEAT
from sheetgpt.formula import excel
from sheetgpt.formula.cells import STAYS, Area

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

WIDTH = 9  # of a column of numbers, in characters
HEIGHT = 15.75  # of a row, in points
LONGEST_TITLE, LONGEST_SENTENCE = 32, 255  # of the message of a validation; Excel refuses more

Attributes = Mapping[str, str | float | None]

_KINDS = {"decimal": "decimal", "whole": "whole", "text": "textLength", "list": "list"}


def head(tab: Tab, styles: Mapping[str, int], *, is_first: bool) -> str:
    """Everything above the cells.

    styles: the number of each look. is_first: whether this is the tab that is shown on opening.
    """
    return (
        f"<worksheet{_written({'xmlns': MAIN, 'xmlns:r': RELATIONS})}>"
        + sheet_properties(tab)
        + dimension(tab)
        + sheet_views(tab, is_first=is_first)
        + sheet_format(tab)
        + columns(tab, styles)
        + "<sheetData>"
    )


def tail(tab: Tab, differences: Mapping[str, int], drawing: str | None) -> str:
    """Everything below the cells.

    differences: the number of each conditional look. drawing: the id of the relationship with
        the part that has the tab's charts, if any.
    """
    return (
        "</sheetData>"
        + sheet_protection()
        + merge_cells(tab)
        + conditional_formatting(tab, differences)
        + data_validations(tab)
        + hyperlinks(tab)
        + page_margins()
        + (_element("drawing", {"r:id": drawing}) if drawing else "")
        + "</worksheet>"
    )


def sheet_properties(tab: Tab) -> str:
    """18.3.1.82: the tab's colour, and that the title of what folds away stands before it."""
    color = _element("tabColor", {"rgb": _color(tab.color)}) if tab.color else ""
    outline = _element("outlinePr", {"summaryBelow": 0, "summaryRight": 0})
    return _element("sheetPr", {}, color + outline)


def dimension(tab: Tab) -> str:
    """18.3.1.35: the cells that hold anything."""
    return _element("dimension", {"ref": Area(tab.name, 1, 1, *tab.extent).address})


def sheet_views(tab: Tab, *, is_first: bool) -> str:
    """18.3.1.88: no grid, what stays while the rest scrolls, and where the cursor is."""
    view = {"showGridLines": 0, "tabSelected": 1 if is_first else None, "workbookViewId": 0}
    return _element("sheetViews", {}, _element("sheetView", view, _panes(tab)))


def _panes(tab: Tab) -> str:
    """18.3.1.66 and 18.3.1.78: every pane has a cursor; that of the active one is shown."""
    rows, stay = tab.frozen
    cursor = tab.cursor.address if tab.cursor else "A1"
    here = {"activeCell": cursor, "sqref": cursor}
    if not rows and not stay:
        return _element("selection", here)
    scrolling = _pane(bool(rows), bool(stay))
    active = scrolling
    if tab.cursor:
        active = _pane(tab.cursor.top > rows > 0, tab.cursor.left > stay > 0)
    pane = {
        "xSplit": stay or None,
        "ySplit": rows or None,
        "topLeftCell": Area(tab.name, rows + 1, stay + 1, rows + 1, stay + 1).address,
        "activePane": active,
        "state": "frozen",
    }
    names = [_pane(False, True)] if stay else []
    names += [_pane(True, False)] if rows else []
    names += [scrolling] if rows and stay else []
    if active not in names:
        names.insert(0, active)
    selections = (
        _element("selection", {"pane": name, **(here if name == active else {})}) for name in names
    )
    return _element("pane", pane) + "".join(selections)


def _pane(is_below: bool, is_right: bool) -> str:
    return ("bottom" if is_below else "top") + ("Right" if is_right else "Left")


def sheet_format(tab: Tab) -> str:
    """18.3.1.81: the sizes of what has none of its own, and how deep groups lie in groups."""
    return _element(
        "sheetFormatPr",
        {
            "defaultColWidth": WIDTH,
            "defaultRowHeight": HEIGHT,
            "customHeight": 1,
            "outlineLevelRow": 2 if tab.row_groups else None,
            "outlineLevelCol": 1 if tab.column_groups else None,
        },
    )


def columns(tab: Tab, styles: Mapping[str, int]) -> str:
    """18.3.1.17: widths, the look of the columns of numbers, and the groups that fold away."""
    first, look = tab.default or (tab.extent[1] + 1, "")
    grouped = {each for first, last in tab.column_groups for each in range(first, last + 1)}

    def kind(column: int) -> tuple[float, bool, bool]:
        return tab.widths.get(column, WIDTH), column in grouped, column >= first

    last = max(tab.extent[1], first if look else 1)
    found = []
    for (width, is_grouped, has_look), run in groupby(range(1, last + 1), key=kind):
        same = list(run)
        column = {
            "min": same[0],
            "max": same[-1],
            "width": width,
            "style": styles[look] if has_look else None,
            "customWidth": 1,
            "outlineLevel": 1 if is_grouped else None,
        }
        found.append(_element("col", column))
    return _element("cols", {}, "".join(found))


def sheet_protection() -> str:
    """18.3.1.85: against slips, not against people: no password, and sizes may be changed."""
    return _element("sheetProtection", {"sheet": 1, "formatColumns": 0, "formatRows": 0})


def merge_cells(tab: Tab) -> str:
    """18.3.1.55: cells that are one."""
    found = [_element("mergeCell", {"ref": area.address}) for area in tab.merged]
    return _element("mergeCells", {"count": len(found)}, "".join(found)) if found else ""


def conditional_formatting(tab: Tab, differences: Mapping[str, int]) -> str:
    """18.3.1.18: the heat maps, then what cells look like while a condition holds."""
    rules: dict[str, list[str]] = {}  # by address: an area is listed once
    for priority, (area, kind, inner) in enumerate(_rules(tab, differences), start=1):
        rule = _element("cfRule", {**kind, "priority": priority}, inner)
        rules.setdefault(area.address, []).append(rule)
    return "".join(
        _element("conditionalFormatting", {"sqref": address}, "".join(found))
        for address, found in rules.items()
    )


def _rules(tab: Tab, differences: Mapping[str, int]) -> Iterator[tuple[Area, Attributes, str]]:
    """18.3.1.10: each area, what kind of rule it has, and what stands in the rule."""
    for area in tab.heat:
        yield area, {"type": "colorScale"}, color_scale()
    for each in tab.diverging:
        yield each.area, {"type": "colorScale"}, diverging_scale(each)
    for rule in tab.rules:
        kind: Attributes = {"type": "expression", "dxfId": differences[rule.look]}
        yield rule.area, kind, _element("formula", {}, escape(excel.text(rule.condition, tab.name)))


def color_scale() -> str:
    """18.3.1.16: white for 0, the strongest for 1: the same colours in every heat map."""
    stops = "".join(_element("cfvo", {"type": "num", "val": share}) for share in (0, 0.5, 1))
    colors = "".join(_element("color", {"rgb": _color(color)}) for color in HEAT)
    return _element("colorScale", {}, stops + colors)


def diverging_scale(diverging: Diverging) -> str:
    """18.3.1.16: white for 0, and a colour each for what is far below and far above."""
    largest = diverging.largest
    kind = "num" if isinstance(largest, float) else "formula"
    size = f"{largest:.15g}" if isinstance(largest, float) else largest.spelled(STAYS)
    ends = [(kind, f"-{size}"), ("num", "0"), (kind, size)]
    stops = "".join(_element("cfvo", {"type": type_, "val": value}) for type_, value in ends)
    colors = "".join(_element("color", {"rgb": _color(color)}) for color in DIVERGING)
    return _element("colorScale", {}, stops + colors)


def data_validations(tab: Tab) -> str:
    """18.3.1.33: what may be typed, and what is said of anything else."""
    if not tab.validations:
        return ""
    each = "".join(map(data_validation, tab.validations))
    return _element("dataValidations", {"count": len(tab.validations)}, each)


def data_validation(validation: Validation) -> str:
    """18.3.1.32: nothing may be typed, too; what is no such number is refused."""
    what: Attributes = {
        "type": _KINDS[validation.kind],
        "errorStyle": "stop",
        "allowBlank": 1,
        "showErrorMessage": 1,
        "errorTitle": _cut(validation.title, LONGEST_TITLE),
        "error": _cut(validation.sentence, LONGEST_SENTENCE),
        "sqref": validation.area.address,
    }
    if validation.choices is not None:
        choices = validation.choices.absolute.rpartition("!")[2]
        return _element("dataValidation", what, _element("formula1", {}, choices))
    least = _element("formula1", {}, f"{validation.least:.15g}")
    most = _element("formula2", {}, f"{validation.most:.15g}")
    return _element("dataValidation", what, least + most)


def hyperlinks(tab: Tab) -> str:
    """18.3.1.48: the texts that lead to another place of the workbook."""
    found = [
        _element(
            "hyperlink",
            {"ref": text.area.address, "location": str(text.link), "display": str(text.value)},
        )
        for text in tab.texts
        if text.link is not None
    ]
    found += [
        _element("hyperlink", {"ref": each.area.address, "location": str(each.link)})
        for each in tab.computed
        if each.link is not None
    ]
    return _element("hyperlinks", {}, "".join(found)) if found else ""


def page_margins() -> str:
    """18.3.1.62, in inches."""
    sides = {"left": 0.75, "right": 0.75, "top": 1, "bottom": 1, "header": 0.5, "footer": 0.5}
    return _element("pageMargins", sides)


def _element(name: str, attributes: Attributes, inner: str = "") -> str:
    start = f"<{name}{_written(attributes)}"
    return f"{start}>{inner}</{name}>" if inner else f"{start}/>"


def _written(attributes: Attributes) -> str:
    """Attributes with their values, but for those that have none."""
    return "".join(
        f" {name}={quoteattr(value if isinstance(value, str) else f'{value:.15g}')}"
        for name, value in attributes.items()
        if value is not None
    )


def _color(rgb: str) -> str:
    return f"FF{rgb}"  # without transparency


def _cut(text: str, longest: int) -> str:
    """A text that is no longer than so many UTF-16 units, as Excel counts."""
    units = text.encode("utf-16-le")
    if len(units) <= 2 * longest:
        return text
    return units[: 2 * (longest - 1)].decode("utf-16-le", errors="ignore") + "…"
