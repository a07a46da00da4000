"""How cells look, by name: what a person sees should tell what kind of cell it is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """Colours are RGB in hexadecimal; the size is in points; the format is the spreadsheet's."""

    size: float = 10
    bold: bool = False
    italic: bool = False
    color: str = "1F2933"
    fill: str | None = None
    pattern: str = "solid"
    format: str = "General"
    horizontal: str = "general"
    wrap: bool = False
    underline: bool = False
    input: bool = False  # the cells a person may change


QUIET, BLUE = "52606D", "0B4F9E"

LOOKS: dict[str, Look] = {
    "title": Look(size=18, bold=True),
    "about": Look(color=QUIET, italic=True),
    "heading": Look(bold=True, color=QUIET, horizontal="left"),
    "link": Look(color=BLUE, underline=True),
    "step number": Look(size=13, bold=True, color=BLUE, horizontal="left"),
    "step title": Look(size=13, bold=True, color=BLUE),
    "mathematics": Look(size=11, italic=True),
    "why": Look(color=QUIET),
    "head": Look(bold=True, color=QUIET),
    "index": Look(color=QUIET, horizontal="center"),
    "token": Look(bold=True, horizontal="left", format="@"),
    "token heading": Look(size=9, bold=True, color=QUIET, horizontal="center"),
    "token big": Look(size=16, bold=True, color="8A3B00", horizontal="left"),
    "input": Look(size=16, fill="FFF4C2", input=True, format="@", horizontal="left"),
    "control": Look(bold=True, fill="FFF4C2", input=True, horizontal="right"),
    "completion": Look(size=16, color="8A3B00", horizontal="left", wrap=True),
    "text": Look(horizontal="left"),
    "message": Look(bold=True, color="A61B1B"),
    "start": Look(color="7B8794", italic=True, horizontal="center"),
    "integer": Look(horizontal="center", format="0"),
    "integer left": Look(horizontal="left", format="0"),
    "fact": Look(horizontal="right", bold=True),
    "number": Look(format="0.0000"),
    "probability": Look(format="0.000%", horizontal="left"),
    "share": Look(format="0.000%", horizontal="right"),
    "weight": Look(format="0.0000", color="3E4C59", fill="EEF4FB"),
    "masked": Look(fill="CBD2D9", pattern="lightUp"),
}
