"""Where fetched models lie, and which of them are whole; tests/test_fetch.py fetches them."""

import shutil
import sys
from pathlib import Path

import pytest

from sheetgpt.checkpoint import hub
from tests.places import CHECKPOINTS

VARIABLES = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME")


@pytest.mark.parametrize(
    ("set_to", "expected"),
    [
        ({}, "/home/me/.cache/huggingface/hub"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/huggingface/hub"),
        ({"XDG_CACHE_HOME": "/x", "HF_HOME": "~/h"}, "/home/me/h/hub"),
        ({"HF_HOME": "/h", "HUGGINGFACE_HUB_CACHE": "/old"}, "/old"),
        ({"HF_HOME": "/h", "HUGGINGFACE_HUB_CACHE": "/old", "HF_HUB_CACHE": "$HOME/c"}, "~/c"),
    ],
)
def test_the_cache_is_where_the_variables_say(set_to, expected, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in set_to.items():
        monkeypatch.setenv(name, value)
    assert hub.cache() == Path(expected.replace("~", "/home/me"))


@pytest.fixture
def put(tmp_path, monkeypatch):
    """Puts a checkpoint where huggingface_hub would; gives its directory."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))

    def make(repository="openai-community--gpt2", checkpoint="plain", commit="c0ffee"):
        place = tmp_path / f"models--{repository}"
        (place / "refs").mkdir(parents=True)
        (place / "refs" / "main").write_text(commit)
        return Path(shutil.copytree(CHECKPOINTS / checkpoint, place / "snapshots" / commit))

    return make


@pytest.mark.parametrize("repository", ["openai-community--gpt2", "gpt2"])
def test_a_whole_model_is_found(repository, put):
    assert hub.find("gpt2-xl") is None
    assert hub.find("gpt2") is None
    directory = put(repository)
    assert hub.find("gpt2") == directory
    assert hub.find("distilgpt2") is None


def test_a_tokenizer_json_is_vocabulary_enough(put):
    assert put("distilbert--distilgpt2", "padded") == hub.find("distilgpt2")


@pytest.mark.parametrize("missing", hub.FILES)
def test_a_model_that_is_not_whole_is_not_found(missing, put):
    (put() / missing).unlink()
    assert hub.find("gpt2") is None


def test_a_model_in_pytorchs_own_form_is_found(put):
    directory = put("roneneldan--TinyStories-1M", "unscaled")
    assert hub.find("tinystories-1m") == directory and hub.find("tinystories-3m") is None
    (directory / "pytorch_model.bin").unlink()
    assert hub.find("tinystories-1m") is None


def test_a_commit_that_is_not_here_is_not_found(put):
    shutil.rmtree(put())
    assert hub.find("gpt2") is None


def test_another_name_cannot_be_fetched(refusal):
    assert refusal(lambda: hub.fetch("gpt3")) == (
        "'gpt3' cannot be fetched, expected one of gpt2, gpt2-medium, gpt2-large, gpt2-xl, "
        "distilgpt2, tinystories-1m, tinystories-3m, tinystories-8m, tinystories-33m; download "
        "another GPT-2 yourself, and give its directory with --model"
    )


def test_without_the_package(monkeypatch, refusal):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert refusal(lambda: hub.fetch("gpt2")) == (
        "fetching needs the package huggingface_hub, which is not installed; install it with "
        "pip install 'sheetgpt[hub]'"
    )
