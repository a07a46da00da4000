"""The tab `prompt to tokens`: byte-pair encoding, stage by stage, from left to right."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

from sheetgpt.book.looks import heading_over
from sheetgpt.book.page import Page
from sheetgpt.book.prompt_stages import LOOKS, STAGES, TOP, Fit, Stages, stage_heading
from sheetgpt.book.rules import beside, is_blank
from sheetgpt.formula.expr import Expr, Range, Text, call, when
from sheetgpt.formula.text import length_in_excel
from sheetgpt.gpt2.tokens import SPELLING, Tokenizer, Unit
from sheetgpt.steps.characters import characters
from sheetgpt.steps.lookup import Lookup, looked_up
from sheetgpt.steps.lookup import first_unknown as unknown_word
from sheetgpt.steps.sample import Controls, written_id
from sheetgpt.steps.tokenize import (
    Room,
    Splitting,
    Table,
    Tables,
    Use,
    characters_used,
    counted,
    first_unknown,
    merges,
    tables_of,
    tokens_used,
    use,
    utf8,
)

PROMPT_LENGTH = 200  # characters, where nobody asks for more; fewer where few tokens fit
MOST_ROUNDS = 20  # what all but 1 in 250 words of English and of programs needs of GPT-2's merges


@dataclass(frozen=True)
class Prompt:
    """What the rest of the book reads: a column each of numbers, texts and ids, and how many."""

    page: Page
    number: Range
    text: Range
    id: Range
    n_tokens: Range
    message: Range


@dataclass(frozen=True)
class Writing:
    """Where the rows behind the prompt get their tokens: the ids chosen, a row for each token."""

    chosen: Range
    controls: Controls
    end_of_text: int | None


def splitting_of(tokenizer: Tokenizer) -> Splitting:
    """What tables this vocabulary needs."""
    return Splitting(tokenizer.unit, bool(tokenizer.specials))


def room_for(tokenizer: Tokenizer, prompt: str, context: int, length: int | None = None) -> Room:
    """What a sheet should have room for: a prompt of `length` characters, and this one at least.

    Four characters for each token, but no more than PROMPT_LENGTH, unless nobody could fill the
    context with those; and not so few that a short sentence would not fit.
    Half as many bytes again as characters: scripts that need more have more tokens as well, and
    fill the context first.  Rounds for every token of the vocabulary and one more, for words of
    several tokens; but MOST_ROUNDS where few tokens, which nobody types, would need more.
    """
    units = length_in_excel(prompt)
    usual = max(64, min(4 * context, PROMPT_LENGTH), 2 * context)
    n_characters = max(length or usual, units)
    if tokenizer.unit is not Unit.BYTES:
        return Room(n_characters, 0, 0, context)
    needed = max((len(word.rounds) for word in tokenizer.stages(prompt).words), default=0)
    return Room(
        n_characters,
        max(n_characters * 3 // 2, len(prompt.encode())),
        max(min(_deepest(tokenizer) + 1, MOST_ROUNDS), needed) if tokenizer.merges else 0,
        context,
    )


def _deepest(tokenizer: Tokenizer) -> int:
    """The rounds that the token with the most of them needs: its different merges."""
    made: dict[str, frozenset[int]] = {byte: frozenset() for byte in SPELLING.values()}
    for rank, (left, right) in enumerate(tokenizer.merges):
        parts = made.get(left, frozenset()) | made.get(right, frozenset())
        made.setdefault(left + right, parts | {rank})
    return max(map(len, made.values()))


@dataclass(frozen=True)
class Parts:
    """What is left at the end of the stages, a row for each part: its id, if it is a token.

    count: how many tokens there are down to each row. word: of a row the number of its word.
    unknown: whether something has no token, and the sentence for it. about: where the words
    about the tokens stand.
    """

    id: Range
    count: Range
    word: Callable[[Expr], Expr]
    use: dict[str, Use]
    unknown: tuple[Expr, Expr] | None
    about: str = "tokens.id"


def prompt_page(
    page: Page,
    prompt: Range,
    texts: Range,
    tables: Tables | Lookup,
    room: Room,
    writing: Writing | None = None,
) -> Prompt:
    """Lay out every stage, and at the left the tokens: the prompt's, then those written."""
    page.frozen = (TOP + 1, 0)
    page.widths = {1: 10, 2: 16, 3: 8, 4: 8, 5: 3}
    stages = Stages(page, tables_of(room.rounds, tables.splitting))
    if isinstance(tables, Lookup):
        key = "letters" if tables.unit == "characters" else "words"
        letters = stages.place("characters", room.characters, key)
        fit = Fit(page, stages.column, ("characters", "tokens"))
        parts = _looked_up(stages, letters, prompt, tables, room, fit)
    else:
        letters = stages.place("characters", room.characters)
        fit = Fit(page, stages.column, [kind.name for kind in fields(Room)])
        parts = _merged(stages, letters, prompt, texts, tables, room, fit)
    message = fit.write(parts.use, room, prompt, parts.unknown)
    page.write(4, 1, page.words.label("prompt"), "heading")
    shown = page.define("prompt.shown", page.area(4, 2)).area
    page.compute(shown, when(call("LEN", prompt).equals(0), "", prompt), "text")
    return _tokens(page, prompt, message, parts, texts, room.tokens, writing, tables.leading)


def _looked_up(
    stages: Stages, letters: Table, prompt: Range, lookup: Lookup, room: Room, fit: Fit
) -> Parts:
    """One table: each word, or each character, is looked up."""
    stages.fill(letters, looked_up(letters, prompt, fit.emoji, lookup))
    is_there = call("MAX", letters["id"]) >= lookup.unknown
    name = "character" if lookup.unit == "characters" else "word"
    text = unknown_word(letters, prompt, lookup.unknown)
    key = "unknown" if name == "character" else "unknown word"
    return Parts(
        letters["id"],
        letters["count"],
        lambda row: call("INDEX", letters["word"], row),
        {
            "characters": characters_used(prompt, letters),
            "tokens": tokens_used(letters, room, int(lookup.leading is not None)),
        },
        (is_there, stages.page.words.sentence(key, **{name: text})),
        "prompt.tokens",
    )


def _merged(
    stages: Stages,
    letters: Table,
    prompt: Range,
    texts: Range,
    tables: Tables,
    room: Room,
    fit: Fit,
) -> Parts:
    """Words, their bytes, and round after round of merges."""
    stages.fill(letters, characters(letters, prompt, fit.emoji, tables))
    units = stages.place("bytes", room.bytes)
    stages.fill(units, utf8(units, letters, tables, fit.used["bytes"], texts))
    rounds: list[Table] = []
    for number in range(1, room.rounds + 1):
        before = rounds[-1] if rounds else units
        parts = stages.place(f"round_{number}", room.bytes, "round", number=number)
        stages.fill(parts, merges(parts, before, units, tables, texts))
        rounds.append(parts)
    last = stages.place("parts", room.bytes)
    merged = rounds[-1] if rounds else units
    stages.fill(last, counted(last, merged, units, tables))
    unknown = None
    if tables.unknown is not None:
        character = first_unknown(units, letters, tables, tables.unknown)
        is_there = call("MAX", units["id"]) >= tables.unknown
        unknown = is_there, stages.page.words.sentence("unknown", character=character)
    return Parts(
        merged["id"],
        last["count"],
        lambda row: call("INDEX", letters["word"], call("INDEX", units["character"], row)),
        use(prompt, letters, rounds, last, room, int(tables.leading is not None)),
        unknown,
    )


def _tokens(
    page: Page,
    prompt: Range,
    message: Range,
    parts: Parts,
    texts: Range,
    context: int,
    writing: Writing | None,
    leading: int | None,
) -> Prompt:
    """Token number k is the k-th part that is left when no pair merges any more.

    leading: the token that stands before them, if one does. Behind the prompt stand the tokens
    that the sheet has chosen itself.  Without a prompt it starts from the token that ends a text,
    which is also what a text begins after.
    """
    start = writing.end_of_text if writing else None
    label, words = page.words.label, page.words.step(parts.about)
    page.write(5, 1, label("tokens"), "heading")
    n_parts = call("MAX", parts.count)
    counted: Expr = call("MAX", parts.count, 0 if start is None else 1)
    if leading is not None:
        counted = n_parts + 1
    n_tokens = page.define("n_tokens", page.area(5, 2))
    page.compute(n_tokens.area, when(call("LEN", message).equals(0), counted, 0), "integer left")

    stage_heading(
        page, 1, words.title, words.why, sum(page.widths[column] for column in range(1, STAGES))
    )
    for column, heading in enumerate(("number", "token", "id", "word"), start=1):
        look = heading_over(LOOKS.get(heading, "integer"))
        page.write(TOP, column, label(f"column {heading}"), look)
    first = TOP + 2
    number, text, ids, word = (page.area(first, column, context) for column in range(1, 5))
    counted_rows = page.count(first, context, first=1)
    page.rule(counted_rows, is_blank(beside(counted_rows, 2)), "no token")
    for row in range(context):
        its_number, its_id = Range(number.row(row)), Range(ids.row(row))
        its_part: Expr = its_number if leading is None else its_number - 1
        place = call("MATCH", its_part, parts.count, 0)
        its_word = parts.word(place)
        of_prompt: Expr = call("INDEX", parts.id, place)
        if leading is not None:
            of_prompt = when(its_number.equals(1), leading, of_prompt)
            its_word = when(its_number.equals(1), "", its_word)
        elif start is not None:
            of_prompt = when(call("LEN", prompt).equals(0), start, of_prompt)
        behind: Expr = Text("")
        if writing is not None:
            above = writing.chosen.area.top + row - 1
            before = Range(replace(writing.chosen.area, top=above, bottom=above))
            behind = written_id(its_number, n_tokens, before, writing.controls, start)
        for area, tree, look in (
            (ids, when(its_number > n_tokens, behind, of_prompt), "integer"),
            (text, when(its_id.equals(""), "", call("INDEX", texts, its_id + 1)), "token"),
            (word, when(its_part > n_parts, "", its_word), "integer"),
        ):
            page.compute(area.row(row), tree, look)
    page.define("tokens.word", word)
    return Prompt(
        page,
        Range(number),
        page.define("tokens.text", text),
        page.define("tokens.id", ids),
        n_tokens,
        message,
    )
