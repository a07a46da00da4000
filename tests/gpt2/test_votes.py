"""A logit is the sum of what every part of the model has to say for it, and of nothing else."""

import json
from random import Random

import numpy as np
import pytest

from sheetgpt.checkpoint import checkpoint
from sheetgpt.gpt2.reference import Switches, forward
from sheetgpt.gpt2.votes import direction, of_tokens, votes


def random_switches(config, seed):
    random = np.random.default_rng(seed)
    choices = [0.0, 1.0, 0.5, -1.0, 2.0]
    heads = random.choice(choices, (config.n_layer, config.n_head))
    return Switches(heads, random.choice(choices, config.n_layer))


@pytest.mark.parametrize("seed", range(4))
def test_votes_add_up_to_every_logit(recorded, seed):
    """Of every token of a random prompt, for every form of the model, with switches turned."""
    model, random = checkpoint.load(recorded), Random(seed)
    config, weights = model.config, model.weights
    ids = random.choices(range(config.n_vocab), k=min(8, config.n_ctx))
    switches = random_switches(config, seed) if seed else Switches.on(config)
    trace = forward(config, weights, ids, switches)
    largest = np.abs(trace["logits"]).max()
    for row in range(len(ids)):
        token, other = random.sample(range(config.n_vocab), 2)
        along = direction(config, weights, trace, row, {token: 1.0, other: -1.0})
        its = votes(config, weights, trace, row, along)
        total = its.heads.sum() + its.mlps.sum() + its.biases.sum() + its.embeddings.sum()
        logits = trace["logits"][row]
        wanted = logits[token] - logits[other]
        assert abs(total + its.constant - wanted) <= 1e-9 * max(1.0, largest)
        for b, head in np.ndindex(its.heads.shape):
            switch = switches.heads[b, head]
            weight, value = of_tokens(config, weights, trace, row, along, (b, head), switch)
            assert weight @ value == pytest.approx(its.heads[b, head], abs=1e-9)


def test_one_token_alone_has_its_own_logit(recorded):
    model = checkpoint.load(recorded)
    ids = json.loads((recorded / "expected.json").read_text())["ids"]
    trace = forward(model.config, model.weights, ids)
    for token in (0, model.config.n_vocab - 1):
        along = direction(model.config, model.weights, trace, len(ids) - 1, {token: 1.0})
        its = votes(model.config, model.weights, trace, len(ids) - 1, along)
        parts = (its.heads, its.mlps, its.biases, its.embeddings)
        total = sum(part.sum() for part in parts) + its.constant
        assert total == pytest.approx(trace["logits"][-1, token], abs=1e-9, rel=1e-9)
