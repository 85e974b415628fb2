# deskloop: `make run` opens the app, `make test` proves it. Everything lives in .venv and .cache of this folder.
# The first call sets up (several minutes: PyTorch is large); every later one starts at once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
INSTALLED := $(VENV)/.installed

# What only looks after the pins lives beside the environment.
TOOLS := .cache/tools
UV := uv==0.13.9
PIP_AUDIT := pip-audit==2.10.1

# Desks of this checkout share one models folder, so that the starter is converted once.
DESKLOOP_MODELS ?= $(CURDIR)/.cache/models
export DESKLOOP_MODELS
STARTER := $(DESKLOOP_MODELS)/smollm2-135m-instruct

# Whatever the shell says: every process of the app would compile all of its modules anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help run install starter test fast true gpu lint format demo lock licences audit bench pictures clean

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST)

run: install starter ## set up if needed and open the app
	@$(BIN)/deskloop

install: $(INSTALLED) ## .venv with the pinned packages and this checkout

# Everything by its hash, build tools included, and nothing that would have to be built. PyTorch comes after what it
# needs and by its exact version: its builds differ by platform, and a range resolves to several GB of CUDA packages.
$(INSTALLED): pyproject.toml constraints.txt requirements.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned packages into $(VENV) (the first time takes several minutes)..."
	@$(PIP) install --quiet --require-hashes --no-deps --only-binary :all: --requirement requirements.lock
	@$(PIP) install --quiet --only-binary :all: --constraint constraints.txt "$$(grep '^torch==' constraints.txt)"
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@$(PIP) check --quiet
	@touch $@

starter: install ## the starter model, converted once
	@test -f "$(STARTER)/config.json" || $(BIN)/python -m bot.bases.prepare starter "$(STARTER)"

test: starter fast true ## all tests

# One worker a core, and one thread each: matrices of 64 x 64 gain nothing by threads that wait for each other.
# Without the GPU, if there is one: what a CPU does is what must hold everywhere.
fast: install ## tests with fakes and tiny models
	@CUDA_VISIBLE_DEVICES= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not true" -n logical --maxprocesses 8 $(ARGS) </dev/null

# Two at a time: a kill waits more than it computes.
true: install starter ## tests with the starter model: real runs, real kills
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m true -n 2 $(ARGS) </dev/null

gpu: install ## tests of what only a GPU can show
	@$(BIN)/python -m pytest tests/gpu $(ARGS) </dev/null

lint: install ## style, strict types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: install ## put the style right
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

demo: install starter ## the whole loop on the sample desk, without a screen
	@$(BIN)/deskloop demo

lock: ## hashes of the pinned packages, from the index; after a change of constraints.txt
	@test -x $(TOOLS)/bin/uv || { $(PYTHON) -m venv $(TOOLS) && $(TOOLS)/bin/pip install --quiet '$(UV)'; }
	@$(PYTHON) .ci/lock.py $(TOOLS)/bin/uv

licences: install ## the page on the licences of the pinned packages
	@$(BIN)/python .ci/licences.py

audit: ## known weaknesses of the pinned packages, where an index of them answers
	@test -x $(TOOLS)/bin/pip-audit || { $(PYTHON) -m venv $(TOOLS) && $(TOOLS)/bin/pip install --quiet '$(PIP_AUDIT)'; }
	@$(PYTHON) .ci/audit.py $(TOOLS)/bin/pip-audit

bench: install starter ## deskloop beside the reference systems (long)
	@$(BIN)/python -m benchmarks $(ARGS)

pictures: install starter ## the pictures of the docs anew, after a real retraining (minutes)
	@$(BIN)/python -m benchmarks pictures

clean: ## remove what can be made again; .cache/models stays
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
