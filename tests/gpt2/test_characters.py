"""The classes of characters against Python's own Unicode database."""

import sys
import unicodedata
from bisect import bisect_right
from itertools import pairwise

import pytest

from sheetgpt.gpt2.characters import CharacterClass, class_runs
from sheetgpt.gpt2.tokens import WORD


def class_of(code: int) -> CharacterClass:
    """What a look-up in the sorted table finds, as a spreadsheet's MATCH does it."""
    runs = class_runs()
    return runs[bisect_right(runs, (code, max(CharacterClass))) - 1][1]


def test_runs_cover_all_of_unicode_in_order() -> None:
    firsts = [first for first, _ in class_runs()]
    assert firsts[0] == 0 and firsts == sorted(set(firsts)) and firsts[-1] <= sys.maxunicode
    kinds = [kind for _, kind in class_runs()]
    assert all(kind != following for kind, following in pairwise(kinds))


def test_classes_are_those_of_unicode() -> None:
    """But for characters younger than Python's database, which has them as unassigned."""
    by_category = {"L": CharacterClass.LETTER, "N": CharacterClass.NUMBER}
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        category = unicodedata.category(character)
        if category == "Cn":
            continue
        wanted = by_category.get(category[0], CharacterClass.OTHER)
        # str.isspace counts the separators U+001C to U+001F, which Unicode's White_Space does not.
        if character.isspace() and not 0x1C <= code <= 0x1F:
            wanted = CharacterClass.SPACE
        assert class_of(code) == wanted, f"U+{code:04X}"


@pytest.mark.parametrize(
    ("character", "kind"),
    [
        ("a", CharacterClass.LETTER),
        ("ǅ", CharacterClass.LETTER),
        ("日", CharacterClass.LETTER),
        ("7", CharacterClass.NUMBER),
        ("½", CharacterClass.NUMBER),
        ("Ⅷ", CharacterClass.NUMBER),
        ("\n", CharacterClass.SPACE),
        ("\xa0", CharacterClass.SPACE),
        ("\u3000", CharacterClass.SPACE),
        ("\x85", CharacterClass.SPACE),
        ("\x1c", CharacterClass.OTHER),
        ("\u200b", CharacterClass.OTHER),
        ("\u0301", CharacterClass.OTHER),
        ("_", CharacterClass.OTHER),
        ("😀", CharacterClass.OTHER),
        ("\ud800", CharacterClass.OTHER),
    ],
)
def test_chosen_characters(character: str, kind: CharacterClass) -> None:
    assert class_of(ord(character)) == kind


def test_neighbours_of_one_class_make_one_word() -> None:
    """The table and the pattern of words agree, wherever one class ends and the next begins."""
    for first, kind in class_runs()[1:]:
        before, here = chr(first - 1), chr(first)
        if class_of(first - 1) != CharacterClass.SPACE != kind:
            assert WORD.findall(before + here) == [before, here], f"U+{first:04X}"
            assert WORD.findall(here + here) == [here + here], f"U+{first:04X}"
