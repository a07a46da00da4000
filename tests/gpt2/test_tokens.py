"""The tokenizer against Hugging Face's `tokenizers`, with small vocabularies and GPT-2's own."""

import json
import random

import pytest
import regex
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Split

from sheetgpt.checkpoint.vocabulary import from_files, from_tokenizer_json
from sheetgpt.gpt2.tokens import SPELLING, WORD, Tokenizer, bytes_to_unicode

CHOSEN = [
    "",
    " ",
    "Mike is quick. He moves",
    "reindeer reinjury",
    "We've they'll I'm he'd it's can't you're",
    "WE'VE THEY'LL I'M HE'D IT'S CAN'T YOU'RE",
    "''s 's' 'sx 'll'll it''s 'l 'r",
    "a  b   c    d",
    "  two before,  two after  ",
    "tab\tand\ttab\t\tend\t",
    "line\nline\n\nline\r\nline\n ",
    "\x00\x01\x1b[31m\x7f\x85\xa0\u2028\u3000\u200b\ufeff",
    "1 22 333 4,444 5.5 ½ ² ٣ 三 Ⅷ",
    '=1+1 =HYPERLINK("x") ~*? \\ \\\\ "\'"',
    "naïve café Ĝ ﬁ e\u0301 a\u0308\u0304",
    "日本語のテキスト、中文，한국어",
    "Привет, мир! Καλημέρα κόσμε",
    "مرحبا بالعالم שלום עולם नमस्ते ไทย",
    "😀😀 👩‍👩‍👧‍👦 🏳️‍🌈 𝔘𝔫𝔦 𐍈",
    "\U0010ffff \ufffd \ud7ff \ue000",
    "aaaaaaaaaaaaaaaaa aaaaaaaaaaaaaaaa",
    "<|endoftext|> <|endoftext",
    "3.14159265358979323846264338327950288419716939937510",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
]

# What the oracle's older Unicode does not know is left out: there the two must differ.
EVERYTHING = "".join(chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000)


def oracle_finds(pattern):
    """The characters which `tokenizers` finds to match."""
    rest = Split(tokenizers.Regex(pattern), behavior="removed", invert=True)
    return {c for piece, _ in rest.pre_tokenize_str(EVERYTHING) for c in piece}


UNASSIGNED = oracle_finds(r"\p{Cn}+")

PIECES = [
    *(
        "quick",
        " quick",
        "the",
        "'s",
        "'ve",
        "'LL",
        " 1",
        "12",
        "٣",
        "²",
        "é",
        " é",
        "日本",
        "😀",
        "Ġ",
    ),
    *("  ", "\n", " \n ", "\t", "\u3000", "\u0301", "\u200d"),
    *(".", "...", " =", "~*?", "\\", '"', "'"),
]
words = st.sampled_from(PIECES)
characters = st.characters(codec="utf-8").filter(lambda c: c not in UNASSIGNED)
texts = st.one_of(
    st.text(characters), st.lists(st.one_of(words, characters), max_size=30).map("".join)
)


def oracle(tokenizer):
    ids = {token: i for i, token in enumerate(tokenizer.tokens)}
    theirs = tokenizers.Tokenizer(BPE(ids, list(tokenizer.merges)))
    theirs.pre_tokenizer = ByteLevel(add_prefix_space=False)
    theirs.add_special_tokens(list(tokenizer.specials))
    return lambda text: theirs.encode(text).ids


def tables(merges, seed=None):
    """Byte tokens, one token a merge, end of text; ids in that order or shuffled."""
    tokens = [*SPELLING.values(), *dict.fromkeys(a + b for a, b in merges), "<|endoftext|>"]
    if seed is not None:
        random.Random(seed).shuffle(tokens)
    return Tokenizer.from_tables(tokens, merges)


MERGES = [
    *(("Ġ", "t"), ("h", "e"), ("Ġt", "he"), ("q", "u"), ("i", "c"), ("qu", "ic"), ("quic", "k")),
    *(("Ġ", "quick"), ("a", "a"), ("aa", "aa"), ("aaaa", "aaaa"), ("Ġ", "Ġ"), ("ĠĠ", "ĠĠ")),
    *(("Ã", "©"), ("Ġ", "Ã©"), ("æ", "Ĺ"), ("æĹ", "¥"), ("ð", "Ł"), ("'", "s"), ("Ċ", "Ċ")),
]


@pytest.fixture(scope="module")
def small():
    return tables(MERGES)


@pytest.fixture(scope="module")
def shuffled():
    return tables(MERGES, seed=1)


@pytest.fixture(scope="module")
def real(real_tokenizer):
    return from_files(real_tokenizer / "encoder.json", real_tokenizer / "vocab.bpe")


def test_gpt2s_own_ids(real):
    assert real.encode("Mike is quick. He moves") == [16073, 318, 2068, 13, 679, 6100]
    assert real.end_of_text == 50256 and len(real.tokens) == 50257 and len(real.merges) == 50000


def test_reindeer_and_reinjury(real):
    assert [real.tokens[i] for i in real.encode(" reindeer")] == ["Ġre", "ind", "eer"]
    assert [real.tokens[i] for i in real.encode(" reinjury")] == ["Ġrein", "jury"]


@pytest.mark.parametrize("vocabulary", ["small", "shuffled", "real"])
@pytest.mark.parametrize("text", CHOSEN)
def test_chosen_texts(vocabulary, text, request):
    tokenizer = request.getfixturevalue(vocabulary)
    ids = tokenizer.encode(text)
    assert ids == oracle(tokenizer)(text)
    assert tokenizer.decode(ids) == text


@settings(max_examples=500, deadline=None)
@given(text=texts)
def test_random_texts(small, shuffled, text):
    for tokenizer in (small, shuffled):
        ids = tokenizer.encode(text)
        assert ids == oracle(tokenizer)(text)
        assert tokenizer.decode(ids) == text


def test_random_texts_with_gpt2s_own_vocabulary(real):
    theirs = oracle(real)

    @settings(max_examples=1000, deadline=None)
    @given(text=texts)
    def compare(text):
        assert real.encode(text) == theirs(text)
        assert real.decode(real.encode(text)) == text

    compare()


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_random_vocabularies(data):
    """Any well-formed list of merges, ids in any order, with many ties and overlaps."""
    parts = ["a", "b", "Ġ"]
    merges = []
    for _ in range(data.draw(st.integers(0, 15))):
        pair = data.draw(st.tuples(st.sampled_from(parts), st.sampled_from(parts)))
        if pair not in merges and "".join(pair) not in parts:
            merges.append(pair)
            parts.append("".join(pair))
    tokenizer = tables(merges, seed=data.draw(st.integers(0, 9)))
    theirs = oracle(tokenizer)
    for _ in range(10):
        text = data.draw(st.text("ab ", max_size=30))
        assert tokenizer.encode(text) == theirs(text)


@pytest.mark.parametrize("pattern", [r"\p{L}+", r"\p{N}+", r"\s+"])
def test_classes_of_characters_over_all_of_unicode(pattern):
    ours = {c for piece in regex.findall(pattern, EVERYTHING) for c in piece}
    assert ours - UNASSIGNED == oracle_finds(pattern)


def test_words():
    assert WORD.findall("It's  2024,\n\n  I'LL go...  ") == [
        *("It", "'s", " ", " 2024", ",", "\n\n ", " I", "'", "LL", " go", "...", "  "),
    ]


def test_recorded_vocabularies(recorded, expected):
    """The same ids from every form that a vocabulary comes in."""
    if (recorded / "tokenizer.json").exists():
        tokenizer = from_tokenizer_json(recorded / "tokenizer.json")
    else:
        names = ("vocab.json", "merges.txt")
        if (recorded / "encoder.json").exists():
            names = ("encoder.json", "vocab.bpe")
        tokenizer = from_files(*(recorded / name for name in names))
    assert tokenizer.encode(expected["prompt"]) == expected["ids"]


def test_stages_of_a_word(small):
    stages = small.stages("the quick aaaaa")
    assert [word.text for word in stages.words] == ["the", " quick", " aaaaa"]
    quick = stages.words[1]
    assert quick.utf8 == b" quick" and quick.parts == ("Ġ", "q", "u", "i", "c", "k")
    assert [(step.pair, step.rank) for step in quick.rounds] == [
        (("q", "u"), 3),
        (("i", "c"), 4),
        (("qu", "ic"), 5),
        (("quic", "k"), 6),
        (("Ġ", "quick"), 7),
    ]
    # Every occurrence in one round, left to right.
    assert [step.parts for step in stages.words[2].rounds] == [
        ("Ġ", "aa", "aa", "a"),
        ("Ġ", "aaaa", "a"),
    ]
    assert list(stages.ids) == small.encode("the quick aaaaa")


@settings(deadline=None)
@given(text=texts)
def test_stages_hang_together(small, text):
    stages = small.stages(text)
    assert "".join(word.text for word in stages.words) == text
    assert stages.ids == tuple(i for word in stages.words for i in word.ids)
    for word in stages.words:
        assert word.utf8 == word.text.encode()
        states = [word.parts, *(step.parts for step in word.rounds)]
        assert {"".join(parts) for parts in states} == {"".join(SPELLING[b] for b in word.utf8)}
        assert tuple(small.tokens[i] for i in word.ids) == states[-1]
        for step in word.rounds:
            assert small.merges[step.rank] == step.pair


def test_a_long_word_takes_no_time_to_speak_of(small):
    assert len(small.encode("a" * 100_000)) == 12_500


def test_bytes_to_unicode():
    spelling = bytes_to_unicode()
    assert list(spelling) == list(range(256)) and len(set(spelling.values())) == 256
    assert set(spelling.values()) == set(ByteLevel.alphabet())
    assert spelling[0x20] == "Ġ" and spelling[0x0A] == "Ċ" and spelling[0x41] == "A"


def test_bytes_and_text_of_tokens():
    tokens = [*SPELLING.values(), "Ã©", "<|endoftext|>", "[a pad]"]
    tokenizer = Tokenizer.from_tables(tokens, [("Ã", "©")])
    assert tokenizer.token_bytes(256) == "é".encode()
    assert tokenizer.token_bytes(257) == b"<|endoftext|>" and tokenizer.end_of_text == 257
    assert tokenizer.token_bytes(258) == b"[a pad]"
    assert tokenizer.decode([256, 0xE9, 257]) == "é\ufffd<|endoftext|>"
    for outside in (-1, 259):
        with pytest.raises(IndexError):
            tokenizer.token_bytes(outside)


def test_end_of_text_in_a_text_is_plain_text(small):
    assert small.end_of_text not in small.encode("<|endoftext|>")
    assert Tokenizer.from_tables(list(SPELLING.values()), []).end_of_text is None


def test_half_a_surrogate_pair_is_refused(small, refusal):
    text = refusal(lambda: small.encode("ab\ud83d"))
    assert text.startswith("the text's character 3 is U+D83D")


def test_tables_that_cannot_be_are_refused(refusal):
    letters = list(SPELLING.values())
    for tokens, merges, said in (
        (["ab", "<|endoftext|>"], [], "no token spells a single byte"),
        ([*letters, "A"], [], "token 'A' stands twice"),
        (letters, [("a", "b")], "merge 0 ('a', 'b') needs the token 'ab'"),
        ([*letters, "abc"], [("ab", "c")], "merge 0 ('ab', 'c') needs the token 'ab'"),
        ([*letters, "ab"], [("a", "b"), ("a", "b")], "merge 0 ('a', 'b') stands twice"),
    ):
        text = refusal(lambda t=tokens, m=merges: Tokenizer.from_tables(t, m, "vocab.json"))
        assert text.startswith(f"vocab.json: {said}")


def test_reading_real_files_gives_all_tokens(real_tokenizer, real):
    ids = json.loads((real_tokenizer / "encoder.json").read_text(encoding="utf-8"))
    assert all(real.tokens[i] == token for token, i in ids.items())
    assert real.merges[0] == ("Ġ", "t") and real.merges[-1] == ("Ġg", "azed")
