# Everything runs in .venv, made from the hash-pinned requirement files; all state is below REACTIVATION_HOME.
PYTHON ?= python3
REACTIVATION_HOME ?= $(CURDIR)/.reactivation
PORT ?= 8080
export REACTIVATION_HOME PORT
# Every task is a process of its own: it would compile all it imports each time, which takes longer than its work.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
RUNTIME := .venv/.runtime
DEV := .venv/.dev

.PHONY: install install-dev run demo test lint bench clean requirements

install: $(RUNTIME)
install-dev: $(DEV)

$(BIN)/uv: requirements/build.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/build.txt
	touch $@

$(RUNTIME): $(BIN)/uv requirements/runtime.txt pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/runtime.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	touch $@

$(DEV): $(RUNTIME) requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	touch $@

run: $(RUNTIME)  ## the whole product on this machine, until Ctrl-C
	$(BIN)/python -m tools.run

demo: $(RUNTIME)  ## the same without a person, on a given clock; exits 0 when the books balance
	$(BIN)/python -m tools.demo

test: $(DEV)  ## everything: unit, ledger on SQLite and PostgreSQL, faults, live Airflow, browser
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(DEV)
	$(BIN)/python -m tests.bench

clean:  ## removes REACTIVATION_HOME; refuses if its ledger ever sent through anything but the outbox
	@if [ -d "$(REACTIVATION_HOME)" ]; then $(MAKE) --no-print-directory install && $(BIN)/reactivation clean; fi
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

requirements: $(BIN)/uv  ## pins requirements/*.in anew, with hashes
	for set in build runtime dev image; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	    --custom-compile-command "make requirements" -o requirements/$$set.txt requirements/$$set.in; done
