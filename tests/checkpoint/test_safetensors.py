"""The reader of safetensors: exact values without copies, and no file that lies."""

import json

import numpy as np
import pytest

from sheetgpt.checkpoint import safetensors


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def test_float32_is_a_view_of_the_file(empty):
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    empty.write_tensors({"odd": np.ones(3, np.uint8), "x": values})  # x is not aligned
    array = safetensors.read(empty.path / "model.safetensors")["x"].as_float32()
    assert array.dtype == np.float32 and np.array_equal(array, values)
    assert not array.flags.owndata and not array.flags.writeable and type(array) is np.ndarray


def test_half_precision_is_widened_exactly(empty):
    bits = np.arange(0x10000).astype(np.uint16)
    half = bits.view(np.float16)
    empty.write_tensors({"bfloat16": bits, "float16": half})
    tensors = safetensors.read(empty.path / "model.safetensors")
    widened = tensors["bfloat16"].as_float32()
    assert np.array_equal(widened.view(np.uint32), bits.astype(np.uint32) << 16)
    assert np.array_equal(tensors["float16"].as_float32(), half.astype(np.float32), equal_nan=True)


def test_float64_is_rounded_and_overflows_to_infinity(empty):
    empty.write_tensors({"x": np.array([0.1, 1e300])})
    array = safetensors.read(empty.path / "model.safetensors")["x"].as_float32()
    assert array.tolist() == [np.float32(0.1), np.inf]


def test_empty_tensors_scalars_notes_and_padding(empty):
    header = {
        "__metadata__": {"format": "pt"},
        "last": entry(shape=(), offsets=(0, 4)),
        "none": entry(shape=(0, 5), offsets=(0, 0)),
    }
    path = empty.write_raw(json.dumps(header).encode() + b"   ", b"\0\0\x80\x3f")
    tensors = safetensors.read(path)
    assert tensors["none"].as_float32().shape == (0, 5)
    assert tensors["last"].as_float32() == 1


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"{", "is not valid JSON"),
        (b"\xff\xfe", "its header is not UTF-8 text"),
        (b"[]", "holds a JSON list, expected an object"),
        (b'{"x": 1, "x": 2}', "the key 'x' stands twice"),
        (b"[" * 100_000, "is not valid JSON"),
        ({"x": 1}, "tensor 'x' has no dtype, shape and data_offsets"),
        ({"x": {"dtype": "F32", "shape": [2]}}, "tensor 'x' has no dtype"),
        ({"x": entry("F4")}, "tensor 'x' has dtype 'F4'"),
        ({"x": entry(["F32"])}, "tensor 'x' has dtype ['F32']"),
        ({"x": entry(shape=(-2,))}, "tensor 'x' has the shape [-2]"),
        ({"x": entry(shape=(2.0,))}, "tensor 'x' has the shape [2.0]"),
        ({"x": entry(shape=(True, 2))}, "tensor 'x' has the shape [True, 2]"),
        ({"x": entry(offsets=(0, 4, 8))}, "tensor 'x' has the data_offsets [0, 4, 8]"),
        ({"x": entry(offsets=(8, 0))}, "needs 8 bytes, not -8"),
        ({"x": entry(shape=(3,))}, "tensor 'x' of F32 [3] needs 12 bytes, not 8"),
        ({"x": entry(shape=(4,), offsets=(0, 16))}, "tensor 'x' ends at byte"),
        ({"x": entry(shape=(1,), offsets=(0, 4))}, "its tensors end at byte"),
        ({"x": entry(shape=(1,), offsets=(4, 8))}, "tensor 'x' lies behind a gap"),
        ({"x": entry(), "y": entry()}, "tensor 'y' overlaps the tensor before it"),
        ({}, "its tensors end at byte"),
    ],
)
def test_a_header_that_does_not_hold_is_refused(header, said, empty, refusal):
    path = empty.write_raw(header, bytes(8))
    text = refusal(lambda: safetensors.read(path))
    assert text.startswith(str(path)) and said in text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it has 0 bytes"),
        (b"1234567", "it has 7 bytes"),
        (b"\xff" * 8, "its header would be 18446744073709551615 bytes long"),
        (b"\x09" + bytes(7) + b"{}", "its header would be 9 bytes long"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "its header would be"),
    ],
)
def test_a_file_that_is_something_else_is_refused(content, said, empty, refusal):
    path = empty.path / "model.safetensors"
    path.write_bytes(content)
    assert said in refusal(lambda: safetensors.read(path))


def test_a_missing_file_is_refused(empty, refusal):
    path = empty.path / "model.safetensors"
    assert "No such file" in refusal(lambda: safetensors.read(path))
