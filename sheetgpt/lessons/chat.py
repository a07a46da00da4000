"""The lesson `to a chat model`: what is done with a GPT-2 before it answers; text only."""

from sheetgpt.lessons.lesson import Lesson

# Each with the paper that it is best known from.
STAGES = {
    "pretraining": "Radford et al. 2019, Language Models are Unsupervised Multitask Learners",
    "examples": "Wei et al. 2021, Finetuned Language Models Are Zero-Shot Learners",
    "preferences": "Ouyang et al. 2022, Training language models to follow instructions with human "
    "feedback",
    "direct": "Rafailov et al. 2023, Direct Preference Optimization",
    "reinforcement": "DeepSeek-AI 2025, DeepSeek-R1",
}
CHANGES = {
    "positions": "Su et al. 2021, RoFormer: Enhanced Transformer with Rotary Position Embedding",
    "normalisation": "Zhang and Sennrich 2019, Root Mean Square Layer Normalization",
    "activation": "Shazeer 2020, GLU Variants Improve Transformer",
    "heads": "Ainslie et al. 2023, GQA: Training Generalized Multi-Query Transformer Models",
    "experts": "Fedus, Zoph and Shazeer 2021, Switch Transformers",
    "data": "Hoffmann et al. 2022, Training Compute-Optimal Large Language Models",
}


def chat(page: Lesson) -> None:
    page.widths |= {2: 24, 3: 62, 4: 62, 5: 70}
    page.section("stages")
    page.row += 1
    _table(page, STAGES, ("stage", "sees", "learns", "paper"))
    page.section("changes")
    page.row += 1
    _table(page, CHANGES, ("part", "in gpt-2", "today", "paper"))
    page.section("same")


def _table(page: Lesson, papers: dict[str, str], headings: tuple[str, ...]) -> None:
    page.headings(page.row, 2, *headings, look="heading")
    for key, paper in papers.items():
        page.row += 1
        page.write(page.row, 2, page.label(key), "live")
        page.write(page.row, 3, page.label(f"{key} {headings[1]}"), "text")
        page.write(page.row, 4, page.label(f"{key} {headings[2]}"), "text")
        page.write(page.row, 5, paper, "why")
    page.row += 3
