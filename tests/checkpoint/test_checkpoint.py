"""Loading a directory: every form that must work, every fault that must be named."""

import json

import numpy as np
import pytest

from sheetgpt.checkpoint import checkpoint
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.weights import shapes


def test_recorded_checkpoints(recorded):
    model = checkpoint.load(recorded)
    assert model.name == recorded.name
    assert {name: weight.shape for name, weight in model.weights.items()} == shapes(model.config)
    assert list(model.weights) == list(shapes(model.config))
    assert {weight.dtype for weight in model.weights.values()} == {np.dtype(np.float32)}
    assert len(model.tokenizer.tokens) == model.config.n_vocab


def test_configurations_of_recorded_checkpoints(copy_of):
    configs = {name: checkpoint.load(copy_of(name).path).config for name in ("openai", "padded")}
    assert configs == {
        "openai": Config(276, 32, 6, 2, 2, 24, 1e-5, "gelu_new", True),
        "padded": Config(288, 32, 4, 2, 1, 16, 1e-3, "gelu_new", True),
    }


def test_float32_weights_are_not_copied(plain):
    weights = checkpoint.load(plain.path).weights
    assert not any(weight.flags.owndata or weight.flags.writeable for weight in weights.values())


def test_with_and_without_prefix_is_the_same(plain):
    before = {name: array.copy() for name, array in checkpoint.load(plain.path).weights.items()}
    plain.edit_tensors(strip_prefix)
    after = checkpoint.load(plain.path).weights
    assert all(np.array_equal(before[name], after[name]) for name in before)


def strip_prefix(tensors):
    for name in list(tensors):
        tensors[name.removeprefix("transformer.")] = tensors.pop(name)


def test_causal_masks_are_ignored_but_not_the_bias_of_c_attn(copy_of):
    weights = checkpoint.load(copy_of("openai").path).weights
    assert weights["h.0.attn.c_attn.b"].shape == (18,) and weights["h.0.attn.c_attn.b"].any()


def test_other_heads_are_ignored(plain):
    plain.edit_tensors(lambda t: t.update({"score.weight": np.ones((2, 8), np.float32)}))
    assert checkpoint.load(plain.path).config.tie_word_embeddings


def test_without_a_vocabulary_file_padding_is_named(copy_of):
    tokens = checkpoint.load(copy_of("padded").path).tokenizer.tokens
    assert tokens[271:273] == ("<|endoftext|>", "<|unused 272|>")


class TestTiedHead:
    """What transformers' `tie_weights` does when the configuration calls the head tied."""

    def test_equal_head_is_tied(self, plain):
        plain.edit_tensors(lambda t: t.update({"lm_head.weight": t["transformer.wte.weight"]}))
        model = checkpoint.load(plain.path)
        assert model.config.tie_word_embeddings and "lm_head.w" not in model.weights

    def test_other_head_is_not_tied(self, plain):
        other = np.arange(280 * 8, dtype=np.float32).reshape(280, 8)
        plain.edit_tensors(lambda t: t.update({"lm_head.weight": other}))
        model = checkpoint.load(plain.path)
        assert not model.config.tie_word_embeddings
        assert np.array_equal(model.weights["lm_head.w"], other)

    def test_head_stands_in_for_wte(self, plain):
        plain.edit_tensors(lambda t: t.update({"lm_head.weight": t.pop("transformer.wte.weight")}))
        model = checkpoint.load(plain.path)
        assert model.config.tie_word_embeddings and model.weights["wte"].shape == (280, 8)

    def test_head_of_another_shape_is_refused(self, plain, refusal):
        head = np.ones((9, 280), np.float32)
        plain.edit_tensors(lambda t: t.update({"lm_head.weight": head}))
        text = refusal(lambda: checkpoint.load(plain.path))
        assert "tensor lm_head.weight has the shape [9, 280], expected [280, 8]" in text

    def test_untied_head_must_be_there(self, plain, refusal):
        plain.edit_json("config.json", tie_word_embeddings=False)
        assert "the weights lack lm_head.weight;" in refusal(lambda: checkpoint.load(plain.path))


def test_no_directory(tmp_path, refusal):
    (tmp_path / "file").write_text("")
    for name in ("none", "n" * 300):
        path = tmp_path / name
        text = refusal(lambda path=path: checkpoint.load(path))
        assert text.startswith(f"{path} does not exist, expected the directory of a GPT-2")
    text = refusal(lambda: checkpoint.load(tmp_path / "file"))
    assert text.startswith(
        f"{tmp_path / 'file'} is no file of weights that is known here; give mod"
    )


def test_empty_directory(empty, refusal):
    text = refusal(lambda: checkpoint.load(empty.path))
    assert text.startswith(
        f"{empty.path} has no model.safetensors, pytorch_model.bin, ckpt.pt, mode"
    )


@pytest.mark.parametrize(
    ("removed", "said"),
    [
        ("config.json", "the weights do not say how many heads there are; write a config.json bes"),
        (
            "model.safetensors",
            "has no model.safetensors, pytorch_model.bin, ckpt.pt, model.ckpt.ind",
        ),
        ("vocab.json", "has no vocabulary, expected vocab.json and merges.txt"),
        ("merges.txt", "has no vocabulary, expected vocab.json and merges.txt"),
    ],
)
def test_missing_files(removed, said, plain, refusal):
    (plain.path / removed).unlink()
    assert said in refusal(lambda: checkpoint.load(plain.path))


@pytest.mark.parametrize("name", ["tf_model.h5", "flax_model.msgpack"])
def test_weights_of_other_libraries_are_refused(name, plain, refusal):
    (plain.path / "model.safetensors").rename(plain.path / name)
    text = refusal(lambda: checkpoint.load(plain.path))
    assert f"has its weights in {name} only, which is not read; give model.safetensors" in text


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("config.json", "{", "config.json is not valid JSON"),
        ("config.json", "[]", "config.json holds a JSON list, expected an object"),
        ("config.json", '{"model_type": "bert"}', "config.json: model_type is 'bert'"),
        ("vocab.json", "{}", "vocab.json: no token spells a single byte"),
        ("merges.txt", "x y z", "merges.txt: line 1 is 'x y z'"),
        ("model.safetensors", "", "model.safetensors is not a whole safetensors file"),
    ],
)
def test_broken_files(name, content, said, plain, refusal):
    (plain.path / name).write_text(content)
    assert said in refusal(lambda: checkpoint.load(plain.path))


def test_missing_tensors_are_named(plain, refusal):
    plain.edit_tensors(lambda t: t.pop("transformer.h.1.attn.c_attn.bias"))
    text = refusal(lambda: checkpoint.load(plain.path))
    assert f"{plain.path}: the weights lack h.1.attn.c_attn.bias;" in text


def test_many_missing_tensors_are_counted(plain, refusal):
    plain.edit_json("config.json", n_layer=3)
    text = refusal(lambda: checkpoint.load(plain.path))
    assert "the weights lack h.2.ln_1.weight, h.2.ln_1.bias, " in text and " and 7 more;" in text


def test_a_mistyped_number_of_blocks(plain, refusal):
    plain.edit_json("config.json", n_layer=10**12)
    text = refusal(lambda: checkpoint.load(plain.path))
    assert "the configuration says 1000000000000 blocks, but the weights have 28 tensors" in text


def test_wrong_shapes_are_named_with_both(plain, refusal):
    name = "transformer.h.0.mlp.c_fc.weight"
    plain.edit_tensors(lambda t: t.update({name: t[name].reshape(16, 16)}))
    text = refusal(lambda: checkpoint.load(plain.path))
    assert "tensor h.0.mlp.c_fc.weight has the shape [16, 16], expected [8, 32]" in text


@pytest.mark.parametrize(
    "name",
    [
        "transformer.h.0.crossattention.c_attn.weight",
        "transformer.h.2.ln_1.weight",
        "h.0.attn.c_attn.weight.lora_A",
        "mlp.gate.weight",
    ],
)
def test_tensors_that_a_gpt2_has_not_are_named(name, plain, refusal):
    plain.edit_tensors(lambda t: t.update({name: np.ones(8, np.float32)}))
    text = refusal(lambda: checkpoint.load(plain.path))
    assert f"the weights have the tensor {name.removeprefix('transformer.')!r}," in text


def test_a_bias_of_the_head_is_nothing_that_transformers_gpt2_has(plain, refusal):
    plain.edit_tensors(lambda t: t.update({"lm_head.bias": np.ones(280, np.float32)}))
    text = refusal(lambda: checkpoint.load(plain.path))
    assert "the weights have the tensor 'lm_head.bias', which transformers leaves out;" in text


def test_fewer_blocks_in_the_config_than_in_the_file(plain, refusal):
    plain.edit_json("config.json", n_layer=1)
    assert "the weights have the tensor 'h.1." in refusal(lambda: checkpoint.load(plain.path))


def test_a_tensor_twice_is_refused(plain, refusal):
    plain.edit_tensors(lambda t: t.update({"wpe.weight": t["transformer.wpe.weight"]}))
    text = refusal(lambda: checkpoint.load(plain.path))
    assert "the tensors 'transformer.wpe.weight' and 'wpe.weight' are the same part" in text


def test_a_truncated_file_is_refused(plain, refusal):
    file = plain.path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-4])
    text = refusal(lambda: checkpoint.load(plain.path))
    assert text.startswith(
        f"{file} is not a whole safetensors file: tensor 'transformer.wte.weight'"
    )


def test_quantised_weights_are_refused(plain, refusal):
    name = "transformer.wpe.weight"
    plain.edit_tensors(lambda t: t.update({name: t[name].astype(np.uint8)}))
    text = refusal(lambda: checkpoint.load(plain.path))
    assert "tensor wpe.weight has dtype U8, expected one of F16, BF16, F32, F64" in text


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_named(value, plain, refusal):
    def spoil(tensors):
        tensors["transformer.h.1.mlp.c_proj.weight"][3, 5] = value

    plain.edit_tensors(spoil)
    text = refusal(lambda: checkpoint.load(plain.path))
    assert f"tensor h.1.mlp.c_proj.weight holds {value} at [3, 5], expected finite" in text


def test_float64_beyond_float32_is_refused(plain, refusal):
    def widen(tensors):
        tensors["transformer.ln_f.bias"] = np.full(8, 1e300)

    plain.edit_tensors(widen)
    assert "tensor ln_f.bias holds inf at [0]" in refusal(lambda: checkpoint.load(plain.path))


def test_vocabulary_larger_than_the_model_is_refused(plain, refusal):
    ids = json.loads((plain.path / "vocab.json").read_text(encoding="utf-8"))
    plain.edit_json("vocab.json", **ids | {"one more": 280})
    text = refusal(lambda: checkpoint.load(plain.path))
    assert "vocab.json: token 'one more' has the id 280, expected 0 to 279" in text


@pytest.mark.parametrize(
    ("weight_map", "said"),
    [
        (None, "weight_map is missing"),
        ({}, "weight_map is missing"),
        ({"wte.weight": "../elsewhere.safetensors"}, "names the file '../elsewhere.safetensors'"),
        ({"wte.weight": "/etc/passwd"}, "names the file '/etc/passwd'"),
        ({"wte.weight": 3}, "names the file 3"),
        ({"wte.weight": ["a"]}, "names the file ['a']"),
        ({"wte.weight": "a\0b"}, "names the file 'a\\x00b'"),
        ({"wte.weight": "gone.safetensors"}, "gone.safetensors cannot be read (No such file"),
        ({"more": "model-00001-of-00003.safetensors"}, "tensor 'more' is not in 'model-00001-of-"),
    ],
)
def test_broken_index_of_shards(weight_map, said, copy_of, refusal):
    sharded = copy_of("sharded")
    sharded.edit_json("model.safetensors.index.json", weight_map=weight_map)
    assert said in refusal(lambda: checkpoint.load(sharded.path))


def test_a_tensor_in_two_shards_is_refused(copy_of, refusal):
    sharded = copy_of("sharded")
    more = {
        "lm_head.weight": np.ones(1, np.float32),
        "transformer.wte.weight": np.ones(1, np.float32),
    }
    sharded.write_tensors(more, "more.safetensors")
    index = json.loads((sharded.path / "model.safetensors.index.json").read_text())
    places = index["weight_map"] | {"x": "more.safetensors"}
    sharded.edit_json("model.safetensors.index.json", weight_map=places)
    assert "stands in model-0000" in refusal(lambda: checkpoint.load(sharded.path))
