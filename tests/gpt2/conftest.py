"""The recorded checkpoints, and what breaks copies of them."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sheetgpt.errors import SheetGPTError
from sheetgpt.gpt2 import safetensors, sorted_table

CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"
REAL_TOKENIZER = Path(__file__).parents[3] / "shared" / "gpt2-tokenizer"

# uint16 stands for the bits of bfloat16.
DTYPES = {"float32": "F32", "float16": "F16", "float64": "F64", "uint8": "U8", "uint16": "BF16"}


RECORDED = (
    *("plain", "shuffled", "sharded", "openai", "padded"),
    *("tensorflow", "tensorflow-sharded"),
)


@pytest.fixture(params=RECORDED)
def recorded(request: pytest.FixtureRequest) -> Path:
    """The directory of each recorded checkpoint in turn."""
    return CHECKPOINTS / str(request.param)


@pytest.fixture
def expected(recorded: Path) -> dict[str, Any]:
    """What transformers said of `recorded`."""
    answers: dict[str, Any] = json.loads((recorded / "expected.json").read_text())
    return answers


@pytest.fixture(scope="session")
def real_tokenizer() -> Path:
    """The directory of GPT-2's real vocabulary."""
    if not REAL_TOKENIZER.is_dir():
        pytest.skip("GPT-2's real vocabulary is not beside the repository")
    return REAL_TOKENIZER


Refusal = Callable[[Callable[[], object]], str]


@pytest.fixture
def refusal() -> Refusal:
    """Calls something that must raise an error for people; gives its one sentence."""

    def text_of(action: Callable[[], object]) -> str:
        with pytest.raises(SheetGPTError) as caught:
            action()
        text = str(caught.value)
        assert text and "\n" not in text and ". " not in text and not text.endswith(".")
        return text

    return text_of


@dataclass(frozen=True)
class Copy:
    """A checkpoint directory that a test may break."""

    path: Path

    def edit_json(self, name: str, **changes: Any) -> None:
        """Set keys of a JSON file; None removes one."""
        content = json.loads((self.path / name).read_text(encoding="utf-8")) | changes
        content = {key: value for key, value in content.items() if value is not None}
        (self.path / name).write_text(json.dumps(content), encoding="utf-8")

    def edit_tensors(
        self, change: Callable[[dict[str, Any]], object], name: str = "model.safetensors"
    ) -> None:
        """Let `change` work on the tensors (name -> array) of a safetensors file."""
        stored = safetensors.read(self.path / name)
        tensors = {key: tensor.as_float32().copy() for key, tensor in stored.items()}
        change(tensors)
        self.write_tensors(tensors, name)

    def write_tensors(self, tensors: dict[str, Any], name: str = "model.safetensors") -> None:
        """Write arrays as safetensors asks for."""
        header = {}
        data = b""
        for key, tensor in tensors.items():
            raw = np.ascontiguousarray(tensor).tobytes()
            header[key] = {
                "dtype": DTYPES[tensor.dtype.name],
                "shape": list(tensor.shape),
                "data_offsets": [len(data), len(data) + len(raw)],
            }
            data += raw
        self.write_raw(header, data, name)

    def write_raw(self, header: Any, data: bytes, name: str = "model.safetensors") -> Path:
        """Write a safetensors file with this header, whether it holds or not."""
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        (self.path / name).write_bytes(len(text).to_bytes(8, "little") + text + data)
        return self.path / name


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[str], Copy]:
    """A function that copies a recorded checkpoint to where it may be broken."""

    def make(name: str) -> Copy:
        return Copy(Path(shutil.copytree(CHECKPOINTS / name, tmp_path / name)))

    return make


@pytest.fixture
def plain(copy_of: Callable[[str], Copy]) -> Copy:
    """A copy of the plainest recorded checkpoint."""
    return copy_of("plain")


@pytest.fixture
def empty(tmp_path: Path) -> Copy:
    """A directory without anything."""
    return Copy(tmp_path)


def varint(number: int) -> bytes:
    """A number as LevelDB and protocol buffers spell it."""
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def block(entries: dict[bytes, bytes], compression: int = 0) -> bytes:
    """A block of a sorted table with its trailer; each key shares what it can."""
    data, before = b"", b""
    for key, value in entries.items():
        shared = next(
            (i for i, (a, b) in enumerate(zip(key, before, strict=False)) if a != b),
            min(len(key), len(before)),
        )
        data += varint(shared) + varint(len(key) - shared) + varint(len(value))
        data += key[shared:] + value
        before = key
    data += bytes(4) + (1).to_bytes(4, "little") + bytes([compression])
    return data + sorted_table.checksum(data).to_bytes(4, "little")


@pytest.fixture
def table() -> Callable[..., bytes]:
    """A sorted table of these blocks, as TensorFlow writes it."""

    def write(*blocks: dict[bytes, bytes], compression: int = 0) -> bytes:
        data, index = b"", {}
        for entries in blocks:
            one = block(entries, compression)
            index[max(entries)] = varint(len(data)) + varint(len(one) - 5)
            data += one
        places = b""
        for one in (block({}), block(index)):
            places += varint(len(data)) + varint(len(one) - 5)
            data += one
        return data + places.ljust(40, b"\0") + sorted_table.MAGIC.to_bytes(8, "little")

    return write
