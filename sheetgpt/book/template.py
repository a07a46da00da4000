"""Reading a template: a TOML file of words, ours or a person's own, and refusing what cannot be."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from sheetgpt.errors import TemplateError
from sheetgpt.formula.text import LONGEST_TEXT, length_in_excel
from sheetgpt.resources import resource

Key = tuple[str, ...]  # such as ("steps", "h.b.input", "why")

MODEL = "en"  # the template that says which texts there are, and what is put into each
PLACE = re.compile(r"\{(\w+)\}")  # where a value from the workbook is put in

# What Excel holds, in units of UTF-16: a text inside a formula, and a text that is a cell.
# Labels and tabs have places in them, so that their length as a whole keeps formulas short, too.
IN_FORMULA, IN_CELL = 255, LONGEST_TEXT
MOST = {"labels": IN_FORMULA, "tabs": IN_FORMULA, "steps": IN_CELL}

# Control characters break a line in a cell at best; XML 1.0 (section 2.2, Char) has no others.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]")


def path_of(language: str) -> Path:
    return resource("templates") / f"{language}.toml"


def read_template(path: Path, like: Path | None = None) -> dict[Key, str]:
    """Every text of a template by its key; raises TemplateError where one cannot be used.

    like: the template that says which texts there are; the English one of the model's workbook.
    """
    like = like or path_of(MODEL)
    found, model = _texts(path), _texts(like)
    unknown = [key for key in found if key not in model]
    if unknown:
        raise TemplateError(f"{path}: {_unlike(unknown[0], list(model.keys() - found.keys()))}")
    missing = [key for key in model if key not in found]
    if missing:
        others = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise TemplateError(
            f"{path}: {_shown(missing[0])} is missing{others}; "
            f"say it in your words, as {like} does in English"
        )
    return {key: _usable(path, key, found[key], str(text)) for key, text in model.items()}


def _texts(path: Path) -> dict[Key, object]:
    """What stands in the file, tables within tables taken apart."""
    try:
        return dict(_leaves(tomllib.loads(path.read_text(encoding="utf-8-sig"))))
    except OSError as error:
        raise TemplateError(
            f"{path} cannot be read ({error.strerror}); "
            f"give a template, such as a copy of {path_of(MODEL)}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise TemplateError(
            f"{path} is not TOML in UTF-8 ({error}); correct it there, with {path_of(MODEL)} "
            "as an example"
        ) from error


def _leaves(table: Mapping[str, object], above: Key = ()) -> Iterator[tuple[Key, object]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*above, name))
        else:
            yield (*above, name), value


def _shown(key: Key) -> str:
    """A key as it stands in the file: `[steps."h.b.input"] why`."""
    *tables, name = (part if re.fullmatch(r"[\w-]+", part) else f'"{part}"' for part in key)
    return f"[{'.'.join(tables)}] {name}" if tables else name


def _unlike(key: Key, missing: list[Key]) -> str:
    """What to say of a key that no text has; the one that was meant is probably missing."""
    meant = get_close_matches(_shown(key), map(_shown, missing), 1)
    remedy = f"perhaps it should be {meant[0]}" if meant else "leave it out"
    return f"{_shown(key)} is none of the texts of a workbook; {remedy}"


def _usable(path: Path, key: Key, text: object, model: str) -> str:
    """A text that a workbook can hold, and that has the same places to fill in as the model."""
    where = f"{path}: {_shown(key)}"
    if not isinstance(text, str):
        raise TemplateError(f"{where} is {text!r}, not a text; put it between quotation marks")
    if not text:
        raise TemplateError(f"{where} is empty; say something, if only –")
    control = _CONTROL.search(text)
    if control:
        raise TemplateError(
            f"{where} has the control character U+{ord(control[0]):04X}, such as a line break; "
            "leave it out, for every text stands on one line"
        )
    units, most = length_in_excel(text), MOST[key[0]]
    if units > most:
        holder = "text in a formula" if most == IN_FORMULA else "cell"
        raise TemplateError(f"{where} has {units} characters, but a {holder} holds {most}; cut it")
    _same_places(where, text, model)
    return text


def _same_places(where: str, text: str, model: str) -> None:
    ours, theirs = PLACE.findall(model), PLACE.findall(text)
    known = ", ".join(f"{{{place}}}" for place in ours) or "no value"
    if re.search("[{}]", PLACE.sub("", text)):
        raise TemplateError(
            f"{where} has a brace that is not around the name of a value; "
            f"leave it out, for braces hold values only, and here {known}"
        )
    for place in theirs:
        if place not in ours:
            raise TemplateError(
                f"{where} has {{{place}}}, which nothing is put into; leave it out, "
                f"for the workbook puts {known} into this text"
            )
    for place in ours:
        if place not in theirs:
            raise TemplateError(
                f"{where} lacks {{{place}}}; write it where the workbook is to put that value"
            )
