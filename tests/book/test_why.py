"""The tabs `reasons` and `switches`, typed into and read in every program that can compute them."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import ironcalc
import numpy as np
import pytest

from sheetgpt.build import Order
from sheetgpt.check.file import ModelInFile
from sheetgpt.check.formulas import Formulas
from sheetgpt.check.tries import fitting
from sheetgpt.gpt2.reference import Switches, forward
from sheetgpt.gpt2.votes import direction, votes
from sheetgpt.office import libreoffice as office
from sheetgpt.xlsx.read import Workbook, read
from tests.live import LiveFormulas
from tests.once import built_once
from tests.places import CHECKPOINTS

CASES = 20
NAMES = (
    *("tokens.id", "n_tokens", "logits", "switches.changed", "switches.sentence", "start.switches"),
    *("reasons.number", "reasons.token.id", "reasons.other.id", "reasons.heads", "reasons.mlp"),
    *("reasons.biases", "reasons.embeddings", "reasons.constant", "reasons.total"),
    *("reasons.logit", "reasons.split.block", "reasons.split.head", "reasons.split.total"),
    *("reasons.strongest.vote", "reasons.strongest.sentence", "start.why", "reasons.message"),
)
Inputs = dict[str, Any]
Ask = Callable[[Inputs], dict[str, list[list[Any]]]]  # types, and reads every name
MODELS = ("plain", "gpt-neo")  # the second has windows, and no scaling


@pytest.fixture(scope="module", params=MODELS)
def path(request, tmp_path_factory) -> Path:
    order = Order("ab c", context=6, prompt_length=12, new_tokens=2)
    model = CHECKPOINTS / str(request.param)
    return built_once(tmp_path_factory, f"why-{request.param}.xlsx", model, order)


@cache
def contents(path: Path) -> Workbook:
    return read(path)


@cache
def live(path: Path) -> LiveFormulas:
    workbook = read(path)
    return LiveFormulas(Formulas(workbook).all, workbook.names, workbook.values)


@pytest.fixture(scope="module")
def model(path: Path) -> ModelInFile:
    return ModelInFile(path, contents(path))


def by_numpy(path: Path) -> Iterator[Ask]:
    book = live(path)

    def ask(inputs: Inputs) -> dict[str, list[list[Any]]]:
        book.set(**{n: np.array(v) if isinstance(v, list) else v for n, v in inputs.items()})
        found = {name: book.values.read(book.names[name]) for name in NAMES}
        return {n: v.tolist() if isinstance(v, np.ndarray) else [[v]] for n, v in found.items()}

    yield ask


def by_ironcalc(path: Path) -> Iterator[Ask]:
    workbook, names = ironcalc.load_from_xlsx(str(path), "en", "UTC", "en"), contents(path).names
    tabs = [each["name"] for each in workbook.get_worksheets_properties()]

    def ask(inputs: Inputs) -> dict[str, list[list[Any]]]:
        for name, value in inputs.items():
            area = names[name]
            for place, each in np.ndenumerate(np.array(value, dtype=object, ndmin=2)):
                row, column = area.top + place[0], area.left + place[1]
                sheet = tabs.index(area.tab)
                if isinstance(each, str):
                    workbook.update_cell_with_text(sheet, row, column, each)
                else:
                    workbook.update_cell_with_number(sheet, row, column, float(each))
        workbook.evaluate()
        return {
            name: [
                [
                    workbook.get_cell_value(tabs.index(names[name].tab), row, column)
                    for column in range(names[name].left, names[name].right + 1)
                ]
                for row in range(names[name].top, names[name].bottom + 1)
            ]
            for name in NAMES
        }

    yield ask


def by_libreoffice(path: Path) -> Iterator[Ask]:
    """As a person does it: nobody asks for a recalculation."""
    with office.opened(path) as document:

        def ask(inputs: Inputs) -> dict[str, list[list[Any]]]:
            document.set(inputs)
            return document.read(NAMES)

        yield ask


ENGINES = {"numpy": by_numpy, "ironcalc": by_ironcalc, "libreoffice": by_libreoffice}


@pytest.fixture(scope="module", params=ENGINES)
def ask(request, path: Path) -> Iterator[Ask]:
    if request.param == "libreoffice":
        request.getfixturevalue("libreoffice")
    yield from ENGINES[request.param](path)


def drawn(model: ModelInFile, number: int) -> Inputs:
    """A prompt, a position, a pair of tokens, a head; every other time with switches turned."""
    random, config = Random(number), model.config
    text = "".join(random.choices("abcdefgh ", k=random.randint(1, 6)))
    pair = random.sample(range(config.n_vocab), 2)
    switches = [0.0, 1.0, 0.5, -1.0, 2.0] if number % 2 else [1.0]

    def grid(columns: int) -> list[list[float]]:
        return [random.choices(switches, k=columns) for _ in range(config.n_layer)]

    return {
        "prompt": fitting(model, text) or "a",
        "reasons.position": float(random.randint(0, 8)),
        "reasons.token": float(pair[0]),
        "reasons.other": float(pair[1]),
        "reasons.rather": float(number % 3 > 0),
        "reasons.block": float(random.randrange(config.n_layer)),
        "reasons.head": float(random.randrange(config.n_head)),
        "switch.heads": grid(config.n_head),
        "switch.mlp": grid(1),
    }


def numbers(values: list[list[Any]]) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def test_the_votes_and_their_sum(ask, model):
    config, weights = model.config, model.weights
    for number in range(CASES):
        typed = drawn(model, number)
        shown = ask(typed)
        ids = [int(row[0]) for row in shown["tokens.id"] if row[0] not in ("", None)]
        n_tokens = int(shown["n_tokens"][0][0])
        switches = Switches(numbers(typed["switch.heads"]), numbers(typed["switch.mlp"])[:, 0])
        trace = forward(config, weights, ids, switches)
        largest = max(1.0, np.abs(trace["logits"]).max())

        def close(name: str, wanted: Any, within: float = largest, shown: Any = shown) -> None:
            found = numbers(shown[name])
            assert np.abs(found - np.reshape(wanted, found.shape)).max() <= 1e-9 * within, name

        # All logits are those of a forward pass with the same factors.
        columns = np.array(shown["logits"], dtype=object)[:, n_tokens - 1 : len(ids)]
        wanted = trace["logits"][n_tokens - 1 :].T
        assert np.abs(columns.astype(np.float64) - wanted).max() <= 1e-9 * largest

        # The position and the pair are those that were typed, where there is such a position.
        asked = int(typed["reasons.position"])
        row = (asked if n_tokens <= asked <= len(ids) else n_tokens) - 1
        assert shown["reasons.number"] == [[row + 1]]
        token, other = (int(shown[f"reasons.{name}.id"][0][0]) for name in ("token", "other"))
        assert [token, other] == [typed["reasons.token"], typed["reasons.other"]]
        pair = {token: 1.0, other: -typed["reasons.rather"]}

        # The sum is the logit, of the sheet and of the witness.
        logit = sum(factor * trace["logits"][row, i] for i, factor in pair.items())
        close("reasons.total", logit)
        close("reasons.logit", logit)

        # Each vote is that of an independent decomposition, and its split adds up to it.
        along = direction(config, weights, trace, row, pair)
        its = votes(config, weights, trace, row, along)
        close("reasons.heads", its.heads)
        close("reasons.mlp", its.mlps)
        close("reasons.biases", its.biases)
        close("reasons.embeddings", its.embeddings)
        close("reasons.constant", its.constant)
        where = tuple(int(shown[f"reasons.split.{name}"][0][0]) for name in ("block", "head"))
        assert list(where) == [typed["reasons.block"], typed["reasons.head"]]
        close("reasons.split.total", its.heads[where])
        sizes = np.sort(np.abs(np.column_stack([its.heads, its.mlps]).ravel()))[::-1]
        found = np.abs(numbers(shown["reasons.strongest.vote"]))[:, 0]
        assert np.abs(found - sizes[: len(found)]).max() <= 1e-9 * largest
        changed = int((switches.heads != 1).sum() + (switches.mlps != 1).sum())
        assert shown["switches.changed"] == [[changed]]
        assert bool(shown["start.switches"][0][0]) == (changed > 0)


def ones(model: ModelInFile) -> Inputs:
    """All switches as they are built."""
    return {
        "switch.heads": [[1.0] * model.config.n_head] * model.config.n_layer,
        "switch.mlp": [[1.0]] * model.config.n_layer,
    }


def test_words(ask, model):
    """Text for a token, nothing for the likeliest, and a sentence for what is no token."""
    typed = {"prompt": "ab", "reasons.position": 0.0, "reasons.rather": 1.0, **ones(model)}
    assert model.tokenizer is not None
    shown = ask({**typed, "reasons.token": "b", "reasons.other": "zz no token"})
    ids = [int(row[0]) for row in shown["tokens.id"] if row[0] not in ("", None)]
    logits = forward(model.config, model.weights, ids)["logits"][int(shown["n_tokens"][0][0]) - 1]
    (b,) = model.tokenizer.encode("b")
    assert shown["reasons.token.id"] == [[b]]
    others = np.where(np.arange(len(logits)) == b, -np.inf, logits)
    assert shown["reasons.other.id"] == [[others.argmax()]]
    assert "zz no token" in shown["reasons.message"][0][0]
    assert "“b”" in shown["reasons.strongest.sentence"][0][0]
    shown = ask({"reasons.token": "", "reasons.other": ""})
    first, second = np.argsort(-logits, kind="stable")[:2]
    assert shown["reasons.token.id"] == [[first]]
    assert shown["reasons.other.id"] == [[second]]
    assert shown["reasons.message"][0][0] in ("", None)
    assert shown["start.why"][0][0]


@pytest.mark.parametrize("typed", ["off", "", 1e300, -1e300])
def test_whatever_is_pasted_into_a_switch_no_error_follows(path, model, typed):
    (ask,) = by_numpy(path)
    ask({"prompt": "ab c", "reasons.position": 0.0, **ones(model)})
    ask({"reasons.token": "", "reasons.other": ""})
    shown = ask({"switch.heads": typed, "switch.mlp": typed})
    errors = [each for rows in shown.values() for row in rows for each in row]
    assert not any("#" in str(each) for each in errors)
    assert shown["switches.changed"] == [[0 if isinstance(typed, str) else 2]]
