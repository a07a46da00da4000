"""The forms in which a file or a directory may hold the weights of a GPT-2.

A file is told by how it begins, not by its name: programs do not agree on names.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sheetgpt.checkpoint import (
    config_file,
    csv_tensors,
    llm_c,
    npz,
    pytorch,
    safetensors,
    shards,
    stored_zip,
    tensor_bundle,
)
from sheetgpt.checkpoint.names import checkpoint_name, openai_name
from sheetgpt.checkpoint.tensor import Tensor, mapped
from sheetgpt.errors import CheckpointError

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
PICKLE = "pytorch_model.bin"
PICKLE_INDEX = "pytorch_model.bin.index.json"

# Files of weights, by how they are usually called; and what training keeps beside them.
USUAL = (SINGLE, PICKLE, "ckpt.pt", "model.pt", "model.pth", "model.bin", "weights.npz")
WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.pth", "*.ckpt", "*.npz", "*.pkl")
BESIDE = (
    *("training_args.bin", "optimizer.pt", "optimizer.bin", "scheduler.pt", "scaler.pt"),
    *("rng_state*.pth", "meta.pkl", "train.bin", "val.bin", "test.bin", "tokenizer*.bin"),
)
FOREIGN = ("*.h5", "*.keras", "*.msgpack", "*.gguf", "*.ggml", "*.onnx", "*.tflite")

# The model's own variables: beside them training keeps counters and the optimiser's state.
OPENAI = re.compile(r"model/(?!.+/Adam(_1)?$).+")

ASK_FOR = f"{SINGLE}, {PICKLE}, ckpt.pt or another file that PyTorch, MLX or llm.c wrote"

# How files begin that are something else: what they are, and what would help.
OTHERS = {
    b"GGUF": ("a GGUF file, whose weights llama.cpp has quantised", "the model it was made from"),
    b"\x89HDF": ("a Keras file", "the model's safetensors, as Hugging Face's hub has them"),
    b"\x08": ("an ONNX file", "the checkpoint that it was exported from"),
    b"\x80": (
        "a pickle in the form that PyTorch wrote before 1.6",
        "the same weights saved again, by torch.save(torch.load(OLD, weights_only=True), NEW)",
    ),
    b"version https://git-lfs": ("a note by Git LFS that the file lies elsewhere", "git lfs pull"),
    b"<": ("a web page", "the file itself, which the page leads to"),
}


@dataclass(frozen=True)
class Stored:
    """The tensors of a file or directory under the names they have there.

    settings: sizes and the like that stand beside them in the same file.
    spelling: our name of a tensor -> what such files call it, for messages.
    """

    path: Path
    tensors: Mapping[str, Tensor]
    settings: Mapping[str, object] = field(default_factory=dict)
    spelling: Callable[[str], str] = checkpoint_name


def read(place: Path, stated: Mapping[str, object]) -> Stored:
    """All tensors of a file, or of a directory, mapped.

    A directory's: those of safetensors, else PyTorch's, else TensorFlow's, else of CSV, else those
    of the one file that may be of weights. stated: the configuration, for CSV, which says no shape.
    Raises CheckpointError if there are none, or none in a form that can be read.
    """
    if not os.path.isdir(place):
        return read_file(place)
    if has(place, SINGLE):
        return read_file(place / SINGLE)
    for index, reader in ((INDEX, safetensors.read), (PICKLE_INDEX, _pytorch)):
        if has(place, index):
            return Stored(place, shards.read(place / index, reader))
    if has(place, PICKLE):
        return read_file(place / PICKLE)
    if bundle := tensor_bundle.find(place):
        variables = tensor_bundle.read(bundle)
        return Stored(
            place,
            {name: each for name, each in variables.items() if OPENAI.fullmatch(name)},
            spelling=openai_name,
        )
    if csv_tensors.files(place):
        config = config_file.from_json(stated, f"{place}: the configuration")
        return Stored(place, csv_tensors.read(place, config), spelling=str)
    return read_file(_the_one_file(place))


def read_file(path: Path) -> Stored:
    """All tensors of one file, mapped; CheckpointError if it cannot be read."""
    data = mapped(path)
    if data[:4] == stored_zip.START and path.suffix == ".npz":
        return Stored(path, npz.read(path, data))
    if data[:4] == stored_zip.START:
        saved = pytorch.read(path, data)
        return Stored(path, saved.tensors, saved.settings)
    if llm_c.is_one(data):
        model = llm_c.read(path, data)
        return Stored(path, model.tensors, model.settings)
    length = int.from_bytes(data[:8], "little")
    if path.suffix == ".safetensors" or (data[8:9] == b"{" and length < len(data)):
        return Stored(path, safetensors.read(path))
    for begin, (what, remedy) in OTHERS.items():
        if data[: len(begin)] == begin:
            raise CheckpointError(f"{path} is {what}, which cannot be read here; give {remedy}")
    raise CheckpointError(
        f"{path} is no file of weights that is known here; give {ASK_FOR}, or the directory of it"
    )


def _pytorch(path: Path) -> dict[str, Tensor]:
    return dict(pytorch.read(path, mapped(path)).tensors)


def _the_one_file(directory: Path) -> Path:
    """The file of weights in a directory: one of the usual names, or the only one there is."""
    for name in USUAL:
        if has(directory, name):
            return directory / name
    beside = {path.name for path in matching(directory, BESIDE)}
    found = [path for path in matching(directory, WEIGHTS) if path.name not in beside]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(path.name for path in found[:5]) + (", …" if found[5:] else "")
        raise CheckpointError(
            f"{directory} has several files of weights ({names}), expected one; give the right "
            f"one with --model {found[0]}"
        )
    for path in matching(directory, FOREIGN):
        raise CheckpointError(
            f"{directory} has its weights in {path.name} only, which is not read; give {ASK_FOR}"
        )
    raise CheckpointError(
        f"{directory} has no {SINGLE}, {PICKLE}, ckpt.pt, model.ckpt.index, wte.csv or other file "
        f"of weights, so it is no GPT-2 checkpoint; give a directory with config.json, {SINGLE}, "
        "vocab.json and merges.txt"
    )


def has(directory: Path, *names: str) -> bool:
    return all(os.path.isfile(directory / name) for name in names)


def matching(directory: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    return (path for pattern in patterns for path in sorted(directory.glob(pattern)))
