# `make run`: raw text to results table. `make test`: every test. `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
CONFIG ?= workflow/config/quickstart.yaml
PROFILE ?= local
COUNTED := results/faults.jsonl
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check

.PHONY: help env run slurm test test-waiting test-computing faults scale lint format clean

help: ## List what can be made.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

env: $(VENV)/ready ## Make the environment in .venv (torch first: a CPU wheel).

$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	@echo "installing torch (1 of 2)"
	$(PIP) install -q -c constraints.txt torch==$$(sed -n 's/^torch==//p' constraints.txt)
	@echo "installing hominis and what it stands on (2 of 2, one to three minutes)"
	$(PIP) install -q -c constraints.txt -e '.[train,evaluate,dev]'
	@touch $@

run: env ## Run the quickstart: raw text to results/quickstart/report/index.html.
	@hominis doctor
	snakemake --profile $(PROFILE) --configfile $(CONFIG)
	@hominis account --config $(CONFIG)
	@hominis status --config $(CONFIG) | tail -1

slurm: env ## Run the quickstart on a real Slurm of this machine, with a store of its own.
	python -m tests.slurm.cluster run -- \
	    snakemake --profile profiles/ci-slurm --configfile $(CONFIG) tests/slurm/quickstart.yaml

test: env ## Run the tests, with coverage: those that wait for Slurm beside those that compute.
	coverage erase
	$(MAKE) --no-print-directory --jobs=2 --keep-going test-waiting test-computing
	coverage combine -q
	coverage report --skip-covered --fail-under=85

test-waiting:
	coverage run -m pytest tests/faults tests/slurm

test-computing:
	nice coverage run -m pytest --ignore tests/faults --ignore tests/slurm

faults: env ## Run the fault tests at full length; print what they counted.
	mkdir -p results && rm -f $(COUNTED)
	HOMINIS_FAULTS=full HOMINIS_FAULTS_TABLE=$(CURDIR)/$(COUNTED) pytest tests/faults tests/slurm/test_cluster.py; \
	passed=$$?; $(VENV)/bin/python -m tests.faults.figures $(COUNTED); exit $$passed

scale: env ## Try a run of 10,000 parts, and what a job costs beside Snakemake's own Slurm plugin; 25 minutes.
	python -m benchmarks.scale
	python -m benchmarks.slurm

lint: env ## Check style, types, import contracts and the workflow.
	ruff check
	ruff format --check
	mypy
	lint-imports
	snakefmt --check Snakefile rules
	snakemake --lint

format: env ## Format the sources.
	ruff check --fix
	ruff format
	snakefmt Snakefile rules

clean: ## Remove the environment and what tools left; results and the store stay.
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .coverage*
