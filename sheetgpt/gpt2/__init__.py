"""GPT-2 itself: its configuration, weights, tokens, forward pass and sampling.

Nothing here has heard of a spreadsheet; of sheetgpt it imports `errors` alone.
"""
