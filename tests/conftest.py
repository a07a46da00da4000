"""Fixtures for all tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sheetgpt.build import Order, build_workbook
from sheetgpt.gpt2 import checkpoint
from sheetgpt.resources import resource
from sheetgpt.xlsx import office


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
    """The directory of the default model."""
    return resource("weights") / "nano"


@pytest.fixture(scope="session")
def gpt2_tokenizer() -> Path:
    """GPT-2's real vocabulary, where it lies beside the project."""
    path = Path(__file__).parents[2] / "shared" / "gpt2-tokenizer"
    if not path.is_dir():
        pytest.skip(
            "GPT-2's own vocabulary (encoder.json, vocab.bpe) does not lie beside the project"
        )
    return path


@pytest.fixture(scope="session")
def nano_workbook(nano: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workbook that `sheetgpt build` writes when it is asked for nothing in particular."""
    path = tmp_path_factory.mktemp("nano") / "nano.xlsx"
    build_workbook(checkpoint.load(nano), Order("Mike is quick. He moves"), path)
    return path


@pytest.fixture(scope="session")
def tiny_workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest workbook that has everything: two blocks, four tokens and two new ones."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.xlsx"
    plain = checkpoint.load(Path(__file__).parent / "checkpoints" / "plain")
    build_workbook(plain, Order("ab c", context=6, prompt_length=4, new_tokens=2), path)
    return path
