"""What a workbook can do without, each for what it costs."""

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Extras:
    """Which of them there are.

    lens: a tab of what each block alone would say, as dear as the logits of as many tokens.
    effects: what happens without each head and each MLP, half a forward pass for each.
    neighbours: a tab of which tokens are alike, as dear as the logits of three tokens.
    """

    lens: bool = True
    effects: bool = True
    neighbours: bool = True


EVERYTHING = Extras()
NAMES = tuple(each.name for each in fields(Extras))


def extras_of(asked: Mapping[str, bool], *, otherwise: bool) -> Extras:
    """Those that somebody asked for or would not have; otherwise all of the others, or none."""
    return Extras(**{name: asked.get(name, otherwise) for name in NAMES})
