"""From a checkpoint to a file: refuse what cannot be built, compile, calculate, write."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sheetgpt.book.calculate import calculate
from sheetgpt.book.compile import compile_book
from sheetgpt.book.page import FIRST
from sheetgpt.book.prompt import STAGES, room_for
from sheetgpt.book.witness import witnessed
from sheetgpt.book.words import load_words
from sheetgpt.errors import CheckpointError, PromptError, WorkbookError
from sheetgpt.formula.cells import LAST_COLUMN, LAST_ROW
from sheetgpt.gpt2.checkpoint import Checkpoint
from sheetgpt.steps.tokenize import Room, tables_of
from sheetgpt.xlsx.write import save

CONTEXT = 32  # rows of tokens, where the model has as many
NEW_TOKENS = 6  # that the sheet writes, until somebody asks for more
LONGEST = 32_767  # characters that a cell can hold

# What XML 1.0 cannot hold (section 2.2, Char).
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """What a person asks for; None where the default will do."""

    prompt: str
    context: int | None = None
    prompt_length: int | None = None
    language: str = "en"
    new_tokens: int = NEW_TOKENS


@dataclass(frozen=True)
class Built:
    """What the finished workbook says: the prompt's ids, the rows for tokens, the next token."""

    ids: Sequence[int]
    context: int
    token: str
    completion: str


def build_workbook(
    checkpoint: Checkpoint,
    order: Order,
    path: Path,
    *,
    force: bool = False,
    progress: Progress = lambda what: None,
) -> Built:
    """Build the workbook that was ordered, and write it to `path`.

    Raises WorkbookError, PromptError or CheckpointError for what cannot be done; then, and when it
    is interrupted, whatever was at `path` before is still there.
    """
    _refuse_path(path, force=force)
    ids = _prompt_ids(checkpoint, order.prompt)
    room = _room(checkpoint, order, ids)
    _refuse_size(checkpoint, room)
    progress("laying out the tabs")
    book = compile_book(
        checkpoint, order.prompt, room, load_words(order.language), order.new_tokens
    )
    values = calculate(book, lambda done: progress(f"calculating formulas ({done:,})"))
    progress("comparing with the witness")
    book = witnessed(book, values, checkpoint.config)
    save(book, values, path, lambda tab: progress(f"writing {tab}"))
    token, completion = (str(values.read(book.names[n])) for n in ("predicted.token", "completion"))
    return Built(ids, room.tokens, token, completion)


def _refuse_path(path: Path, *, force: bool) -> None:
    if os.path.isdir(path):  # unlike Path's, False for whatever is wrong with the path
        raise WorkbookError(f"{path} is a directory; give the name of a file with -o")
    if not os.path.isdir(path.parent):
        raise WorkbookError(
            f"{path}: there is no directory {path.parent}; make it, or choose another"
        )
    if os.path.exists(path) and not os.path.isfile(path):
        raise WorkbookError(f"{path} is no file that can be replaced; give another name with -o")
    if os.path.exists(path) and not force:
        raise WorkbookError(
            f"{path} exists already; give another name with -o, or --force to replace it"
        )
    if not os.access(path.parent, os.W_OK):
        raise WorkbookError(f"{path.parent} is not writable; choose another place with -o")


def _prompt_ids(checkpoint: Checkpoint, prompt: str) -> list[int]:
    if not prompt and checkpoint.tokenizer.end_of_text is None:
        raise PromptError(
            "the prompt is empty, and the vocabulary has no <|endoftext|> to start from; "
            "give a prompt with --prompt"
        )
    found = _UNWRITABLE.search(prompt)
    if found:
        raise PromptError(
            f"the prompt's character {found.start() + 1} is the control character "
            f"U+{ord(found[0]):04X}, which no workbook can hold; leave it out"
        )
    return checkpoint.tokenizer.encode_prompt(prompt)


def _room(checkpoint: Checkpoint, order: Order, ids: Sequence[int]) -> Room:
    """What the sheet must have room for: what was asked for, or the defaults and the prompt."""
    n_ctx = checkpoint.config.n_ctx
    context = order.context or min(CONTEXT, n_ctx)
    if context > n_ctx:
        raise PromptError(
            f"a context of {context} tokens was asked for, but {checkpoint.name} reads at most "
            f"{n_ctx}; give --context {n_ctx} or less"
        )
    if len(ids) > context:
        remedy = f"give --context {len(ids)}, or shorten it" if len(ids) <= n_ctx else "shorten it"
        raise PromptError(f"the prompt has {len(ids)} tokens, but {context} fit; {remedy}")
    units = len(order.prompt.encode("utf-16-le")) // 2  # as Excel counts
    if units > LONGEST:
        raise PromptError(
            f"the prompt has {units} characters, but a cell holds {LONGEST}; shorten it"
        )
    if order.prompt_length is not None and units > order.prompt_length:
        raise PromptError(
            f"the prompt has {units} characters, but {order.prompt_length} fit; "
            f"give --prompt-length {units}, or shorten it"
        )
    return room_for(checkpoint.tokenizer, order.prompt, context, order.prompt_length)


def _refuse_size(checkpoint: Checkpoint, room: Room) -> None:
    """A sheet has 16,384 columns and 1,048,576 rows: refuse before starting what cannot fit."""
    config = checkpoint.config
    wide = {
        "the three parts of c_attn (3 × n_embd)": 3 * config.n_embd,
        "the MLP's width (n_inner)": config.n_inner,
        "the heads' matrices (n_head × context)": config.n_head * room.tokens,
        "the tokenizer": STAGES + sum(len(each) + 2 for each in tables_of(room.rounds).values()),
    }
    for what, columns in wide.items():
        if columns > LAST_COLUMN - FIRST + 1:
            raise CheckpointError(
                f"{checkpoint.name}: {what} needs {columns} columns, "
                f"but a sheet has {LAST_COLUMN}; "
                "take a smaller --context, a shorter prompt or a smaller model"
            )
    tall = max(config.n_vocab, 3 * config.n_embd + 2 * config.n_inner) + 100
    if tall > LAST_ROW:
        raise CheckpointError(
            f"{checkpoint.name}: the vocabulary of {config.n_vocab} tokens needs {tall} rows, "
            f"but a sheet has {LAST_ROW}; take a model with a smaller vocabulary"
        )
