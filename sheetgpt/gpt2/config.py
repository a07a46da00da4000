"""The shape of a GPT-2 (Radford et al. 2019, section 2.3)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Config:
    """The shape of a GPT-2 (Radford et al. 2019, section 2.3).

    Sizes are counts: tokens in the vocabulary, positions in the context, width of the
    residual stream, heads, blocks, and width of the MLP's hidden layer.
    """

    n_vocab: int
    n_ctx: int
    n_embd: int
    n_head: int
    n_layer: int
    n_inner: int
    layer_norm_epsilon: float
    activation_function: str  # "gelu_new" (tanh), "gelu" (erf) or "relu"
    tie_word_embeddings: bool  # the output head is `wte` itself

    @property
    def d_head(self) -> int:
        """Width of one head's query, key and value."""
        return self.n_embd // self.n_head
