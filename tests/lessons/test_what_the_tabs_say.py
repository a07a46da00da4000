"""The numbers that the tabs themselves name in what to try, in English."""

import re

import pytest

from sheetgpt.lessons.words import load_words

WORDS = load_words("en")


def numbers(key: str, pattern: str) -> list[float]:
    """The numbers that a line to try names."""
    found = re.search(pattern.replace("N", r"(−?[\d.]*\d)"), WORDS.label(key))
    assert found, WORDS.label(key)
    return [float(number.replace("−", "-")) for number in found.groups()]


def test_learn_tokens(lesson):
    values = lesson("learn tokens").typed()
    pairs = [pair for row in values["tokens.1.pairs"] for pair in row]
    counts = [count for row in values["tokens.1.counts"] for count in row]
    (times,) = numbers("learn tokens.try tie", r"s \+ t and t \+ · stand there N times")
    for pair in (" e  s ", " s  t ", " t  · "):
        assert counts[pairs.index(pair)] == times == max(filter(None, counts))
    assert values["tokens.1.pair"] == "e + s"


def test_words_as_numbers(lesson):
    opened = lesson("words as numbers")
    values = opened.typed()
    words = [word for (word,) in values["company.vocabulary"]]
    apples, pears, eat = (words.index(word) for word in ("apples", "pears", "eat"))
    assert values["company.counts"][apples][eat] == 2
    said = numbers("words as numbers.try pencil", r"√10 = N and √6 = N\. .* = N\.$")
    lengths = values["company.lengths"]
    shown = [lengths[apples][0], lengths[pears][0], values["company.cosines"][apples][pears]]
    assert shown == pytest.approx(said, abs=5e-4)
    assert opened.typed({"company.asked": "cars"})["company.nearest"][0][0] == "trucks"


def test_a_neuron_a_layer(lesson):
    opened = lesson("a neuron, a layer")
    before, after = numbers("a neuron, a layer.try rain", r"the sum falls from N to N, and")
    assert opened.typed()["neuron.sum"] == pytest.approx(before)
    values = opened.typed({"neuron.x": [[1], [0], [1]]})
    assert values["neuron.sum"] == pytest.approx(after) and values["neuron.relu"] == 0
    strength, before, after = numbers(
        "a neuron, a layer.try fit", r"neurons to N: the error falls from N to N\."
    )
    assert opened.typed()["fit.error"] == pytest.approx(before, abs=5e-4)
    values = opened.typed({"fit.six": [[1, 0, strength], [-1, 0, strength]]})
    assert values["fit.error"] == pytest.approx(after, abs=5e-4)
    values = opened.typed({"fit.six": [[1, -0.1, strength], [-1, -0.1, strength]]})
    assert values["fit.good"] == "Well done: below 0.01."
    errors = numbers("a neuron, a layer.try solved", r"by N at .*: by N; .*: by N\.")
    for n, error in zip((2, 8, 32), errors, strict=True):
        assert opened.typed()[f"solved.{n}.error"] == pytest.approx(error, rel=5e-3)


def test_learning(lesson):
    opened = lesson("learning")
    values = opened.typed()
    start, rate, slope, first = numbers("learning.try walk", r"step: N − N × N = N\.")
    assert [values["hiker.start"], values["hiker.rate"]] == [start, rate]
    assert values["hiker.slope"][0][0] == pytest.approx(slope, abs=5e-4)
    assert values["hiker.w"][1][0] == pytest.approx(first, abs=5e-4)
    other = opened.typed({"hiker.start": -1.6})
    assert other["hiker.error"][-1][0] < values["hiker.error"][-1][0]  # a deeper valley
    last = values["net.error"][-1][0]
    faster = numbers("learning.try too fast", r"at N and N it learns")
    for rate in faster:
        assert opened.typed({"net.rate": rate})["net.error"][-1][0] < last
    for rate in (1, 2):
        values = opened.typed({"net.rate": rate})
        assert values["net.sentence"].startswith("The error has grown")
    assert max(error for (error,) in values["net.error"]) > 1e6


def test_attention_by_hand(lesson):
    opened = lesson("attention by hand")
    (percent,) = numbers("attention by hand.try he", r"= N %\.$")
    assert round(100 * opened.typed()["hand.weights"][2][0]) == percent
    (alike,) = numbers("attention by hand.try score", r"\(N %\)")
    asks = {four: opened.typed({"hand.w_q": [[0, 0], [four, 0]]}) for four in (0, 10)}
    assert [round(100 * weight) for weight in asks[0]["hand.weights"][2]] == [alike] * 3
    assert asks[10]["hand.weights"][2][0] > 0.99


def test_from_scores_to_a_word(lesson):
    opened = lesson("from scores to a word")
    values = opened.typed({"choose.top_k": 3})
    assert sum(share > 0 for (share,) in values["choose.probability"]) == 3
    values = opened.typed({"choose.top_p": 0.8})
    kept = [share for (share,) in values["choose.softmax"]][:4]
    assert sum(share > 0 for (share,) in values["choose.probability"]) == 4
    assert sum(kept[:3]) < 0.8 < sum(kept)
    scores = [[score + 5] for (score,) in opened.typed()["choose.logit"]]
    more = opened.typed({"choose.logit": scores})
    assert more.array("choose.probability") == pytest.approx(
        opened.typed().array("choose.probability"), abs=1e-12
    )
    said = re.findall(r"\d+", WORDS.label("from scores to a word.try seed"))
    drawn = [opened.typed({"choose.seed": int(seed)})["choose.taken"] for seed in said]
    assert len(set(drawn)) == len(drawn) == 4


def test_before_transformers(lesson):
    values = lesson("before transformers").typed({"count.last": "the"})
    shown = [word for (word,) in values["count.bigram.word"]]
    assert shown == ["dog", "cat", "mouse", "moon", ""]
    shares = [share for (share,) in values["count.bigram.share"]][:4]
    assert shares == pytest.approx([2 / 6, 2 / 6, 1 / 6, 1 / 6])
