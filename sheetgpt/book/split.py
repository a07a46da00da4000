"""On the tab `reasons`: one head's vote, token by token that it looked at."""

from sheetgpt.book.book import Blank, Diverging
from sheetgpt.book.looks import heading_over
from sheetgpt.book.page import FIRST
from sheetgpt.book.reasons import ReasonsPage, signed
from sheetgpt.book.rules import beside, is_blank
from sheetgpt.formula.expr import Range, call, when
from sheetgpt.gpt2.config import Config
from sheetgpt.steps import reasons
from sheetgpt.steps.mathematics import total

COLUMNS = {"weight": "attention", "value": "vote", "vote": "vote"}  # and their looks


def split_page(votes: ReasonsPage, config: Config) -> None:
    """Below the table of votes: the head that one chooses, by default the strongest.

    A head's vote is a sum over the tokens it read from: the weight that it gave to each, times
    what that token's value is worth once it has gone through the output projection.
    """
    page, seen, label = votes.page, votes.seen, votes.page.words.label
    page.row = votes.below
    page.heading(page.words.step("reasons.split"))
    for row, (name, most) in enumerate(
        {"block": config.n_layer, "head": config.n_head}.items(), start=page.row
    ):
        cell = page.define(f"reasons.{name}", page.area(row, 2)).area
        page.blanks.append(Blank(cell, "control"))
        page.allow(cell, name, "whole", 0, most - 1)
        page.write(row, FIRST, label(f"reasons {name}"), "note")
        page.define(f"reasons.split.{name}", page.area(row, 1))
    page.row += 2
    sentence = page.define("reasons.split.sentence", page.area(page.row, 2)).area
    top = page.row + 3
    for column, (name, look) in enumerate(COLUMNS.items(), start=FIRST):
        page.write(top - 2, column, label(f"column split {name}"), heading_over(look))
        page.define(f"reasons.split.{name}", page.area(top, column, votes.context))
    page.count(top, votes.context, first=1)
    numbers = page.area(top, 1, votes.context)
    page.rule(numbers, is_blank(beside(numbers, 2)), "no token")
    sum_ = page.define("reasons.split.total", page.area(top - 1, FIRST + 2)).area
    page.write(sum_.top, 2, label("votes total"), "text")
    _choose(votes, config)
    _worth(votes, config)
    block, head = (votes.cell(f"split.{name}") for name in ("block", "head"))
    weights = reasons.chosen(block, votes.of_blocks("attn.weights"))
    values = reasons.chosen(block, votes.of_blocks("attn.v"))
    for index in range(votes.context):
        number = Range(page.area(top + index, 1))
        weight, value, vote = (votes.cell(f"split.{each}").area.row(index) for each in COLUMNS)
        place = head * votes.context + number
        trees = {
            page.area(top + index, 2): (Range(seen.prompt.text.area.row(index)), "token"),
            weight: (call("INDEX", weights, votes.cell("number"), place), "attention"),
            value: (total(call("INDEX", values, number, 0) * votes.cell("split.reads")), "vote"),
            vote: (Range(weight) * Range(value), "vote"),
        }
        is_seen = number <= votes.cell("number")
        for area, (tree, look) in trees.items():
            page.compute(area, when(is_seen, tree, ""), look)
    all_votes = votes.cell("split.vote")
    page.compute(sum_, votes.shown(total(all_votes)), "vote")
    page.heat.append(votes.cell("split.weight").area)
    page.diverging.append(Diverging(all_votes.area, votes.cell("scale").area))
    said = page.words.sentence(
        "split sentence", block=block, head=head, vote=signed(Range(sum_)),
        target=votes.cell("target"),
    )  # fmt: skip
    page.compute(sentence, votes.shown(said), "live")


def _choose(votes: ReasonsPage, config: Config) -> None:
    """The head that was typed, if there is one like that, else the one with the largest vote."""
    block, head = votes.cell("block"), votes.cell("head")
    is_there = call(
        "AND",
        call("COUNT", block, head).equals(2),
        block >= 0, block < config.n_layer, head >= 0, head < config.n_head,
    )  # fmt: skip
    best = votes.cell("best")
    n_parts = config.n_head + 1
    for name, tree in {
        "block": when(is_there, call("INT", block), call("INT", best / n_parts)),
        "head": when(is_there, call("INT", head), call("MOD", best, n_parts)),
    }.items():
        votes.page.compute(votes.cell(f"split.{name}").area, votes.shown(tree), "integer")


def _worth(votes: ReasonsPage, config: Config) -> None:
    """What each number of a value is worth through this head: nothing in another's columns."""
    block, head = votes.cell("split.block"), votes.cell("split.head")
    reads = call("INDEX", votes.cell("reads"), block + 1, 0)
    switch = call("INDEX", Range(votes.page.names["switches.heads"]), block + 1, head + 1)
    tree = switch * reads * votes.cell("split.heads").equals(head)
    votes.page.compute(votes.cell("split.reads").area, votes.shown(tree), "number")
