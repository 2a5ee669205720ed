# What can be done with the project. `make` alone lists it.
#
#   make test T=tests/unit    a part of the tests
#   make bench B=saving       one of the benchmarks

T ?= tests
# The first Python that the requirements are locked for, else any newer one.
PYTHON = $(shell for name in python3 python3.13 python3.12 python3.11; do \
	"$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && \
	echo "$$name" && exit; done; echo python3)
SETUP = @$(PYTHON) -m deploy.setup
TOOLS = $(SETUP) tools
BIN = .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run apart test bench lint types fmt migrate assets screenshots lock

help:  ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

run:  ## Set up what is missing, then start the whole, in front, on http://ypok.localhost:8080
	$(SETUP) run

apart:  ## Start each part as processes of its own, C=identity=2 of some, on RabbitMQ and PostgreSQL of yours
	$(SETUP) apart $(if $(C),-c $(C))

test:  ## Set up what is missing, then run all tests, or T=tests/unit
	$(SETUP) test $(T)

bench:  ## Measure against the named peers, or B=saving alone
	$(SETUP) bench $(B)

lint:  ## Check form, names, likely faults and the import rules
	$(TOOLS)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports --cache-dir .cache/import-linter

types:  ## Check types, strictly
	$(TOOLS)
	@$(BIN)/mypy

fmt:  ## Format the code and mend what lint can mend
	$(TOOLS)
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

migrate:  ## Bring the databases of the data folder up to date
	$(SETUP) migrate

assets:  ## Bring htmx, hotkey and the font by npm, and make the fonts of the papers
	$(SETUP) assets

screenshots:  ## Save a picture of every page: widths, themes, languages, tenants
	$(SETUP) screenshots

lock:  ## Lock requirements/*.in with hashes; UPGRADE=1 takes the newest of all
	$(TOOLS)
	@for name in run test setup assets; do \
		echo "requirements/$$name.txt"; \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--no-emit-index-url --no-header $(if $(UPGRADE),--upgrade) \
			--output-file requirements/$$name.txt requirements/$$name.in || exit; \
	done
