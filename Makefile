# Every target builds .venv by itself when it is missing or older than the lock file.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
LOCKED := $(VENV)/.locked
INSTALLED := $(VENV)/.installed
IMAGE := proto/release.binpb
COMPILE := $(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help
.PHONY: help venv demo test check lint type layers api proto release bench lock clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(INSTALLED) ## Build .venv from requirements/dev.lock.

$(LOCKED): requirements/dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 is needed")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.lock
	@touch $@

$(INSTALLED): $(LOCKED) pyproject.toml
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: venv ## Tell a story through the whole service, in half a minute.
	$(BIN)/esm demo

test: check ## Run every check and every test.
	$(BIN)/pytest

check: lint type layers api ## Run every check that is not a test of behaviour.
	$(BIN)/pytest -q tests/test_generated.py tests/test_locks.py tests/test_tidy.py

lint: venv ## Check format and style.
	$(BIN)/ruff format --check
	$(BIN)/ruff check

type: venv ## Check types, strictly.
	$(BIN)/mypy

layers: venv ## Check who imports whom.
	$(BIN)/lint-imports

api: venv ## Lint the API and compare it with the last release.
	$(BIN)/buf lint
	$(BIN)/buf breaking --against $(IMAGE)

proto: venv ## Write the Python code of the API again.
	$(BIN)/python proto/generate.py

release: venv ## Make the API of this tree the one that later ones are compared with.
	$(BIN)/buf lint
	$(BIN)/buf build --exclude-source-info -o $(IMAGE)

bench: venv ## Measure, quickly (--full: see docs/figures/).
	$(BIN)/esm bench core --quick
	$(BIN)/esm bench detection --quick

lock: venv ## Pin every dependency again, with the hashes of all platforms' files.
	$(COMPILE) pyproject.toml --all-extras --group dev -o requirements/dev.lock
	$(COMPILE) pyproject.toml --all-extras -c requirements/dev.lock -o requirements/runtime.lock

clean: ## Remove everything that a target above has built.
	rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
