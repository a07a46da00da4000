"""Checks a saved workbook or page: every step against the witness, every formula for being one.

Nothing is taken from memory: prompt, vocabulary, weights and formulas are those of the file.
"""

from sheetgpt.check.check import check
from sheetgpt.check.engines import CALCULATORS
from sheetgpt.check.page import check_page
from sheetgpt.check.report import Report, StepResult

__all__ = ["CALCULATORS", "Report", "StepResult", "check", "check_page"]
