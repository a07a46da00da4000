"""Files as torch.save writes them, made without PyTorch, so that they may lie."""

import io
import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


class Storage:
    """A storage to be: the class that the pickle is to name, and the numbers."""

    def __init__(self, kind: str, values: np.ndarray, length: int | None = None) -> None:
        self.kind, self.values = kind, values
        self.length = values.size if length is None else length


class Saved:
    """A tensor to be; whatever is not given is as it should be."""

    def __init__(self, values: np.ndarray, kind: str = "FloatStorage", **lies: Any) -> None:
        steps = tuple(step // values.itemsize for step in values.strides)
        base = values if values.base is None else values.base
        self.storage = Storage(kind, np.asarray(base), lies.get("length"))
        self.place = (lies.get("offset", 0), lies.get("shape", values.shape))
        self.place += (lies.get("strides", steps),)

    def __reduce__(self) -> Any:
        function = sys.modules["torch._utils"]._rebuild_tensor_v2
        return function, (self.storage, *self.place, False, OrderedDict())


@pytest.fixture
def torch_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names that a pickle of PyTorch speaks of, as Python's pickler wants to find them."""
    utils, torch = types.ModuleType("torch._utils"), types.ModuleType("torch")

    def rebuild(*_: Any) -> None:
        raise AssertionError("nobody may call this")

    rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = rebuild
    for kind in ("FloatStorage", "HalfStorage", "LongStorage", "QInt8Storage"):
        setattr(torch, kind, type(kind, (), {"__module__": "torch"}))
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)


Write = Callable[..., Path]


@pytest.fixture
def torch_file(torch_names: None) -> Write:
    """Writes what torch.save would write of `thing`; `more` are members of the zip besides."""

    def write(
        path: Path,
        thing: Any,
        compression: int = zipfile.ZIP_STORED,
        more: dict[str, bytes] | None = None,
    ) -> Path:
        storages: list[Storage] = []

        class Pickler(pickle.Pickler):
            def persistent_id(self, each: Any) -> Any:
                if not isinstance(each, Storage):
                    return None
                storages.append(each)
                kind = getattr(sys.modules["torch"], each.kind)
                return ("storage", kind, str(len(storages) - 1), "cpu", each.length)

        text = io.BytesIO()
        if not isinstance(thing, bytes):
            Pickler(text, 2).dump(thing)
        members = {"data.pkl": thing if isinstance(thing, bytes) else text.getvalue()}
        members |= {"byteorder": b"little", "version": b"3\n"}
        members |= {f"data/{i}": each.values.tobytes() for i, each in enumerate(storages)}
        with zipfile.ZipFile(path, "w", compression) as archive:
            for name, data in {**members, **(more or {})}.items():
                archive.writestr(f"archive/{name}", data)
        return path

    return write
