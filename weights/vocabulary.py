"""Learns a byte-level BPE vocabulary in GPT-2's layout and writes it as GPT-2's two files.

Ids 0-255 are the bytes in GPT-2's own order (first those that print as themselves), the merge of
rank r makes id 256 + r, and the last id is `<|endoftext|>`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

END_OF_TEXT = "<|endoftext|>"

Pair = tuple[str, str]


def byte_letters() -> list[str]:
    """The letter that stands for each byte, in the order of GPT-2's ids (bytes_to_unicode)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1)]
    printable += range(ord("®"), ord("ÿ") + 1)
    others = 256 - len(printable)
    return [chr(byte) for byte in printable] + [chr(256 + index) for index in range(others)]


def merge(word: tuple[str, ...], pair: Pair) -> tuple[str, ...]:
    """The word with every occurrence of the pair joined, leftmost first."""
    merged: list[str] = []
    for part in word:
        if merged and (merged[-1], part) == pair:
            merged[-1] += part
        else:
            merged.append(part)
    return tuple(merged)


def learn_merges(texts: Iterable[str], limit: int) -> list[Pair]:
    """The most frequent pair of neighbours becomes one token, again and again.

    Stops early when every word has become a single token. No two merges make the same token,
    because a merge's rank must give its id.
    """
    split = pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str
    words = Counter(tuple(word) for text in texts for word, _ in split(text))
    merges: list[Pair] = []
    made: set[str] = set()
    while len(merges) < limit:
        frequency: Counter[Pair] = Counter()
        for word, times in words.items():
            for pair in pairwise(word):
                if "".join(pair) not in made:
                    frequency[pair] += times
        if not frequency:
            break
        best = min(frequency, key=lambda pair: (-frequency[pair], pair))
        merges.append(best)
        made.add("".join(best))
        merged: Counter[tuple[str, ...]] = Counter()
        for word, times in words.items():
            merged[merge(word, best)] += times
        words = merged
    return merges


def write_vocabulary(folder: Path, merges: list[Pair]) -> int:
    """Writes vocab.json and merges.txt; returns the number of tokens."""
    tokens = [*byte_letters(), *("".join(pair) for pair in merges), END_OF_TEXT]
    ids = {token: index for index, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(ids, ensure_ascii=False) + "\n", "utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", "utf-8")
    return len(tokens)


def read_tokenizer(folder: Path) -> Tokenizer:
    bpe = models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt"))
    tokenizer = Tokenizer(bpe)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(END_OF_TEXT)])
    return tokenizer


def learn_vocabulary(folder: Path, texts: Iterable[str], n_vocab: int) -> Tokenizer:
    """Writes the vocabulary of the texts to a folder; returns a tokenizer that uses it."""
    write_vocabulary(folder, learn_merges(texts, limit=n_vocab - 257))
    return read_tokenizer(folder)
