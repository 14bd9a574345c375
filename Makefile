# One command for everything. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
RUNNABLE := $(VENV)/.runnable

.PHONY: help setup demo test check format lint types imports docs bench soak fuzz another-host cases clean

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

$(READY): pyproject.toml constraints.txt constraints-peers.txt scripts/setup.sh
	@PYTHON=$(PYTHON) VENV=$(VENV) WANT=tests sh scripts/setup.sh
	@touch $@ $(RUNNABLE)

$(RUNNABLE): pyproject.toml constraints.txt scripts/setup.sh
	@PYTHON=$(PYTHON) VENV=$(VENV) WANT=run sh scripts/setup.sh
	@touch $@

setup: $(READY) ## install everything that the other commands need

demo: $(RUNNABLE) ## run the main job, offline
	@$(RUN) examples/demo.py

test: $(READY) ## all tests (under 15 minutes on two cores)
	@$(RUN) -m pytest -n 2 -m "not soak and not fuzz" $(ARGS)

check: format lint types imports docs test ## what has to pass before a commit

format: $(READY) ## format the code
	@$(RUN) -m ruff format --check . || (echo "run: $(VENV)/bin/ruff format ." >&2; exit 1)

lint: $(READY)
	@$(RUN) -m ruff check .

types: $(READY)
	@$(RUN) -m mypy

imports: $(READY)
	@$(VENV)/bin/lint-imports --no-cache

docs: $(READY)
	@$(RUN) -m pytest tests/docs $(ARGS)

bench: $(READY) ## benchmarks beside the peers (BENCH=runtime|journal|…)
	@$(RUN) bench/run.py $(BENCH)

soak: $(READY) ## the long tests
	@$(RUN) -m pytest -n 2 -m soak --timeout 3600 $(ARGS)

fuzz: $(READY) ## random input for a long time
	@$(RUN) -m pytest -n 2 -m fuzz --timeout 7200 $(ARGS)

another-host: ## the sandbox on Debian 13 with cgroup v2 and KVM, in a virtual machine (as root, 30 minutes)
	@scripts/on_another_host.sh $(ARGS)

cases: $(READY) ## before/after cases of other refactoring tools: make cases CASES="FILE…"
	@$(RUN) -m tests.cases.run $(CASES)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache dist build
