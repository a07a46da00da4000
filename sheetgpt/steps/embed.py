"""Text and position embeddings: each token becomes a row of numbers."""

from sheetgpt.formula.expr import Call, Expr, Range, call
from sheetgpt.steps.step import Step


def embed(step: Step, token_id: Expr, wte: Range, wpe: Range) -> Expr:
    """[1, 1] -> [1, n_embd] for each token."""
    text = step("embed.text", call("INDEX", wte, token_id + 1, 0))
    position = step("embed.position", Call("row", (wpe,)))
    return text + position
