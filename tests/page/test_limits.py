"""What the page promises of itself: how much code runs, and that fast hands do not confuse it."""

from dataclasses import replace
from pathlib import Path

import pytest

from sheetgpt.check.page import compare
from sheetgpt.checkpoint import checkpoint
from sheetgpt.gpt2.tokens import SPELLING, Tokenizer, Unit
from sheetgpt.page.build import WORKER, build_page, scripts_of_page
from sheetgpt.page.read import read_page

CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"
SCRIPTS = Path(build_page.__code__.co_filename).parent
MOST_LINES = 700


def lines_of_code(text: str) -> list[str]:
    """Without blank lines and those that are nothing but a comment."""
    stripped = [line.strip() for line in text.splitlines()]
    return [line for line in stripped if line and not line.startswith("//")]


def statements(line: str) -> int:
    """How many statements a line ends, but for the head of a loop."""
    code = line.split(" // ")[0]
    return 0 if code.lstrip("} ").startswith(("for (", "else for")) else code.count("; ")


def test_what_runs_can_be_read_in_one_sitting():
    pages = [(*WORKER, *scripts_of_page(unit)) for unit in Unit]
    assert {path.name for path in SCRIPTS.glob("*.js")} == set().union(*pages)
    for names in pages:
        code = [lines_of_code((SCRIPTS / name).read_text(encoding="utf-8")) for name in names]
        assert sum(map(len, code)) <= MOST_LINES


def test_every_key_counts_however_fast_they_come(nano, built, show):
    """The page shows the worker's numbers also where a question has been overtaken by the next."""
    model = checkpoint.load(nano, "nano")
    path = built(model, "Sara")
    shown = show(path)
    shown.run(
        "const prompt = document.getElementById('prompt');"
        "for (const text of ['Tom', 'Tom is', 'Anna is', 'Anna is brave', 'Tom is brave. He']) {"
        "  prompt.value = text; prompt.dispatchEvent(new Event('input', {bubbles: true}));"
        "}"
    )
    shown.ready()
    _, results = compare(shown.driver, read_page(path), model)
    assert [result for result in results if result.problem] == []


def test_a_character_without_tokens_is_named(built, show):
    """A vocabulary need not spell every byte: one of characters spells those of its own text."""
    model = checkpoint.load(CHECKPOINTS / "plain")
    missing = SPELLING["é".encode()[0]]
    tokens = tuple("<|none|>" if each == missing else each for each in model.tokenizer.tokens)
    merges = tuple(pair for pair in model.tokenizer.merges if missing not in "".join(pair))
    shown = show(built(replace(model, tokenizer=Tokenizer(tokens, merges)), "ab"))
    shown.set("#prompt", "abé")
    shown.ready()
    assert "“é”" in shown.text("#status")
    shown.set("#prompt", "ab")
    shown.ready()
    assert shown.text("#verdict").startswith("✓")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("vocab.json", b"{", "vocab.json is not the vocabulary"),
        ("vocab.json", b'{"a": 123456}', "vocab.json is not the vocabulary"),
        ("merges.txt", b"no suchpair\n", "is not the vocabulary"),
        ("model.safetensors", b"", "is not a whole safetensors file"),
        ("wte.csv", b"1,2,3\n", "wte.csv: wte has 3 numbers"),
        ("page.html", b"<p>no page of ours", "page.html is none of a model's files"),
        ("picture.png", b"\x89PNG", "picture.png is none of a model's files"),
    ],
)
def test_a_wrong_file_gets_a_sentence_and_changes_nothing(
    name, content, sentence, built, show, tmp_path
):
    shown = show(built(checkpoint.load(CHECKPOINTS / "plain"), "ab c"))
    before = shown.text("#completion")
    (tmp_path / name).write_bytes(content)
    shown.find("#chosen").send_keys(str(tmp_path / name))
    shown.wait(lambda: sentence in shown.text("#missing"))
    shown.set("#prompt", "ab c ")
    shown.set("#prompt", "ab c")
    shown.ready()
    assert shown.text("#completion") == before
    assert shown.text("#verdict").startswith("✓")


def test_by_keyboard_alone(nano, built, show):
    """From the prompt to another block, a marked token and a number, with Tab, arrows and Enter."""
    from selenium.webdriver import ActionChains, Keys

    shown = show(built(checkpoint.load(nano, "nano"), "Mike is quick. He moves"))

    def press(*keys):
        ActionChains(shown.driver).send_keys(*keys).perform()

    def focused(script="return document.activeElement.textContent"):
        return shown.run(script)

    def go_to(selector):
        for _ in range(80):
            if shown.run("return document.activeElement.matches(arguments[0])", selector):
                return
            press(Keys.TAB)
        raise AssertionError(f"Tab does not lead to {selector}")

    shown.find("#prompt").click()
    go_to("#chips button")
    press(Keys.ENTER)
    assert shown.find("#chips button[aria-pressed='true']").text.startswith("Mike")
    assert focused() == shown.text("#chips button")  # the keyboard stays where it was
    go_to("#map td button")
    press(Keys.ENTER)
    go_to("#blocks input")
    press(Keys.ARROW_RIGHT)
    assert shown.text("#block-title") == "Block 1"
    go_to("#block textarea")
    go_to("#block .result td")
    press(Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    assert focused("return [document.activeElement.at, document.activeElement.column]") == [1, 1]


def test_the_lines_are_whole():
    """The limit is kept by saying less, not by squeezing statements into lines."""
    for script in SCRIPTS.glob("*.js"):
        for line in lines_of_code(script.read_text(encoding="utf-8")):
            assert statements(line) <= 1, f"{script.name}: {line}"
