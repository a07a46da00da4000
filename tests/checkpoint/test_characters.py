"""The files that keep the characters of a model; none of them is run."""

import json
import os
import pickle

import pytest

from sheetgpt.checkpoint import characters, checkpoint

STOI = {"\n": 0, " ": 1, "!": 2, "a": 3, "b": 4, "é": 5}
ITOS = {number: character for character, number in STOI.items()}

FILES = {
    "nanoGPT's": ("meta.pkl", pickle.dumps({"vocab_size": 6, "itos": ITOS, "stoi": STOI})),
    "with protocol 0": ("meta.pkl", pickle.dumps({"itos": ITOS, "stoi": STOI}, 0)),
    "only itos": ("meta.pkl", pickle.dumps({"itos": ITOS})),
    "a list": ("meta.pkl", pickle.dumps({"itos": list(ITOS.values())})),
    "stoi as JSON": ("stoi.json", json.dumps(STOI).encode()),
    "itos as JSON": ("itos.json", json.dumps(ITOS).encode()),
    "both as JSON": ("meta.json", json.dumps({"stoi": STOI, "itos": ITOS}).encode()),
    "a vocabulary without merges": ("vocab.json", json.dumps(STOI).encode()),
    "a text": ("chars.txt", "".join(STOI).encode()),
    "a text and a line end": ("chars.txt", "".join(STOI).encode() + b"\n"),
}


@pytest.mark.parametrize("which", FILES)
def test_characters_and_their_ids(which, tmp_path):
    name, content = FILES[which]
    (tmp_path / name).write_bytes(content)
    tokenizer = characters.find(tmp_path, 7)
    assert tokenizer.encode("ab a!\n") == [3, 4, 1, 3, 2, 0]
    assert tokenizer.decode([3, 5]) == "aé" and tokenizer.tokens[6] == "<|unused 6|>"


def test_bytes_as_byte_level_vocabularies_spell_them(tmp_path):
    (tmp_path / "vocab.json").write_text(json.dumps({"Ġ": 0, "a": 1, "Ċ": 2}))
    assert characters.find(tmp_path, 3).encode("a a\n") == [1, 0, 1, 2]


class Runs:
    def __init__(self, *given):
        self.given = given

    def __reduce__(self):
        return self.given[0], self.given[1:]


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_no_code_runs(protocol, tmp_path, copy_of, refusal):
    copy, trace = copy_of("nanogpt").path, tmp_path / "ran"
    (copy / "vocab.json").unlink()
    hostile = {"more": Runs(os.system, f"touch {trace}"), "vocab_size": 1}
    (copy / "meta.pkl").write_bytes(pickle.dumps(hostile, protocol))
    assert "has no vocabulary" in refusal(lambda: checkpoint.load(copy))
    hostile |= {"stoi": STOI}
    (copy / "meta.pkl").write_bytes(pickle.dumps(hostile, protocol))
    assert checkpoint.load(copy).tokenizer.encode("ab") == [3, 4]
    assert not trace.exists()


def test_what_cannot_be_the_models_is_refused(tmp_path, refusal):
    (tmp_path / "meta.pkl").write_bytes(pickle.dumps({"stoi": STOI}))
    text = refusal(lambda: characters.find(tmp_path, 5))
    assert "meta.pkl: the character 'é' has the id 5, expected 0 to 4" in text
    (tmp_path / "meta.pkl").write_bytes(b"\x80\x02}")
    assert "meta.pkl is not a whole pickle, for" in refusal(lambda: characters.find(tmp_path, 5))


def test_other_files_of_these_names_are_passed_over(tmp_path):
    (tmp_path / "vocab.json").write_text(json.dumps({"Ġthe": 0, "a": 1}))  # its merges got lost
    (tmp_path / "stoi.json").write_text(json.dumps({"n_layer": 2, "n_head": 2}))
    (tmp_path / "meta.json").write_text(json.dumps({"author": "me"}))
    assert characters.find(tmp_path, 5) is None


def test_words_and_the_one_for_others(tmp_path, refusal):
    (tmp_path / "vocab.json").write_text(json.dumps({"the": 0, "dog": 1, "é": 2}))
    words = characters.find(tmp_path, 4)
    assert words.encode(" the\n dog  é") == [0, 1, 2] and words.decode([0, 1, 2]) == "the dog é"
    assert "the word 'The', for which the model has no tokens" in refusal(
        lambda: words.encode("The")
    )
    (tmp_path / "vocab.json").write_text(json.dumps({"the": 0, "[UNK]": 1}))
    assert characters.find(tmp_path, 2).encode("a the") == [1, 0]
