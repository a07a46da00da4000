"""Save the model of `openai` as OpenAI did: a TensorFlow checkpoint, in one file and in two.

    python tests/checkpoints/record_tensorflow.py

needs tensorflow (`pip install tensorflow-cpu`; best in an environment of its own) and sheetgpt
on PYTHONPATH. The weights are those of `openai`, widened to float32, under the names and in the
shapes that OpenAI's own code gave them (https://github.com/openai/gpt-2, src/model.py). So what
transformers said of `openai` holds here, too.

`tensorflow` is what `tf.train.Saver` writes. `tensorflow-sharded` holds the same in two data
files, beside variables of training that are no part of the model.
"""

import shutil
from pathlib import Path

import numpy as np
import tensorflow as tf

from sheetgpt.checkpoint import checkpoint

HERE = Path(__file__).parent
COPIED = ("hparams.json", "encoder.json", "vocab.bpe", "expected.json")


def openai_variables() -> dict[str, np.ndarray]:
    """OpenAI's name -> values; its 1-D convolutions have a leading axis of length 1."""
    variables = {}
    for name, values in checkpoint.load(HERE / "openai").weights.items():
        path = "model/" + name.replace("h.", "h", 1).replace(".", "/")
        variables[path] = values[None] if name.endswith(".w") else values
    return variables


def fresh(name: str) -> Path:
    directory = HERE / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    for each in COPIED:
        shutil.copy(HERE / "openai" / each, directory)
    return directory


def one_file() -> None:
    directory = fresh("tensorflow")
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for name, values in openai_variables().items():
            tf.compat.v1.get_variable(name, initializer=values)
        session.run(tf.compat.v1.global_variables_initializer())
        saver = tf.compat.v1.train.Saver(save_relative_paths=True)
        saver.save(session, str(directory / "model.ckpt"), write_meta_graph=False)


def two_files() -> None:
    directory = fresh("tensorflow-sharded")
    variables = list(openai_variables().items())
    training = [
        ("global_step", np.int64(7)),
        ("model/wte/Adam", np.zeros((3, 2), np.float32)),
        ("save_note", np.array("trained a little")),
    ]
    parts = [variables[::2], variables[1::2] + training]
    prefixes = [str(directory / "parts" / str(i)) for i in range(len(parts))]
    for prefix, part in zip(prefixes, parts, strict=True):
        names, values = zip(*part, strict=True)
        tf.raw_ops.SaveV2(
            prefix=prefix,
            tensor_names=list(names),
            shape_and_slices=[""] * len(names),
            tensors=[tf.constant(value) for value in values],
        )
    tf.raw_ops.MergeV2Checkpoints(
        checkpoint_prefixes=prefixes,
        destination_prefix=str(directory / "model-7"),
        delete_old_dirs=True,
    )
    (directory / "checkpoint").write_text('model_checkpoint_path: "model-7"\n')


if __name__ == "__main__":
    one_file()
    two_files()
