"""Names and shapes of the tensors."""

from sheetgpt.checkpoint.names import canonical_name, checkpoint_name, openai_name
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.weights import shapes

CONFIG = Config(300, 16, 8, 2, 1, 20, 1e-5, "gelu_new", False)


def test_every_tensor_of_a_model_in_the_order_of_the_forward_pass():
    assert list(shapes(CONFIG).items()) == [
        ("wte", (300, 8)),
        ("wpe", (16, 8)),
        ("h.0.ln_1.g", (8,)),
        ("h.0.ln_1.b", (8,)),
        ("h.0.attn.c_attn.w", (8, 24)),
        ("h.0.attn.c_attn.b", (24,)),
        ("h.0.attn.c_proj.w", (8, 8)),
        ("h.0.attn.c_proj.b", (8,)),
        ("h.0.ln_2.g", (8,)),
        ("h.0.ln_2.b", (8,)),
        ("h.0.mlp.c_fc.w", (8, 20)),
        ("h.0.mlp.c_fc.b", (20,)),
        ("h.0.mlp.c_proj.w", (20, 8)),
        ("h.0.mlp.c_proj.b", (8,)),
        ("ln_f.g", (8,)),
        ("ln_f.b", (8,)),
        ("lm_head.w", (300, 8)),
    ]


def test_hugging_face_names():
    names = {
        "wte": "wte.weight",
        "wpe": "wpe.weight",
        "h.11.ln_2.g": "h.11.ln_2.weight",
        "h.11.ln_2.b": "h.11.ln_2.bias",
        "h.0.attn.c_attn.w": "h.0.attn.c_attn.weight",
        "h.0.attn.c_attn.b": "h.0.attn.c_attn.bias",
        "ln_f.g": "ln_f.weight",
        "lm_head.w": "lm_head.weight",
    }
    assert {name: checkpoint_name(name) for name in names} == names


def test_names_lead_back():
    assert [canonical_name(checkpoint_name(name)) for name in shapes(CONFIG)] == list(
        shapes(CONFIG)
    )


def test_openai_names():
    """As src/model.py of openai/gpt-2 nests its scopes."""
    names = {
        "wte": "model/wte",
        "h.11.ln_2.g": "model/h11/ln_2/g",
        "h.0.attn.c_attn.w": "model/h0/attn/c_attn/w",
        "ln_f.b": "model/ln_f/b",
    }
    assert {name: openai_name(name) for name in names} == names
