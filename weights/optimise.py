"""How weights are changed: Muon for the matrices inside the blocks, AdamW for everything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from model import Weights
from torch import Tensor


@dataclass(frozen=True)
class Recipe:
    """What can be turned about a training, and the same for every model."""

    seed: int
    steps: int
    rows: int
    n_vocab: int
    # A word that has one right answer counts fully, a free choice ("Mike" or "Sara") only so much.
    weight_of_free_words: float = 0.2
    muon_rate: float = 0.02
    adam_rate: float = 3e-3
    warm_up_steps: int = 100
    flat_part: float = 0.4

    def rate(self, step: int) -> float:
        """Warm up, stay flat, then fall in a straight line to zero."""
        warm = min(1.0, (step + 1) / self.warm_up_steps)
        falling = (self.steps - step) / (self.steps * (1 - self.flat_part))
        return min(warm, falling)


def orthogonal(matrices: Tensor) -> Tensor:
    """[count, n_in, n_out] -> the nearest matrices whose singular values are all about one.

    Five Newton-Schulz steps with the coefficients of Keller Jordan's Muon (2024).
    """
    wide = matrices if matrices.shape[1] <= matrices.shape[2] else matrices.mT
    x: Tensor = wide / (wide.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        square = x @ x.mT
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x if wide is matrices else x.mT


class Muon:
    """Momentum, made orthogonal."""

    def __init__(self, matrices: list[Tensor], momentum: float = 0.95) -> None:
        self.matrices, self.momentum = matrices, momentum
        self.averages = [torch.zeros_like(matrix) for matrix in matrices]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        for matrix, average in zip(self.matrices, self.averages, strict=True):
            assert matrix.grad is not None
            average.lerp_(matrix.grad, 1 - self.momentum)
            ahead = matrix.grad.lerp(average, self.momentum)
            n_in, n_out = matrix.shape[1:]
            matrix.sub_(orthogonal(ahead), alpha=rate * max(1.0, n_out / n_in) ** 0.5)


def in_blocks_and_a_matrix(name: str, weight: Tensor) -> bool:
    return name.startswith("h.") and weight.dim() == 3


class Optimiser:
    """Both methods together, each at the recipe's rate for the step."""

    def __init__(self, weights: Weights, recipe: Recipe) -> None:
        self.weights, self.recipe = weights, recipe
        for_muon = [w for name, w in weights.items() if in_blocks_and_a_matrix(name, w)]
        for_adam = [w for name, w in weights.items() if not in_blocks_and_a_matrix(name, w)]
        self.muon = Muon(for_muon)
        self.adam = torch.optim.AdamW(
            for_adam, recipe.adam_rate, betas=(0.9, 0.98), weight_decay=0.05
        )

    def step(self, number: int, gradients: Sequence[Tensor]) -> None:
        """Changes the weights by their gradients, which come in the order of the weights."""
        for weight, gradient in zip(self.weights.values(), gradients, strict=True):
            weight.grad = gradient
        rate = self.recipe.rate(number)
        self.adam.param_groups[0]["lr"] = self.recipe.adam_rate * rate
        self.adam.step()
        self.muon.step(self.recipe.muon_rate * rate)

    def state(self) -> dict[str, Any]:
        """The weights and all that the next step needs to know of the steps before."""
        return {
            "weights": {name: weight.detach() for name, weight in self.weights.items()},
            "adam": self.adam.state_dict(),
            "muon": self.muon.averages,
        }

    @torch.no_grad()
    def restore(self, state: dict[str, Any]) -> None:
        for name, weight in self.weights.items():
            weight.copy_(state["weights"][name])
        self.adam.load_state_dict(state["adam"])
        for average, stored in zip(self.muon.averages, state["muon"], strict=True):
            average.copy_(stored)
