"""Fixtures for all tests: recorded checkpoints, what breaks copies of them, and workbooks."""

import gc
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sheetgpt.build import Order, build_lessons
from sheetgpt.checkpoint import checkpoint, safetensors, sorted_table
from sheetgpt.errors import SheetGPTError
from sheetgpt.office import libreoffice as office
from sheetgpt.resources import resource
from tests import safetensors_file
from tests.once import built_once, once
from tests.places import CHECKPOINTS, PLAIN

gc.set_threshold(50_000, 50, 1_000)  # as the program itself has it

REAL_TOKENIZER = Path(__file__).parents[2] / "shared" / "gpt2-tokenizer"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the tests that take minutes, too")
    parser.addoption(
        "--rewrite-golden", action="store_true", help="rewrite what tests compare word for word"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--slow"):
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="takes minutes; run with --slow"))


@pytest.fixture(scope="session", autouse=True)
def nothing_fetched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests see no model that somebody fetched before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_CACHE", str(tmp_path_factory.mktemp("hub")))
        yield


@pytest.fixture(scope="session", autouse=True)
def bytecode_kept() -> Iterator[None]:
    """Processes that tests start keep what they compile of the package for the next of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        yield


@pytest.fixture(scope="session")
def libreoffice() -> None:
    """LibreOffice must be there: without it the test is skipped, or fails where it is required."""
    if office.is_installed():
        return
    if os.environ.get("SHEETGPT_REQUIRE_LIBREOFFICE") == "1":
        pytest.fail(f"SHEETGPT_REQUIRE_LIBREOFFICE is set, but it is missing: {office.INSTALL}")
    pytest.skip(f"LibreOffice was not found; {office.INSTALL}")


@pytest.fixture(scope="session")
def nano() -> Path:
    """The directory of the model of the tour."""
    return resource("weights") / "nano"


@pytest.fixture(scope="session")
def nano_workbook(nano: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workbook that `sheetgpt build --model nano` writes, asked for nothing else."""
    return built_once(tmp_path_factory, "nano.xlsx", nano, Order("Mike is quick. He moves"))


@pytest.fixture(scope="session")
def short_nano_workbook(nano: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with 12 rows for tokens, for what is the same in every row."""
    order = Order("Mike is quick. He moves", context=12)
    return built_once(tmp_path_factory, "short-nano.xlsx", nano, order)


@pytest.fixture(scope="session")
def tiny_workbook_in(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The smallest workbook that has everything: two blocks, four tokens and two new ones."""

    def in_language(language: str) -> Path:
        order = Order("ab c", context=6, prompt_length=4, new_tokens=2, language=language)
        return built_once(tmp_path_factory, f"tiny-{language}.xlsx", PLAIN, order)

    return in_language


@pytest.fixture(scope="session")
def tiny_workbook(tiny_workbook_in: Callable[[str], Path]) -> Path:
    return tiny_workbook_in("en")


@pytest.fixture(scope="session")
def lessons_in(nano: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The workbook of the lessons in a language."""

    def in_language(language: str) -> Path:
        return once(
            tmp_path_factory,
            f"lessons-{language}.xlsx",
            lambda path: build_lessons(checkpoint.load(nano), language, path),
        )

    return in_language


RECORDED = (
    *("plain", "shuffled", "sharded", "openai", "padded"),
    *("tensorflow", "tensorflow-sharded"),
    *("nanogpt", "mingpt", "makemore", "mingpt-2020", "lecture", "lecture-whole", "book", "mlx"),
    *("llm-c", "gpt-neo", "unscaled", "inverse"),
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
        pytest.skip(
            "GPT-2's own vocabulary (encoder.json, vocab.bpe) does not lie beside the project"
        )
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
        safetensors_file.write_tensors(self.path / name, tensors)

    def write_raw(self, header: Any, data: bytes, name: str = "model.safetensors") -> Path:
        """Write a safetensors file with this header, whether it holds or not."""
        return safetensors_file.write_raw(self.path / name, header, data)


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
