# Two commands matter: `make demo` and `make test`.  Each prepares what it needs by itself.
SHELL := /bin/bash
VENV := .venv
PYTHON := $(VENV)/bin/python
STAMP := $(VENV)/.installed
DISPLAYED := scripts/with-display
# One thread a test process: two processes share two cores, and thread pools fight otherwise.
PYTEST := OMP_NUM_THREADS=1 $(DISPLAYED) $(PYTHON) -m pytest -n 2 --dist loadfile

.PHONY: demo test test-all faults lint format screenshots figures docs clean

demo: $(STAMP) ## segment the sample images, print the scores, write masks and a contact sheet to demo/
	$(VENV)/bin/veinseg demo --output demo

test: $(STAMP) ## the fast tests, the widgets in a real viewer
	$(PYTEST) -m "not slow"

test-all: $(STAMP) ## the slow tests
	$(PYTEST) -m slow

faults: $(STAMP) ## all of the fault suite: hours of kills, bad input and rounds; draws docs/images/reliability.png
	VEINSEG_FAULTS=1 $(PYTEST) tests/faults

lint: $(STAMP) ## style, types, docstrings, floors of the house
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/mypy --config-file scripts/mypy.ini
	$(VENV)/bin/lint-imports
	$(PYTHON) scripts/check_docstrings.py

format: $(STAMP)
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

screenshots: $(STAMP) ## take the pictures of README and docs anew, those of forearms with VEINSEG_DATA
	$(DISPLAYED) $(PYTHON) scripts/screenshots.py docs/images

figures: $(STAMP) ## measure again what README and docs tell of an earlier starter; with VEINSEG_DATA
	$(PYTHON) benchmarks/figures.py

docs: $(STAMP) ## build the API reference in docs/api from the docstrings
	$(PYTHON) scripts/api_reference.py docs/api

$(STAMP): pyproject.toml constraints.txt
	scripts/setup
	touch $@

clean:
	rm -rf $(VENV) demo dist docs/api
