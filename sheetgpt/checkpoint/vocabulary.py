"""The files that a vocabulary comes in, read into a tokenizer.

Tokens in the order of their ids and merges in the order of their ranks, in the spelling of the
files: one visible character for each byte (`tokens.bytes_to_unicode`).
"""

from collections.abc import Mapping
from pathlib import Path

from sheetgpt.checkpoint import tokenizer_rules
from sheetgpt.checkpoint.characters import in_bytes
from sheetgpt.checkpoint.json_file import read_object, read_text
from sheetgpt.errors import CheckpointError, shown
from sheetgpt.gpt2.tokens import Tokenizer


def from_files(vocab_path: Path, merges_path: Path, n_vocab: int | None = None) -> Tokenizer:
    """A tokenizer of `vocab.json` and `merges.txt`, or OpenAI's `encoder.json`, `vocab.bpe`.

    With `n_vocab`, ids below it that no token has become `<|unused ID|>`, as in models whose
    embeddings are padded to a round size; without, the ids must have no gap. Tokens that a
    fine-tuning added stand in `added_tokens.json` beside them.
    Raises CheckpointError for files that are missing, broken or do not fit each other.
    """
    ids = read_object(vocab_path)
    directory, where = vocab_path.parent, str(vocab_path)
    added = vocab_path.with_name("added_tokens.json")
    more = read_object(added) if added.exists() else {}
    ids = _with_room(more, n_vocab) | ids
    merges = []
    for number, line in enumerate(read_text(merges_path).split("\n"), start=1):
        if line and not (number == 1 and line.startswith("#version")):
            merges.append(_pair(line, f"{merges_path}: line {number}"))
    specials = tokenizer_rules.special_tokens(directory, more, ids)
    leading = _id_of(tokenizer_rules.beginning(directory), ids, where)
    tokens = in_id_order(ids, where, n_vocab)
    return Tokenizer.from_tables(tokens, merges, where, specials=specials, leading=leading)


def from_tokenizer_json(path: Path, n_vocab: int | None = None) -> Tokenizer:
    """A tokenizer of Hugging Face's `tokenizer.json`; otherwise as `from_files`."""
    whole, where = read_object(path), str(path)
    model = _object(whole, "model", where)
    ids = dict(_object(model, "vocab", where))
    if model.get("type") == "WordLevel":
        return _of_words(whole, model, path, n_vocab)
    lines = model.get("merges")
    if not isinstance(lines, list):
        raise CheckpointError(f"{path}: merges is missing, expected the list of a BPE model")
    tokenizer_rules.refuse_other_models(whole, where)
    added = _added(whole)
    named = {str(entry.get("content")): entry.get("id") for entry in added}
    ids = _with_room(named, n_vocab) | ids
    merges = [_pair(line, f"{path}: merge {rank}") for rank, line in enumerate(lines)]
    specials = tokenizer_rules.special_tokens(path.parent, added, ids)
    leading = _id_of(tokenizer_rules.leading_token(whole, where), ids, where)
    tokens = in_id_order(ids, where, n_vocab)
    return Tokenizer.from_tables(tokens, merges, where, specials=specials, leading=leading)


def _of_words(
    whole: Mapping[str, object], model: Mapping[str, object], path: Path, n_vocab: int | None
) -> Tokenizer:
    """A tokenizer whose tokens are words (`WordLevel`)."""
    where = str(path)
    unit = tokenizer_rules.unit_of_words(whole, where)
    added = _added(whole)
    named = {str(entry.get("content")): entry.get("id") for entry in added}
    ids = _with_room(named, n_vocab) | dict(_object(model, "vocab", where))
    otherwise = ids.get(str(model.get("unk_token")))
    specials = tokenizer_rules.special_tokens(path.parent, added, ())
    leading = _id_of(tokenizer_rules.leading_token(whole, where), ids, where)
    spelled = {each if each in specials else in_bytes(each): i for each, i in ids.items()}
    tokens = in_id_order(spelled, where, n_vocab)
    return Tokenizer.from_tables(
        tokens,
        [],
        where,
        specials=specials,
        leading=leading,
        unit=unit,
        otherwise=otherwise if isinstance(otherwise, int) else None,
    )


def _added(whole: Mapping[str, object]) -> list[dict[str, object]]:
    listed = whole.get("added_tokens")
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _id_of(token: str | None, ids: Mapping[str, object], where: str) -> int | None:
    """The id of the token that stands before every text."""
    if token is None:
        return None
    found = ids.get(token)
    if not isinstance(found, int):
        raise CheckpointError(
            f"{where}: the token {shown(token)}, which stands before every text, has no id; take "
            "the vocabulary that belongs to the model"
        )
    return found


def in_id_order(ids: Mapping[str, object], where: str, n_vocab: int | None) -> list[str]:
    """Tokens with their ids, as `vocab.json` holds them -> the tokens in the order of their ids.

    With `n_vocab`, an id below it that no token has gets the token `<|unused ID|>`, for models
    whose embeddings are padded to a round size; without, the ids must have no gap.
    """
    size = len(ids) if n_vocab is None else n_vocab
    found: dict[int, str] = {}
    for token, token_id in ids.items():
        if type(token_id) is not int or not 0 <= token_id < size:
            of = "an unbroken vocabulary" if n_vocab is None else "the model's vocabulary"
            raise CheckpointError(
                f"{where}: token {shown(token)} has the id {shown(token_id)}, expected 0 to "
                f"{size - 1}, the ids of {of}; take the vocabulary that belongs to the model"
            )
        if token_id in found:
            raise CheckpointError(
                f"{where}: tokens {shown(found[token_id])} and {shown(token)} both have the id "
                f"{token_id}; take the vocabulary that belongs to the model"
            )
        found[token_id] = token
    return [found.get(i, f"<|unused {i}|>") for i in range(size)]


def _with_room(added: Mapping[str, object], n_vocab: int | None) -> dict[str, object]:
    """The added tokens that the model knows.

    A tokenizer may have been given more, such as one for padding, which no text contains and
    the model never saw.
    """
    return {
        token: token_id
        for token, token_id in added.items()
        if not (n_vocab is not None and isinstance(token_id, int) and token_id >= n_vocab)
    }


def _object(mapping: Mapping[str, object], name: str, where: str) -> dict[str, object]:
    value = mapping.get(name)
    if not isinstance(value, dict):
        raise CheckpointError(f"{where}: {name} is missing, expected an object as GPT-2's has it")
    return value


def _pair(line: object, where: str) -> tuple[str, str]:
    pair = line.split(" ") if isinstance(line, str) else line
    if isinstance(pair, list) and len(pair) == 2 and all(isinstance(p, str) and p for p in pair):
        return pair[0], pair[1]
    raise CheckpointError(
        f"{where} is {shown(line)}, expected two parts with one space between them; "
        "copy or download the file again"
    )
