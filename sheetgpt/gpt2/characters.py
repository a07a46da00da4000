"""The classes of characters that patterns of words tell apart, for all of Unicode."""

from bisect import bisect_right
from enum import IntEnum
from functools import cache

import regex

from sheetgpt.gpt2.tokens import IN_WORDS, Unit


class CharacterClass(IntEnum):
    """`\\p{L}`, `\\p{N}`, `\\s`, and everything else."""

    LETTER = 1
    NUMBER = 2
    SPACE = 3
    OTHER = 4


_RUN = {
    Unit.BYTES: regex.compile(r"(\p{L}+)|(\p{N}+)|(\s+)|([^\s\p{L}\p{N}]+)"),
    Unit.WORDS: regex.compile(r"()(?!)|()(?!)|(\s+)|(\S+)"),
    Unit.SIGNS: regex.compile(rf"({IN_WORDS}+)|()(?!)|(\s+)|((?:(?!{IN_WORDS})\S)+)"),
}


@cache
def class_runs(unit: Unit = Unit.BYTES) -> list[tuple[int, CharacterClass]]:
    """Each run of code points of one class: its first code point and the class, in order.

    Half surrogate pairs (U+D800 to U+DFFF) are no characters and count as OTHER.
    """
    everything = "".join(map(chr, range(0x110000)))
    return [
        (match.start(), CharacterClass(match.lastindex or CharacterClass.OTHER))
        for match in _RUN[unit].finditer(everything)
    ]


def class_of(character: str) -> CharacterClass:
    """The class of one character."""
    runs = class_runs()
    return runs[bisect_right(runs, ord(character), key=lambda run: run[0]) - 1][1]
