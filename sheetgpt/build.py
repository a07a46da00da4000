"""From a checkpoint to a file: refuse what cannot be built, compile, calculate, write."""

import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sheetgpt.book.book import StepRecord
from sheetgpt.book.calculate import calculate
from sheetgpt.book.compile import compile_book
from sheetgpt.book.extras import extras_of
from sheetgpt.book.page import FIRST
from sheetgpt.book.prompt import room_for, splitting_of
from sheetgpt.book.prompt_stages import STAGES
from sheetgpt.book.records import listed
from sheetgpt.book.witness import ReadBack, Said, said
from sheetgpt.book.words import load_words, read_words
from sheetgpt.calculate.values import Sheets
from sheetgpt.checkpoint.checkpoint import Checkpoint
from sheetgpt.checkpoint.rounding import DIGITS, RoundingLoss, as_float32, loss
from sheetgpt.errors import CheckpointError, PromptError, WorkbookError
from sheetgpt.estimate import Estimate, estimate, is_large
from sheetgpt.formula.cells import LAST_COLUMN, LAST_ROW
from sheetgpt.formula.expr import MOST_CHOICES
from sheetgpt.formula.text import LONGEST_TEXT, length_in_excel
from sheetgpt.gpt2.config import Config
from sheetgpt.lessons.book import lessons_book
from sheetgpt.lessons.words import load_words as load_lesson_words
from sheetgpt.progress import Progress, silent
from sheetgpt.steps.tokenize import Room
from sheetgpt.workers import Workers
from sheetgpt.xlsx.write import FORM, Form, save

EXAMPLE = "Mike is quick. He moves"
CONTEXT = 64  # rows of tokens, where the model has as many
LARGE_CONTEXT = 12  # of a large model, each row of which takes much memory
NEW_TOKENS = 6  # that the sheet writes, until somebody asks for more

# What XML 1.0 cannot hold (section 2.2, Char).
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True)
class Order:
    """What a person asks for; None where the default will do.

    prompt: without one, EXAMPLE or as much of it as fits.
    template: a person's own words for the tabs; the language says nothing then.
    extras: which of them there are, by their names; of the others it is the model's size that says.
    digits: how many significant digits of each weight are written.
    """

    prompt: str | None = None
    context: int | None = None
    prompt_length: int | None = None
    language: str = "en"
    template: Path | None = None
    new_tokens: int = NEW_TOKENS
    extras: Mapping[str, bool] = field(default_factory=dict)
    digits: int = DIGITS
    form: Form = FORM


@dataclass(frozen=True)
class Built:
    """What the finished workbook says: the prompt's ids, the rows for tokens, the next token.

    loss: what was lost by rounding, if weights were rounded.
    """

    prompt: str
    ids: Sequence[int]
    context: int
    token: str
    completion: str
    loss: RoundingLoss | None


def build_workbook(
    checkpoint: Checkpoint,
    order: Order,
    path: Path,
    *,
    force: bool = False,
    announce: Callable[[Estimate], None] = lambda expected: None,
    progress: Progress = silent,
    jobs: int = 1,
) -> Built:
    """Build the workbook that was ordered, and write it to `path`.

    announce: told what is to be expected, when nothing stands in the way any more.
    jobs: how many cores to use; the file is the same with any number of them.

    Raises WorkbookError, TemplateError, PromptError or CheckpointError for what cannot be done;
    then, and when it is interrupted, whatever was at `path` before is still there.
    """
    _refuse_path(path, force=force)
    words = read_words(order.template) if order.template else load_words(order.language)
    prompt = default_prompt(checkpoint, order) if order.prompt is None else order.prompt
    ids = _prompt_ids(checkpoint, prompt)
    room = _room(checkpoint, order, prompt, ids)
    config, manual = checkpoint.config, is_large(checkpoint.config)
    extras = extras_of(order.extras, otherwise=not manual)
    steps = listed(config, room, splitting_of(checkpoint.tokenizer), extras)
    _refuse_size(checkpoint.name, config, steps)
    expected = estimate(config, steps, order.digits, order.form)
    _refuse_full_disk(path, expected.file_size)
    announce(expected)
    exact, checkpoint = checkpoint, as_float32(checkpoint, order.digits)
    lost = None
    if order.digits < DIGITS:
        progress("comparing with the weights as they were")
        lost = loss(exact, checkpoint, ids)
    with Workers(jobs) as workers:
        weights = ReadBack(checkpoint.weights, workers)

        def witness() -> Said:
            progress("asking the witness")
            count, effects = order.new_tokens, extras.effects
            return said(checkpoint, weights, prompt, count, room.tokens, parts=effects)

        progress("laying out the tabs")
        book = compile_book(
            checkpoint, prompt, room, words, order.new_tokens,
            manual=manual, extras=extras, witness=witness,
        )  # fmt: skip

        def values(progress: Progress) -> Sheets:
            return calculate(book, progress, weights, workers)

        saved = save(book, values, path, order.form, progress, workers)
    token, completion = (str(saved.read(book.names[n])) for n in ("predicted.token", "completion"))
    return Built(prompt, ids, room.tokens, token, completion, lost)


def build_lessons(nano: Checkpoint, language: str, path: Path, *, force: bool = False) -> None:
    """Write the workbook of the lessons; raises WorkbookError where it cannot be written."""
    _refuse_path(path, force=force)
    book = lessons_book(load_lesson_words(language), nano)
    save(book, calculate(book), path)


def _refuse_full_disk(path: Path, needed: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise WorkbookError(
            f"{path.parent} has {free / 1e6:,.0f} MB free, but the workbook needs about "
            f"{needed / 1e6:,.0f} MB; make room, or choose another place with -o"
        )


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
    tokenizer = checkpoint.tokenizer
    if not prompt and tokenizer.end_of_text is None and tokenizer.leading is None:
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


def default_prompt(checkpoint: Checkpoint, order: Order) -> str:
    """As many words of EXAMPLE as fit and the model knows, or else its first letter or token."""
    n_tokens = min(order.context or checkpoint.config.n_ctx, checkpoint.config.n_ctx)
    tokenizer = checkpoint.tokenizer
    words = [word for word in EXAMPLE.split(" ") if tokenizer.unknown(word) is None]
    first = next((text for text in tokenizer.looked_up if text.isprintable()), EXAMPLE[:1])
    for prompt in [*(" ".join(words[:n]) for n in range(len(words), 0, -1)), EXAMPLE[:1], first]:
        within = len(prompt) <= (order.prompt_length or LONGEST_TEXT)
        is_known = within and tokenizer.unknown(prompt) is None
        if is_known and len(tokenizer.encode_prompt(prompt)) <= n_tokens:
            return prompt
    return EXAMPLE  # does not fit either, and the refusal can say why


def _room(checkpoint: Checkpoint, order: Order, prompt: str, ids: Sequence[int]) -> Room:
    """What the sheet must have room for: what was asked for, or the defaults and the prompt."""
    n_ctx = checkpoint.config.n_ctx
    usual = LARGE_CONTEXT if is_large(checkpoint.config) else CONTEXT
    context = order.context or min(usual, n_ctx)
    if context > n_ctx:
        raise PromptError(
            f"a context of {context} tokens was asked for, but {checkpoint.name} reads at most "
            f"{n_ctx}; give --context {n_ctx} or less"
        )
    if len(ids) > context:
        remedy = f"give --context {len(ids)}, or shorten it" if len(ids) <= n_ctx else "shorten it"
        raise PromptError(f"the prompt has {len(ids)} tokens, but {context} fit; {remedy}")
    units = length_in_excel(prompt)
    if units > LONGEST_TEXT:
        raise PromptError(
            f"the prompt has {units} characters, but a cell holds {LONGEST_TEXT}; shorten it"
        )
    if order.prompt_length is not None and units > order.prompt_length:
        raise PromptError(
            f"the prompt has {units} characters, but {order.prompt_length} fit; "
            f"give --prompt-length {units}, or shorten it"
        )
    return room_for(checkpoint.tokenizer, prompt, context, order.prompt_length)


def _refuse_size(name: str, config: Config, records: Sequence[StepRecord]) -> None:
    """A sheet has 16,384 columns and 1,048,576 rows: refuse before starting what cannot fit."""
    on_prompt = (each.name for each in records if each.tab == "prompt to tokens")
    stages = [step.split(".")[0] for step in on_prompt if "." in step]  # they stand side by side
    wide = {each.name: each.shape[1] for each in records}
    wide["the tokenizer"] = STAGES + len(stages) + 2 * len(set(stages))
    what, columns = max(wide.items(), key=lambda item: item[1])
    if columns > LAST_COLUMN - FIRST + 1:
        raise CheckpointError(
            f"{name}: {what} needs {columns} columns, but a sheet has {LAST_COLUMN}; "
            "take a smaller --context, a shorter prompt or a smaller model"
        )
    if config.n_layer > MOST_CHOICES:
        raise CheckpointError(
            f"{name} has {config.n_layer} blocks, but CHOOSE, which the tab reasons "
            f"finds one of them with, takes {MOST_CHOICES}; take a model with fewer"
        )
    tall = max(config.n_vocab, 3 * config.n_embd + 2 * config.n_inner) + 100
    if tall > LAST_ROW:
        raise CheckpointError(
            f"{name}: the vocabulary of {config.n_vocab} tokens needs {tall} rows, "
            f"but a sheet has {LAST_ROW}; take a model with a smaller vocabulary"
        )
