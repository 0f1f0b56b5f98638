# Needs only make and Python 3.11 or newer. Everything else goes into .venv.
#
#   make run      install what running needs, then serve the demo utility
#   make test     install what testing needs, then run the tests
#   make check    the whole gate, exactly as CI runs it
#
# PYTHON=/path/to/python chooses the interpreter that .venv is made of.

.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
SHELL := /bin/sh

BIN := .venv/bin
RUN_STAMP := .venv/.installed-run
DEV_STAMP := .venv/.installed-dev

# A .venv that was half made, moved, or whose interpreter is gone counts as not installed.
USABLE := $(shell $(BIN)/python -m pip --version >/dev/null 2>&1 && \
	[ "$$(cat .venv/.made-in 2>/dev/null)" = "$(CURDIR)" ] && echo yes)
ifneq ($(USABLE),yes)
.PHONY: .venv/.made-in
endif

.PHONY: help setup run test check format-check lint types imports docs house bench fmt clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(DEV_STAMP) ## Install the project with everything that development needs.

run: $(RUN_STAMP) ## Prepare the demo utility and serve it on http://127.0.0.1:8000.
	$(BIN)/sts-vend demo

# The rules of the house (tests/house) are a step of their own in `check`. A file of tests stays
# with one process, so that what its tests share is made once; files start in their own order,
# because the other one, by the number of tests, leaves the slowest for the end.
test: $(DEV_STAMP) ## Run the tests on all cores and judge their coverage.
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile --no-loadscope-reorder \
		--ignore=tests/house --cov --cov-report=json --cov-report=
	$(BIN)/python tools/coverage_gate.py coverage.json

# Sequential on purpose: the quick answers first, `make test` last.
check: $(DEV_STAMP) ## Run the whole gate: format, lint, types, imports, docs, house rules, tests.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/docs_check.py
	$(BIN)/python -m pytest -q tests/house
	$(MAKE) test

bench: $(DEV_STAMP) ## Measure speed.
	$(BIN)/python -m benchmarks

fmt: $(DEV_STAMP) ## Format the code and mend what ruff can mend.
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

clean: ## Remove .venv and everything that tools left behind.
	rm -rf .venv build dist htmlcov .coverage .coverage.* coverage.json .hypothesis \
		.import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN_STAMP): .venv/.made-in pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[all]'
	@touch $@

$(DEV_STAMP): .venv/.made-in pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[all,dev]'
	@touch $@ $(RUN_STAMP)

# Each candidate is run, not only found: a launcher may exist without its interpreter.
.venv/.made-in:
	@for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3); do \
		if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
			>/dev/null 2>&1; then \
			echo "making .venv with $$("$$python" --version)"; \
			rm -rf .venv && "$$python" -m venv .venv && pwd > $@ && exit 0; \
			exit 1; \
		fi; \
	done; \
	echo "Python 3.11 or newer with its venv module is needed; found none of:" >&2; \
	echo "    $(or $(PYTHON),python3.13 python3.12 python3.11 python3)" >&2; \
	echo "Install one (on Debian or Ubuntu: python3 and python3-venv), or name one:" >&2; \
	echo "    make PYTHON=/path/to/python3" >&2; \
	exit 1
