"""The tab `lookup`: where each letter of a word leads, and the id of the word that ends there."""

from collections.abc import Callable, Sequence

import numpy as np

from sheetgpt.book.data import constants, merges, specials
from sheetgpt.book.page import Page
from sheetgpt.gpt2.characters import class_runs
from sheetgpt.gpt2.tokens import Tokenizer, Unit
from sheetgpt.steps.lookup import FACTOR, Lookup
from sheetgpt.steps.tokenize import Tables


def prompt_tables(
    page: Callable[[str], Page], tokenizer: Tokenizer, texts: Sequence[str]
) -> Tables | Lookup:
    """What the tab `prompt to tokens` looks up, on a tab of its own; page: adds one by its name."""
    if tokenizer.unit is Unit.BYTES:
        return merges(page("merges"), tokenizer, texts)
    return lookup(page("lookup"), tokenizer)


def lookup(page: Page, tokenizer: Tokenizer) -> Lookup:
    """The tables of a vocabulary of characters or words.

    Nodes are numbered as the words need them, the root 0; behind all stands the one for whatever
    is no beginning of a word.
    """
    n_vocab = len(tokenizer.tokens)
    unknown = n_vocab if tokenizer.otherwise is None else tokenizer.otherwise
    steps: dict[int, int] = {}
    ids: dict[int, int] = {}
    for text, token_id in tokenizer.looked_up.items():
        node = 0
        for letter in text:
            node = steps.setdefault(node * FACTOR + ord(letter), len(steps) + 1)
        ids[node] = token_id
    nowhere = len(steps) + 1
    by_key = np.array([(-1, nowhere), *sorted(steps.items())])
    of_node = np.array([ids.get(node, unknown) for node in range(nowhere + 1)])
    classes = None
    if tokenizer.is_of_words:
        runs = np.array(class_runs(tokenizer.unit))
        classes = (
            constants(page, 7, "class from", runs[:, 0], "integer", "classes.first"),
            constants(page, 8, "class", runs[:, 1], "integer", "classes.class"),
        )
    constants(page, 4, "node", np.arange(nowhere + 1), "index")
    return Lookup(
        key=constants(page, 1, "trie step", by_key[:, 0], "integer", "lookup.key"),
        next=constants(page, 2, "leads to", by_key[:, 1], "integer", "lookup.next"),
        id=constants(page, 5, "id", of_node, "integer", "lookup.id"),
        classes=classes,
        unknown=n_vocab,
        specials=specials(page, tokenizer, n_vocab) if tokenizer.specials else None,
        leading=tokenizer.leading,
        unit=Unit(tokenizer.unit),
    )
