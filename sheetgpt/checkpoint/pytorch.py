"""Reading what `torch.save` writes, without PyTorch and without running anything.

Since PyTorch 1.6 (2020) that is a zip: `NAME/data.pkl` is a pickle that says which tensors there
are and in which storages they lie; `NAME/data/0` and so on are the storages, plain numbers. The
pickle is read by `inert_pickle`, and the storages are mapped.

Source: PyTorch's documentation, "Serialization semantics", and torch/_utils.py for the arguments
of the functions below.
"""

import math
import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sheetgpt.checkpoint import inert_pickle
from sheetgpt.checkpoint.inert_pickle import Inert, Name
from sheetgpt.checkpoint.stored_zip import Member, members
from sheetgpt.checkpoint.tensor import Tensor
from sheetgpt.errors import CheckpointError, shown

# The classes of storages: the dtype of their numbers, as safetensors spells it, and its bytes.
STORAGES = {
    "DoubleStorage": ("F64", 8), "FloatStorage": ("F32", 4), "HalfStorage": ("F16", 2),
    "BFloat16Storage": ("BF16", 2), "LongStorage": ("I64", 8), "IntStorage": ("I32", 4),
    "ShortStorage": ("I16", 2), "CharStorage": ("I8", 1), "ByteStorage": ("U8", 1),
    "BoolStorage": ("BOOL", 1), "ComplexFloatStorage": ("C64", 8),
}  # fmt: skip

# Where training scripts put the weights among other things, the likeliest first.
WEIGHTS = (
    *("model", "state_dict", "model_state_dict", "model_state", "module", "weights", "params"),
    *("net", "gpt", "network"),
)
# Where they put the sizes of the model.
SETTINGS = (
    *("model_args", "model_config", "gpt_config", "config", "hyper_parameters", "hparams"),
    *("args", "cfg"),
)
DEEPEST = 50  # modules within modules
MOST_MODULES = 20_000


@dataclass(frozen=True)
class Saved:
    """The tensors of a file under their names, and the numbers, texts and flags beside them."""

    tensors: Mapping[str, Tensor]
    settings: Mapping[str, object]


@dataclass(frozen=True, eq=False)
class Storage:
    """Numbers in a row; which member of the zip holds them."""

    dtype: str
    item_size: int
    key: str
    length: int


@dataclass(frozen=True, eq=False)
class View:
    """A tensor as the pickle describes it: part of a storage. Nothing of it is believed yet."""

    storage: Any
    offset: Any
    shape: Any
    strides: Any


def _storage(reference: Any) -> Any:
    match reference:
        case ("storage", Name(kind), str(key), _, int(length)):
            dtype, size = STORAGES.get(kind.rpartition(".")[2], (kind, 0))
            return Storage(dtype, size, key, length)
    return Inert("storage")


def _dictionary(arguments: tuple[Any, ...]) -> dict[str | int, Any]:
    match arguments:
        case ([*pairs],) if all(isinstance(pair, list | tuple) for pair in pairs):
            return inert_pickle.entries([item for pair in pairs for item in pair])
    return {}


# All that a pickle may ask for by name and get.
FUNCTIONS: inert_pickle.Functions = {
    "torch._utils._rebuild_tensor": lambda given: View(*given[:4]),
    "torch._utils._rebuild_tensor_v2": lambda given: View(*given[:4]),
    "torch._utils._rebuild_parameter": lambda given: given[0],
    "torch._utils._rebuild_parameter_with_state": lambda given: given[0],
    "collections.OrderedDict": _dictionary,
    "collections.defaultdict": lambda given: {},
}


def read(path: Path, data: mmap.mmap | bytes) -> Saved:
    """The weights in a file of `torch.save`, mapped, and the settings beside them.

    Raises CheckpointError if the file does not hold or has no weights.
    """
    found = members(path, data)
    names = [name for name in found if name.endswith("/data.pkl") or name == "data.pkl"]
    if len(names) != 1:
        raise CheckpointError(
            f"{path} is a zip file without data.pkl, so torch.save has not written it; give the "
            "file that it wrote"
        )
    root = names[0].removesuffix("data.pkl")
    order = found.get(f"{root}byteorder")
    if order and data[order.offset : order.offset + order.size] == b"big":
        raise CheckpointError(
            f"{path} has big-endian numbers, expected little-endian; save it again on an ordinary "
            "machine"
        )
    member = found[names[0]]
    try:
        everything = inert_pickle.read(
            data[member.offset : member.offset + min(member.size, inert_pickle.LONGEST + 1)],
            FUNCTIONS,
            _storage,
        )
    except ValueError as error:
        raise CheckpointError(
            f"{path} is not a whole file of torch.save: its data.pkl does not hold, for {error}; "
            "copy or download it again"
        ) from error
    views = dict(_views(path, everything))
    storages = {name.removeprefix(f"{root}data/"): member for name, member in found.items()}
    tensors = {name: _tensor(path, data, name, view, storages) for name, view in views.items()}
    return Saved(tensors, dict(_settings(everything)))


# --- where the weights are ----------------------------------------------------------------------


def _views(path: Path, everything: Any) -> Iterator[tuple[str, View]]:
    """The tensors of the model: the dictionary of them, or the one that training kept it in."""
    parts = everything if isinstance(everything, dict) else {}
    others = [key for key in parts if isinstance(key, str) and "optim" not in key]
    for each in (*map(parts.get, WEIGHTS), everything, *map(parts.get, others)):
        if found := _of_model(path, each):
            yield from found.items()
            return
    keys = f", but {shown(others)}" if others else ""
    raise CheckpointError(
        f"{path} holds no weights{keys}; give the file of the model itself, as "
        "torch.save(model.state_dict(), PATH) writes it"
    )


def _of_model(path: Path, thing: Any) -> dict[str, View]:
    """The tensors of a state_dict, or of a module that was saved whole."""
    if isinstance(thing, Inert):
        return dict(_of_module(path, thing))
    if not isinstance(thing, dict):
        return {}
    found = {key: view for key, view in thing.items() if isinstance(view, View)}
    return {key: view for key, view in found.items() if isinstance(key, str)}


def _of_module(path: Path, module: Inert) -> Iterator[tuple[str, View]]:
    """What a torch.nn.Module and the modules in it hold, under the names of its state_dict."""
    waiting, seen = [("", module)], 0
    while waiting:
        prefix, each = waiting.pop()
        state, seen = each.state, seen + 1
        if seen > MOST_MODULES or prefix.count(".") > DEEPEST:
            raise CheckpointError(
                f"{path} holds more modules than any GPT-2; save the model's state_dict"
            )
        for kind in ("_parameters", "_buffers", "_modules"):
            inside = state.get(kind) if isinstance(state, dict) else None
            for name, value in inside.items() if isinstance(inside, dict) else ():
                if isinstance(value, View):
                    yield f"{prefix}{name}", value
                elif isinstance(value, Inert):
                    waiting.append((f"{prefix}{name}.", value))


def _settings(everything: Any) -> Iterator[tuple[str, object]]:
    """The numbers, texts and flags that stand beside the weights, or in the module's `config`."""
    parts = everything.state if isinstance(everything, Inert) else everything
    for key in SETTINGS[::-1] if isinstance(parts, dict) else ():
        said = parts.get(key)
        if isinstance(said, Inert):
            said = said.state
        if isinstance(said, dict):
            yield key, True  # that it stands there tells the dialect
            for name, value in said.items():
                if isinstance(name, str) and type(value) in (int, float, str, bool):
                    yield name, value


# --- tensors ------------------------------------------------------------------------------------


def _tensor(
    path: Path, data: mmap.mmap | bytes, name: str, view: View, storages: Mapping[str, Member]
) -> Tensor:
    """Where a tensor lies; CheckpointError if it does not lie within its storage."""
    storage, shape, strides = view.storage, view.shape, view.strides
    if not isinstance(storage, Storage) or not storage.item_size:
        kind = storage.dtype if isinstance(storage, Storage) else "an unknown kind"
        return Tensor(path, data, kind, shape if _are_sizes(shape) else (), 0)
    holds = (
        _are_sizes(shape)
        and _are_sizes(strides)
        and len(shape) == len(strides)
        and _are_sizes((view.offset, storage.length))
    )
    member = storages.get(storage.key)
    if not holds or member is None:
        raise _lying(path, name, "has no place in the file")
    if storage.length * storage.item_size != member.size:
        raise _lying(
            path,
            name,
            f"lies in {storage.length} numbers of {storage.dtype}, which are not the "
            f"{member.size} bytes that there are",
        )
    last = view.offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    size = math.prod(shape)
    if size and (last >= storage.length or size > storage.length):
        raise _lying(path, name, f"reaches beyond the {storage.length} numbers of its storage")
    offset = member.offset + view.offset * storage.item_size
    return Tensor(path, data, storage.dtype, shape, offset, _unless_usual(shape, strides))


def _are_sizes(value: Any) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) <= 8
        and all(type(item) is int and 0 <= item < 1 << 48 for item in value)
    )


def _unless_usual(shape: tuple[int, ...], strides: tuple[int, ...]) -> tuple[int, ...] | None:
    """None where the numbers lie row by row without gaps."""
    step = 1
    for n, stride in zip(shape[::-1], strides[::-1], strict=True):
        if n > 1 and stride != step:
            return strides
        step *= n
    return None


def _lying(path: Path, name: str, what: str) -> CheckpointError:
    return CheckpointError(
        f"{path} is not a whole file of torch.save: tensor {shown(name)} {what}; copy or download "
        "it again"
    )
