"""How cells look, by name: what a person sees should tell what kind of cell it is.

Four kinds have one look each, which the legend on `start` explains: what a person may type into,
what a formula computes, what training has learned, what tells whether all is well. Each of them is
told by something besides its colour: a frame, a fill, a mark.
"""

from dataclasses import dataclass

INK = "1F2933"  # of all text that has no colour of its own


@dataclass(frozen=True)
class Look:
    """Colours are RGB in hexadecimal; the size is in points; the format is the spreadsheet's.

    frame: the sides that have a thin line.
    """

    size: float = 10
    bold: bool = False
    italic: bool = False
    color: str = INK
    fill: str | None = None
    pattern: str = "solid"
    format: str = "General"
    horizontal: str = "general"
    vertical: str = "center"
    indent: int = 0
    wrap: bool = False
    shrink: bool = False  # the text to the width of its cell
    underline: bool = False
    frame: tuple[str, ...] = ()
    input: bool = False  # the cells a person may change


QUIET, ACCENT = "52606D", "0B4F9E"
LINE = "9AA5B1"  # frames, and the edges between heads
YELLOW, GREY, GREEN, RED = "FFF4C2", "EDF0F3", "E6F4EA", "FDECEC"
BOX = ("left", "right", "top", "bottom")
HEAT = ("FFFFFF", "C3DBF5", "64A1E4")  # shares of 0, 1/2 and 1
DIVERGING = ("F0A868", "FFFFFF", HEAT[2])  # as far below 0 as possible, 0, as far above

SHARE = '[=0]0%;[<0.0001]"< 0.01 %";0.00%'  # of a whole; what is little is not nothing
TEXT = ";;;@"  # LibreOffice takes an empty text that was stored for 0
WAIT = ";".join(['"⟳ Ctrl+Shift+F9"'] * 4)  # whatever the cell holds

LOOKS: dict[str, Look] = {
    "title": Look(size=20, bold=True),
    "about": Look(size=11, color=QUIET),
    "heading": Look(bold=True, color=QUIET, horizontal="left"),
    "heading center": Look(bold=True, color=QUIET, horizontal="center"),
    "heading note": Look(bold=True, color=QUIET, horizontal="left", indent=1),
    "heading right": Look(bold=True, color=QUIET, horizontal="right"),
    "link": Look(color=ACCENT, underline=True),
    "step number": Look(size=13, bold=True, color=ACCENT, horizontal="left"),
    "step title": Look(size=13, bold=True, color=ACCENT),
    "mathematics": Look(size=11, italic=True),
    "why": Look(color=QUIET),
    "note": Look(color=QUIET, horizontal="left", indent=1),  # beside the cell it is about
    "live": Look(bold=True),  # a sentence that the sheet writes itself
    "head": Look(bold=True, color=ACCENT, horizontal="left"),
    "index": Look(color=QUIET, horizontal="center"),
    "column index": Look(color=QUIET, horizontal="right"),
    "token": Look(bold=True, horizontal="left"),
    "token heading": Look(size=9, bold=True, color=QUIET, horizontal="center"),
    "token heading right": Look(size=9, bold=True, color=QUIET, horizontal="right"),
    "token big": Look(size=20, bold=True, color=ACCENT, horizontal="left"),
    "input": Look(
        size=18,
        fill=YELLOW,
        frame=BOX,
        input=True,
        format="@",
        horizontal="left",
        indent=1,
        wrap=True,
    ),
    "input band": Look(size=18, fill=YELLOW, frame=BOX),  # the rest of a merged input
    "chip": Look(bold=True, horizontal="center", format=TEXT, shrink=True),
    "chip id": Look(size=9, color=QUIET, horizontal="center", shrink=True),
    "chip id manual": Look(size=9, color=QUIET, horizontal="center", format="0;;", shrink=True),
    "chip note": Look(size=9, color=QUIET, horizontal="center", format=TEXT, shrink=True),
    "notice": Look(size=12, bold=True, color="7A2E00", fill="FFE0B8"),
    "hidden": Look(format=";;;"),
    "control": Look(bold=True, fill=YELLOW, frame=BOX, input=True, horizontal="center"),
    "reason": Look(horizontal="left", indent=1),
    "gap": Look(format="0.0E+00", horizontal="center"),
    "choice": Look(bold=True, fill=YELLOW, frame=BOX, input=True, horizontal="left", indent=1),
    "word": Look(
        size=11, fill=YELLOW, frame=BOX, input=True, format="@", horizontal="left", indent=1
    ),
    "try": Look(color=ACCENT),
    "pieces": Look(horizontal="left"),
    "control sample": Look(bold=True, fill=YELLOW, frame=BOX, horizontal="center"),
    "completion": Look(size=18, bold=True, color=ACCENT, horizontal="left"),
    "text": Look(horizontal="left"),
    "mark": Look(bold=True, color=ACCENT, horizontal="center"),
    "symbol": Look(size=11, bold=True, horizontal="center", shrink=True),
    "message": Look(bold=True, color="A61B1B", horizontal="left", format=TEXT),
    "start": Look(color=QUIET, italic=True, horizontal="center"),
    "integer": Look(horizontal="center", format="0"),
    "integer left": Look(horizontal="left", format="0"),
    "fact": Look(horizontal="center", bold=True),
    "formula": Look(format="0.000", horizontal="center"),
    "formula plain": Look(horizontal="center"),
    "live formula": Look(format="0.000", horizontal="center", bold=True, color=ACCENT),
    "fine": Look(format="0.000000", horizontal="center", bold=True, color=ACCENT),
    "number": Look(format="0.000"),
    "probability": Look(format=SHARE, horizontal="left"),
    "share": Look(format=SHARE, horizontal="right"),
    "chance": Look(format=SHARE, horizontal="center"),
    "vote": Look(format='+0.00;"−"0.00;0.00', horizontal="center"),
    "attention": Look(format="0%", horizontal="center"),
    "attention token": Look(bold=True, horizontal="center"),
    "weight": Look(format="0.0000", color="323F4B", fill=GREY),
    "weight sample": Look(format="0.0000", color="323F4B", fill=GREY, horizontal="center"),
    "check": Look(bold=True, fill=GREEN, horizontal="center"),
    "verdict": Look(size=11, bold=True, fill=GREEN, horizontal="left"),
    "fingerprint": Look(format="0.000000000", horizontal="right"),
    "factor": Look(format="0.0000000", horizontal="right"),
    "tiny": Look(format="0.0E+00", horizontal="right"),
    "tiny center": Look(format="0.0E+00", horizontal="center"),
    "masked": Look(fill=LINE, pattern="lightUp"),
}


def heading_over(look: str) -> str:
    """The look of a heading that stands over cells of this look, on the same side as they."""
    if LOOKS[look].indent:
        return "heading note"
    sides = {"left": "heading", "center": "heading center"}
    return sides.get(LOOKS[look].horizontal, "heading right")


# What cells look like besides, while a condition holds.
RULES: dict[str, Look] = {
    "masked": Look(fill=LINE, pattern="lightUp"),
    "no token": Look(format=";;;"),  # shows nothing
    "error": Look(color="FFFFFF"),  # shows nothing of an error, which heeds no format
    "hidden": Look(fill=LINE, pattern="lightUp", format=";;;"),
    "edge": Look(frame=("left",)),
    "differs": Look(bold=True, color="9B1C1C", fill=RED),
    "yours": Look(fill="E1ECF9", frame=BOX),
    "written": Look(fill="FCE8CF", frame=BOX),
    "stale": Look(format=";;;"),
    "stale sentence": Look(bold=True, color="9B1C1C", format=WAIT),
    "strong": Look(fill=HEAT[2]),
    "middling": Look(fill=HEAT[1]),
    "turned": Look(bold=True, color="7A1010", frame=BOX),
}
