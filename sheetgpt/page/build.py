"""From a checkpoint to one HTML file that opens from the disk and asks for nothing."""

import base64
import hashlib
import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import sheetgpt
from sheetgpt.book.trace import rounded, tolerance
from sheetgpt.book.words import Words, load_words
from sheetgpt.checkpoint.checkpoint import Checkpoint
from sheetgpt.checkpoint.names import checkpoint_name
from sheetgpt.errors import PageError
from sheetgpt.gpt2 import reference
from sheetgpt.gpt2.tokens import Unit
from sheetgpt.gpt2.weights import shapes
from sheetgpt.page.cells import cells
from sheetgpt.replacing import replacing
from sheetgpt.steps.block import SIXTEEN

Floats = NDArray[np.float32]

HERE = Path(__file__).parent
WORKER = ("runtime.js", "sampler.js", "weights.js", "worker.js")
PAGE = ("files.js", "view.js", "microscope.js", "main.js")

FILE = "application/octet-stream"  # a file of the model, in base64

# No connection of any kind; scripts and styles only if they are ours, to the letter. Cells are
# compiled from what stands in their editor, hence 'unsafe-eval'; the worker is made from a blob.
POLICY = (
    "default-src 'none'; script-src 'unsafe-eval' {scripts}; style-src {styles}; worker-src blob:; "
    "form-action 'none'; base-uri 'none'"
)

RULES = ("unit", "specials", "leading", "otherwise")  # what vocab.json and merges.txt do not say
NEW_TOKENS = 8  # that the page writes, until somebody asks for more: a keystroke waits for them

TABS = (
    *("prompt to tokens", "embeddings", "attention", "block", "layer norm"),
    *("logits", "softmax", "predicted token"),
)


@dataclass(frozen=True)
class PageOrder:
    """What a person asks for. weights: whether they are inside, or dropped on the page."""

    prompt: str
    language: str = "en"
    new_tokens: int = NEW_TOKENS
    weights: bool = True


def save_page(checkpoint: Checkpoint, order: PageOrder, path: Path, *, force: bool = False) -> None:
    """Write the page; raises PageError where the path cannot be, and then nothing is written."""
    if os.path.exists(path) and not force:
        raise PageError(
            f"{path} exists already; give another name with -o, or --force to replace it"
        )
    text = build_page(checkpoint, order, load_words(order.language))
    try:
        with replacing(path) as beside:
            beside.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PageError(
            f"{path} cannot be written ({error.strerror}); choose another place with -o"
        ) from error


def scripts_of_page(unit: Unit) -> tuple[str, ...]:
    """What runs beside the worker: only the kind of tokens that the model has."""
    return ("tokenizer.js", "merges.js" if unit is Unit.BYTES else "words.js", *PAGE)


def build_page(checkpoint: Checkpoint, order: PageOrder, words: Words) -> str:
    """The whole file; raises PromptError for a prompt that the model cannot read."""
    ids = _prompt_ids(checkpoint, order.prompt)
    page = scripts_of_page(checkpoint.tokenizer.unit)
    scripts = {name: _read(name) for name in (*WORKER, *page)}
    style = _read("page.css")
    policy = POLICY.format(
        scripts=" ".join(_hash(scripts[name]) for name in page), styles=_hash(style)
    )
    texts = {
        **words.labels,
        **{tab: words.tab(tab).title for tab in TABS},
        **{f"about {tab}": words.tab(tab).about for tab in TABS},
        "page block": words.tab("block").title,
        "language": order.language,
        "policy": policy,
        "version": sheetgpt.__version__,
        "name": checkpoint.name,
        "built prompt": order.prompt,
        "new tokens": str(order.new_tokens),
    }
    said = _said(checkpoint, order.prompt, ids, words, "".join(scripts.values()))
    data = [_script("model", "application/json", json.dumps(said, ensure_ascii=False, indent=1))]
    if order.weights:
        for name, content in model_files(checkpoint).items():
            data.append(_script(name, FILE, base64.b64encode(content).decode()))
    blocks = (
        f'<label><input type="radio" name="block" value="{b}">'
        f"{escape(texts['page block'].format(block=b))}</label>"
        for b in range(checkpoint.config.n_layer)
    )
    raw = {
        "style": style,
        "data": "\n".join(data),
        "scripts": "\n".join(_shown(name, text) for name, text in scripts.items()),
        "blocks": "".join(blocks),
    }
    for cell in _articles(checkpoint, words, texts):
        raw[f"cells {cell.section}"] = raw.get(f"cells {cell.section}", "") + cell.html
    return _filled("page.html", texts, raw)


@dataclass(frozen=True)
class Article:
    """A cell's place on the page, and the section that it belongs to."""

    section: str
    html: str


def _articles(checkpoint: Checkpoint, words: Words, texts: Mapping[str, str]) -> Iterator[Article]:
    """A place for every step; those of block 0 show any block."""
    numbers = {name: str(n) for n, names in enumerate(SIXTEEN, 1) for name in names}
    sections = {"h": "block", "embed": "embeddings"}
    kinds = {_in_any_block(cell.name): cell.kind for cell in cells(checkpoint.config)}
    for name, kind in kinds.items():
        first, step = name.split(".")[0], words.step(name)
        number = numbers.get(name.removeprefix("h.b."), "") if first == "h" else ""
        own = {"cell": name, "number": number, "title": step.title, "why": step.why, "kind": kind}
        own["code"] = texts["page code"].format(name=name)
        yield Article(sections.get(first, first), _filled("cell.html", {**texts, **own}))


def _in_any_block(name: str) -> str:
    """The name under which the words of a step stand: `h.3.ln_1` -> `h.b.ln_1`."""
    return re.sub(r"^h\.\d+\.", "h.b.", name)


def _shown(name: str, text: str) -> str:
    """A script where a person can read it; the worker's run in the worker only."""
    kind = "text/plain" if name in WORKER else "text/javascript"
    return f"<details><summary>{name}</summary>\n{_script(name, kind, text)}</details>"


def _filled(template: str, texts: Mapping[str, str], raw: Mapping[str, str] | None = None) -> str:
    """A template with texts, and with what is HTML already, in the places `{{like this}}`."""
    pieces = re.split(r"{{(.+?)}}", _read(template))
    for place in range(1, len(pieces), 2):
        key = pieces[place]
        pieces[place] = raw[key] if raw and key in raw else escape(texts[key])
    return "".join(pieces)


def _said(
    checkpoint: Checkpoint, prompt: str, ids: list[int], words: Words, scripts: str
) -> dict[str, object]:
    """What the scripts know of the model: everything but its files."""
    config = checkpoint.config
    labels = {**words.labels, "page block": words.tab("block").title}
    if checkpoint.tokenizer.is_of_words:
        labels["unknown"] = labels["unknown word"]
    return {
        "name": checkpoint.name,
        "config": asdict(config),
        "shapes": shapes(config),
        "names": {checkpoint_name(name): name for name in shapes(config)},
        "tokenizer": {name: getattr(checkpoint.tokenizer, name) for name in RULES},
        "built": {"prompt": prompt, "ids": ids, "fingerprints": _fingerprints(checkpoint, ids)},
        "words": {key: text for key, text in labels.items() if f'"{key}"' in scripts},
        "cells": [asdict(cell) for cell in cells(config)],
    }


def _fingerprints(checkpoint: Checkpoint, ids: list[int]) -> dict[str, tuple[float, float]]:
    """Of every step what the witness says, and how far the page may be off."""
    trace = reference.forward(checkpoint.config, checkpoint.weights, ids)
    last = [cell.name for cell in cells(checkpoint.config) if cell.last]
    found = {}
    for name in reference.step_names(checkpoint.config):
        numbers = trace[name].reshape(len(ids), -1).astype(np.float64)
        rows = [row[~np.isnan(row)] for row in numbers]
        first = len(ids) - 1 if name in last else 0
        products = [float(row @ _factors(t, len(row))) for t, row in enumerate(rows)]
        found[name] = rounded(sum(products[first:])), tolerance(np.concatenate(rows[first:]))
    return found


def _factors(t: int, length: int) -> NDArray[np.float64]:
    """What the numbers of a token's row are multiplied by in a fingerprint: 1/2 to 3/2."""
    factors: NDArray[np.float64] = 1 + np.sin(t + np.arange(length) * math.sqrt(2)) / 2
    return factors


def model_files(checkpoint: Checkpoint) -> dict[str, bytes]:
    """A checkpoint as the files that a page reads; its weights are exact."""
    return {
        "model.safetensors": _safetensors(checkpoint.weights),
        "vocab.json": json.dumps(checkpoint.tokenizer.ids, ensure_ascii=False).encode(),
        "merges.txt": "\n".join(" ".join(pair) for pair in checkpoint.tokenizer.merges).encode(),
    }


def _safetensors(weights: Mapping[str, Floats]) -> bytes:
    """Float32 tensors under Hugging Face's names (https://huggingface.co/docs/safetensors)."""
    header, data = {}, []
    offset = 0
    for name, weight in weights.items():
        data.append(np.ascontiguousarray(weight, dtype="<f4").tobytes())
        end = offset + len(data[-1])
        header[checkpoint_name(name)] = {
            "dtype": "F32",
            "shape": list(weight.shape),
            "data_offsets": [offset, end],
        }
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *data])


def _prompt_ids(checkpoint: Checkpoint, prompt: str) -> list[int]:
    ids = checkpoint.tokenizer.encode_prompt(prompt)
    reference.fitting(checkpoint.config, ids)
    return ids


def _script(name: str, kind: str, text: str) -> str:
    """Data in an element that no browser runs, or a script of ours."""
    if kind == "application/json":
        text = text.replace("<", "\\u003c")  # so that no text of a model can end the element
    return f'<script type="{kind}" id="{name}">{text}</script>'


def _hash(text: str) -> str:
    """A source of a content security policy: this text and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
