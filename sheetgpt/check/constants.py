"""What must be there before anything is computed: weights, vocabulary, and the other constants."""

from collections.abc import Iterator

import numpy as np

from sheetgpt.book.data import digest
from sheetgpt.check.file import ModelInFile
from sheetgpt.check.report import StepResult
from sheetgpt.checkpoint.checkpoint import Checkpoint
from sheetgpt.formula.cells import Area
from sheetgpt.gpt2.weights import shapes


def constants(model: ModelInFile) -> Iterator[StepResult]:
    """The weights' shapes, and that nobody has changed a constant since the workbook was built."""
    fingerprints = dict(
        zip(model.texts("checks.constant"), model.texts("checks.digest"), strict=False)
    )
    for name in ("prompt", "checks.constant", "checks.digest"):
        if name not in model.names:
            yield StepResult("", name, "constant", problem=f"the defined name {name} is missing")
    wanted = shapes(model.config)
    for name in (*wanted, *(name for name in fingerprints if name not in wanted)):
        area = model.names.get(name)
        if area is None:
            yield StepResult("", name, "constant", problem=f"the defined name {name} is missing")
            continue
        problem = _constant(model, name, area, wanted.get(name), fingerprints.get(name))
        yield StepResult(area.tab, name, "constant", int(np.prod(area.shape)), problem=problem)
    epsilon = model.numbers("layer_norm_epsilon")
    if epsilon is None or epsilon[0, 0] != model.config.layer_norm_epsilon:
        tab = model.names["layer_norm_epsilon"].tab if epsilon is not None else ""
        yield StepResult(
            tab,
            "layer_norm_epsilon",
            "constant",
            problem=f"layer_norm_epsilon is not the model's {model.config.layer_norm_epsilon}",
        )


def _constant(
    model: ModelInFile, name: str, area: Area, shape: tuple[int, ...] | None, built: str | None
) -> str:
    if shape is not None:
        rows, columns = (1, *shape)[-2:]
        if area.shape != (rows, columns):
            found = " × ".join(map(str, area.shape))
            return f"{name} is {found} cells at {area}, but the model needs {rows} × {columns}"
        if name not in model.weights:
            return f"{name} holds cells that are not numbers, somewhere in {area}"
    values = model.weights[name].astype(np.float32) if shape is not None else model.numbers(name)
    now = digest(model.texts(name) if values is None else values)
    if built is None:
        return (
            f"{name} has lost its fingerprint, by which one could tell whether {area} was changed"
        )
    if built != now:
        return f"{name} is not what it was when the workbook was built: a cell in {area} differs"
    return ""


def against(model: ModelInFile, checkpoint: Checkpoint) -> Iterator[StepResult]:
    """What differs from a checkpoint."""
    if model.config != checkpoint.config:
        problem = f"the workbook's model has not the configuration of {checkpoint.name}"
        yield StepResult("", "config", "constant", problem=problem)
        return
    for name, weight in model.weights.items():
        theirs = np.asarray(checkpoint.weights[name])
        different = np.argwhere(np.atleast_2d(weight.astype(np.float32) != theirs))
        if len(different):
            area = model.names[name].cell(*different[0].tolist())
            others = f", nor are {len(different) - 1:,} more cells" if different[1:].size else ""
            problem = f"{area} is not the weight of the checkpoint {checkpoint.name}{others}"
            yield StepResult(area.tab, name, "constant", int(theirs.size), problem=problem)
    if model.tokenizer != checkpoint.tokenizer:
        problem = f"the tokens or merges differ from those of the checkpoint {checkpoint.name}"
        yield StepResult("vocabulary", "vocabulary.token", "constant", problem=problem)
