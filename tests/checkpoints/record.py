"""Make the tiny checkpoints beside this script, and record what transformers says of each.

    python tests/checkpoints/record.py

needs torch, transformers and tokenizers. `make test` then compares sheetgpt with the recorded
answers without them. Every checkpoint has another shape and another form, so that together they
cover what checkpoints in the wild look like; the README beside this script lists them. The
weights are random (seeded); the vocabularies are trained on a few lines.

expected.json: a prompt, its ids (by `tokenizers`), the logits of every position in float64
([n, n_vocab], to 9 decimals) and the ids of a greedy completion (by transformers).
"""

import json
import shutil
from pathlib import Path

import numpy as np
import tokenizers
import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
from transformers import GPT2Config, GPT2LMHeadModel

HERE = Path(__file__).parent

TEXT = (
    "Mike is quick. He moves quickly. Sara is quiet. She speaks quietly. Mike's quick move,",
    "quicker than Sara's. Is he quick? He's quick, they'll move, we've moved.",
    "one 1 two 2 three 3 12 123; the quiet thing, the quick thing, the moving thing",
)
PROMPT = "Mike's quick é"
N_TOKENS = 8
END_OF_TEXT = "<|endoftext|>"

# Each file of a Hugging Face checkpoint -> OpenAI's name of it.
OPENAI_NAMES = {
    "config.json": "hparams.json",
    "vocab.json": "encoder.json",
    "merges.txt": "vocab.bpe",
}


def vocabulary(
    n_vocab: int, shuffle: int | None = None
) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Token -> id and the merges: 256 bytes, merges in order, end of text; or ids shuffled."""
    tokenizer = tokenizers.Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    trainer = BpeTrainer(
        vocab_size=n_vocab - 1, initial_alphabet=ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    tokens = [*sorted(model["vocab"], key=model["vocab"].__getitem__), END_OF_TEXT]
    if shuffle is not None:
        np.random.default_rng(shuffle).shuffle(tokens)
    return {token: i for i, token in enumerate(tokens)}, [(a, b) for a, b in model["merges"]]


def random_model(config: GPT2Config, dtype: torch.dtype) -> GPT2LMHeadModel:
    """A model in which no weight is 0 or 1, so that each of them can be seen in the logits."""
    model = GPT2LMHeadModel(config).eval()
    generator = torch.Generator().manual_seed(config.n_embd + config.n_layer)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.normal_(0, 0.3, generator=generator)
            if ".ln_" in name and name.endswith(".weight"):
                weight += 1
    return model.to(dtype)


def write_vocabulary(directory: Path, ids: dict[str, int], merges: list[tuple[str, str]]) -> None:
    text = json.dumps(ids, ensure_ascii=False)
    (directory / "vocab.json").write_text(text, encoding="utf-8")
    lines = ["#version: 0.2", *(f"{a} {b}" for a, b in merges), ""]
    (directory / "merges.txt").write_text("\n".join(lines), encoding="utf-8")


def encode(ids: dict[str, int], merges: list[tuple[str, str]], text: str) -> list[int]:
    tokenizer = tokenizers.Tokenizer(BPE(ids, merges))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    return tokenizer.encode(text).ids


def expect(directory: Path, model: GPT2LMHeadModel, ids: list[int], end_of_text: int) -> None:
    """Record the model's answers, computed in float64 from the weights as they were saved."""
    model = model.double()
    written: list[int] = []
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0]
        room = model.config.max_position_embeddings - len(ids)
        while len(written) < min(N_TOKENS, room) and written[-1:] != [end_of_text]:
            last = model(torch.tensor([ids + written])).logits[0, -1]
            written.append(int(last.argmax()))
    expected = {
        "made_with": f"torch {torch.__version__}, transformers {transformers.__version__}, "
        f"tokenizers {tokenizers.__version__}",
        "prompt": PROMPT,
        "ids": ids,
        "completion": written,
        "logits": [[round(x, 9) for x in row] for row in logits.tolist()],
    }
    (directory / "expected.json").write_text(json.dumps(expected) + "\n", encoding="utf-8")


def fresh(name: str) -> Path:
    directory = HERE / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    return directory


def config(n_vocab: int, end_of_text: int, **settings: object) -> GPT2Config:
    return GPT2Config(
        vocab_size=n_vocab,
        n_positions=32,
        bos_token_id=end_of_text,
        eos_token_id=end_of_text,
        attn_implementation="eager",
        **settings,
    )


def plain() -> None:
    """As GPT-2 comes from Hugging Face: `transformer.` prefix, tied head, float32."""
    directory = fresh("plain")
    ids, merges = vocabulary(280)
    model = random_model(
        config(280, ids[END_OF_TEXT], n_embd=8, n_head=2, n_layer=2), torch.float32
    )
    model.save_pretrained(directory)
    write_vocabulary(directory, ids, merges)
    expect(directory, model, encode(ids, merges, PROMPT), ids[END_OF_TEXT])


def shuffled() -> None:
    """Ids in another order than the merges; no prefix; own n_inner; relu."""
    directory = fresh("shuffled")
    ids, merges = vocabulary(290, shuffle=1)
    model = random_model(
        config(
            290,
            ids[END_OF_TEXT],
            n_embd=6,
            n_head=3,
            n_layer=1,
            n_inner=10,
            activation_function="relu",
        ),
        torch.float32,
    )
    model.transformer.save_pretrained(directory)
    write_vocabulary(directory, ids, merges)
    expect(directory, model, encode(ids, merges, PROMPT), ids[END_OF_TEXT])


def sharded() -> None:
    """bfloat16 in several files, a head of its own, GELU by the error function."""
    directory = fresh("sharded")
    ids, merges = vocabulary(270)
    model = random_model(
        config(
            270,
            ids[END_OF_TEXT],
            n_embd=8,
            n_head=1,
            n_layer=3,
            activation_function="gelu",
            tie_word_embeddings=False,
        ),
        torch.bfloat16,
    )
    model.save_pretrained(directory, max_shard_size="5KB")
    write_vocabulary(directory, ids, merges)
    expect(directory, model, encode(ids, merges, PROMPT), ids[END_OF_TEXT])


def openai() -> None:
    """OpenAI's file names, float16, and the causal masks that older checkpoints carry."""
    directory = fresh("openai")
    ids, merges = vocabulary(276)
    model = random_model(
        config(276, ids[END_OF_TEXT], n_embd=6, n_head=2, n_layer=2), torch.float16
    )
    model.transformer.save_pretrained(directory)
    write_vocabulary(directory, ids, merges)
    file = directory / "model.safetensors"
    tensors = load_file(file)
    for b in range(2):
        mask = torch.ones(1, 1, 32, 32, dtype=torch.uint8).tril()
        tensors |= {f"h.{b}.attn.bias": mask, f"h.{b}.attn.masked_bias": torch.tensor(-1e4)}
    save_file(tensors, file, {"format": "pt"})
    sizes = {"n_vocab": 276, "n_ctx": 32, "n_embd": 6, "n_head": 2, "n_layer": 2}
    (directory / "config.json").write_text(json.dumps(sizes) + "\n", encoding="utf-8")
    for ours, theirs in OPENAI_NAMES.items():
        (directory / ours).rename(directory / theirs)
    expect(directory, model, encode(ids, merges, PROMPT), ids[END_OF_TEXT])


def padded() -> None:
    """Embeddings padded beyond the vocabulary, which is one tokenizer.json; another epsilon."""
    directory = fresh("padded")
    ids, merges = vocabulary(272)
    model = random_model(
        config(
            288,
            ids[END_OF_TEXT],
            n_embd=4,
            n_head=2,
            n_layer=1,
            activation_function="gelu_pytorch_tanh",
            layer_norm_epsilon=1e-3,
        ),
        torch.float32,
    )
    model.save_pretrained(directory)
    tokenizer = transformers.GPT2Tokenizer(vocab=ids, merges=merges)
    tokenizer.save_pretrained(directory)
    expect(directory, model, encode(ids, merges, PROMPT), ids[END_OF_TEXT])


if __name__ == "__main__":
    torch.set_num_threads(1)
    for make in (plain, shuffled, sharded, openai, padded):
        make()
        (HERE / make.__name__ / "generation_config.json").unlink(missing_ok=True)
        (HERE / make.__name__ / "tokenizer_config.json").unlink(missing_ok=True)
