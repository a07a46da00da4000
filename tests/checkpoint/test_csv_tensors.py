"""A checkpoint as CSV files: every value exact, little memory, and each fault with its place."""

import errno
import shutil
import tracemalloc

import numpy as np
import pytest

from sheetgpt.checkpoint import checkpoint, csv_tensors, tensor
from sheetgpt.checkpoint.names import checkpoint_name
from tests.places import CHECKPOINTS

BESIDE = ("config.json", "vocab.json", "merges.txt", "hparams.json", "encoder.json", "vocab.bpe")


def write(path, values, layout="line"):
    """As numpy.savetxt writes a matrix; a vector as one line or as one column."""
    table = values[:, None] if values.ndim == 1 and layout == "column" else np.atleast_2d(values)
    np.savetxt(path, table, fmt="%.9g", delimiter=",")


@pytest.fixture
def as_csv(tmp_path):
    """Writes a recorded checkpoint as CSV files; gives its directory."""

    def make(name="plain", spelling=str, layout="line"):
        directory = tmp_path / "csv"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        for each in BESIDE:
            if (CHECKPOINTS / name / each).exists():
                shutil.copy(CHECKPOINTS / name / each, directory)
        for each, values in checkpoint.load(CHECKPOINTS / name).weights.items():
            write(directory / f"{spelling(each)}.csv", values, layout)
        return directory

    return make


@pytest.mark.parametrize("layout", ["line", "column"])
@pytest.mark.parametrize(
    "spelling", [str, checkpoint_name, lambda name: f"transformer.{checkpoint_name(name)}"]
)
@pytest.mark.parametrize("name", ["plain", "openai", "sharded"])
def test_the_weights_are_the_same(name, spelling, layout, as_csv):
    ours = checkpoint.load(as_csv(name, spelling, layout))
    theirs = checkpoint.load(CHECKPOINTS / name)
    assert ours.config == theirs.config
    assert list(ours.weights) == list(theirs.weights)
    for each, weight in ours.weights.items():
        assert np.array_equal(weight, theirs.weights[each]), each


def test_every_float32_is_read_exactly(tmp_path):
    bits = np.random.default_rng(0).integers(0, 1 << 32, 4000, np.uint32)
    values = bits.view(np.float32)
    values = values[np.isfinite(values)]
    write(tmp_path / "x.csv", values)
    (read,) = csv_tensors._pieces(tmp_path / "x.csv", values.shape)
    assert np.array_equal(read.ravel().view(np.uint32), values.view(np.uint32))


def test_spaces_marks_and_other_ends_of_lines(as_csv):
    directory = as_csv()
    path = directory / "h.0.ln_1.g.csv"
    before = checkpoint.load(directory).weights["h.0.ln_1.g"]
    text = path.read_text().replace(",", " ,\t").replace("\n", "\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())  # as Excel saves "CSV UTF-8"
    assert np.array_equal(checkpoint.load(directory).weights["h.0.ln_1.g"], before)


def test_other_csv_files_and_masks_do_no_harm(as_csv):
    directory = as_csv()
    (directory / "loss.csv").write_text("step,loss\n1,2.5\n")
    (directory / "transformer.h.0.attn.bias.csv").write_text("1")
    assert checkpoint.load(directory).name == "csv"


def test_equal_heads_are_tied_and_others_are_not(as_csv):
    directory = as_csv()
    wte = directory / "wte.csv"
    shutil.copy(wte, directory / "lm_head.weight.csv")
    assert checkpoint.load(directory).config.tie_word_embeddings
    (directory / "lm_head.weight.csv").write_text(wte.read_text().replace("-", ""))
    assert not checkpoint.load(directory).config.tie_word_embeddings


def test_reading_holds_no_whole_tensor(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_tensors, "PIECE", 1 << 12)
    write(tmp_path / "x.csv", np.ones((1 << 16, 8)))
    tracemalloc.start()
    n_numbers = sum(piece.size for piece in csv_tensors._pieces(tmp_path / "x.csv", (1 << 16, 8)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n_numbers == 1 << 19 and peak < 1 << 18


def lines(number, *new):
    """Replace a line by others."""

    def change(path):
        all_lines = path.read_text().splitlines()
        all_lines[number - 1 : number] = new
        path.write_text("".join(f"{line}\n" for line in all_lines))

    return change


def word(number, place, new):
    """Replace one number of a line."""

    def change(path):
        words = path.read_text().splitlines()[number - 1].split(",")
        words[place - 1] = new
        lines(number, ",".join(words))(path)

    return change


NUMBER = (
    "expected a finite number such as -0.125; headings and decimal commas must go, "
    "other numbers be saved again"
)
ONES = ",".join("1" * 32)
SHAPE = "for the tensor is [8, 32]; correct it, or give the config.json that belongs to these"
LENGTH = "for the tensor is [8, 32]; save it again, or give the config.json that belongs to"


@pytest.mark.parametrize("piece", [1 << 22, 1])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (word(3, 2, "abc"), f": line 3 has 'abc' as number 2, {NUMBER}"),
        (word(8, 32, ""), f": line 8 has '' as number 32, {NUMBER}"),
        (word(1, 1, "c_fc"), f": line 1 has 'c_fc' as number 1, {NUMBER}"),
        (word(2, 5, "nan"), f": line 2 has 'nan' as number 5, {NUMBER}"),
        (word(2, 5, "-inf"), f": line 2 has '-inf' as number 5, {NUMBER}"),
        (word(2, 5, "1e39"), f": line 2 has '1e39' as number 5, {NUMBER}"),
        (word(4, 1, "1_000"), f": line 4 has '1_000' as number 1, {NUMBER}"),
        (word(4, 1, "0x10"), f": line 4 has '0x10' as number 1, {NUMBER}"),
        (word(4, 1, '"0.5"'), f": line 4 has '\"0.5\"' as number 1, {NUMBER}"),
        (word(4, 1, "1;2"), f": line 4 has '1;2' as number 1, {NUMBER}"),
        (word(4, 1, "1,2"), f": line 4 has 33 numbers, expected 32, {SHAPE}"),
        (lines(4, "1"), f": line 4 has 1 number, expected 32, {SHAPE}"),
        (lines(1, "1;2"), f": line 1 has 1 number, expected 32, {SHAPE}"),
        (lines(4, ""), ": line 4 is empty, expected 32 numbers; remove it"),
        (lines(4, " "), ": line 4 is empty, expected 32 numbers; remove it"),
        (lines(1, ""), ": line 1 is empty, expected 32 numbers; remove it"),
        (lines(4), f" has 7 lines, expected 8 lines of 32 numbers, {LENGTH}"),
        (lines(8, ONES, ONES), f" has more lines, expected 8 lines of 32 numbers, {LENGTH}"),
        (lambda path: path.write_text(""), " is empty, expected the numbers of a tensor [8, 32]"),
        (lambda path: path.write_bytes(b"\xff"), " is no CSV text: behind line 0 there is a byte"),
        (lambda path: path.unlink() or path.mkdir(), " cannot be read (Is a dir"),
    ],
)
def test_faults_are_named_with_their_place(change, said, piece, as_csv, monkeypatch, refusal):
    monkeypatch.setattr(csv_tensors, "PIECE", piece)
    directory = as_csv()
    path = directory / "h.1.mlp.c_fc.w.csv"
    change(path)
    assert refusal(lambda: checkpoint.load(directory)).startswith(f"{path}{said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,2,3\n", ": line 1 has 3 numbers, expected 8, for the tensor is [8];"),
        ("1\n2\n3\n", " has 3 lines, expected 8 lines of 1 number, for the tensor is [8];"),
        ("1,2,3,4,5,6,7,8\n" * 2, " has more lines, expected 1 line of 8 numbers, for the"),
        ("1\n2,2\n", ": line 2 has 2 numbers, expected 1, for the tensor is [8];"),
    ],
)
def test_vectors_that_do_not_hold(text, said, as_csv, refusal):
    directory = as_csv()
    path = directory / "ln_f.b.csv"
    path.write_text(text)
    assert refusal(lambda: checkpoint.load(directory)).startswith(f"{path}{said}")


def test_missing_files_are_named(as_csv, refusal):
    directory = as_csv()
    (directory / "wte.csv").unlink()
    (directory / "h.1.ln_1.g.csv").unlink()
    assert refusal(lambda: checkpoint.load(directory)) == (
        f"{directory} has no wte.csv, h.1.ln_1.g.csv; the model needs 28 tensors, so give a CSV "
        "file for each, and the config.json that belongs to them"
    )


def test_many_missing_files_are_counted(as_csv, refusal):
    directory = as_csv()
    for path in directory.glob("h.1.*.csv"):
        path.unlink()
    assert "h.1.attn.c_proj.w.csv and 7 more;" in refusal(lambda: checkpoint.load(directory))


def test_a_mistyped_number_of_blocks(as_csv, refusal):
    directory = as_csv("openai")
    sizes = (directory / "hparams.json").read_text()
    (directory / "hparams.json").write_text(sizes.replace('"n_layer": 2', '"n_layer": 2000000000'))
    text = refusal(lambda: checkpoint.load(directory))
    assert "the configuration says 2000000000 blocks, but there are 28 CSV files in all" in text


def test_a_tensor_that_the_model_has_not(as_csv, refusal):
    directory = as_csv()
    (directory / "h.2.ln_1.weight.csv").write_text("1")
    text = refusal(lambda: checkpoint.load(directory))
    assert text.startswith(f"{directory}/h.2.ln_1.weight.csv holds a tensor that a GPT-2 with thi")


def test_a_tensor_twice(as_csv, refusal):
    directory = as_csv()
    shutil.copy(directory / "wte.csv", directory / "transformer.wte.weight.csv")
    assert refusal(lambda: checkpoint.load(directory)) == (
        f"{directory} has transformer.wte.weight.csv and wte.csv, which are the same tensor, "
        "expected it once; remove one of the two"
    )


def test_safetensors_come_first(as_csv):
    directory = as_csv()
    (directory / "wte.csv").write_text("words")
    shutil.copy(CHECKPOINTS / "plain" / "model.safetensors", directory)
    assert checkpoint.load(directory).name == "csv"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.ENOENT])
def test_no_room_for_temporary_files(number, as_csv, monkeypatch, refusal):
    def no_file(**_):
        raise OSError(number, "No space left on device")

    directory = as_csv()
    monkeypatch.setattr(tensor, "TemporaryFile", no_file)
    assert refusal(lambda: checkpoint.load(directory)) == (
        "the weights do not fit into the directory for temporary files "
        "(No space left on device); make room there, or set TMPDIR to another directory"
    )
