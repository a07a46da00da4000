"""Breaking a sentence into lines, in scripts with spaces between words and in those without."""

import re
from unicodedata import east_asian_width

WIDE = 2.3  # Latin letters that take the room of one wide one, in a proportional font

# What stays together: a word; a word of katakana; one kana or ideograph; and with each of them
# the marks that may not end a line before it, or begin one behind it.
_OPENING, _CLOSING = "「『（", "、。，．」』）：？！"
_ALONE = "ぁ-ゖ々一-鿿"
_PIECE = re.compile(
    rf"\s*[{_OPENING}]*"
    rf"(?:[ァ-ヺー]+|[{_ALONE}]|[^\s{_ALONE}ァ-ヺー{_OPENING}{_CLOSING}]+|\S)"
    rf"[{_CLOSING}]*"
)


def width(text: str) -> float:
    """In Latin letters."""
    return sum(WIDE if east_asian_width(character) in "WF" else 1 for character in text)


def broken(text: str, room: float) -> list[str]:
    """The lines of a text that are at most `room` letters wide, where its words allow it."""
    lines = [""]
    for piece in _PIECE.findall(text):
        if lines[-1] and width(lines[-1] + piece) > room:
            lines.append(piece.lstrip())
        else:
            lines[-1] += piece
    return lines
