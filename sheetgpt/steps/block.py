"""One transformer block in sixteen steps (Vaswani et al. 2017; pre-norm as in GPT-2)."""

from collections.abc import Callable
from dataclasses import dataclass

from sheetgpt.formula.expr import EACH, Expr, Range, heads, past, split
from sheetgpt.steps.mathematics import logistic, normal, pi, sqrt, tanh
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


@dataclass(frozen=True)
class Attention:
    """How the tokens of one block attend.

    scaled: whether scores are divided by the root of a head's width, as in the paper.
    divisor: what they are divided by besides.
    window: how many tokens one sees, itself included; 0: all up to it.
    """

    n_head: int
    scaled: bool = True
    divisor: int = 1
    window: int = 0


@dataclass(frozen=True)
class Switches:
    """What each head, [1, n_head], and the MLP, [1, 1], is multiplied by where it writes.

    1 leaves a part as it was learned, 0 turns it off.
    """

    heads: Range
    mlp: Range

    def of_heads(self) -> list[Range]:
        area = self.heads.area
        return [
            Range(area.columns(head, head + 1), self.heads.name, EACH)
            for head in range(area.shape[1])
        ]


def block(
    step: Step,
    x: Expr,
    h: Weights,
    how: Attention,
    activation: str,
    epsilon: Expr,
    switches: Switches | None = None,
) -> Expr:
    """[1, n_embd] -> [1, n_embd] for each token; t is the number of tokens that it sees.

    switches: None where nothing can be turned off, which is as if all of them were 1.
    """
    x = step("input", x)  # [1, n_embd]

    # Attention: each token reads from itself and the tokens before it.
    ln_1 = layer_norm(step, "ln_1", x, h, epsilon)  # [1, n_embd]
    c_attn = step("attn.c_attn", linear(ln_1, h, "attn.c_attn"))  # [1, 3 n_embd]
    part_q, part_k, part_v = split(c_attn, 3)  # [1, n_embd] each
    q = heads(step("attn.q", part_q), how.n_head)  # n_head of [1, d_head]
    k = heads(step("attn.k", part_k), how.n_head)  # n_head of [1, d_head]
    v = heads(step("attn.v", part_v), how.n_head)  # n_head of [1, d_head]
    scores = heads(  # n_head of [1, t]
        step("attn.scores", *(score(q_i, k_i, how) for q_i, k_i in zip(q, k, strict=True))),
        how.n_head,
    )
    weights = heads(  # n_head of [1, t]
        step("attn.weights", *(softmax(scores_i) for scores_i in scores)), how.n_head
    )
    attended = step(  # [1, n_embd], the heads side by side
        "attn.heads",
        *(
            switched(w_i @ past(v_i, how.window), s_i)
            for w_i, v_i, s_i in zip(
                weights, v, switches.of_heads() if switches else [None] * how.n_head, strict=True
            )
        ),
    )
    c_proj = step("attn.c_proj", linear(attended, h, "attn.c_proj"))  # [1, n_embd]
    x = step("attn.residual", x + c_proj)  # [1, n_embd]

    # MLP: each token thinks about what it has read, on its own.
    ln_2 = layer_norm(step, "ln_2", x, h, epsilon)  # [1, n_embd]
    c_fc = step("mlp.c_fc", linear(ln_2, h, "mlp.c_fc"))  # [1, n_inner]
    active = step("mlp.gelu", ACTIVATIONS[activation](c_fc))  # [1, n_inner]
    c_proj = step(  # [1, n_embd]
        "mlp.c_proj", switched(linear(active, h, "mlp.c_proj"), switches.mlp if switches else None)
    )
    return step("mlp.residual", x + c_proj)  # [1, n_embd]


def switched(part: Expr, switch: Range | None) -> Expr:
    """What a part of a block writes; of a head, what it gives to the output projection.

    That is the same, for the projection is linear. Its bias belongs to no head, that of the MLP's
    to the MLP.
    """
    return part if switch is None else part * switch


def score(q: Expr, k: Expr, how: Attention) -> Expr:
    """How well the token's query goes with each key that it sees: [1, d_head] twice -> [1, t]."""
    scores: Expr = q @ past(k, how.window).T  # [1, t]
    if how.scaled:
        scores = scores / sqrt(q.shape[1])
    return scores if how.divisor == 1 else scores / how.divisor


def gelu_tanh(x: Expr) -> Expr:
    """GELU's approximation by tanh, which GPT-2 was trained with (Hendrycks and Gimpel 2016)."""
    return 0.5 * x * (1 + tanh(sqrt(2 / pi()) * (x + 0.044715 * x**3)))


def gelu(x: Expr) -> Expr:
    """GELU itself: x times the normal distribution's probability of a value below x."""
    return x * normal(x)


def quick_gelu(x: Expr) -> Expr:
    """GELU's approximation by the logistic function (Hendrycks and Gimpel 2016)."""
    return x * logistic(1.702 * x)


def silu(x: Expr) -> Expr:
    """x times the logistic function of it (Elfwing et al. 2017)."""
    return x * logistic(x)


def relu(x: Expr) -> Expr:
    return x * (x > 0)


ACTIVATIONS: dict[str, Callable[[Expr], Expr]] = {
    "gelu_new": gelu_tanh,
    "gelu": gelu,
    "quick_gelu": quick_gelu,
    "silu": silu,
    "relu": relu,
}
