"""The second half of the lesson `learn tokens`: GPT-2's own merges at work on one word."""

from sheetgpt.formula.expr import Number, Range, call, join, when
from sheetgpt.lessons.lesson import Lesson
from sheetgpt.lessons.pieces import n_parts, part, plus, spelling

FIRST = 4  # the column of the first spelling
# GPT-2's own merges that these spellings need, with their ranks; ␣ is the space before a word.
SPELLINGS = (
    "strawberry", "␣strawberry", "Strawberry", "␣Strawberry", '"strawberry"', "STRAWBERRY",
)  # fmt: skip
MERGES: dict[int, tuple[str, str]] = {
    7: ("e", "r"), 8: ("␣", "s"), 45: ("s", "t"), 55: ("␣", "S"), 80: ("␣s", "t"),
    174: ("r", "a"), 264: ("␣S", "t"), 271: ("b", "er"), 307: ("r", "y"), 881: ("E", "R"),
    1017: ("S", "t"), 1575: ("ra", "w"), 2001: ("S", "T"), 3605: ("R", "A"), 8140: ("ber", "ry"),
    12990: ("B", "ER"), 14531: ("␣st", "raw"), 18020: ("R", "Y"), 20274: ("RA", "W"),
    27023: ("␣St", "raw"), 40980: ("␣straw", "berry"), 42355: ("␣Straw", "berry"),
}  # fmt: skip
IDS = {
    '"': 1, "st": 301, "raw": 1831, "berry": 8396, "␣strawberry": 41236, "St": 1273,
    "␣Strawberry": 42611, "ST": 2257, "RAW": 20530, "BER": 13246, "RY": 18276,
}  # fmt: skip
MOST_PARTS = 5


def strawberry(page: Lesson) -> None:
    """Each spelling cut by GPT-2's merges, which are constants here; all else is formulas."""
    page.section("strawberry")
    page.tries("try strawberry", "try letters")
    top = page.row
    for column, text in enumerate(SPELLINGS, start=FIRST):
        page.write(top, column, text, "token")
    for offset, key in enumerate(("spelling", "tokens", "count", "ids", "letters r")):
        page.write(top + offset, 2, page.label(f"strawberry {key}"), "heading")
    chain_top = top + 7
    page.headings(chain_top - 1, 2, "merge", "rank")
    page.write(chain_top - 1, FIRST, page.label("chain"), "heading")
    pieces = page.list_texts(chain_top, FIRST + len(SPELLINGS) + 1, list(IDS), "token")
    page.headings(chain_top - 1, FIRST + len(SPELLINGS) + 1, "piece", "id")
    ids = page.constants(chain_top, FIRST + len(SPELLINGS) + 2, list(IDS.values()), down=True)
    for row, (rank, parts) in enumerate(MERGES.items(), start=chain_top + 1):
        page.write(row, 2, " + ".join(parts), "mathematics")
        page.write(row, 3, rank, "index")
    for index in range(len(SPELLINGS)):
        column = FIRST + index
        word = Range(page.area(top, column))
        state = page.show(f"strawberry.{index}.0", chain_top, column, spelling(word), "pieces")
        for row, (a, b) in enumerate(MERGES.values(), start=1):
            merged = call("SUBSTITUTE", state, f" {a}  {b} ", f" {a}{b} ")
            area = page.area(chain_top + row, column)
            page.compute(area, merged, "pieces")
            state = Range(area)
        page.show(f"strawberry.{index}.tokens", top + 1, column, plus(state), "live")
        page.show(f"strawberry.{index}.count", top + 2, column, n_parts(state), "integer left")
        numbers = []
        for place in range(1, MOST_PARTS + 1):
            here = part(state, Number(place))
            number = call("SUM", call("EXACT", Range(pieces), here) * ids)
            numbers.append(when(here.equals(""), "", join(" ", number)))
        page.show(f"strawberry.{index}.ids", top + 3, column, call("TRIM", join(*numbers)), "text")
        r = call("LEN", word) - call("LEN", call("SUBSTITUTE", word, "r", ""))
        page.show(f"strawberry.{index}.r", top + 4, column, r, "integer left")
    page.row = chain_top + len(MERGES) + 2
