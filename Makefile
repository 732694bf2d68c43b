# ccdash. `make` lists what there is. Needs make and Python 3.11 or newer; everything else goes into $(VENV).

VENV ?= .venv
BIN := $(VENV)/bin

# The first Python that is new enough; `make PYTHON=...` names another.
ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c '$(ENOUGH)' 2>/dev/null && { echo "$$python"; break; }; done)

# Stamps: pip runs again only when pyproject.toml changed. To change the Python of an existing .venv: make clean.
INSTALLED := $(VENV)/.installed
TESTABLE := $(VENV)/.installed-test
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable

VSCODE := clients/vscode

.DEFAULT_GOAL := help
.PHONY: help run test check format bench docs vscode clean

help: ## list these
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(INSTALLED) ## install into .venv, start the daemon and show what it found
	@$(BIN)/ccdash up
	@command -v ccdash >/dev/null || echo "Here the command is $(BIN)/ccdash; \`pipx install .\` puts it on the path."

# Most tests wait for processes and files; those of one file share what they set up.
test: check ## check, then run every test; PYTEST="-k name" runs some
	$(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile $(PYTEST)

check: $(TESTABLE) ## lint, formatting and types, without running tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(TESTABLE) ## let ruff format the code and repair what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(TESTABLE) ## measure, beside the targets; BENCH="--help" tells more
	$(BIN)/python -m tests.bench $(BENCH)

docs: $(TESTABLE) ## write the generated pages, schema and types anew
	$(BIN)/python -m ccdashd.protocol.schema
	$(BIN)/python -m ccdash.reference

vscode: $(VSCODE)/node_modules/.package-lock.json ## build the extension for VS Code: clients/vscode/ccdash.vsix
	cd $(VSCODE) && npm run --silent package

clean: ## remove .venv and everything that was built
	rm -rf $(VENV) build dist $(addprefix $(VSCODE)/,node_modules build dist ccdash.vsix) .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find ccdashd clients tests -name __pycache__ -type d -exec rm -rf {} +

$(BIN)/python:
	@"$(PYTHON)" -c '$(ENOUGH)' 2>/dev/null || \
		{ echo "ccdash needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	"$(PYTHON)" -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

$(INSTALLED): pyproject.toml | $(BIN)/python
	$(INSTALL) .
	@touch $@

$(TESTABLE): pyproject.toml | $(BIN)/python
	$(INSTALL) '.[test]'
	@touch $@ $(INSTALLED)

$(VSCODE)/node_modules/.package-lock.json: $(VSCODE)/package-lock.json
	cd $(VSCODE) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@
