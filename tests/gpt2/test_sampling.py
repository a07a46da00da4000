"""Choosing tokens and writing on."""

import numpy as np
import pytest

from sheetgpt.checkpoint import checkpoint
from sheetgpt.gpt2 import sampling
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
    written = sampling.complete(model.config, model.weights, expected["ids"], 8, end).ids
    # transformers stops when the last place is taken; one more token can be chosen from there.
    assert written[: len(expected["completion"])] == expected["completion"]
    assert len(written) == min(8, model.config.n_ctx + 1 - len(expected["ids"]))


def test_each_token_follows_from_those_before(counting):
    assert sampling.complete(CONFIG, counting, [0], 4, None).ids == [1, 2, 3, 4]


def test_stops_after_end_of_text(counting):
    assert sampling.complete(CONFIG, counting, [0], 4, 2).ids == [1, 2]


def test_stops_where_the_context_is_full(counting):
    assert sampling.complete(CONFIG, counting, [3, 4, 0, 1], 9, None).ids == [2, 3, 4]
    assert sampling.complete(CONFIG, counting, [3, 4, 0, 1, 2, 3], 9, None).ids == [4]
    assert sampling.complete(CONFIG, counting, [3, 4], 9, None, context=3).ids == [0, 1]


def test_end_of_text_in_the_prompt_does_not_stop_it(counting):
    assert sampling.complete(CONFIG, counting, [0], 2, 0).ids == [1, 2]


def test_refuses_a_prompt_that_does_not_fit(counting, refusal):
    for ids in ([], [0] * 7):
        refusal(lambda ids=ids: sampling.complete(CONFIG, counting, ids, 1, None))


def test_uniform_numbers_are_those_of_the_algorithm():
    numbers = sampling.uniform_numbers(0)
    x, y, z = 171, 172, 170
    assert next(numbers) == (x / 30269 + y / 30307 + z / 30323) % 1
    x, y, z = 171 * x % 30269, 172 * y % 30307, 170 * z % 30323
    assert next(numbers) == (x / 30269 + y / 30307 + z / 30323) % 1


@pytest.mark.parametrize("seed", [0, 1, 30267, 30268, 999_999, 2**31])
def test_uniform_numbers_fill_the_unit_line(seed):
    numbers = sampling.uniform_numbers(seed)
    drawn = np.array([next(numbers) for _ in range(20_000)])
    assert ((drawn >= 0) & (drawn < 1)).all()
    counts = np.histogram(drawn, bins=20, range=(0, 1))[0]
    assert chi_squared(counts, np.full(20, 1000.0)) < 43.8  # 19 degrees of freedom, p = 0.001
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 0.03


def chi_squared(counts, expected):
    return float(((counts - expected) ** 2 / expected).sum())


LOGITS = np.array([1.0, 3.0, 2.0, 3.0, -1.0, 0.5])


def test_temperature_zero_takes_the_first_of_the_likeliest():
    assert sampling.choose(LOGITS, sampling.Controls(), 0.999) == 1


def test_cuts_keep_what_is_equal_to_the_last_one_kept():
    one = sampling.probabilities(LOGITS, sampling.Controls(1.0, top_k=1))
    assert one.tolist() == [0, 0.5, 0, 0.5, 0, 0]
    assert (
        sampling.probabilities(LOGITS, sampling.Controls(1.0, top_p=0.0)).tolist() == one.tolist()
    )


def test_no_limits_cut_nothing():
    weights = np.exp(LOGITS / 2)
    for controls in (
        sampling.Controls(2.0),
        sampling.Controls(2.0, top_k=6),
        sampling.Controls(2.0, top_k=99, top_p=1.0),
    ):
        np.testing.assert_allclose(
            sampling.probabilities(LOGITS, controls), weights / weights.sum(), rtol=1e-14
        )


def test_draws_are_distributed_as_the_probabilities():
    generator = np.random.default_rng(5)
    logits = generator.normal(size=40) * 2
    controls = [sampling.Controls(0.9, top_k=20, top_p=0.95, seed=seed) for seed in range(10_000)]
    drawn = [
        sampling.choose(logits, each, next(sampling.uniform_numbers(each.seed)))
        for each in controls
    ]
    expected = sampling.probabilities(logits, controls[0]) * len(drawn)
    counts = np.bincount(drawn, minlength=40)
    assert not counts[expected == 0].any()
    kept = expected > 5
    limit = kept.sum() + 4 * np.sqrt(2 * kept.sum())  # about four standard deviations
    assert chi_squared(counts[kept], expected[kept]) < limit
