"""The ids are the model's ids, or it is refused: configurations of Hugging Face's tokenizers.

Each is given to `tokenizers` as well: what is taken must give the same ids there, and what is
refused must give others for one of the texts.
"""

import json

import pytest
import tokenizers

from sheetgpt.checkpoint import checkpoint
from sheetgpt.errors import CheckpointError, PromptError
from tests.oracle import oracle

transformers = oracle("transformers")

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
    "a token before": {"post_processor": template(BOS, A)},
    "a sequence with one that adds": {
        "post_processor": {"type": "Sequence", "processors": [BYTE_LEVEL, template(BOS, A)]}
    },
    "an added token that is not special": {"added_tokens": [added("<user>", special=False)]},
    "an added token that is a word": {"added_tokens": [{**added("qu", special=True), "id": 256}]},
}
REFUSED = {
    "a token behind": ({"post_processor": template(A, BOS)}, "post_processor is 'TemplateProc"),
    "two tokens before": (
        {"post_processor": template(BOS, BOS, A)}, "post_processor is 'TemplateProcessing'",
    ),
    "two steps that put one before": (
        {"post_processor": {"type": "Sequence", "processors": [template(BOS, A)] * 2}},
        "post_processor puts 2 tokens before every text",
    ),
    "RoBERTa's": (
        {"post_processor": {"type": "RobertaProcessing", "sep": ["<|endoftext|>", 271],
                            "cls": ["<|endoftext|>", 271], "trim_offsets": True,
                            "add_prefix_space": False}},
        "post_processor is 'RobertaProcessing'",
    ),
    "white space before an added token": (
        {"added_tokens": [added("<user>", special=True) | {"lstrip": True}]},
        "the added token '<user>' has lstrip, which looks at the text around it",
    ),
    "an added token that is a whole word only": (
        {"added_tokens": [added("quick", special=False) | {"single_word": True}]},
        "the added token 'quick' has single_word",
    ),
    "two passes": (
        {"added_tokens": [added("k<u", special=False) | {"normalized": True},
                          added("<user>", special=True)]},
        "the added tokens 'k<u' and '<user>' can overlap in a text",
    ),
    "two passes, by default": (
        {"added_tokens": [{"id": 272, "content": "k<u"}, added("<user>", special=True)]},
        "the added tokens 'k<u' and '<user>' can overlap in a text",
    ),
    "many": (
        {"added_tokens": [added(f"<{i}>", special=False) for i in range(16)]},
        "17 tokens are cut out of every text before it is split, but the sheet looks for 16",
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
    if what not in (
        "two steps that put one before",
        "many",
        "two passes, by default",
    ):  # `tokenizers` runs the last only
        assert [plain.encode(text) for text in TEXTS] != theirs(padded)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
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


TYPED = ("a<user>b", " <user>  <user>", "quick", "<USER>", "<use", "<|endoftext|>", "", "x  <user>")


def automatic(directory):
    """What AutoTokenizer makes of the texts."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    return [tokenizer(text)["input_ids"] for text in TYPED]


def test_added_tokens_beside_two_files(with_added):
    ours = checkpoint.load(with_added).tokenizer
    assert ours.encode("a<user>b") == [*ours.encode("a"), 279, *ours.encode("b")]
    assert ours.encode("<USER>") != [279] and ours.decode([279]) == "<user>"


@pytest.mark.parametrize(
    "settings",
    [{}, {"bos_token": "quick"}, {"bos_token": {"__type": "AddedToken", "content": "a"}}],
)
def test_a_token_before_every_text(settings, plain):
    told = {"add_bos_token": True, **settings}
    (plain.path / "tokenizer_config.json").write_text(json.dumps(told))
    if settings.get("bos_token") == "quick":  # no token of this model
        with pytest.raises(CheckpointError, match="'quick', which stands before every text, has"):
            checkpoint.load(plain.path)
        return
    ours = checkpoint.load(plain.path).tokenizer
    assert [ours.encode(text) for text in TYPED] == automatic(plain.path)
    assert ours.encode_prompt("") == [ours.leading]


def test_a_special_token_that_the_model_does_not_have_refuses_the_prompt(plain):
    (plain.path / "tokenizer_config.json").write_text('{"pad_token": "<pad>"}')
    ours = checkpoint.load(plain.path).tokenizer
    assert ours.unknown("a<pad>b") == "<pad>" and ours.unknown("a<pa") is None
    with pytest.raises(PromptError, match="the word '<pad>', for which the model has no tokens"):
        ours.encode("a<pad>b")


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
def test_special_tokens_are_cut_out_first(name, said, with_added):
    (with_added / name).write_text(json.dumps(said))
    ours = checkpoint.load(with_added).tokenizer
    assert ours.tokens[279] == "<user>" and ours.specials == ("<user>",)
    assert ours.encode("x <user>") == [*ours.encode("x "), 279]


@pytest.mark.parametrize("name", ["plain", "padded"])
@pytest.mark.parametrize(
    "config",
    [
        None,
        {"tokenizer_class": "PreTrainedTokenizerFast"},
        {"tokenizer_class": "GPT2Tokenizer", "pad_token": "<|endoftext|>"},
        {"additional_special_tokens": ["a"], "eos_token": "b"},
        {"extra_special_tokens": {"image_token": "<"}},
    ],
)
def test_typed_special_tokens_as_in_transformers(name, config, copy_of):
    copy = copy_of(name).path
    if config is not None and not (name == "plain" and "Fast" in str(config)):
        (copy / "tokenizer_config.json").write_text(json.dumps(config))
    if not (copy / "config.json").exists():
        (copy / "config.json").write_text('{"model_type": "gpt2"}')
    ours = checkpoint.load(copy).tokenizer
    assert [ours.encode(text) for text in TYPED] == automatic(copy)


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
