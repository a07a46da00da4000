"""Reading a JSON file that must hold an object, and showing what else it held."""

import json
import re
from pathlib import Path

from sheetgpt.errors import CheckpointError, shown, unreadable

_HALF_A_PAIR = re.compile(r"\\u[dD][89a-fA-F]")  # as JSON escapes characters beyond U+FFFF, in two


def read_object(path: Path) -> dict[str, object]:
    """The JSON object in `path`; CheckpointError if it cannot be read or is something else."""
    return parse_object(read_text(path), str(path))


def read_text(path: Path) -> str:
    """The UTF-8 text in `path`; CheckpointError if it cannot be read."""
    if path.is_fifo():  # it would be waited for
        raise CheckpointError(f"{path} is a pipe, not a file; copy the checkpoint's file there")
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
        if _HALF_A_PAIR.search(text):
            json.dumps(value, ensure_ascii=False).encode()  # refuses half a pair without the other
    except UnicodeEncodeError as error:
        half = ord(error.object[error.start])
        raise CheckpointError(
            f"{where} holds U+{half:04X}, half of a surrogate pair, which is no character; "
            "the file is damaged, copy or download it again"
        ) from error
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
