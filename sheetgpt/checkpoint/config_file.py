"""What a checkpoint's `config.json` says about its model, as far as it changes a number.

GPT-2's is read, and that of GPT-Neo (model_type gpt_neo; Black et al. 2021, after whom TinyStories'
models are built; Eldan and Li 2023): GPT-2 with unscaled attention, of which some is local.
"""

from collections.abc import Mapping

from sheetgpt.errors import CheckpointError, shown
from sheetgpt.gpt2.config import Config

# The spellings of every size, the deciding one first: Hugging Face's, its aliases, OpenAI's
# (hparams.json), and those of what people write themselves. transformers takes n_positions and
# ignores n_ctx where both stand.
SIZES = {
    "n_vocab": ("vocab_size", "n_vocab"),
    "n_ctx": (
        *("n_positions", "max_position_embeddings", "n_ctx", "block_size", "context_length"),
        *("max_seq_len", "seq_len", "context_size", "ctx_len"),
    ),
    "n_embd": ("n_embd", "hidden_size", "emb_dim", "d_model", "embed_dim"),
    "n_head": ("n_head", "num_attention_heads", "num_heads", "n_heads"),
    "n_layer": ("n_layer", "num_hidden_layers", "num_layers", "n_layers"),
    "n_inner": ("n_inner", "intermediate_size"),
}
ACTIVATION = ("activation_function", "hidden_act", "activation")

WINDOW = 256  # tokens that one sees in a local block of GPT-Neo, where it does not say

# Names that transformers uses for one and the same function -> ours.
ACTIVATIONS = {
    "gelu_new": "gelu_new",  # GELU's approximation by tanh, which GPT-2 was trained with
    "gelu_pytorch_tanh": "gelu_new",
    "gelu_python_tanh": "gelu_new",
    "gelu_accurate": "gelu_new",
    "gelu_fast": "gelu_new",  # with √(2/π) cut to ten digits, which changes a number by 4e-12
    "gelu": "gelu",  # GELU by the error function
    "gelu_python": "gelu",
    "quick_gelu": "quick_gelu",
    "relu": "relu",
    "silu": "silu",
    "swish": "silu",
}

FLAGS = ("tie_word_embeddings", "scale_attn_weights", "scale_attn_by_inverse_layer_idx")
EPSILON = ("layer_norm_epsilon", "layer_norm_eps")
OURS = tuple(dict.fromkeys(ACTIVATIONS.values()))

MOST_BLOCKS = 10_000  # that a configuration may speak of in short

# Settings that would make it another computation, with the one value that leaves it GPT-2's.
FIXED = {
    "add_cross_attention": False,
    "is_causal": True,
    "is_encoder_decoder": False,
}

# Settings that name something to be done to the weights or heads: absent, null or empty is fine.
ABSENT = ("quantization_config", "pruned_heads")

# Types that are a GPT-2 under another name; other models are told by what they are.
MODEL_TYPES = ("gpt2", "gpt_neo")
LLAMA = "rotary positions and RMS norms"
OTHER_MODELS = {
    "llama": LLAMA, "mistral": LLAMA, "qwen2": LLAMA, "qwen3": LLAMA, "gemma": LLAMA,
    "phi": "rotary positions", "gpt_neox": "rotary positions", "gptj": "rotary positions",
    "bloom": "positions by slopes (ALiBi)", "mpt": "positions by slopes (ALiBi)",
    "opt": "positions that begin at the third row", "bert": "an encoder's attention to both sides",
    "t5": "an encoder and a decoder", "mamba": "no attention",
}  # fmt: skip

DTYPES = ("float16", "bfloat16", "float32", "float64", "auto")


def from_json(mapping: Mapping[str, object], where: str) -> Config:
    """Read Hugging Face's `config.json` or OpenAI's `hparams.json`, already parsed.

    `where` names the file in messages. Sizes must be given; whatever else is absent has
    transformers' default. Raises CheckpointError for anything that is not GPT-2.
    """
    refuse_other_computations(mapping, where)
    sizes = {
        name: _size(mapping, spellings, where)
        for name, spellings in SIZES.items()
        if name != "n_inner"
    }
    if sizes["n_embd"] % sizes["n_head"]:
        raise CheckpointError(
            f"{where}: n_embd is {sizes['n_embd']}, which n_head {sizes['n_head']} does not "
            "divide; GPT-2's heads share the width evenly, so one of the two must be corrected"
        )
    n_inner = 4 * sizes["n_embd"]
    if any(mapping.get(name) is not None for name in SIZES["n_inner"]):
        n_inner = _size(mapping, SIZES["n_inner"], where)
    is_neo = mapping.get("model_type") == "gpt_neo"
    return Config(
        **sizes,
        n_inner=n_inner,
        layer_norm_epsilon=_epsilon(mapping, where),
        activation_function=_activation(mapping, where),
        tie_word_embeddings=_flag(mapping, "tie_word_embeddings", True, where),
        head_bias=_flag(mapping, "head_bias", False, where),
        scale_attn_weights=_flag(mapping, "scale_attn_weights", not is_neo, where),
        scale_attn_by_inverse_layer_idx=_flag(
            mapping, "scale_attn_by_inverse_layer_idx", False, where
        ),
        windows=_windows(mapping, sizes["n_layer"], where),
    )


def settings_of(mapping: Mapping[str, object]) -> dict[str, object]:
    """What a person's own settings say of the model: what is known here, wherever it stands.

    minGPT's `config.json` has it under `model`; its `model_type` is a size, such as `gpt-mini`.
    """
    found: dict[str, object] = {}
    for inner in ("model", "model_config", "model_args", "config"):
        said = mapping.get(inner)
        if isinstance(said, dict):
            found |= settings_of(said)
    known = {name for names in SIZES.values() for name in names} | {*ACTIVATION, *FLAGS, *EPSILON}
    return found | {
        name: value for name, value in mapping.items() if name in known and value is not None
    }


def states(mapping: Mapping[str, object], size: str) -> bool:
    """Whether a configuration says a size, under any of its names."""
    return any(mapping.get(name) is not None for name in SIZES[size])


def states_activation(mapping: Mapping[str, object]) -> bool:
    return any(mapping.get(name) is not None for name in ACTIVATION)


def completed(
    stated: Mapping[str, object], measured: Mapping[str, int], aside: Mapping[str, object]
) -> dict[str, object]:
    """A configuration with the sizes that it does not state.

    measured: those of the shapes, which are sure. aside: what stands beside the weights.
    """
    found = {name: value for name, value in aside.items() if stated.get(name) is None}
    found |= {name: value for name, value in stated.items() if value is not None}
    for spellings in SIZES.values():
        size = next((measured[name] for name in spellings if name in measured), None)
        if size is not None and not any(stated.get(name) is not None for name in spellings):
            found = {name: value for name, value in found.items() if name not in spellings}
            found[spellings[0]] = size
    return found


def to_json(config: Config) -> dict[str, object]:
    """Hugging Face's `config.json` for this model; `from_json` reads the same config back."""
    return {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "vocab_size": config.n_vocab,
        "n_positions": config.n_ctx,
        "n_ctx": config.n_ctx,
        "n_embd": config.n_embd,
        "n_head": config.n_head,
        "n_layer": config.n_layer,
        "n_inner": config.n_inner,
        "layer_norm_epsilon": config.layer_norm_epsilon,
        "activation_function": config.activation_function,
        "tie_word_embeddings": config.tie_word_embeddings,
        "scale_attn_weights": config.scale_attn_weights,
        "scale_attn_by_inverse_layer_idx": config.scale_attn_by_inverse_layer_idx,
        # What transformers' GPT-2 does not know, under names of our own.
        **({"head_bias": True} if config.head_bias else {}),
        **({"attention_windows": list(config.windows)} if config.windows else {}),
    }


def refuse_other_computations(mapping: Mapping[str, object], where: str) -> None:
    """Raise CheckpointError for a model that is no GPT-2, or not as it was trained."""
    model_type = mapping.get("model_type", "gpt2")
    if model_type not in MODEL_TYPES:
        its = OTHER_MODELS.get(model_type) if isinstance(model_type, str) else None
        raise CheckpointError(
            f"{where}: model_type is {shown(model_type)}, but only 'gpt2' and 'gpt_neo' are "
            + (f"supported, and that one has {its}; " if its else "supported; ")
            + "give the directory of a GPT-2 checkpoint"
        )
    for name, needed in FIXED.items():
        if _flag(mapping, name, needed, where) is not needed:
            raise CheckpointError(
                f"{where}: {name} is {_json(not needed)}, which is not GPT-2's computation; "
                f"only checkpoints trained with {name} {_json(needed)} are supported"
            )
    for name in ABSENT:
        if mapping.get(name):
            raise CheckpointError(
                f"{where}: {name} is set, but quantised or pruned models are not supported; "
                f"give the original checkpoint, without {name}"
            )
    for name in ("dtype", "torch_dtype"):
        dtype = mapping.get(name)
        if dtype is not None and str(dtype).removeprefix("torch.") not in DTYPES:
            raise CheckpointError(
                f"{where}: {name} is {shown(dtype)}, but weights must be one of "
                f"{', '.join(DTYPES[:-1])}; save the checkpoint again in one of these"
            )


def _size(mapping: Mapping[str, object], spellings: tuple[str, ...], where: str) -> int:
    for name in spellings:
        value = mapping.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise CheckpointError(
                f"{where}: {name} is {shown(value)}, expected a whole number of at least 1; "
                "the file must state the sizes of the model"
            )
        return value
    raise CheckpointError(
        f"{where}: {spellings[0]} is missing, expected a whole number of at least 1; "
        "the file must state the sizes of the model"
    )


def _windows(mapping: Mapping[str, object], n_layer: int, where: str) -> tuple[int, ...]:
    """Of each block how many tokens one sees; nothing where no block is local.

    `attention_layers` names the kind of each block; `attention_types` is the same in short:
    [[["global", "local"], 6]] is six times these two.
    """
    windows = mapping.get("attention_windows")
    if windows is None and mapping.get("model_type") == "gpt_neo":
        listed = mapping.get("attention_layers")
        kinds = listed if isinstance(listed, list) else _kinds(mapping.get("attention_types"))
        size = _size({"window_size": WINDOW, **mapping}, ("window_size",), where)
        windows = [{"global": 0, "local": size}.get(str(kind), -1) for kind in kinds]
    if windows is None:
        return ()
    if not (isinstance(windows, list) and len(windows) == n_layer and all(map(_is_size, windows))):
        raise CheckpointError(
            f"{where}: attention_types or attention_layers does not say of each of {n_layer} "
            "blocks whether it is global or local; give the config.json that belongs to the model"
        )
    return tuple(windows) if any(windows) else ()


def _is_size(value: object) -> bool:
    return type(value) is int and value >= 0


def _kinds(types: object) -> list[object]:
    """The kinds of the blocks, one by one; none where that is not what `types` says."""
    if types is None:
        types = [[["global", "local"], 12]]  # transformers' default, for as many blocks
    found: list[object] = []
    for each in types if isinstance(types, list) else ():
        match each:
            case [list() as kinds, int() as times] if 0 < times <= MOST_BLOCKS:
                found += kinds * times
            case _:
                return []
    return found


def _epsilon(mapping: Mapping[str, object], where: str) -> float:
    value = next((mapping[name] for name in EPSILON if name in mapping), 1e-5)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e300:
        return float(value)
    raise CheckpointError(
        f"{where}: layer_norm_epsilon is {shown(value)}, expected a positive number such as 1e-05"
    )


def _activation(mapping: Mapping[str, object], where: str) -> str:
    name = next((name for name in ACTIVATION if name in mapping), ACTIVATION[0])
    value = mapping.get(name, "gelu_new")
    if not isinstance(value, str) or value not in ACTIVATIONS:
        raise CheckpointError(
            f"{where}: {name} is {shown(value)}, but only {', '.join(OURS)} are supported; "
            "give a checkpoint trained with one of these"
        )
    return ACTIVATIONS[value]


def _flag(mapping: Mapping[str, object], name: str, default: bool, where: str) -> bool:
    value = mapping.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise CheckpointError(f"{where}: {name} is {shown(value)}, expected true or false")
    return value


def _json(value: bool) -> str:
    return "true" if value else "false"
