"""config.json: what is read, what is honoured, what is refused by name."""

import pytest

from sheetgpt.checkpoint.config_file import from_json, to_json
from sheetgpt.gpt2.config import Config

SMALL = Config(50257, 1024, 768, 12, 12, 3072, 1e-5, "gelu_new", True)

HUGGING_FACE = {
    "model_type": "gpt2",
    "vocab_size": 50257,
    "n_positions": 1024,
    "n_embd": 768,
    "n_head": 12,
    "n_layer": 12,
}


def test_reads_gpt2_small_as_hugging_face_and_as_openai_write_it():
    openai = {"n_vocab": 50257, "n_ctx": 1024, "n_embd": 768, "n_head": 12, "n_layer": 12}
    assert from_json(HUGGING_FACE, "config.json") == SMALL
    assert from_json(openai, "hparams.json") == SMALL
    assert SMALL.d_head == 64


def test_reads_transformers_aliases():
    aliases = {
        "vocab_size": 50257,
        "max_position_embeddings": 1024,
        "hidden_size": 768,
        "num_attention_heads": 12,
        "num_hidden_layers": 12,
    }
    assert from_json(aliases, "config.json") == SMALL


def test_n_positions_decides_against_n_ctx_as_in_transformers():
    assert from_json(HUGGING_FACE | {"n_ctx": 512}, "config.json").n_ctx == 1024


NEO = {
    "model_type": "gpt_neo",
    "vocab_size": 50257,
    "max_position_embeddings": 2048,
    "hidden_size": 64,
    "num_heads": 16,
    "num_layers": 4,
    "intermediate_size": None,
    "attention_types": [[["global", "local"], 2]],
}


def test_reads_gpt_neo():
    found = from_json(NEO, "config.json")
    assert found == Config(
        50257, 2048, 64, 16, 4, 256, 1e-5, "gelu_new", True,
        scale_attn_weights=False, windows=(0, 256, 0, 256),
    )  # fmt: skip
    assert [found.window(b) for b in range(4)] == [0, 256, 0, 256]
    listed = NEO | {"attention_layers": ["local"] * 4, "attention_types": None, "window_size": 7}
    assert from_json(listed, "config.json").windows == (7, 7, 7, 7)
    everywhere = NEO | {"attention_types": [[["global"], 4]]}
    assert from_json(everywhere, "config.json").windows == ()


@pytest.mark.parametrize(
    "change",
    [
        {"num_layers": 3},
        {"attention_types": [[["global", "sideways"], 2]]},
        {"attention_types": [[["global", "local"], 10**12]]},
        {"attention_types": "local"},
        {"attention_layers": ["global"]},
    ],
)
def test_a_gpt_neo_that_does_not_say_which_blocks_are_local(change, refusal):
    text = refusal(lambda: from_json(NEO | change, "config.json"))
    assert "does not say of each of" in text


def test_scaling_of_attention_is_the_models_business():
    settings = {"scale_attn_weights": False, "scale_attn_by_inverse_layer_idx": True}
    found = from_json(HUGGING_FACE | settings, "config.json")
    assert not found.scale_attn_weights and found.scale_attn_by_inverse_layer_idx


def test_reads_back_the_relatives_of_gpt2():
    config = Config(
        300, 16, 12, 3, 2, 20, 1e-3, "silu", False, head_bias=True, scale_attn_weights=False,
        scale_attn_by_inverse_layer_idx=True, windows=(0, 3),
    )  # fmt: skip
    assert from_json(to_json(config), "config.json") == config


@pytest.mark.parametrize("activation", ["gelu_new", "gelu", "relu", "silu", "quick_gelu"])
@pytest.mark.parametrize("tied", [True, False])
def test_reads_back_what_it_writes(activation, tied):
    config = Config(300, 16, 12, 3, 2, 20, 1e-3, activation, tied)
    assert from_json(to_json(config), "config.json") == config


def test_one_function_has_one_name():
    for name in ("gelu_pytorch_tanh", "gelu_new"):
        changed = HUGGING_FACE | {"activation_function": name}
        assert from_json(changed, "config.json").activation_function == "gelu_new"


@pytest.mark.parametrize(
    "harmless",
    [
        {"reorder_and_upcast_attn": True},
        {"scale_attn_weights": True, "scale_attn_by_inverse_layer_idx": False},
        {"n_inner": None, "tie_word_embeddings": None, "dtype": None, "pruned_heads": {}},
        {"torch_dtype": "bfloat16", "attn_pdrop": 0.1, "summary_type": "cls_index"},
    ],
)
def test_what_changes_no_number_is_let_through(harmless):
    assert from_json(HUGGING_FACE | harmless, "config.json") == SMALL


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"model_type": "llama"},
            "model_type is 'llama', but only 'gpt2' and 'gpt_neo' are supported, and that one has "
            "rotary positions and RMS norms",
        ),
        ({"model_type": ["gpt2"]}, "model_type is ['gpt2']"),
        ({"model_type": None}, "model_type is None"),
        ({"n_head": 7}, "n_embd is 768, which n_head 7 does not divide"),
        ({"n_layer": 0}, "n_layer is 0"),
        ({"n_layer": None}, "n_layer is missing"),
        ({"n_embd": -768}, "n_embd is -768"),
        ({"vocab_size": 50257.0}, "vocab_size is 50257.0"),
        ({"n_positions": "1024"}, "n_positions is '1024'"),
        ({"n_head": True}, "n_head is True"),
        ({"n_inner": 0}, "n_inner is 0"),
        ({"layer_norm_epsilon": 0}, "layer_norm_epsilon is 0"),
        ({"layer_norm_epsilon": float("nan")}, "layer_norm_epsilon is nan"),
        ({"layer_norm_epsilon": 10**400}, "layer_norm_epsilon is 1000"),
        ({"layer_norm_epsilon": "1e-5"}, "layer_norm_epsilon is '1e-5'"),
        ({"activation_function": "mish"}, "activation_function is 'mish'"),
        ({"activation_function": ["gelu"]}, "activation_function is ['gelu']"),
        ({"scale_attn_weights": "no"}, "scale_attn_weights is 'no'"),
        ({"attention_windows": [0]}, "attention_types or attention_layers does not say"),
        ({"attention_windows": [-1] * 12}, "attention_types or attention_layers does not say"),
        ({"add_cross_attention": True}, "add_cross_attention is true"),
        ({"is_causal": False}, "is_causal is false"),
        ({"tie_word_embeddings": "yes"}, "tie_word_embeddings is 'yes'"),
        ({"quantization_config": {"bits": 4}}, "quantization_config is set"),
        ({"pruned_heads": {"0": [1]}}, "pruned_heads is set"),
        ({"dtype": "int8"}, "dtype is 'int8'"),
    ],
)
def test_refuses_by_name(change, said, refusal):
    text = refusal(lambda: from_json(HUGGING_FACE | change, "model/config.json"))
    assert text.startswith(f"model/config.json: {said}")
