"""Every step of a model as a cell of JavaScript, said by the same `steps/` as the workbook."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod

from sheetgpt.book.compile import attention_of
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import SO_FAR, Call, Expr, Number, Range
from sheetgpt.formula.javascript import javascript
from sheetgpt.formula.notation import mathematics
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.weights import shapes
from sheetgpt.steps.block import block
from sheetgpt.steps.embed import embed
from sheetgpt.steps.head import Head, probabilities
from sheetgpt.steps.step import layer_norm

# The last cell is not a formula: a web developer says it in one call.
PREDICTED = """\
const logits = column("logits");
return pick(logits, controls, random());"""


@dataclass(frozen=True)
class Cell:
    """A step.

    code: the body of a function that returns one token's row; mathematics: the same as a line.
    kind: what a token's part of it is: a `row` of numbers, `seen` (its row in a matrix of token
        by token, one for each head), a `column` of the vocabulary or the `choice` of a token.
    parts: how many heads it has, side by side. last: whether only tokens that are followed by a
        new one have it.
    """

    name: str
    code: str
    mathematics: str = ""
    kind: str = "row"
    parts: int = 1
    last: bool = False


@dataclass
class Recorder:
    """A `step` that keeps every step as a cell, in the order in which they are computed.

    d_head: stands for the number of tokens so far, which no row knows; any number would do.
    """

    d_head: int
    prefix: str = ""
    cells: list[Cell] = field(default_factory=list)
    widths: dict[str, int] = field(default_factory=dict)

    def __call__(self, name: str, *panels: Expr, only: Expr | None = None) -> Call:
        name = self.prefix + name
        rows, columns = panels[0].shape
        kind = "seen" if columns == SO_FAR else "column" if rows != 1 else "row"
        self.cells.append(
            Cell(
                name,
                javascript(panels, self.widths),
                mathematics(panels[0]),
                kind,
                len(panels),
                only is not None,
            )
        )
        if kind == "column":
            assert isinstance(rows, int)
            return Call(kind, (Range(Area(name, 1, 1, rows, 1), name),))
        width = self.widths[name] = sum(self._width(panel) for panel in panels)
        return Call(kind, (Range(Area(name, 1, 1, 1, width), name),))

    def _width(self, panel: Expr) -> int:
        columns = panel.shape[1]
        return columns if isinstance(columns, int) else self.d_head


def cells(config: Config) -> list[Cell]:
    """All steps of the model, from the token's id to the next one."""
    step = Recorder(config.d_head)
    weights = dict(_weights(config))
    step.widths |= {"tokens.id": 1, "wpe": config.n_embd}
    token_id = Call("row", (Range(Area("tokens.id", 1, 1, 1, 1), "tokens.id"),))
    epsilon = Number(config.layer_norm_epsilon)
    x = embed(step, token_id, weights["wte"], weights["wpe"])
    for b in range(config.n_layer):
        step.prefix = prefix = f"h.{b}."
        h = {name.removeprefix(prefix): w for name, w in weights.items() if name.startswith(prefix)}
        x = block(step, x, h, attention_of(config, b), config.activation_function, epsilon)
    step.prefix = ""
    ln_f = layer_norm(step, "ln_f", x, weights, epsilon)
    matrix = weights["wte" if config.tie_word_embeddings else "lm_head.w"]
    probabilities(step, step, ln_f, Head(matrix, weights.get("lm_head.b")), only=Number(1))
    return [*step.cells, Cell("predicted.id", PREDICTED, kind="choice", last=True)]


def _weights(config: Config) -> Iterator[tuple[str, Range]]:
    for name, shape in shapes(config).items():
        rows = prod(shape[:-1])
        yield name, Range(Area(name, 1, 1, rows, shape[-1]), name)
