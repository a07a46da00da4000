"""What surrounds a formula: where it finds its values, and how it sees a range."""

from dataclasses import dataclass, replace

from sheetgpt.calculate.units import Units
from sheetgpt.calculate.values import Error, Sheets, Value
from sheetgpt.formula.cells import Area


@dataclass(frozen=True, slots=True)
class Environment:
    """Where formulas find their values, and what differs between applications and formulas.

    sheets: the values of all cells.
    units: what LEN and MID count.
    cell: for a formula that is not an array formula, the cell it stands in: where such a
        formula meets a whole row or column of cells, it takes the one in line with itself.
    """

    sheets: Sheets
    units: Units = Units.POINTS
    cell: Area | None = None

    def of_arrays(self) -> "Environment":
        """The same for an array formula, which takes every range whole."""
        return replace(self, cell=None) if self.cell else self

    def read(self, area: Area) -> Value:
        """The values of a range; of one in line with `cell` only the cell in line."""
        cell = self.cell
        if cell is None or area.shape == (1, 1):
            return self.sheets.read(area)
        if area.left == area.right and area.top <= cell.top <= area.bottom:
            return self.sheets.read(area.row(cell.top - area.top))
        if area.top == area.bottom and area.left <= cell.left <= area.right:
            return self.sheets.read(area.cell(0, cell.left - area.left))
        return Error.VALUE
