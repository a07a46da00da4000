"""Reading the sheets of a workbook, the large ones in other processes while the rest is parsed."""

import os
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, as_completed
from zipfile import ZipFile

import numpy as np
import orjson

from sheetgpt.workers import Frame, Workers
from sheetgpt.xlsx.number_runs import PIECE, Run, inflated, joined, without_runs

LARGE = 4_000_000  # bytes of a part, unpacked, from which on it is worth asking another process

Contents = tuple[Iterator[bytes], list[Run]]  # the XML of a sheet without its runs, and these


def sheets_without_runs(
    archive: ZipFile, parts: Collection[str], workers: Workers
) -> Iterator[tuple[str, Contents]]:
    """Each of these parts and what it holds, as soon as it is known; the largest are begun first.

    The runs of a part are complete when its XML has been read.
    """
    sizes = {name: archive.getinfo(name).file_size for name in parts}
    large = [name for name in sizes if sizes[name] >= LARGE and workers.jobs > 1]
    large.sort(key=lambda name: -sizes[name])
    path = os.fsencode(str(archive.filename))
    asked: dict[Future[Contents], str] = {
        workers.in_process(_contents, path, name.encode(), then=_read): name for name in large
    }
    for name in sizes:
        if name not in large:
            runs: list[Run] = []
            yield name, (without_runs(inflated(archive, name), runs), runs)
    for future in as_completed(list(asked)):
        yield asked.pop(future), future.result()


def _contents(path: Frame, name: Frame) -> Iterator[Frame]:
    """A task for other processes: a part's XML, where its runs begin and their shapes, these."""
    runs: list[Run] = []
    with ZipFile(os.fsdecode(bytes(path))) as archive:
        yield b"".join(without_runs(inflated(archive, bytes(name).decode()), runs))
    found = list(joined(runs))
    runs.clear()
    yield orjson.dumps([(run.top, run.left, run.values.shape) for run in found])
    for run in found:
        yield np.ascontiguousarray(run.values).view(np.uint8).data


def _read(answer: Sequence[Frame]) -> Contents:
    """What `_contents` gave."""
    xml, places, *numbers = answer
    runs = [
        Run(top, left, np.frombuffer(each).reshape(shape))
        for (top, left, shape), each in zip(orjson.loads(places), numbers, strict=True)
    ]
    return (bytes(xml[start : start + PIECE]) for start in range(0, len(xml), PIECE)), runs
