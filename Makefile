# Two commands do everything on a machine with Python 3.11+, git and make:
#
#   make test   every check that CI makes
#   make demo   the main job, on a real body of code
#
# Each first sets up `.venv` in this tree, again only when pyproject.toml has changed.
# The interpreter it is made with: make test PYTHON=python3.13

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTEST := $(BIN)/python -m pytest --durations=15
PROCESSES ?= 2

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

.DEFAULT_GOAL := help
.PHONY: help test demo setup lint types suite docs format benchmarks clean

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

test: lint types suite docs ## every check that CI makes

demo: $(READY) ## one agent per module of a real body of code, merged, reduced
	$(BIN)/python examples/demo.py

setup: $(READY) ## the virtual environment, nothing else

lint: $(READY) ## formatting, lint rules, the floors of the house
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: $(READY) ## mypy and pyright, both strict (basedpyright is pyright with its program inside)
	$(BIN)/mypy
	$(BIN)/basedpyright

suite: $(READY) ## tests, laws, typing tests, and the examples in docstrings
	$(PYTEST) --numprocesses=$(PROCESSES) --dist=worksteal tests property_tests typing_tests src

docs: $(READY) ## every code block of README and docs, page by page from top to bottom
	$(PYTEST) README.md docs

format: $(READY) ## put the tree in the shape that lint wants
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

benchmarks: $(READY) ## each comparison side by side in one process, with the peers installed
	$(BIN)/pip install --quiet --editable '.[peers]'
	for file in benchmarks/[a-z]*.py; do \
	  $(BIN)/python -m "benchmarks.$$(basename "$$file" .py)" || exit 1; done

clean: ## everything that make made
	rm -rf $(VENV) .demo .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: anabranch needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1)"; \
	  echo "hint: name another one, such as: make $(or $(MAKECMDGOALS),test) PYTHON=python3.12"; \
	  exit 1; } >&2
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --editable '.[dev]'
	@touch $@
