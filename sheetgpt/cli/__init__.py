"""The command line; nothing else prints or exits.

Exit status: 0 all is well, 1 a check found a difference, 2 something cannot be used, or somebody
ended the work before it was done.
"""

import signal
import sys
from pathlib import Path

import click
from rich.table import Table

import sheetgpt
from sheetgpt import check as checking
from sheetgpt import models as known
from sheetgpt.book.words import languages
from sheetgpt.build import EXAMPLE, NEW_TOKENS, Order, build_lessons, build_workbook
from sheetgpt.check.shown import as_json_text
from sheetgpt.checkpoint import hub
from sheetgpt.checkpoint.rounding import DIGITS
from sheetgpt.cli.group import Commands, fail
from sheetgpt.cli.options import (
    extras_options,
    force_option,
    jobs_option,
    language_option,
    model_option,
    output_option,
    tokens_option,
)
from sheetgpt.cli.screen import (
    console,
    progress,
    quoted,
    show_estimate,
    show_loss,
    show_notes,
    show_report,
    show_word,
)
from sheetgpt.estimate import is_large
from sheetgpt.formula.text import LONGEST_TEXT
from sheetgpt.gpt2.sampling import Controls
from sheetgpt.gpt2.sampling import complete as write_on
from sheetgpt.lessons.words import languages as lesson_languages
from sheetgpt.page.build import NEW_TOKENS as PAGE_TOKENS
from sheetgpt.page.build import PageOrder, save_page
from sheetgpt.xlsx.write import Form


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
    "--context", type=click.IntRange(1), help="Rows of tokens.  [default: 64; 12 if large]"
)
@click.option(
    "--prompt-length",
    type=click.IntRange(1, LONGEST_TEXT),
    help="Characters that the prompt cell has room for.  [default: 200; 64 if large]",
)
@tokens_option(NEW_TOKENS, "New tokens for the sheet to write; a cell on its first tab, too.")
@language_option(languages(), "the words on the tabs", default=None)
@click.option(
    "--template",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Your own words for the tabs: a changed copy of one of our templates.",
)
@extras_options
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
@output_option("sheetgpt-MODEL.xlsx")
@force_option
@jobs_option
def build(
    model: str,
    prompt: str | None,
    context: int | None,
    prompt_length: int | None,
    tokens: int,
    language: str | None,
    template: Path | None,
    digits: int,
    compact: bool,
    addresses: bool | None,
    output: Path | None,
    force: bool,
    jobs: int,
    **extras: bool | None,
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
    asked = {name: answer for name, answer in extras.items() if answer is not None}
    order = Order(
        prompt, context, prompt_length, language or "en", template, tokens, asked, digits, form
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
@tokens_option(PAGE_TOKENS, "New tokens for the page to write; a field on it, too.")
@language_option(languages(), "the words on the page")
@click.option(
    "--weights/--no-weights",
    default=None,
    help="Whether the model is inside, or its files are dropped on the page."
    "  [default: inside unless the model is large]",
)
@output_option("sheetgpt-MODEL.html")
@force_option
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
@tokens_option(16, "How many tokens to write at most.")
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
    click.echo(tokenizer.decode([i for i in written.ids if i != end]))


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
@language_option(lesson_languages(), "the lessons")
@output_option(Path("lessons.xlsx"))
@force_option
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
