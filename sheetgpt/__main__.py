"""Where the program starts: `sheetgpt`, or `python -m sheetgpt`.

Loading the rest takes a moment, in which an interrupt may end up anywhere in other libraries.
There is nothing to tidy up yet, so it ends the program at once.
"""

import gc
import os
import signal
from types import FrameType

INTERRUPTED = "interrupted; nothing was written"


def _leave(number: int, frame: FrameType | None) -> None:
    os.write(2, f"sheetgpt: {INTERRUPTED}\n".encode())
    os._exit(2)


signal.signal(signal.SIGINT, _leave)  # from the first moment on


def main() -> None:
    # A book is millions of small things that stay: to look for some to forget again and again
    # would cost as much as to make them.
    gc.set_threshold(50_000, 50, 1_000)
    from sheetgpt import cli

    try:
        cli.main()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is said and done


if __name__ == "__main__":
    main()
