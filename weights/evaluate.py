"""Asks the finished model the grammar's questions, and looks where its attention heads look."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

import torch
from grammar import FAMILIES, SHOWCASE, Question, evaluation_set
from model import Weights, attention_weights, logits
from tokenizers import Tokenizer
from torch import Tensor
from vocabulary import END_OF_TEXT

N_HEAD = 4

# A head is looked for by the token that reads and the token that it reads from.
HEADS_PROMPT = "Mike is quick. He moves"
HEADS = ((" He", "Mike"), (" moves", " quick"))


def starts(tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """A prompt may stand alone, or follow the token that ends the document before it."""
    return [], tokenizer.encode(END_OF_TEXT).ids


@torch.no_grad()
def last_logits(weights: Weights, prompts: Sequence[list[int]], batch: int = 256) -> Tensor:
    """Token ids of prompts -> [len(prompts), n_vocab], the logits after each prompt's last."""
    found = []
    for first in range(0, len(prompts), batch):
        some = prompts[first : first + batch]
        longest = max(map(len, some))
        # What stands behind a prompt cannot change it: attention only looks back.
        ids = torch.tensor([prompt + [0] * (longest - len(prompt)) for prompt in some])
        ends = torch.tensor([len(prompt) - 1 for prompt in some])
        found.append(logits(weights, ids, N_HEAD)[torch.arange(len(some)), ends])
    return torch.cat(found)


def ask(weights: Weights, tokenizer: Tokenizer, questions: Sequence[Question]) -> dict[str, Any]:
    """Every question with both starts: how many are right, and by how much.

    A margin is the probability of the right token over that of the likeliest other one, so the
    answer is right when its margin is above 1.
    """
    prompts, answers, asked = [], [], []
    for prompt, answer in questions:
        for start in starts(tokenizer):
            prompts.append(start + tokenizer.encode(prompt).ids)
            answers.append(tokenizer.encode(answer).ids[0])
            asked.append((END_OF_TEXT if start else "") + prompt)
    scores, rows = last_logits(weights, prompts), torch.arange(len(prompts))
    right = scores[rows, answers].clone()
    scores[rows, answers] = -torch.inf
    margins = (right - scores.amax(dim=1)).double().exp().tolist()
    n_right = sum(margin > 1 for margin in margins)
    return {
        "prompts": len(prompts),
        "right": n_right,
        "accuracy": round(n_right / len(prompts), 4),
        "smallest_margin": round(min(margins), 2),
        "median_margin": round(median(margins), 1),
        "hardest_prompt": asked[margins.index(min(margins))],
    }


def ask_all_families(weights: Weights, tokenizer: Tokenizer) -> dict[str, Any]:
    """Accuracy and margins of each family, with held-out combinations reported beside."""
    report = {}
    for family in FAMILIES:
        report[family.name] = {"shown": ask(weights, tokenizer, evaluation_set(family))}
        if family.held_out:
            held_out = ask(weights, tokenizer, evaluation_set(family, held_out=True))
            report[family.name]["held_out"] = {"what": family.held_out, **held_out}
    return report


def ask_showcase(weights: Weights, tokenizer: Tokenizer) -> dict[str, Any]:
    return {
        prompt: {
            "answer": answer,
            "smallest_margin": ask(weights, tokenizer, [Question(prompt, answer)])[
                "smallest_margin"
            ],
            "goes_on": complete(weights, tokenizer, prompt),
        }
        for prompt, answer in SHOWCASE
    }


def complete(weights: Weights, tokenizer: Tokenizer, prompt: str, n_tokens: int = 24) -> str:
    """The likeliest continuation, up to the end of the document."""
    ids = tokenizer.encode(prompt).ids
    n_prompt, end = len(ids), tokenizer.token_to_id(END_OF_TEXT)
    while len(ids) < n_prompt + n_tokens and ids[-1] != end:
        ids = [*ids, int(last_logits(weights, [ids]).argmax())]
    return tokenizer.decode(ids[n_prompt:], skip_special_tokens=False)


@torch.no_grad()
def look_at_heads(weights: Weights, tokenizer: Tokenizer) -> list[dict[str, Any]]:
    """For each pair of tokens, the head that reads most plainly from the one to the other.

    The same head is measured again where the token that is read does not open the text: behind
    `<|endoftext|>`, and behind somebody else's sentence. A head that merely looks at the first
    token fails there, so the head is chosen by its smallest weight over all three.
    """
    report = []
    settings = ("", END_OF_TEXT, "Sara is quiet. ")
    for reader, source in HEADS:
        seen = []
        for before in settings:
            encoding = tokenizer.encode(before + HEADS_PROMPT)
            words = [tokenizer.decode([index]) for index in encoding.ids]
            row = words.index(reader)
            column = max(i for i, word in enumerate(words) if word.strip() == source.strip())
            seen.append(attention_weights(weights, torch.tensor(encoding.ids), N_HEAD))
            seen[-1] = seen[-1][:, :, row, column]  # [n_layer, n_head]
        every = torch.stack(seen)
        best = int(every.amin(dim=0).argmax())
        report.append(
            {
                "from": reader,
                "to": source,
                "block": best // N_HEAD,
                "head": best % N_HEAD,
                "weight": round(float(every[0].flatten()[best]), 4),
                "weight_after_end_of_text": round(float(every[1].flatten()[best]), 4),
                "weight_after_another_sentence": round(float(every[2].flatten()[best]), 4),
            }
        )
    return report
