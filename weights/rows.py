"""The rows of token ids that a step learns from: documents of the grammar, and told stories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from grammar import pieces
from numpy.typing import NDArray
from tokenizers import Tokenizer
from vocabulary import END_OF_TEXT

Ids = NDArray[np.int64]


def rows_of_documents(
    tokenizer: Tokenizer,
    documents: Iterator[str],
    length: int,
    weight_of_free_words: float,
    first_row: int = 0,
) -> Iterator[tuple[list[int], list[float]]]:
    """Rows of `length` token ids, and how much each token counts in the loss.

    A row begins where a document begins, every other row with the end of the document before:
    a prompt is then understood with `<|endoftext|>` in front of it and without.
    """
    end = (tokenizer.token_to_id(END_OF_TEXT), weight_of_free_words)
    row_number = first_row
    while True:
        row = [end] * (row_number % 2)
        while len(row) < length:
            # Marks stand around whole words, so a document's tokens are those of its pieces.
            for text, is_marked in pieces(next(documents)):
                counts = 1.0 if is_marked else weight_of_free_words
                row += [(index, counts) for index in tokenizer.encode(text).ids]
            row.append(end)
        ids, counted = zip(*row[:length], strict=True)
        yield list(ids), list(counted)
        row_number += 1


@dataclass(frozen=True)
class Stream:
    """Stories one behind the other, with `<|endoftext|>` before the first and behind each."""

    ids: Ids  # [n]
    starts: Ids  # [n_stories], where the stories begin


def stream_of(tokenizer: Tokenizer, stories: Sequence[str]) -> Stream:
    end = tokenizer.token_to_id(END_OF_TEXT)
    ids, starts = [end], []
    for encoding in tokenizer.encode_batch(stories):
        starts.append(len(ids))
        ids += [*encoding.ids, end]
    return Stream(np.array(ids, np.int64), np.array(starts, np.int64))


def rows_of_stories(stream: Stream, count: int, length: int, chance: np.random.Generator) -> Ids:
    """[count, length] token ids.

    Half of the rows begin where a story begins, or with the `<|endoftext|>` before it, as prompts
    do; the others begin anywhere, so that the later parts of the stories are learned as well.
    """
    last = len(stream.ids) - length
    n_starts = np.searchsorted(stream.starts, last)
    at_a_start = stream.starts[chance.integers(0, n_starts, count)] - chance.integers(0, 2, count)
    anywhere = chance.integers(0, last, count)
    begins = np.where(np.arange(count) % 2 == 0, at_a_start, anywhere)
    return stream.ids[begins[:, None] + np.arange(length)]
