"""What applications count when they count characters."""

from enum import Enum


class Units(Enum):
    """What LEN and MID count, and what UNICODE makes of half a character."""

    POINTS = "code points"  # LibreOffice, IronCalc: there are no halves
    UTF16 = "UTF-16"  # Excel: a half is an error
    HALVES = "UTF-16, a half by its number"  # ONLYOFFICE


def counted(text: str, units: Units) -> str:
    """The text as the application counts it: a character above 0xFFFF as one unit, or as two."""
    return text if units is Units.POINTS or text.isascii() else by_units(text)


def by_units(text: str) -> str:
    """The text with a character for each unit of UTF-16: two halves for one above 0xFFFF."""
    data = text.encode("utf-16-le", "surrogatepass")
    return "".join(
        chr(int.from_bytes(data[at : at + 2], "little")) for at in range(0, len(data), 2)
    )


def joined(text: str) -> str:
    """The text with halves put together again where both are there."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
