"""The simple stories that the model `stories` learns from: read from a file, and split in two.

They are a part of TinyStories, whose text is not in this repository; the card says where anybody
gets it.
"""

from __future__ import annotations

import lzma
from pathlib import Path

from vocabulary import END_OF_TEXT

KEPT_OUT = 10  # each tenth story is kept out of training

WHERE_TO_GET_IT = (
    "get TinyStories from the Hugging Face hub (roneneldan/TinyStories, a text file in which "
    f"{END_OF_TEXT} stands between the stories), and give the file with --text FILE, or with "
    "make stories STORIES=FILE"
)


def read_stories(path: Path) -> list[str]:
    """The stories of a file, plain text or .xz, in which `<|endoftext|>` stands between them."""
    open_text = lzma.open if path.suffix == ".xz" else open
    with open_text(path, "rt", encoding="utf-8") as file:
        parts = file.read().split(END_OF_TEXT)
    return [story for part in parts if (story := part.strip())]


def split(stories: list[str]) -> tuple[list[str], list[str]]:
    """The stories for training, and each tenth one, which is kept out of it."""
    kept_out = stories[KEPT_OUT - 1 :: KEPT_OUT]
    shown = [story for number, story in enumerate(stories, 1) if number % KEPT_OUT]
    return shown, kept_out
