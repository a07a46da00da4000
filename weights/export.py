"""Writes a trained model as Hugging Face writes GPT-2, and its evaluation beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from model import Size, Weights, checkpoint_tensors
from safetensors.torch import save_file


@torch.no_grad()
def rounded(weights: Weights, decimals: int = 4) -> Weights:
    """Four decimals keep the workbook small; everything is measured with these."""
    return {
        name: (weight.double() * 10**decimals).round().div(10**decimals).float()
        for name, weight in weights.items()
    }


def hugging_face_config(size: Size) -> dict[str, Any]:
    end = size.n_vocab - 1
    return {
        "activation_function": "gelu_new",
        "architectures": ["GPT2LMHeadModel"],
        "attn_pdrop": 0.0,
        "bos_token_id": end,
        "dtype": "float32",
        "embd_pdrop": 0.0,
        "eos_token_id": end,
        "initializer_range": 0.02,
        "layer_norm_epsilon": 1e-05,
        "model_type": "gpt2",
        "n_ctx": size.n_positions,
        "n_embd": size.n_embd,
        "n_head": size.n_head,
        "n_inner": size.n_inner,
        "n_layer": size.n_layer,
        "n_positions": size.n_positions,
        "resid_pdrop": 0.0,
        "tie_word_embeddings": True,
        "vocab_size": size.n_vocab,
    }


def write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")


def write_model(folder: Path, weights: Weights, size: Size) -> None:
    """config.json and model.safetensors; the vocabulary is in the folder already."""
    tensors = checkpoint_tensors(weights)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)  # safetensors leaves it to the owner alone
    write_json(folder / "config.json", hugging_face_config(size))


def count(weights: Weights) -> int:
    return sum(weight.numel() for weight in weights.values())


def print_report(report: dict[str, Any]) -> None:
    for name, figures in report["families"].items():
        for which, measured in figures.items():
            right = f"{measured['right']}/{measured['prompts']}"
            print(f"{name:20} {which:9} {right:>11} margin from {measured['smallest_margin']}")
    for head in report["heads"]:
        print(head)
