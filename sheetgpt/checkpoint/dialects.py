"""What people call the tensors of a GPT-2, and how its names and shapes tell which model it is.

Every name is cut into three: where it stands (a part of the whole, or of a block), which part it
is, and which tensor of that part. The tables say what each of the three is called: by OpenAI and
Hugging Face, in nanoGPT, minGPT and makemore, in lectures and books, and in MLX.

Our own names are those of `gpt2/weights.py`. Besides them there are here `attn.q`, `attn.k` and
`attn.v`, where a model keeps them apart, and `attn.q@0` and so on, where each head does.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# What may stand before any name: the compiler's and parallel training's, and the model's own.
WRAPPERS = r"_orig_mod|module|_forward_module|model|transformer|gpt|gpt2|net|decoder|backbone|lm"

# Parts of the whole.
WHOLE = {
    "wte": r"wte|tok_emb|token_emb|tok_embd|tok_embed|token_embedding|tok_embedding|token_embed"
    r"|token_embeddings|token_embedding_table|embed_tokens|embedding|tokens_embed",
    "wpe": r"wpe|pos_emb|position_emb|pos_embd|pos_embed|position_embedding|pos_embedding"
    r"|position_embed|position_embeddings|position_embedding_table|embed_positions"
    r"|positions_embed|pos_embedding_table",
    "ln_f": r"ln_f|lnf|ln_final|final_norm|norm_f|final_layer_norm|final_ln|layer_norm|norm|ln",
    "lm_head": r"lm_head|head|out_head|output_head|out_proj|output|unembed|fc_out|to_logits"
    r"|output_projection|proj_out|final_linear",
}

BLOCK = (
    r"(?:h|blocks?|layers?|trf_blocks|transformer_blocks|decoder_blocks|resblocks"
    r"|blocks\.layers|h\.layers)\.(?P<block>\d+)\."
)

# Parts of a block.
ATTENTION = (
    r"(?:(?:attn\.attention|attn|attention|sa|sa_heads?|att|mha|self_attn|self_attention|multi_head"
    r"|multi_head_attention|csa|masked_attn|masked_attention|causal_attn)\.)"
)
HEAD = r"(?:heads?|sa_heads|attention_heads)\.(?P<head>\d+)\."
MLP = r"(?:(?:mlp|mlpf|ffwd|ff|ffn|ffw|feed_forward|feedforward|feed_fwd)\.)"
SEQUENCE = r"(?:(?:net|layers|net\.layers|seq|sequential|main|model|mlp|ffn)\.)?"
LETTER = {
    letter: rf"{word}|{letter}|{letter}_proj|{word}_proj|W_{word}|W_{letter}|w{letter}|w_{letter}"
    rf"|to_{letter}|c_{letter}|{letter}_linear|linear_{letter}|{letter}_layer|proj_{letter}"
    for letter, word in (("q", "query"), ("k", "key"), ("v", "value"))
}
PARTS = {
    "ln_1": r"ln_1|ln1|layer_norm_1|layernorm_1|layernorm1|layer_norm1|norm1|norm_1|attn_norm"
    r"|norm_attn|attn_ln|ln_attn|attention_norm",
    "ln_2": r"ln_2|ln2|layer_norm_2|layernorm_2|layernorm2|layer_norm2|norm2|norm_2|mlp_norm"
    r"|norm_mlp|mlp_ln|ln_mlp|ffn_norm|ff_norm|ffwd_norm",
    "attn.c_attn": rf"{ATTENTION}(?:c_attn|qkv|qkv_proj|in_proj|Wqkv|W_qkv|w_qkv|to_qkv)",
    **{f"attn.{letter}": rf"{ATTENTION}(?:{HEAD})?(?:{word})" for letter, word in LETTER.items()},
    "attn.c_proj": rf"{ATTENTION}(?:c_proj|proj|out_proj|o_proj|output_proj|projection|W_o|wo|W_out"
    r"|out|to_out|fc_out|linear|fc|dense|resid_proj)",
    "mlp.c_fc": rf"{MLP}(?:c_fc|{SEQUENCE}0|fc1|fc_1|fc|linear1|linear_1|lin1|fc_in|up_proj|up|w1"
    r"|expand|c_fc1)|linear1",
    "mlp.c_proj": rf"{MLP}(?:c_proj|{SEQUENCE}2|fc2|fc_2|proj|linear2|linear_2|lin2|fc_out"
    r"|down_proj|down|w2|contract|c_fc2)|linear2",
}
TENSORS = {"weight": "w", "w": "w", "scale": "g", "gamma": "g", "g": "g", "gain": "g",
           "bias": "b", "b": "b", "shift": "b", "beta": "b"}  # fmt: skip

_NAME = re.compile(
    rf"(?:(?:{WRAPPERS})\.)*"
    + r"(?:"
    + "|".join(rf"(?P<w{i}>{names})" for i, names in enumerate(WHOLE.values()))
    + rf"|{BLOCK}(?:"
    + "|".join(
        # One group name can stand only once in a pattern.
        rf"(?P<p{i}>{names})".replace("(?P<head>", f"(?P<head{i}>")
        for i, names in enumerate(PARTS.values())
    )
    + rf"))(?:\.(?P<tensor>{'|'.join(TENSORS)}))?"
)

# Tensors that may stand beside the model's own without changing what it computes: masks, the
# numbers of positions, and heads that only read the last state.
HARMLESS = re.compile(
    r"(.*\.)?(tril|triu|mask|causal_mask|attn_mask|masked_bias|position_ids|pos_ids)"
    r"|(.*\.)?(attn|attention|att|sa|mha)\.bias"  # of two or more axes: `is_mask` looks
    r"|(score|classifier|multiple_choice_head|v_head)\..+"
)


def part_of(name: str) -> str | None:
    """The name that a tensor has here, or None for one that no GPT-2 has.

    `transformer.h.0.attn.c_attn.weight` -> `h.0.attn.c_attn.w`,
    `blocks.0.sa.heads.1.key.weight` -> `h.0.attn.k@1`, `model/h0/ln_1/g` -> `h.0.ln_1.g`.
    """
    dotted = re.sub(r"^model\.h(\d+)\.", r"h.\1.", name.replace("/", "."))
    found = _NAME.fullmatch(dotted)
    if not found:
        return None
    groups = found.groupdict()
    tensor = TENSORS.get(groups["tensor"] or "", "")
    for i, part in enumerate(WHOLE):
        if groups[f"w{i}"]:
            return _tensor_of(part, tensor)
    i, part = next((i, part) for i, part in enumerate(PARTS) if groups[f"p{i}"])
    head = groups.get(f"head{i}")
    of_head = "" if head is None else f"@{int(head)}"
    return f"h.{int(groups['block'])}.{_tensor_of(part, tensor)}{of_head}"


def _tensor_of(part: str, tensor: str) -> str:
    """A part's tensor: an embedding is one, a norm has a gain, the others a matrix."""
    if part in ("wte", "wpe"):
        return part
    if part.startswith("ln_"):
        return f"{part}.{'b' if tensor == 'b' else 'g'}"
    return f"{part}.{'b' if tensor == 'b' else 'w'}"


def without_wrappers(name: str) -> str:
    """A tensor's name as people know it: `transformer.wte.weight` -> `wte.weight`."""
    return re.sub(rf"^(?:(?:{WRAPPERS})\.)+", "", name)


def is_harmless(name: str, shape: tuple[int, ...]) -> bool:
    """Whether a tensor changes nothing. A mask has two axes or more, a bias of that name one."""
    short = without_wrappers(name)
    if not HARMLESS.fullmatch(short):
        return False
    return not short.endswith(".bias") or len(shape) >= 2 or "masked" in short


# --- what names do not say ----------------------------------------------------------------------


@dataclass(frozen=True)
class Dialect:
    """Who writes such checkpoints, and the activation that their model has."""

    whose: str
    activation: str


def dialect_of(names: Iterable[str], settings: Mapping[str, object], suffix: str) -> Dialect:
    """Whose model this is: the activation function leaves no trace in the weights.

    names: of the tensors as they are stored. settings: what stands beside them in the file.
    suffix: of the file.
    """
    names = list(names)

    def any_of(pattern: str) -> bool:
        return any(re.search(pattern, name) for name in names)

    if "model_args" in settings:  # it had the approximation until it learned to leave out biases
        return Dialect("nanoGPT", "gelu" if "bias" in settings else "gelu_new")
    if any_of(r"token_embedding_table|\bffwd\.net\.0|\bsa\.heads\."):
        return Dialect("the lecture “Let's build GPT”", "relu")
    if any_of(r"\bblocks\.\d+\.mlp\.0\."):
        return Dialect("the first minGPT", "gelu")
    if any_of(r"\btrf_blocks\."):
        return Dialect("the book “Build a Large Language Model (From Scratch)”", "gelu_new")
    if any_of(r"\.linear1\.weight"):
        return Dialect("TransformerEncoder", "relu")
    if suffix == ".npz":
        return Dialect("MLX", "gelu")
    return Dialect("GPT-2, minGPT and makemore", "gelu_new")
