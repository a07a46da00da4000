"""Loader and witness against transformers, live, on random models that nobody has seen.

Needs torch and transformers. Without them the recorded answers of tests/checkpoints must do,
unless SHEETGPT_REQUIRE_TRANSFORMERS=1 says that this comparison is wanted.
"""

import random
import shutil

import numpy as np
import pytest

from sheetgpt.checkpoint import checkpoint
from sheetgpt.checkpoint.vocabulary import from_files
from sheetgpt.gpt2 import reference, sampling
from tests.oracle import oracle

torch, transformers = oracle("torch"), oracle("transformers")

ACTIVATIONS = (
    *("gelu_new", "gelu", "relu", "gelu_pytorch_tanh", "silu", "quick_gelu", "gelu_fast"),
)
DTYPES = (torch.float32, torch.float16, torch.bfloat16)


def random_model(seed):
    """A model of a random shape, every weight random (also gains and biases)."""
    draw = random.Random(seed)
    n_head = draw.choice([1, 2, 3, 5])
    n_embd = n_head * draw.choice([1, 2, 7, 12])
    config = transformers.GPT2Config(
        vocab_size=280 + draw.choice([0, 9]),
        n_positions=draw.choice([12, 33]),
        n_embd=n_embd,
        n_head=n_head,
        n_layer=draw.choice([1, 2, 5]),
        n_inner=draw.choice([None, 1, 3 * n_embd + 1]),
        activation_function=ACTIVATIONS[seed % len(ACTIVATIONS)],
        layer_norm_epsilon=draw.choice([1e-5, 1e-2]),
        tie_word_embeddings=draw.random() < 0.5,
        reorder_and_upcast_attn=draw.random() < 0.2,
        scale_attn_weights=draw.random() < 0.7,
        scale_attn_by_inverse_layer_idx=draw.random() < 0.3,
        bos_token_id=279,
        eos_token_id=279,
        attn_implementation="sdpa",
    )
    generator = torch.Generator().manual_seed(seed)
    model = transformers.GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.normal_(0, 0.4, generator=generator)
            if ".ln_" in name and name.endswith("weight"):
                weight += 1
    return model.to(DTYPES[seed % len(DTYPES)])


@pytest.fixture
def save(plain, tmp_path):
    """Saves a model as a checkpoint with the vocabulary of `plain`, gives its directory."""

    def write(model, max_shard_size="5GB"):
        directory = tmp_path / "random"
        shutil.rmtree(directory, ignore_errors=True)
        model.save_pretrained(directory, max_shard_size=max_shard_size)
        for name in ("vocab.json", "merges.txt"):
            shutil.copy(plain.path / name, directory)
        return directory

    return write


def logits_of(model, ids):
    with torch.no_grad():
        return model.double()(torch.tensor([ids])).logits[0].numpy()


@pytest.mark.parametrize("seed", range(24))
def test_logits_of_random_models(seed, save):
    model = random_model(seed)
    tied = model.config.tie_word_embeddings
    with_prefix = seed % 5 or not tied
    shard = "4KB" if seed % 2 else "5GB"
    directory = save(model if with_prefix else model.transformer, shard)
    assert (directory / "model.safetensors").exists() or seed % 2

    ours = checkpoint.load(directory)
    ids = np.random.default_rng(seed).integers(0, ours.config.n_vocab, 11).tolist()
    trace = reference.forward(ours.config, ours.weights, ids)
    assert ours.config.tie_word_embeddings == tied
    assert np.abs(trace["logits"] - logits_of(model, ids)).max() < 1e-9


@pytest.mark.parametrize("seed", range(12))
def test_gpt_neo_of_random_shapes(seed, save):
    """Global and local blocks; transformers computes their scores in float32."""
    draw = random.Random(seed)
    n_head, n_layer = draw.choice([1, 2, 4]), draw.choice([1, 2, 3])
    config = transformers.GPTNeoConfig(
        vocab_size=280,
        max_position_embeddings=24,
        hidden_size=n_head * draw.choice([2, 5, 8]),
        num_heads=n_head,
        num_layers=n_layer,
        attention_types=[[[draw.choice(["global", "local"])], 1] for _ in range(n_layer)],
        window_size=draw.choice([1, 2, 5, 11, 256]),
        intermediate_size=draw.choice([None, 7]),
        bos_token_id=279,
        eos_token_id=279,
        attn_implementation="eager",
    )
    generator = torch.Generator().manual_seed(seed)
    model = transformers.GPTNeoForCausalLM(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(0, 0.4, generator=generator)
    directory = save(model)
    if seed % 2:  # in PyTorch's own form, as TinyStories was published
        torch.save(model.state_dict(), directory / "pytorch_model.bin")
        (directory / "model.safetensors").unlink()
    ours = checkpoint.load(directory)
    ids = np.random.default_rng(seed).integers(0, 280, 13).tolist()
    trace = reference.forward(ours.config, ours.weights, ids)
    wanted = logits_of(model, ids)
    assert np.abs(trace["logits"] - wanted).max() < 1e-6 * max(1, np.abs(wanted).max())


def test_every_state_and_every_head(save):
    """Not the logits alone: the residual stream and the attention of each block."""
    model = random_model(6)
    model.set_attn_implementation("eager")
    ours = checkpoint.load(save(model))
    ids = [3, 1, 4, 1, 5, 9, 2, 6]
    with torch.no_grad():
        theirs = model.double()(
            torch.tensor([ids]), output_hidden_states=True, output_attentions=True
        )
    trace = reference.forward(ours.config, ours.weights, ids)
    names = [f"h.{b}.input" for b in range(ours.config.n_layer)] + ["ln_f"]
    for name, state in zip(names, theirs.hidden_states, strict=True):
        assert np.abs(trace[name] - state[0].numpy()).max() < 1e-9, name
    for b, attention in enumerate(theirs.attentions):  # [1, n_head, n, n]
        weights = np.nan_to_num(trace[f"h.{b}.attn.weights"]).swapaxes(0, 1)
        assert np.abs(weights - attention[0].numpy()).max() < 1e-9, b


@pytest.mark.parametrize("seed", range(4))
def test_greedy_completion(seed, save):
    model = random_model(seed)
    ours = checkpoint.load(save(model))
    ids = [7, 70, 200]
    written = sampling.complete(ours.config, ours.weights, ids, 6, 279).ids
    theirs = model.double().generate(
        torch.tensor([ids]), max_new_tokens=6, do_sample=False, pad_token_id=0
    )
    assert [*ids, *written] == theirs[0].tolist()


def reload(directory):
    """What transformers itself makes of a directory."""
    return transformers.GPT2LMHeadModel.from_pretrained(directory).eval()


@pytest.mark.parametrize("head", ["other", "equal", "instead"])
def test_a_tied_head_that_is_stored_is_treated_as_transformers_does(head, plain):
    def add(tensors):
        wte = tensors["transformer.wte.weight"]
        tensors["lm_head.weight"] = wte[::-1] if head == "other" else wte
        if head == "instead":
            del tensors["transformer.wte.weight"]

    plain.edit_tensors(add)
    ours = checkpoint.load(plain.path)
    trace = reference.forward(ours.config, ours.weights, [1, 2, 3])
    # transformers looks for the note of where the file comes from.
    file = plain.path / "model.safetensors"
    length = int.from_bytes(file.read_bytes()[:8], "little")
    header, data = file.read_bytes()[8 : 8 + length], file.read_bytes()[8 + length :]
    plain.write_raw(b'{"__metadata__":{"format":"pt"},' + header[1:], data)
    assert np.abs(trace["logits"] - logits_of(reload(plain.path), [1, 2, 3])).max() < 1e-9


# transformers does not know the file names of `openai`.
@pytest.mark.parametrize("recorded", ["plain", "shuffled", "sharded", "padded"], indirect=True)
def test_recorded_checkpoints_still_say_the_same(recorded, expected):
    logits = logits_of(reload(recorded), expected["ids"])
    assert np.abs(logits - expected["logits"]).max() < 1e-8


def test_tokenizers_agree(real_tokenizer):
    """Ours and transformers' own class for GPT-2, special tokens aside."""
    ours = from_files(real_tokenizer / "encoder.json", real_tokenizer / "vocab.bpe")
    theirs = transformers.GPT2Tokenizer(vocab=ours.ids, merges=list(ours.merges))
    for text in ("Mike is quick. He moves", "  naïve 😀\n\n1234 they'll"):
        assert ours.encode(text) == theirs(text)["input_ids"]


@pytest.mark.parametrize("seed", range(12))
def test_temperature_top_k_and_top_p_are_those_of_transformers(seed):
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=int(generator.integers(20, 400))) * 3
    temperature = float(generator.uniform(0.3, 3))
    top_k = int(generator.integers(0, 2 * len(logits)))
    top_p = float(generator.uniform(0.05, 1))
    scores = torch.tensor(logits[None]) / temperature
    if top_k:
        scores = transformers.TopKLogitsWarper(top_k)(None, scores)
    scores = transformers.TopPLogitsWarper(top_p)(None, scores)
    ours = sampling.probabilities(logits, sampling.Controls(temperature, top_k, top_p))
    np.testing.assert_allclose(ours, torch.softmax(scores, dim=-1)[0].numpy(), atol=1e-12)
