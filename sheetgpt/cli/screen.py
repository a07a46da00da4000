"""What the commands show."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from sheetgpt import check as checking
from sheetgpt.book.data import readable
from sheetgpt.check.shown import sentences, table
from sheetgpt.checkpoint.checkpoint import Checkpoint
from sheetgpt.checkpoint.rounding import RoundingLoss
from sheetgpt.estimate import Estimate
from sheetgpt.gpt2.characters import class_of
from sheetgpt.gpt2.tokens import Word
from sheetgpt.progress import Progress, silent


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


def show_notes(name: str, notes: Iterable[str]) -> None:
    for note in notes:
        click.echo(f"{name}: {note}")


def show_estimate(name: str, expected: Estimate) -> None:
    click.echo(
        f"{name}: {expected.n_weights:,} weights, a file of about {megabytes(expected.file_size)}; "
        f"LibreOffice takes about {megabytes(expected.memory)} of memory to open it"
    )


def megabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def show_loss(lost: RoundingLoss, digits: int, checkpoint: Checkpoint) -> None:
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
    if tokenizer.unit == "bytes":
        click.echo("  bytes  " + " ".join(f"{byte:02X}" for byte in word.utf8))
    for number, merged in enumerate(word.rounds, start=1):
        parts = " | ".join(readable(tokenizer.token_bytes(tokenizer.ids[p])) for p in merged.parts)
        click.echo(f"  round {number}, merge {merged.rank}:  {parts}")
    tokens = "  ".join(f"{i} {quoted(readable(tokenizer.token_bytes(i)))}" for i in word.ids)
    click.echo("  tokens " + tokens)


def show_report(report: checking.Report, *, verbose: bool) -> None:
    console().print(table(report, verbose=verbose))
    for sentence in sentences(report):
        click.echo(sentence)
    click.echo(f"{quoted(report.prompt)} → {quoted(report.predicted)}")
