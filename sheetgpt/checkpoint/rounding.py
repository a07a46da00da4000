"""Weights with fewer digits, for a smaller file; and weights of other dtypes as float32."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sheetgpt.checkpoint.checkpoint import Checkpoint, MappedWeights
from sheetgpt.checkpoint.tensor import Float32, Tensor, spooled
from sheetgpt.gpt2.reference import forward

DIGITS = 9  # as many tell every float32 from its neighbours


@dataclass(frozen=True)
class RoundingLoss:
    """What rounding changes: the largest difference of a logit, and the likeliest next token."""

    logit: float
    before: int
    after: int


def as_float32(checkpoint: Checkpoint, digits: int = DIGITS) -> Checkpoint:
    """The checkpoint with float32 weights in a mapped file, rounded to significant digits.

    The checkpoint itself where nothing is to be done. Raises CheckpointError if the directory
    for temporary files has no room: four bytes are needed for each weight.
    """
    assert isinstance(checkpoint.weights, MappedWeights)
    tensors = dict(checkpoint.weights.tensors())
    if digits >= DIGITS and all(tensor.dtype == "F32" for tensor in tensors.values()):
        return checkpoint
    data = spooled(piece for tensor in tensors.values() for piece in _rounded(tensor, digits))
    offset, found = 0, {}
    for name, tensor in tensors.items():
        found[name] = Tensor(tensor.path, data, "F32", tensor.shape, offset)
        offset += 4 * math.prod(tensor.shape)
    return replace(checkpoint, weights=MappedWeights(found))


def loss(exact: Checkpoint, rounded: Checkpoint, ids: list[int]) -> RoundingLoss:
    """How far rounding carries the logits of the token behind `ids`."""
    before, after = (
        forward(each.config, each.weights, ids)["logits"][-1] for each in (exact, rounded)
    )
    return RoundingLoss(
        float(np.abs(before - after).max()), int(before.argmax()), int(after.argmax())
    )


def _rounded(tensor: Tensor, digits: int) -> Iterator[Float32]:
    for values in tensor.pieces():
        yield values if digits >= DIGITS else round_to(values, digits)


def round_to(values: Float32, digits: int) -> Float32:
    """Each number to so many significant digits; the nearest float32 to that."""
    exact = values.astype(np.float64)
    with np.errstate(divide="ignore"):  # the logarithm of 0
        exponent = np.floor(np.log10(np.abs(exact)))
    shift = np.where(np.isfinite(exponent), digits - 1 - exponent, 0.0)
    # Times or through a power of ten that a double holds exactly, as long as one does.
    up, down = 10.0 ** np.maximum(shift, 0), 10.0 ** np.maximum(-shift, 0)
    return (np.rint(exact * up / down) / up * down).astype(np.float32)
