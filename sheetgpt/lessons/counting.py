"""The lesson `before transformers`: what comes next by counting, and what a model says instead.

Sources: Markov 1913 (counting which letter follows which); Shannon 1948, "A Mathematical Theory of
Communication" (words). What nano says is computed by the witness when the workbook is made.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sheetgpt.checkpoint.checkpoint import Checkpoint
from sheetgpt.formula.expr import Expr, Range, call, when
from sheetgpt.gpt2.reference import forward
from sheetgpt.lessons.lesson import Lesson, at
from sheetgpt.lessons.text import LINE, SentenceWords, vocabulary_of, words_of

SENTENCES = (
    "Mike is quick. He moves quickly.", "Tom is slow. He moves slowly.",
    "Paul is calm. He moves calmly.", "Sara is quiet. She speaks quietly.",
    "Anna is loud. She speaks loudly.", "Mary is slow. She moves slowly.",
    "The dog chases the cat.", "The cat chases the mouse.", "The dog sees the moon.", "", "", "",
)  # fmt: skip
PROMPT = "Mike is quick. He moves"
PLACES, SIZE, RANKS = 8, 40, 5
FIRST = 3
ALONE = (" moves", " speaks", "Mike", " Monday")  # tokens that nano is given without its blocks


@dataclass(frozen=True)
class Says:
    """Tokens as a person reads them, the likeliest first, and their probabilities."""

    tokens: Sequence[str]
    probabilities: Sequence[float]


def with_blocks(model: Checkpoint) -> Says:
    """What comes after the prompt, by the whole model."""
    trace = forward(model.config, model.weights, model.tokenizer.encode(PROMPT))
    return _likeliest(model, trace["logits"][-1])


def without_blocks(model: Checkpoint, token: str) -> Says:
    """What comes after a token if its embedding goes straight to the final layer norm."""
    weights, (number,) = model.weights, model.tokenizer.encode(token)
    x = np.asarray(weights["wte"][number], dtype=np.float64)
    x = (x - x.mean()) / np.sqrt(x.var() + model.config.layer_norm_epsilon)
    return _likeliest(model, (x * weights["ln_f.g"] + weights["ln_f.b"]) @ weights["wte"].T)


def _likeliest(model: Checkpoint, logits: np.ndarray) -> Says:
    powers = np.exp(logits - logits.max())
    best = np.argsort(-logits, kind="stable")[:RANKS]
    shares = (powers / powers.sum())[best]
    return Says([model.tokenizer.decode([int(i)]) for i in best], [float(s) for s in shares])


def counting(page: Lesson, model: Checkpoint) -> None:
    page.widths |= {2: 34, FIRST + PLACES + 7: 14} | dict.fromkeys(range(FIRST, FIRST + PLACES), 10)
    page.section("count")
    page.tries("try the", "try moves", "try own")
    last = page.input("count.last", page.row, 2, "moves", "word")
    page.write(page.row, FIRST, page.label("last"), "note")
    before = page.input("count.before", page.row + 1, 2, "He", "word")
    page.write(page.row + 1, FIRST, page.label("before"), "note")
    found_top = page.row + 3
    page.row = found_top + RANKS + 4
    page.write(page.row - 1, FIRST, page.label("words"), "heading")
    page.headings(page.row, 2, "text", look="heading")
    top = page.row + 1
    sentences = page.inputs("count.text", top, 2, [[each] for each in SENTENCES], "word", LINE)
    words = words_of(page, "count", sentences, FIRST, PLACES)
    beside = FIRST + PLACES + 6
    first = page.area(top, beside, len(SENTENCES), PLACES)
    page.write(top - 2, beside, page.label("workings"), "heading")
    listed_top = top + len(SENTENCES) + 3
    text = vocabulary_of(page, "count", words, first, page.area(listed_top, beside + 1, SIZE))
    _found(page, text, before, last, found_top, listed_top, beside + 2)
    page.row = top + len(SENTENCES) + 2
    _compared(page, model)


def _found(
    page: Lesson, text: SentenceWords, before: Range, last: Range, top: int, listed: int, left: int
) -> None:
    """What follows a word, and what follows two; the most frequent first."""
    ids = [call("IFERROR", call("INDEX", text.ids, call("MATCH", word, text.vocabulary, 0)), -1)
           for word in (before, last)]  # fmt: skip
    asked = [
        page.show(f"count.id.{n}", listed - 2, left + n, tree, "integer")
        for n, tree in enumerate(ids)
    ]
    page.headings(listed - 1, left - 2, "first at", "word")
    page.write(listed - 2, left - 1, page.label("both"), "heading right")
    whole = text.first.area
    places = whole.shape[1]

    def stands(word: Expr, shift: int, width: int) -> Expr:
        """1 wherever a word stands, for all places of which `shift` more lie in the sentence."""
        return when(Range(whole.columns(shift, shift + width)).equals(word), 1, 0)

    def in_a_row(*words: Expr) -> Expr:
        """How often words stand one behind the other."""
        width = places - len(words) + 1
        product = stands(words[0], 0, width)
        for shift, word in enumerate(words[1:], start=1):
            product = product * stands(word, shift, width)
        return call("SUM", product)

    for number, (name, known) in enumerate({"bigram": asked[1:], "trigram": asked}.items()):
        page.headings(listed - 1, left + number, name)
        counts = page.define(f"count.{name}", page.area(listed, left + number, SIZE))
        for row in range(SIZE):
            here = at(text.ids, row)
            count = when(here.equals(""), 0, in_a_row(*known, here))
            page.compute(counts.area.row(row), count, "integer")
        _ranked(page, name, counts, text, top, FIRST - 1 + 4 * number)


def _ranked(
    page: Lesson, name: str, counts: Range, text: SentenceWords, top: int, column: int
) -> None:
    page.write(top, column, page.label(f"{name} title"), "heading")
    column_of_scores = counts.area.right + 2
    page.headings(counts.area.top - 1, column_of_scores, "ranking")
    scores = page.define(  # the counts once more, the first of equals ahead
        f"count.{name}.score", page.area(counts.area.top, column_of_scores, SIZE)
    )
    for row in range(SIZE):
        page.compute(scores.area.row(row), at(counts, row) - row / 1e6, "formula")
    words = page.define(f"count.{name}.word", page.area(top + 1, column, RANKS))
    shares = page.define(f"count.{name}.share", page.area(top + 1, column + 1, RANKS))
    for rank in range(RANKS):
        size = call("LARGE", scores, rank + 1)
        is_none, place = size < 0.5, call("MATCH", size, scores, 0)
        word = call("INDEX", text.vocabulary, place)
        page.compute(words.area.row(rank), when(is_none, "", word), "token")
        share = call("INDEX", counts, place) / call("SUM", counts)
        page.compute(shares.area.row(rank), when(is_none, "", share), "share")
    nothing = when(at(words, 0).equals(""), page.label("never"), "")
    page.show(f"count.{name}.never", top + 1 + RANKS, column, nothing, "message")


def _compared(page: Lesson, model: Checkpoint) -> None:
    """What the whole model says, and what it would say without its blocks."""
    page.section("model")
    page.tries("try model")
    said = with_blocks(model)
    page.write(page.row, 2, PROMPT, "live")
    page.write(page.row, FIRST, page.label("source"), "note")
    for row, (token, share) in enumerate(zip(said.tokens, said.probabilities, strict=True)):
        page.write(page.row + 1 + row, 2, token, "token")
        page.write(page.row + 1 + row, FIRST, share, "probability")
    page.row += RANKS + 3
    page.section("no blocks")
    page.tries("try no blocks")
    page.write(page.row, 2, page.label("alone"), "heading")
    for rank in range(RANKS):
        page.write(page.row, FIRST + 2 * rank, page.label("rank", number=rank + 1), "heading")
    for token in ALONE:
        page.row += 1
        said = without_blocks(model, token)
        page.write(page.row, 2, token, "live")
        for rank, (next_token, share) in enumerate(
            zip(said.tokens, said.probabilities, strict=True)
        ):
            page.write(page.row, FIRST + 2 * rank, next_token, "token")
            page.write(page.row, FIRST + 2 * rank + 1, share, "probability")
    page.write(page.row + 1, 2, page.label("source"), "why")
    page.row += 4
