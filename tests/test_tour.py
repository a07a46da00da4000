"""The tour through one prediction: what it tells a class to type does what it says."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sheetgpt.build import CONTEXT
from sheetgpt.checkpoint import checkpoint
from sheetgpt.gpt2.sampling import Controls, complete
from sheetgpt.office import libreoffice as office
from sheetgpt.xlsx.read import Workbook, read

TOUR = (Path(__file__).parents[1] / "docs" / "tour.md").read_text(encoding="utf-8")
PROMPT = "Mike is quick. He moves"


def rows(*headings: str) -> Iterator[list[str]]:
    """The rows of a table of the tour, without the marks around code."""
    _, _, rest = TOUR.partition("| " + " | ".join(headings))
    assert rest, headings
    for line in rest.split("\n")[2:]:
        if not line.startswith("|"):
            return
        yield [
            part.removeprefix(" ").removesuffix(" ").strip("`") for part in line[1:-1].split("|")
        ]


def said(pattern: str) -> tuple[str, ...]:
    """What the tour says, where it says it."""
    found = re.search(pattern, TOUR.replace("\n", " "))
    assert found, pattern
    return found.groups()


@pytest.fixture(scope="module")
def built(nano_workbook: Path) -> Workbook:
    return read(nano_workbook)


@pytest.fixture(scope="module")
def opened(nano_workbook: Path) -> Iterator[office.Office]:
    if not office.is_installed():
        pytest.skip("LibreOffice is not installed")
    with office.opened(nano_workbook) as document:
        document.calculate()
        yield document


def value(document: office.Office, name: str) -> float | str | None:
    return document.read([name])[name][0][0]


def first_text(document: office.Office) -> None:
    document.set({"prompt": PROMPT, "temperature": 0, "seed": 0, "attention.chosen": 0})


def test_texts_to_type(opened):
    first_text(opened)
    for prompt, completion, _ in rows("type", "it goes on with"):
        opened.set({"prompt": prompt})
        assert value(opened, "completion") == completion
    assert f"{said(r'that it is ([0-9.]+) % sure')[0]} %" in str(
        value(opened, "start.likeliest.sentence")
    )


def test_temperatures_and_seeds(opened):
    first_text(opened)
    for temperature, seed, completion in rows("temperature", "seed"):
        opened.set({"temperature": float(temperature), "seed": float(seed)})
        assert value(opened, "completion") == completion
    opened.set({"temperature": 1, "seed": 1})
    found = opened.read(["choice.uniform", "candidates.token", "candidates.from", "candidates.to"])
    number, start, end = said(r"number for the third new token is (\S+), .*? from (\S+) to (\S+)\.")
    assert f"{found['choice.uniform'][7][0]:.3f}" == number.rstrip(",")
    sara = found["candidates.token"].index([" Sara"], 20)
    stretch = (found["candidates.from"][sara][0], found["candidates.to"][sara][0])
    assert tuple(f"{float(str(each)):.3f}" for each in stretch) == (start, end)


def test_the_head_of_names(opened):
    first_text(opened)
    prompt, number = said(r"type `([^`]+)`, set the number on `attention` to (\d+)")
    opened.set({"prompt": prompt, "attention.chosen": float(number)})
    (sentence,) = said(r"the line of block 3: “(.+?\.)”")
    assert opened.read(["attention.sentence"])["attention.sentence"][3] == [sentence]


def percent_of(share: float | str | None) -> str:
    return f"{100 * float(str(share)):.2f}"


def test_who_voted(opened):
    """From the word to the head, and from the head to the token that it looked at."""
    first_text(opened)
    (sentence,) = said(r"on `start` stands: “(.+?sadly”\.)”")
    assert value(opened, "start.why") == sentence
    assert (
        said(r"“ quickly” over “ sadly”, (\S+), which")[0]
        == f"{value(opened, 'reasons.logit'):.2f}"
    )
    found = opened.read(["reasons.mlp", "reasons.heads", "reasons.split.weight", "reasons.total"])
    assert found["reasons.total"][0][0] == pytest.approx(value(opened, "reasons.logit"), abs=1e-9)
    assert said(r"MLP of block 0 votes (\S+)\. It")[0] == f"{found['reasons.mlp'][0][0]:+.2f}"
    weight, worth, vote = said(r"hand:\*\* (\d+) % of (\S+) is (\S+), nearly")
    assert weight == f"{found['reasons.split.weight'][2][0]:.0%}".rstrip("%")
    split = opened.read(["reasons.split.value", "reasons.split.vote"])
    assert worth == f"{split['reasons.split.value'][2][0]:.2f}"
    assert vote == f"{split['reasons.split.vote'][2][0]:.2f}"
    assert said(r"nearly all of the head's (\S+)\. A")[0] == f"{found['reasons.heads'][3][1]:.2f}"
    other, mlp, head = said(
        r"Type `(\w+)` as the other token: .+? to say, (\S+), while head 1 of block 3 has (\S+)\.\)"
    )
    opened.set({"reasons.other": other})
    assert f"{value(opened, 'reasons.mlp'):+.2f}".replace("-", "−") == mlp
    heads = opened.read(["reasons.heads"])["reasons.heads"]
    assert f"{heads[3][1]:+.2f}" == head
    assert value(opened, "reasons.message") == ""
    opened.set({"reasons.other": ""})


def test_what_if_three_heads_were_silent(opened):
    first_text(opened)
    switches = [[1.0] * 4 for _ in range(12)]
    first, one, second, third, word, most, least = said(
        r"cell of block (\d+), head 1\. It says “ quickly” all the same, with (\S+) %\. .*?"
        r"1 of block (\d+), and for head 1 of block (\d+), as well\. Now it says “(.+?)”, "
        r"(\S+) % sure, and “ quickly” has (\S+) % left"
    )
    switches[int(first)][1] = 0.0
    opened.set({"switch.heads": switches})
    assert value(opened, "predicted.token") == " quickly"
    assert percent_of(value(opened, "predicted.probability")) == one
    switches[int(second)][1] = switches[int(third)][1] = 0.0
    opened.set({"switch.heads": switches})
    assert value(opened, "predicted.token") == word
    assert percent_of(value(opened, "predicted.probability")) == most
    assert percent_of(value(opened, "switches.built.now")) == least
    assert str(value(opened, "start.switches")).startswith("3 of the switches")
    assert str(value(opened, "start.checks")).startswith("–")
    opened.set({"switch.heads": [[1.0] * 4 for _ in range(12)]})
    assert value(opened, "start.switches") == ""
    assert value(opened, "predicted.token") == " quickly"


def test_the_product_that_made_it(opened):
    first_text(opened)
    step, block, token, column = said(
        r"choose the step `(\S+)`, block (\d+), token (\d+) and column (\d+)"
    )
    typed = {"block": block, "token": token, "column": column}
    opened.set({f"microscope.{name}": float(number) for name, number in typed.items()})
    opened.set({"microscope.step": step})
    worth, weight, product, total = said(
        r"in this column, (\S+), times the attention that it gets, (\S+), is (\S+)\. "
        r"The sum is (\S+), and"
    )
    names = ("right", "left", "product")
    row = opened.read([f"microscope.{name}" for name in names])
    for name, text in zip(names, (worth, weight, product), strict=True):
        assert f"{row[f'microscope.{name}'][2][0]:.3f}".replace("-", "−") == text
    assert f"{value(opened, 'microscope.equals'):.3f}".replace("-", "−") == total
    assert str(value(opened, "microscope.cell")).startswith("'block 3'!")
    step, head, column = said(r"Choose `(\S+)`, head (\d+), column (\d+) \(` quick`")
    opened.set({"microscope.head": float(head), "microscope.column": float(column)})
    opened.set({"microscope.step": step})
    added, divisor, score = said(r"add up to (\S+), and divided by (\d+) that is (\S+)\. \*")
    lines = [row[0] for row in opened.read(["microscope.line"])["microscope.line"]]
    assert f"{lines[0]:.3f}".replace("-", "−") == added
    assert (lines[1], f"{lines[-1]:.3f}".replace("-", "−")) == (float(divisor), score)
    opened.set({"microscope.column": 1.0})
    other = said(r"`Mike` has (\S+)\. The softmax")[0]
    assert f"{value(opened, 'microscope.equals'):.3f}".replace("-", "−") == other


def test_a_longer_story(opened):
    first_text(opened)
    (count,) = said(r"Set the new tokens on `start` to (\d+)")
    opened.set({"new_tokens": float(count)})
    assert value(opened, "completion") == said(r"to 26\. It goes on with “(.+?)”, and")[0]
    opened.set({"new_tokens": 6})


def test_who_is_alike(built):
    word, nearest = said(r"nearest to “(.+?)” lies “(.+?)”\.")
    (leads,) = said(r"leads nearest to “(.+?)”\.")
    assert built.values.read(built.names["neighbours.word.token"]) == word
    for part, token in (("word", nearest), ("sum", leads)):
        first = built.names[f"neighbours.{part}.nearest.token"].row(0)
        assert built.values.read(first) == token


def test_a_broken_weight(opened):
    """It is the first cell of a matrix, so that it can be reached by a name."""
    first_text(opened)
    old, new = said(r"change `C15` from (\S+) to (\S+)\. `start`")
    assert value(opened, "h.5.attn.c_attn.w") == float(old)
    opened.set({"h.5.attn.c_attn.w": float(new)})
    assert value(opened, "start.checks") == f"✗ {said(r'turns red: “(.+?”[.])”')[0]}"
    assert value(opened, "start.token") == " quickly"
    opened.set({"h.5.attn.c_attn.w": float(old)})
    assert str(value(opened, "start.checks")).startswith("✓")


def test_a_word_with_the_embedding_of_another(nano, built):
    """The rows of the sheet are right; and with them exchanged, the model says so."""
    model = checkpoint.load(nano)
    rows_of = {" slow": said(r"` slow` \((\d+)\)"), " quick": said(r"` quick` \((\d+)\)")}
    slow, quick = (int(rows_of[word][0]) - built.names["wte"].top for word in (" slow", " quick"))
    assert model.tokenizer.encode(" slow quick") == [slow, quick]
    wte = model.weights["wte"].copy()
    wte[quick] = wte[slow]
    ids = model.tokenizer.encode(PROMPT)
    end = model.tokenizer.end_of_text
    written = complete(model.config, {**model.weights, "wte": wte}, ids, 6, end, Controls()).ids
    (text,) = said(r"sheet goes on “(.+?)” What")
    assert model.tokenizer.decode(written) == text


def test_numbers_on_the_tabs(built):
    """In the workbook as it is built; shown with as many digits as the tour has."""

    def at(name: str, row: int, column: int) -> float:
        return float(str(built.values.read(built.names[name].cell(row, column))))

    above, below, total = said(r"`Mike` is (\S+) above and (\S+) below\. .* sum, ([\d.]+)\. From")
    for name, text in (("embed.text", above), ("embed.position", below), ("h.0.input", total)):
        assert f"{at(name, 0, 0):.3f}".replace("-", "−") == text, name
    scores = said(r"its scores are (\S+) and (\S+)\. A")
    for column, text in enumerate(scores):
        assert f"{at('h.0.attn.scores', 1, column):.3f}".replace("-", "−") == text
    assert f"{at('h.0.attn.weights', 1, 0):.0%}" == said(r"is (\d+) %, as step 7")[0] + "%"
    assert f"{at('h.3.attn.weights', 4, CONTEXT):.0%}" == said(r"gives (\d+) % to `Mike`")[0] + "%"
    to_quick = at("h.5.attn.weights", 5, CONTEXT + 2)
    assert f"{to_quick:.0%}" == said(r"(\d+) % of the attention of ` m")[0] + "%"
    for name, text in zip(("c_fc", "gelu"), said(r"13: (\S+) becomes (\S+)\)"), strict=True):
        assert f"{at(f'h.0.mlp.{name}', 0, 8):.3f}".replace("-", "−") == text
    lens = said(r"with (\S+) % at first, (\S+) % after block 6, (\S+) % after block 7 and (\S+) %")
    for block, text in zip((3, 6, 7, 11), lens, strict=True):
        assert f"{100 * at('lens.probability', block, 0):.2f}" == text
    assert f"{100 * at('candidates.before', 20, 0):.2f}" == said(r"taken with (\S+) %")[0]
