"""Record anew what LibreOffice gives for every formula of `facts.toml`.

Usage: python tests/formula/record_facts.py

Write a new fact as its `formula` alone, with `fills = "2x3"` where it fills several cells, or
`at = "E2"` for a formula that is no array formula and the cell it stands in; this script adds the
`value`.  To LibreOffice truth values are 1 and 0, so whether a 1 is TRUE is our evaluator's word.
Where Excel's documents contradict LibreOffice, add `excel = ...` and `source = "..."` by hand.
`ironcalc = false` is added where IronCalc gives neither; read the differences before committing.
"""

from dataclasses import replace
from tempfile import TemporaryDirectory

from test_facts import (
    FACTS,
    Any,
    Fact,
    Path,
    evaluated,
    facts,
    groups,
    ironcalc_values,
    libreoffice_values,
    same,
)

from sheetgpt.calculate.units import Units

HEAD = """\
# What formulas give: values recorded from LibreOffice by record_facts.py, which says how to add to
# them.  `excel` is what Excel gives where its documents say otherwise, and then what we follow.
"""


def main() -> None:
    with TemporaryDirectory() as folder:
        by_libreoffice = libreoffice_values(Path(folder) / "facts.xlsx")
        by_ironcalc = ironcalc_values(Path(folder) / "facts.xlsx")
    answers = iter(zip(facts(), by_libreoffice, by_ironcalc, strict=True))
    lines = [HEAD]
    for group in groups():
        lines.append(f"[[group]]\nabout = {toml(group['about'])}")
        if "cells" in group:
            lines.append(f"cells = {toml(group['cells'])}")
        lines.append("facts = [")
        for entry, (fact, value, third) in zip(group["facts"], answers, strict=False):
            lines.append(f"  {toml(recorded(entry, fact, value, third))},")
        lines.append("]\n")
    FACTS.write_text("\n".join(lines), encoding="utf-8")


def recorded(entry: dict[str, Any], fact: Fact, value: Any, by_ironcalc: Any) -> dict[str, Any]:
    """A fact's entry in the order of its keys, with the value that LibreOffice gave."""
    value = with_truths(value, evaluated(fact))
    known = dict.fromkeys(("formula", "fills", "at", "value")) | entry | {"value": value}
    known["ironcalc"] = same(by_ironcalc, replace(fact, value=value).ours(Units.POINTS))
    if known["ironcalc"]:
        del known["ironcalc"]
    return {key: each for key, each in known.items() if each is not None}


def with_truths(value: Any, ours: Any) -> Any:
    """1 and 0 as truth values, where our evaluator says that they are."""
    if isinstance(value, list):
        return [with_truths(*each) for each in zip(value, ours, strict=True)]
    return bool(value) if isinstance(ours, bool) and value in (0, 1) else value


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return text(value)
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def text(value: str) -> str:
    """A literal string where that is possible; formulas are full of double quotes."""
    if "'" not in value and value.isprintable() and '"' in value:
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04X}" for c in escaped) + '"'


if __name__ == "__main__":
    main()
