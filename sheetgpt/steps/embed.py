"""Text and position embeddings: each token becomes a row of numbers."""

from sheetgpt.formula.expr import Expr, Range, call
from sheetgpt.steps.mathematics import row
from sheetgpt.steps.step import Step


def embed(step: Step, token_id: Expr, wte: Range, wpe: Range) -> Expr:
    """[1, 1] -> [1, n_embd] for each token."""
    text = step("embed.text", call("INDEX", wte, token_id + 1, 0))  # [1, n_embd]
    position = step("embed.position", row(wpe))  # [1, n_embd]
    return text + position  # [1, n_embd]
