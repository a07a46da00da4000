"""The lesson `from scores to a word`, beside the sampler of a model."""

import numpy as np
import pytest

from sheetgpt.gpt2.sampling import Controls, choose, probabilities, uniform_numbers
from sheetgpt.lessons.choosing import DRAWS, STRIDE, WORDS

NEAR = 1e-9
LOGITS = np.array([logit for _, logit in WORDS])


@pytest.fixture(scope="module")
def opened(lesson):
    return lesson("from scores to a word")


def cases():
    draw = np.random.default_rng(3)
    yield LOGITS, Controls(1.0, 0, 1.0, 1)
    yield LOGITS, Controls(0.0, 0, 1.0, 1)
    yield LOGITS, Controls(1.0, 3, 0.0, 5)
    yield np.array([2.0, 2, 2, 1, 1, 1, 0, 0, 0, 0]), Controls(1.0, 2, 0.9, 8)
    yield np.array([1.0, 5, 5, 1, 1, 1, 0, 0, 0, 0]), Controls(0.0, 0, 1.0, 8)
    for _ in range(20):
        logits = draw.normal(scale=2, size=10).round(draw.integers(0, 3))
        temperature = float(draw.choice([0.3, 1.0, 2.0]))
        top_p = float(draw.choice([0.35, 0.8, 1.0]))
        yield (
            logits,
            Controls(temperature, int(draw.integers(0, 12)), top_p, int(draw.integers(0, 1e5))),
        )


@pytest.mark.parametrize(("logits", "controls"), list(cases()))
def test_as_the_sampler_draws(opened, logits, controls):
    values = opened.typed(
        {
            "choose.logit": [[float(each)] for each in logits],
            "choose.temperature": controls.temperature, "choose.top_k": controls.top_k,
            "choose.top_p": controls.top_p, "choose.seed": controls.seed,
        }
    )  # fmt: skip
    wanted = probabilities(logits, controls)
    assert np.abs(values.array("choose.probability")[:, 0] - wanted).max() <= NEAR
    softmax = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    assert np.abs(values.array("choose.softmax")[:, 0] - softmax).max() <= NEAR
    uniform = next(uniform_numbers(controls.seed))
    assert abs(values["choose.uniform"] - uniform) <= NEAR
    assert values["choose.taken"] == WORDS[choose(logits, controls, uniform)][0]
    times = [0] * len(WORDS)
    for draw in range(DRAWS):
        number = next(uniform_numbers(controls.seed + STRIDE * draw))
        word = choose(logits, controls, number)
        times[word] += 1
        assert abs(values["hundred.uniform"][draw][0] - number) <= NEAR
        assert values["hundred.place"][draw][0] == word + 1
    assert [count for (count,) in values["hundred.times"]] == times
