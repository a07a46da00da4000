"""Every error a person can meet is one sentence: where, what, expected, remedy."""

from pathlib import Path


class SheetGPTError(Exception):
    """Input that cannot be used; its text is the one sentence that a person reads.

    only `cli` prints it (exit status 2). Raise it wherever something from outside
    (a file, an option, a prompt) does not hold; a bug of our own raises anything else.
    """


class CheckpointError(SheetGPTError):
    """A checkpoint that is missing, broken, or not a GPT-2."""


class PromptError(SheetGPTError):
    """A prompt that cannot be tokenised or does not fit."""


class WorkbookError(SheetGPTError):
    """A workbook that cannot be read or written, or is not one of ours."""


class PageError(SheetGPTError):
    """A page that cannot be read or written, or is not one of ours."""


class TemplateError(SheetGPTError):
    """Words for the tabs that are missing, incomplete, or more than a cell can hold."""


def unreadable(path: Path, error: OSError) -> CheckpointError:
    """A file of a checkpoint that the system does not give."""
    return CheckpointError(
        f"{path} cannot be read ({error.strerror}); the checkpoint needs this file"
    )


def shown(value: object) -> str:
    """A value from a file as a message shows it: its repr, cut to one readable length."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
