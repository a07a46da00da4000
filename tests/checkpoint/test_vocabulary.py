"""The files of a vocabulary: each form, and what is wrong with broken ones."""

import json

import pytest

from sheetgpt.checkpoint.vocabulary import from_files, from_tokenizer_json
from sheetgpt.gpt2.tokens import SPELLING

LETTERS = {character: i for i, character in enumerate(SPELLING.values())}
IDS = LETTERS | {"ab": 256}


@pytest.fixture
def files(tmp_path):
    """Writes a vocabulary and merges, gives their paths."""

    def write(ids=IDS, merges="#version: 0.2\na b\n"):
        text = ids if isinstance(ids, str) else json.dumps(ids)
        (tmp_path / "vocab.json").write_text(text, encoding="utf-8")
        (tmp_path / "merges.txt").write_text(merges, encoding="utf-8", newline="")
        return tmp_path / "vocab.json", tmp_path / "merges.txt"

    return write


@pytest.mark.parametrize("merges", ["#version: 0.2\na b\n", "a b", "#version: 0.2\r\na b\r\n"])
def test_merges_with_and_without_version_and_last_line_end(merges, files):
    assert from_files(*files(merges=merges)).encode("abc") == [256, *b"c"]


def test_a_merge_of_number_signs_is_no_comment(files):
    ids = IDS | {"##": 257}
    assert from_files(*files(ids, "# #\na b")).encode("###") == [257, *b"#"]


def test_ids_without_a_token_are_unused_ones(files):
    ids = LETTERS | {"ab": 258}
    tokenizer = from_files(*files(ids), n_vocab=260)
    assert tokenizer.tokens[256:] == ("<|unused 256|>", "<|unused 257|>", "ab", "<|unused 259|>")
    assert tokenizer.encode("ab") == [258]


def test_tokens_added_by_fine_tuning(files):
    paths = files()
    paths[0].with_name("added_tokens.json").write_text('{"<|endoftext|>": 257}')
    assert from_files(*paths).end_of_text == 257


def test_added_tokens_that_the_model_does_not_know_are_left_out(files):
    paths = files()
    paths[0].with_name("added_tokens.json").write_text('{"<pad>": 257}')
    assert len(from_files(*paths, n_vocab=257).tokens) == 257


@pytest.mark.parametrize(
    ("ids", "merges", "n_vocab", "said"),
    [
        ("", "a b", None, "vocab.json is not valid JSON"),
        ("[1]", "a b", None, "vocab.json holds a JSON list"),
        ('{"a": 0, "a": 1}', "a b", None, "the key 'a' stands twice"),
        (IDS | {"x": 400}, "a b", None, "token 'x' has the id 400, expected 0 to 256"),
        (IDS | {"abc": 257}, "a b", 257, "id 257, expected 0 to 256, the ids of the model's"),
        (LETTERS | {"ab": -1}, "a b", None, "token 'ab' has the id -1"),
        (LETTERS | {"ab": "256"}, "a b", None, "token 'ab' has the id '256'"),
        (LETTERS | {"ab": True}, "a b", None, "token 'ab' has the id True"),
        (LETTERS | {"ab": 65}, "a b", None, "tokens 'A' and 'ab' both have the id 65"),
        (IDS, "a b c", None, "merges.txt: line 1 is 'a b c', expected two parts"),
        (IDS, "a b\nab", None, "merges.txt: line 2 is 'ab', expected two parts"),
        (IDS, "a  b", None, "merges.txt: line 1 is 'a  b', expected two parts"),
        (IDS, "b a", None, "merge 0 ('b', 'a') needs the token 'ba'"),
        ({"ab": 0, "ba": 1}, "", None, "no token spells a single byte"),
    ],
)  # fmt: skip
def test_broken_files_are_refused(ids, merges, n_vocab, said, files, refusal):
    paths = files(ids, merges)
    assert said in refusal(lambda: from_files(*paths, n_vocab))


def test_unreadable_files_are_refused(files, refusal):
    vocab, merges = files()
    missing = merges.with_name("nothing.txt")
    text = refusal(lambda: from_files(vocab, missing))
    assert text.startswith(f"{missing} cannot be read (No such file")
    merges.write_bytes(b"a \xff")
    text = refusal(lambda: from_files(vocab, merges))
    assert text.startswith(f"{merges} is not UTF-8 text (byte 2 is wrong)")


@pytest.fixture
def tokenizer_json(tmp_path):
    """Writes a tokenizer.json with some parts changed, gives its path."""

    def write(changes_of_model=None, **changes):
        parts = {"type": "BPE", "vocab": IDS, "merges": [["a", "b"]]}
        whole = {
            "normalizer": None,
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False},
            "added_tokens": [{"id": 257, "content": "<|endoftext|>", "special": True}],
            "model": parts | (changes_of_model or {}),
        }
        (tmp_path / "tokenizer.json").write_text(json.dumps(whole | changes))
        return tmp_path / "tokenizer.json"

    return write


@pytest.mark.parametrize("merges", [["a b"], [["a", "b"]]])
def test_tokenizer_json_spells_merges_in_two_ways(merges, tokenizer_json):
    tokenizer = from_tokenizer_json(tokenizer_json({"merges": merges}))
    assert tokenizer.encode("abc") == [256, *b"c"] and tokenizer.end_of_text == 257


@pytest.mark.parametrize(
    ("model", "changes", "said"),
    [
        ({"type": "Unigram"}, {}, "model.type is 'Unigram', but GPT-2's tokenizer has 'BPE'"),
        ({"ignore_merges": True}, {}, "model.ignore_merges is True"),
        ({"dropout": 0.1}, {}, "model.dropout is 0.1"),
        ({"end_of_word_suffix": "</w>"}, {}, "model.end_of_word_suffix is '</w>'"),
        ({"merges": None}, {}, "merges is missing"),
        ({"merges": [["a"]]}, {}, "merge 0 is ['a'], expected two parts"),
        ({"merges": [3]}, {}, "merge 0 is 3, expected two parts"),
        ({"vocab": []}, {}, "vocab is missing"),
        ({}, {"model": 1}, "model is missing"),
        ({}, {"pre_tokenizer": None}, "pre_tokenizer is missing"),
        ({}, {"pre_tokenizer": {"type": "Sequence"}}, "pre_tokenizer.type is 'Sequence'"),
        ({}, {"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": True}},
         "pre_tokenizer.add_prefix_space is True"),
        ({}, {"normalizer": {"type": "NFC"}}, "normalizer is {'type': 'NFC'}"),
        ({}, {"added_tokens": [{"content": "<x>", "special": True}]},
         "token '<x>' has the id None"),
    ],
)  # fmt: skip
def test_other_tokenizers_are_refused(model, changes, said, tokenizer_json, refusal):
    path = tokenizer_json(model, **changes)
    text = refusal(lambda: from_tokenizer_json(path))
    assert text.startswith(f"{path}: {said}")
