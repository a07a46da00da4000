"""`python -m sheetgpt` is `sheetgpt`."""

from sheetgpt.cli import main

main(prog_name="sheetgpt")
