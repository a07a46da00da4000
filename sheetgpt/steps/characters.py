"""The prompt's characters, and the words that they make, as formulas.

No formula depends on how many units of UTF-16 a character takes: MID and LEN count them in Excel,
and code points in LibreOffice; and of half a character UNICODE may make an error, or that half's
number. Words are those of the pattern that GPT-2 was published with (Radford et al. 2019):
's|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+
"""

from collections.abc import Mapping

from sheetgpt.formula.expr import Expr, Number, Range, call, fixed, join, when
from sheetgpt.steps.tokenize import Row, RowFormulas, Specials, Table, Tables, unless_blank

LETTER, NUMBER, SPACE, OTHER = 1, 2, 3, 4  # the classes of characters
REPLACEMENT = 0xFFFD
FIRST_HIGH, LAST_HIGH = 0xD800, 0xDBFF  # the first halves of characters above 0xFFFF
FIRST_LOW, LAST_LOW = 0xDC00, 0xDFFF  # the second halves
EMOJI = 0x1F600  # one of the characters that take two units of UTF-16


def emoji_length(prompt: Range) -> Expr:
    """How many characters MID and LEN take an emoji for: 2 in Excel, 1 in LibreOffice.

    With nothing of the prompt behind it, so that a program that believes what another one stored
    asks again when the prompt changes (ONLYOFFICE does so).
    """
    return call("LEN", join(call("UNICHAR", EMOJI), call("MID", prompt, 1, 0)))


def characters(table: Table, prompt: Range, emoji: Range, tables: Tables) -> RowFormulas:
    """One row a character: where it is, its code point and class, and the number of its word.

    emoji: a cell with `emoji_length`.
    """

    def formulas(index: int) -> Mapping[str, Expr]:
        above, here = table.row(index - 1), table.row(index)
        below, after = table.row(index + 1), table.row(index + 2)
        code, kind, goes_on = here["code"], here["class"], above["contraction"]
        starts: Expr = when(
            kind.equals(SPACE),
            # Of several spaces the last one belongs to the word behind it.
            when(above["class"].differs(SPACE), 1, when(_ends(below, tables), 0, 1)),
            when(above["code"].equals(ord(" ")), 0, when(kind.differs(above["class"]), 1, 0)),
        )
        no_contraction = call("OR", here["word"].equals(above["word"]), code.differs(ord("'")))
        contraction = _contraction(_seen(below, tables), _seen(after, tables))
        its_class: Expr = call("INDEX", tables.class_is, call("MATCH", code, tables.class_from, 1))
        of_special: dict[str, Expr] = {}
        if tables.specials is not None:
            of_special = special(above, here, prompt, tables.specials)
            its_class = when(here["special"] > 0, 0, its_class)
            starts = starts_beside_specials(above, here, starts)
            no_contraction = call("OR", *no_contraction.arguments, here["special"] > 0)
        of_character: dict[str, Expr] = {
            "text": call("MID", prompt, here["position"], when(code > 0xFFFF, emoji, 1)),
            **of_special,
            "class": its_class,
            "contraction": when(goes_on > 1, goes_on - 1, when(no_contraction, 0, contraction)),
            "word": above["word"] + when(goes_on > 1, 0, when(goes_on.equals(1), 1, starts)),
            "bytes": 1 + (code > 0x7F) + (code > 0x7FF) + (code > 0xFFFF),
            "end": above["end"] + here["bytes"],
        }
        return {
            **reading(above, here, prompt),
            **{column: unless_blank(code, tree) for column, tree in of_character.items()},
        }

    return formulas


def reading(above: Row, here: Row, prompt: Range) -> dict[str, Expr]:
    """Where a character stands, and its code.

    One row behind the last character still says where it would be; then all is blank.
    """
    position = above["position"] + call("LEN", above["text"])
    unit = when(here["position"] > call("LEN", prompt), "", _unit(prompt, here["position"]))
    return {
        "position": unless_blank(above["code"], position),
        "unit": unless_blank(here["position"], unit),
        "code": unless_blank(here["unit"], _code(prompt, here)),
    }


def special(above: Row, here: Row, prompt: Range, specials: Specials) -> dict[str, Expr]:
    """Which special token a character belongs to, and how many of that are still to come.

    EXACT is the one comparison of texts that knows capitals and takes `*` for a star; how long a
    text is, every program says in its own units.
    """
    which: Expr = Number(0)
    for number in range(specials.text.area.shape[0], 0, -1):
        text = fixed(Range(specials.text.area.row(number - 1)))
        same = call("EXACT", call("MID", prompt, here["position"], call("LEN", text)), text)
        which = when(same, number, which)
    goes_on = above["to_come"]
    length = call("INDEX", specials.length, here["special"])
    return {
        "special": when(goes_on > 1, above["special"], which),
        "to_come": when(here["special"].equals(0), 0, when(goes_on > 1, goes_on - 1, length)),
    }


def starts_beside_specials(above: Row, here: Row, otherwise: Expr) -> Expr:
    """A special token is a word, and another one begins behind it."""
    ended = when(call("OR", above["to_come"].equals(1), here["special"] > 0), 1, otherwise)
    return when(above["to_come"] > 1, 0, ended)


def _ends(below: Row, tables: Tables) -> Expr:
    """Whether what is below is no sign of the same stretch: white space, nothing, or special."""
    kind = below["class"]
    others = () if tables.specials is None else (kind.equals(0),)
    return call("OR", kind.equals(SPACE), kind.equals(""), *others)


def _seen(row: Row, tables: Tables) -> Expr:
    """A character's code, as the pattern sees it: no stretch goes on into a special token."""
    return row["code"] if tables.specials is None else when(row["class"].equals(0), 0, row["code"])


def _unit(prompt: Range, position: Expr) -> Expr:
    """The code of what stands at a position: of a character, or of a half where that is given.

    Asked for one unit first, for what UNICODE makes of a pair that begins with half a character is
    documented nowhere; where one unit is an error, the pair is asked for.
    """
    alone, pair = (call("UNICODE", call("MID", prompt, position, size)) for size in (1, 2))
    return call("IFERROR", alone, call("IFERROR", pair, REPLACEMENT))


def _code(prompt: Range, here: Row) -> Expr:
    """The code point; of two halves by arithmetic (the Unicode Standard, section 3.9, UTF-16)."""
    unit = here["unit"]
    after = call("UNICODE", call("MID", prompt, here["position"] + 1, 1))
    other = call("IFERROR", after, REPLACEMENT)
    is_pair = call("AND", unit <= LAST_HIGH, other >= FIRST_LOW, other <= LAST_LOW)
    whole = (unit - FIRST_HIGH) * 1024 + (other - FIRST_LOW) + 0x10000
    is_half = call("AND", unit >= FIRST_HIGH, unit <= LAST_LOW)
    return when(is_half, when(is_pair, whole, REPLACEMENT), unit)


def _contraction(first: Expr, second: Expr) -> Expr:
    """How many characters of a contraction are still to come, the apostrophe included."""
    one = call("OR", *(first.equals(ord(letter)) for letter in "dmst"))
    two = call(
        "OR",
        *(call("AND", first.equals(ord(a)), second.equals(ord(b))) for a, b in ("re", "ve", "ll")),
    )
    return when(one, 2, when(two, 3, 0))
