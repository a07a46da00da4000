"""Reading a checkpoint that is spread over several files, with an index of which holds what."""

from collections.abc import Callable
from pathlib import Path

from sheetgpt.checkpoint.json_file import read_object
from sheetgpt.checkpoint.tensor import Tensor
from sheetgpt.errors import CheckpointError, shown


def read(index: Path, read_file: Callable[[Path], dict[str, Tensor]]) -> dict[str, Tensor]:
    """The tensors of all the files that `model.safetensors.index.json` says they are in.

    read_file: gives those of one file.

    Raises CheckpointError if a file cannot be read or the index and the files do not agree.
    """
    places = read_object(index).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise CheckpointError(
            f"{index}: weight_map is missing, expected an object of tensor -> file; "
            "copy or download the file again"
        )
    for shard in places.values():
        if not isinstance(shard, str) or Path(shard).name != shard or "\0" in shard:
            raise CheckpointError(
                f"{index}: weight_map names the file {shown(shard)}, expected the name of a file "
                "in the same directory; copy or download the file again"
            )
    tensors: dict[str, Tensor] = {}
    for shard in dict.fromkeys(places.values()):
        for name, tensor in read_file(index.parent / shard).items():
            if name in tensors:
                raise CheckpointError(
                    f"{tensor.path}: tensor {shown(name)} stands in "
                    f"{tensors[name].path.name} too, expected it once; save the checkpoint again"
                )
            tensors[name] = tensor
    for name, shard in places.items():
        if name not in tensors or tensors[name].path.name != shard:
            raise CheckpointError(
                f"{index}: tensor {shown(name)} is not in {shown(shard)} as weight_map says; "
                "copy or download the shards again"
            )
    return tensors
