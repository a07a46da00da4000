"""The model that tells stories: it tells and answers what the card says.

By our own witness and without torch, with the rounded weights on disk, so a retrained model is
tested as it is.
"""

import json
import lzma
import math
import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sheetgpt.checkpoint import checkpoint
from sheetgpt.checkpoint.checkpoint import Checkpoint
from sheetgpt.gpt2 import reference
from tests.weights.scripts import WEIGHTS, load_script

STORIES = WEIGHTS / "stories"
END_OF_TEXT = "<|endoftext|>"

SAMPLE = 6  # questions of each family; the whole sets are measured when the model is trained

grammar = load_script("grammar")
card = load_script("card")

EVALUATION: dict[str, Any] = json.loads((STORIES / "evaluation.json").read_text("utf-8"))
TOLD = EVALUATION["continuations"]


@pytest.fixture(scope="module")
def stories() -> Checkpoint:
    return checkpoint.load(STORIES)


def logits(stories: Checkpoint, ids: Sequence[int]) -> Any:
    return reference.forward(stories.config, stories.weights, list(ids))["logits"]


# ---------------------------------------------------------------------------------- stories


def assert_goes_on(stories: Checkpoint, prompt: str, goes_on: str) -> None:
    """Whether each token of the continuation is the likeliest one after those before it."""
    before = list(stories.tokenizer.encode(prompt))
    end = [stories.config.n_vocab - 1] * goes_on.endswith(END_OF_TEXT)
    told = [*stories.tokenizer.encode(prompt + goes_on.removesuffix(END_OF_TEXT)), *end]
    likeliest = logits(stories, told)[:-1].argmax(axis=1)
    assert told[len(before) :] == likeliest[len(before) - 1 :].tolist()


@pytest.mark.parametrize("beginning", TOLD["temperature 0"])
def test_goes_on_as_the_card_says(stories: Checkpoint, beginning: str) -> None:
    assert_goes_on(stories, beginning, TOLD["temperature 0"][beginning])


def test_another_temperature_tells_other_stories() -> None:
    assert list(TOLD["temperature 0"]) == list(TOLD["temperature 0.8"])
    assert all(
        TOLD["temperature 0"][b] != TOLD["temperature 0.8"][b] for b in TOLD["temperature 0"]
    )


def test_the_beginning_of_a_story_is_whole_words(stories: Checkpoint) -> None:
    ids = stories.tokenizer.encode("Once upon a time, the little dog")
    words = [stories.tokenizer.decode([index]) for index in ids]
    assert words == ["Once", " upon", " a", " time", ",", " the", " little", " dog"]


def test_bits_per_byte_belong_to_the_tokens_and_bytes() -> None:
    read = EVALUATION["stories"]
    assert read["stories"] == 3291
    assert read["bits_per_byte"] == pytest.approx(
        read["nats_per_token"] * read["tokens"] / math.log(2) / read["bytes"], abs=1e-4
    )
    assert read["bits_per_byte"] < 0.87


def kept_out_stories() -> list[str]:
    """The text is not in the repository: name it in the environment to measure again."""
    path = os.environ.get("STORIES")
    if path is None:
        pytest.skip("the text of the stories is not here; STORIES=FILE names it")
    with lzma.open(path, "rt", encoding="utf-8") as file:
        parts = file.read().split(END_OF_TEXT)
    return [story for part in parts if (story := part.strip())][9::10]


def nats_of(stories: Checkpoint, ids: Sequence[int], first: int) -> float:
    """How unexpected the ids from number `first` on are, each after those before it."""
    rows = logits(stories, ids[:-1])[first - 1 :]
    highest = rows.max(axis=1)
    total = highest + np.log(np.exp(rows - highest[:, None]).sum(axis=1))
    return float((total - rows[np.arange(len(rows)), ids[first:]]).sum())


def test_it_expects_what_kept_out_stories_say(stories: Checkpoint) -> None:
    sample = kept_out_stories()[:60]
    sight, end, nats = stories.config.n_ctx, stories.config.n_vocab - 1, 0.0
    for story in sample:
        ids = [end, *stories.tokenizer.encode(story), end]
        seen = 1
        while seen < len(ids):
            stop = min(len(ids), max(sight + 1, seen + sight // 2))
            start = max(0, stop - sight - 1)
            nats += nats_of(stories, ids[start:stop], seen - start)
            seen = stop
    bits_per_byte = nats / math.log(2) / sum(len(story) for story in sample)
    assert bits_per_byte == pytest.approx(EVALUATION["stories"]["bits_per_byte"], abs=0.02)


# --------------------------------------------------------------------------------- questions


def is_right(stories: Checkpoint, prompt: str, answer: str, *, after_a_document: bool) -> bool:
    start = [stories.config.n_vocab - 1] if after_a_document else []
    likeliest = logits(stories, [*start, *stories.tokenizer.encode(prompt)])[-1].argmax()
    return bool(likeliest == stories.tokenizer.encode(answer)[0])


def test_answers_as_large_a_share_of_a_sample_as_the_card_says(stories: Checkpoint) -> None:
    right, expected = [], []
    for family in grammar.FAMILIES:
        questions = grammar.evaluation_set(family)
        sample = random.Random(family.name).sample(questions, SAMPLE)
        right += [
            is_right(stories, prompt, answer, after_a_document=number % 2 == 1)
            for number, (prompt, answer) in enumerate(sample)
        ]
        expected += [EVALUATION["families"][family.name]["shown"]["accuracy"]] * len(sample)
    assert np.mean(right) == pytest.approx(np.mean(expected), abs=0.06)


@pytest.mark.parametrize("prompt", EVALUATION["showcase"])
def test_the_showcase_goes_on_as_the_card_says(stories: Checkpoint, prompt: str) -> None:
    assert_goes_on(stories, prompt, EVALUATION["showcase"][prompt]["goes_on"])


def test_every_family_was_measured() -> None:
    assert list(EVALUATION["families"]) == [family.name for family in grammar.FAMILIES]


# ------------------------------------------------------------------------------------- files


def test_vocabulary_has_the_layout_of_gpt2() -> None:
    vocabulary = json.loads((STORIES / "vocab.json").read_text("utf-8"))
    version, *merges = (STORIES / "merges.txt").read_text("utf-8").splitlines()
    assert version == "#version: 0.2"
    assert sorted(vocabulary.values()) == list(range(2048))
    assert [vocabulary[sign] for sign in ("!", "~", "ÿ", "Ā", "Ġ")] == [0, 93, 187, 188, 220]
    for rank, pair in enumerate(merges):
        assert vocabulary[pair.replace(" ", "")] == 256 + rank
    assert vocabulary[END_OF_TEXT] == 2047


def test_weights_have_at_most_four_decimals(stories: Checkpoint) -> None:
    for name, weight in stories.weights.items():
        exact = np.asarray(weight, np.float64)
        assert np.abs(exact - exact.round(4)).max() <= np.abs(exact).max() * 2**-24, name


def test_the_card_shows_the_measured_figures() -> None:
    assert card.measured(EVALUATION) in card.CARD.read_text("utf-8")


def test_the_card_names_the_data_its_authors_and_its_licence() -> None:
    text = card.CARD.read_text("utf-8")
    for named in ("TinyStories", "Ronen Eldan and Yuanzhi Li 2023", "2305.07759", "CDLA-Sharing"):
        assert named in text


# ---------------------------------------------------------------------- reading, for training


def test_each_tenth_story_is_kept_out_of_training(tmp_path: Path) -> None:
    text = f"\n{END_OF_TEXT}\n".join(f"Story {number}." for number in range(1, 26))
    path = tmp_path / "stories.txt.xz"
    path.write_bytes(lzma.compress(text.encode()))
    load_script("vocabulary")
    tinystories = load_script("tinystories")
    shown, kept_out = tinystories.split(tinystories.read_stories(path))
    assert kept_out == ["Story 10.", "Story 20."]
    assert len(shown) == 23
    assert not set(shown) & set(kept_out)
