"""The tensors of a GPT-2: their names, their order and their shapes.

Weights travel as a flat mapping from name to array. The names are those of OpenAI's own
checkpoint, so that they read like its code: `h.0.attn.c_attn.w` is the matrix, `.b` the bias;
`.g` and `.b` are a layer norm's gain and bias. Matrices multiply from the right,
`x @ w + b`, hence [in, out].
"""

from sheetgpt.gpt2.config import Config


def kind(name: str) -> str:
    """What the tensors of all blocks have in common: `h.3.attn.c_attn.b` -> `attn.c_attn.b`."""
    return name.split(".", 2)[2] if name.startswith("h.") else name


def shapes(config: Config) -> dict[str, tuple[int, ...]]:
    """Every tensor the model needs, in the order of the forward pass, with its shape."""
    n_vocab, n_ctx, n_embd, n_inner = config.n_vocab, config.n_ctx, config.n_embd, config.n_inner
    block: dict[str, tuple[int, ...]] = {
        "ln_1.g": (n_embd,),
        "ln_1.b": (n_embd,),
        "attn.c_attn.w": (n_embd, 3 * n_embd),
        "attn.c_attn.b": (3 * n_embd,),
        "attn.c_proj.w": (n_embd, n_embd),
        "attn.c_proj.b": (n_embd,),
        "ln_2.g": (n_embd,),
        "ln_2.b": (n_embd,),
        "mlp.c_fc.w": (n_embd, n_inner),
        "mlp.c_fc.b": (n_inner,),
        "mlp.c_proj.w": (n_inner, n_embd),
        "mlp.c_proj.b": (n_embd,),
    }
    tensors: dict[str, tuple[int, ...]] = {"wte": (n_vocab, n_embd), "wpe": (n_ctx, n_embd)}
    for b in range(config.n_layer):
        tensors |= {f"h.{b}.{name}": shape for name, shape in block.items()}
    tensors |= {"ln_f.g": (n_embd,), "ln_f.b": (n_embd,)}
    if not config.tie_word_embeddings:
        tensors["lm_head.w"] = (n_vocab, n_embd)
    if config.head_bias:
        tensors["lm_head.b"] = (n_vocab, 1)  # a column, for a vocabulary is longer than a row
    return tensors
