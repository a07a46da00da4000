"""Refusing tokenizers that would give other ids than the sheet does: never a wrong token.

The sheet cuts special tokens out of the prompt, splits the rest by GPT-2's pattern and merges
bytes, and it can put one token before all. The files of Hugging Face's tokenizers can say more:
tokens behind every text, a space before it. `transformers.AutoTokenizer` follows them.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from pathlib import Path

from sheetgpt.checkpoint.json_file import read_object
from sheetgpt.errors import CheckpointError, shown
from sheetgpt.gpt2.tokens import Unit

# What GPT-2's tokenizer is, in the words of tokenizer.json; the defaults may be left out.
PRE_TOKENIZER = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}

# The classes of transformers that do what these files say and nothing of their own; CodeGen's and
# GPT-Neo's are GPT-2's.
CLASSES = (
    *("GPT2Tokenizer", "GPT2TokenizerFast", "PreTrainedTokenizer", "PreTrainedTokenizerFast"),
    *("TokenizersBackend", "CodeGenTokenizer", "CodeGenTokenizerFast"),
)

OF_WORDS = {"WhitespaceSplit": Unit.WORDS, "Whitespace": Unit.SIGNS}

NO_DEFAULTS = ("PreTrainedTokenizer", "PreTrainedTokenizerFast", "TokenizersBackend")
END_OF_TEXT = "<|endoftext|>"  # special to the other classes, whatever the files say
MOST_SPECIALS = 16  # each makes the formula of every character longer

# Settings of tokenizer_config.json that change the ids of every text.
LEADING = "add_bos_token"
UNSET = {
    LEADING: "puts a token before every text",
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


def unit_of_words(whole: Mapping[str, object], where: str) -> Unit:
    """What a tokenizer.json with a model of words splits a text into; CheckpointError for others.

    `Whitespace` splits by `\\w+|[^\\w\\s]+`, `WhitespaceSplit` by white space alone.
    """
    splitting = whole.get("pre_tokenizer")
    kind = splitting.get("type") if isinstance(splitting, dict) else splitting
    for name, value, expected in (
        ("normalizer", whole.get("normalizer"), "none"),
        ("decoder", whole.get("decoder"), "none, which puts a space between words"),
    ):
        if value is not None:
            raise CheckpointError(
                f"{where}: {name} is {shown(value)}, but of words the sheet knows {expected}; "
                "give a model that was trained without"
            )
    if not isinstance(kind, str) or kind not in OF_WORDS:
        raise CheckpointError(
            f"{where}: pre_tokenizer.type is {shown(kind)}, but words are split by "
            f"{' or '.join(OF_WORDS)} only; give a model that was trained so"
        )
    return OF_WORDS[kind]


def leading_token(whole: Mapping[str, object], where: str) -> str | None:
    """The token that tokenizer.json's post-processor puts before every text, if it puts one.

    Raises CheckpointError for what puts there more than one, or some behind the text.
    """
    found = list(_put_before(whole.get("post_processor"), where))
    if len(found) > 1:
        raise CheckpointError(
            f"{where}: post_processor puts {len(found)} tokens before every text, and the sheet "
            "puts one at most; give a model that was trained without"
        )
    return found[0] if found else None


def _put_before(processor: object, where: str) -> Iterator[str]:
    match processor:
        case None | {"type": "ByteLevel"}:
            return
        case {"type": "Sequence", "processors": [*steps]}:
            for step in steps:
                yield from _put_before(step, where)
        case {"type": "TemplateProcessing", "single": [{"Sequence": _}]}:
            return
        case {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": str(name)}}, {"Sequence": _}],
            "special_tokens": {**tokens},
        } if isinstance(one := tokens.get(name), dict) and one.get("tokens") == [one.get("id")]:
            yield str(one["id"])
        case _:
            kind = processor.get("type") if isinstance(processor, dict) else processor
            raise CheckpointError(
                f"{where}: post_processor is {shown(kind)}, which puts tokens before or behind "
                "every text, and the sheet puts one before it at most; give a model that was "
                "trained without, or take it out if yours was"
            )


def special_tokens(directory: Path, listed: Iterable[object], known: Iterable[str]) -> set[str]:
    """The tokens that are cut out of a text first, as `transformers.AutoTokenizer` cuts them.

    listed: those that the vocabulary's own files add, as texts or as objects. known: all tokens.
    Raises CheckpointError where they are more than the sheet can look for, or take white space
    along, or may overlap in a way that depends on the order of two passes.
    """
    named = [*_named_special(directory)]
    if _setting(directory, "tokenizer_class") not in NO_DEFAULTS and END_OF_TEXT in known:
        named.append(END_OF_TEXT)
    last: dict[str, Mapping[str, object]] = {}
    as_special = ({"content": e, "special": True} if isinstance(e, str) else e for e in named)
    for entry in [*listed, *as_special]:
        said: Mapping[str, object] = entry if isinstance(entry, dict) else {"content": entry}
        content = said.get("content")
        if isinstance(content, str):
            last[content] = {**said, **last.get(content, {})}
    for content, said in last.items():
        _refuse_special(directory, content, said)
    normalized = [  # those are looked for where the others have left something
        each
        for each, said in last.items()
        if said.get("normalized", not said.get("special", False))
    ]
    others = [each for each in last if each not in normalized]
    for a, b in product(normalized, others):
        if _can_overlap(a, b):
            raise CheckpointError(
                f"{directory}: the added tokens {shown(a)} and {shown(b)} can overlap in a text, "
                "and only one of them is normalized; the sheet looks for all at once, so give a "
                "model where both are alike"
            )
    if len(last) > MOST_SPECIALS:
        raise CheckpointError(
            f"{directory}: {len(last)} tokens are cut out of every text before it is split, but "
            f"the sheet looks for {MOST_SPECIALS} at most; give a model with fewer added tokens"
        )
    return set(last)


def _refuse_special(directory: Path, content: str, said: Mapping[str, object]) -> None:
    for setting in ("lstrip", "rstrip", "single_word"):
        if said.get(setting):
            raise CheckpointError(
                f"{directory}: the added token {shown(content)} has {setting}, which looks at the "
                "text around it, and the sheet cannot; give a model without it"
            )
    if not content or any(each < " " and each not in "\n\t" for each in content):
        raise CheckpointError(
            f"{directory}: the added token {shown(content)} is no text that a cell can hold; give "
            "a model without it"
        )


def _can_overlap(a: str, b: str) -> bool:
    """Whether a text may hold both so that they share characters."""
    ends = any(one.endswith(other[:n]) for one, other in ((a, b), (b, a))
               for n in range(1, min(len(a), len(b)) + 1))  # fmt: skip
    return ends or a in b or b in a


def _named_special(directory: Path) -> Iterator[object]:
    """The tokens that the files beside a vocabulary call special."""
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        if not (directory / name).exists():
            continue
        said = read_object(directory / name)
        decoder = said.pop("added_tokens_decoder", None)
        yield from decoder.values() if isinstance(decoder, dict) else ()
        yield from (value for key, value in said.items() if key.endswith("_token"))
        for key in ("additional_special_tokens", "extra_special_tokens"):
            several = said.get(key)
            if isinstance(several, list | dict):
                yield from several.values() if isinstance(several, dict) else several


def beginning(directory: Path) -> str | None:
    """The token that tokenizer_config.json puts before every text, of two files without rules."""
    if not _setting(directory, LEADING):
        return None
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        if (directory / name).exists():
            said = read_object(directory / name).get("bos_token")
            content = said.get("content") if isinstance(said, dict) else said
            if isinstance(content, str):
                return content
    return END_OF_TEXT


def _setting(directory: Path, name: str) -> object:
    path = directory / "tokenizer_config.json"
    return read_object(path).get(name) if path.exists() else None


def refuse_settings(directory: Path, followed: str = "") -> None:
    """CheckpointError for what tokenizer_config.json would change in the ids, if it is there.

    followed: a setting that does, and that is followed.
    """
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
        if said.get(setting) and setting != followed:
            raise CheckpointError(
                f"{path}: {setting} is {shown(said[setting])}, which {does}, and the sheet "
                f"cannot; give a model that was trained without, or take {setting} out if yours was"
            )


def _object(mapping: Mapping[str, object], name: str, where: str) -> dict[str, object]:
    value = mapping.get(name)
    if not isinstance(value, dict):
        raise CheckpointError(f"{where}: {name} is missing, expected an object as GPT-2's has it")
    return value
