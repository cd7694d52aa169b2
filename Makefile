# What a person types. Every target sets up what it needs; `make demo` and `make test` are the two to know.
SHELL := /bin/bash
BIN := .venv/bin
# Two, as many as there are cores here, and two for files in which nobody listens (tests/shifts.py).
TESTERS ?= 4
WEB := cd agent_console/web && PATH="$(CURDIR)/$(BIN):$$PATH" PYTHON="$(CURDIR)/$(BIN)/python"
.PHONY: help demo test check setup serve bench soak format clean

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: setup ## a living contact center on this machine, with simulated customers and agents
	$(BIN)/callcenter demo

test: setup ## every test
	rm -f .pytest_cache/v/cache/lastfailed
	$(BIN)/python -m pytest -n $(TESTERS) --dist loadfile || { [ $$? = 1 ] && $(BIN)/python -m tests.second_look; }
	$(WEB) npm run --silent test

check: setup ## style, types, layers, spelling, and the same for the console
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests/support tests/bench
	$(BIN)/lint-imports --no-cache
	$(BIN)/codespell
	$(WEB) npm run --silent typecheck
	$(WEB) npm run --silent lint
	$(WEB) npm run --silent format:check
	$(WEB) npm run --silent types:check

setup: ## install everything, build the console
	@.ci/setup

serve: setup ## the exchange of callcenter.toml, without the simulated people
	$(BIN)/callcenter serve --config callcenter.toml

bench: setup ## print the figures of this machine
	for each in tests/bench/bench_*.py; do echo "== $$each"; $(BIN)/python -m "tests.bench.$$(basename $$each .py)" || exit 1; done

soak: setup ## long runs
	$(BIN)/python -m pytest tests/soak

format: setup ## bring the code into shape
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

clean: ## remove what setup and the demo made
	rm -rf .venv var agent_console/static agent_console/web/node_modules
