"""What is built once for all tests, however many processes run them side by side."""

from collections.abc import Callable
from os import environ
from pathlib import Path

import pytest
from filelock import FileLock

from sheetgpt.build import Order, build_workbook
from sheetgpt.checkpoint import checkpoint


def once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], object]) -> Path:
    """The file of this name, which the first process that asks for it builds."""
    base = factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in environ else base  # each worker has its own
    path = folder / name
    with FileLock(folder / f"{name}.lock"):
        if not path.exists():
            build(path)
    return path


def built_once(factory: pytest.TempPathFactory, name: str, model: Path, order: Order) -> Path:
    """The workbook of a model, likewise."""
    return once(factory, name, lambda path: build_workbook(checkpoint.load(model), order, path))
