# The one entry for every task. Each target first makes sure that .venv is there and right (.setup/ensure).
# PYTHON=/path/to/python3 chooses the interpreter.

VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= 2
TEST_LIMIT_S ?= 1200
SEEDS ?= 50000
export VENV
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help quickstart test check bench soak generate clean run-ready dev-ready

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

quickstart: run-ready ## see orchctl take a task to a merged commit, in a throw-away project
	@$(BIN)/orchctl quickstart

test: dev-ready ## run all tests; nothing may be left running
	@$(BIN)/python .setup/watched --limit $(TEST_LIMIT_S) $(BIN)/python -m pytest -q -n $(WORKERS) -m "not soak" tests

check: dev-ready ## lint, types, layers, generated files, fast tests: under a minute
	@$(BIN)/ruff check --quiet . && echo "ruff check: ok"
	@$(BIN)/ruff format --check --quiet . && echo "ruff format: ok"
	@$(BIN)/mypy --no-error-summary && echo "mypy --strict: ok"
	@$(BIN)/lint-imports --no-logo --no-cache >.cache/lint-imports.log 2>&1 || { cat .cache/lint-imports.log; exit 1; }; echo "lint-imports: ok"
	@$(BIN)/python -m orchctl.api.crdgen --check crds && echo "crds: fresh"
	@$(BIN)/python .setup/watched --limit 300 $(BIN)/python -m pytest -q -n $(WORKERS) -m "not soak and not slow" tests/tidy tests/unit

bench: dev-ready ## measure against a floor in the same run: make bench P="P8"
	@$(BIN)/python -m tests.bench $(P)

soak: dev-ready ## the tests that take minutes: make soak SEEDS=50000
	@SIM_SEEDS=$(SEEDS) $(BIN)/python .setup/watched --limit 14400 $(BIN)/python -m pytest -q -o faulthandler_timeout=3600 -m soak tests

generate: dev-ready ## write again what is generated, and format
	@$(BIN)/python -m orchctl.api.crdgen crds
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .

clean: ## remove the environments and every cache
	@rm -rf $(VENV) .venvs .cache .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist build
	@find controller tests -name __pycache__ -type d -prune -exec rm -rf {} +

run-ready:
	@.setup/ensure run

dev-ready:
	@mkdir -p .cache
	@.setup/ensure dev
