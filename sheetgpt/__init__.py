"""A compiler that turns a GPT-2 checkpoint into a workbook whose formulas are the model."""

__version__ = "0.1.0"
