"""Make the tiny checkpoints of other dialects beside this script, and record their own logits.

    python tests/checkpoints/record_dialects.py

needs torch, transformers and tokenizers, as `record.py` does, whose helpers it uses. Every model
but GPT-Neo and the two of transformers' GPT-2 is written here with torch.nn, its modules named and
shaped as in the published model that it stands for; torch computes the logits, in float64.
"""

import argparse
import json
import math
import struct
from pathlib import Path

import numpy as np
import torch
from record import (
    END_OF_TEXT,
    HERE,
    N_TOKENS,
    PROMPT,
    config,
    encode,
    expect,
    fresh,
    random_model,
    vocabulary,
    write_vocabulary,
)
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import GPTNeoConfig, GPTNeoForCausalLM

N_CTX = 32
N_VOCAB = 270


def gelu_tanh(x: Tensor) -> Tensor:
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


class LayerNorm(nn.Module):
    """A layer norm whose bias may be missing (nanoGPT), or that calls its tensors otherwise."""

    def __init__(self, width: int, names: tuple[str, str | None] = ("weight", "bias")) -> None:
        super().__init__()
        self.names = names
        for name in filter(None, names):
            setattr(self, name, nn.Parameter(torch.zeros(width)))

    def forward(self, x: Tensor) -> Tensor:
        gain, bias = (None if name is None else getattr(self, name) for name in self.names)
        return F.layer_norm(x, gain.shape, gain, bias, 1e-5)


def attend(q: Tensor, k: Tensor, v: Tensor, n_head: int) -> Tensor:
    """Causal attention of [1, n, d] each, the heads side by side."""
    n, d = q.shape[1:]
    q, k, v = (x.view(1, n, n_head, d // n_head).transpose(1, 2) for x in (q, k, v))
    y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    return y.transpose(1, 2).reshape(1, n, d)


class Fused(nn.Module):
    """nanoGPT's, minGPT's and makemore's attention: one matrix for queries, keys and values."""

    def __init__(self, d: int, n_head: int, bias: bool, mask: bool) -> None:
        super().__init__()
        self.n_head = n_head
        self.c_attn = nn.Linear(d, 3 * d, bias=bias)
        self.c_proj = nn.Linear(d, d, bias=bias)
        if mask:
            self.register_buffer("bias", torch.tril(torch.ones(N_CTX, N_CTX)).view(1, 1, N_CTX, -1))

    def forward(self, x: Tensor) -> Tensor:
        return self.c_proj(attend(*self.c_attn(x).split(x.shape[-1], dim=-1), self.n_head))


class Apart(nn.Module):
    """Attention with a matrix each for queries, keys and values, under whatever names."""

    def __init__(self, d: int, n_head: int, names: str, biases: tuple[bool, bool]) -> None:
        super().__init__()
        self.n_head, self.names = n_head, names.split()
        for name, bias in zip(self.names, [biases[0]] * 3 + [biases[1]], strict=True):
            setattr(self, name, nn.Linear(d, d, bias=bias))

    def forward(self, x: Tensor) -> Tensor:
        q, k, v, out = (getattr(self, name) for name in self.names)
        return out(attend(q(x), k(x), v(x), self.n_head))


class Head(nn.Module):
    """One head of the lecture's attention, which has matrices of its own."""

    def __init__(self, d: int, size: int) -> None:
        super().__init__()
        self.key = nn.Linear(d, size, bias=False)
        self.query = nn.Linear(d, size, bias=False)
        self.value = nn.Linear(d, size, bias=False)
        self.register_buffer("tril", torch.tril(torch.ones(N_CTX, N_CTX)))

    def forward(self, x: Tensor) -> Tensor:
        return attend(self.query(x), self.key(x), self.value(x), 1)


class Heads(nn.Module):
    def __init__(self, d: int, n_head: int) -> None:
        super().__init__()
        self.heads = nn.ModuleList(Head(d, d // n_head) for _ in range(n_head))
        self.proj = nn.Linear(d, d)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(torch.cat([head(x) for head in self.heads], dim=-1))


class Named(nn.Module):
    """An MLP of two linear layers under whatever names."""

    def __init__(self, d: int, names: str, activation, bias: bool = True) -> None:
        super().__init__()
        self.names, self.activation = names.split(), activation
        setattr(self, self.names[0], nn.Linear(d, 4 * d, bias=bias))
        setattr(self, self.names[1], nn.Linear(4 * d, d, bias=bias))

    def forward(self, x: Tensor) -> Tensor:
        up, down = (getattr(self, name) for name in self.names)
        return down(self.activation(up(x)))


class Inner(nn.Module):
    """An MLP that is a sequence inside of a module, such as `ffwd.net.0` and `ffwd.net.2`."""

    def __init__(self, name: str, layers: nn.Sequential) -> None:
        super().__init__()
        self.inner = name
        setattr(self, name, layers)

    def forward(self, x: Tensor) -> Tensor:
        return getattr(self, self.inner)(x)


def sequence(d: int, activation: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Linear(d, 4 * d), activation, nn.Linear(4 * d, d), nn.Dropout(0.0))


class Block(nn.Module):
    """Normalise, attend, add; normalise, think, add; the parts under whatever names."""

    def __init__(self, names: str, ln_1, attention, ln_2, mlp) -> None:
        super().__init__()
        self.names = names.split()
        for name, part in zip(self.names, (ln_1, attention, ln_2, mlp), strict=True):
            setattr(self, name, part)

    def forward(self, x: Tensor) -> Tensor:
        ln_1, attention, ln_2, mlp = (getattr(self, name) for name in self.names)
        x = x + attention(ln_1(x))
        return x + mlp(ln_2(x))


class GPT(nn.Module):
    """The whole; names: of token and position embeddings, blocks, last norm and head."""

    def __init__(self, names: str, d: int, blocks: list[Block], ln_f, head: nn.Linear) -> None:
        super().__init__()
        self.names = names.split()
        parts = (
            nn.Embedding(N_VOCAB, d),
            nn.Embedding(N_CTX, d),
            nn.ModuleList(blocks),
            ln_f,
            head,
        )
        for name, part in zip(self.names, parts, strict=True):
            inside, _, last = name.rpartition(".")
            if inside and not hasattr(self, inside):
                setattr(self, inside, nn.Module())
            setattr(getattr(self, inside) if inside else self, last, part)
        self.config = argparse.Namespace(n_embd=d, dropout=0.0)

    def forward(self, ids: Tensor) -> Tensor:  # [1, n] -> [1, n, n_vocab]
        wte, wpe, blocks, ln_f, head = (self.get_submodule(name) for name in self.names)
        x = wte(ids) + wpe(torch.arange(ids.shape[1]))
        for each in blocks:
            x = each(x)
        return head(ln_f(x))


def randomised(model: nn.Module, seed: int) -> nn.Module:
    """No weight is 0 or 1, so that each of them can be seen in the logits."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.normal_(0, 0.3, generator=generator)
            if weight.ndim == 1 and name.endswith((".weight", ".scale")):
                weight += 1
    return model.eval()


def expect_of(directory: Path, model: nn.Module, ids: list[int], end_of_text: int) -> None:
    """As `expect` of record.py, of a model that gives logits."""
    model = model.double()
    written: list[int] = []
    with torch.no_grad():
        logits = model(torch.tensor([ids]))[0]
        while len(written) < N_TOKENS and written[-1:] != [end_of_text]:
            written.append(int(model(torch.tensor([ids + written]))[0, -1].argmax()))
    expected = {
        "made_with": f"torch {torch.__version__}",
        "prompt": PROMPT,
        "ids": ids,
        "completion": written,
        "logits": [[round(x, 9) for x in row] for row in logits.tolist()],
    }
    (directory / "expected.json").write_text(json.dumps(expected) + "\n", encoding="utf-8")


def finish(directory: Path, model: nn.Module) -> None:
    """The vocabulary, and what the model says."""
    ids, merges = vocabulary(N_VOCAB)
    write_vocabulary(directory, ids, merges)
    expect_of(directory, model, encode(ids, merges, PROMPT), ids[END_OF_TEXT])


def as_gpt2(d: int, n_head: int, n_layer: int, bias: bool, mask: bool, activation) -> GPT:
    """The modules of nanoGPT, minGPT and makemore."""
    norm = ("weight", "bias" if bias else None)
    blocks = [
        Block(
            "ln_1 attn ln_2 mlp",
            LayerNorm(d, norm),
            Fused(d, n_head, bias, mask),
            LayerNorm(d, norm),
            Named(d, "c_fc c_proj", activation, bias),
        )
        for _ in range(n_layer)
    ]
    names = "transformer.wte transformer.wpe transformer.h transformer.ln_f lm_head"
    return GPT(names, d, blocks, LayerNorm(d, norm), nn.Linear(d, N_VOCAB, bias=False))


def nanogpt() -> None:
    """A training checkpoint of a compiled model without biases, its head tied."""
    directory = fresh("nanogpt")
    model = as_gpt2(8, 2, 2, False, False, F.gelu)
    model.lm_head.weight = model.transformer.wte.weight
    model = randomised(model, 1)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.tensor([[1, 2]])).sum().backward()
    weights = {f"_orig_mod.{name}": weight for name, weight in model.state_dict().items()}
    sizes = {"n_layer": 2, "n_head": 2, "n_embd": 8, "block_size": N_CTX, "bias": False}
    saved = {
        "model": weights,
        "optimizer": optimizer.state_dict(),
        "model_args": {**sizes, "vocab_size": N_VOCAB, "dropout": 0.0},
        "iter_num": 2000,
        "best_val_loss": torch.tensor(1.4697),
        "config": {"out_dir": "out", "dataset": "shakespeare", "learning_rate": 1e-3, **sizes},
    }
    torch.save(saved, directory / "ckpt.pt")
    finish(directory, model)


def mingpt() -> None:
    """A state_dict with masks, beside the config.json that minGPT writes."""
    directory = fresh("mingpt")
    model = randomised(as_gpt2(6, 3, 2, True, True, gelu_tanh), 2)
    torch.save(model.state_dict(), directory / "model.pt")
    sizes = {"model_type": "gpt-nano", "n_layer": None, "n_head": 3, "n_embd": None}
    said = {"system": {"seed": 3407}, "model": sizes, "trainer": {"batch_size": 64}}
    (directory / "config.json").write_text(json.dumps(said) + "\n", encoding="utf-8")
    finish(directory, model)


def makemore() -> None:
    """A state_dict, and a config.json written by hand that says what it does not: the heads."""
    directory = fresh("makemore")
    model = randomised(as_gpt2(8, 4, 1, True, True, gelu_tanh), 3)
    torch.save(model.state_dict(), directory / "model.pt")
    (directory / "config.json").write_text('{"n_head": 4}\n', encoding="utf-8")
    finish(directory, model)


def mingpt_2020() -> None:
    """The first minGPT, a module saved whole: bare position embeddings, matrices apart."""
    directory = fresh("mingpt-2020")
    d = 8

    class Positions(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1, N_CTX, d))

        def forward(self, places: Tensor) -> Tensor:
            return self.weight[:, : len(places)]

    blocks = [
        Block(
            "ln1 attn ln2 mlp",
            nn.LayerNorm(d),
            Apart(d, 2, "query key value proj", (True, True)),
            nn.LayerNorm(d),
            sequence(d, nn.GELU()),
        )
        for _ in range(2)
    ]
    head = nn.Linear(d, N_VOCAB, bias=False)
    model = GPT("tok_emb pos_emb blocks ln_f head", d, blocks, nn.LayerNorm(d), head)
    model.pos_emb = Positions()
    model = randomised(model, 4)
    weights = model.state_dict()
    weights["pos_emb"] = weights.pop("pos_emb.weight")
    weights["blocks.0.attn.mask"] = torch.tril(torch.ones(N_CTX, N_CTX)).view(1, 1, N_CTX, -1)
    torch.save(weights, directory / "model.pth")
    (directory / "config.json").write_text('{"n_head": 2}\n', encoding="utf-8")
    finish(directory, model)


def lecture() -> None:
    """The lecture “Let's build GPT”: matrices of each head, ReLU, a head with a bias."""
    directory = fresh("lecture")
    d, n_head = 6, 3
    blocks = [
        Block(
            "ln1 sa ln2 ffwd",
            nn.LayerNorm(d),
            Heads(d, n_head),
            nn.LayerNorm(d),
            Inner("net", sequence(d, nn.ReLU())),
        )
        for _ in range(2)
    ]
    names = "token_embedding_table position_embedding_table blocks ln_f lm_head"
    model = GPT(names, d, blocks, nn.LayerNorm(d), nn.Linear(d, N_VOCAB))
    model = randomised(model, 5)
    torch.save(model.state_dict(), directory / "model.pth")
    finish(directory, model)


def lecture_whole() -> None:
    """The same kind of model saved whole, as `torch.save(model, PATH)` does."""
    directory = fresh("lecture-whole")
    d = 4
    blocks = [
        Block(
            "ln1 sa ln2 ffwd",
            nn.LayerNorm(d),
            Heads(d, 2),
            nn.LayerNorm(d),
            Inner("net", sequence(d, nn.ReLU())),
        )
    ]
    names = "token_embedding_table position_embedding_table blocks ln_f lm_head"
    model = GPT(names, d, blocks, nn.LayerNorm(d), nn.Linear(d, N_VOCAB))
    model = randomised(model, 6)
    torch.save(model, directory / "gpt.pt")
    finish(directory, model)


def book() -> None:
    """The book “Build a Large Language Model (From Scratch)”: scale, shift, no bias on q, k, v."""
    directory = fresh("book")
    d = 8
    blocks = [
        Block(
            "norm1 att norm2 ff",
            LayerNorm(d, ("scale", "shift")),
            Apart(d, 2, "W_query W_key W_value out_proj", (False, True)),
            LayerNorm(d, ("scale", "shift")),
            Inner("layers", sequence(d, nn.GELU(approximate="tanh"))),
        )
        for _ in range(2)
    ]
    head = nn.Linear(d, N_VOCAB, bias=False)
    names = "tok_emb pos_emb trf_blocks final_norm out_head"
    model = randomised(GPT(names, d, blocks, LayerNorm(d, ("scale", "shift")), head), 7)
    weights = model.state_dict()
    weights["trf_blocks.0.att.mask"] = torch.triu(torch.ones(N_CTX, N_CTX), diagonal=1)
    torch.save({"model_state_dict": weights, "optimizer_state_dict": {}}, directory / "model.pth")
    said = {"vocab_size": N_VOCAB, "context_length": N_CTX, "emb_dim": d, "n_heads": 2}
    said |= {"n_layers": 2, "drop_rate": 0.1, "qkv_bias": False}
    (directory / "config.json").write_text(json.dumps(said) + "\n", encoding="utf-8")
    finish(directory, model)


def mlx() -> None:
    """Arrays of MLX in an npz, named by its `nn.Sequential`; one of them in bfloat16."""
    directory = fresh("mlx")
    d = 8
    blocks = [
        Block(
            "ln_1 mha ln_2 mlp",
            nn.LayerNorm(d),
            Apart(d, 2, "q_proj k_proj v_proj c_proj", (False, True)),
            nn.LayerNorm(d),
            Named(d, "c_fc c_proj", F.gelu),
        )
        for _ in range(2)
    ]
    head = nn.Linear(d, N_VOCAB, bias=False)
    model = randomised(
        GPT("wte wpe blocks layer_norm lm_head", d, blocks, nn.LayerNorm(d), head), 8
    )
    with torch.no_grad():
        model.lm_head.weight.copy_(model.lm_head.weight.bfloat16())
    arrays = {
        name.replace("blocks.", "blocks.layers."): weight.numpy()
        for name, weight in model.state_dict().items()
    }
    upper = arrays["lm_head.weight"].view("<u4") >> 16
    arrays["lm_head.weight"] = upper.astype("<u2").view("V2")
    arrays["wpe.weight"] = np.asfortranarray(arrays["wpe.weight"])
    np.savez(directory / "weights.npz", **arrays)
    (directory / "config.json").write_text('{"num_heads": 2}\n', encoding="utf-8")
    finish(directory, model)


def llm_c() -> None:
    """llm.c's version 3: a header, then the weights of one kind for all blocks, `wte` padded."""
    directory = fresh("llm-c")
    d, n_head, n_layer, padded = 8, 2, 2, 384
    model = as_gpt2(d, n_head, n_layer, True, False, gelu_tanh)
    model.lm_head.weight = model.transformer.wte.weight
    model = randomised(model, 9)
    weights = {name.removeprefix("transformer."): w for name, w in model.state_dict().items()}
    kinds = [name.removeprefix("h.0.") for name in weights if name.startswith("h.0.")]
    order = ("ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj")
    kinds.sort(key=lambda kind: (order.index(kind.rpartition(".")[0]), kind.endswith("bias")))
    rows = [F.pad(weights["wte.weight"], (0, 0, 0, padded - N_VOCAB)), weights["wpe.weight"]]
    rows += [weights[f"h.{b}.{kind}"] for kind in kinds for b in range(n_layer)]
    rows += [weights["ln_f.weight"], weights["ln_f.bias"]]
    sizes = (20240326, 3, N_CTX, N_VOCAB, n_layer, n_head, d, padded)
    header = struct.pack("<256i", *sizes, *[0] * (256 - len(sizes)))
    data = b"".join(row.numpy().astype("<f4").tobytes() for row in rows)
    (directory / "model.bin").write_bytes(header + data)
    finish(directory, model)


def gpt_neo() -> None:
    """transformers' GPT-Neo in two shards of PyTorch's: global and local blocks, a window of 3."""
    directory = fresh("gpt-neo")
    ids, merges = vocabulary(N_VOCAB)
    settings = GPTNeoConfig(
        vocab_size=N_VOCAB,
        max_position_embeddings=N_CTX,
        hidden_size=8,
        num_layers=4,
        num_heads=2,
        attention_types=[[["global", "local"], 2]],
        window_size=3,
        bos_token_id=ids[END_OF_TEXT],
        eos_token_id=ids[END_OF_TEXT],
        attn_implementation="eager",
    )
    model = randomised(GPTNeoForCausalLM(settings), 10)
    weights = model.state_dict()
    weights["transformer.h.0.attn.attention.bias"] = torch.ones(1, 1, 8, 8, dtype=torch.bool).tril()
    weights["transformer.h.0.attn.attention.masked_bias"] = torch.tensor(-1e9)
    del weights["lm_head.weight"]
    halves = [dict(list(weights.items())[start::2]) for start in (0, 1)]
    places = {}
    for number, half in enumerate(halves, start=1):
        file = f"pytorch_model-{number:05d}-of-00002.bin"
        torch.save(half, directory / file)
        places |= dict.fromkeys(half, file)
    index = {"metadata": {"total_size": 0}, "weight_map": places}
    (directory / "pytorch_model.bin.index.json").write_text(json.dumps(index), encoding="utf-8")
    model.config.save_pretrained(directory)
    write_vocabulary(directory, ids, merges)
    expect(directory, model, encode(ids, merges, PROMPT), ids[END_OF_TEXT])


def of_transformers(name: str, **settings: object) -> None:
    """A GPT-2 of transformers whose attention is scaled otherwise, in PyTorch's own form."""
    directory = fresh(name)
    ids, merges = vocabulary(N_VOCAB)
    sizes = {"n_embd": 8, "n_head": 2, "n_layer": 2}
    model = random_model(config(N_VOCAB, ids[END_OF_TEXT], **sizes, **settings), torch.float32)
    weights = model.state_dict()
    torch.save(weights, directory / "pytorch_model.bin")
    model.config.save_pretrained(directory)
    write_vocabulary(directory, ids, merges)
    expect(directory, model, encode(ids, merges, PROMPT), ids[END_OF_TEXT])


if __name__ == "__main__":
    torch.set_num_threads(1)
    for make in (nanogpt, mingpt, makemore, mingpt_2020, lecture, lecture_whole, book, mlx, llm_c):
        make()
    gpt_neo()
    of_transformers("unscaled", scale_attn_weights=False, activation_function="quick_gelu")
    of_transformers("inverse", scale_attn_by_inverse_layer_idx=True, activation_function="silu")
    for directory in filter(Path.is_dir, HERE.iterdir()):
        (directory / "generation_config.json").unlink(missing_ok=True)
