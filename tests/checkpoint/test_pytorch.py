"""PyTorch's files: exact values without copies, no code that runs, and no file that lies."""

import os
import pickle
import struct
import tracemalloc
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from sheetgpt.checkpoint import checkpoint, inert_pickle, pytorch
from sheetgpt.checkpoint.tensor import mapped

from .conftest import Saved

MATRIX = np.arange(12, dtype=np.float32).reshape(3, 4)


def read(path):
    return pytorch.read(path, mapped(path))


def test_tensors_are_views_of_the_file(tmp_path, torch_file):
    half = np.arange(5, dtype=np.float16)
    weights = OrderedDict(a=Saved(MATRIX), b=Saved(half, "HalfStorage"))
    saved = read(torch_file(tmp_path / "x.pt", weights))
    a, b = saved.tensors["a"], saved.tensors["b"]
    assert np.array_equal(a.as_float32(), MATRIX) and not a.as_float32().flags.owndata
    assert np.array_equal(b.as_float32(), half) and (a.dtype, b.dtype) == ("F32", "F16")


def test_a_transposed_tensor_is_read_as_it_was(tmp_path, torch_file):
    tensor = read(torch_file(tmp_path / "x.pt", {"a": Saved(MATRIX.T)})).tensors["a"]
    assert np.array_equal(tensor.as_float32(), MATRIX.T)
    assert np.array_equal(np.concatenate(list(tensor.pieces())), MATRIX.T.ravel())


def test_a_part_of_a_storage(tmp_path, torch_file):
    part = Saved(MATRIX, offset=5, shape=(2, 3), strides=(3, 1))
    tensor = read(torch_file(tmp_path / "x.pt", {"a": part})).tensors["a"]
    assert tensor.as_float32().tolist() == [[5, 6, 7], [8, 9, 10]]


@pytest.mark.parametrize("key", ["model", "state_dict", "model_state_dict", "whatever"])
def test_weights_among_what_training_keeps(key, tmp_path, torch_file):
    thing = {
        "best_val_loss": Saved(np.array(1.5, np.float32)),
        "optimizer": {"state": {0: {"exp_avg": Saved(MATRIX)}}},
        key: {"a": Saved(MATRIX)},
        "config": {"n_head": 2, "bias": False, "list": [1], "name": "x"},
    }
    if key == "whatever":
        del thing["best_val_loss"]
    saved = read(torch_file(tmp_path / "x.pt", thing))
    assert list(saved.tensors) == ["a"]
    assert saved.settings == {"config": True, "n_head": 2, "bias": False, "name": "x"}


class Runs:
    """What a hostile pickle asks for."""

    def __init__(self, function, *arguments):
        self.given = function, arguments

    def __reduce__(self):
        return self.given


@pytest.mark.parametrize("protocol", [0, 1, 2, 4, 5])
@pytest.mark.parametrize("where", ["in place of all", "beside the weights", "as a weight"])
def test_no_code_runs(protocol, where, tmp_path, torch_file, plain, refusal):
    trace = tmp_path / "ran"
    hostile = [
        Runs(os.system, f"touch {trace}"),
        Runs(eval, f"open({str(trace)!r}, 'w')"),
        Runs(pytest.fail, "the pickle was run"),
    ]
    things = {
        "in place of all": hostile[0],
        "beside the weights": {"model": {"wte.weight": 1}, "more": hostile},
        "as a weight": {"wte.weight": hostile[0], "wpe.weight": hostile[1]},
    }
    data = pickle.dumps(things[where], protocol)
    assert b"system" in data
    (plain.path / "model.safetensors").unlink()
    file = torch_file(plain.path / "pytorch_model.bin", data)
    for place in (plain.path, file):
        text = refusal(lambda place=place: checkpoint.load(place))
        assert "holds no weights" in text
    assert not trace.exists()


def test_code_beside_good_weights_does_not_run(tmp_path, torch_file):
    trace = tmp_path / "ran"
    thing = {"model": {"a": Saved(MATRIX)}, "hook": Runs(os.system, f"touch {trace}")}
    assert list(read(torch_file(tmp_path / "x.pt", thing)).tensors) == ["a"]
    assert not trace.exists()


def nested(depth):
    """Tuples that double at every step: small in the file, endless to walk through."""
    return b"\x80\x02)" + b"2\x86" * depth + b"."


def colliding(n):
    """A dictionary whose keys all have the same hash."""
    step = (1 << 61) - 1
    keys = (b"\x8a\x0a" + (i * step).to_bytes(10, "little") + b"K\x00" for i in range(n))
    return b"\x80\x02}(" + b"".join(keys) + b"u."


BOMBS = {
    "many instructions": (b"\x80\x02" + b"]" * 2_000_000 + b".", "has more than 500,000 instr"),
    "doubling": (nested(200_000), "holds no weights"),
    "doubling as a key": (b"\x80\x02})" + b"2\x86" * 100 + b"K\x01s.", "holds no weights"),
    "equal hashes": (colliding(100_000), "holds no weights"),
    "a long number": (b"\x80\x02\x8b" + struct.pack("<i", 10**6) + b"\x7f" * 10**6 + b".", "no w"),
    "a text that lies": (b"\x80\x02X" + struct.pack("<I", 2**31) + b"a.", "does not hold, for"),
    "deep": (b"\x80\x02" + b"]" * 200_000 + b"a" * 199_999 + b".", "holds no weights"),
    "no end": (b"\x80\x02]", "does not hold, for"),
    "nothing": (b"", "does not hold, for"),
    "an empty stack": (b"\x80\x02a.", "its instructions do not fit together"),
    "no mark": (b"\x80\x02(tt.", "its instructions do not fit together"),
    "an extension": (b"\x80\x02\x82\x01.", "has the instruction EXT1"),
    "a memory without bounds": (b"\x80\x02]p99999999999999999999\n.", "has a place of 67 bits"),
    "what was never kept": (b"\x80\x02h\x07.", "its instructions do not fit together"),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_are_refused_in_little_memory(bomb, tmp_path, torch_file, refusal):
    data, said = BOMBS[bomb]
    path = torch_file(tmp_path / "x.pt", data)
    tracemalloc.start()
    try:
        assert said in refusal(lambda: read(path))
        assert tracemalloc.get_traced_memory()[1] < 200_000_000
    finally:
        tracemalloc.stop()


def test_a_pickle_longer_than_any_checkpoints(refusal):
    with pytest.raises(ValueError, match="more than any checkpoint's"):
        inert_pickle.read(bytes(inert_pickle.LONGEST + 1), {})


def test_modules_within_modules_without_end(tmp_path, torch_file, refusal, monkeypatch):
    """A module that is its own part, and one that has the same part many times over."""
    monkeypatch.setattr(pytorch, "MOST_MODULES", 1000)
    opening = b"\x80\x02cm\nM\n)\x81q\x00}X\x08\x00\x00\x00_modules}X\x01\x00\x00\x00a"
    path = torch_file(tmp_path / "x.pt", opening + b"h\x00ssb.")
    assert "holds more modules than any GPT-2" in refusal(lambda: read(path))


def test_zip_bomb(tmp_path, torch_file, refusal):
    path = torch_file(
        tmp_path / "x.pt", {"a": Saved(MATRIX)}, zipfile.ZIP_DEFLATED, {"data/9": bytes(10**8)}
    )
    assert path.stat().st_size < 200_000
    assert "is compressed or encrypted, expected it stored as it is" in refusal(lambda: read(path))


def test_a_directory_that_is_too_long(tmp_path, torch_file, refusal):
    path = torch_file(tmp_path / "x.pt", {"a": Saved(MATRIX)})
    data = bytearray(path.read_bytes())
    data[-10:-6] = struct.pack("<I", 20_000_000)
    path.write_bytes(data)
    assert "its directory is longer than that of any" in refusal(lambda: read(path))


def test_truncated_anywhere(tmp_path, torch_file, refusal):
    whole = torch_file(tmp_path / "x.pt", {"a": Saved(MATRIX)}).read_bytes()
    for length in range(4, len(whole), 7):
        (tmp_path / "x.pt").write_bytes(whole[:length])
        assert "is not a whole zip file" in refusal(lambda: read(tmp_path / "x.pt"))


def test_damaged_anywhere(tmp_path, torch_file, refusal):
    """Whatever one byte is changed to, there is either a sentence or as many numbers as before."""
    whole = torch_file(tmp_path / "x.pt", {"a": Saved(MATRIX)}).read_bytes()
    draw = np.random.default_rng(0)
    for at in range(len(whole)):
        broken = bytearray(whole)
        broken[at] ^= int(draw.integers(1, 256))
        (tmp_path / "x.pt").write_bytes(broken)
        try:
            for tensor in read(tmp_path / "x.pt").tensors.values():
                if tensor.dtype in ("F32", "F16"):
                    assert tensor.as_float32().size <= 48
        except Exception as error:
            assert type(error).__name__ == "CheckpointError", at


LIES = {
    "shape": ({"shape": (3, 5)}, "reaches beyond the 12 numbers of its storage"),
    "a shape that is no shape": ({"shape": (3, -4)}, "has no place in the file"),
    "a shape of texts": ({"shape": ("3", "4")}, "has no place in the file"),
    "a shape without end": ({"shape": (2**40, 2**40), "strides": (0, 0)}, "reaches beyond the 12"),
    "strides": ({"strides": (40, 1)}, "reaches beyond the 12 numbers"),
    "too few strides": ({"strides": (1,)}, "has no place in the file"),
    "an offset": ({"offset": 1}, "reaches beyond the 12 numbers"),
    "an offset before it": ({"offset": -1}, "has no place in the file"),
    "a length": ({"length": 13}, "lies in 13 numbers of F32, which are not the 48 bytes"),
    "a large length": ({"length": 10**30}, "has no place in the file"),
}


@pytest.mark.parametrize("lie", LIES)
def test_storages_that_lie(lie, tmp_path, torch_file, refusal):
    changes, said = LIES[lie]
    path = torch_file(tmp_path / "x.pt", {"a": Saved(MATRIX, **changes)})
    text = refusal(lambda: read(path))
    assert f"is not a whole file of torch.save: tensor 'a' {said}" in text


def test_big_endian_is_refused(tmp_path, torch_file, refusal):
    path = torch_file(tmp_path / "x.pt", {"a": Saved(MATRIX)}, more={"byteorder": b"big"})
    assert "has big-endian numbers, expected little-endian" in refusal(lambda: read(path))


def test_a_member_that_stands_there_twice(tmp_path, torch_file, refusal):
    path = torch_file(tmp_path / "x.pt", {"a": Saved(MATRIX)})
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("archive/data/0", bytes(48))
    assert "'archive/data/0' stands there twice" in refusal(lambda: read(path))


def test_quantised_weights_are_refused(tmp_path, torch_file):
    path = torch_file(tmp_path / "x.pt", {"a": Saved(MATRIX, "QInt8Storage")})
    assert read(path).tensors["a"].dtype == "torch.QInt8Storage"


def test_the_old_form_is_refused_with_what_to_do(plain, refusal):
    (plain.path / "model.safetensors").unlink()
    magic = 0x1950A86A20F9469CFC6C  # with which PyTorch began before it wrote zip files
    (plain.path / "pytorch_model.bin").write_bytes(pickle.dumps(magic, 2) + b"more")
    text = refusal(lambda: checkpoint.load(plain.path))
    assert "pytorch_model.bin is a pickle in the form that PyTorch wrote before 1.6" in text
    assert "torch.save(torch.load(OLD, weights_only=True), NEW)" in text


def test_a_pickle_beside_safetensors_does_no_harm(plain):
    (plain.path / "pytorch_model.bin").write_bytes(pickle.dumps(Runs(pytest.fail, "it was run")))
    assert checkpoint.load(plain.path).name == "plain"


def test_a_file_is_a_model_as_well_as_its_directory():
    directory = Path(__file__).parents[1] / "checkpoints" / "nanogpt"
    by_file, by_directory = checkpoint.load(directory / "ckpt.pt"), checkpoint.load(directory)
    assert (by_file.name, by_directory.name) == ("ckpt", "nanogpt")
    assert by_file.config == by_directory.config
    for name, weight in by_file.weights.items():
        assert np.array_equal(weight, by_directory.weights[name])
