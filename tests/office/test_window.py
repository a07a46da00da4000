"""As a person sees it: a real window, real keys, no click and no calculation asked for."""

import os
import time

import pytest

from sheetgpt.checkpoint import checkpoint
from sheetgpt.gpt2.sampling import complete
from sheetgpt.office import libreoffice as office
from sheetgpt.office.screen import Screen, missing, screen

TYPED = "Sara is quiet. She speaks"
PATIENCE = 30  # seconds until keys that were pressed have reached a cell


@pytest.fixture
def window_screen(libreoffice):
    """A screen for windows: without it the test is skipped, or fails where it is required."""
    if (lacking := missing()) is not None:
        if os.environ.get("SHEETGPT_REQUIRE_WINDOW") == "1":
            pytest.fail(f"SHEETGPT_REQUIRE_WINDOW is set, but {lacking}")
        pytest.skip(lacking)
    with screen() as started:
        yield started


def typed(keys: Screen, document: office.Office, name: str, text: str) -> None:
    """Type into the cell where the cursor stands, and wait until `name` holds it."""
    keys.type(text)
    keys.press("Return")
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        ((held,),) = document.read([name])[name]
        if str(held).removesuffix(".0") == text:
            return
        time.sleep(0.1)
    pytest.fail(f"after {PATIENCE} seconds `{name}` holds {held!r}, not {text!r}")


def test_keys_in_a_window(nano_workbook, window_screen, nano):
    """The cursor stands on the prompt; Return then leads to the number of new tokens."""
    model = checkpoint.load(nano)
    ids = model.tokenizer.encode_prompt(TYPED)

    def written(new: int) -> str:
        found = complete(model.config, model.weights, ids, new, model.tokenizer.end_of_text).ids
        return model.tokenizer.decode([i for i in found if i != model.tokenizer.end_of_text])

    with office.opened(nano_workbook, display=window_screen.display) as document:
        window_screen.focus("workbook.xlsx")
        before = window_screen.picture()
        for name, text, new in (("prompt", TYPED, 6), ("new_tokens", "2", 2)):
            typed(window_screen, document, name, text)
            found = document.read(["start.completion", "start.token", "start.checks"])
            assert found["start.completion"] == [[written(new)]]
            assert found["start.token"] == [[written(1)]]
            assert str(found["start.checks"][0][0]).startswith("–")
        after = window_screen.picture()
    assert before.startswith(b"P6\n1366 768\n255\n")
    assert len(before) == len(after) and before != after
