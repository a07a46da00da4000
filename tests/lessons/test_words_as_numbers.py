"""The lesson `words as numbers`, beside NumPy."""

import random

import numpy as np
import pytest

from sheetgpt.lessons.words_as_numbers import PLACES, ROUNDS, SENTENCES, SIZE

NEAR = 1e-9


@pytest.fixture(scope="module")
def opened(lesson):
    return lesson("words as numbers")


def counted(sentences: list[str], window: int) -> tuple[list[str], np.ndarray]:
    """The different words and how often each stands near each."""
    texts = [sentence.lower().replace(".", " ").split()[:PLACES] for sentence in sentences]
    words = list(dict.fromkeys(word for text in texts for word in text))[:SIZE]
    counts = np.zeros((SIZE, SIZE))
    for text in texts:
        for i, a in enumerate(text):
            for j, b in enumerate(text):
                if 0 < abs(i - j) <= window and a in words and b in words:
                    counts[words.index(a), words.index(b)] += 1
    return words, counts


def cosines_of(counts: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(counts, axis=1)
    return counts @ counts.T / np.maximum(np.outer(lengths, lengths), 1e-300)


def texts() -> list[tuple[list[str], int]]:
    draw = random.Random(7)
    found: list[tuple[list[str], int]] = [(list(SENTENCES), 2)]
    for _ in range(8):
        words = ["the", "a", "cat", "dog", "sees", "Old", "old", "house", "tree", "moon", "."]
        words += ["sun", "hears", "runs", "sleeps", "by", "over", "under"]
        lines = [" ".join(draw.choices(words, k=draw.randint(0, 10))) for _ in SENTENCES]
        found.append((lines, draw.randint(0, 4)))
    return found


@pytest.mark.parametrize(("sentences", "window"), texts())
def test_counts_cosines_and_directions(opened, sentences, window):
    inputs = {"company.text": [[each] for each in sentences], "company.window": window}
    values = opened.typed(inputs)
    words, counts = counted(sentences, window)
    shown = [word.lower() for (word,) in values["company.vocabulary"]]
    assert shown == words + [""] * (SIZE - len(words))
    assert np.array_equal(values.array("company.counts"), counts)
    cosines = cosines_of(counts)
    assert np.abs(values.array("company.cosines") - cosines).max() <= NEAR
    directions = []
    for number in (1, 2):
        x = np.ones(SIZE) if number == 1 else np.arange(1, SIZE + 1) * (-1.0) ** np.arange(SIZE)
        turns, lengths = (values.array(f"squeeze.{number}{part}") for part in ("", ".length"))
        for turn in range(ROUNDS):
            x = cosines @ x - sum(size * (x @ first) * first for first, size in directions)
            length = np.linalg.norm(x)
            x = x / (length or 1)
            assert np.abs(turns[turn] - x).max() <= NEAR
            assert abs(lengths[turn, 0] - length) <= NEAR
        directions.append((x, length))


def test_the_directions_are_those_of_numpy(opened):
    """After all turns; the second direction is still on its way in the fifth digit."""
    values = opened.typed()
    sizes, vectors = np.linalg.eigh(cosines_of(counted(list(SENTENCES), 2)[1]))
    for number, near in ((1, 1e-9), (2, 1e-3)):
        found = values.array(f"squeeze.{number}")[-1]
        wanted = vectors[:, -number]
        assert np.abs(found * np.sign(found @ wanted) - wanted).max() <= near
        assert abs(values.array(f"squeeze.{number}.length")[-1, 0] - sizes[-number]) <= near


@pytest.mark.parametrize("asked", ["apples", "cars", "TRUCKS", "nothing", ""])
def test_nearest_words(opened, asked):
    values = opened.typed({"company.asked": asked})
    words, counts = counted(list(SENTENCES), 2)
    near = {}
    if asked.lower() in words:
        me = words.index(asked.lower())
        cosines = cosines_of(counts)
        near = {word: cosines[me, i] for i, word in enumerate(words) if i != me}
    best = sorted(near, key=near.__getitem__, reverse=True)[:5]
    assert values["company.nearest"] == [best + [""] * (5 - len(best))]
    for like, word in zip(values["company.likeness"][0], best, strict=False):
        assert abs(like - near[word]) <= NEAR


def test_a_word_that_the_sheet_has_never_seen(opened):
    """Plums are eaten and ripe: fruit."""
    inputs = {"company.free": "we eat ripe plums", "company.asked": "plums"}
    assert opened.typed(inputs)["company.nearest"][0][0] == "apples"


def test_kings_and_queens(opened):
    values = opened.typed()
    assert values["people.sum"] == [[9, 10]]
    assert "“queen”" in values["people.answer"]
    values = opened.typed({"people.asked.1": "prince"})
    assert values["people.sum"] == [[6, 10]]
    assert "“princess”" in values["people.answer"]
    unknown = opened.typed({"people.asked.1": "emperor"})
    assert unknown["people.answer"] == "A word in the yellow cells is not in the list."


def test_angles(opened):
    values = opened.typed()
    vectors = np.array([[10, 10], [50, 50], [5, 20]])
    for number, (a, b) in enumerate(((0, 1), (0, 2), (1, 2)), start=1):
        distance = np.linalg.norm(vectors[a] - vectors[b])
        assert abs(values[f"angle.distance.{number}"] - distance) <= NEAR
        cosine = cosines_of(vectors)[a, b]
        assert abs(values[f"angle.cosine.{number}"] - cosine) <= NEAR
