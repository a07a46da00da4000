"""Checkpoints that are broken in any way: each loads, or ends in one sentence, soon.

A seeded generator damages the recorded ones; nothing of it is kept.
"""

import json
import os
import shutil
import time
from pathlib import Path
from random import Random

import pytest

from sheetgpt.checkpoint import checkpoint
from sheetgpt.errors import SheetGPTError

CHECKPOINTS = Path(__file__).parents[1] / "checkpoints"
SECONDS = 5  # of a processor, that loading a few kilobytes may take

VALUES = [
    None, True, False, 0, -1, 1, 2, 3.5, 1e308, 10**30, 10**9, "", "0", "gelu", "\ud800", "\0", [],
    [[]], {}, {"a": 1}, [1, 2], "x" * 10_000, "../../etc/passwd", "/dev/zero",
]  # fmt: skip


def loaded(directory):
    """Whether a checkpoint loads; what it says otherwise must be one sentence."""
    begun = time.process_time()
    try:
        checkpoint.load(directory)
    except SheetGPTError as error:
        said = str(error)
        assert said and "\n" not in said and ". " not in said and not said.endswith("."), said
        return False
    finally:
        assert time.process_time() - begun < SECONDS
    return True


def changed(random, value, depth=0):
    """A JSON value with one thing in it that is not as it was."""
    if isinstance(value, dict) and value and depth < 4:
        key = random.choice(list(value))
        rest = {other: each for other, each in value.items() if other != key}
        kind = random.randrange(4)
        if kind == 0:
            return rest
        if kind == 1:
            return rest | {f"{key}{random.choice('x0.Ġ')}": value[key]}
        return value | {key: changed(random, value[key], depth + 1)}
    if isinstance(value, list) and value and depth < 4 and random.randrange(2):
        index = random.randrange(len(value))
        return [*value[:index], changed(random, value[index], depth + 1), *value[index + 1 :]]
    return random.choice(VALUES)


def cut(random, data):
    """Bytes of which some are missing, turned round, or put in twice."""
    start = random.randrange(len(data))
    stop = min(len(data), start + random.randint(1, 40))
    kind = random.randrange(4)
    if kind == 0:
        return data[:start]
    if kind == 1:
        return data[:start] + data[stop:]
    if kind == 2:
        return data[:stop] + data[start:]
    return data[:start] + bytes(byte ^ 0xFF for byte in data[start:stop]) + data[stop:]


@pytest.mark.parametrize("name", ["plain", "sharded", "openai", "tensorflow"])
def test_damaged_checkpoints(tmp_path, name):
    random, refused = Random(3), 0
    source = CHECKPOINTS / name
    files = sorted(path.name for path in source.iterdir() if path.name != "expected.json")
    whole = Path(shutil.copytree(source, tmp_path / name))
    for number in range(100):
        file = files[number % len(files)]
        data = (source / file).read_bytes()
        if file.endswith(".json") and random.randrange(3):
            other = json.dumps(changed(random, json.loads(data))).encode()
        else:
            other = cut(random, data)
        (whole / file).write_bytes(other)
        refused += not loaded(whole)
        (whole / file).write_bytes(data)
    assert loaded(whole) and refused >= 60


def test_headers_that_lie(plain):
    """Offsets, shapes and types in the header of a safetensors file."""
    random, refused = Random(4), 0
    path = plain.path / "model.safetensors"
    whole = path.read_bytes()
    size = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8 : 8 + size])
    for _ in range(100):
        text = json.dumps(changed(random, header)).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + whole[8 + size :])
        refused += not loaded(plain.path)
    for length in (0, 2**63, 2**64 - 1, size - 1, size + 10**6):
        path.write_bytes(length.to_bytes(8, "little") + whole[8:])
        refused += not loaded(plain.path)
    assert refused >= 80


@pytest.mark.parametrize("file", ["config.json", "vocab.json", "merges.txt"])
def test_a_pipe_is_not_waited_for(plain, file):
    (plain.path / file).unlink()
    os.mkfifo(plain.path / file)
    assert not loaded(plain.path)


@pytest.mark.parametrize(
    ("source", "file", "old", "new"),
    [
        ("plain", "vocab.json", "<|endoftext|>", "\\ud800"),
        ("sharded", "model.safetensors.index.json", "model-00001-of-00003", "\\udfff"),
        ("plain", "config.json", "gelu_new", "\\udc00"),
    ],
)
def test_half_a_surrogate_pair(copy_of, refusal, source, file, old, new):
    copy = copy_of(source)
    text = (copy.path / file).read_text()
    assert old in text
    (copy.path / file).write_text(text.replace(old, new))
    said = refusal(lambda: checkpoint.load(copy.path))
    assert "half of a surrogate pair" in said and file in said
