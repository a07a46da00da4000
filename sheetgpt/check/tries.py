"""Other inputs than those in the file: what a formula does for them, it does in no other way."""

from collections.abc import Callable, Iterable, Mapping
from math import prod
from random import Random

import numpy as np

from sheetgpt.book.records import UNDER_MICROSCOPE
from sheetgpt.check.expected import surely_fits, wanted_of
from sheetgpt.check.file import ModelInFile
from sheetgpt.check.report import StepResult
from sheetgpt.check.steps import step_result
from sheetgpt.gpt2.weights import shapes

USUAL = 3  # other inputs, where the model is not large
LARGE, VERY_LARGE = 20_000_000, 1_000_000_000  # weights from which on there is one, or none

# What is typed, by the name of its cell; into cells that have one name together, a number each.
Cells = tuple[tuple[float, ...], ...]
Inputs = Mapping[str, str | float | Cells]

DEFAULTS: dict[str, str | float | Cells] = {
    "new_tokens": 2, "temperature": 0, "top_k": 0, "top_p": 1, "seed": 0, "attention.chosen": 0,
    "lens.on": 1, "microscope.step": "mlp.c_fc", "microscope.block": 0, "microscope.token": 0,
    "microscope.head": 0, "microscope.column": 0, "neighbours.word": "a", "neighbours.sum.a": "a",
    "neighbours.sum.b": "b", "neighbours.sum.c": "c", "neighbours.pair.a": "a",
    "neighbours.pair.b": "b",
}  # fmt: skip


def affordable(model: ModelInFile) -> tuple[int, str]:
    """With how many other inputs a model of this size is calculated, and why not with more."""
    weights = sum(map(prod, shapes(model.config).values()))
    if weights < LARGE:
        return USUAL, ""
    few = 0 if weights >= VERY_LARGE else 1
    return few, (
        f"the model has {weights:,} weights, so it was calculated with {few or 'no'} other "
        f"input{'s'[few:]}; --try N takes N"
    )


def inputs(model: ModelInFile, number: int) -> Inputs:
    """The inputs of try `number`, from 1 on; always the same for the same workbook."""
    if number == 1:  # the cheapest that has all: a large model affords no other
        drawn: Inputs = {
            "temperature": 0.8,
            "top_k": 7,
            "top_p": 0.9,
            "seed": 11,
            "attention.chosen": 1,
        }
        looked: Inputs = {"microscope.step": "attn.heads", "microscope.column": 1}
        prompt = {"prompt": fitting(model, "😀 I'm 12!")}
        return {**DEFAULTS, **prompt, **drawn, **looked, **_switches(model, 1)}
    if number == 2:
        looked = {"microscope.step": "logits", "neighbours.word": "?!?!"}
        return DEFAULTS | {"prompt": "", "lens.on": 0, "new_tokens": 1} | looked
    if number == 3:
        return DEFAULTS | {"prompt": "too long " * (model.room.characters // 9 + 1)}
    random = Random(number)
    assert model.tokenizer is not None
    ids = random.choices(range(model.config.n_vocab), k=random.randint(1, model.room.tokens))
    return {
        "prompt": fitting(model, "".join(filter(str.isprintable, model.tokenizer.decode(ids)))),
        "new_tokens": random.randint(1, 4),
        "temperature": random.choice([0, 0.5, 1.0, 2.0]),
        "top_k": random.choice([0, 1, 5, 40]),
        "top_p": random.choice([0.3, 0.95, 1.0]),
        "seed": random.randint(0, 1_000_000),
        "attention.chosen": random.randint(0, 3),
        "lens.on": random.randint(0, 1),
        "reasons.position": random.randint(0, model.room.tokens),
        "reasons.token": random.choice(["", model.tokenizer.decode(ids[:1]), "no such token"]),
        "reasons.other": random.randint(-1, model.config.n_vocab),
        "reasons.rather": random.randint(0, 1),
        "reasons.block": random.randint(-1, model.config.n_layer - 1),
        "reasons.head": random.randint(0, model.config.n_head - 1),
        **_switches(model, number),
        **_looked(model, random),
    }


def _switches(model: ModelInFile, number: int) -> Inputs:
    """Some parts off, some turned round, and some as they were learned."""
    random, config = np.random.default_rng(number), model.config
    shapes_of = {"heads": (config.n_layer, config.n_head), "mlp": (config.n_layer, 1)}
    return {
        f"switch.{name}": tuple(
            map(tuple, random.choice([0.0, 1.0, 1.0, 0.5, -1.0, 2.0], shape).tolist())
        )
        for name, shape in shapes_of.items()
    }


def _looked(model: ModelInFile, random: Random) -> Inputs:
    """What to look at through the microscope, seldom what is not there; and words."""
    assert model.tokenizer is not None
    config, texts = model.config, model.texts("vocabulary.text")
    widest = random.choice([config.n_embd, 3 * config.n_embd, config.n_vocab])
    words = [name for name in DEFAULTS if name.startswith("neighbours.")]
    return {
        "microscope.step": random.choice(list(UNDER_MICROSCOPE)),
        "microscope.block": random.randint(0, config.n_layer - 1),
        "microscope.token": random.choice([0, 0, 1, 2]),
        "microscope.head": random.randint(0, config.n_head - 1),
        "microscope.column": random.choice([0, 1, 1, random.randrange(widest)]),
        **{name: random.choice(texts) for name in words},
    }


def fitting(model: ModelInFile, text: str) -> str:
    """As much of the beginning of a text as the sheet surely has room for."""
    assert model.tokenizer is not None
    text = model.tokenizer.known(text)
    while text and not surely_fits(text, model.tokenizer.stages(text), model.room):
        text = text[:-1]
    return text


def tried(
    model: ModelInFile,
    typed: Inputs,
    called: str,
    names: Iterable[str],
    again: Callable[[], None],
) -> StepResult:
    """Type inputs, calculate, and compare every step; the first that differs is told."""
    for name, value in typed.items():
        cell = model.names.get(name)
        if cell is None:
            continue
        if isinstance(value, tuple):
            model.values.write(cell, np.array(value))
        else:
            typed_in = value if isinstance(value, str) else float(value)
            model.values.by_tab[cell.tab].set(cell.top, cell.left, typed_in)
    again()
    _, expected = wanted_of(model)
    tokens = model.shown("tokens.text")
    found = [step_result(model, name, expected.get(name), tokens) for name in names]
    compared = [result for result in found if result.is_compared]
    problem = next((f"{each.step}: {each.problem}" for each in found if each.problem), "")
    if problem:
        single = {n: value for n, value in typed.items() if not isinstance(value, tuple)}
        with_ = ", ".join(f"{name} = {value}" for name, value in single.items())
        with_ += ", and other switches" if len(single) < len(typed) else ""
        problem = f"{problem} (with {with_[:250]})"
    cells = sum(result.cells for result in compared)
    worst = max(compared, key=lambda result: result.error)
    where = f"{worst.where} with {called}"
    return StepResult("", called, "try", cells, worst.error, problem, where)
