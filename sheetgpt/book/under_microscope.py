"""What each step is made of, for the microscope: which numbers are multiplied, added, divided.

Every tree here speaks of the block, the token and the column that were chosen. CHOOSE takes the
block's range and INDEX the part of it, so that no other block is looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sheetgpt.book.records import UNDER_MICROSCOPE
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Expr, Like, Range, call
from sheetgpt.gpt2.config import Config
from sheetgpt.steps.head import Head

ALL_SEEN = -1  # as many as the token sees


@dataclass(frozen=True)
class At:
    """The cells that say what was chosen: the block from 0, the token from 1, head and column
    from 0; but the column is a token from 1 where a step has a square for each head.
    """

    block: Range
    token: Range
    head: Range
    column: Range


@dataclass(frozen=True)
class SeenStep:
    """One step.

    left, right: what is multiplied, or what is normalised, as columns; in_heads: whether only a
        head's part of them counts, and each head's has so many cells.
    terms: how many there are, or ALL_SEEN. last: the last column, or ALL_SEEN.
    gain: of a layer norm; of a part that has a switch, what that is set to.
    value: the cell itself. area: the step's cells, in the first block if it stands in a block.
    """

    name: str
    area: Area
    value: Expr
    terms: int = 0
    last: int = ALL_SEEN
    left: Expr | None = None
    right: Expr | None = None
    in_heads: int = 0
    gain: Expr | None = None
    bias: Expr | None = None

    @property
    def kind(self) -> int:
        return UNDER_MICROSCOPE[self.name]

    @property
    def is_in_block(self) -> bool:
        return self.area.tab.startswith("block ")

    @property
    def is_tall(self) -> bool:
        """Whether a row is an entry of the vocabulary."""
        return self.name in ("logits", "softmax")

    @property
    def is_of_tokens(self) -> bool:
        """Whether a column is a token."""
        return self.last == ALL_SEEN


class Parts:
    """Finds the parts of steps and weights that belong to what was chosen."""

    def __init__(
        self, config: Config, names: Mapping[str, Area], weights: Mapping[str, Range], at: At
    ) -> None:
        self.names, self.weights, self.at = names, weights, at
        self.blocks = range(config.n_layer)

    def step(self, name: str) -> Expr:
        """The cells of a step, of the chosen block if it is in every block."""
        if name in self.names:
            return Range(self.names[name], name)
        ranges = [Range(self.names[f"h.{b}.{name}"], f"h.{b}.{name}") for b in self.blocks]
        return call("CHOOSE", self.at.block + 1, *ranges)

    def weight(self, name: str) -> Expr:
        if name in self.weights:
            return self.weights[name]
        ranges = [self.weights[f"h.{b}.{name}"] for b in self.blocks]
        return call("CHOOSE", self.at.block + 1, *ranges)

    def row(self, name: str, token: Expr) -> Expr:
        """A token's row of a step, as a column."""
        return call("INDEX", self.step(name), token, 0).T

    def cell(self, name: str, column: Expr) -> Expr:
        return call("INDEX", self.step(name), self.at.token, column)

    def of_vector(self, name: str) -> Expr:
        """The number of a gain or a bias that stands in the chosen column."""
        return call("INDEX", self.weight(name), 1, self.at.column + 1)


def seen_steps(
    config: Config, context: int, names: Mapping[str, Area], weights: Mapping[str, Range],
    head: Head, at: At,
) -> Sequence[SeenStep]:  # fmt: skip
    """All steps that can be chosen, in the order of `UNDER_MICROSCOPE`."""
    parts, d = Parts(config, names, weights, at), config.n_embd
    d_head, next_column = d // config.n_head, at.column + 1
    own_head = at.head * context + at.column  # where a square for each head stands

    def area(name: str) -> Area:
        return names[name] if name in names else names[f"h.0.{name}"]

    def norm(name: str, of: str) -> SeenStep:
        return SeenStep(
            name,
            area(name),
            parts.cell(name, next_column),
            terms=d,
            last=d - 1,
            left=parts.row(of, at.token),
            gain=parts.of_vector(f"{name}.g"),
            bias=parts.of_vector(f"{name}.b"),
        )

    def switch(name: str, part: Like) -> Expr:
        return call("INDEX", Range(names[name], name), at.block + 1, part)

    def linear(name: str, of: str, n_in: int, n_out: int, gain: Expr | None = None) -> SeenStep:
        return SeenStep(
            name,
            area(name),
            parts.cell(name, next_column),
            terms=n_in,
            last=n_out - 1,
            left=parts.row(of, at.token),
            right=call("INDEX", parts.weight(f"{name}.w"), 0, next_column),
            gain=gain,
            bias=parts.of_vector(f"{name}.b"),
        )

    last_block = f"h.{config.n_layer - 1}.mlp.residual"
    of_entry = None if head.bias is None else call("INDEX", head.bias, next_column, 1)
    return (
        norm("ln_1", "input"),
        linear("attn.c_attn", "ln_1", d, 3 * d),
        SeenStep(
            "attn.scores",
            area("attn.scores"),
            parts.cell("attn.scores", own_head),
            terms=d_head,
            left=parts.row("attn.q", at.token),
            right=parts.row("attn.k", at.column),
            in_heads=d_head,
        ),
        SeenStep(
            "attn.weights",
            area("attn.weights"),
            parts.cell("attn.weights", own_head),
            terms=ALL_SEEN,
            left=parts.row("attn.scores", at.token),
            in_heads=context,
        ),
        SeenStep(
            "attn.heads",
            area("attn.heads"),
            parts.cell("attn.heads", next_column),
            terms=ALL_SEEN,
            last=d - 1,
            left=parts.row("attn.weights", at.token),
            right=call("INDEX", parts.step("attn.v"), 0, next_column),
            in_heads=context,
            gain=switch("switches.heads", call("INT", at.column / d_head) + 1),
        ),
        linear("attn.c_proj", "attn.heads", d, d),
        norm("ln_2", "attn.residual"),
        linear("mlp.c_fc", "ln_2", d, config.n_inner),
        SeenStep(
            "mlp.gelu",
            area("mlp.gelu"),
            parts.cell("mlp.gelu", next_column),
            last=config.n_inner - 1,
        ),
        linear("mlp.c_proj", "mlp.gelu", config.n_inner, d, switch("switches.mlp", 1)),
        norm("ln_f", last_block),
        SeenStep(
            "logits",
            area("logits"),
            call("INDEX", parts.step("logits"), next_column, at.token),
            terms=d,
            last=config.n_vocab - 1,
            left=parts.row("ln_f", at.token),
            right=call("INDEX", head.matrix, next_column, 0).T,
            bias=of_entry,
        ),
        SeenStep(
            "softmax",
            area("softmax"),
            call("INDEX", parts.step("softmax"), next_column, at.token),
            last=config.n_vocab - 1,
        ),
    )
