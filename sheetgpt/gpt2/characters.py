"""The classes of characters that GPT-2's pattern of words tells apart, for all of Unicode."""

from bisect import bisect_right
from enum import IntEnum
from functools import cache

import regex


class CharacterClass(IntEnum):
    """`\\p{L}`, `\\p{N}`, `\\s`, and everything else."""

    LETTER = 1
    NUMBER = 2
    SPACE = 3
    OTHER = 4


_RUN = regex.compile(r"(\p{L}+)|(\p{N}+)|(\s+)|([^\s\p{L}\p{N}]+)")


@cache
def class_runs() -> list[tuple[int, CharacterClass]]:
    """Each run of code points of one class: its first code point and the class, in order.

    Half surrogate pairs (U+D800 to U+DFFF) are no characters and count as OTHER.
    """
    everything = "".join(map(chr, range(0x110000)))
    return [
        (match.start(), CharacterClass(match.lastindex or CharacterClass.OTHER))
        for match in _RUN.finditer(everything)
    ]


def class_of(character: str) -> CharacterClass:
    """The class of one character."""
    runs = class_runs()
    return runs[bisect_right(runs, ord(character), key=lambda run: run[0]) - 1][1]
