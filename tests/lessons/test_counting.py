"""The lesson `before transformers`: counts beside Python's Counter, and what nano says."""

from collections import Counter

import numpy as np
import pytest

from sheetgpt.checkpoint import checkpoint
from sheetgpt.gpt2.reference import forward
from sheetgpt.lessons.counting import ALONE, PROMPT, RANKS, SENTENCES, with_blocks, without_blocks


@pytest.fixture(scope="module")
def opened(lesson):
    return lesson("before transformers")


def followers(before: str, last: str) -> tuple[Counter, Counter]:
    one, two = Counter(), Counter()
    for sentence in SENTENCES:
        words = sentence.lower().replace(".", "").split()
        for place, word in enumerate(words):
            if place >= 1 and words[place - 1] == last.lower():
                one[word] += 1
                if place >= 2 and words[place - 2] == before.lower():
                    two[word] += 1
    return one, two


@pytest.mark.parametrize(
    ("before", "last"),
    [
        ("He", "moves"),
        ("she", "moves"),
        ("chases", "the"),
        ("", "the"),
        ("x", "is"),
        ("is", "x"),
        ("", ""),
    ],
)
def test_what_follows(opened, before, last):
    values = opened.typed({"count.before": before, "count.last": last})
    for name, counts in zip(("bigram", "trigram"), followers(before, last), strict=True):
        best = counts.most_common(RANKS)  # the first of equals first, as in reading order
        words = [word.lower() for (word,) in values[f"count.{name}.word"]]
        assert words == [word for word, _ in best] + [""] * (RANKS - len(best))
        for (share,), (_, count) in zip(values[f"count.{name}.share"], best, strict=False):
            assert abs(share - count / counts.total()) < 1e-12
        assert bool(values[f"count.{name}.never"]) == (not counts)


def test_what_nano_says(nano):
    model = checkpoint.load(nano)
    logits = forward(model.config, model.weights, model.tokenizer.encode(PROMPT))["logits"][-1]
    said = with_blocks(model)
    assert said.tokens[0] == " quickly" == model.tokenizer.decode([int(logits.argmax())])
    assert said.probabilities[0] > 0.999


def test_without_blocks_a_token_suggests_itself(nano):
    """The same as a model of no blocks and no positions computes."""
    model = checkpoint.load(nano)
    weights = {name: np.asarray(w, dtype=np.float64) for name, w in model.weights.items()}
    for token in ALONE:
        (number,) = model.tokenizer.encode(token)
        x = weights["wte"][number]
        x = (x - x.mean()) / np.sqrt(x.var() + model.config.layer_norm_epsilon)
        logits = weights["wte"] @ (x * weights["ln_f.g"] + weights["ln_f.b"])
        shares = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
        said = without_blocks(model, token)
        assert said.tokens[0] == token
        assert np.allclose(said.probabilities, np.sort(shares)[::-1][:RANKS])
