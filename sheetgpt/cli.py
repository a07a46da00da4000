"""The command line; the only file that prints or exits.

Exit status: 0 all is well, 1 a check found a difference, 2 something cannot be used, or somebody
ended the work before it was done.
"""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from io import TextIOWrapper
from math import isfinite
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

import sheetgpt
from sheetgpt import check as checking
from sheetgpt import models as known
from sheetgpt.book.data import readable
from sheetgpt.book.words import languages
from sheetgpt.build import (
    EXAMPLE,
    NEW_TOKENS,
    Order,
    Progress,
    build_workbook,
    silent,
)
from sheetgpt.checkpoint import hub
from sheetgpt.checkpoint.checkpoint import Checkpoint
from sheetgpt.checkpoint.rounding import DIGITS, Loss
from sheetgpt.errors import SheetGPTError
from sheetgpt.estimate import Estimate
from sheetgpt.formula.text import LONGEST_TEXT
from sheetgpt.gpt2.characters import class_of
from sheetgpt.gpt2.sampling import Controls
from sheetgpt.gpt2.sampling import complete as write_on
from sheetgpt.gpt2.tokens import Word
from sheetgpt.xlsx.write import Form

model_option = click.option(
    "--model",
    default="nano",
    show_default=True,
    metavar="NAME|DIR",
    help="A model that is here (see sheetgpt models), or the directory of a GPT-2 checkpoint.",
)


class Commands(click.Group):
    """Shows every error that a person can cause as one sentence, without a traceback."""

    def invoke(self, context: click.Context) -> Any:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that clean-up still happens
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="replace")  # where a terminal has no emoji
        try:
            return super().invoke(context)
        except SheetGPTError as error:
            fail(str(error), 2)
        except MemoryError:
            fail("there is not enough memory for this model; close other programs", 2)
        except KeyboardInterrupt:
            fail("interrupted; nothing was written", 2)


def fail(sentence: str, status: int) -> NoReturn:
    click.echo(f"sheetgpt: {sentence}", err=True)
    sys.exit(status)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(sheetgpt.__version__, prog_name="sheetgpt")
def main() -> None:
    """Turn a GPT-2 checkpoint into a workbook whose formulas are the transformer.

    \b
    sheetgpt build --prompt "Mike is quick. He moves" -o mike.xlsx
    sheetgpt check mike.xlsx
    """


@main.command()
@model_option
@click.option(
    "--prompt",
    help=f"The text to type into the sheet.  [default: {EXAMPLE}, or as much of it as fits]",
)
@click.option(
    "--context", type=click.IntRange(1), help="Rows of tokens.  [default: 32; 12 if large]"
)
@click.option(
    "--prompt-length",
    type=click.IntRange(1, LONGEST_TEXT),
    help="Characters that the prompt cell has room for.  [default: 64, or twice the context]",
)
@click.option(
    "--tokens",
    type=click.IntRange(1),
    default=NEW_TOKENS,
    show_default=True,
    help="New tokens for the sheet to write; a cell on its first tab, too.",
)
@click.option(
    "--language",
    type=click.Choice(languages()),
    help="The language of the words on the tabs.  [default: en]",
)
@click.option(
    "--template",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Your own words for the tabs: a changed copy of one of our templates.",
)
@click.option(
    "--lens/--no-lens",
    default=None,
    help="Whether there is a tab that shows what each block alone would say."
    "  [default: unless the model is large]",
)
@click.option(
    "--digits",
    type=click.IntRange(1, DIGITS),
    default=DIGITS,
    show_default=True,
    help="Significant digits of each weight; fewer make a smaller file, 9 are exact.",
)
@click.option("--compact", is_flag=True, help="Pack large models' weights smaller, in more time.")
@click.option(
    "--addresses/--no-addresses",
    default=None,
    help="Whether each weight says where it stands, as some other programs want it."
    "  [default: unless there are millions]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The file to write.  [default: sheetgpt-MODEL.xlsx]",
)
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def build(
    model: str,
    prompt: str | None,
    context: int | None,
    prompt_length: int | None,
    tokens: int,
    language: str | None,
    template: Path | None,
    lens: bool | None,
    digits: int,
    compact: bool,
    addresses: bool | None,
    output: Path | None,
    force: bool,
) -> None:
    """Write the workbook of a model, with a prompt typed in.

    \b
    sheetgpt build
    sheetgpt build --prompt "The capital of France is" -o paris.xlsx
    sheetgpt build --model path/to/checkpoint --context 16
    """
    if language and template:
        fail("--template brings all the words, so it excludes --language; give one of them", 2)
    form = Form(compact, addresses)
    order = Order(
        prompt, context, prompt_length, language or "en", template, tokens, lens, digits, form
    )
    with progress() as tell:
        tell("loading the model")
        checkpoint = known.load(model)
        path = output or Path(f"sheetgpt-{checkpoint.name}.xlsx")
        built = build_workbook(
            checkpoint,
            order,
            path,
            force=force,
            announce=lambda expected: show_estimate(checkpoint.name, expected),
            progress=tell,
        )
    size = path.stat().st_size / 1e6
    click.echo(f"{path}: {size:,.1f} MB, {len(built.ids)} of {built.context} tokens")
    if built.loss is not None:
        show_loss(built.loss, digits, checkpoint)
    click.echo(f"{quoted(built.prompt)} → {quoted(built.completion)}")


@main.command(short_help="Recalculate a workbook and compare every step with NumPy.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--engine",
    type=click.Choice(checking.ENGINES),
    default="numpy",
    show_default=True,
    help="Who calculates: our evaluator, LibreOffice, or nobody (the values saved in the file).",
)
@click.option("--model", metavar="NAME|DIR", help="Compare the weights with this checkpoint, too.")
@click.option("--json", "as_json", is_flag=True, help="Print the report for machines.")
def check(file: Path, engine: str, model: str | None, as_json: bool) -> None:
    """Recalculate a saved workbook and compare every step with an independent GPT-2.

    \b
    sheetgpt check mike.xlsx
    sheetgpt check mike.xlsx --engine libreoffice
    sheetgpt check edited-and-saved-in-excel.xlsx --engine cached --model nano
    """
    with progress() as tell:
        checkpoint = known.load(model) if model is not None else None
        report = checking.check(file, engine, checkpoint, tell)
    if as_json:
        click.echo(report_json(report))
    else:
        show_report(report)
    sys.exit(0 if report.holds else 1)


@main.command(short_help="Print what the model writes after a prompt.")
@click.argument("prompt")
@model_option
@click.option(
    "--tokens",
    type=click.IntRange(1),
    default=16,
    show_default=True,
    help="How many tokens to write at most.",
)
@click.option(
    "--temperature",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="0 always takes the likeliest token.",
)
@click.option(
    "--top-k", type=click.IntRange(0), default=0, help="Only the k likeliest.  [0: no limit]"
)
@click.option(
    "--top-p",
    type=click.FloatRange(0, 1),
    default=1.0,
    help="Only the likeliest that reach this share together.  [1: no limit]",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="The same seed draws the same tokens.",
)
def complete(
    prompt: str,
    model: str,
    tokens: int,
    temperature: float,
    top_k: int,
    top_p: float,
    seed: int,
) -> None:
    """Print what the model writes after a prompt, computed with NumPy.

    The same tokens as a workbook writes with the same model, prompt and controls.

    \b
    sheetgpt complete "Mike is quick. He moves"
    sheetgpt complete "Sara is" --temperature 1 --top-k 40 --seed 7
    """
    checkpoint = known.load(model)
    tokenizer = checkpoint.tokenizer
    end = tokenizer.end_of_text
    ids = tokenizer.encode_prompt(prompt)
    controls = Controls(temperature, top_k, top_p, seed)
    with progress() as tell:
        tell("writing")
        written = write_on(checkpoint.config, checkpoint.weights, ids, tokens, end, controls)
    click.echo(tokenizer.decode([i for i in written if i != end]))


@main.command(short_help="Print how a text becomes tokens.")
@click.argument("text")
@model_option
def tokenize(text: str, model: str) -> None:
    """Print how a text becomes tokens: its words, their bytes, every merge, the ids.

    \b
    sheetgpt tokenize " reindeer reinjury"
    """
    checkpoint = known.load(model)
    stages = checkpoint.tokenizer.stages(text)
    for word in stages.words:
        show_word(word, checkpoint)
    click.echo("ids: " + " ".join(map(str, stages.ids)))


@main.command()
def models() -> None:
    """List the models that are here, with their sizes."""
    table = Table(box=None, pad_edge=False)
    for heading in ("model", "weights", "blocks", "width", "heads", "tokens", "context", "file"):
        table.add_column(heading, justify="left" if heading == "model" else "right")
    for model in known.here():
        config = model.config
        sizes = (config.n_layer, config.n_embd, config.n_head, config.n_vocab, config.n_ctx)
        table.add_row(
            model.name, f"{model.n_weights:,}", *map(str, sizes), f"{model.file_size / 1e6:.1f} MB"
        )
    console().print(table)
    missing = known.to_fetch()
    if missing:
        click.echo(f"not here yet: {', '.join(missing)} (sheetgpt fetch NAME)")


@main.command(short_help="Download one of the published GPT-2 models.")
@click.argument("name")
def fetch(name: str) -> None:
    """Download one of the published GPT-2 models from the Hugging Face hub.

    It goes into the hub's own cache, and --model finds it there by its name.
    Needs the package huggingface_hub: pip install 'sheetgpt[hub]'

    \b
    sheetgpt fetch gpt2          124 million weights, 0.5 GB
    sheetgpt fetch gpt2-medium   355 million, 1.4 GB
    sheetgpt fetch gpt2-large    774 million, 3.1 GB
    sheetgpt fetch gpt2-xl       1.6 billion, 6.2 GB
    sheetgpt fetch distilgpt2    82 million, 0.3 GB
    """
    try:
        directory = hub.fetch(name)
    except KeyboardInterrupt:
        fail(f"interrupted; sheetgpt fetch {name} goes on with what is missing", 2)
    checkpoint = known.load(name)
    n_weights = sum(weight.size for weight in checkpoint.weights.values())
    click.echo(f"{name}: {n_weights:,} weights in {directory}")


# --- what is shown -----------------------------------------------------------------------------


def console() -> Console:
    """Standard output; wide enough for a table where it is no terminal."""
    return Console(width=None if sys.stdout.isatty() else 120, highlight=False, soft_wrap=True)


@contextmanager
def progress() -> Iterator[Progress]:
    """What tells of the work on a terminal, with a bar where its end is known; else nothing."""
    screen = Console(stderr=True)
    if not screen.is_terminal:
        yield silent
        return
    bar = Bar(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=screen,
        transient=True,
    )
    task = bar.add_task("", total=None, rate="")

    def tell(what: str, done: int = 0, of: int = 0, /) -> None:
        speed = bar.tasks[task].speed
        rate = f"{speed / 1e6:.1f} million cells a second" if of and speed else ""
        bar.update(task, description=what, completed=done, total=of or None, rate=rate)

    with bar:
        yield tell


def show_estimate(name: str, expected: Estimate) -> None:
    click.echo(
        f"{name}: {expected.n_weights:,} weights, a file of about {megabytes(expected.file_size)}; "
        f"LibreOffice takes about {megabytes(expected.memory)} of memory to open it"
    )


def megabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def show_loss(lost: Loss, digits: int, checkpoint: Checkpoint) -> None:
    before, after = (
        quoted(readable(checkpoint.tokenizer.token_bytes(i))) for i in (lost.before, lost.after)
    )
    next_token = f"stays {after}" if after == before else f"is {after}, no longer {before}"
    click.echo(
        f"weights rounded to {digits} digits: the next token's logits change by at most "
        f"{lost.logit:.1e}; the likeliest token {next_token}"
    )


def quoted(text: str) -> str:
    """A text between quotation marks, on one line."""
    return "“" + text.replace("\n", "⏎") + "”"


def show_word(word: Word, checkpoint: Checkpoint) -> None:
    tokenizer = checkpoint.tokenizer
    click.echo(quoted(word.text))
    classes = (f"{ord(each):04X} {class_of(each).name.lower()}" for each in word.text)
    click.echo("  characters  " + "  ".join(classes))
    click.echo("  bytes  " + " ".join(f"{byte:02X}" for byte in word.utf8))
    for number, merged in enumerate(word.rounds, start=1):
        parts = " | ".join(readable(tokenizer.token_bytes(tokenizer.ids[p])) for p in merged.parts)
        click.echo(f"  round {number}, merge {merged.rank}:  {parts}")
    tokens = "  ".join(f"{i} {quoted(readable(tokenizer.token_bytes(i)))}" for i in word.ids)
    click.echo("  tokens " + tokens)


def report_json(report: checking.Report) -> str:
    return json.dumps(
        {
            "model": report.model,
            "engine": report.engine,
            "prompt": report.prompt,
            "n_tokens": report.n_tokens,
            "predicted": report.predicted,
            "holds": report.holds,
            "first_problem": result_json(first) if (first := report.first_problem) else None,
            "steps": [result_json(result) for result in report.results],
        },
        ensure_ascii=False,
        indent=1,
    )


def result_json(result: checking.StepResult) -> dict[str, object]:
    """A step's result; the error is null where something else stands than a number."""
    return asdict(result) | {"error": result.error if isfinite(result.error) else None}


def show_report(report: checking.Report) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("tab", "step", "cells", "largest error", "verdict"):
        table.add_column(
            heading, justify="right" if heading in ("cells", "largest error") else "left"
        )
    for line in report.lines:
        error = f"{line.error:.1e}" if line.is_compared else ""
        verdict = Text("DIFFERS", "bold red") if line.problem else Text("holds", "green")
        table.add_row(line.tab, line.step, f"{line.cells:,}", error, verdict)
    console().print(table)
    for result in report.problems:
        click.echo(f"{result.step}: {result.problem}")
    click.echo("")
    if report.first_problem is not None:
        click.echo(f"The first step that differs: {report.first_problem.step}")
    else:
        click.echo(
            f"All {len(report.results)} ranges hold ({report.engine}); "
            f"the largest error of {report.cells:,} cells is {report.error:.1e}."
        )
    click.echo(f"{quoted(report.prompt)} → {quoted(report.predicted)}")
