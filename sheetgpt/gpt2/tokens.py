"""GPT-2's tokens: byte-level byte-pair encoding (Radford et al. 2019, section 2.2).

Text is cut into words by a pattern, every word becomes its UTF-8 bytes, and neighbouring parts
are merged, the best-ranked pair first, until no pair of the word is in the list of merges.
Special tokens are cut out before that. Small models often know whole characters or whole words
instead: those are looked up.

A vocabulary file must be text, so each byte is spelled as one visible character: `Ġ` is a
space, `Ċ` a line feed. That spelling is called byte-level here; `tokens` and `merges` use it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

import regex

from sheetgpt.errors import CheckpointError, PromptError, shown

# Contractions; letters, numbers or other signs, each with the space before them; white space,
# the last one of which goes to the word that follows.
WORD = regex.compile(
    r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
)

IN_WORDS = r"[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]"  # \w of Unicode's UTS 18
WORD_OR_SIGNS = regex.compile(rf"{IN_WORDS}+|(?:(?!{IN_WORDS})\S)+")

END_OF_TEXT = "<|endoftext|>"


class Unit(StrEnum):
    """What a text is cut into before its ids are found."""

    BYTES = "bytes"  # of GPT-2's words; bytes are merged
    CHARACTERS = "characters"  # each is a token
    WORDS = "words"  # between white space, each a token
    SIGNS = "signs"  # words, and the signs between them, each a token


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
    specials: texts that are cut out of a prompt before anything is split, the longest first. One
        that is no token of the model refuses the prompt: its id would be beyond the model's.
    leading: the token that stands before every text, if one does.
    otherwise: the token for words that the vocabulary has not.
    """

    tokens: tuple[str, ...] = field(repr=False)
    merges: tuple[tuple[str, str], ...] = field(repr=False)
    specials: tuple[str, ...] = ()
    leading: int | None = None
    unit: Unit = Unit.BYTES
    otherwise: int | None = None

    @staticmethod
    def from_tables(
        tokens: Sequence[str],
        merges: Sequence[tuple[str, str]],
        where: str = "the vocabulary",
        *,
        specials: Iterable[str] = (),
        leading: int | None = None,
        unit: Unit = Unit.BYTES,
        otherwise: int | None = None,
    ) -> "Tokenizer":
        """A tokenizer of these tables, in byte-level spelling; CheckpointError if they cannot be.

        Some byte must have a token, every merge join two tokens to a third.
        """
        pairs = tuple((left, right) for left, right in merges)
        longest_first = tuple(sorted(set(specials), key=lambda each: (-len(each), each)))
        tables = Tokenizer(tuple(tokens), pairs, longest_first, leading, unit, otherwise)
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
        """The ids of `text`, exactly as the model's own tokenizer gives them.

        Raises PromptError for half a surrogate pair, which no UTF-8 can hold, and for a character
        or word that has no token.
        """
        words = self._words(text)
        known = {word: self._ids(word) for word in set(words)}
        return self._before + [i for word in words for i in known[word]]

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
        return Stages(words, (*self._before, *(i for word in words for i in word.ids)))

    @property
    def _before(self) -> list[int]:
        return [] if self.leading is None else [self.leading]

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes that a token stands for; of a special token that is its own name in UTF-8."""
        if not 0 <= token_id < len(self.tokens):
            raise IndexError(f"token id {token_id} is not in 0..{len(self.tokens) - 1}")
        token = self.tokens[token_id]
        if token not in self.specials and all(each in BYTE_OF for each in token):
            return bytes(BYTE_OF[character] for character in token)
        return token.encode(errors="replace")

    def decode(self, ids: Sequence[int]) -> str:
        """The text of `ids`; bytes that are no UTF-8 show as U+FFFD. Words get a space between."""
        between = b" " if self.is_of_words else b""
        return between.join(self.token_bytes(i) for i in ids).decode(errors="replace")

    @property
    def is_of_words(self) -> bool:
        return self.unit in (Unit.WORDS, Unit.SIGNS)

    @cached_property
    def looked_up(self) -> dict[str, int]:
        """The texts of a vocabulary without merges -> ids: what can be typed, and is one token."""
        texts = (self.token_bytes(i).decode(errors="replace") for i in range(len(self.tokens)))
        return {text: i for i, text in enumerate(texts) if self._cut(text) == [text]}

    @cached_property
    def gaps(self) -> frozenset[int]:
        """The bytes that no token spells; none in GPT-2's vocabulary."""
        return frozenset(byte for byte, spelled in SPELLING.items() if spelled not in self.ids)

    def unknown(self, text: str) -> str | None:
        """The first character or word of `text` that has no token, if there is one."""
        pieces = (piece for piece in self._pieces(text) if piece not in self.ids_of_specials)
        return next((each for piece in pieces if (each := self._unknown(piece))), None)

    def known(self, text: str) -> str:
        """As much of a text as has tokens."""
        between = " " if self.is_of_words else ""
        pieces = self._pieces(text) if self.is_of_words else list(text)
        return between.join(piece for piece in pieces if not self._unknown(piece))

    def _unknown(self, piece: str) -> str | None:
        """Of a word what has no token: a character of it, or all of it."""
        if piece in self.specials:
            return piece
        if self.unit is not Unit.BYTES:
            is_known = piece in self.looked_up or self.otherwise is not None
            return None if is_known else piece
        return next((each for each in piece if self.gaps.intersection(each.encode())), None)

    @cached_property
    def ids_of_specials(self) -> dict[str, int]:
        """The ids of those special tokens that the model has."""
        return {each: self.ids[each] for each in self.specials if each in self.ids}

    def _pieces(self, text: str) -> list[str]:
        """Special tokens, and the words of each stretch between them."""
        if not self.specials:
            return self._cut(text)
        either = "|".join(map(regex.escape, self.specials))
        stretches = regex.split(f"({either})", text)
        return [
            piece
            for place, stretch in enumerate(stretches)
            for piece in ([stretch] if place % 2 else self._cut(stretch))
        ]

    def _cut(self, stretch: str) -> list[str]:
        match self.unit:
            case Unit.BYTES:
                return list(WORD.findall(stretch))
            case Unit.CHARACTERS:
                return list(stretch)
            case Unit.WORDS:
                return stretch.split()
            case Unit.SIGNS:
                return list(WORD_OR_SIGNS.findall(stretch))

    def _words(self, text: str) -> list[str]:
        _refuse_half_characters(text)
        unknown = None
        if self.gaps or self.specials or self.unit is not Unit.BYTES:
            unknown = self.unknown(text)
        if unknown is not None:
            what = "character" if len(unknown) == 1 else "word"
            raise PromptError(
                f"the text has the {what} {unknown!r}, for which the model has no tokens; leave "
                "it out"
            )
        return self._pieces(text)

    def _word(self, text: str) -> Word:
        parts = self._parts(text)
        return Word(text, text.encode(), parts, tuple(self._rounds(parts)), self._ids(text))

    def _ids(self, word: str) -> tuple[int, ...]:
        if word in self.ids_of_specials:
            return (self.ids_of_specials[word],)
        if self.unit is not Unit.BYTES:
            found = self.looked_up.get(word, self.otherwise)
            assert found is not None  # `_words` has refused what has no token
            return (found,)
        parts = self._parts(word)
        for step in self._rounds(parts):  # not kept: a word may be as long as the prompt
            parts = step.parts
        return tuple(self.ids[part] for part in parts)

    def _parts(self, word: str) -> tuple[str, ...]:
        """What a word is before any merge: its bytes, or one token."""
        if word in self.ids_of_specials or self.unit is not Unit.BYTES:
            return tuple(self.tokens[i] for i in self._ids(word))
        return tuple(SPELLING[byte] for byte in word.encode())

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
    if tables.unit is Unit.BYTES and len(tables.gaps) == len(SPELLING):
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


def _refuse_half_characters(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise PromptError(
            f"the text's character {error.start + 1} is U+{ord(text[error.start]):04X}, half of "
            "a surrogate pair, which is no character; remove it or give the whole pair"
        ) from error


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
