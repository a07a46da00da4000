"""Parts that are turned off, doubled, turned round: as if their weights were others."""

import numpy as np
import pytest

from sheetgpt.checkpoint import checkpoint
from sheetgpt.gpt2.effects import effects
from sheetgpt.gpt2.reference import Switches, forward
from tests.gpt2.test_votes import random_switches
from tests.places import PLAIN

IDS = [70, 3, 71, 70, 8]


@pytest.fixture(scope="module")
def plain():
    return checkpoint.load(PLAIN)


def scaled(weights, config, switches):
    """Weights that write what the switches let through."""
    found = dict(weights)
    for b in range(config.n_layer):
        factors = np.repeat(switches.heads[b], config.d_head)[:, None]
        found[f"h.{b}.attn.c_proj.w"] = weights[f"h.{b}.attn.c_proj.w"] * factors
        for name in ("w", "b"):
            its = f"h.{b}.mlp.c_proj.{name}"
            found[its] = weights[its] * switches.mlps[b]
    return found


@pytest.mark.parametrize("seed", range(3))
def test_a_switch_is_as_good_as_other_weights(recorded, seed):
    model = checkpoint.load(recorded)
    switches = random_switches(model.config, seed)
    ids = [i % model.config.n_vocab for i in IDS[: model.config.n_ctx]]
    switched = forward(model.config, model.weights, ids, switches)["logits"]
    other = forward(model.config, scaled(model.weights, model.config, switches), ids)["logits"]
    assert np.abs(switched - other).max() <= 1e-9 * max(1.0, np.abs(other).max())


def test_with_all_at_one_nothing_changes(plain):
    on = forward(plain.config, plain.weights, IDS, Switches.on(plain.config))
    without = forward(plain.config, plain.weights, IDS)
    assert all(np.array_equal(on[name], without[name], equal_nan=True) for name in without)


def test_effects_are_those_of_the_whole_computation(plain):
    """They are computed from the block on that the part belongs to."""
    config = plain.config
    trace = forward(config, plain.weights, [*IDS, 5])
    found = effects(config, plain.weights, trace, len(IDS), parts=True)
    logits = forward(config, plain.weights, IDS)["logits"][-1]
    assert found.token == logits.argmax()
    for b in range(config.n_layer):
        for part in range(config.n_head + 1):
            switches = Switches.on(config)
            if part < config.n_head:
                switches.heads[b, part] = 0
            else:
                switches.mlps[b] = 0
            without = forward(config, plain.weights, IDS, switches)["logits"][-1]
            lead = without[found.token] - np.delete(without, found.token).max()
            assert found.lead + found.of_parts[b, part] == pytest.approx(lead, abs=1e-9)


def test_nobody_pays_for_effects_who_did_not_ask(plain):
    trace = forward(plain.config, plain.weights, IDS)
    assert effects(plain.config, plain.weights, trace, len(IDS), parts=False).of_parts is None
