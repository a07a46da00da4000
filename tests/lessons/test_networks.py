"""The lessons `a neuron, a layer` and `learning`, beside NumPy, step by step."""

import math

import numpy as np
import pytest

from sheetgpt.lessons.learning import STEPS, WALK, B, V, W, X
from sheetgpt.lessons.neuron import BIASES, COUNTS, INPUTS, LAYER, POINTS

NEAR = 1e-9


@pytest.fixture(scope="module")
def neuron(lesson):
    return lesson("a neuron, a layer")


@pytest.fixture(scope="module")
def learning(lesson):
    return lesson("learning")


def relu(x):
    return np.maximum(x, 0)


@pytest.mark.parametrize("x", [(1, 1, 1), (1, 0, 1), (0, 1, 0), (2.5, -1, 0.3)])
def test_a_neuron_and_a_layer(neuron, x):
    values = neuron.typed({"neuron.x": [[each] for each in x]})
    total = sum(each * w for each, (_, _, w) in zip(x, INPUTS, strict=True)) - 0.3
    gelu = total / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (total + 0.044715 * total**3)))
    for name, wanted in (("sum", total), ("relu", max(total, 0)), ("gelu", gelu)):
        assert abs(values[f"neuron.{name}"] - wanted) <= NEAR
    sums = np.array(x) @ np.array(LAYER) + BIASES
    for name, wanted in (("singly", sums), ("sum", sums), ("relu", relu(sums))):
        assert np.abs(values.array(f"layer.{name}") - wanted).max() <= NEAR


@pytest.mark.parametrize("curve", [1, 2])
def test_networks_that_are_solved(neuron, curve):
    values = neuron.typed({"fit.curve": curve})
    x = np.linspace(-1, 1, POINTS)
    target = np.sin(np.pi * x) if curve == 2 else x * x
    for n in COUNTS:
        drawn = np.interp(x, np.linspace(-1, 1, n + 1), target[:: (POINTS - 1) // n])
        assert np.abs(values.array(f"solved.{n}")[:, 0] - drawn).max() <= NEAR
        assert abs(values[f"solved.{n}.error"] - np.abs(drawn - target).max()) <= NEAR


def test_two_neurons_by_hand(neuron):
    for six in ([[1, 0, 0.5], [-1, 0, 0.5]], [[1.1, -0.2, 1.2], [-0.9, 0.1, -0.7]]):
        values = neuron.typed({"fit.six": six})
        x = np.linspace(-1, 1, POINTS)
        drawn = sum(v * relu(w * x + b) for w, b, v in six)
        assert np.abs(values.array("fit.two")[:, 0] - drawn).max() <= NEAR
        assert abs(values["fit.error"] - np.mean((drawn - x * x) ** 2)) <= NEAR


@pytest.mark.parametrize(("start", "rate"), [(1.6, 0.02), (-1.6, 0.02), (1.6, 0.2), (0.1, 0.1)])
def test_the_hiker(learning, start, rate):
    values = learning.typed({"hiker.start": start, "hiker.rate": rate})
    w = start
    for step in range(WALK + 1):
        assert abs(values["hiker.w"][step][0] - w) <= NEAR
        assert abs(values["hiker.error"][step][0] - ((w * w - 1) ** 2 + 0.3 * w)) <= NEAR
        w -= rate * (4 * w * (w * w - 1) + 0.3)


def test_a_hiker_who_is_thrown_off_the_map(learning):
    values = learning.typed({"hiker.rate": 0.5})
    assert values["hiker.sentence"].startswith("The hiker has been thrown off the map")


def steps(y: np.ndarray, rate: float):
    """The error and the parameters before each step and after the last."""
    w, b, v = (np.array(each) for each in (W, B, V))
    c = 0.0
    for _ in range(STEPS + 1):
        hidden = relu(np.outer(X, w) + b)
        e = hidden @ v + c - y
        yield np.mean(e**2), e, w, b, v, c
        if np.mean(e**2) > 1e6:
            continue
        back = np.outer(e, v) * (hidden > 0)
        n = len(X)
        w, b = w - rate * 2 / n * X @ back, b - rate * 2 / n * back.sum(axis=0)
        v, c = v - rate * 2 / n * e @ hidden, c - rate * 2 / n * e.sum()


@pytest.mark.parametrize(
    ("y", "rate"),
    [
        (X * X, 0.2), (X * X, 0.5), (X * X, 1.0), (X * X, 2.0), (np.sin(np.pi * X), 0.3),
        (np.array([0, 1, 0, 1, 0, 1, 0, 1, 0.0]), 0.2), (np.zeros(9), 0.1),
    ],
)  # fmt: skip
def test_a_network_learns_step_by_step(learning, y, rate):
    values = learning.typed({"net.y": [list(map(float, y))], "net.rate": rate})
    found = {key: values.array(f"net.all.{key}") for key in "wbvc"}
    for step, (error, _, *parameters) in enumerate(steps(y, rate)):
        for (key, rows), wanted in zip(found.items(), parameters, strict=True):
            scale = max(1, np.abs(wanted).max())
            assert np.abs(rows[step] - wanted).max() <= NEAR * scale, (step, key)
        assert abs(values["net.error"][step][0] - error) <= NEAR * max(1, error)


def test_the_line_after_a_chosen_step(learning):
    for chosen in (0, 17, STEPS):
        values = learning.typed({"net.look": chosen})
        *_, w, b, v, c = list(steps(X * X, 0.2))[chosen]
        line = np.linspace(-1, 1, 41)
        wanted = relu(np.outer(line, w) + b) @ v + c
        assert np.abs(values.array("net.drawn")[:, 0] - wanted).max() <= NEAR
        assert (
            np.abs(values.array("net.answers")[0] - (relu(np.outer(X, w) + b) @ v + c)).max()
            <= NEAR
        )
