"""The witness against what transformers said, and against the facts of the architecture."""

import math

import numpy as np
import pytest

from sheetgpt.checkpoint import checkpoint
from sheetgpt.gpt2 import reference
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.weights import shapes

CONFIG = Config(13, 7, 6, 3, 2, 10, 1e-5, "gelu_new", True)
IDS = [5, 0, 12, 5]


@pytest.fixture
def weights():
    generator = np.random.default_rng(0)
    return {name: generator.normal(0, 0.5, shape) for name, shape in shapes(CONFIG).items()}


@pytest.fixture
def trace(weights):
    return reference.forward(CONFIG, weights, IDS)


def test_logits_are_those_of_transformers(recorded, expected):
    model = checkpoint.load(recorded)
    trace = reference.forward(model.config, model.weights, expected["ids"])
    # transformers computes the scores of GPT-Neo in float32, whatever it is asked for.
    tolerance = 1e-6 if recorded.name == "gpt-neo" else 1e-8
    assert np.abs(trace["logits"] - expected["logits"]).max() < tolerance


def test_every_step_is_reported_under_its_name_in_order(trace):
    assert list(trace) == reference.step_names(CONFIG)
    assert list(trace)[:8] == [
        *("tokens.id", "embed.text", "embed.position"),
        *("h.0.input", "h.0.ln_1.normal", "h.0.ln_1", "h.0.attn.c_attn", "h.0.attn.q"),
    ]


def test_shapes(trace):
    wide = {"tokens.id": (4,), "predicted.id": (4,), "logits": (4, 13), "softmax": (4, 13)}
    for b in range(2):
        wide |= {
            f"h.{b}.attn.c_attn": (4, 18),
            f"h.{b}.mlp.c_fc": (4, 10),
            f"h.{b}.mlp.gelu": (4, 10),
        }
        wide |= {f"h.{b}.attn.scores": (4, 3, 4), f"h.{b}.attn.weights": (4, 3, 4)}
    assert {name: step.shape for name, step in trace.items()} == {
        name: wide.get(name, (4, 6)) for name in trace
    }


def test_computes_in_float64(weights):
    single = {name: weight.astype(np.float32) for name, weight in weights.items()}
    trace = reference.forward(CONFIG, single, IDS)
    integers = {"tokens.id", "predicted.id"}
    assert {step.dtype for name, step in trace.items() if name not in integers} == {np.dtype(float)}
    assert all(np.issubdtype(trace[name].dtype, np.integer) for name in integers)


def test_scores_and_weights_are_nan_exactly_where_a_token_is_later(trace):
    later = np.triu(np.ones((4, 4), bool), k=1)[:, None, :]
    for name in ("h.0.attn.scores", "h.1.attn.weights"):
        assert np.array_equal(np.isnan(trace[name]), np.broadcast_to(later, (4, 3, 4)))
    assert np.allclose(np.nansum(trace["h.1.attn.weights"], axis=-1), 1)


def test_one_head_by_hand(trace):
    """Query 2 and head 1 (columns 2 and 3), number by number."""
    q, k, v = (trace[f"h.0.attn.{part}"] for part in "qkv")
    scores = [sum(q[2, c] * k[t, c] for c in (2, 3)) / math.sqrt(2) for t in range(3)]
    exps = [math.exp(score) for score in scores]
    assert np.allclose(trace["h.0.attn.scores"][2, 1, :3], scores)
    assert np.allclose(trace["h.0.attn.weights"][2, 1, :3], np.array(exps) / sum(exps))
    heads = [sum(e * v[t, c] for t, e in enumerate(exps)) / sum(exps) for c in (2, 3)]
    assert np.allclose(trace["h.0.attn.heads"][2, 2:4], heads)


def test_steps_hang_together(trace):
    assert np.array_equal(trace["h.0.input"], trace["embed.text"] + trace["embed.position"])
    assert np.array_equal(trace["h.1.input"], trace["h.0.mlp.residual"])
    for b, half in ((0, "attn"), (1, "mlp")):
        before = trace[f"h.{b}.input" if half == "attn" else f"h.{b}.attn.residual"]
        assert np.array_equal(
            trace[f"h.{b}.{half}.residual"], before + trace[f"h.{b}.{half}.c_proj"]
        )
    normal = trace["ln_f.normal"]
    assert np.allclose(normal.mean(-1), 0) and np.allclose(normal.var(-1), 1, atol=1e-3)
    assert np.array_equal(trace["predicted.id"], trace["softmax"].argmax(-1))


def test_a_token_changes_nothing_before_it(weights, trace):
    """The causal mask: the sheet may append a row without touching the others."""
    shorter = reference.forward(CONFIG, weights, IDS[:3])
    for name in trace:
        whole = (
            trace[name][:3, ..., :3] if name.endswith(("scores", "weights")) else trace[name][:3]
        )
        assert np.allclose(whole, shorter[name], equal_nan=True, rtol=1e-12), name


def test_of_equal_logits_the_lowest_id_is_predicted(weights):
    weights["wte"][[3, 7]] = weights["wte"].sum(axis=0) * 50
    trace = reference.forward(CONFIG, weights, IDS)
    top = trace["logits"].argmax(-1)
    assert not {7} & set(trace["predicted.id"].tolist()) and 3 in top


def test_large_scores_do_not_overflow():
    assert reference.softmax(np.array([[-np.inf, 0.0, 5000.0]])).tolist() == [[0, 0, 1]]


def test_activations():
    """Values of the functions as their definitions give them, to 15 digits."""
    x = np.array([-40.0, -1.0, 0.0, 0.5, 3.0])
    assert reference.relu(x).tolist() == [0, 0, 0, 0.5, 3]
    erf = [0.5 * value * (1 + math.erf(value / math.sqrt(2))) for value in x]
    assert np.allclose(reference.gelu_erf(x), erf, rtol=1e-12, atol=1e-15)
    tanh = [0.5 * v * (1 + math.tanh(math.sqrt(2 / math.pi) * (v + 0.044715 * v**3))) for v in x]
    assert np.allclose(reference.gelu_tanh(x), tanh, rtol=1e-12, atol=1e-15)
    assert abs(reference.gelu_tanh(x) - reference.gelu_erf(x)).max() > 1e-5


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ([], "the prompt has no tokens"),
        ([1] * 8, "the prompt has 8 tokens, but 7 fit"),
        ([13], "the token id 13, expected 0 to 12"),
        ([-1], "the token id -1, expected 0 to 12"),
    ],
)
def test_refuses_ids_that_do_not_fit(ids, said, weights, refusal):
    assert said in refusal(lambda: reference.forward(CONFIG, weights, ids))
