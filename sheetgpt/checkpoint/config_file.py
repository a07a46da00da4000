"""What a checkpoint's `config.json` says about its model, as far as it changes a number."""

from collections.abc import Mapping

from sheetgpt.errors import CheckpointError, shown
from sheetgpt.gpt2.config import Config

# The spellings of every size, the deciding one first: Hugging Face's, its aliases, and
# OpenAI's (hparams.json). transformers takes n_positions and ignores n_ctx where both stand.
SIZES = {
    "n_vocab": ("vocab_size", "n_vocab"),
    "n_ctx": ("n_positions", "max_position_embeddings", "n_ctx"),
    "n_embd": ("n_embd", "hidden_size"),
    "n_head": ("n_head", "num_attention_heads"),
    "n_layer": ("n_layer", "num_hidden_layers"),
}

# Names that transformers uses for one and the same function -> ours.
ACTIVATIONS = {
    "gelu_new": "gelu_new",  # GELU's approximation by tanh, which GPT-2 was trained with
    "gelu_pytorch_tanh": "gelu_new",
    "gelu_python_tanh": "gelu_new",
    "gelu_accurate": "gelu_new",
    "gelu": "gelu",  # GELU by the error function
    "gelu_python": "gelu",
    "relu": "relu",
}

# Settings that would make it another computation, with the one value that leaves it GPT-2's.
FIXED = {
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
    "add_cross_attention": False,
    "is_causal": True,
    "is_encoder_decoder": False,
}

# Settings that name something to be done to the weights or heads: absent, null or empty is fine.
ABSENT = ("quantization_config", "pruned_heads")

DTYPES = ("float16", "bfloat16", "float32", "float64", "auto")


def from_json(mapping: Mapping[str, object], where: str) -> Config:
    """Read Hugging Face's `config.json` or OpenAI's `hparams.json`, already parsed.

    `where` names the file in messages. Sizes must be given; whatever else is absent has
    transformers' default. Raises CheckpointError for anything that is not GPT-2.
    """
    _refuse_other_computations(mapping, where)
    sizes = {name: _size(mapping, spellings, where) for name, spellings in SIZES.items()}
    if sizes["n_embd"] % sizes["n_head"]:
        raise CheckpointError(
            f"{where}: n_embd is {sizes['n_embd']}, which n_head {sizes['n_head']} does not "
            "divide; GPT-2's heads share the width evenly, so one of the two must be corrected"
        )
    n_inner = 4 * sizes["n_embd"]
    if mapping.get("n_inner") is not None:
        n_inner = _size(mapping, ("n_inner",), where)
    return Config(
        **sizes,
        n_inner=n_inner,
        layer_norm_epsilon=_epsilon(mapping, where),
        activation_function=_activation(mapping, where),
        tie_word_embeddings=_flag(mapping, "tie_word_embeddings", True, where),
    )


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
    }


def _refuse_other_computations(mapping: Mapping[str, object], where: str) -> None:
    model_type = mapping.get("model_type", "gpt2")
    if model_type != "gpt2":
        raise CheckpointError(
            f"{where}: model_type is {shown(model_type)}, but only 'gpt2' is supported; "
            "give the directory of a GPT-2 checkpoint"
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


def _epsilon(mapping: Mapping[str, object], where: str) -> float:
    value = mapping.get("layer_norm_epsilon", 1e-5)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e300:
        return float(value)
    raise CheckpointError(
        f"{where}: layer_norm_epsilon is {shown(value)}, expected a positive number such as 1e-05"
    )


def _activation(mapping: Mapping[str, object], where: str) -> str:
    value = mapping.get("activation_function", "gelu_new")
    if not isinstance(value, str) or value not in ACTIVATIONS:
        raise CheckpointError(
            f"{where}: activation_function is {shown(value)}, but only gelu_new, gelu and relu are "
            "supported; give a checkpoint trained with one of these"
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
