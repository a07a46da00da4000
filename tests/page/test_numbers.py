"""What a page computes in a real browser is what NumPy computes, to the last token."""

import json
import random
from pathlib import Path

import pytest

from sheetgpt.check.page import compare, drop
from sheetgpt.checkpoint import checkpoint
from sheetgpt.gpt2.sampling import Controls, complete
from sheetgpt.page.build import model_files
from sheetgpt.page.read import read_page

CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"
SOME = ("", "Sara", " ", "Monday, Tuesday,", "The capital of France is", "x" * 20, "What's 12+3?")
SIGNS = "aeinst AEM.,'!?0123456789\n\té漢字かな한국🙂👩‍🚀🇯🇵\u00a0\u2003\u0301"


def prompts(seed: int, count: int, longest: int) -> list[str]:
    generator = random.Random(seed)
    return [
        "".join(generator.choices(SIGNS, k=generator.randint(1, longest))) for _ in range(count)
    ]


@pytest.fixture(scope="module")
def nano_checkpoint(nano):
    return checkpoint.load(nano, "nano")


@pytest.fixture(scope="module")
def nano_page(nano_checkpoint, built):
    return built(nano_checkpoint, "Mike is quick. He moves")


def test_every_step_of_nano_for_twenty_prompts(nano_checkpoint, nano_page, show):
    page, shown = read_page(nano_page), show(nano_page)
    for prompt in (*SOME, *prompts(1, 20 - len(SOME), 12)):
        shown.set("#prompt", prompt)
        shown.ready()
        _, results = compare(shown.driver, page, nano_checkpoint)
        assert len(results) == 12 * 18 + 9
        assert [result for result in results if result.problem] == [], prompt


@pytest.mark.parametrize("name", ["openai", "padded", "plain", "sharded", "shuffled"])
@pytest.mark.parametrize("inside", [True, False])
def test_every_step_of_other_checkpoints(name, inside, built, show):
    """Inside the page, or dropped on it as files."""
    model = checkpoint.load(CHECKPOINTS / name)
    path = built(model, "ab c", weights=inside)
    shown = show(path, ready=inside)
    if not inside:
        drop(shown.driver, model)
    for prompt in ("ab c", *prompts(2, 4, 4)):
        shown.set("#prompt", prompt)
        shown.ready()
        _, results = compare(shown.driver, read_page(path), model)
        assert [result for result in results if result.problem] == [], prompt
    if not inside:
        shown.run("document.querySelector('#kept button').click()")  # the browser forgets it again
        shown.wait(lambda: not shown.find("#kept").is_displayed())


CONTROLS = [
    Controls(),
    *(Controls(1.0, seed=seed) for seed in (0, 7, 123456)),
    *(Controls(0.8, 20, 0.9, seed) for seed in (1, 2)),
    Controls(2.5, 0, 0.5, 3),
]


def test_completions(nano_checkpoint, nano_page, show):
    model, shown = nano_checkpoint, show(nano_page)
    end = model.tokenizer.end_of_text
    for prompt in ("Mike is quick. He moves", "Sara is", ""):
        shown.set("#prompt", prompt)
        for controls in CONTROLS:
            for name, value in (
                *(("newTokens", 20), ("temperature", controls.temperature)),
                *(("topK", controls.top_k), ("topP", controls.top_p), ("seed", controls.seed)),
            ):
                shown.set(f"#{name}", str(value))
            shown.ready()
            ids = model.tokenizer.encode_prompt(prompt)
            written = complete(model.config, model.weights, ids, 20, end, controls).ids
            text = model.tokenizer.decode([each for each in written if each != end])
            assert shown.text("#completion") == text, controls


def test_tokens_of_five_hundred_texts(nano_checkpoint, nano_page, show):
    shown = show(nano_page)
    texts = [*prompts(3, 500, 40), "I'll we've it's don't", "\x1c\x1d \x85\u3000 a", "  two  "]
    read = "return arguments[0].map((text) => window.eval('tokenizer').read(text))"
    found = shown.run(read, texts)
    for text, ids in zip(texts, found, strict=True):
        assert ids == nano_checkpoint.tokenizer.encode_prompt(text), json.dumps(text)


def test_files_that_are_dropped_one_by_one(built, show, tmp_path):
    """What is missing is said; a directory of CSV files will do, and so will a built page."""
    model = checkpoint.load(CHECKPOINTS / "plain")
    path = built(model, "ab c", weights=False)
    for name, content in model_files(model).items():
        (tmp_path / name).write_bytes(content)
    for name, weight in model.weights.items():
        lines = [
            ",".join(map(repr, map(float, line))) for line in weight.reshape(-1, weight.shape[-1])
        ]
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n")

    def give(*names: str) -> None:
        chosen.send_keys("\n".join(str(tmp_path / name) for name in names))

    shown = show(path, ready=False)
    chosen = shown.find("#chosen")
    shown.wait(lambda: "model.safetensors, vocab.json, merges.txt" in shown.text("#missing"))
    give("vocab.json")
    shown.wait(lambda: shown.text("#missing") == "Still missing: model.safetensors, merges.txt")
    (tmp_path / "notes.txt").write_text("no model")
    give("notes.txt")
    shown.wait(lambda: "notes.txt is none of a model's files" in shown.text("#missing"))
    (tmp_path / "broken.safetensors").write_bytes(
        (tmp_path / "model.safetensors").read_bytes()[:-9]
    )
    give("broken.safetensors")
    shown.wait(lambda: "is not a whole safetensors file" in shown.text("#missing"))
    other = model_files(checkpoint.load(CHECKPOINTS / "shuffled"))["model.safetensors"]
    (tmp_path / "other.safetensors").write_bytes(other)
    give("other.safetensors")
    shown.wait(lambda: "280 × 8; give the files of that model" in shown.text("#missing"))
    give("merges.txt", *(f"{name}.csv" for name in model.weights))
    shown.wait(lambda: not shown.find("#files").is_displayed())
    shown.ready()
    results = compare(shown.driver, read_page(path), model)[1]
    assert [result for result in results if result.problem] == []

    shown = show(path)  # again: the browser has kept them
    assert shown.text("#verdict").startswith("✓")
    shown.find("#kept button").click()
    shown.wait(lambda: not shown.find("#kept").is_displayed())
    shown = show(path, ready=False)
    shown.wait(lambda: "model.safetensors" in shown.text("#missing"))
    shown.find("#chosen").send_keys(str(built(model, "c")))
    shown.ready()
    assert shown.text("#verdict").startswith("✓")
    shown.find("#kept button").click()
    shown.wait(lambda: not shown.find("#kept").is_displayed())
