"""As a person does it in LibreOffice: load, type, read. Nobody asks for a recalculation."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import sheetgpt.build
from sheetgpt.book.words import languages, load_words
from sheetgpt.build import Order, build_workbook
from sheetgpt.checkpoint import checkpoint
from sheetgpt.gpt2.sampling import Controls, complete
from sheetgpt.office import libreoffice as office
from sheetgpt.xlsx.read import read
from tests.places import PLAIN

GREEDY = Controls()

# One after the other; what was typed before stays.
EDITS: list[dict[str, str | float]] = [
    {"prompt": "ba"},
    {"temperature": 0.8},
    {"seed": 7},
    {"top_k": 3},
    {"top_p": 0.5},
    {"new_tokens": 1},
    {"new_tokens": 4},
    {"attention.chosen": 1},
    {"lens.on": 0},
    {"switch.heads": 0},
    {"switch.mlp": "off"},
    {"switch.mlp": 0.5},
    {"reasons.token": "a"},
    {"reasons.other": 70},
    {"reasons.rather": 0},
    {"reasons.position": 3},
    {"reasons.block": 1, "reasons.head": 0},
    {"reasons.token": "no token", "reasons.other": "", "switch.heads": 1, "switch.mlp": 1},
    {"lens.on": 1},
    {"microscope.column": 3},
    {"microscope.step": "attn.heads"},
    {"microscope.token": 2},
    {"microscope.step": "mlp.gelu"},
    {"microscope.block": 1},
    {"microscope.column": "abc"},
    {"microscope.step": "logits", "microscope.column": 1, "microscope.token": 0},
    {"neighbours.word": "b"},
    {"neighbours.sum.a": "c"},
    {"neighbours.pair.b": "?"},
    {"temperature": "abc"},
    {"prompt": "a b c d e f g h"},
    {"prompt": ""},
    {"prompt": "ab c", "temperature": 0},
]


def small(path: Path, language: str = "en") -> Path:
    order = Order("ab c", context=6, prompt_length=12, new_tokens=2, language=language)
    build_workbook(checkpoint.load(PLAIN), order, path)
    return path


def names_of_formulas(path: Path) -> list[str]:
    """Every defined name that formulas fill."""
    book = read(path)
    cells = {(each.area.tab, each.area.top, each.area.left) for each in book.formulas}
    return [name for name, area in book.names.items() if (area.tab, area.top, area.left) in cells]


def shown(path: Path, *, by_force: bool) -> Iterator[dict[str, Any]]:
    """What stands in every named range after each edit."""
    names = names_of_formulas(path)
    with office.opened(path) as document:
        for edit in EDITS:
            document.set(edit)
            if by_force:
                document.calculate()
            yield document.read(names)


@pytest.mark.parametrize("language", languages())
def test_every_edit_is_answered_on_every_tab(language, libreoffice, tmp_path):
    path = small(tmp_path / "small.xlsx", language)
    natural, forced = (list(shown(path, by_force=by_force)) for by_force in (False, True))
    for edit, now, wanted in zip(EDITS, natural, forced, strict=True):
        assert {name: now[name] for name in now if now[name] != wanted[name]} == {}, edit
    completions = [each["start.completion"][0][0] for each in natural]
    assert len(set(completions)) > 5  # the edits do change something
    assert not any("#" in str(each) or each is None for each in completions)


def test_what_everybody_types_first(nano_workbook, libreoffice, nano):
    """The tab `start` answers at once, and stops saying that all steps were compared."""
    model = checkpoint.load(nano)

    def written(prompt: str, how: Controls = GREEDY) -> str:
        ids = model.tokenizer.encode_prompt(prompt)
        new = complete(model.config, model.weights, ids, 6, model.tokenizer.end_of_text, how).ids
        return model.tokenizer.decode([i for i in new if i != model.tokenizer.end_of_text])

    names = ["start.completion", "start.token", "start.checks", "start.likeliest.sentence"]

    def start(inputs: Mapping[str, str | float]) -> list[Any]:
        document.set(inputs)
        found = document.read(names)
        return [found[name][0][0] for name in names]

    with office.opened(nano_workbook) as document:
        for prompt in ("Sara is quiet. She speaks", "The capital of France is"):
            completion, token, checks, sentence = start({"prompt": prompt})
            assert completion == written(prompt)
            assert completion.startswith(token)
            assert checks.startswith("–")
            assert token in sentence
        completion, *_ = start({"temperature": 0.9, "seed": 3})
        assert completion == written(prompt, Controls(0.9, seed=3))
        completion, _, checks, _ = start(
            {"prompt": "Mike is quick. He moves", "temperature": 0, "seed": 0}
        )
        assert completion == written("Mike is quick. He moves")
        assert checks.startswith("✓")


@pytest.fixture(scope="module")
def manual(tmp_path_factory):
    """A workbook that calculates only when asked, as those of large models do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sheetgpt.build, "is_large", lambda config: True)
        return small(tmp_path_factory.mktemp("manual") / "manual.xlsx")


def test_asked_rightly_a_manual_workbook_answers(manual, libreoffice):
    press = load_words("en").label("calculate first")
    with office.opened(manual) as document:
        document.set({"prompt": "ba"})
        document.calculate()
        found = document.read(["start.completion", "completion", "start.current", "prompt.read"])
        assert found["start.current"] == [[1.0]]
        assert found["prompt.read"] == [["ba"]]
        assert found["start.completion"] == found["completion"] != [[press]]
        document.set({"prompt": "c"})  # from now on LibreOffice knows what depends on what
        document.press_f9()
        found = document.read(["start.completion", "completion", "prompt.read"])
        assert found["prompt.read"] == [["c"]]
        assert found["start.completion"] == found["completion"]
        document.set({"switch.mlp": 0})
        document.press_f9()
        found = document.read(["start.completion", "completion", "start.current"])
        assert found["start.current"] == [[1.0]]
        assert found["start.completion"] == found["completion"]


def test_a_switch_makes_answers_old_too(manual, libreoffice):
    """No conditional format sees the other tab, but what is calculated does."""
    press = load_words("en").label("calculate first")
    with office.opened(manual) as document:
        document.set({"switch.heads": 0})
        document.press_f9()
        found = document.read(["start.current", "start.completion"])
    assert found == {"start.current": [[0.0]], "start.completion": [[press]]}


def test_a_manual_workbook_never_shows_an_answer_to_another_text(manual, libreoffice):
    """F9 alone is not enough the first time: then `start` says what is."""
    press = load_words("en").label("calculate first")
    names = ["start.completion", "start.token", "start.checks", "start.likeliest.sentence"]
    with office.opened(manual) as document:
        document.set({"prompt": "ba"})
        document.press_f9()
        found = document.read(["start.current", *names])
    assert found["start.current"] == [[0.0]]
    assert found["start.completion"] == [[press]]
    assert [found[name] for name in names[1:]] == [[[""]]] * 3


def test_no_plain_formula_where_workbooks_calculate_by_themselves(short_nano_workbook, manual):
    """LibreOffice believes what is stored of plain formulas, and tells them of no change in an
    array formula that it has not calculated yet.
    """
    assert [each.area for each in read(short_nano_workbook).formulas if not each.array] == []
    plain = {each.area.tab for each in read(manual).formulas if not each.array}
    assert plain == {"start"}
