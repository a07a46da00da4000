"""Reading a JSON file that must hold an object, and showing what else it held."""

import json
from pathlib import Path

from sheetgpt.errors import CheckpointError, shown, unreadable


def read_object(path: Path) -> dict[str, object]:
    """The JSON object in `path`; CheckpointError if it cannot be read or is something else."""
    return parse_object(read_text(path), str(path))


def read_text(path: Path) -> str:
    """The UTF-8 text in `path`; CheckpointError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise CheckpointError(
            f"{path} is not UTF-8 text (byte {error.start} is wrong); "
            "the file is damaged, copy or download it again"
        ) from error


def parse_object(text: str, where: str) -> dict[str, object]:
    """The JSON object that `text` spells; CheckpointError if it is broken or something else.

    A key that stands twice is refused: which of the two counts would be a guess.
    """

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found: dict[str, object] = {}
        for key, value in pairs:
            if key in found:
                raise ValueError(f"the key {shown(key)} stands twice")
            found[key] = value
        return found

    try:
        value = json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{where} is not valid JSON ({error}); the file is damaged, copy or download it again"
        ) from error
    if not isinstance(value, dict):
        raise CheckpointError(
            f"{where} holds a JSON {type(value).__name__}, expected an object {{…}}; "
            "it is not the file its name says"
        )
    return value
