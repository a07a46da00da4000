"""Greedy completion."""

import numpy as np
import pytest

from sheetgpt.gpt2 import checkpoint, sampling
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.weights import shapes

CONFIG = Config(5, 6, 4, 1, 1, 4, 1e-5, "relu", False)


@pytest.fixture
def counting():
    """A model that always writes the next number: 0 1 2 3 4 0 …; only its embeddings speak."""
    weights = {name: np.zeros(shape) for name, shape in shapes(CONFIG).items()}
    weights["ln_f.g"] += 1
    generator = np.random.default_rng(0)
    weights["wte"] = generator.normal(size=(5, 4))
    weights["wte"] -= weights["wte"].mean(axis=1, keepdims=True)
    weights["wte"] /= np.linalg.norm(weights["wte"], axis=1, keepdims=True)
    weights["lm_head.w"] = np.roll(weights["wte"], 1, axis=0)
    return weights


def test_writes_what_transformers_writes(recorded, expected):
    model = checkpoint.load(recorded)
    end = model.tokenizer.end_of_text
    written = sampling.complete(model.config, model.weights, expected["ids"], 8, end)
    assert written == expected["completion"]


def test_each_token_follows_from_those_before(counting):
    assert sampling.complete(CONFIG, counting, [0], 4, None) == [1, 2, 3, 4]


def test_stops_after_end_of_text(counting):
    assert sampling.complete(CONFIG, counting, [0], 4, 2) == [1, 2]


def test_stops_where_the_context_is_full(counting):
    assert sampling.complete(CONFIG, counting, [3, 4, 0, 1], 9, None) == [2, 3]
    assert sampling.complete(CONFIG, counting, [3, 4, 0, 1, 2, 3], 9, None) == []


def test_end_of_text_in_the_prompt_does_not_stop_it(counting):
    assert sampling.complete(CONFIG, counting, [0], 2, 0) == [1, 2]


def test_refuses_a_prompt_that_does_not_fit(counting, refusal):
    for ids in ([], [0] * 7):
        refusal(lambda ids=ids: sampling.complete(CONFIG, counting, ids, 1, None))
