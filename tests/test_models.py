"""Models by name and by directory: what is here, what could be fetched, and who goes first."""

import shutil
import sys
from pathlib import Path

import pytest

from sheetgpt import models
from sheetgpt.checkpoint import checkpoint, hub
from sheetgpt.errors import CheckpointError
from tests.places import CHECKPOINTS


@pytest.fixture
def fetched(tmp_path, monkeypatch):
    """`plain`, as if it had been fetched under the name gpt2; huggingface_hub is not there."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    place = tmp_path / "hub" / "models--openai-community--gpt2"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text("c0ffee")
    return Path(shutil.copytree(CHECKPOINTS / "plain", place / "snapshots" / "c0ffee"))


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working directory."""
    directory = tmp_path / "here"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return directory


def test_a_fetched_model_has_its_name(fetched):
    model = models.load("gpt2")
    assert (model.name, model.config.n_vocab) == ("gpt2", 280)
    assert [(each.name, each.n_weights) for each in models.here()][2:] == [("gpt2", 4256)]
    assert models.to_fetch() == [name for name in hub.REPOSITORIES if name != "gpt2"]


def test_before_it_is_fetched(here):
    with pytest.raises(CheckpointError) as caught:
        models.load("gpt2")
    assert str(caught.value) == (
        "gpt2 is not here yet; fetch it once from the Hugging Face hub with sheetgpt fetch gpt2"
    )


def test_a_directory_of_that_name_serves_until_it_is_fetched(here):
    shutil.copytree(CHECKPOINTS / "padded", here / "gpt2")
    assert models.load("gpt2").config.n_vocab == 288


def test_what_is_here_by_name_goes_before_a_directory(here, fetched):
    shutil.copytree(CHECKPOINTS / "padded", here / "gpt2")
    assert models.load("gpt2").config.n_vocab == 280
    assert models.load("./gpt2").config.n_vocab == 288


def test_listing_reads_no_weights(fetched):
    (fetched / "model.safetensors").write_bytes(b"damaged")
    found = list(models.here())
    assert [each.name for each in found] == ["nano", "stories", "gpt2"]
    assert not found[0].notes and "is not a whole safetensors file" in found[2].notes[0]
    with pytest.raises(CheckpointError, match="is not a whole safetensors file"):
        models.load("gpt2")


def test_a_name_can_be_given_to_a_directory():
    assert checkpoint.load(CHECKPOINTS / "plain", "other").name == "other"
