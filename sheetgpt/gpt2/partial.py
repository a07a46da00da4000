"""Tokens that hold parts of characters: byte-level tokens may begin or end inside of one.

Tokens with control characters count among them, for a cell shows those by another sign.

Source of the bit layout: RFC 3629, "UTF-8, a transformation format of ISO 10646", section 3.
"""

import re
from codecs import getincrementaldecoder
from dataclasses import dataclass

from sheetgpt.gpt2.tokens import Tokenizer

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffd-\uffff]")
MOST_LEAD = 3  # bytes that can continue one character


@dataclass(frozen=True)
class Partial:
    """A token that is not a text of its own.

    lead: how many bytes at its start can only continue a character; bits: what the first three
        of them hold, six bits each.
    text: the whole characters behind them; bytes that never become one are U+FFFD.
    need: how many bytes a character that begins at the end is missing; value: its bits so far.
    """

    id: int
    lead: int
    bits: int
    text: str
    need: int
    value: int

    @property
    def is_all_lead(self) -> bool:
        return not self.text and not self.need


def partial_tokens(tokenizer: Tokenizer) -> list[Partial]:
    """Every such token, in the order of the ids."""
    every = (_split(i, tokenizer.token_bytes(i)) for i in range(len(tokenizer.tokens)))
    return [each for each in every if each.lead or each.need or _UNSEEN.search(each.text)]


def _split(token_id: int, data: bytes) -> Partial:
    lead = next((i for i, byte in enumerate(data) if not 0x80 <= byte < 0xC0), len(data))
    bits = 0
    for byte in data[: min(lead, MOST_LEAD)]:
        bits = bits * 64 + byte % 64
    decoder = getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(data[lead:])
    begun, _ = decoder.getstate()
    if not begun:
        return Partial(token_id, lead, bits, text, 0, 0)
    size = 2 if begun[0] < 0xE0 else 3 if begun[0] < 0xF0 else 4
    value = begun[0] % (1 << (7 - size))
    for byte in begun[1:]:
        value = value * 64 + byte % 64
    return Partial(token_id, lead, bits, text, size - len(begun), value)
