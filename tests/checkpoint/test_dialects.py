"""What people call tensors, and what is told of a model by names and shapes alone."""

import json
import shutil

import numpy as np
import pytest

from sheetgpt.checkpoint import checkpoint, dialects, outline
from sheetgpt.gpt2.config import Config


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("transformer.h.11.attn.c_attn.weight", "h.11.attn.c_attn.w"),
        ("_orig_mod.transformer.h.0.ln_1.weight", "h.0.ln_1.g"),
        ("module.lm_head.weight", "lm_head.w"),
        ("model/h3/mlp/c_fc/b", "h.3.mlp.c_fc.b"),
        ("tok_emb.weight", "wte"),
        ("pos_emb", "wpe"),
        ("blocks.2.mlp.0.weight", "h.2.mlp.c_fc.w"),
        ("blocks.2.mlp.2.bias", "h.2.mlp.c_proj.b"),
        ("blocks.0.sa.heads.1.key.weight", "h.0.attn.k.w@1"),
        ("blocks.0.sa.proj.bias", "h.0.attn.c_proj.b"),
        ("blocks.0.ffwd.net.2.weight", "h.0.mlp.c_proj.w"),
        ("token_embedding_table.weight", "wte"),
        ("trf_blocks.1.norm1.scale", "h.1.ln_1.g"),
        ("trf_blocks.1.norm2.shift", "h.1.ln_2.b"),
        ("trf_blocks.1.att.W_query.weight", "h.1.attn.q.w"),
        ("trf_blocks.1.ff.layers.0.weight", "h.1.mlp.c_fc.w"),
        ("out_head.weight", "lm_head.w"),
        ("blocks.layers.0.mha.v_proj.weight", "h.0.attn.v.w"),
        ("transformer.layers.0.attention.query_proj.weight", "h.0.attn.q.w"),
        ("transformer.layers.0.linear1.weight", "h.0.mlp.c_fc.w"),
        ("transformer.h.5.attn.attention.out_proj.bias", "h.5.attn.c_proj.b"),
        ("transformer.h.0.attn.rotary_emb.inv_freq", None),
        ("model.layers.0.mlp.gate_proj.weight", None),
        ("model.layers.0.self_attn.in_proj_weight", None),
        ("h.0.attn.query_key_value.weight", None),
        ("h.0.attn.c_attn.weight.lora_A", None),
    ],
)
def test_names(name, part):
    assert dialects.part_of(name) == part


@pytest.mark.parametrize(
    ("name", "shape", "harmless"),
    [
        ("transformer.h.0.attn.bias", (1, 1, 8, 8), True),
        ("transformer.h.0.attn.attention.bias", (1, 1, 8, 8), True),
        ("transformer.h.0.attn.masked_bias", (), True),
        ("blocks.0.sa.heads.0.tril", (8, 8), True),
        ("trf_blocks.0.att.mask", (8, 8), True),
        ("transformer.h.0.attn.bias", (8,), False),
        ("transformer.h.0.attn.c_attn.bias", (24,), False),
        ("mask_embedding.weight", (1, 8), False),
    ],
)
def test_what_changes_nothing(name, shape, harmless):
    assert dialects.is_harmless(name, shape) is harmless


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("nanogpt", Config(270, 32, 8, 2, 2, 32, 1e-5, "gelu", True)),
        ("mingpt", Config(270, 32, 6, 3, 2, 24, 1e-5, "gelu_new", False)),
        ("makemore", Config(270, 32, 8, 4, 1, 32, 1e-5, "gelu_new", False)),
        ("mingpt-2020", Config(270, 32, 8, 2, 2, 32, 1e-5, "gelu", False)),
        ("lecture", Config(270, 32, 6, 3, 2, 24, 1e-5, "relu", False, head_bias=True)),
        ("book", Config(270, 32, 8, 2, 2, 32, 1e-5, "gelu_new", False)),
        ("mlx", Config(270, 32, 8, 2, 2, 32, 1e-5, "gelu", False)),
        ("llm-c", Config(270, 32, 8, 2, 2, 32, 1e-5, "gelu_new", True)),
    ],
)
def test_sizes_and_activations_without_asking(name, config, copy_of):
    assert outline.outline(copy_of(name).path).config == config


def test_what_is_not_there_is_said(copy_of):
    found = checkpoint.load(copy_of("nanogpt").path)
    assert set(found.zeros) == {name for name in found.weights if name.endswith(".b")}
    zeros, activation = found.notes
    assert zeros == (
        "it has no biases in ln_1, attn.c_attn, attn.c_proj, ln_2, mlp.c_fc, mlp.c_proj, ln_f, so "
        "they are zeros here"
    )
    assert activation.startswith(
        "its activation function is stated nowhere and taken to be that of nanoGPT, gelu; if"
    )


def test_a_config_beside_the_weights_says_what_they_do_not(copy_of):
    copy = copy_of("lecture")
    said = {"activation_function": "gelu", "layer_norm_eps": 1e-3, "scale_attn_weights": False}
    (copy.path / "config.json").write_text(json.dumps(said))
    found = checkpoint.load(copy.path)
    assert found.config.activation_function == "gelu" and not found.config.scale_attn_weights
    assert found.config.layer_norm_epsilon == 1e-3
    assert [note for note in found.notes if "activation" in note] == []


def test_nanogpt_before_it_learned_to_leave_out_biases():
    assert dialects.dialect_of([], {"model_args": True}, ".pt").activation == "gelu_new"
    assert dialects.dialect_of([], {"model_args": True, "bias": True}, ".pt").activation == "gelu"


def test_heads_must_be_known(copy_of, refusal):
    copy = copy_of("makemore")
    (copy.path / "config.json").unlink()
    text = refusal(lambda: checkpoint.load(copy.path))
    assert f"{copy.path}: the weights do not say how many heads there are; write a config.j" in text
    assert '{"n_head": 4}' in text


def test_a_stated_size_that_the_weights_contradict(copy_of, refusal):
    copy = copy_of("makemore")
    copy.edit_json("config.json", n_layer=2)
    assert "the weights lack h.1.ln_1.weight" in refusal(lambda: checkpoint.load(copy.path))
    copy.edit_json("config.json", n_layer=1, block_size=64)
    text = refusal(lambda: checkpoint.load(copy.path))
    assert "tensor wpe.weight has the shape [32, 8], expected [64, 8]" in text


def linear(tensors):
    for name in list(tensors):
        if name.endswith(("c_attn.weight", "c_fc.weight", "c_proj.weight")):
            tensors[name] = tensors[name].T


def test_matrices_as_torch_has_them_are_turned(plain):
    before = {name: weight.copy() for name, weight in checkpoint.load(plain.path).weights.items()}
    plain.edit_tensors(linear)
    after = checkpoint.load(plain.path).weights
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_missing_bias_of_one_block_is_damage(plain, refusal):
    for b in range(2):
        plain.edit_tensors(lambda t, b=b: t.pop(f"transformer.h.{b}.attn.c_proj.bias"))
        if b == 0:
            text = refusal(lambda: checkpoint.load(plain.path))
            assert "the weights lack h.0.attn.c_proj.bias;" in text
    assert checkpoint.load(plain.path).zeros == ("h.0.attn.c_proj.b", "h.1.attn.c_proj.b")


def test_rotary_positions_are_told(plain, refusal):
    plain.edit_tensors(lambda t: t.pop("transformer.wpe.weight"))
    text = refusal(lambda: checkpoint.load(plain.path))
    assert "the weights lack wpe.weight, the learned row of each position, so they are of" in text


def test_several_files_of_weights(copy_of, refusal):
    copy = copy_of("lecture").path
    (copy / "model.pth").rename(copy / "a.pth")
    assert checkpoint.load(copy).config.n_head == 3
    shutil.copy(copy / "a.pth", copy / "b.pt")
    text = refusal(lambda: checkpoint.load(copy))
    assert "has several files of weights (b.pt, a.pth), expected one; give the right one" in text
    assert f"--model {copy}/b.pt" in text
    assert checkpoint.load(copy / "b.pt").name == "b"


def test_what_training_keeps_is_not_taken_for_weights(copy_of, refusal):
    copy = copy_of("lecture").path
    (copy / "model.pth").rename(copy / "training_args.bin")
    text = refusal(lambda: checkpoint.load(copy))
    assert "has no model.safetensors, pytorch_model.bin, ckpt.pt" in text


@pytest.mark.parametrize(
    ("name", "begin", "said"),
    [
        ("model.gguf", b"GGUF\x03", "is a GGUF file, whose weights llama.cpp has quantised"),
        ("model.bin", b"GGUF\x03", "is a GGUF file"),
        ("model.pt", b"\x89HDF\r\n", "is a Keras file"),
        ("model.pt", b"version https://git-lfs.github.com", "is a note by Git LFS"),
        ("model.pt", b"<!doctype html>", "is a web page"),
        ("model.pt", b"\x80\x02]", "is a pickle in the form that PyTorch wrote before 1.6"),
        ("model.pt", b"", "is no file of weights that is known here"),
    ],
)
def test_other_files_are_told_by_how_they_begin(name, begin, said, tmp_path, refusal):
    (tmp_path / name).write_bytes(begin + bytes(20 if begin else 0))
    assert said in refusal(lambda: checkpoint.load(tmp_path / name))


def test_llm_c_says_how_long_it_must_be(copy_of, refusal):
    file = copy_of("llm-c").path / "model.bin"
    whole = file.read_bytes()
    for length in (4, 1000, 1024, len(whole) - 4):
        file.write_bytes(whole[:length])
        assert "is not a whole file of llm.c's weights" in refusal(lambda: checkpoint.load(file))
    file.write_bytes(whole[:4] + b"\x02" + whole[5:])
    assert "is of llm.c's version 2, expected 1, 3 or 5" in refusal(lambda: checkpoint.load(file))
    file.write_bytes(whole[:12] + b"\xff\xff\xff\x7f" + whole[16:])
    assert "its header has sizes that no model" in refusal(lambda: checkpoint.load(file))


def test_npz_damaged_anywhere(copy_of, refusal):
    """Whatever byte is another, it is read, or refused in one sentence."""
    directory = copy_of("mlx").path
    file = directory / "weights.npz"
    whole, draw = file.read_bytes(), np.random.default_rng(0)
    for at in draw.integers(0, len(whole), 150):
        broken = bytearray(whole)
        broken[at] ^= int(draw.integers(1, 256))
        file.write_bytes(broken)
        try:
            checkpoint.load(directory)
        except Exception as error:
            assert type(error).__name__ == "CheckpointError", at


def test_npz_of_objects_is_refused_unopened(copy_of, refusal):
    file = copy_of("mlx").path / "weights.npz"
    np.savez(file, **{"wte.weight": np.array([{"a": 1}], dtype=object)})
    text = refusal(lambda: checkpoint.load(file))
    assert "'wte.weight.npy' holds Python objects, which can run code and are never opened" in text
    np.savez_compressed(file, **{"wte.weight": np.zeros((10**6, 8))})
    assert "is compressed or encrypted" in refusal(lambda: checkpoint.load(file))
