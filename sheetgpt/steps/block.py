"""One transformer block in sixteen steps (Vaswani et al. 2017; pre-norm as in GPT-2)."""

from collections.abc import Callable

from sheetgpt.formula.expr import Expr, call, past, split
from sheetgpt.steps.step import Step, Weights, layer_norm, linear, softmax

# The names of the steps, numbered as they are numbered on the tab.
SIXTEEN: tuple[tuple[str, ...], ...] = (
    ("input",),
    ("ln_1.normal",),
    ("ln_1",),
    ("attn.c_attn",),
    ("attn.q", "attn.k", "attn.v"),
    ("attn.scores",),
    ("attn.weights",),
    ("attn.heads",),
    ("attn.c_proj",),
    ("attn.residual",),
    ("ln_2.normal",),
    ("ln_2",),
    ("mlp.c_fc",),
    ("mlp.gelu",),
    ("mlp.c_proj",),
    ("mlp.residual",),
)


def block(step: Step, x: Expr, h: Weights, n_head: int, activation: str, epsilon: Expr) -> Expr:
    """[1, n_embd] -> [1, n_embd] for each token."""
    x = step("input", x)

    # Attention: each token reads from itself and the tokens before it.
    ln_1 = layer_norm(step, "ln_1", x, h, epsilon)
    c_attn = step("attn.c_attn", linear(ln_1, h, "attn.c_attn"))  # [1, 3 n_embd]
    q, k, v = (
        step(f"attn.{name}", part) for name, part in zip("qkv", split(c_attn, 3), strict=True)
    )
    heads = list(zip(*(split(part, n_head, "ᵢ") for part in (q, k, v)), strict=True))
    scores = step(
        "attn.scores",
        *(q @ past(k).T / call("SQRT", q.shape[1]) for q, k, v in heads),  # n_head of [1, t]
    )
    weights = step("attn.weights", *(softmax(score) for score in split(scores, n_head, "ᵢ")))
    attended = step(
        "attn.heads",
        *(w @ past(v) for w, (q, k, v) in zip(split(weights, n_head, "ᵢ"), heads, strict=True)),
    )
    c_proj = step("attn.c_proj", linear(attended, h, "attn.c_proj"))
    x = step("attn.residual", x + c_proj)

    # MLP: each token thinks about what it has read, on its own.
    ln_2 = layer_norm(step, "ln_2", x, h, epsilon)
    c_fc = step("mlp.c_fc", linear(ln_2, h, "mlp.c_fc"))  # [1, n_inner]
    gelu = step("mlp.gelu", ACTIVATIONS[activation](c_fc))
    c_proj = step("mlp.c_proj", linear(gelu, h, "mlp.c_proj"))
    return step("mlp.residual", x + c_proj)


def _gelu_tanh(x: Expr) -> Expr:
    """GELU's approximation by tanh, which GPT-2 was trained with (Hendrycks and Gimpel 2016)."""
    curve = call("SQRT", 2 / call("PI")) * (x + 0.044715 * x**3)
    return 0.5 * x * (1 + call("TANH", curve))


def _gelu(x: Expr) -> Expr:
    """GELU itself: x times the normal distribution's probability of a value below x."""
    return x * call("NORMSDIST", x)


def _relu(x: Expr) -> Expr:
    return x * (x > 0)


ACTIVATIONS: dict[str, Callable[[Expr], Expr]] = {
    "gelu_new": _gelu_tanh,
    "gelu": _gelu,
    "relu": _relu,
}
