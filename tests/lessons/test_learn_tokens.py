"""The lesson `learn tokens`, beside a byte-pair encoder of a few lines, and GPT-2's real one."""

import random
from collections import Counter
from itertools import pairwise

import pytest

from sheetgpt.checkpoint.vocabulary import from_files
from sheetgpt.lessons.learn_tokens import ROOM, ROUNDS
from sheetgpt.lessons.pieces import END, LETTERS
from sheetgpt.lessons.strawberry import SPELLINGS


@pytest.fixture(scope="module")
def opened(lesson):
    return lesson("learn tokens")


def join(parts: list[str], pair: tuple[str, str]) -> list[str]:
    joined: list[str] = []
    while parts:
        if tuple(parts[:2]) == pair:
            joined, parts = [*joined, parts[0] + parts[1]], parts[2:]
        else:
            joined, parts = [*joined, parts[0]], parts[1:]
    return joined


def learned(corpus: list[tuple[str, int]]) -> tuple[list, list, list, list]:
    """Pairs, their counts, the words and the number of tokens, as in Sennrich's algorithm 1."""
    words = [[*word, END] if word else [] for word, _ in corpus]
    pairs, counts, states, sizes = [], [], [words], []
    for _ in range(ROUNDS):
        seen: Counter[tuple[str, str]] = Counter()
        for parts, (_, times) in zip(words, corpus, strict=True):
            for pair in pairwise(parts):
                seen[pair] += times
        best = max(seen, key=seen.__getitem__, default=None)  # the first of equals, as in a dict
        if best is not None and seen[best]:
            words = [join(parts, best) for parts in words]
            pairs.append(best)
            counts.append(seen[best])
        else:
            pairs.append(None)
            counts.append("")
        states.append(words)
    for state in states:
        sizes.append(sum(len(parts) * n for parts, (_, n) in zip(state, corpus, strict=True)))
    return pairs, counts, states, sizes


def expect(opened, corpus: list[tuple[str, int]], own: str) -> None:
    rows = [*corpus, *[("", "")] * (ROOM - len(corpus))]
    inputs = {
        "tokens.words": [[word] for word, _ in rows],
        "tokens.times": [[times] for _, times in rows],
        "tokens.own": own,
    }
    values = opened.typed(inputs)
    pairs, counts, states, sizes = learned(corpus)
    cut = [*own, END] if own else []
    known = len({letter for word in states[0] for letter in word})
    sizes_shown, known_shown = values["tokens.text"][0], values["tokens.vocabulary"][0]
    for number in range(ROUNDS + 1):
        if number:
            pair = pairs[number - 1]
            assert values[f"tokens.{number}.pair"] == (" + ".join(pair) if pair else "")
            assert values[f"tokens.{number}.times"] == counts[number - 1]
            assert values[f"tokens.{number}.new"] == ("".join(pair) if pair else "")
            cut = join(cut, pair) if pair else cut
            known += pair is not None
        shown = [text for (text,) in values[f"tokens.{number}"]]
        wanted = ["".join(f" {part} " for part in parts) for parts in states[number]]
        assert shown == wanted + [""] * (ROOM - len(corpus))
        assert values[f"tokens.own.{number}"] == "".join(f" {part} " for part in cut)
        assert (sizes_shown[number], known_shown[number]) == (sizes[number], known)


def test_the_example_of_the_paper(opened):
    expect(opened, [("low", 5), ("lower", 2), ("newest", 6), ("widest", 3)], "lowest")
    values = opened.typed()
    shown = [values[f"tokens.{number}.pair"] for number in range(1, ROUNDS + 1)]
    assert shown == [
        "e + s", "es + t", f"est + {END}", "l + o", "lo + w", "n + e", "ne + w",
        f"new + est{END}", f"low + {END}", "w + i",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 20))]
)
def test_ten_random_texts(opened, seed):
    """Few letters and small counts, so that there are many ties; capitals are other letters."""
    draw = random.Random(seed)
    for number in range(10):
        letters = ("ab", "aA", "abc", "abcdefgh")[number % 4]
        longest, most = draw.choice(((4, 5), (7, 4), (LETTERS, 2)))
        corpus = [
            ("".join(draw.choices(letters, k=draw.randint(1, longest))), draw.randint(0, 4))
            for _ in range(draw.randint(0, most))
        ]
        expect(opened, corpus, "".join(draw.choices(letters, k=draw.randint(0, longest))))


def test_what_is_no_word_or_no_number(opened):
    """Spaces do not count, neither does a text where a number should stand."""
    inputs = {
        "tokens.words": [[" l ow"], ["low"], ["abcdefghijklmnop"], *[[""]] * 9],
        "tokens.times": [[2], ["many"], [-3], *[[""]] * 9],
    }
    values = opened.typed(inputs)
    assert values["tokens.0"][0] == values["tokens.0"][1] == [f" l  o  w  {END} "]
    assert values["tokens.0"][2][0].count("  ") == LETTERS  # twelve letters and the end
    assert values["tokens.1.pair"] == "l + o" and values["tokens.1.times"] == 2


def test_strawberry_as_gpt2_cuts_it(opened, real_tokenizer):
    tokenizer = from_files(real_tokenizer / "encoder.json", real_tokenizer / "vocab.bpe")
    values = opened.typed()
    for index, spelling in enumerate(SPELLINGS):
        ids = tokenizer.encode(spelling.replace("␣", " "))
        assert values[f"strawberry.{index}.ids"] == " ".join(map(str, ids))
        assert values[f"strawberry.{index}.count"] == len(ids)
        assert values[f"strawberry.{index}.r"] == spelling.count("r")
