# Everything a developer or a newcomer needs. `make help` lists it.
SHELL := /bin/bash
VENV  ?= .venv
BIN   := $(VENV)/bin
STAMP := $(VENV)/.ready
# the names and addresses of a lab are KITSURVIE_LAB_PREFIX and KITSURVIE_LAB_NETWORK; the demo, the
# tests and the benchmarks each have their own when they are not set, so that one may run beside
# the other

.DEFAULT_GOAL := help
.PHONY: help system demo demo-down test test-all lint unit lab-test bench footprint judges constraints clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

system: ## Install the Debian packages the lab and the tests need (as root)
	@./scripts/system-packages

$(STAMP): pyproject.toml constraints.txt | system
	@test -x $(BIN)/python || python3 -m venv $(VENV)
	@$(BIN)/pip install --quiet --require-hashes -r constraints.txt
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP) ## Four disposable machines: enrolled, deployed, proved (as root)
	@PATH="$(abspath $(BIN)):$$PATH" ./scripts/demo

demo-down: $(STAMP) ## Put the demo's machines away
	@$(BIN)/kitsurvie lab down --dir demo

lint: $(STAMP) ## ruff, mypy, ansible-lint, yamllint
	@PATH="$(abspath $(BIN)):$$PATH" ./scripts/lint

unit: $(STAMP) ## Tests that need no machine
	@$(BIN)/pytest -q tests/unit tests/contract

lab-test: $(STAMP) ## Tests on real machines (as root)
	@$(BIN)/pytest -m "not slow" tests/lab

test: lint $(STAMP) ## Lint, unit, contract and lab tests; what CI runs
	@$(BIN)/python scripts/test -m "not slow" --durations=15

test-all: lint $(STAMP) ## The same with the slow ones; writes down which measures it proved
	@./scripts/system-packages qemu-system-x86
	@KITSURVIE_REMEMBER=1 $(BIN)/python scripts/test

bench: $(STAMP) ## Every figure beside its peer, in one run (as root)
	@$(BIN)/python -m benchmarks

footprint: $(STAMP) ## What each measure costs a machine, written into measure.yml (as root)
	@$(BIN)/python -m benchmarks.footprint --write

judges: $(STAMP) ## What OpenSCAP and Lynis say before the kit and after it (as root)
	@$(BIN)/python -m benchmarks.judges

constraints: ## Write constraints.txt anew: pins and hashes, no index named
	@./scripts/constraints

clean: ## Remove what was built here (not the lab's base images)
	@rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache
