"""A tensor read whole and in pieces, and that loading a checkpoint never holds one whole."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from sheetgpt.checkpoint import checkpoint, tensor
from sheetgpt.checkpoint.tensor import Tensor

STORED = {"F16": "<f2", "BF16": "<u2", "F32": "<f4", "F64": "<f8"}


@pytest.mark.parametrize("dtype", STORED)
@pytest.mark.parametrize("shape", [(), (7,), (3, 5), (0, 4)])
def test_pieces_are_the_whole(dtype, shape, monkeypatch):
    monkeypatch.setattr(tensor, "PIECE", 4)
    values = np.random.default_rng(0).integers(0, 1000, shape).astype(STORED[dtype])
    read = Tensor(Path("x"), b"\0" + values.tobytes(), dtype, shape, 1)
    pieces = list(read.pieces())
    assert all(0 < len(piece) <= 4 and piece.dtype == np.float32 for piece in pieces)
    assert np.concatenate([np.zeros(0), *pieces]).tolist() == read.as_float32().ravel().tolist()
    assert read.as_float32().shape == shape


@pytest.fixture
def long(plain):
    """A checkpoint with two million float16 numbers in one tensor."""
    plain.edit_json("config.json", n_positions=1 << 18)
    wpe = np.ones((1 << 18, 8), np.float16)
    plain.edit_tensors(lambda t: t.update({"transformer.wpe.weight": wpe}))
    return plain


def test_loading_holds_no_whole_tensor(long, monkeypatch):
    monkeypatch.setattr(tensor, "PIECE", 1 << 12)
    tracemalloc.start()
    loaded = checkpoint.load(long.path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 << 20 < loaded.weights["wpe"].nbytes


def test_what_is_not_finite_is_found_in_every_piece(plain, monkeypatch, refusal):
    monkeypatch.setattr(tensor, "PIECE", 3)

    def spoil(tensors):
        tensors["transformer.h.1.mlp.c_proj.weight"][3, 5] = np.nan

    plain.edit_tensors(spoil)
    text = refusal(lambda: checkpoint.load(plain.path))
    assert "tensor h.1.mlp.c_proj.weight holds nan at [3, 5]" in text


@pytest.mark.parametrize(("place", "tied"), [(None, True), (0, False), (279, False)])
def test_a_head_is_compared_in_every_piece(plain, monkeypatch, place, tied):
    monkeypatch.setattr(tensor, "PIECE", 3)

    def add(tensors):
        tensors["lm_head.weight"] = tensors["transformer.wte.weight"].copy()
        if place is not None:
            tensors["lm_head.weight"][place, -1] += 1

    plain.edit_tensors(add)
    assert checkpoint.load(plain.path).config.tie_word_embeddings is tied


def test_an_empty_file_has_no_bytes(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    assert tensor.mapped(tmp_path / "empty") == b""
