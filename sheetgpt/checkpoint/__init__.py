"""The forms that models come in: files, dialects, vocabularies, the hub.

Nothing here has heard of a spreadsheet.
"""
