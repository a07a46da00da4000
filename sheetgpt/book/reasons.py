"""The tab `reasons`: what each part of the model has to say for a token, or rather than another."""

from dataclasses import dataclass, replace

import numpy as np

from sheetgpt.book.book import Blank, Diverging
from sheetgpt.book.looks import heading_over
from sheetgpt.book.page import FIRST, Page
from sheetgpt.book.prompt import Prompt
from sheetgpt.book.records import STRONGEST
from sheetgpt.formula.cells import Area
from sheetgpt.formula.expr import EACH, Expr, Like, Range, call, expr, fixed, join, when
from sheetgpt.gpt2.config import Config
from sheetgpt.steps import attention, reasons
from sheetgpt.steps.head import Head
from sheetgpt.steps.mathematics import mean, sqrt, total, var
from sheetgpt.steps.step import Weights

# What is to be explained, as it is at first.
INPUTS: dict[str, str | float] = {"position": 0, "token": "", "other": "", "rather": 1}
SENTENCE, TOP = 9, 13  # the rows of the sentences, and where the parts begin
SUMMANDS = ("text", "position", "heads", "mlp", "biases", "constant", "total", "logit", "gap")
WORKING = (
    "number", "token.match", "token.id", "other.match", "other.id", "versus", "target", "deviation",
    "scale", "best",
)  # fmt: skip
WIDE = {"apart": 1, "scaled": 1, "direction": 1, "reads": 0, "split.reads": 1}  # 0: of all blocks
WIDTH = 11  # of a column, in characters


@dataclass(frozen=True)
class ReasonsInputs:
    """What the votes are about. ids, texts: of the vocabulary, one below the other."""

    prompt: Prompt
    head: Head
    weights: Weights
    epsilon: Range
    ids: Range
    texts: Range


class ReasonsPage:
    """All of it is of one token of the text: the one whose next token is to be explained.

    It is laid out first, from top to bottom; what computes stands below what is to be seen.
    """

    def __init__(self, page: Page, config: Config, context: int, seen: ReasonsInputs) -> None:
        self.page, self.seen, self.context = page, seen, context
        self.blocks, self.heads, self.wide = config.n_layer, config.n_head, config.n_embd
        page.widths |= {FIRST + column: WIDTH for column in range(self.heads + 3)}
        self._inputs()
        page.row = TOP
        self.ranks = self._list(min(STRONGEST, self.blocks * (self.heads + 1)))
        self.table = self._table()
        self.sum = self._sum()
        self.below = page.row  # where the head that one chooses has its place
        page.row += context + 12
        self._working()
        self._choice()
        self.pair = reasons.Pair(*(self.cell(n) for n in ("token.id", "other.id", "versus")))
        self._direction()
        self._vote()
        self._rank()

    def cell(self, name: str) -> Range:
        return fixed(Range(self.page.names[f"reasons.{name}"]))

    def shown(self, tree: Expr) -> Expr:
        """Nothing, where there is no token."""
        return when(self.cell("number").equals(0), "", tree)

    def link(self, block: int, head: int) -> Area:
        """Where a head has its panel: its attention weights; behind the last, the MLP."""
        names = self.page.names
        if head == self.heads:
            return names[f"h.{block}.mlp.c_proj"].cell(0, 0)
        return names[f"h.{block}.attn.weights"].cell(0, head * self.context)

    def of_blocks(self, step: str) -> list[Range]:
        names = (f"h.{block}.{step}" for block in range(self.blocks))
        return [Range(self.page.names[name], name) for name in names]

    # --- where things stand ----------------------------------------------------------------------

    def _inputs(self) -> None:
        page, label = self.page, self.page.words.label
        for row, (name, value) in enumerate(INPUTS.items(), start=5):
            area = page.define(f"reasons.{name}", page.area(row, 2)).area
            if value == "":
                page.blanks.append(Blank(area, "choice"))
            else:
                page.write(row, 2, value, "control")
            page.write(row, FIRST, label(f"reasons {name}"), "note")
        page.allow(self.cell("position").area, "chosen", "whole", 0, self.context)
        page.allow(self.cell("rather").area, "rather", "whole", 0, 1)
        page.cursor = self.cell("token").area

    def _list(self, length: int) -> Area:
        """The strongest votes: ranks in column A, votes in B, sentences behind them."""
        page = self.page
        page.heading(page.words.step("reasons.strongest"))
        for column, (heading, look) in enumerate({"vote": "vote", "sentence": "reason"}.items(), 2):
            page.write(page.row, column, page.words.label(f"column {heading}"), heading_over(look))
            page.define(f"reasons.strongest.{heading}", page.area(page.row + 1, column, length))
        ranks = page.count(page.row + 1, length, first=1)
        page.row = ranks.bottom + 2
        return ranks

    def _table(self) -> Area:
        """A row for each block; a column for each head, the MLP, and the projection's bias."""
        page, label = self.page, self.page.words.label
        heads, reads = (
            Range(page.names["h.0.attn.heads"].row(0), name, EACH)
            for name in ("attn.heads", "reasons.reads")
        )
        page.heading(page.words.step("reasons.heads"), total(heads * reads))
        marks = [*(label("head", number=h) for h in range(self.heads)), label("mlp"), label("bias")]
        for column, mark in enumerate(marks, start=FIRST):
            page.write(page.row, column, mark, "token heading")
        area = page.area(page.row + 1, FIRST, self.blocks, self.heads + 2)
        page.count(area.top, self.blocks)
        page.define("reasons.heads", area.columns(0, self.heads))
        page.define("reasons.mlp", area.columns(self.heads, self.heads + 1))
        page.define("reasons.biases", area.columns(self.heads + 1, self.heads + 2))
        for block in range(self.blocks):
            to = page.names[f"h.{block}.attn.weights"]
            page.write(area.top + block, 2, to.tab, "link", to.cell(0, 0))
        page.row = area.bottom + 2
        return area

    def _sum(self) -> Area:
        page = self.page
        page.heading(page.words.step("reasons.total"))
        area = page.area(page.row, FIRST, len(SUMMANDS))
        for row, name in enumerate(SUMMANDS):
            page.write(area.top + row, 2, page.words.label(f"votes {name}"), "text")
        page.define("reasons.embeddings", area.rows(0, 2))
        page.define("reasons.parts", area.rows(2, 5))
        for row, name in enumerate(SUMMANDS[5:], start=5):
            page.define(f"reasons.{name}", area.row(row))
        page.row = area.bottom + 2
        return area

    def _working(self) -> None:
        """What the votes are computed with; it folds away."""
        page, first = self.page, self.page.row
        page.heading(page.words.step("reasons.direction"))
        for name in WORKING:
            page.define(f"reasons.{name}", page.area(page.row, FIRST))
            page.write(page.row, 2, f"reasons.{name}", "note")
            page.row += 1
        for name, rows in WIDE.items():
            rows = rows or self.blocks
            page.define(f"reasons.{name}", page.area(page.row, FIRST, rows, self.wide))
            page.write(page.row, 2, f"reasons.{name}", "note")
            page.row += rows
        of_columns = np.arange(self.wide) // (self.wide // self.heads)
        page.fill(page.row, FIRST, of_columns, "index", "reasons.split.heads")
        page.row += 2
        for name in ("strongest.size", "strongest.part"):
            page.write(page.row, FIRST, f"reasons.{name}", "note")  # a text is equal to no vote
            page.define(f"reasons.{name}", page.area(page.row + 1, FIRST, self.ranks.shape[0]))
            page.row += self.ranks.shape[0] + 1
        place = page.define("reasons.place", page.area(page.row, FIRST, *self._shape(0))).area
        page.write(page.row, 2, "reasons.place", "note")
        page.row = place.bottom + 2
        parts = np.arange(self.blocks * (self.heads + 1)).reshape(self._shape(1))
        self.numbers = page.fill(page.row, FIRST, parts, "index")
        page.row = self.numbers.area.bottom + 1
        page.row_groups.append((first, page.row))

    def _shape(self, more: int) -> tuple[int, int]:
        return self.blocks, self.heads + more

    # --- what they hold --------------------------------------------------------------------------

    def _compute(self, name: str, tree: Expr, look: str = "formula plain") -> None:
        self.page.compute(self.cell(name).area, self.shown(tree), look)

    def _choice(self) -> None:
        """Which token of the text, which of the vocabulary, and which other."""
        names, seen, typed = self.page.names, self.seen, self.cell("position")
        n_tokens, n_vocab = seen.prompt.n_tokens, seen.texts.area.shape[0]
        last = n_tokens + call("COUNT", Range(names["choice.id"])) - 1
        there = call("AND", typed >= n_tokens, typed <= last)
        number = when(there, call("INT", typed), n_tokens)
        self.page.compute(self.cell("number").area, number, "formula plain")
        logits = call("INDEX", Range(names["logits"]), 0, self.cell("number"))
        usual = {
            "token": reasons.likeliest(logits, seen.ids),
            "other": reasons.next_likeliest(logits, seen.ids, self.cell("token.id")),
        }
        for name, otherwise in usual.items():
            found = reasons.typed_id(self.cell(name), seen.texts, seen.ids)
            self._compute(f"{name}.match", found)
            match = self.cell(f"{name}.match")
            found = when(match < 2 * n_vocab, call("MOD", match, n_vocab), otherwise)
            self._compute(f"{name}.id", found)
        is_alone = call("AND", call("ISNUMBER", self.cell("rather")), self.cell("rather") <= 0)
        self._compute("versus", when(is_alone, 0, 1))
        self._sentences(n_vocab)

    def _sentences(self, n_vocab: int) -> None:
        """What is explained, in words, and what was typed that is no token."""
        page, words, texts = self.page, self.page.words, self.seen.texts
        token, other = (call("INDEX", texts, self.cell(f"{n}.id") + 1) for n in ("token", "other"))
        rather = words.sentence("votes rather", token=token, other=other)
        alone = words.sentence("votes alone", token=token)
        self._compute("target", when(self.cell("versus").equals(0), alone, rather), "text")
        sentence = words.sentence(
            "reasons sentence",
            number=self.cell("number"),
            last=call("INDEX", self.seen.prompt.text, self.cell("number")),
            target=self.cell("target"),
        )
        page.define("reasons.sentence", page.area(SENTENCE, 2))
        self._compute("sentence", sentence, "live")
        page.define("reasons.message", page.area(SENTENCE + 1, 2))
        message: Expr = expr("")
        for name in ("other", "token"):
            typed, none = self.cell(name), self.cell(f"{name}.match").equals(2 * n_vocab)
            is_wrong = call("AND", call("LEN", typed) > 0, none)
            message = when(is_wrong, words.sentence("reasons unknown", text=typed), message)
        self._compute("message", message, "message")

    def _direction(self) -> None:
        """The direction in which all votes are measured, and what a head's numbers are worth."""
        seen = self.seen
        last = self.of_blocks("mlp.residual")[-1]
        x = call("INDEX", last, self.cell("number"), 0)
        self._compute("deviation", sqrt(var(x) + seen.epsilon))
        self._compute("apart", reasons.apart(seen.head, self.pair), "number")
        scaled = self.cell("apart") * seen.weights["ln_f.g"] / self.cell("deviation")
        self._compute("scaled", scaled, "number")
        self._compute("direction", self.cell("scaled") - mean(self.cell("scaled")), "number")
        for block in range(self.blocks):
            c_proj = seen.weights[f"h.{block}.attn.c_proj.w"]
            tree = reasons.reads(self.cell("direction"), c_proj)
            row = self.cell("reads").area.row(block)
            self.page.compute(row, self.shown(tree), "number")

    def _vote(self) -> None:
        """Every part's vote, and their sum beside the logit."""
        page, seen, number = self.page, self.seen, self.cell("number")
        direction, width = self.cell("direction"), self.wide // self.heads

        def votes(row: Expr, worth: Expr) -> Expr:
            return self.shown(total(row * worth))

        def own(step: Range) -> Expr:
            return call("INDEX", step, number, 0)

        for block in range(self.blocks):
            reads, place = self.cell("reads").area.row(block), self.cell("place").area
            heads, weights = (page.names[f"h.{block}.attn.{each}"] for each in ("heads", "weights"))
            for head in range(self.heads):
                start, stop = head * width, (head + 1) * width
                row = own(Range(heads.columns(start, stop)))
                tree, to = votes(row, Range(reads.columns(start, stop))), self.link(block, head)
                page.compute(self.table.cell(block, head), tree, "vote", to)
                seen_by = Range(weights.columns(head * self.context, (head + 1) * self.context))
                largest = attention.strongest(seen_by, number)
                where = attention.place(seen_by, number, largest, seen.prompt.number)
                page.compute(place.cell(block, head), self.shown(where), "integer")
            mlp = self.of_blocks("mlp.c_proj")[block]
            to = self.link(block, self.heads)
            cells = self.table.row(block).columns(self.heads, self.heads + 2)
            page.compute(cells.columns(0, 1), votes(own(mlp), direction), "vote", to)
            page.compute(
                cells.columns(1, 2),
                votes(seen.weights[f"h.{block}.attn.c_proj.b"], direction),
                "vote",
            )
        sums: list[Expr] = [
            total(own(Range(page.names[f"embed.{each}"])) * direction)
            for each in ("text", "position")
        ]
        sums += [total(self.cell(name)) for name in ("heads", "mlp", "biases")]
        bias = seen.weights["ln_f.b"]
        sums.append(reasons.constant(seen.head, self.pair, self.cell("apart"), bias))
        sums.append(total(Range(self.sum.rows(0, 6))))
        logits = Range(page.names["logits"])
        sums.append(self.pair.gap(lambda token: call("INDEX", logits, token + 1, number)))
        sums.append(self.cell("total") - self.cell("logit"))
        for index, summand in enumerate(sums):
            look = "gap" if SUMMANDS[index] == "gap" else "vote"
            page.compute(self.sum.row(index), self.shown(summand), look)
        largest = call("MAX", call("MAX", Range(self.table)), -call("MIN", Range(self.table)))
        self._compute("scale", largest)
        of_heads = self.cell("heads")
        numbers = Range(self.numbers.area.columns(0, self.heads))
        best = when(of_heads.equals(call("MAX", of_heads)), numbers, "")
        self._compute("best", call("MIN", best))
        scale = self.cell("scale").area
        strongest = self.cell("strongest.vote").area
        page.diverging += [
            Diverging(area, scale) for area in (self.table, self.sum.rows(0, 6), strongest)
        ]

    def _rank(self) -> None:
        """The strongest votes, for or against, and what they say in words."""
        page, parts = self.page, Range(self.table.columns(0, self.heads + 1))
        for index in range(self.ranks.shape[0]):
            size, part, vote, sentence = (
                self.cell(f"strongest.{name}").area.row(index)
                for name in ("size", "part", "vote", "sentence")
            )
            rank, above = Range(self.ranks.row(index)), replace(size, top=size.top - index - 1)
            above = replace(above, bottom=size.top - 1)
            trees = {
                size: (reasons.largest_part(parts, rank), "formula plain"),
                part: (
                    reasons.part_of(
                        parts, Range(size), self.numbers, Range(above).equals(Range(size))
                    ),
                    "formula plain",
                ),
                vote: (self._at(parts, Range(part)), "vote"),
                sentence: (self._in_words(Range(part), Range(vote)), "reason"),
            }
            for cell, (tree, look) in trees.items():
                page.compute(cell, self.shown(tree), look)

        best = self.cell("best")
        said = self.page.words.sentence(
            "votes best head",
            block=call("INT", best / (self.heads + 1)),
            head=call("MOD", best, self.heads + 1),
            other=call("INDEX", self.seen.prompt.text, self._at(self.cell("place"), best)),
            vote=signed(call("MAX", self.cell("heads"))),
            target=self.cell("target"),
        )
        page.define("reasons.why", page.area(SENTENCE + 2, 2))
        self._compute("why", said, "live")

    def _at(self, grid: Range, part: Expr) -> Expr:
        block = call("INT", part / (self.heads + 1))
        return call("INDEX", grid, block + 1, call("MOD", part, self.heads + 1) + 1)

    def _in_words(self, part: Range, vote: Range) -> Expr:
        words, head = self.page.words, call("MOD", part, self.heads + 1)
        looks_at = call("INDEX", self.seen.prompt.text, self._at(self.cell("place"), part))
        parts: dict[str, Like] = {
            "block": call("INT", part / (self.heads + 1)),
            "vote": signed(vote),
            "target": self.cell("target"),
        }
        of_head: dict[str, Like] = {**parts, "head": head, "other": looks_at}
        is_for, is_mlp = vote >= 0, head.equals(self.heads)
        return when(
            is_mlp,
            when(
                is_for,
                words.sentence("votes mlp for", **parts),
                words.sentence("votes mlp against", **parts),
            ),
            when(
                is_for,
                words.sentence("votes head for", **of_head),
                words.sentence("votes head against", **of_head),
            ),
        )


def signed(vote: Expr) -> Expr:
    """A vote in a sentence: with its sign, and two digits behind the point."""
    return join(when(vote < 0, "−", "+"), call("ROUND", call("ABS", vote), 2))
