"""Writing on: choosing tokens one after another."""

from collections.abc import Sequence

from sheetgpt.gpt2.config import Config
from sheetgpt.gpt2.reference import Weights, fitting, forward


def complete(
    config: Config,
    weights: Weights,
    ids: Sequence[int],
    n_tokens: int,
    end_of_text: int | None,
) -> list[int]:
    """The ids that the model writes after `ids`, always the likeliest (the lowest of equals).

    At most `n_tokens`; fewer if prompt and writing fill the context, or if the model writes
    `end_of_text`, which is then the last id. Raises PromptError if the prompt does not fit.
    """
    room = config.n_ctx - len(fitting(config, ids))
    written: list[int] = []
    while len(written) < min(n_tokens, room) and written[-1:] != [end_of_text]:
        trace = forward(config, weights, [*ids, *written])
        written.append(int(trace["predicted.id"][-1]))
    return written
