"""What a workbook says of itself: its model's configuration, its constants, its prompt."""

import json
from collections.abc import Mapping
from dataclasses import astuple, fields
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sheetgpt.book.compile import PROPERTY
from sheetgpt.book.data import key_factor
from sheetgpt.calculate.conversion import as_text
from sheetgpt.calculate.values import Error, Scalar, Sheets
from sheetgpt.checkpoint.config_file import from_json, to_json
from sheetgpt.errors import CheckpointError, WorkbookError
from sheetgpt.formula.cells import LAST_ROW, Area
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.tokens import Tokenizer
from sheetgpt.gpt2.weights import shapes
from sheetgpt.steps.tokenize import Room
from sheetgpt.xlsx.read import Workbook

Grid = NDArray[np.object_]
Floats = NDArray[np.float64]


def grid(values: Sheets, area: Area) -> Grid:
    """The values of an area, always as an array of objects."""
    found = values.read(area)
    cells = np.empty(area.shape, dtype=object)
    cells[...] = found.astype(object) if isinstance(found, np.ndarray) else found
    return cells


def _refuse_nonsense(config: Config, room: Room, n_tabs: int) -> None:
    """Raise an error if no workbook of ours can have said this of itself."""
    if from_json(to_json(config), "") != config or config.n_layer > n_tabs:
        raise ValueError("the configuration does not hold")
    if not all(0 < size <= LAST_ROW for size in astuple(room)) or room.tokens > config.n_ctx:
        raise ValueError("the sizes do not hold")


class ModelInFile:
    """The model that a workbook holds; raises WorkbookError where it does not say which."""

    def __init__(self, path: Path, workbook: Workbook) -> None:
        self.path, self.values = path, workbook.values
        self.names = {  # a name that leads to no tab is as good as missing
            name: area for name, area in workbook.names.items() if area.tab in self.values.by_tab
        }
        said = {
            name.removeprefix(PROPERTY): text
            for name, text in workbook.properties.items()
            if name.startswith(PROPERTY)
        }
        try:
            self.name = said["model"]
            self.has_lens = json.loads(said["lens"]) is not False
            self.config = Config(
                **{each.name: json.loads(said[each.name]) for each in fields(Config)}
            )
            self.room = Room(**{each.name: int(said[f"room.{each.name}"]) for each in fields(Room)})
            _refuse_nonsense(self.config, self.room, len(workbook.values.by_tab))
        except (KeyError, ValueError, TypeError, CheckpointError) as error:
            raise WorkbookError(
                f"{path}: this workbook does not say which model it holds, so sheetgpt did not "
                "build it, or its document properties were removed; build it again"
            ) from error

    @property
    def prompt(self) -> str:
        return "".join(self.texts("prompt"))

    def texts(self, name: str) -> list[str]:
        """The texts of a named column; none where the name is missing."""
        area = self.names.get(name)
        if area is None:
            return []
        cells: list[Scalar] = grid(self.values, area).ravel().tolist()
        return ["" if isinstance(cell, Error) else as_text(cell) for cell in cells]

    def numbers(self, name: str) -> Floats | None:
        """The numbers of a named area, [rows, columns]; None where it is missing or mixed."""
        area = self.names.get(name)
        values = None if area is None else self.values.read(area)
        if isinstance(values, float):
            return np.array([[values]])
        if isinstance(values, np.ndarray) and values.dtype == np.float64:
            return values.astype(np.float64, copy=False)
        return None

    @cached_property
    def weights(self) -> Mapping[str, Floats]:
        """Every tensor that is there in its right shape, under its name."""
        found = {}
        for name, shape in shapes(self.config).items():
            values = self.numbers(name)
            if values is not None and values.shape == tuple(np.atleast_2d(np.empty(shape)).shape):
                found[name] = values.reshape(shape)
        return found

    @cached_property
    def tokenizer(self) -> Tokenizer | None:
        """The tokenizer of the workbook's own tables; None where they do not make one."""
        tokens = self.texts("vocabulary.token")
        tables = [self.numbers(f"merges.{column}") for column in ("key", "rank")]
        if not tokens or any(table is None for table in tables):
            return None
        keys, ranks = (table[1:, 0].astype(np.int64) for table in tables if table is not None)
        factor = key_factor(len(tokens))
        try:
            merges = [
                (tokens[key // factor], tokens[key % factor])
                for key in keys[np.argsort(ranks)].tolist()
            ]
            return Tokenizer.from_tables(tokens, merges, str(self.path))
        except (CheckpointError, IndexError):
            return None
