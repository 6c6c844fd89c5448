# Everything a newcomer needs. `make` alone lists it. What is missing on this machine is fetched first, once.
PYTHON_RUN := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help demo ready test lint audit mutants trial bench screens locks clean ready-run ready-demo ready-test

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

demo: ready-demo ## try it: a sample vendor's website, Troth behind it, a mail company, all on this machine
	@exec .venv/bin/troth demo $(if $(PORTS),--port-base $(PORTS))

ready: ready-run ## what Troth needs, here, and nothing started: for serving for real (docs/serve.md)
	@echo "→ ready: $(CURDIR)/.venv/bin/troth"

test: lint ## everything that must hold at each landing
	@echo "→ tests (some minutes)"
	@# One process more than there are processors: many tests wait for processes that start and stop.
	@$(PYTHON_RUN) -m pytest -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist loadfile

lint: ready-test ## ruff, names, mypy, import contracts, known vulnerabilities
	@echo "→ ruff"
	@.venv/bin/ruff check --quiet .
	@.venv/bin/ruff format --quiet --check .
	@$(PYTHON_RUN) tools/check_names.py
	@echo "→ mypy"
	@.venv/bin/mypy
	@echo "→ import contracts"
	@.venv/bin/lint-imports --no-cache
	@echo "→ known vulnerabilities"
	@$(PYTHON_RUN) tools/audit.py

audit: ready-test ## known vulnerabilities in what the locks name, where a database answers
	@$(PYTHON_RUN) tools/audit.py

mutants: ready-test ## break every promise on purpose, on throwaway sites: each breach must be seen (some minutes)
	@$(PYTHON_RUN) -m tests.mutants $(if $(JSON),--json)

trial: ready-test ## the long ones: a thousand kills, a database that goes away, the guide on a bare Debian
	@echo "→ SQLite"
	@$(PYTHON_RUN) -m trial.kills
	@echo "→ PostgreSQL"
	@$(PYTHON_RUN) -m trial.kills --database postgresql
	@echo "→ a campaign to 50,000, on SQLite and PostgreSQL"
	@$(PYTHON_RUN) -m trial.campaignkills
	@$(PYTHON_RUN) -m trial.campaignkills --database postgresql
	@echo "→ visits, with one front and with three"
	@$(PYTHON_RUN) -m trial.hitkills
	@$(PYTHON_RUN) -m trial.hitkills --fronts 3
	@echo "→ two hits of one visitor"
	@$(PYTHON_RUN) -m trial.linkage
	@echo "→ properties, with examples of chance"
	@$(PYTHON_RUN) -m pytest -m hypothesis --hypothesis-profile=curious
	@echo "→ a restore killed at every step"
	@TROTH_EVERY_STEP=1 $(PYTHON_RUN) -m pytest --timeout 1200 tests/backup/test_killed_restores.py
	@echo "→ the guide's road, on a Debian 13 of its own (as root; debootstrap and systemd-container)"
	@$(PYTHON_RUN) -m trial.road

bench: ready-test ## speed and size, measured here; half an hour, 4 GB in the temporary folder
	@at=$$(mktemp -d) && trap 'rm -rf "$$at"' EXIT && export TROTH_CROWD_AT="$$at" && \
	for name in import $$(grep -l '^def main' bench/*.py | sed 's,bench/,,; s,\.py,,; /^import$$/d'); do \
	  echo "→ $$name"; $(PYTHON_RUN) -m bench.$$name || exit 1; \
	done

screens: ready-test ## pictures of every page, into docs/screens
	@$(PYTHON_RUN) tools/screens.py

locks: ready-run ## renew the lock files to the newest versions that pyproject.toml allows
	@tools/renew-locks

clean: ## remove what make made here
	rm -rf .venv .tools .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf assets/node_modules src/troth/*/static/vendor
	find src tests tools bench trial -name __pycache__ -type d -prune -exec rm -rf {} +

ready-run:
	@tools/set-up run

ready-demo:
	@tools/set-up demo

ready-test:
	@tools/set-up test
