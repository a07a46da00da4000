"""Refusing tokenizers that would give other ids than the sheet does: never a wrong token.

The sheet splits the prompt by GPT-2's pattern and merges bytes, and that is all. The files of
Hugging Face's tokenizers can say more: tokens put before or behind every text, a space put before
it, tokens that are cut out before anything is split. `transformers.AutoTokenizer` follows them.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from sheetgpt.checkpoint.json_file import read_object
from sheetgpt.errors import CheckpointError, shown

# What GPT-2's tokenizer is, in the words of tokenizer.json; the defaults may be left out.
PRE_TOKENIZER = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}

# The classes of transformers that do what these files say and nothing of their own; CodeGen's and
# GPT-Neo's are GPT-2's.
CLASSES = (
    *("GPT2Tokenizer", "GPT2TokenizerFast", "PreTrainedTokenizer", "PreTrainedTokenizerFast"),
    *("TokenizersBackend", "CodeGenTokenizer", "CodeGenTokenizerFast"),
)

# Settings of tokenizer_config.json that change the ids of every text.
UNSET = {
    "add_bos_token": "puts a token before every text",
    "add_eos_token": "puts a token behind every text",
    "add_prefix_space": "puts a space before every text",
    "do_lower_case": "makes every letter small",
}


def refuse_other_models(whole: Mapping[str, object], where: str) -> None:
    """tokenizer.json can say many tokenizers: CheckpointError for all but GPT-2's."""
    model, splitting = (_object(whole, name, where) for name in ("model", "pre_tokenizer"))
    needed = [("pre_tokenizer." + key, splitting.get(key, value), value)
              for key, value in PRE_TOKENIZER.items()]  # fmt: skip
    needed += [
        ("normalizer", whole.get("normalizer"), None),
        ("model.type", model.get("type", "BPE"), "BPE"),
        ("model.dropout", model.get("dropout"), None),
        ("model.continuing_subword_prefix", model.get("continuing_subword_prefix") or "", ""),
        ("model.end_of_word_suffix", model.get("end_of_word_suffix") or "", ""),
        ("model.ignore_merges", model.get("ignore_merges", False), False),
    ]
    for name, value, expected in needed:
        if value != expected:
            raise CheckpointError(
                f"{where}: {name} is {shown(value)}, but GPT-2's tokenizer has {shown(expected)}; "
                "only its byte-level BPE is supported"
            )
    for kind in _that_add_tokens(whole.get("post_processor")):
        raise CheckpointError(
            f"{where}: post_processor is {shown(kind)}, which puts tokens before or behind every "
            "text, and the sheet cannot; give a model that was trained without, or take it out if "
            "yours was"
        )


def _that_add_tokens(processor: object) -> Iterator[str]:
    """The kinds of the steps that add tokens to a single text."""
    match processor:
        case None | {"type": "ByteLevel"}:
            return
        case {"type": "Sequence", "processors": [*steps]}:
            for step in steps:
                yield from _that_add_tokens(step)
        case {"type": "TemplateProcessing", "single": [{"Sequence": _}]}:
            return
        case {"type": str(kind)}:
            yield kind
        case _:
            yield "something else"


def refuse_added_tokens(added: Mapping[str, object], special: set[str], where: str) -> None:
    """CheckpointError for tokens that a text may well hold, and that are cut out of it first.

    special: those that only a program writes into a text, such as `<|endoftext|>`.
    """
    for token in added:
        if token not in special:
            raise CheckpointError(
                f"{where}: the added token {shown(token)} is no special one, so it is cut out of "
                "the text before that is split, and the sheet cannot; give a model without added "
                "tokens"
            )


def special_tokens(directory: Path) -> set[str]:
    """The tokens that the files beside a vocabulary call special; of GPT-2 it is one."""
    found = {"<|endoftext|>"}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        if not (directory / name).exists():
            continue
        said = read_object(directory / name)
        decoder = said.pop("added_tokens_decoder", None)
        entries = decoder.values() if isinstance(decoder, dict) else ()
        found |= {str(e["content"]) for e in entries if _is_special(e)}
        found |= set(_texts(value for key, value in said.items() if key.endswith("_token")))
        for key in ("additional_special_tokens", "extra_special_tokens"):
            several = said.get(key)
            found |= set(_texts(several if isinstance(several, list) else ()))
    return found


def _is_special(entry: object) -> bool:
    return isinstance(entry, dict) and entry.get("special") is True and "content" in entry


def _texts(values: "Iterator[object] | list[object] | tuple[object, ...]") -> Iterator[str]:
    """Tokens that stand as texts, or as objects with a `content`."""
    for value in values:
        content = value.get("content") if isinstance(value, dict) else value
        if isinstance(content, str):
            yield content


def refuse_settings(directory: Path) -> None:
    """CheckpointError for what tokenizer_config.json would change in the ids, if it is there."""
    path = directory / "tokenizer_config.json"
    if not path.exists():
        return
    said = read_object(path)
    name = said.get("tokenizer_class")
    if name is not None and name not in CLASSES:
        raise CheckpointError(
            f"{path}: tokenizer_class is {shown(name)}, whose ids are not those of GPT-2's "
            "tokenizer; give a model that was trained with that"
        )
    for setting, does in UNSET.items():
        if said.get(setting):
            raise CheckpointError(
                f"{path}: {setting} is {shown(said[setting])}, which {does}, and the sheet "
                f"cannot; give a model that was trained without, or take {setting} out if yours was"
            )


def _object(mapping: Mapping[str, object], name: str, where: str) -> dict[str, object]:
    value = mapping.get(name)
    if not isinstance(value, dict):
        raise CheckpointError(f"{where}: {name} is missing, expected an object as GPT-2's has it")
    return value
