"""What other programs call the tensors of a GPT-2; our own names are those of `gpt2/weights.py`."""

import re

PREFIX = "transformer."  # may stand before each of Hugging Face's names but that of the head


def checkpoint_name(name: str) -> str:
    """Our name of a tensor -> Hugging Face's, without its optional `transformer.` prefix.

    `wte` -> `wte.weight`, `h.0.ln_1.g` -> `h.0.ln_1.weight`, `….b` -> `….bias`.
    """
    if name in ("wte", "wpe"):
        return f"{name}.weight"
    return re.sub(r"\.b$", ".bias", re.sub(r"\.[gw]$", ".weight", name))


def canonical_name(name: str) -> str:
    """Hugging Face's name of a tensor, without prefix -> ours; the inverse of checkpoint_name."""
    if name in ("wte.weight", "wpe.weight"):
        return name.removesuffix(".weight")
    gain_or_matrix = r"\1.g" if re.search(r"ln_\w+\.weight$", name) else r"\1.w"
    return re.sub(r"\.bias$", ".b", re.sub(r"(.)\.weight$", gain_or_matrix, name))


def openai_name(name: str) -> str:
    """Our name of a tensor -> the variable in OpenAI's TensorFlow checkpoint.

    `wte` -> `model/wte`, `h.0.attn.c_attn.w` -> `model/h0/attn/c_attn/w`.
    """
    return "model/" + re.sub(r"^h\.", "h", name).replace(".", "/")
