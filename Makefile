# Gridkeeper. `make` alone shows what there is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
BIN := .venv/bin
# npm is the copy that set-up brought, where it had to, else the machine's
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --silent
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--annotation-style line --no-emit-index-url --no-emit-find-links $(ARGS)

.PHONY: help run test test-slow check bench docs lock clean

help: ## Show these lines
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

run: ## Set up what is missing, then open the platform (Ctrl+C ends it)
	@./setup.sh run
	@exec $(BIN)/gridkeeper run

test: ## Set up what is missing, then pass all tests but the slow ones (ARGS="--cov" tells what they reach)
	@./setup.sh test
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile --no-loadscope-reorder --hypothesis-profile=ci $(ARGS)

test-slow: ## The long proofs: large rows, killed servers, whole extracts
	@./setup.sh test
	$(BIN)/python -m pytest -m slow $(ARGS)

check: ## Style, types, layers, dangerous calls, front-end code and repository habits
	@./setup.sh test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive core geodata grids people incidents dispatch planning \
		insight layers app streamlit_app.py
	$(NPM) run lint
	$(NPM) test
	$(BIN)/python -m pytest -q tests/unit/test_setup.py tests/unit/test_habits.py

bench: ## Measure in short, 20 minutes (ARGS=--long: all sizes, hours, into docs/figures; --again: go on; "routing grids": these)
	@./setup.sh test
	$(BIN)/python tests/bench/run_all.py $(ARGS)

docs: ## Write docs/data-dictionary.md anew from the tables
	@./setup.sh test
	$(BIN)/python docs/data_dictionary.py
	$(BIN)/python docs/lifecycle.py
	$(BIN)/python docs/accountability.py

lock: ## Make the lock files anew (ARGS=--upgrade raises versions)
	@./setup.sh test
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
		| $(COMPILE) pyproject.toml - -o requirements.lock
	$(COMPILE) pyproject.toml requirements.lock --extra dev -o requirements-dev.lock
	$(COMPILE) --group node -o requirements-node.lock
	$(NPM) install --package-lock-only --omit-lockfile-registry-resolved

clean: ## Remove the environment, libraries and caches; the state folder with the data stays
	rm -rf .venv node_modules build .set-up.log *.egg-info .coverage* htmlcov .pytest_cache .mypy_cache .ruff_cache \
		.import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
