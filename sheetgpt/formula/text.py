"""How much text a cell holds, and how Excel counts it."""

LONGEST_TEXT = 32_767  # UTF-16 code units in one cell: Microsoft's specification limits


def length_in_excel(text: str) -> int:
    """The length in UTF-16 code units: 2 for a character above U+FFFF, such as an emoji."""
    return len(text.encode("utf-16-le")) // 2
