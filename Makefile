# `make table2` and `make test` need only Python >= 3.11; the first call makes .venv.

PYTHON ?= python3
CORES ?= 8
VENV := .venv
READY := $(VENV)/.ready
SNAKEMAKE := $(VENV)/bin/snakemake --cores $(CORES)
ARCHITECTURES := 4 5 6 7 8 9 10
BENCH := OMP_NUM_THREADS=1 $(VENV)/bin/python benchmarks

.PHONY: table2 all paper-plan paper-architectures test bench lint environment clean
.DELETE_ON_ERROR:

table2: $(READY)
	$(SNAKEMAKE) results/tables/table2.csv
	@cat results/tables/table2.md

all: $(READY) # every table and figure of config.yaml
	$(SNAKEMAKE)

paper-plan: $(READY) # the jobs behind all tables of the paper, without running them
	$(SNAKEMAKE) --dry-run --quiet rules --configfile config/paper.yaml

paper-architectures: $(READY) # the paper's Tables 4 to 10 into docs/results/paper; needs no data
	$(SNAKEMAKE) --configfile config/paper.yaml -- $(foreach n,$(ARCHITECTURES),results/paper/tables/table$(n).csv)
	mkdir -p docs/results/paper
	cp $(foreach n,$(ARCHITECTURES),results/paper/tables/table$(n).csv results/paper/tables/table$(n).md) docs/results/paper

test: $(READY)
	$(VENV)/bin/python -m pytest --numprocesses 2 --dist loadscope

bench: $(READY) # speed and memory beside plainer ways: 15 minutes of one core
	@$(BENCH)/timing.py
	@$(BENCH)/sampling.py config/paper.yaml lsun-bedroom-64-8 lsun-bedroom-64-16
	@$(BENCH)/sampling.py config/paper.yaml lsun-bedroom-64-8 lsun-bedroom-64-16 \
	  celeba-128-16-32 celeba-256-32-64 --shrink 8 --batches 16 256
	@$(BENCH)/partial.py config.yaml openmoji-64-8-16 openmoji-128-16-32
	@$(BENCH)/training.py config.yaml openmoji-64-8 openmoji-64-16 openmoji-128-16-32
	@$(BENCH)/distance.py
	@$(BENCH)/workflow.py config.yaml config/paper.yaml

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/snakefmt --check Snakefile workflow
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

environment: $(READY)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "rarl needs Python 3.11 or newer, but '$(PYTHON)' is not: try make PYTHON=python3.12" >&2; \
	  exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --editable '.[test]'
	@touch $@

clean: # leaves the environment, the results and .snakemake, which holds the results' records
	rm -rf .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache build *.egg-info
