"""Options that several commands have."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from sheetgpt.book.extras import NAMES
from sheetgpt.models import DEFAULT
from sheetgpt.workers import cores

Option = Callable[[Any], Any]

model_option = click.option(
    "--model",
    default=DEFAULT,
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
WHETHER = {
    "lens": "Whether there is a tab that shows what each block alone would say.",
    "effects": "Whether to say what happens without each head and each MLP.",
    "neighbours": "Whether there is a tab that shows which tokens are alike.",
}


def extras_options(command: Option) -> Option:
    """An option for each part that a workbook can do without."""
    for name in reversed(NAMES):
        text = f"{WHETHER[name]}  [default: unless the model is large]"
        command = click.option(f"--{name}/--no-{name}", default=None, help=text)(command)
    return command


force_option = click.option("--force", is_flag=True, help="Replace the file if it exists.")


def output_option(default: str | Path) -> Option:
    """default: the name of the file, or a text that tells how it is called."""
    return click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path),
        default=default if isinstance(default, Path) else None,
        help=f"The file to write.  [default: {default}]",
    )


def tokens_option(default: int, help: str) -> Option:
    return click.option(
        "--tokens", type=click.IntRange(1), default=default, show_default=True, help=help
    )


def language_option(languages: Sequence[str], what: str, default: str | None = "en") -> Option:
    """default: None where it matters whether somebody has chosen a language."""
    return click.option(
        "--language",
        type=click.Choice(languages),
        default=default,
        help=f"The language of {what}.  [default: en]",
    )
