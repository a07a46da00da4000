"""Reading rows that are spelled letter by letter as we write them (`sheet_rows.py`).

A small workbook is made of little else, and an XML parser makes ten objects of each cell. Whatever
is spelled in another way is left to the parser.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

OURS = b"<worksheet "  # how a sheet of ours begins; others declare first that they are XML
ROW = b"<row "
NUMBERED = b'<row r="'

# A cell: the letters of its column, its row, the type of its value, the cells that its array
# formula fills, the formula, the value, and a text that is no result; None for what it lacks.
OwnCell = tuple[str | Any, ...]

_HEAD = re.compile(
    r'r="([0-9]{1,7})"(?: ht="[0-9.e+]+" customHeight="1")?(?: outlineLevel="[0-9]+")?>'
)
_CELL = re.compile(
    r'<c r="([A-Z]{1,3})([0-9]{1,7})"(?: s="[0-9]+")?(?: t="(b|e|str|inlineStr)")?(?:/>|>'
    r'(?:<f(?: t="array" ref="([A-Z0-9:]+)")?>([^<>]*)</f>)?'
    r'(?:<v(?: xml:space="preserve")?>([^<>]*)</v>)?'
    r'(?:<is><t(?: xml:space="preserve")?>([^<>]*)</t></is>)?</c>)'
)
_END = "</row>"
_ENTITY = re.compile("&(?!(?:amp|lt|gt);)")  # one that we never write
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n")
_STRANGE = b"<!", b"<?", b"<row>", "\ufffe".encode(), "\uffff".encode()


def without_own_rows(
    pieces: Iterator[bytes], put: Callable[[int, list[OwnCell]], None]
) -> Iterator[bytes]:
    """The XML of a sheet without the rows that are spelled as ours; `put` is given these, each as
    its number and its cells.
    """
    is_ours, last = None, b""
    for xml in pieces:
        is_ours = xml.startswith(OURS) if is_ours is None else is_ours
        is_ours = is_ours and _is_plain(last + xml)
        last = xml[-1:]
        if is_ours:
            head, *rows = xml.split(ROW)
            yield head + b"".join([_left(row, put) for row in rows])
        else:
            yield xml


def _is_plain(xml: bytes) -> bool:
    """Whether all that looks like a row is one, with a number, and no character is forbidden."""
    return (
        not any(text in xml for text in _STRANGE)
        and xml.count(ROW) == xml.count(NUMBERED)
        and len(xml.translate(None, _CONTROLS)) == len(xml)
    )


def _left(row: bytes, put: Callable[[int, list[OwnCell]], None]) -> bytes:
    """What a parser must see of a row, and of what follows it."""
    try:
        text = row.decode()
    except UnicodeDecodeError:
        return ROW + row
    head = _HEAD.match(text)
    if head is None or _ENTITY.search(text):
        return ROW + row
    number, at, cells = head[1], head.end(), []
    while (found := _CELL.match(text, at)) and found[2] == number:
        cells.append(found.groups())
        at = found.end()
    if not text.startswith(_END, at):
        return ROW + row
    if "&" in text:
        cells = [tuple([each and _plain(each) for each in cell]) for cell in cells]
    put(int(number), cells)
    return text[at + len(_END) :].encode()


def _plain(text: str) -> str:
    if "&" not in text:
        return text
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
