"""What the tab `neighbours` should show: tokens, lengths, angles, computed from `wte` alone."""

from collections.abc import Callable, Sequence

import numpy as np

from sheetgpt.book.records import nearest
from sheetgpt.check.file import Floats, Grid, ModelInFile
from sheetgpt.check.grids import ANYTHING, as_good, cell, down, each
from sheetgpt.gpt2.reference import float64

Expected = dict[str, Grid | Floats]
PIECE = 4096  # rows of the vocabulary that are made float64 at a time
PARTS = {"word": ("",), "sum": (".a", ".b", ".c"), "pair": (".a", ".b")}
FLAT = 1e-9  # where a cosine is so near to 1, rounding decides on the angle


def neighbours(
    model: ModelInFile, texts: Sequence[str], read: Callable[[str], Grid | None]
) -> Expected:
    """texts: the vocabulary's. read: gives the ids that the workbook has, for where two are equally
    near.
    """
    known = {text: i for i, text in enumerate(texts)}
    wte = model.weights["wte"]
    found: Expected = {"neighbours.norm": _over_rows(wte, lambda rows: np.sqrt((rows**2).sum(1)))}
    for part, letters in PARTS.items():
        words = ["".join(model.texts(f"neighbours.{part}{letter}")) for letter in letters]
        its, ids = _words(part, words, known, texts)
        found |= its
        rows = [float64(wte[i]) for i in ids if i is not None]
        if part == "pair":
            found |= _pair(model, rows)
        elif None in ids:
            found |= _nothing(model, part)
        else:
            arrow = rows[0] if part == "word" else rows[0] - rows[1] + rows[2]
            listed = read(f"neighbours.{part}.nearest.id")
            norms = np.asarray(found["neighbours.norm"], dtype=np.float64)[:, 0]
            found |= _near(model, part, arrow, ids, norms, texts, listed)
    return found


def _over_rows(wte: Floats, function: Callable[[Floats], Floats]) -> Floats:
    """A number for each row, [n_vocab, 1]."""
    pieces = [function(float64(wte[top : top + PIECE])) for top in range(0, len(wte), PIECE)]
    return np.concatenate(pieces)[:, None]


def _words(
    part: str, words: Sequence[str], known: dict[str, int], texts: Sequence[str]
) -> tuple[Expected, list[int | None]]:
    """The ids of each word with a space before it and without, and the one that counts."""
    n = len(words)
    spaced = [known.get(f" {word}") if word else None for word in words]
    typed = [known.get(word) if word else None for word in words]
    ids = [b if a is None else a for a, b in zip(spaced, typed, strict=True)]
    columns = {"spaced": spaced, "typed": typed, "id": ids}
    found: Expected = {
        f"neighbours.{part}.{name}": down(n, 0, its) for name, its in columns.items()
    }
    found[f"neighbours.{part}.token"] = each(down(n, 0, ids), lambda i: texts[i])
    return found, ids


def _near(
    model: ModelInFile,
    part: str,
    arrow: Floats,
    asked: Sequence[int | None],
    norms: Floats,
    texts: Sequence[str],
    listed: Grid | None,
) -> Expected:
    length = float(np.sqrt((arrow**2).sum()))
    products = _over_rows(model.weights["wte"], lambda rows: rows @ arrow)[:, 0]
    size = norms * length
    cosines = products / np.where(size > 0, size, 1)
    own = [i for i in asked if i is not None]
    column = cosines.astype(object)[:, None]
    column[own] = None
    others = cosines.copy()
    others[own] = -np.inf
    count = nearest(model.config.n_vocab)
    there = min(count, len(others) - len(set(own)))
    ranked = np.argsort(-others, kind="stable")[:there]
    ids = as_good(ranked, None if listed is None else listed[:there], others)[:, 0]
    name, sizes = f"neighbours.{part}", others[ranked]
    return {
        f"{name}.numbers": arrow[:, None],
        f"{name}.length": cell(length),
        f"{name}.cosine": column,
        f"{name}.nearest.cosine": down(count, 0, sizes.tolist()),
        f"{name}.nearest.id": down(count, 0, ids.tolist()),
        f"{name}.nearest.token": down(count, 0, [texts[i] for i in ids]),
        f"{name}.nearest.angle": down(count, 0, [_angle(each_) for each_ in sizes]),
    }


def _angle(cosine: float) -> object:
    if 1 - abs(cosine) < FLAT:
        return ANYTHING
    return float(np.degrees(np.arccos(cosine)))


def _pair(model: ModelInFile, rows: Sequence[Floats]) -> Expected:
    d, name = model.config.n_embd, "neighbours.pair"
    if len(rows) < 2:
        shapes = {"first": d, "second": d, "product": d}
        shapes |= dict.fromkeys(("cosine", "angle", "large", "sentence"), 1)
        return {f"{name}.{key}": np.full((n, 1), None, object) for key, n in shapes.items()}
    left, right = rows
    product = left * right
    size = float(np.sqrt((left**2).sum()) * np.sqrt((right**2).sum()))
    cosine = float(product.sum()) / (size or 1)
    angle = np.full((1, 1), _angle(cosine), dtype=object)
    large = float(np.abs(product).max()) / 2
    return {
        f"{name}.first": left[:, None],
        f"{name}.second": right[:, None],
        f"{name}.product": product[:, None],
        f"{name}.cosine": cell(cosine),
        f"{name}.angle": angle,
        f"{name}.large": cell(large),
    }


def _nothing(model: ModelInFile, part: str) -> Expected:
    config, count = model.config, nearest(model.config.n_vocab)
    shapes = {"numbers": config.n_embd, "length": 1, "cosine": config.n_vocab, "sentence": 1}
    shapes |= dict.fromkeys((f"nearest.{key}" for key in ("cosine", "id", "token", "angle")), count)
    return {f"neighbours.{part}.{key}": np.full((n, 1), None, object) for key, n in shapes.items()}
