"""What a switch is taken for, whatever was typed or pasted into its cell."""

from sheetgpt.formula.expr import Expr, Range, call, when

LEAST, MOST = -1000, 1000  # beyond these, numbers could grow too large to compute with


def understood(typed: Range) -> Expr:
    """A text, or nothing, is as if nobody had touched the switch; a number is within limits."""
    return when(call("ISNUMBER", typed), call("MAX", LEAST, call("MIN", MOST, typed)), 1)


def changed(switches: Range) -> Expr:
    """How many of them are not 1."""
    return call("SUM", when(switches.equals(1), 0, 1))
