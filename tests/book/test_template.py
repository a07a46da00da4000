"""A person's own words: what a template may say, and a sentence for whatever it may not."""

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from sheetgpt.book.template import PLACE, path_of, read_template
from sheetgpt.book.words import languages, load_words, read_words
from sheetgpt.build import Order, build_workbook
from sheetgpt.check import check
from sheetgpt.checkpoint import checkpoint
from sheetgpt.errors import TemplateError
from sheetgpt.xlsx.read import read
from tests.places import PLAIN


def toml(value: dict[str, Any], above: tuple[str, ...] = ()) -> str:
    """Tables of texts as TOML; JSON's strings are TOML's, too."""

    def text(value: object) -> str:
        return json.dumps(value, ensure_ascii=False)

    plain = [f"{text(k)} = {text(v)}" for k, v in value.items() if not isinstance(v, dict)]
    heading = [f"[{'.'.join(map(text, above))}]"] if above else []
    tables = [toml(v, (*above, k)) for k, v in value.items() if isinstance(v, dict)]
    return "\n".join([*heading, *plain, *tables])


def edited(directory: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A copy of the English template, with something changed."""
    words = tomllib.loads(path_of("en").read_text(encoding="utf-8"))
    change(words)
    path = directory / "my.toml"
    path.write_text(toml(words), encoding="utf-8")
    return path


def label(name: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda words: words["labels"].update({name: value})


@pytest.mark.parametrize("language", languages())
def test_a_copy_of_ours_says_the_same(language, tmp_path):
    path = tmp_path / "copy.toml"
    path.write_text(path_of(language).read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert read_words(path) == load_words(language)


def test_an_edited_copy_is_what_the_workbook_says(tmp_path):
    def change(words: dict[str, Any]) -> None:
        words["tabs"]["start"]["title"] = "=Hello"  # a text, never a formula
        words["steps"]["h.b.input"]["why"] = "why " * 200
        words["labels"] |= {"prompt": "Say", "checks all hold": '{count} "good" ones, {count}!'}

    path = tmp_path / "my.xlsx"
    order = Order("ab", context=3, prompt_length=2, template=edited(tmp_path, change))
    build_workbook(checkpoint.load(PLAIN), order, path)
    assert check(path).holds
    start = openpyxl.load_workbook(path)["start"]
    assert (start["A1"].value, start["A1"].data_type) == ("=Hello", "s")
    assert start["A4"].value == "Say"
    values = read(path).values.read(read(path).names["checks.summary"])
    assert re.fullmatch(r'✓ (\d+) "good" ones, \1!', str(values))


def everything(words: dict[str, Any]) -> None:
    words["labels"] = {}


def misspelled(words: dict[str, Any]) -> None:
    words["labels"]["hoem"] = words["labels"].pop("home")


SENTENCES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a key is missing": (
        lambda words: words["steps"]["h.b.input"].pop("why"),
        '[steps."h.b.input"] why is missing; say it in your words, as ENGLISH does in English',
    ),
    "many keys are missing": (everything, "[labels] home is missing (and "),
    "a key is unknown": (
        label("a cup of tea", "x"),
        '[labels] "a cup of tea" is none of the texts of a workbook; leave it out',
    ),
    "a key is misspelled": (
        misspelled,
        "[labels] hoem is none of the texts of a workbook; perhaps it should be [labels] home",
    ),
    "no table": (
        lambda words: words.update(labels=3),
        "labels is none of the texts of a workbook; perhaps",
    ),
    "a table too many": (label("home", {"x": "y"}), "[labels.home] x is none of the texts"),
    "a number": (
        label("home", 3),
        "[labels] home is 3, not a text; put it between quotation marks",
    ),
    "several texts": (label("home", ["a"]), "[labels] home is ['a'], not a text; put it"),
    "nothing": (label("home", ""), "[labels] home is empty; say something, if only –"),
    "two lines": (
        label("home", "a\nb"),
        "[labels] home has the control character U+000A, such as a line break; leave it out, "
        "for every text stands on one line",
    ),
    "what XML cannot hold": (label("home", "a\uffff"), "control character U+FFFF, such as"),
    "a value is missing": (
        label("step", "step"),
        "[labels] step lacks {number}; write it where the workbook is to put that value",
    ),
    "a value is unknown": (
        label("step", "step {nummer}"),
        "[labels] step has {nummer}, which nothing is put into; leave it out, for the workbook "
        "puts {number} into this text",
    ),
    "a value where there is none": (
        lambda words: words["steps"]["h.b.input"].update(title="{number}"),
        '[steps."h.b.input"] title has {number}, which nothing is put into; leave it out, for '
        "the workbook puts no value into this text",
    ),
    "a brace": (
        label("step", "step {number} {"),
        "[labels] step has a brace that is not around the name of a value; leave it out, for "
        "braces hold values only, and here {number}",
    ),
    "a value that is shaped": (label("step", "step {number:03d}"), "[labels] step has a brace"),
    "a long label": (
        label("home", "é" * 256),
        "[labels] home has 256 characters, but a text in a formula holds 255; cut it",
    ),
    "a long label of emoji": (label("home", "😀" * 128), "home has 256 characters, but a text"),
    "a long text": (
        lambda words: words["steps"]["h.b.input"].update(why="x" * 32_768),
        '[steps."h.b.input"] why has 32768 characters, but a cell holds 32767; cut it',
    ),
}


@pytest.mark.parametrize("what", SENTENCES)
def test_what_is_refused(what, tmp_path):
    change, sentence = SENTENCES[what]
    path = edited(tmp_path, change)
    with pytest.raises(TemplateError) as refused:
        read_template(path)
    shown = str(refused.value).replace(str(path_of("en")), "ENGLISH")
    assert shown.startswith(f"{path}: ") and sentence in shown
    assert not shown.endswith(".") and "\n" not in shown


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"[labels\n", "is not TOML in UTF-8 (Expected ']' at the end of a table declaration"),
        (b'[labels]\nhome = "\xff"\n', "is not TOML in UTF-8 ('utf-8' codec can't decode"),
        (b"PK\x03\x04", "is not TOML in UTF-8 ("),
        (b"x = " + b"[" * 100_000, "is not TOML in UTF-8 ("),
        (b"", "[tabs.start] title is missing (and "),
    ],
)
def test_files_that_are_no_template(content, sentence, tmp_path):
    path = tmp_path / "my.toml"
    path.write_bytes(content)
    with pytest.raises(TemplateError) as refused:
        read_template(path)
    assert sentence in str(refused.value)


def test_no_file(tmp_path):
    for path, why in ((tmp_path / "no.toml", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(TemplateError, match=f"cannot be read .{why}.*give a template"):
            read_template(path)


def test_no_such_language():
    ours = ", ".join(languages())
    with pytest.raises(TemplateError, match=f"no words in language 'tlh'; choose one of {ours}"):
        load_words("tlh")


def test_formulas_stay_short_whatever_a_template_says(tmp_path):
    """Excel takes formulas of at most 8,192 characters: labels as long as they may be."""

    def longest(text: str) -> str:
        places = "".join(f"{{{place}}}" for place in dict.fromkeys(PLACE.findall(text))) or "x"
        return places * (255 // len(places))

    def change(words: dict[str, Any]) -> None:
        words["labels"] = {name: longest(text) for name, text in words["labels"].items()}

    path = tmp_path / "my.xlsx"
    order = Order("ab", context=3, prompt_length=2, template=edited(tmp_path, change))
    build_workbook(checkpoint.load(PLAIN), order, path)
    assert max(len(formula.text) for formula in read(path).formulas) <= 8_192
