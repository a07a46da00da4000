# `make workbook` and `make test` are all that a newcomer needs; both set up what they use.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WORKBOOK ?= sheetgpt-stories.xlsx
PAGE ?= sheetgpt-stories.html
STORIES ?= stories.txt.xz

.DEFAULT_GOAL := help
.PHONY: help workbook page test check lint bench office pictures nano stories clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ —/'

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

$(VENV)/.linted: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[lint]'
	@touch $@

workbook: $(VENV)/.installed ## build the default workbook and check it
	$(BIN)/sheetgpt build --force -o $(WORKBOOK)
	$(BIN)/sheetgpt check $(WORKBOOK)
	@echo
	@echo "Open $(CURDIR)/$(WORKBOOK) in LibreOffice or Excel, and type into the yellow cell."

page: $(VENV)/.installed ## build the default model as a web page
	$(BIN)/sheetgpt page --force -o $(PAGE)

test: $(VENV)/.installed ## run the tests
	$(BIN)/python -m pytest -n auto --dist worksteal

check: test lint ## tests, lint and types

lint: $(VENV)/.linted ## lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.installed ## time everything beside its peers, also at full size (about an hour)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python benchmarks/shipped.py
	$(BIN)/python benchmarks/full_size.py
	$(BIN)/python benchmarks/growth.py --plot docs/pictures/growth.png

office: $(VENV)/.installed ## recalculate the workbook in LibreOffice and check that
	$(BIN)/sheetgpt build --force -o $(WORKBOOK)
	$(BIN)/sheetgpt check $(WORKBOOK) --engine libreoffice

pictures: $(VENV)/.installed ## take the pictures in docs/pictures again
	$(BIN)/python docs/pictures.py
	$(BIN)/python docs/page_pictures.py

nano: $(VENV)/.installed ## train the model of the tour again (about twenty minutes)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[train]'
	$(BIN)/python weights/train.py

stories: $(VENV)/.installed ## train the default model again (STORIES=its text)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[train]'
	$(BIN)/python weights/train_stories.py --compile --text '$(STORIES)'

clean: ## remove what the other targets made
	rm -rf $(VENV) $(WORKBOOK) $(PAGE) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
