"""The command line; the only file that prints or exits.

Exit status: 0 all is well, 1 a check found a difference, 2 something cannot be used, or somebody
ended the work before it was done.
"""

import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn, Self

import click
from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

import sheetgpt
from sheetgpt import check as checking
from sheetgpt import models as known
from sheetgpt.book.data import readable
from sheetgpt.book.words import languages
from sheetgpt.build import (
    EXAMPLE,
    NEW_TOKENS,
    Order,
    build_lessons,
    build_workbook,
)
from sheetgpt.check.shown import as_json_text, sentences, table
from sheetgpt.checkpoint import hub
from sheetgpt.checkpoint.checkpoint import Checkpoint
from sheetgpt.checkpoint.rounding import DIGITS, RoundingLoss
from sheetgpt.errors import SheetGPTError
from sheetgpt.estimate import Estimate, is_large
from sheetgpt.formula.text import LONGEST_TEXT
from sheetgpt.gpt2.characters import class_of
from sheetgpt.gpt2.sampling import Controls
from sheetgpt.gpt2.sampling import complete as write_on
from sheetgpt.gpt2.tokens import Word
from sheetgpt.lessons.words import languages as lesson_languages
from sheetgpt.page.build import NEW_TOKENS as PAGE_TOKENS
from sheetgpt.page.build import PageOrder, save_page
from sheetgpt.progress import Progress, silent
from sheetgpt.workers import cores
from sheetgpt.xlsx.write import Form

INTERRUPTED = "interrupted; nothing was written"

model_option = click.option(
    "--model",
    default="nano",
    show_default=True,
    metavar="NAME|DIR|FILE",
    help="A model that is here (see sheetgpt models), the directory of a GPT-2 checkpoint, or its"
    " file of weights.",
)
jobs_option = click.option(
    "--jobs",
    type=click.IntRange(1),
    default=cores,
    metavar="N",
    help="How many cores to use.  [default: all]",
)


class Interrupts:
    """Raises KeyboardInterrupt where somebody presses Ctrl-C, and remembers it.

    Python swallows what is raised while it tidies up an object; then it is raised again. Libraries
    may make another error of it; that it `happened` tells what it was.
    """

    def __init__(self) -> None:
        self.happened = False
        self._before, self._unraisable = signal.getsignal(signal.SIGINT), sys.unraisablehook

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._interrupt)
            sys.unraisablehook = self._swallowed
        return self

    def __exit__(self, *_: object) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._before)
            sys.unraisablehook = self._unraisable

    def _interrupt(self, *_: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # once is enough; let what follows tidy up
        self.happened = True
        raise KeyboardInterrupt

    def _swallowed(self, what: "sys.UnraisableHookArgs") -> None:
        if not isinstance(what.exc_value, KeyboardInterrupt):
            self._unraisable(what)
            return
        signal.signal(signal.SIGINT, self._interrupt)
        threading.Timer(0.01, signal.raise_signal, [signal.SIGINT]).start()  # not in this call


class Commands(click.Group):
    """Shows every error that a person can cause as one sentence, without a traceback."""

    def invoke(self, context: click.Context) -> Any:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that clean-up still happens
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="replace")  # where a terminal has no emoji
        with Interrupts() as interrupts:
            try:
                return super().invoke(context)
            except SystemExit:
                raise
            except BaseException as error:
                if interrupts.happened or isinstance(error, KeyboardInterrupt):
                    fail(INTERRUPTED, 2)
                if isinstance(error, SheetGPTError):
                    fail(str(error), 2)
                if isinstance(error, MemoryError):
                    fail("there is not enough memory for this model; close other programs", 2)
                raise


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
@jobs_option
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
    jobs: int,
) -> None:
    """Write the workbook of a model, with a prompt typed in.

    \b
    sheetgpt build
    sheetgpt build --prompt "The capital of France is" -o paris.xlsx
    sheetgpt build --model path/to/checkpoint --context 16
    sheetgpt build --model path/to/ckpt.pt
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
        show_notes(checkpoint.name, checkpoint.notes)
        path = output or Path(f"sheetgpt-{checkpoint.name}.xlsx")
        built = build_workbook(
            checkpoint,
            order,
            path,
            force=force,
            announce=lambda expected: show_estimate(checkpoint.name, expected),
            progress=tell,
            jobs=jobs,
        )
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is written; an interrupt comes too late
    size = path.stat().st_size / 1e6
    click.echo(f"{path}: {size:,.1f} MB, {len(built.ids)} of {built.context} tokens")
    if built.loss is not None:
        show_loss(built.loss, digits, checkpoint)
    click.echo(f"{quoted(built.prompt)} → {quoted(built.completion)}")


@main.command(short_help="Write a model as a web page whose steps are cells of JavaScript.")
@model_option
@click.option(
    "--prompt", default=EXAMPLE, show_default=True, help="The text that stands on the page."
)
@click.option(
    "--tokens",
    type=click.IntRange(1),
    default=PAGE_TOKENS,
    show_default=True,
    help="New tokens for the page to write; a field on it, too.",
)
@click.option(
    "--language",
    type=click.Choice(languages()),
    default="en",
    show_default=True,
    help="The language of the words on the page.",
)
@click.option(
    "--weights/--no-weights",
    default=None,
    help="Whether the model is inside, or its files are dropped on the page."
    "  [default: inside unless the model is large]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The file to write.  [default: sheetgpt-MODEL.html]",
)
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def page(
    model: str,
    prompt: str,
    tokens: int,
    language: str,
    weights: bool | None,
    output: Path | None,
    force: bool,
) -> None:
    """Write one HTML file that opens in any browser from the disk, without network.

    \b
    sheetgpt page
    sheetgpt page --prompt "Sara is quiet. She speaks" --language ja -o sara.html
    sheetgpt check sara.html
    """
    with progress() as tell:
        tell("loading the model")
        checkpoint = known.load(model)
        path = output or Path(f"sheetgpt-{checkpoint.name}.html")
        inside = not is_large(checkpoint.config) if weights is None else weights
        save_page(checkpoint, PageOrder(prompt, language, tokens, inside), path, force=force)
    what = "with its model" if inside else "without weights: drop the model's files on it"
    click.echo(f"{path}: {path.stat().st_size / 1e6:,.1f} MB, {what}")


@main.command(short_help="Recalculate a workbook or page and compare every step with NumPy.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--engine",
    type=click.Choice(list(checking.CALCULATORS)),
    default="numpy",
    show_default=True,
    help="Who calculates: our evaluator, LibreOffice, or nobody (the values saved in the file).",
)
@click.option("--model", metavar="NAME|DIR", help="Compare the weights with this checkpoint, too.")
@click.option(
    "--try",
    "tries",
    type=click.IntRange(0),
    metavar="N",
    help="Calculate with N other inputs, too, with our evaluator.  [default: 3; fewer if large]",
)
@click.option("--verbose", is_flag=True, help="Print every step, not only every tab.")
@click.option("--json", "as_json", is_flag=True, help="Print the report for machines.")
@jobs_option
def check(
    file: Path,
    engine: str,
    model: str | None,
    tries: int | None,
    verbose: bool,
    as_json: bool,
    jobs: int,
) -> None:
    """Recalculate a saved workbook, or run a page, and compare it with an independent GPT-2.

    \b
    sheetgpt check mike.xlsx
    sheetgpt check mike.html
    sheetgpt check mike.xlsx --engine libreoffice
    sheetgpt check edited-and-saved-in-excel.xlsx --engine cached --model nano
    """
    with progress() as tell:
        checkpoint = known.load(model) if model is not None else None
        if file.suffix.lower() in (".html", ".htm"):
            report = checking.check_page(file, checkpoint, tell)
        else:
            report = checking.check(file, engine, checkpoint, tell, tries, jobs=jobs)
    if as_json:
        click.echo(as_json_text(report))
    else:
        show_report(report, verbose=verbose)
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
@click.option(
    "--language",
    type=click.Choice(lesson_languages()),
    default="en",
    show_default=True,
    help="The language of the lessons.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("lessons.xlsx"),
    show_default=True,
    help="The file to write.",
)
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def lessons(language: str, output: Path, force: bool) -> None:
    """Write a small workbook of lessons on the ideas behind the model.

    How tokens are learned, why words become numbers, what a neuron can do, how a network learns:
    eight tabs of live formulas, without a model. docs/lessons.md tells how to teach with them.

    \b
    sheetgpt lessons
    sheetgpt lessons --language ja -o lessons-ja.xlsx
    """
    with progress() as tell:
        tell("calculating the lessons")
        build_lessons(known.load("nano"), language, output, force=force)
    click.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


@main.command()
def models() -> None:
    """List the models that are here, with their sizes."""
    table = Table(box=None, pad_edge=False)
    for heading in ("model", "weights", "blocks", "width", "heads", "tokens", "context", "file"):
        table.add_column(heading, justify="left" if heading == "model" else "right")
    found = list(known.here())
    for model in found:
        config = model.config
        sizes = (config.n_layer, config.n_embd, config.n_head, config.n_vocab, config.n_ctx)
        table.add_row(
            model.name, f"{model.n_weights:,}", *map(str, sizes), f"{model.file_size / 1e6:.1f} MB"
        )
    console().print(table)
    for model in found:
        show_notes(model.name, model.notes)
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

    \b
    sheetgpt fetch tinystories-1m    simple stories; as small as a workbook likes it
    sheetgpt fetch tinystories-3m    also -8m and -33m (GPT-Neo; Eldan and Li 2023)
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
