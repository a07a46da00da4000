"""The floors of the package: what may import what, and what no file may do."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import sheetgpt

PACKAGE = Path(sheetgpt.__file__).parent
SCRIPTS = {"sheetgpt.office.server"}  # run by LibreOffice's Python, talks over stdout

# From the bottom to the top; no import runs upward. Rooms on one floor never import each other.
FLOORS = [
    {
        "sheetgpt",
        "sheetgpt.errors",
        "sheetgpt.progress",
        "sheetgpt.replacing",
        "sheetgpt.resources",
    },
    {"sheetgpt.workers"},
    {"sheetgpt.formula", "sheetgpt.gpt2", "sheetgpt.office"},
    {"sheetgpt.calculate", "sheetgpt.checkpoint"},
    {"sheetgpt.steps"},
    {"sheetgpt.book"},
    {"sheetgpt.lessons"},
    {"sheetgpt.xlsx", "sheetgpt.page"},
    {"sheetgpt.check"},
    {"sheetgpt.estimate"},
    {"sheetgpt.build", "sheetgpt.models"},
    {"sheetgpt.cli"},
    {"sheetgpt.__main__"},
]

PACKAGES_FROM_OUTSIDE = {
    "sheetgpt.formula": {"openpyxl"},
    "sheetgpt.calculate": {"numpy", "orjson", "simdjson"},
    "sheetgpt.gpt2": {"numpy", "regex"},
    "sheetgpt.checkpoint": {"numpy", "huggingface_hub"},
    "sheetgpt.book": {"numpy"},
    "sheetgpt.lessons": {"numpy"},
    "sheetgpt.xlsx": {"numpy", "isal", "lxml", "openpyxl", "orjson"},
    "sheetgpt.page": {"numpy"},
    "sheetgpt.check": {"numpy", "rich", "selenium"},
    "sheetgpt.cli": {"click", "rich"},
}


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in FILES.items()}
every_file = pytest.mark.parametrize("module", FILES)


def imported(module: str) -> Iterator[str]:
    """The modules that a file imports, by their full names."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import"
            assert node.module
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in FILES else node.module


@cache
def ours(module: str) -> frozenset[str]:
    return frozenset(name for name in imported(module) if name.split(".")[0] == "sheetgpt")


@cache
def all_ours(module: str) -> frozenset[str]:
    """What a file imports of ours, directly or not."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        new = ours(waiting.pop()) - found
        found |= new
        waiting += new
    return frozenset(found)


def part(module: str) -> str:
    """The folder or the single file at the top of the package that a module belongs to."""
    return ".".join(module.split(".")[:2])


def floor(module: str) -> int:
    return next(i for i, parts in enumerate(FLOORS) if part(module) in parts)


@every_file
def test_no_import_runs_upward(module):
    for other in ours(module):
        assert part(other) == part(module) or floor(other) < floor(module), other


@every_file
def test_no_circles(module):
    assert module not in all_ours(module) - {module} or module in ours(module)
    assert module not in {third for other in ours(module) for third in all_ours(other)}


TOWERS = (
    {"sheetgpt.formula", "sheetgpt.calculate"},
    {"sheetgpt.gpt2", "sheetgpt.checkpoint"},
)


@every_file
def test_the_two_towers_never_meet(module):
    for tower, other in (TOWERS, TOWERS[::-1]):
        if part(module) in tower:
            assert not {part(each) for each in ours(module)} & other


@every_file
def test_steps_are_said_in_formulas_alone(module):
    if part(module) == "sheetgpt.steps":
        assert {part(other) for other in ours(module)} <= {"sheetgpt.formula", "sheetgpt.steps"}


def test_the_witness_shares_nothing_with_the_steps():
    steps = {name for name in FILES if part(name) == "sheetgpt.steps"}
    of_steps = steps | {other for name in steps for other in all_ours(name)}
    assert all_ours("sheetgpt.gpt2.reference") & of_steps <= {"sheetgpt.errors"}


def test_printer_and_parser_share_no_belief():
    assert "sheetgpt.formula.parse" not in all_ours("sheetgpt.formula.excel")
    assert "sheetgpt.formula.excel" not in all_ours("sheetgpt.formula.parse")


@every_file
def test_packages_from_outside(module):
    if module in SCRIPTS:
        return
    outside = {name.split(".")[0] for name in imported(module)} - {"sheetgpt"}
    outside -= sys.stdlib_module_names
    assert outside <= PACKAGES_FROM_OUTSIDE.get(part(module), set())


@every_file
def test_what_no_file_does(module):
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.ImportFrom):
            assert all(alias.name != "*" for alias in node.names), "a star import"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("exec", "eval", "compile", "__import__")
    assert not {"pickle", "marshal", "shelve", "dill"} & set(imported(module))


@every_file
def test_only_the_command_line_prints_or_exits(module):
    if module in SCRIPTS or part(module) in ("sheetgpt.cli", "sheetgpt.__main__"):
        return
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("print", "exit", "quit", "input", "SystemExit")
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in (
                *(("sys", each) for each in ("exit", "stdout", "stderr")),
                ("os", "_exit"),
            )
