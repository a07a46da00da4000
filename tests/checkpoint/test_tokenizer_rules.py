"""The ids are the model's ids, or it is refused: configurations of Hugging Face's tokenizers.

Each is given to `tokenizers` as well: what is taken must give the same ids there, and what is
refused must give others for one of the texts.
"""

import json

import pytest
import tokenizers

from sheetgpt.checkpoint import checkpoint

TEXTS = ("Mike is quick. He moves", " He's quick é", "quick<user>quick", "a  b\n\n c", "<user>")

BOS = {"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}
A = {"Sequence": {"id": "A", "type_id": 0}}
SPECIAL = {"<|endoftext|>": {"id": "<|endoftext|>", "ids": [271], "tokens": ["<|endoftext|>"]}}


def template(*single):
    pair = [*single, {"Sequence": {"id": "B", "type_id": 1}}]
    return {"type": "TemplateProcessing", "single": [*single], "pair": pair,
            "special_tokens": SPECIAL}  # fmt: skip


def added(content, special):
    return {"id": 272, "content": content, "single_word": False, "lstrip": False,
            "rstrip": False, "normalized": False, "special": special}  # fmt: skip


BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
              "use_regex": True}  # fmt: skip

TAKEN = {
    "as it is": {},
    "nothing behind": {"post_processor": None},
    "offsets only": {"post_processor": BYTE_LEVEL},
    "a template of the text alone": {"post_processor": template(A)},
    "both": {"post_processor": {"type": "Sequence", "processors": [BYTE_LEVEL, template(A)]}},
}
REFUSED = {
    "a token before": ({"post_processor": template(BOS, A)}, "post_processor is 'TemplateProc"),
    "a token behind": ({"post_processor": template(A, BOS)}, "post_processor is 'TemplateProc"),
    "a sequence with one that adds": (
        {"post_processor": {"type": "Sequence", "processors": [BYTE_LEVEL, template(BOS, A)]}},
        "post_processor is 'TemplateProcessing'",
    ),
    "RoBERTa's": (
        {"post_processor": {"type": "RobertaProcessing", "sep": ["<|endoftext|>", 271],
                            "cls": ["<|endoftext|>", 271], "trim_offsets": True,
                            "add_prefix_space": False}},
        "post_processor is 'RobertaProcessing'",
    ),
    "an added token that is not special": (
        {"added_tokens": [added("<user>", special=False)]},
        "the added token '<user>' is no special one",
    ),
    "a space before": (
        {"pre_tokenizer": BYTE_LEVEL | {"add_prefix_space": True}},
        "pre_tokenizer.add_prefix_space is True",
    ),
    "composed characters": ({"normalizer": {"type": "NFD"}}, "normalizer is {'type': 'NFD'}"),
    "small letters": ({"normalizer": {"type": "Lowercase"}}, "normalizer is {'type': 'Lowercase'"),
}  # fmt: skip


def theirs(directory):
    """What `tokenizers` makes of the texts, which is what AutoTokenizer runs."""
    tokenizer = tokenizers.Tokenizer.from_file(str(directory / "tokenizer.json"))
    return [tokenizer.encode(text).ids for text in TEXTS]


def change(directory, changes):
    path = directory / "tokenizer.json"
    whole = json.loads(path.read_text(encoding="utf-8"))
    more = changes.get("added_tokens", [])
    path.write_text(json.dumps({**whole, **changes, "added_tokens": whole["added_tokens"] + more}))


@pytest.mark.parametrize("what", TAKEN)
def test_what_is_taken_gives_the_same_ids(what, copy_of):
    padded = copy_of("padded").path
    change(padded, TAKEN[what])
    ours = checkpoint.load(padded).tokenizer
    assert [ours.encode(text) for text in TEXTS] == theirs(padded)


@pytest.mark.parametrize("what", REFUSED)
def test_what_would_give_other_ids_is_refused(what, copy_of, refusal):
    padded = copy_of("padded").path
    plain = checkpoint.load(padded).tokenizer
    changes, said = REFUSED[what]
    change(padded, changes)
    assert said in refusal(lambda: checkpoint.load(padded))
    assert [plain.encode(text) for text in TEXTS] != theirs(padded)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("add_bos_token", True, "add_bos_token is True, which puts a token before every text"),
        ("add_eos_token", True, "add_eos_token is True, which puts a token behind every text"),
        ("add_prefix_space", True, "add_prefix_space is True, which puts a space before every"),
        ("do_lower_case", True, "do_lower_case is True, which makes every letter small"),
        ("tokenizer_class", "RobertaTokenizer", "tokenizer_class is 'RobertaTokenizer', whose ids"),
        ("tokenizer_class", ["x"], "tokenizer_class is ['x'], whose ids are not those of GPT-2's"),
    ],
)
def test_settings_that_change_the_ids(name, value, said, plain, refusal):
    (plain.path / "tokenizer_config.json").write_text(json.dumps({name: value}))
    text = refusal(lambda: checkpoint.load(plain.path))
    assert text.startswith(f"{plain.path}/tokenizer_config.json: {said}")


@pytest.mark.parametrize(
    "settings",
    [
        {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": False, "add_prefix_space": False},
        {"tokenizer_class": "GPT2TokenizerFast", "model_max_length": 32, "errors": "replace"},
        {"tokenizer_class": None, "clean_up_tokenization_spaces": True},
    ],
)
def test_settings_that_change_nothing(settings, plain):
    (plain.path / "tokenizer_config.json").write_text(json.dumps(settings))
    assert checkpoint.load(plain.path).config.n_vocab == 280


ADDED = '{"<user>": 279}'


@pytest.fixture
def with_added(plain):
    """A vocabulary in two files, with one token added that is known to no other file."""
    ids = json.loads((plain.path / "vocab.json").read_text(encoding="utf-8"))
    del ids["<|endoftext|>"]
    (plain.path / "vocab.json").write_text(json.dumps(ids))
    (plain.path / "added_tokens.json").write_text(ADDED)
    return plain.path


def test_added_tokens_beside_two_files(with_added, refusal):
    text = refusal(lambda: checkpoint.load(with_added))
    assert "added_tokens.json: the added token '<user>' is no special one" in text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tokenizer_config.json", {"added_tokens_decoder": {"279": {"content": "<user>",
                                                                    "special": True}}}),
        ("tokenizer_config.json", {"pad_token": "<user>"}),
        ("special_tokens_map.json", {"additional_special_tokens": ["<user>"]}),
        ("special_tokens_map.json", {"pad_token": {"content": "<user>"}}),
    ],
)  # fmt: skip
def test_special_tokens_are_no_part_of_texts(name, said, with_added):
    (with_added / name).write_text(json.dumps(said))
    assert checkpoint.load(with_added).tokenizer.tokens[279] == "<user>"


def test_tokenizer_json_goes_first_as_in_transformers(copy_of):
    padded = copy_of("padded").path
    (padded / "vocab.json").write_text("broken")
    (padded / "merges.txt").write_text("broken")
    assert checkpoint.load(padded).tokenizer.encode("quick")


@pytest.mark.parametrize("name", ["mlx", "nanogpt"])
def test_without_a_vocabulary_it_is_said_what_belongs_there(name, copy_of, refusal, monkeypatch):
    copy = copy_of(name).path
    (copy / "vocab.json").unlink()
    text = refusal(lambda: checkpoint.load(copy))
    assert f"{copy} has no vocabulary, expected vocab.json and merges.txt" in text
    monkeypatch.setattr(checkpoint, "OF_GPT2", (270,))
    text = refusal(lambda: checkpoint.load(copy))
    assert "270 tokens are those of GPT-2, so put its vocab.json and merges.txt there" in text
