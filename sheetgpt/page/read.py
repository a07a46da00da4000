"""A built page, read back: what its scripts know of the model, and the model's files."""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sheetgpt.checkpoint import checkpoint
from sheetgpt.checkpoint.checkpoint import Checkpoint
from sheetgpt.checkpoint.config_file import to_json
from sheetgpt.checkpoint.vocabulary import in_id_order
from sheetgpt.errors import PageError
from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.tokens import Tokenizer, Unit
from sheetgpt.page.build import FILE

_ELEMENT = re.compile(r'<script type="([^"]+)" id="([^"]+)">([^<]*)</script>')


@dataclass(frozen=True)
class PageInFile:
    """What a page says. files: the model's, empty where people drop them on the page.

    rules: what the tokenizer does besides.
    """

    name: str
    config: Config
    prompt: str
    files: dict[str, bytes]
    rules: dict[str, Any]

    def checkpoint(self) -> Checkpoint:
        """The model inside the page; what does not hold raises CheckpointError."""
        with TemporaryDirectory() as folder:
            directory = Path(folder)
            for name, content in self.files.items():
                (directory / name).write_bytes(content)
            (directory / "config.json").write_text(json.dumps(to_json(self.config)))
            return checkpoint.load(directory, self.name, self._tokenizer())

    def _tokenizer(self) -> Tokenizer:
        ids = json.loads(self.files["vocab.json"])
        lines = self.files["merges.txt"].decode().splitlines()
        merges = [(left, right) for left, right in (line.split(" ") for line in lines)]
        tokens = in_id_order(ids, "vocab.json", self.config.n_vocab)
        rules = {**self.rules, "unit": Unit(self.rules["unit"])}
        return Tokenizer.from_tables(tokens, merges, "vocab.json", **rules)


def read_page(path: Path) -> PageInFile:
    """Raises PageError where the file cannot be read or is no page of ours."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PageError(f"{path} cannot be read as a page ({error}); give a built page") from error
    elements = {name: (kind, inside) for kind, name, inside in _ELEMENT.findall(text)}
    try:
        said = json.loads(elements["model"][1])
        files = {
            name: base64.b64decode(inside, validate=True)
            for name, (kind, inside) in elements.items()
            if kind == FILE
        }
        return PageInFile(
            said["name"],
            Config(**said["config"]),
            said["built"]["prompt"],
            files,
            said["tokenizer"],
        )
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise PageError(
            f"{path} is no page that sheetgpt has built, or it is damaged; build it again with "
            "sheetgpt page"
        ) from error
