"""The data tabs: the vocabulary, the merges and the weights, as ranges under their names."""

import hashlib
import unicodedata
from collections.abc import Container, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sheetgpt.book.looks import LOOKS, heading_over
from sheetgpt.book.page import FIRST, Page
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import Range
from sheetgpt.gpt2.characters import class_runs
from sheetgpt.gpt2.partial import Partial, partial_tokens
from sheetgpt.gpt2.tokens import BYTE_OF, SPELLING, Tokenizer
from sheetgpt.steps.tokenize import NEVER, Specials, Tables

ROWS = 256  # of a matrix that are made a fingerprint of at a time
TOP = 6  # the first row of a list; its headings stand in the row above


def readable(token: bytes) -> str:
    """A token's text as a cell can show it; what is no whole character appears as `<0xE2>`.

    So do control characters, which XML 1.0 (section 2.2) forbids or changes, but for line feed
    and tab.
    """
    shown = ""
    while token:
        character = next(filter(None, (_decoded(token[:length]) for length in range(1, 5))), "")
        size = len(character.encode()) or 1
        shown += character if _can_stand(character) else _hexadecimal(token[:size])
        token = token[size:]
    return shown


def _decoded(start: bytes) -> str:
    try:
        return start.decode()
    except UnicodeDecodeError:
        return ""


def _can_stand(character: str) -> bool:
    if not character or character in "\ufffe\uffff":
        return False
    return character in "\n\t" or unicodedata.category(character) != "Cc"


def _hexadecimal(data: bytes) -> str:
    return "".join(f"<0x{byte:02X}>" for byte in data)


def token_texts(tokenizer: Tokenizer) -> list[str]:
    """The readable text of every token, in the order of the ids."""
    return [readable(tokenizer.token_bytes(i)) for i in range(len(tokenizer.tokens))]


def vocabulary(page: Page, tokenizer: Tokenizer, texts: Sequence[str]) -> Range:
    """Every token in the order of the ids: its text, and as the vocabulary's file spells it."""
    constants(page, 1, "id", np.arange(len(texts)), "index")
    constants(page, 3, "spelling", tokenizer.tokens, "token", "vocabulary.token")
    return constants(page, 2, "token", texts, "token", "vocabulary.text")


def merges(page: Page, tokenizer: Tokenizer, texts: Sequence[str]) -> Tables:
    """Every merge in the order of the ranks, and beside them the tables that formulas search.

    key = left id * factor + right id is exact in a double, for ids stay below 2^26.
    """
    constants(page, 1, "rank", np.arange(len(tokenizer.merges)), "index")
    ids = tokenizer.ids
    shown = [
        [texts[ids[part]] for part in (left + right, left, right)]
        for left, right in tokenizer.merges
    ]
    for column, heading in enumerate(("merged", "left", "right")):
        constants(page, 2 + column, heading, [texts[column] for texts in shown], "token")

    merged = np.array([ids[left + right] for left, right in tokenizer.merges], dtype=np.int64)
    factor = key_factor(len(tokenizer.tokens))
    by_key = _merges_by_key(tokenizer, factor)
    n_vocab = len(tokenizer.tokens)
    byte_id = np.array([ids.get(SPELLING[byte], n_vocab) for byte in range(256)])
    has_unknown = tokenizer.gaps or not all(each in ids for each in tokenizer.specials)
    runs = class_runs()
    first = np.array([first for first, _ in runs])
    kind = np.array([int(kind) for _, kind in runs])
    constants(page, 10, "byte", np.arange(256), "index")
    return Tables(
        class_from=constants(page, 15, "class from", first, "integer", "classes.first"),
        class_is=constants(page, 16, "class", kind, "integer", "classes.class"),
        byte_id=constants(page, 11, "byte id", byte_id, "integer", "bytes.token"),
        byte_pair=constants(page, 13, "byte pair", _byte_pairs(tokenizer), "integer", "bytes.pair"),
        merge_id=constants(page, 5, "merge id", merged, "integer", "merges.id"),
        merge_key=constants(page, 7, "merge key", by_key[:, 0], "integer", "merges.key"),
        merge_rank=constants(page, 8, "merge rank", by_key[:, 1], "integer", "merges.rank"),
        factor=factor,
        unknown=n_vocab if has_unknown else None,
        specials=specials(page, tokenizer, n_vocab) if tokenizer.specials else None,
        leading=tokenizer.leading,
    )


def specials(page: Page, tokenizer: Tokenizer, unknown: int) -> Specials:
    """The texts that are cut out of the prompt before it is split, the longest first."""
    texts = tokenizer.specials
    ids = [tokenizer.ids.get(each, unknown) for each in texts]
    lengths = np.array([len(each) for each in texts])
    return Specials(
        text=constants(page, 18, "special", texts, "token", "specials.text"),
        id=constants(page, 19, "id", np.array(ids), "integer", "specials.id"),
        length=constants(page, 20, "length", lengths, "integer", "specials.length"),
    )


def key_factor(n_vocab: int) -> int:
    """What the left id of a merge is multiplied by in its key: a power of 2 above every id.

    Above n_vocab as well, which stands for what is no token.
    """
    return 1 << max(16, n_vocab.bit_length())


def _merges_by_key(tokenizer: Tokenizer, factor: int) -> NDArray[np.int64]:
    """[merges + 1, 2]: the key and the rank of each merge, by key; the first stands for none."""
    ids = tokenizer.ids
    keys = [ids[left] * factor + ids[right] for left, right in tokenizer.merges]
    return np.array(sorted([(-1, NEVER), *zip(keys, range(len(keys)), strict=True)]))


def _byte_pairs(tokenizer: Tokenizer) -> NDArray[np.int64]:
    """first * 256 + second of all bytes that stand side by side in some token; -1 first."""
    pairs = {-1}
    for token in tokenizer.tokens:
        data = [BYTE_OF[character] for character in token if character in BYTE_OF]
        pairs.update(a * 256 + b for a, b in pairwise(data))
    return np.array(sorted(pairs), dtype=np.int64)


def constants(
    page: Page,
    column: int,
    heading: str,
    values: NDArray[np.int64] | Sequence[str],
    look: str,
    name: str | None = None,
) -> Range:
    """A column of constants under a heading."""
    page.write(TOP - 1, column, page.words.label(f"column {heading}"), heading_over(look))
    if not len(values):  # a vocabulary of single bytes has no merges
        return Range(page.area(TOP, column))
    if isinstance(values, np.ndarray):
        return page.fill(TOP, column, values[:, None], look, name)
    area = page.list_texts(TOP, column, values, look)
    return page.define(name, area) if name else Range(area)


def tensors(
    page: Page,
    weights: Mapping[str, NDArray[np.float32]],
    names: Sequence[str],
    row_texts: Sequence[str] = (),
    zeros: Container[str] = (),
) -> dict[str, Range]:
    """Weights one below the other, each under its name and shape, with its rows numbered.

    row_texts: what to show beside the number of each row, such as the tokens of `wte`.
    zeros: the names of those that the model does not have, which is said beside the shape.
    """
    ranges = {}
    for name in names:
        values = weights[name]
        row = page.row
        page.write(row, 1, name, "step title")
        shape = " × ".join(map(str, values.shape))
        not_there = f"   {page.words.label('no bias')}" if name in zeros else ""
        page.write(row, FIRST, shape + not_there, "why")
        rows, columns = np.atleast_2d(values).shape
        page.fill(row + 1, FIRST, np.arange(columns), "column index")
        page.fill(row + 2, 1, np.arange(rows)[:, None], "index")
        if row_texts:
            page.list_texts(row + 2, 2, row_texts, "token")
        ranges[name] = page.fill(row + 2, FIRST, values, "weight", name)
        page.row = row + 2 + rows + 1
    return ranges


def partial(page: Page, tokenizer: Tokenizer) -> dict[str, Range]:
    """The tokens that hold parts of characters, beside the vocabulary; the first row is none."""
    rows = [Partial(-1, 0, 0, "", 0, 0), *partial_tokens(tokenizer)]
    found = {}
    for column, name in enumerate(("id", "lead", "bits", "text", "need", "value"), start=5):
        values = [getattr(row, name) for row in rows]
        listed = values if name == "text" else np.array(values)
        look = "token" if name == "text" else "integer"
        found[name] = constants(page, column, f"partial {name}", listed, look, f"partial.{name}")
    return found


def digest(values: NDArray[np.generic] | Sequence[str]) -> str:
    """A fingerprint of constants, to tell later whether somebody changed one: 16 digits of SHA-256.

    The same for numbers that were read back from a workbook: weights count as float32.
    """
    marks = hashlib.sha256()
    if isinstance(values, np.ndarray):
        kind = np.float32 if values.dtype == np.float32 else np.float64
        for top in range(0, len(values), ROWS):
            marks.update((values[top : top + ROWS].astype(kind, order="C", copy=False) + 0).data)
    else:
        marks.update("\n".join(values).encode())
    return marks.hexdigest()[:16]


def digests(page: Page, pages: Sequence[Page], top: int, left: int) -> None:
    """The digest of all constants of these pages that have a name, in a table of three columns."""
    named = {area: name for name, area in page.names.items()}
    constants: list[tuple[Area, NDArray[np.generic] | Sequence[str]]] = []
    for each in pages:
        constants += [(texts.area, texts.values) for texts in each.lists]
        constants += [
            (numbers.area, numbers.values)
            for numbers in each.numbers
            if not LOOKS[numbers.look].input
        ]
    of_names = [(area, values) for area, values in constants if area in named]
    with ThreadPoolExecutor() as pool:  # NumPy and SHA-256 let others work meanwhile
        found = list(pool.map(digest, (values for _, values in of_names)))
    page.write(top, left, page.words.label("checks constants"), "step title")
    for column, heading in enumerate(("constants", "shape", "fingerprint"), start=left):
        page.write(top + 1, column, page.words.label(f"column {heading}"), "heading")
    shapes = [" × ".join(map(str, area.shape)) for area, _ in of_names]
    page.list_texts(top + 2, left + 1, shapes, "text")
    names = page.list_texts(top + 2, left, [named[area] for area, _ in of_names], "text")
    marks = page.list_texts(top + 2, left + 2, found, "text")
    page.define("checks.constant", names)
    page.define("checks.digest", marks)
