# wenliu: `make` alone lists what there is.
#
# One virtual environment, .venv, from the pinned and hashed files in requirements/. `make PYTHON=python3.12 ...` chooses
# the interpreter that builds it.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install -qq --disable-pip-version-check --no-deps --no-compile
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url
READY := .venv/.ready
CODE := $(wildcard flows tasks expectations tests benchmarks)

# What is wrong with PYTHON, in words; nothing when it will do. Told by $(error): one line, before anything is built.
TROUBLE = $(shell \
    old=$$($(PYTHON) -c 'import sys; print(int(sys.version_info < (3, 11)))' 2>/dev/null); \
    if [ -z "$$old" ]; then \
        echo 'no Python answers to "$(PYTHON)"; install Python 3.11 or later, or name one: make setup PYTHON=python3.12'; \
    elif [ "$$old" = 1 ]; then \
        echo '"$(PYTHON)" is older than Python 3.11; install a newer one, or name it: make setup PYTHON=python3.12'; \
    elif ! $(PYTHON) -c 'import venv, ensurepip' 2>/dev/null; then \
        echo '"$(PYTHON)" lacks venv or ensurepip; install them (on Debian and Ubuntu: apt install python3-venv)'; \
    fi)

.DEFAULT_GOAL := help
.PHONY: help setup setup-ocr run test test-long test-ocr lint format bench lock clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1#\2/p' $(MAKEFILE_LIST) | awk -F'#' '{ printf "%-16s %s\n", $$1, $$2 }'

setup: $(READY) ## build .venv with everything pinned, and the command .venv/bin/wenliu

$(READY): pyproject.toml requirements/build.txt requirements/dev.txt
	$(if $(TROUBLE),$(error $(TROUBLE)))
	@echo "Building .venv, which takes some minutes ..."
	@$(PYTHON) -m venv .venv
	@$(PIP) --require-hashes -r requirements/build.txt
	@$(PIP) --no-build-isolation --use-pep517 --require-hashes -r requirements/dev.txt
	@$(PIP) --no-build-isolation --editable .
	@touch $@

setup-ocr: .venv/.ocr ## add OCR to .venv (270 MB): scanned pages are read, too

.venv/.ocr: $(READY) requirements/ocr.txt
	@echo "Adding OCR to .venv ..."
	@$(PIP) --require-hashes -r requirements/ocr.txt
	@touch $@

run: $(READY) ## ingest what is new under raw/, check it, publish it; options: make run ARGS="--dry-run"
	@$(BIN)/wenliu run $(ARGS)

test: lint ## lint, then every test but the long ones
	@$(BIN)/pytest -n 2 --dist loadfile

test-long: $(READY) ## the tests that take minutes; some of them: make test-long ARGS="--sample 2 WORD"
	@$(BIN)/pytest -n 2 -m long $(ARGS)

test-ocr: .venv/.ocr ## the tests that need OCR, which all others skip where it is not set up
	@$(BIN)/pytest -m ocr $(ARGS)

lint: $(READY) ## formatting, style, types and the direction of imports
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/mypy $(CODE)
	@$(BIN)/lint-imports --no-logo

format: $(READY) ## write the formatting that lint asks for
	@$(BIN)/ruff check --fix $(CODE)
	@$(BIN)/ruff format $(CODE)

bench: $(READY) ## measure speed and reading quality against their floors
	@$(BIN)/python -m benchmarks

lock: $(READY) ## pin anew what pyproject.toml asks for; newer versions: make lock ARGS=--upgrade
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(LOCK) $(ARGS) --group build --output-file requirements/build.txt
	@UV_CUSTOM_COMPILE_COMMAND="make lock" $(LOCK) $(ARGS) pyproject.toml --group dev --output-file requirements/dev.txt
	@$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["ocr"], sep="\n")' \
	    | UV_CUSTOM_COMPILE_COMMAND="make lock" $(LOCK) $(ARGS) --constraint requirements/dev.txt --output-file requirements/ocr.txt -

clean: ## remove .venv, the caches and Prefect's own state; raw/ and processed/ stay
	rm -rf .venv .prefect .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +
