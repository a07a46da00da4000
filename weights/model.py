"""GPT-2 in PyTorch, as plain functions over a dictionary of tensors.

The names are the checkpoint's. The tensors of all blocks are stacked, `h.*.mlp.c_fc.weight` is
[n_layer, n_embd, n_inner], so that the optimiser handles twelve matrices in one go;
`checkpoint_tensors` takes them apart again.

Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

Weights = dict[str, Tensor]

BLOCK = "h.*."


@dataclass(frozen=True)
class Size:
    """The numbers that fix the shape of every weight."""

    n_vocab: int
    n_positions: int = 64
    n_embd: int = 64
    n_head: int = 4
    n_layer: int = 12
    n_inner: int = 256


def first_weights(size: Size) -> Weights:
    """Random matrices as in GPT-2, biases 0, gains 1, and waves for the positions."""
    n_embd, n_inner = size.n_embd, size.n_inner
    # What is added to the residual stream starts smaller, the more blocks add to it.
    into_residual = 0.02 / math.sqrt(2 * size.n_layer)

    def normal(*shape: int, deviation: float = 0.02) -> Tensor:
        return torch.randn(*shape) * deviation

    def stacked(*shape: int, deviation: float = 0.02) -> Tensor:
        return normal(size.n_layer, *shape, deviation=deviation)

    weights = {
        "wte.weight": normal(size.n_vocab, n_embd),
        "wpe.weight": waves(size.n_positions, n_embd) * 0.02,
        "h.*.ln_1.weight": torch.ones(size.n_layer, n_embd),
        "h.*.ln_1.bias": torch.zeros(size.n_layer, n_embd),
        "h.*.attn.c_attn.weight": stacked(n_embd, 3 * n_embd),
        "h.*.attn.c_attn.bias": torch.zeros(size.n_layer, 3 * n_embd),
        "h.*.attn.c_proj.weight": stacked(n_embd, n_embd, deviation=into_residual),
        "h.*.attn.c_proj.bias": torch.zeros(size.n_layer, n_embd),
        "h.*.ln_2.weight": torch.ones(size.n_layer, n_embd),
        "h.*.ln_2.bias": torch.zeros(size.n_layer, n_embd),
        "h.*.mlp.c_fc.weight": stacked(n_embd, n_inner),
        "h.*.mlp.c_fc.bias": torch.zeros(size.n_layer, n_inner),
        "h.*.mlp.c_proj.weight": stacked(n_inner, n_embd, deviation=into_residual),
        "h.*.mlp.c_proj.bias": torch.zeros(size.n_layer, n_embd),
        "ln_f.weight": torch.ones(n_embd),
        "ln_f.bias": torch.zeros(n_embd),
    }
    return {name: weight.requires_grad_() for name, weight in weights.items()}


def waves(n_positions: int, n_embd: int) -> Tensor:
    """Sines and cosines of growing length: neighbouring positions begin alike."""
    position = torch.arange(n_positions)[:, None]  # [n_positions, 1]
    rate = torch.exp(-math.log(10_000) * torch.arange(0, n_embd, 2) / n_embd)  # [n_embd / 2]
    return torch.cat([torch.sin(position * rate), torch.cos(position * rate)], dim=1)


def blocks(weights: Weights) -> list[Weights]:
    """The stacked weights as one dictionary for each block, names without `h.*.`."""
    taken_apart = {
        name.removeprefix(BLOCK): weight.unbind(0)
        for name, weight in weights.items()
        if name.startswith(BLOCK)
    }
    n_layer = len(taken_apart["ln_1.weight"])
    return [{name: parts[b] for name, parts in taken_apart.items()} for b in range(n_layer)]


def layer_norm(x: Tensor, h: Weights, name: str) -> Tensor:
    weight = h[f"{name}.weight"]
    return functional.layer_norm(x, weight.shape, weight, h[f"{name}.bias"], 1e-5)


def linear(x: Tensor, h: Weights, name: str) -> Tensor:
    """[..., n_in] -> [..., n_out]; GPT-2 keeps its matrices as [n_in, n_out]."""
    weight = h[f"{name}.weight"]
    flat = torch.addmm(h[f"{name}.bias"], x.reshape(-1, x.shape[-1]), weight)
    return flat.view(*x.shape[:-1], weight.shape[1])


def queries_keys_values(x: Tensor, h: Weights, n_head: int) -> list[Tensor]:
    """[rows, n, n_embd] -> three times [rows, n_head, n, n_embd / n_head]."""
    rows, n, n_embd = x.shape
    together = linear(layer_norm(x, h, "ln_1"), h, "attn.c_attn")
    return [
        part.view(rows, n, n_head, n_embd // n_head).transpose(1, 2)
        for part in torch.chunk(together, 3, dim=2)
    ]


def block(x: Tensor, h: Weights, n_head: int) -> Tensor:
    """[rows, n, n_embd] -> the same shape: attention, then the MLP, each added to what came in."""
    q, k, v = queries_keys_values(x, h, n_head)
    heads = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    x = x + linear(heads.transpose(1, 2).reshape(x.shape), h, "attn.c_proj")
    inner = functional.gelu(linear(layer_norm(x, h, "ln_2"), h, "mlp.c_fc"), approximate="tanh")
    return x + linear(inner, h, "mlp.c_proj")


def embed(weights: Weights, ids: Tensor) -> Tensor:
    """[rows, n] -> [rows, n, n_embd]"""
    return functional.embedding(ids, weights["wte.weight"]) + weights["wpe.weight"][: ids.shape[1]]


def logits(weights: Weights, ids: Tensor, n_head: int) -> Tensor:
    """[rows, n] -> [rows, n, n_vocab]"""
    x = embed(weights, ids)
    for h in blocks(weights):
        x = block(x, h, n_head)
    return layer_norm(x, weights, "ln_f") @ weights["wte.weight"].T


def surprise(weights: Weights, ids: Tensor, n_head: int) -> Tensor:
    """ids [rows, n + 1] -> [rows, n] nats: how unexpected each token is after those before it."""
    predicted = logits(weights, ids[:, :-1], n_head).flatten(0, 1)
    nats = functional.cross_entropy(predicted, ids[:, 1:].flatten(), reduction="none")
    return nats.view(len(ids), -1)


def attention_weights(weights: Weights, ids: Tensor, n_head: int) -> Tensor:
    """[n] -> [n_layer, n_head, n, n]: how much each token (row) reads from each (column)."""
    x, n, seen = embed(weights, ids[None]), len(ids), []
    for h in blocks(weights):
        q, k, _ = queries_keys_values(x, h, n_head)
        scores = (q @ k.mT)[0] / math.sqrt(q.shape[-1])  # [n_head, n, n]
        later = torch.ones(n, n, dtype=torch.bool).triu(1)
        seen.append(scores.masked_fill(later, -math.inf).softmax(-1))
        x = block(x, h, n_head)
    return torch.stack(seen)


def checkpoint_tensors(weights: Weights) -> Weights:
    """The weights under the names of Hugging Face's GPT2LMHeadModel (the head is tied to wte)."""
    tensors = {}
    for name, weight in weights.items():
        if name.startswith(BLOCK):
            for b, part in enumerate(weight.unbind(0)):
                tensors["transformer." + name.replace("*", str(b))] = part.contiguous()
        else:
            tensors["transformer." + name] = weight
    return tensors
