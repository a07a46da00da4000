"""What a workbook says of itself: its model's configuration, its constants, its prompt."""

import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sheetgpt.book.book import StepRecord
from sheetgpt.book.compile import PROPERTY, TOKENIZER
from sheetgpt.book.data import key_factor
from sheetgpt.book.extras import NAMES, Extras, extras_of
from sheetgpt.book.records import listed
from sheetgpt.calculate.conversion import as_text
from sheetgpt.calculate.values import Error, Scalar, Sheets
from sheetgpt.checkpoint.config_file import from_json, to_json
from sheetgpt.errors import CheckpointError, WorkbookError
from sheetgpt.formula.cells import LAST_ROW, Area
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.tokens import Tokenizer, Unit
from sheetgpt.gpt2.weights import shapes
from sheetgpt.steps.tokenize import Room, Splitting
from sheetgpt.xlsx.read import Workbook

Grid = NDArray[np.object_]
Floats = NDArray[np.float64]


def grid(values: Sheets, area: Area) -> Grid:
    """The values of an area, always as an array of objects."""
    found = values.read(area)
    cells = np.empty(area.shape, dtype=object)
    cells[...] = found.astype(object) if isinstance(found, np.ndarray) else found
    return cells


MOST_BLOCKS = 4_096  # the largest GPT-2 has 48


@dataclass(frozen=True)
class Stated:
    """What the document properties of a workbook say; `said` has all of them."""

    name: str
    extras: Extras
    config: Config
    room: Room
    splitting: Splitting
    tokenizer: Mapping[str, Any]  # what no table of the workbook says of it
    said: Mapping[str, str]


def stated(path: Path, properties: Mapping[str, str]) -> Stated:
    """What a workbook says of its model; raises WorkbookError where it says nothing of sense."""
    said = {
        name.removeprefix(PROPERTY): text
        for name, text in properties.items()
        if name.startswith(PROPERTY)
    }
    if "lessons" in said:
        raise WorkbookError(
            f"{path}: this is the workbook of the lessons, which holds no model to compare "
            "with; give one that sheetgpt build has written"
        )
    try:
        config = Config(
            **{each.name: _frozen(json.loads(said[each.name])) for each in fields(Config)}
        )
        room = Room(**{each.name: int(said[f"room.{each.name}"]) for each in fields(Room)})
        if from_json(to_json(config), "") != config:
            raise ValueError("the configuration does not hold")
        if max(config.n_vocab, config.n_ctx, config.n_embd, config.n_inner) > LAST_ROW:
            raise ValueError("no sheet has so many rows")
        if config.n_layer > MOST_BLOCKS:
            raise ValueError("no workbook has so many tabs")
        least = min(room.characters, room.tokens)  # a vocabulary may have no bytes nor merges
        within = all(0 <= size <= LAST_ROW for size in astuple(room))
        if least < 1 or not within or room.tokens > config.n_ctx:
            raise ValueError("the sizes do not hold")
        tokenizer = _of_tokenizer(said, config)
        has_specials = json.loads(said["tokenizer.has_specials"]) is True
        splitting = Splitting(tokenizer["unit"], has_specials)
        asked = {name: json.loads(said[name]) is True for name in NAMES if name in said}
        extras = extras_of(asked, otherwise=False)  # which older files did not have
        return Stated(said["model"], extras, config, room, splitting, tokenizer, said)
    except (KeyError, ValueError, TypeError, RecursionError, CheckpointError) as error:
        raise _says_nothing(path) from error


def _of_tokenizer(said: Mapping[str, str], config: Config) -> dict[str, Any]:
    """What no table says of a tokenizer; ValueError for an id that cannot be."""
    found = {each: json.loads(said[f"tokenizer.{each}"]) for each in TOKENIZER}
    for name in ("leading", "otherwise"):
        if found[name] is not None and found[name] not in range(config.n_vocab):
            raise ValueError(f"{name} is no token")
    return {**found, "unit": Unit(found["unit"])}


def _frozen(value: Any) -> Any:
    """A value of JSON as a configuration has it."""
    return tuple(value) if isinstance(value, list) else value


def _says_nothing(path: Path) -> WorkbookError:
    return WorkbookError(
        f"{path}: this workbook does not say which model it holds, so sheetgpt did not "
        "build it, or its document properties were removed; build it again"
    )


class ModelInFile:
    """The model that a workbook holds; raises WorkbookError where it does not say which."""

    def __init__(self, path: Path, workbook: Workbook) -> None:
        self.path, self.values = path, workbook.values
        self.names = {  # a name that leads to no tab is as good as missing
            name: area for name, area in workbook.names.items() if area.tab in self.values.by_tab
        }
        self.stated = its = stated(path, workbook.properties)
        self.name, self.said = its.name, its.said
        self.extras, self.config, self.room = its.extras, its.config, its.room
        if self.config.n_layer > len(self.values.by_tab):
            raise _says_nothing(path)

    @cached_property
    def records(self) -> dict[str, StepRecord]:
        """Everything that formulas compute, by its name, in the order in which they do."""
        every = listed(self.config, self.room, self.stated.splitting, self.extras)
        return {record.name: record for record in every}

    @property
    def prompt(self) -> str:
        return "".join(self.texts("prompt"))

    def shown(self, name: str) -> Grid | None:
        """What the cells of a name hold; None where the name is missing."""
        return grid(self.values, self.names[name]) if name in self.names else None

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
            if values is not None and values.shape == (1, *shape)[-2:]:
                found[name] = values.reshape(shape)
        return found

    @cached_property
    def tokenizer(self) -> Tokenizer | None:
        """The tokenizer of the workbook's own tables; None where they do not make one."""
        tokens = self.texts("vocabulary.token")
        is_of_bytes = self.stated.tokenizer["unit"] is Unit.BYTES
        tables = [self.numbers(f"merges.{column}") for column in ("key", "rank")]
        if not tokens or (is_of_bytes and any(table is None for table in tables)):
            return None
        nothing = np.zeros((1, 1))
        keys, ranks = ((nothing if t is None else t)[1:, 0].astype(np.int64) for t in tables)
        factor = key_factor(len(tokens))
        try:
            merges = [
                (tokens[key // factor], tokens[key % factor])
                for key in keys[np.argsort(ranks)].tolist()
            ]
            return Tokenizer.from_tables(
                tokens,
                merges,
                str(self.path),
                specials=self.texts("specials.text"),
                **self.stated.tokenizer,
            )
        except (CheckpointError, IndexError):
            return None
