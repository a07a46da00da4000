"""Vocabularies of characters or words, as nanoGPT's `meta.pkl` and lectures keep them.

One that spells its characters as bytes is a byte-level vocabulary with gaps and without merges.
Words without any rule are what stands between white space.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sheetgpt.checkpoint import inert_pickle
from sheetgpt.checkpoint.json_file import read_object, read_text
from sheetgpt.errors import CheckpointError, shown, unreadable
from sheetgpt.gpt2.tokens import BYTE_OF, SPELLING, Tokenizer, Unit

META = "meta.pkl"
OBJECTS = ("meta.json", "stoi.json", "itos.json", "vocab.json", "chars.json", "characters.json")
TEXT = "chars.txt"
UNKNOWN = ("<unk>", "<UNK>", "[UNK]", "<|unk|>")  # lectures' names of the token for other words
FILES = (META, *OBJECTS, TEXT)


def find(directory: Path, n_vocab: int) -> Tokenizer | None:
    """The tokenizer of the first of FILES that holds characters or words and ids, if one does.

    Raises CheckpointError if that cannot be the vocabulary of a model with `n_vocab` tokens.
    """
    for name in FILES:
        path = directory / name
        if path.is_file():
            ids = _ids(path)
            if ids:
                return _tokenizer(ids, n_vocab, path)
    return None


def _ids(path: Path) -> dict[str, int]:
    """Character or word -> id; nothing if the file holds something else."""
    if path.name == TEXT:
        text = read_text(path)
        characters = text if len(set(text)) == len(text) else text.removesuffix("\n")
        return {character: i for i, character in enumerate(characters)}
    said: Any = _unpickled(path) if path.name == META else read_object(path)
    for name in ("stoi", "char_to_idx", "char2idx", "itos", "idx_to_char", "idx2char"):
        if isinstance(said.get(name), dict | list):
            said = said[name]
            break
    if isinstance(said, list):
        said = dict(enumerate(said))
    found: dict[str, int] = {}
    for key, value in said.items():
        character, number = (key, value) if isinstance(value, int) else (value, key)
        number = int(number) if isinstance(number, str) and number.isdecimal() else number
        if type(character) is not str or not character or type(number) is not int:
            return {}
        found[character] = number
    return found if _is_of_characters(found) or _is_of_words(found) else {}


def _is_of_characters(found: Mapping[str, int]) -> bool:
    return all(len(each) == 1 for each in found)


def _is_of_words(found: Mapping[str, int]) -> bool:
    """Whether these are words in full, and no byte-level tokens whose merges got lost."""
    is_spelled = any(each[0] == SPELLING[ord(" ")] for each in found)
    return not is_spelled and sorted(found.values()) == list(range(len(found))) and len(found) > 1


def _unpickled(path: Path) -> Mapping[str, Any]:
    """What a pickle describes, without running it."""
    try:
        found = inert_pickle.read(path.read_bytes(), {})
    except OSError as error:
        raise unreadable(path, error) from error
    except ValueError as error:
        raise CheckpointError(
            f"{path} is not a whole pickle, for {error}; copy it again from where the model was "
            "trained"
        ) from error
    return found if isinstance(found, dict) else {}


def _tokenizer(ids: Mapping[str, int], n_vocab: int, path: Path) -> Tokenizer:
    of_characters = _is_of_characters(ids)
    is_spelled = of_characters and any(ord(each) >= 0x100 and each in BYTE_OF for each in ids)
    tokens = [f"<|unused {i}|>" for i in range(n_vocab)]
    kind = "character" if of_characters else "word"
    for text, number in ids.items():
        if not 0 <= number < n_vocab:
            raise CheckpointError(
                f"{path}: the {kind} {shown(text)} has the id {number}, expected 0 to "
                f"{n_vocab - 1}; take the vocabulary that belongs to the model"
            )
        tokens[number] = text if is_spelled else in_bytes(text)
    if is_spelled:
        return Tokenizer.from_tables(tokens, [], str(path))
    unit = Unit.CHARACTERS if of_characters else Unit.WORDS
    otherwise = next((ids[each] for each in UNKNOWN if each in ids), None)
    return Tokenizer.from_tables(tokens, [], str(path), unit=unit, otherwise=otherwise)


def in_bytes(text: str) -> str:
    """A text in byte-level spelling."""
    return "".join(SPELLING[byte] for byte in text.encode(errors="replace"))
