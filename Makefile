# fintone: set up, run, test. Each target first makes or refreshes .venv, if pyproject.toml or constraints.txt changed.
# PYTHON is the interpreter that creates .venv; ARGS is passed on, as in `make run ARGS="--epochs 1"`. MODEL and DATA
# are the base model and the headlines with which `make bench` measures learning, instead of the embedded ones.

PYTHON ?= python3
ARGS ?=
MODEL ?=
DATA ?=
LEARNING_ARGS = $(if $(MODEL),--model $(MODEL)) $(if $(DATA),--data $(DATA))

BIN = .venv/bin
READY = .venv/.installed
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

export PIP_DISABLE_PIP_VERSION_CHECK = 1
# The tests start about 200 processes, and each would compile the project again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL = help
.PHONY: help setup run test test-slow test-gpu soak lint bench base-model clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' Makefile

setup: $(READY) ## make or refresh .venv

run: $(READY) ## run the demo study: ingest, split, fine-tune, score, print the leaderboard
	$(BIN)/fintone run $(ARGS)

test: $(READY) ## run the quick tests, 5 to 10 minutes in two processes
	$(PYTEST) -m "not slow and not soak and not gpu" $(ARGS)

test-slow: $(READY) ## run the tests that take seconds each: studies, servers, processes; 5 to 15 minutes in two processes
	$(PYTEST) -m "slow and not soak and not gpu" $(ARGS)

test-gpu: $(READY) ## run the tests that need a CUDA device
	$(BIN)/python -m pytest tests/gpu -m gpu $(ARGS)

soak: $(READY) ## run the tests that take minutes, and property tests on all their examples
	FINTONE_SOAK=1 $(BIN)/python -m pytest -m "(soak or hypothesis) and not gpu" $(ARGS)
	FINTONE_GPU_TESTS_ANYWHERE=1 $(BIN)/python -m pytest tests/gpu -m gpu $(ARGS)

lint: $(READY) ## check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY) ## measure how long things take, into benchmarks/results and the README
	$(BIN)/python -m benchmarks.commands
	$(BIN)/python -m benchmarks.ingest
	$(BIN)/python -m benchmarks.scoring $(LEARNING_ARGS)
	$(BIN)/python -m benchmarks.training $(LEARNING_ARGS)
	$(BIN)/python -m benchmarks.grid $(LEARNING_ARGS)
	$(BIN)/python -m benchmarks.market
	$(BIN)/python -m benchmarks.weeks
	@$(BIN)/python -m benchmarks.readme

base-model: $(READY) ## pretrain the embedded base model again, up to 30 minutes on 2 cores
	$(BIN)/python -m learning.training.pretrain $(ARGS)

clean: ## remove .venv, caches and build output; the results of runs in .fintone stay
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -not -path './.fintone/*' -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		found=$$($(PYTHON) --version 2>/dev/null) || found="not there"; \
		echo "fintone needs Python 3.11 or newer, and $(PYTHON) is $$found: name another one, as in make PYTHON=python3.12" >&2; \
		exit 1; }
	@echo "setting up .venv, a few minutes the first time"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@
