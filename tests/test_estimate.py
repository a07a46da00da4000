"""What a workbook will take, and what does not fit a sheet."""

from dataclasses import replace

import pytest

from sheetgpt import build
from sheetgpt.book.book import StepRecord
from sheetgpt.book.extras import extras_of
from sheetgpt.book.records import listed
from sheetgpt.build import Order, build_workbook
from sheetgpt.checkpoint.checkpoint import load
from sheetgpt.checkpoint.config_file import from_json
from sheetgpt.checkpoint.rounding import DIGITS
from sheetgpt.errors import CheckpointError, WorkbookError
from sheetgpt.estimate import Estimate, estimate, is_large
from sheetgpt.gpt2.config import Config
from sheetgpt.models import load as model
from sheetgpt.steps.tokenize import Room, Splitting
from sheetgpt.xlsx.write import Form
from tests.places import PLAIN

BYTES = Splitting()
SIZES = {  # n_layer, n_head, n_embd, weights in millions (Radford et al. 2019)
    "gpt2": (12, 12, 768, 124.4),
    "gpt2-medium": (24, 16, 1024, 354.8),
    "gpt2-large": (36, 20, 1280, 774.0),
    "gpt2-xl": (48, 25, 1600, 1557.6),
}


def config_of(name: str) -> Config:
    n_layer, n_head, n_embd, _ = SIZES[name]
    return from_json(
        {
            "n_layer": n_layer,
            "n_head": n_head,
            "n_embd": n_embd,
            "n_ctx": 1024,
            "vocab_size": 50257,
        },
        name,
    )


def room(tokens: int) -> Room:
    return Room(characters=64, bytes=96, rounds=20, tokens=tokens)


def steps(name: str, tokens: int, splitting: Splitting = BYTES) -> list[StepRecord]:
    return listed(config_of(name), room(tokens), splitting, extras_of({}, otherwise=False))


def refuse(name: str, tokens: int) -> None:
    build._refuse_size(name, config_of(name), steps(name, tokens))


@pytest.mark.parametrize(("name", "most"), [*zip(SIZES, (1024, 1023, 819, 655), strict=True)])
def test_published_sizes_fit_a_sheet(name, most):
    refuse(name, 12)
    refuse(name, most)
    if most < 1024:
        with pytest.raises(CheckpointError, match=r"needs \d+ columns, but a sheet has 16384"):
            refuse(name, most + 1)


@pytest.mark.parametrize("name", SIZES)
def test_published_sizes(name):
    expected = estimate(config_of(name), steps(name, 12), DIGITS, Form())
    assert expected.n_weights / 1e6 == pytest.approx(SIZES[name][3], abs=0.05)
    assert is_large(config_of(name))


def test_fewer_digits_and_better_packing_make_less():
    config = config_of("gpt2")
    few = steps("gpt2", 12)
    full = estimate(config, few, DIGITS, Form())
    assert estimate(config, few, 4, Form()).file_size < full.file_size
    assert estimate(config, few, DIGITS, Form(compact=True)).file_size < full.file_size
    assert estimate(config, few, DIGITS, Form(addresses=True)).file_size > full.file_size
    assert estimate(config, steps("gpt2", 32), DIGITS, Form()).memory > full.memory


def test_the_estimate_of_nano_is_about_right(nano_workbook, tmp_path):
    told: list[Estimate] = []

    def stop(expected: Estimate) -> None:
        told.append(expected)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        order = Order("Mike is quick. He moves")
        build_workbook(model("nano"), order, tmp_path / "a.xlsx", announce=stop)
    (expected,) = told
    assert 0.7 < nano_workbook.stat().st_size / expected.file_size < 1.3


def test_a_disk_too_full(tmp_path, monkeypatch):
    usage = build.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(build.shutil, "disk_usage", lambda path: usage._replace(free=1000))
    told: list[Estimate] = []
    with pytest.raises(WorkbookError, match=r"has 0 MB free, but the workbook needs about \d+ MB"):
        build_workbook(load(PLAIN), Order("ab", 3, 8), tmp_path / "a.xlsx", announce=told.append)
    assert not told and not list(tmp_path.iterdir())


def test_large_models_wait_to_be_asked(monkeypatch, tmp_path):
    """Calculated on request, with fewer rows and without a lens; a person may want it otherwise."""
    made = []

    def stop(*given: object, **more: object) -> None:
        made.append((given[2], more))
        raise KeyboardInterrupt

    monkeypatch.setattr(build, "compile_book", stop)
    monkeypatch.setattr(build, "is_large", lambda config: True)
    nano = model("nano")
    for order in (Order("Mike"), replace(Order("Mike"), context=20, extras={"lens": True})):
        with pytest.raises(KeyboardInterrupt):
            build_workbook(nano, order, tmp_path / "a.xlsx")
    assert [(room.tokens, more["manual"], more["extras"].lens) for room, more in made] == [
        (12, True, False),
        (20, True, True),
    ]
