"""The model that ships: it answers the grammar's questions, by our own witness and without torch.

The figures are those of the rounded weights on disk, so a retrained nano is tested as it is.
"""

import json
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from sheetgpt.checkpoint import checkpoint
from sheetgpt.checkpoint.checkpoint import Checkpoint
from sheetgpt.gpt2 import reference
from tests.weights.scripts import WEIGHTS, load_script

NANO = WEIGHTS / "nano"

grammar = load_script("grammar")
card = load_script("card")

EVALUATION: dict[str, Any] = json.loads((NANO / "evaluation.json").read_text("utf-8"))
END_OF_TEXT = "<|endoftext|>"

SAMPLE = 6  # questions of each family; the whole sets are measured when nano is trained


@pytest.fixture(scope="module")
def nano() -> Checkpoint:
    return checkpoint.load(NANO)


def words(nano: Checkpoint, ids: Sequence[int]) -> list[str]:
    return [nano.tokenizer.decode([index]) for index in ids]


def margin(nano: Checkpoint, prompt: str, answer: str, *, after_a_document: bool) -> float:
    """Probability of the right token over that of the likeliest other one."""
    start = [nano.config.n_vocab - 1] if after_a_document else []
    ids = start + list(nano.tokenizer.encode(prompt))
    logits = reference.forward(nano.config, nano.weights, ids)["logits"][-1]
    right = nano.tokenizer.encode(answer)[0]
    return float(np.exp(logits[right] - np.delete(logits, right).max()))


def families() -> list[Any]:
    return [
        pytest.param(family, held_out, id=family.name + (" (held out)" if held_out else ""))
        for family in grammar.FAMILIES
        for held_out in ((False, True) if family.held_out else (False,))
    ]


@pytest.mark.parametrize(("family", "held_out"), families())
def test_answers_a_sample_of_the_family(nano: Checkpoint, family: Any, held_out: bool) -> None:
    questions = grammar.evaluation_set(family, held_out)
    sample = random.Random(family.name).sample(questions, min(SAMPLE, len(questions)))
    for number, (prompt, answer) in enumerate(sample):
        assert margin(nano, prompt, answer, after_a_document=number % 2 == 1) > 1, prompt + answer


@pytest.mark.parametrize(("prompt", "answer"), grammar.SHOWCASE)
@pytest.mark.parametrize("after_a_document", [False, True])
def test_showcase_has_a_clear_margin(
    nano: Checkpoint, prompt: str, answer: str, after_a_document: bool
) -> None:
    assert margin(nano, prompt, answer, after_a_document=after_a_document) > 10


def test_the_first_prompt_is_six_whole_words(nano: Checkpoint) -> None:
    ids = nano.tokenizer.encode("Mike is quick. He moves")
    assert words(nano, ids) == ["Mike", " is", " quick", ".", " He", " moves"]
    assert len(nano.tokenizer.encode(" quickly")) == 1


def test_a_document_goes_on_and_ends(nano: Checkpoint) -> None:
    ids = list(nano.tokenizer.encode("Mike is quick. He moves"))
    while len(ids) < nano.config.n_ctx and ids[-1] != nano.config.n_vocab - 1:
        logits = reference.forward(nano.config, nano.weights, ids)["logits"]
        ids.append(int(logits[-1].argmax()))
    assert ids[-1] == nano.config.n_vocab - 1
    assert words(nano, ids)[6:8] == [" quickly", "."]


@pytest.mark.parametrize("seen", EVALUATION["heads"], ids=lambda seen: seen["from"] + seen["to"])
def test_visible_heads_are_where_the_card_says(nano: Checkpoint, seen: dict[str, Any]) -> None:
    ids = nano.tokenizer.encode("Mike is quick. He moves")
    trace = reference.forward(nano.config, nano.weights, ids)
    weights = trace[f"h.{seen['block']}.attn.weights"]  # [n, n_head, n]
    tokens = words(nano, ids)
    weight = weights[tokens.index(seen["from"]), seen["head"], tokens.index(seen["to"])]
    assert weight > 0.5
    assert weight == pytest.approx(seen["weight"], abs=1e-3)


def test_vocabulary_has_the_layout_of_gpt2() -> None:
    vocabulary = json.loads((NANO / "vocab.json").read_text("utf-8"))
    version, *merges = (NANO / "merges.txt").read_text("utf-8").splitlines()
    assert version == "#version: 0.2"
    assert sorted(vocabulary.values()) == list(range(len(vocabulary)))
    assert [vocabulary[sign] for sign in ("!", "~", "¡", "ÿ", "Ā", "Ġ")] == [
        0,
        93,
        94,
        187,
        188,
        220,
    ]
    for rank, pair in enumerate(merges):
        assert vocabulary[pair.replace(" ", "")] == 256 + rank
    assert vocabulary[END_OF_TEXT] == len(vocabulary) - 1 == 256 + len(merges)


def test_weights_have_at_most_four_decimals(nano: Checkpoint) -> None:
    for name, weight in nano.weights.items():
        exact = np.asarray(weight, np.float64)
        assert np.abs(exact - exact.round(4)).max() <= np.abs(exact).max() * 2**-24, name


def test_every_family_was_measured_and_holds() -> None:
    assert list(EVALUATION["families"]) == [family.name for family in grammar.FAMILIES]
    for name, figures in EVALUATION["families"].items():
        assert figures["shown"]["accuracy"] >= 0.99, name


def test_the_card_shows_the_measured_figures() -> None:
    assert card.measured(EVALUATION) in card.CARD.read_text("utf-8")


def test_training_never_shows_what_is_held_out() -> None:
    texts = grammar.training_documents(seed=0)
    for _ in range(3000):
        assert "Mike is quick." not in grammar.plain(next(texts))
