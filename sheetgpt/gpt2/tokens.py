"""GPT-2's tokens: byte-level byte-pair encoding (Radford et al. 2019, section 2.2).

Text is cut into words by a pattern, every word becomes its UTF-8 bytes, and neighbouring parts
are merged, the best-ranked pair first, until no pair of the word is in the list of merges.

A vocabulary file must be text, so each byte is spelled as one visible character: `Ġ` is a
space, `Ċ` a line feed. That spelling is called byte-level here; `tokens` and `merges` use it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import regex

from sheetgpt.errors import CheckpointError, PromptError, shown

# Contractions; letters, numbers or other signs, each with the space before them; white space,
# the last one of which goes to the word that follows.
WORD = regex.compile(
    r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
)

END_OF_TEXT = "<|endoftext|>"


def bytes_to_unicode() -> dict[int, str]:
    """The byte-level spelling: each of the 256 bytes -> its one character.

    Bytes that Latin-1 shows as a visible character are spelled by it; the others (controls,
    space, no-break space, soft hyphen) by the characters from U+0100 on, in their order.
    """
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(0x100) if byte not in visible]
    spelling = {byte: chr(byte) for byte in visible}
    spelling |= {byte: chr(0x100 + i) for i, byte in enumerate(hidden)}
    return {byte: spelling[byte] for byte in range(0x100)}


SPELLING = bytes_to_unicode()
BYTE_OF = {character: byte for byte, character in SPELLING.items()}


@dataclass(frozen=True)
class Round:
    """One round of merging in one word."""

    pair: tuple[str, str]  # the best-ranked pair of the word
    rank: int  # its place in the list of merges, from 0
    parts: tuple[str, ...]  # the word after the round, every such pair merged, left to right


@dataclass(frozen=True)
class Word:
    """One word on its way to tokens; parts are in byte-level spelling."""

    text: str
    utf8: bytes
    parts: tuple[str, ...]  # one for each byte, before any merge
    rounds: tuple[Round, ...]
    ids: tuple[int, ...]


@dataclass(frozen=True)
class Stages:
    """A text on its way to tokens: its words, and the ids of all of them."""

    words: tuple[Word, ...]
    ids: tuple[int, ...]


@dataclass(frozen=True)
class Tokenizer:
    """A vocabulary and its merges; made by `from_tables`, which checks them.

    `tokens` stand in the order of their ids, `merges` in the order of their ranks, and neither
    order has to follow the other.
    """

    tokens: tuple[str, ...] = field(repr=False)
    merges: tuple[tuple[str, str], ...] = field(repr=False)

    @staticmethod
    def from_tables(
        tokens: Sequence[str], merges: Sequence[tuple[str, str]], where: str = "the vocabulary"
    ) -> "Tokenizer":
        """A tokenizer of these tables, in byte-level spelling; CheckpointError if they cannot be.

        Some byte must have a token, every merge join two tokens to a third.
        """
        tables = Tokenizer(tuple(tokens), tuple((left, right) for left, right in merges))
        _refuse_broken(tables, where)
        return tables

    @cached_property
    def ids(self) -> dict[str, int]:
        """Token -> id."""
        return {token: i for i, token in enumerate(self.tokens)}

    @cached_property
    def ranks(self) -> dict[tuple[str, str], int]:
        """Pair -> place in the list of merges."""
        return {pair: rank for rank, pair in enumerate(self.merges)}

    @property
    def end_of_text(self) -> int | None:
        """The id of `<|endoftext|>`, if the vocabulary has it."""
        return self.ids.get(END_OF_TEXT)

    def encode(self, text: str) -> list[int]:
        """The ids of `text`, exactly as OpenAI's encoder gives them.

        All of it is plain text: `<|endoftext|>` within it is spelled out in several tokens.
        Raises PromptError for half a surrogate pair, which no UTF-8 can hold, and for a character
        of which no token spells a byte.
        """
        words = self._words(text)
        known = {word: self._ids(word) for word in set(words)}
        return [i for word in words for i in known[word]]

    def encode_prompt(self, text: str) -> list[int]:
        """The ids that a model reads for a prompt; an empty one begins where a text ends.

        None if the prompt is empty and the vocabulary has no `<|endoftext|>`.
        """
        start = [] if self.end_of_text is None else [self.end_of_text]
        return self.encode(text) or start

    def stages(self, text: str) -> Stages:
        """The tokenisation of `text`, stage by stage; raises PromptError as `encode` does."""
        texts = self._words(text)
        known = {word: self._word(word) for word in set(texts)}
        words = tuple(known[word] for word in texts)
        return Stages(words, tuple(i for word in words for i in word.ids))

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes that a token stands for; of a special token that is its own name in UTF-8."""
        if not 0 <= token_id < len(self.tokens):
            raise IndexError(f"token id {token_id} is not in 0..{len(self.tokens) - 1}")
        token = self.tokens[token_id]
        if all(character in BYTE_OF for character in token):
            return bytes(BYTE_OF[character] for character in token)
        return token.encode(errors="replace")

    def decode(self, ids: Sequence[int]) -> str:
        """The text of `ids`; bytes that are no UTF-8 show as U+FFFD."""
        return b"".join(self.token_bytes(i) for i in ids).decode(errors="replace")

    @cached_property
    def gaps(self) -> frozenset[int]:
        """The bytes that no token spells; none in GPT-2's vocabulary."""
        return frozenset(byte for byte, spelled in SPELLING.items() if spelled not in self.ids)

    def unknown(self, text: str) -> str | None:
        """The first character of `text` of which no token spells a byte, if there is one."""
        return next((each for each in text if self.gaps.intersection(each.encode())), None)

    def _words(self, text: str) -> list[str]:
        words = _words(text)
        unknown = self.unknown(text) if self.gaps else None
        if unknown is not None:
            raise PromptError(
                f"the text has the character {unknown!r}, for which the model has no tokens; leave "
                "it out"
            )
        return words

    def _word(self, text: str) -> Word:
        parts = _bytes(text)
        return Word(text, text.encode(), parts, tuple(self._rounds(parts)), self._ids(text))

    def _ids(self, word: str) -> tuple[int, ...]:
        parts = _bytes(word)
        for step in self._rounds(parts):  # not kept: a word may be as long as the prompt
            parts = step.parts
        return tuple(self.ids[part] for part in parts)

    def _rounds(self, parts: tuple[str, ...]) -> Iterator[Round]:
        while (pair := min(pairwise(parts), key=self._rank, default=None)) in self.ranks:
            parts = _merge(parts, pair)
            yield Round(pair, self.ranks[pair], parts)

    def _rank(self, pair: tuple[str, str]) -> int:
        return self.ranks.get(pair, len(self.ranks))


def _refuse_broken(tables: Tokenizer, where: str) -> None:
    if len(tables.ids) != len(tables.tokens):
        twice = next(t for i, t in enumerate(tables.tokens) if tables.ids[t] != i)
        raise CheckpointError(
            f"{where}: token {shown(twice)} stands twice, expected every token once"
        )
    if len(tables.gaps) == len(SPELLING):
        raise CheckpointError(
            f"{where}: no token spells a single byte, expected a byte-level vocabulary, which has "
            "most of the 256; take the one that belongs to the model"
        )
    for rank, pair in enumerate(tables.merges):
        merge = f"merge {rank} {shown(pair)}"
        if tables.ranks[pair] != rank:
            raise CheckpointError(f"{where}: {merge} stands twice, expected it once")
        for token in (*pair, "".join(pair)):
            if token not in tables.ids:
                raise CheckpointError(
                    f"{where}: {merge} needs the token {shown(token)}, which is not in the "
                    "vocabulary; take the two files that belong together"
                )


def _words(text: str) -> list[str]:
    """The words of `text`, which together are all of it."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise PromptError(
            f"the text's character {error.start + 1} is U+{ord(text[error.start]):04X}, half of "
            "a surrogate pair, which is no character; remove it or give the whole pair"
        ) from error
    return list(WORD.findall(text))


def _bytes(word: str) -> tuple[str, ...]:
    """One part for each byte of the word."""
    return tuple(SPELLING[byte] for byte in word.encode())


def _merge(parts: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    """`parts` with every occurrence of `pair` joined, left to right: `a a a` -> `aa a`."""
    merged: list[str] = []
    i = 0
    while i < len(parts):
        if parts[i : i + 2] == pair:
            merged.append(parts[i] + parts[i + 1])
            i += 2
        else:
            merged.append(parts[i])
            i += 1
    return tuple(merged)
