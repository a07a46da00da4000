"""GPT-2 itself: its shape, weights, tokens, forward pass and sampling.

Nothing here has heard of a spreadsheet, or of a file; of sheetgpt it imports `errors` alone.
"""
