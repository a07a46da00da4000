"""Reading a directory of CSV files, one for each tensor: `wte.csv`, `h.0.attn.c_attn.w.csv`, ….

A matrix has one line for each of its rows, a vector is one line or one column; there are commas
between the numbers, and no headings. Text cannot be mapped. So each file is read once, a few
megabytes at a time, by NumPy's parser, and its values go into one nameless temporary file that
is mapped as other checkpoints are: four bytes on the disk for each weight, and next to no memory.
"""

import math
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import replace
from pathlib import Path

import numpy as np

from sheetgpt.checkpoint.names import PREFIX, canonical_name
from sheetgpt.checkpoint.tensor import Float32, Tensor, spooled
from sheetgpt.errors import CheckpointError, shown, unreadable
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.weights import shapes

PIECE = 1 << 22  # characters that are parsed at once

# What may be a tensor of a GPT-2; a CSV file of another name is none of ours. The causal masks
# that older versions of transformers saved change nothing.
TENSOR = re.compile(r"(wte|wpe|ln_f|lm_head|h\.\d+)(\..+)?")
MASK = re.compile(r"h\.\d+\.attn\.(b|masked_bias)")


def files(directory: Path) -> dict[str, Path]:
    """Canonical name -> CSV file, for every tensor that has one under our name or Hugging Face's.

    Raises CheckpointError if one tensor has two files.
    """
    found: dict[str, Path] = {}
    for path in sorted(directory.glob("*.csv")):
        name = canonical_name(path.name.removesuffix(".csv").removeprefix(PREFIX))
        if not TENSOR.fullmatch(name) or MASK.fullmatch(name):
            continue
        if name in found:
            raise CheckpointError(
                f"{directory} has {found[name].name} and {path.name}, which are the same tensor, "
                "expected it once; remove one of the two"
            )
        found[name] = path
    return found


def read(directory: Path, config: Config) -> dict[str, Tensor]:
    """The tensors of `weights.shapes(config)`, and the head where it has a file of its own.

    Raises CheckpointError, naming file and line, for whatever does not hold.
    """
    found = files(directory)
    if config.n_layer > len(found):  # before a mistyped number becomes as many names
        raise CheckpointError(
            f"{directory}: the configuration says {config.n_layer} blocks, but there are "
            f"{len(found)} CSV files in all; give the config.json that belongs to these weights"
        )
    if "lm_head.w" in found:
        config = replace(config, tie_word_embeddings=False)
    needed = shapes(config)
    _refuse_missing_and_needless(directory, found, needed.keys())
    data = spooled(piece for name, shape in needed.items() for piece in _pieces(found[name], shape))
    tensors = {}
    offset = 0
    for name, shape in needed.items():
        tensors[name] = Tensor(found[name], data, "F32", shape, offset)
        offset += 4 * math.prod(shape)
    return tensors


def _refuse_missing_and_needless(
    directory: Path, found: Mapping[str, Path], needed: Set[str]
) -> None:
    missing = [f"{name}.csv" for name in needed if name not in found]
    if missing:
        named = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if missing[5:] else "")
        raise CheckpointError(
            f"{directory} has no {named}; the model needs {len(needed)} tensors, so give a CSV "
            "file for each, and the config.json that belongs to them"
        )
    for name, path in found.items():
        if name not in needed:
            raise CheckpointError(
                f"{path} holds a tensor that a GPT-2 with this config.json has not; give the CSV "
                "files of a plain GPT-2 and the config.json that belongs to them"
            )


def _pieces(path: Path, shape: tuple[int, ...]) -> Iterator[Float32]:
    """The numbers of a file that must hold a tensor of this shape, some lines at a time."""
    n_lines = 0
    try:
        with path.open(encoding="utf-8-sig") as file:  # some programs begin with a mark
            while lines := file.readlines(PIECE):
                if n_lines == 0:
                    expected, columns = _layout(shape, lines[0])
                    _refuse_broken_line(f"{path}: line 1", shape, columns, lines[0].strip())
                if n_lines + len(lines) > expected:
                    raise _wrong_length(path, shape, "more lines", expected, columns)
                yield _numbers(path, shape, columns, lines, n_lines)
                n_lines += len(lines)
    except OSError as error:
        raise unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise CheckpointError(
            f"{path} is no CSV text: behind line {n_lines} there is a byte that is not UTF-8; "
            "save it as CSV again"
        ) from error
    if n_lines == 0:
        raise CheckpointError(
            f"{path} is empty, expected the numbers of a tensor {list(shape)}; save it again"
        )
    if n_lines < expected:
        raise _wrong_length(path, shape, _count(n_lines, "line"), expected, columns)


def _layout(shape: tuple[int, ...], line: str) -> tuple[int, int]:
    """How many lines the file must have, and how many numbers a line; the first line decides."""
    if len(shape) == 2:
        return shape[0], shape[1]
    return (1, shape[0]) if "," in line else (shape[0], 1)


def _numbers(
    path: Path, shape: tuple[int, ...], columns: int, lines: list[str], before: int
) -> Float32:
    """The numbers of these lines, [lines, columns]; `before` lines stand above them."""
    try:
        if "\n" not in lines:  # which NumPy would leave out
            values = _parsed(lines)
            if values.shape == (len(lines), columns) and np.isfinite(values).all():
                return values
    except ValueError:
        pass  # the search for the place below says it better
    for number, line in enumerate(lines, before + 1):
        _refuse_broken_line(f"{path}: line {number}", shape, columns, line.strip())
    raise AssertionError(f"{path} cannot be parsed, yet each of its lines can")


def _parsed(lines: list[str]) -> Float32:
    with np.errstate(over="ignore"):
        return np.loadtxt(lines, np.float32, delimiter=",", comments=None, ndmin=2)


def _refuse_broken_line(where: str, shape: tuple[int, ...], columns: int, line: str) -> None:
    words = line.split(",")
    if len(words) == columns and _is_finite(line):
        return
    if not line:
        raise CheckpointError(f"{where} is empty, expected {_count(columns, 'number')}; remove it")
    if len(words) != columns:
        raise CheckpointError(
            f"{where} has {_count(len(words), 'number')}, expected {columns}, for the tensor is "
            f"{list(shape)}; correct it, or give the config.json that belongs to these weights"
        )
    for place, word in enumerate(words, 1):
        if not _is_finite(word):
            raise CheckpointError(
                f"{where} has {shown(word)} as number {place}, expected a finite number such as "
                "-0.125; headings and decimal commas must go, other numbers be saved again"
            )


def _is_finite(text: str) -> bool:
    """Whether a line, or one word of it, holds numbers and nothing else."""
    try:
        return bool(text.strip()) and bool(np.isfinite(_parsed([text])).all())
    except ValueError:
        return False


def _wrong_length(
    path: Path, shape: tuple[int, ...], found: str, expected: int, columns: int
) -> CheckpointError:
    return CheckpointError(
        f"{path} has {found}, expected {_count(expected, 'line')} of {_count(columns, 'number')}, "
        f"for the tensor is {list(shape)}; save it again, or give the config.json that belongs to "
        "these weights"
    )


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
