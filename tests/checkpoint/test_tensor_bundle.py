"""The reader of TensorFlow's checkpoints, on files that TensorFlow wrote and on files that lie."""

import numpy as np
import pytest

from sheetgpt.checkpoint import checkpoint, sorted_table, tensor_bundle

# The fields of an entry, as tensor_bundle.proto numbers them.
DTYPE, SHAPE, SHARD, OFFSET, SIZE, SLICES = 1, 2, 3, 4, 5, 7


def message(*fields):
    """A message of (field, value); every number below 128."""
    data = b""
    for field, value in fields:
        if isinstance(value, bytes):
            data += bytes([field << 3 | 2, len(value)]) + value
        else:
            data += bytes([field << 3, value])
    return data


def shape(*sizes):
    return message(*((2, message((1, size))) for size in sizes))


@pytest.fixture
def bundle(tmp_path, table):
    """Writes a checkpoint of 24 bytes of data with this index; gives the path of the index."""

    def write(header=((1, 1),), **entries):
        named = {name.encode(): message(*fields) for name, fields in sorted(entries.items())}
        (tmp_path / "m.index").write_bytes(table({b"": message(*header)} | named))
        data = np.arange(6, dtype=np.float32).tobytes()
        (tmp_path / "m.data-00000-of-00001").write_bytes(data)
        return tmp_path / "m.index"

    return write


# --- what TensorFlow wrote -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tensorflow", "tensorflow-sharded"])
def test_the_weights_are_those_of_the_same_model_as_safetensors(name, copy_of):
    ours, theirs = (checkpoint.load(copy_of(each).path) for each in (name, "openai"))
    assert ours.config == theirs.config
    for each, weight in ours.weights.items():
        assert np.array_equal(weight, theirs.weights[each]), each


def test_weights_are_not_copied(copy_of):
    weights = checkpoint.load(copy_of("tensorflow-sharded").path).weights
    assert not any(weight.flags.owndata or weight.flags.writeable for weight in weights.values())


def test_names_dtypes_and_shapes(copy_of):
    tensors = tensor_bundle.read(copy_of("tensorflow-sharded").path / "model-7.index")
    assert tensors["model/h0/attn/c_attn/w"].shape == (1, 6, 18)
    assert tensors["global_step"].shape == ()
    assert {tensor.dtype for tensor in tensors.values()} == {
        *("F32", "TensorFlow's number 9", "TensorFlow's number 7")
    }
    assert {tensor.path.name for tensor in tensors.values()} == {
        *("model-7.data-00000-of-00002", "model-7.data-00001-of-00002")
    }


# --- which checkpoint of a directory -------------------------------------------------------------


def test_there_is_none(tmp_path):
    (tmp_path / "model.safetensors.index.json").write_text("{}")
    assert tensor_bundle.find(tmp_path) is None


def test_the_only_one_needs_no_file_that_names_it(tmp_path):
    (tmp_path / "model.ckpt.data-00000-of-00001").write_text("")
    assert tensor_bundle.find(tmp_path) == tmp_path / "model.ckpt.index"


@pytest.mark.parametrize("place", ["", "/home/somebody/run1/", "C:\\\\run1\\\\"])
def test_the_file_checkpoint_names_the_last(place, tmp_path):
    for name in ("model-8.index", "model-10.index"):
        (tmp_path / name).write_text("")
    (tmp_path / "checkpoint").write_text(
        f'model_checkpoint_path: "{place}model-10"\nall_model_checkpoint_paths: "model-8"\n'
    )
    assert tensor_bundle.find(tmp_path) == tmp_path / "model-10.index"


@pytest.mark.parametrize("last", [None, "", 'model_checkpoint_path: "model-9"'])
def test_several_and_nothing_that_names_the_last(last, tmp_path, refusal):
    for name in ("model-8.index", "model-10.data-00000-of-00001", "model-10.index"):
        (tmp_path / name).write_text("")
    if last is not None:
        (tmp_path / "checkpoint").write_text(last)
    assert refusal(lambda: tensor_bundle.find(tmp_path)) == (
        f"{tmp_path} has several checkpoints (model-10, model-8), expected a file checkpoint "
        "that names one of them; move the others to another directory"
    )


# --- what does not hold --------------------------------------------------------------------------

GOOD = ((DTYPE, 1), (SHAPE, shape(2, 3)), (SIZE, 24))


def test_what_is_left_out_is_zero(bundle):
    tensors = tensor_bundle.read(bundle(x=GOOD, y=((DTYPE, 19), (SIZE, 2), (OFFSET, 22))))
    assert tensors["x"].as_float32().tolist() == [[0, 1, 2], [3, 4, 5]]
    assert tensors["y"].as_float32() == np.float16(2.3125)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            ((DTYPE, 1), (SHAPE, shape(2, 2)), (SIZE, 24)),
            "tensor 'x' of F32 [2, 2] needs 16 bytes, but the index says 24; copy or download the",
        ),
        (
            (*GOOD, (OFFSET, 4)),
            "is not whole: tensor 'x' ends at byte 28, the file at 24; copy or download it again",
        ),
        ((*GOOD, (SHARD, 1)), "m.data-00001-of-00001 cannot be read (No such file or directory)"),
        ((*GOOD, (SLICES, b"")), "tensor 'x' is stored in slices, expected it in one piece"),
        (((DTYPE, b"1"),), "is not a whole index of a TensorFlow checkpoint: an entry's field 1"),
        (((SHAPE, 1),), "checkpoint: an entry's field 2 is no message"),
        (((SHAPE, b"\x12\x7f"),), "127 bytes from byte 2 on were expected, but it ends before"),
        (((SHAPE, b"\x13"),), "checkpoint: an entry has a field of the unknown kind 3"),
    ],
)
def test_an_entry_that_does_not_hold_is_refused(entry, said, bundle, refusal):
    index = bundle(x=entry)
    assert said in refusal(lambda: tensor_bundle.read(index))


def test_an_index_without_header_is_refused(tmp_path, table, refusal):
    (tmp_path / "m.index").write_bytes(table({b"x": b""}))
    text = refusal(lambda: tensor_bundle.read(tmp_path / "m.index"))
    assert "m.index is not a whole index of a TensorFlow checkpoint: it has no header;" in text


def test_a_name_that_is_no_text_is_refused(tmp_path, table, refusal):
    (tmp_path / "m.index").write_bytes(table({b"": b"", b"\xff": b""}))
    assert "not a whole index" in refusal(lambda: tensor_bundle.read(tmp_path / "m.index"))


def test_big_endian_is_refused(bundle, refusal):
    index = bundle(header=((1, 1), (2, 1)))
    text = refusal(lambda: tensor_bundle.read(index))
    assert text.startswith(f"{index} says that the tensors are big-endian, expected little-endian")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda d: (d / "model.ckpt.index").unlink(), "model.ckpt.index cannot be read (No such"),
        (
            lambda d: (d / "model.ckpt.data-00000-of-00001").unlink(),
            "model.ckpt.data-00000-of-00001 cannot be read (No such file or directory); the che",
        ),
        (
            lambda d: (d / "model.ckpt.data-00000-of-00001").write_bytes(b""),
            "model.ckpt.data-00000-of-00001 is not whole: tensor 'model/h0/attn/c_attn/b' ends at",
        ),
        (
            lambda d: (d / "hparams.json").write_text(
                '{"n_vocab": 276, "n_ctx": 32, "n_embd": 6, "n_head": 2, "n_layer": 1}'
            ),
            "the weights have the tensor 'model/h1/attn/c_attn/b', which a GPT-2 with",
        ),
        (
            lambda d: (d / "hparams.json").write_text(
                '{"n_vocab": 276, "n_ctx": 32, "n_embd": 6, "n_head": 2, "n_layer": 3}'
            ),
            "the weights lack model/h2/ln_1/g, model/h2/ln_1/b, model/h2/attn/c_attn/w,",
        ),
        (
            lambda d: (d / "hparams.json").write_text(
                '{"n_vocab": 277, "n_ctx": 32, "n_embd": 6, "n_head": 2, "n_layer": 2}'
            ),
            "tensor model/wte has the shape [276, 6], expected [277, 6]",
        ),
    ],
)
def test_a_broken_directory_is_refused(spoil, said, copy_of, refusal):
    directory = copy_of("tensorflow").path
    spoil(directory)
    assert said in refusal(lambda: checkpoint.load(directory))


def test_weights_that_are_no_numbers_are_named(copy_of, refusal):
    directory = copy_of("tensorflow").path
    path = directory / "model.ckpt.data-00000-of-00001"
    path.write_bytes(path.read_bytes()[:-4] + np.float32(np.inf).tobytes())
    text = refusal(lambda: checkpoint.load(directory))
    assert "tensor model/wte holds inf at [275, 5], expected finite numbers only" in text


def test_the_index_is_checked_to_the_last_byte(copy_of, refusal):
    path = copy_of("tensorflow").path / "model.ckpt.index"
    data = bytearray(path.read_bytes())
    data[data.index(b"h0/attn")] ^= 1
    path.write_bytes(data)
    assert "has not the checksum" in refusal(lambda: sorted_table.read(path))
