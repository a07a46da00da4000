"""The shape of a GPT-2 (Radford et al. 2019, section 2.3), and of its nearest relatives."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Config:
    """The shape of a GPT-2 (Radford et al. 2019, section 2.3).

    Sizes are counts: tokens in the vocabulary, positions in the context, width of the
    residual stream, heads, blocks, and width of the MLP's hidden layer. Only what stands behind
    `tie_word_embeddings` differs from GPT-2's own computation, where it is not the default.
    """

    n_vocab: int
    n_ctx: int
    n_embd: int
    n_head: int
    n_layer: int
    n_inner: int
    layer_norm_epsilon: float
    activation_function: str  # "gelu_new" (tanh), "gelu" (erf), "relu", "silu" or "quick_gelu"
    tie_word_embeddings: bool  # the output head is `wte` itself
    head_bias: bool = False  # each token has a number that is added to its logit
    scale_attn_weights: bool = True  # scores are divided by the root of a head's width
    scale_attn_by_inverse_layer_idx: bool = False  # and by the number of the block, from 1
    # Of each block, how many tokens one sees, itself included (GPT-Neo's local attention); 0 is
    # all of them, and no numbers at all mean 0 for every block.
    windows: tuple[int, ...] = ()

    @property
    def d_head(self) -> int:
        """Width of one head's query, key and value."""
        return self.n_embd // self.n_head

    def window(self, block: int) -> int:
        """How many tokens one sees in this block, itself included; 0: all up to it."""
        return self.windows[block] if self.windows else 0
