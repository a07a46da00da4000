"""A built page, run in a real browser, and every step compared with the witness."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sheetgpt.check import browser
from sheetgpt.check.report import Report, StepResult
from sheetgpt.checkpoint.checkpoint import Checkpoint
from sheetgpt.errors import PageError
from sheetgpt.gpt2 import reference
from sheetgpt.gpt2.sampling import complete
from sheetgpt.page.build import model_files
from sheetgpt.page.read import PageInFile, read_page
from sheetgpt.progress import Progress, silent

TOLERANCE = 1e-9  # times the largest number of the step, where that is above 1
READY = "const done = arguments[0]; Promise.resolve(sheetgpt.ready).then(() => done());"
# What a step has computed, each token's row as plain numbers.
VALUES = "return sheetgpt.values[arguments[0]].map((row) => Array.from(row));"

Floats = NDArray[np.float64]


def check_page(
    path: Path,
    checkpoint: Checkpoint | None = None,
    progress: Progress = silent,
) -> Report:
    """Check the page at `path`.

    checkpoint: what is dropped on a page that has no weights; otherwise, the page's must be its.
    Raises PageError for a file that is no page, BrowserError where there is no browser.
    """
    page = read_page(path)
    if not page.files and checkpoint is None:
        raise PageError(
            f"{path} has no weights inside; say with --model which ones are to be dropped on it"
        )
    inside = page.checkpoint() if page.files else checkpoint
    assert inside is not None
    constants = list(_against(inside, checkpoint)) if page.files and checkpoint else []
    progress("browser")
    with browser.opened(path) as driver:
        if not page.files:
            drop(driver, inside)
        driver.execute_async_script(READY)
        problem = driver.execute_script("return document.querySelector('.error:not([hidden])')")
        if problem is not None:
            raise PageError(f"{path}: the page reports an error: {problem.text}")
        progress("witness")
        ids, steps = compare(driver, page, inside)
        first = f"return sheetgpt.values['predicted.id'][{len(ids) - 1}][0]"
        predicted = driver.execute_script(first)
        engine = str(driver.capabilities["browserName"])
    token = inside.tokenizer.decode([int(predicted)])
    return Report(page.name, engine, page.prompt, len(ids), token, [*constants, *steps])


def drop(driver: Any, checkpoint: Checkpoint) -> None:
    """Give the page the model's files, as a person does, and wait until it has them."""
    files = model_files(checkpoint)
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in files]
        for path, content in zip(paths, files.values(), strict=True):
            path.write_bytes(content)
        driver.find_element("id", "chosen").send_keys("\n".join(map(str, paths)))
        driver.execute_async_script(READY)


def compare(driver: Any, page: PageInFile, model: Checkpoint) -> tuple[list[int], list[StepResult]]:
    """The prompt's ids, and every step and the completion beside what NumPy says of them."""
    tokenizer = model.tokenizer
    prompt = str(driver.find_element("id", "prompt").get_property("value"))
    ids = tokenizer.encode_prompt(prompt)
    read = [
        int(each) for each in driver.execute_script("return sheetgpt.values['tokens.id'].flat()")
    ]
    count = len(driver.execute_script("return sheetgpt.values['predicted.id']")) - len(ids) + 1
    written = complete(model.config, model.weights, ids, count, tokenizer.end_of_text).ids
    text = tokenizer.decode([each for each in written if each != tokenizer.end_of_text])
    shown = driver.execute_script("return document.getElementById('completion').textContent")
    results = [_same("tokens.id", ids, read[: len(ids)])]
    trace = reference.forward(model.config, model.weights, read)
    for name in reference.step_names(model.config)[1:]:
        rows = driver.execute_script(VALUES, name)
        results.append(_step(name, rows, trace[name], len(ids) - 1))
    return ids, [*results, _same("completion", text, str(shown))]


def _same(name: str, expected: list[int] | str, found: list[int] | str) -> StepResult:
    problem = "" if expected == found else f"expected {expected!r}, the page has {found!r}"
    return StepResult(_section(name), name, "step", len(expected), 0.0, problem)


def _step(name: str, rows: list[list[float]], expected: NDArray[Any], asked: int) -> StepResult:
    """One step: what belongs to each token, its heads side by side, without masked numbers."""
    first = asked if name in ("logits", "softmax", "predicted.id") else 0
    cells, error, largest = 0, 0.0, 1.0
    if len(rows) != len(expected):
        problem = f"the page has it for {len(rows)} tokens, expected {len(expected)}"
        return StepResult(_section(name), name, "step", 0, float("inf"), problem)
    for row, wanted in list(zip(rows, expected, strict=True))[first:]:
        numbers = _numbers(wanted)
        found = np.array([np.nan if each is None else each for each in row])
        cells += len(found)
        largest = max(largest, float(np.abs(numbers).max()))
        same = len(found) == len(numbers)
        difference = float(np.abs(found - numbers).max()) if same else float("inf")
        error = max(error, float("inf") if np.isnan(difference) else difference)
    problem = "" if error <= TOLERANCE * largest else f"it differs by {error:.1e} from the witness"
    return StepResult(_section(name), name, "step", cells, error, problem)


def _numbers(wanted: Any) -> Floats:
    flat = np.asarray(wanted, dtype=np.float64).ravel()
    return flat[~np.isnan(flat)]


def _section(name: str) -> str:
    """Where on the page a step is."""
    return f"block {name.split('.')[1]}" if name.startswith("h.") else name.split(".")[0]


def _against(inside: Checkpoint, other: Checkpoint) -> Iterator[StepResult]:
    """The page's weights and vocabulary beside a checkpoint's."""
    same = inside.tokenizer == other.tokenizer
    problem = "" if same else f"it is not the vocabulary of {other.name}"
    yield StepResult("", "vocabulary", "constant", len(inside.tokenizer.tokens), 0.0, problem)
    for name, weight in inside.weights.items():
        same = name in other.weights and np.array_equal(weight, other.weights[name])
        problem = "" if same else f"it is not the tensor of {other.name}"
        yield StepResult("", name, "constant", int(weight.size), 0.0, problem)
