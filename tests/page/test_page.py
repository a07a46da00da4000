"""A page as a person uses it: with real keys in a real browser."""

import json
import os
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest

from sheetgpt.book.words import languages
from sheetgpt.checkpoint import checkpoint

ROOT = Path(__file__).parents[2]
PLAIN = ROOT / "tests" / "checkpoints" / "plain"
WEIGHTS = "h.0.attn.weights"
CELL = f"[data-name='{WEIGHTS.replace('h.0.', 'h.b.')}']"
PROMPT = "</textarea><script>alert(1)"
WITHOUT_SOFTMAX = 'return row("h.0.attn.scores");'
EVERYTHING = "return JSON.stringify(Object.entries(sheetgpt.values))"


@pytest.fixture(scope="module")
def nano_page(nano, built):
    return built(checkpoint.load(nano, "nano"), "Mike is quick. He moves")


@pytest.fixture
def page(nano_page, show):
    return show(nano_page)


def press(shown, key):
    """Ctrl and a key, where the keyboard is now."""
    from selenium.webdriver import ActionChains, Keys

    with_control = ActionChains(shown.driver).key_down(Keys.CONTROL).send_keys(key)
    with_control.key_up(Keys.CONTROL).perform()


def click(shown, selector):
    """Scroll to something, and click on it."""
    shown.run("arguments[0].scrollIntoView({block: 'center'})", shown.find(selector))
    shown.find(selector).click()


def rewrite(shown, code, cell=CELL):
    """Type other code into a cell, and run it with Ctrl+Enter."""
    from selenium.webdriver import Keys

    editor = shown.find(f"{cell} textarea")
    shown.run("arguments[0].scrollIntoView({block: 'center'}); arguments[0].focus()", editor)
    press(shown, "a")
    editor.send_keys(code)
    press(shown, Keys.ENTER)


def test_typing_goes_on(page):
    from selenium.webdriver import Keys

    prompt = page.find("#prompt")
    prompt.click()
    press(page, "a")
    prompt.send_keys("Sara is quiet. She speaks")
    page.ready()
    assert page.text("#completion").startswith(" quietly")
    assert page.text("#verdict").startswith("– Not compared")
    prompt.send_keys(*[Keys.BACKSPACE] * 30)
    page.ready()
    assert page.run("return sheetgpt.values['tokens.id'][0][0]") == 1023  # where a text begins
    prompt.send_keys("Mike " * 70)
    page.ready()
    assert page.text("#status").startswith("Too long: the text has")


def test_an_edited_cell_changes_what_is_below_until_it_is_reset(page):
    before = json.loads(page.run(EVERYTHING))
    names = [name for name, _ in before]
    assert page.text("#verdict").startswith("✓ All 224 steps")
    rewrite(page, WITHOUT_SOFTMAX)
    page.ready()
    after = dict(json.loads(page.run(EVERYTHING)))
    place = names.index(WEIGHTS)
    for name, rows in before[:place]:
        # as many tokens as both have read: what is written differs
        assert [after[name][t] for t in range(6)] == rows[:6], name
    same = [name for name, rows in before[place:] if after[name][5] == rows[5]]
    assert set(same) <= {"predicted.id"}
    assert "no longer the model" in page.text("#verdict") and WEIGHTS in page.text("#verdict")
    click(page, f"{CELL} .reset")
    page.ready()
    assert json.loads(page.run(EVERYTHING)) == before
    assert page.text("#verdict").startswith("✓ All 224 steps")


def test_errors_are_shown_in_their_cell(page):
    rewrite(page, "return row(")
    page.ready()
    assert "SyntaxError" in page.text(f"{CELL} .error")
    assert page.find(f"{CELL} .error").is_displayed()
    assert WEIGHTS in page.text("#status")
    rewrite(page, 'const x = 1;\nreturn row("no.such.step");')
    page.ready()
    assert page.text(f"{CELL} .error").startswith("Line 2: Error: no step named no.such.step")
    rewrite(page, 'return "text";')
    page.ready()
    assert "must return a matrix or a number" in page.text(f"{CELL} .error")
    click(page, "#reset")
    page.ready()
    assert not page.find(f"{CELL} .error").is_displayed()
    assert page.text("#verdict").startswith("✓")


def test_an_endless_loop_can_be_stopped(page):
    rewrite(page, "while (true) {}")
    page.wait(lambda: page.find("#stop").is_displayed())
    page.find("#stop").click()  # it is there wherever one has scrolled
    page.wait(lambda: page.text(f"{CELL} .error").startswith("This cell did not come to an end"))
    page.wait(lambda: page.text("#verdict").startswith("✓"))
    assert page.find(f"{CELL} .error").is_displayed()
    assert page.find(f"{CELL} textarea").get_property("value") == "while (true) {}"
    page.set("#prompt", "Sara is quiet. She speaks")
    page.ready()
    assert page.text("#completion").startswith(" quietly")


@pytest.mark.parametrize("section", ["softmax", "block", "predicted"])
def test_links_lead_where_they_say(page, section):
    """Past sections that nobody has seen yet: they are as high as they will be."""
    page.ready()
    page.wait(lambda: page.run("return document.body.className") == "drawn")
    click(page, f"nav a[href='#{section}']")
    top = f"return document.getElementById('{section}').getBoundingClientRect().top"
    page.wait(lambda: 0 <= page.run(top) < 100)
    time.sleep(0.5)  # for what has come near the screen to be laid out
    assert 0 <= page.run(top) < 100


def test_blocks_heads_marks_and_the_microscope(page):
    from selenium.webdriver import Keys

    click(page, "#chips button:nth-child(6)")
    click(page, "#map tbody tr:nth-child(6) td:nth-child(3) button")
    assert page.text("#block-title") == "Block 5"
    page.wait(lambda: page.run(f'return document.querySelector("{CELL} table.here")'))
    table = f"{CELL} .scroll:nth-child(2) table"
    assert page.text(f"{table} caption") == "head 1"
    assert page.text(f"{table} tr.marked th") == "6  moves"
    assert float(page.text(f"{table} tr.marked td:nth-child(4)")) > 0.9
    assert page.text(f"{table} tr.marked td:nth-child(8)") == ""  # a later token
    page.run("document.querySelector(\"[data-name='h.b.attn.c_attn']\").scrollIntoView()")
    region = page.find("[data-name='h.b.attn.c_attn'] .scroll")
    page.wait(lambda: region.find_elements("css selector", "td"))
    region.send_keys(Keys.TAB)  # to the first number
    for key in (Keys.ARROW_DOWN, Keys.ARROW_RIGHT):
        page.driver.switch_to.active_element.send_keys(key)
    page.wait(lambda: "Token 2: h.5.ln_1 times column 1" in page.text("#microscope"))
    total = page.run(
        "const w = arguments[0]; return sheetgpt.values[w][1][1].toFixed(1)", "h.5.attn.c_attn"
    )
    shown = float(page.text("#microscope tr:last-child td:last-child"))
    assert abs(shown - float(total)) < 2  # all but the bias
    page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not page.find("#microscope").is_displayed()


def test_texts_are_never_html(built, show):
    model = checkpoint.load(PLAIN)
    tokens = list(model.tokenizer.tokens)
    evil = "<img/src=x/onerror=document.title=1>"
    place = next(i for i, token in enumerate(tokens) if len(token) > 1 and "<" not in token)
    merges = tuple(
        pair for pair in model.tokenizer.merges if tokens[place] not in (*pair, "".join(pair))
    )
    tokens[place] = evil
    tokenizer = replace(model.tokenizer, tokens=tuple(tokens), merges=merges)
    shown = show(built(replace(model, tokenizer=tokenizer), PROMPT))
    shown.run("document.querySelector('#logits').scrollIntoView()")
    shown.wait(lambda: shown.run("return document.querySelector('#logits td')"))
    for _ in range(8):
        shown.run(
            "const s = document.querySelector('#logits .scroll'); s.scrollTop = s.scrollHeight"
        )
    shown.wait(lambda: evil in shown.text("#logits table"))
    assert shown.run("return document.querySelectorAll('img').length") == 0
    assert shown.find("#prompt").get_property("value") == PROMPT
    assert shown.run("return document.title") != "1"


def test_no_connection_is_allowed(page):
    page.run("fetch('https://example.org').catch((error) => (document.title = 'refused'))")
    page.wait(lambda: page.run("return document.title") == "refused")
    assert page.run("return performance.getEntriesByType('resource').length") == 0


@pytest.fixture(scope="module")
def axe():
    """axe-core, from npm."""
    for folder in (ROOT, Path(os.environ.get("AXE", ROOT))):
        path = folder / "node_modules" / "axe-core" / "axe.min.js"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    return pytest.skip("axe-core is not here; install it with npm install --no-save axe-core")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessibility(theme, built, show, axe):
    page = show(built(checkpoint.load(PLAIN), "ab c"))
    page.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": theme}]},
    )
    page.wait(lambda: page.run("return document.querySelector('#logits td')"))
    page.run(axe)
    found = page.driver.execute_async_script(
        "axe.run().then(({violations}) => arguments[0](violations.map(({id, nodes}) => "
        "[id, nodes.length, nodes[0].html.slice(0, 200), nodes[0].failureSummary])))"
    )
    assert found == []


@pytest.mark.parametrize("language", languages())
def test_languages(language, built, show):
    shown = show(built(checkpoint.load(PLAIN), "ab", language=language))
    assert shown.text("#verdict").startswith("✓")
    assert shown.run("return document.documentElement.lang") == language
    words = shown.run("return document.querySelector('main').innerText.split('const ')[0]")
    assert re.findall(r"\{\w+\}", words) == []  # places that nothing was put into
