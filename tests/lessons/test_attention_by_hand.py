"""The lesson `attention by hand`, beside NumPy."""

import numpy as np
import pytest

from sheetgpt.lessons.attention import ORDER, TABLES, WORDS

NEAR = 1e-9
MEANING = np.array([each[1:] for each in WORDS])


@pytest.fixture(scope="module")
def opened(lesson):
    return lesson("attention by hand")


def attention(x, tables, mask):
    q, k, v = (x @ np.array(tables[key]) for key in ("w_q", "w_k", "w_v"))
    scores = q @ k.T / np.sqrt(2)
    powers = np.exp(scores) * (np.tril(np.ones((3, 3))) if mask else 1)
    weights = powers / powers.sum(axis=1, keepdims=True)
    return scores, weights, weights @ v


@pytest.mark.parametrize("seed", range(12))
def test_any_numbers(opened, seed):
    draw = np.random.default_rng(seed)
    mask, positions = seed % 2, seed // 2 % 2
    meaning, places = (draw.normal(size=(3, 2)).round(2) for _ in range(2))
    tables = {key: draw.normal(size=(2, 2)).round(2).tolist() for key in TABLES}
    order = draw.permutation(3)
    values = opened.typed(
        {
            "hand.mask": mask, "hand.positions": positions, "hand.meaning": meaning.tolist(),
            "hand.place": places.tolist(), "order.is": [[int(i) + 1] for i in order],
            **{f"hand.{key}": rows for key, rows in tables.items()},
        }
    )  # fmt: skip
    added = positions * places
    before = attention(meaning + added, tables, mask)
    for name, wanted in zip(("scores", "weights", "output"), before, strict=True):
        assert np.abs(values.array(f"hand.{name}") - wanted).max() <= NEAR
    _, weights, output = attention(meaning[order] + added, tables, mask)
    assert np.abs(values.array("order.weights") - weights).max() <= NEAR
    assert np.abs(values.array("order.output") - output).max() <= NEAR
    same = np.abs(output - before[2][order]).max(axis=1) < 1e-9
    verdicts = [word for (word,) in values["order.verdict"]]
    assert verdicts == ["the same" if each else "something else" for each in same]


def test_he_looks_for_mike(opened):
    values = opened.typed()
    assert values["hand.sentence"] == "“He” gives 89.4 % of its attention to “Mike”."
    _, weights, _ = attention(MEANING, TABLES, mask=True)
    assert abs(values["hand.weights"][2][0] - weights[2, 0]) <= NEAR


def test_order_means_nothing_until_positions_are_added(opened):
    def verdicts(**inputs):
        typed = {f"hand.{key}": value for key, value in inputs.items()}
        return [word for (word,) in opened.typed(typed)["order.verdict"]]

    assert [ORDER[2], verdicts()[2]] == [3, "the same"]
    assert verdicts(mask=0) == ["the same"] * 3
    assert verdicts(mask=0, positions=1) == ["something else"] * 3
