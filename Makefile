# Needs only Python >= 3.11; the first call of a target makes .venv.

PYTHON ?= python3
CORES ?= 8
DEFAULT := $(firstword $(wildcard config/config.yaml config.yaml))
VENV := .venv
READY := $(VENV)/.ready
SNAKEMAKE := $(VENV)/bin/snakemake --cores $(CORES)
ARCHITECTURES := 4 5 6 7 8 9 10
BENCH := OMP_NUM_THREADS=1 $(VENV)/bin/python benchmarks

.PHONY: quick table2 all paper-plan paper-architectures documents test test-fast bench bench-gpu lint
.PHONY: environment constraints clean
.DELETE_ON_ERROR:

quick: $(READY) # a small experiment: a table, an image grid, training curves
	$(SNAKEMAKE) --configfile $(DEFAULT) config/quick.yaml -- results/tables/quick.csv
	@cat results/tables/quick.md
	@ls results/figures/*-quick.png

table2: $(READY)
	$(SNAKEMAKE) results/tables/table2.csv
	@cat results/tables/table2.md

all: $(READY) # every table and figure of config.yaml
	$(SNAKEMAKE)

paper-plan: $(READY) # the jobs behind all tables of the paper, without running them
	$(SNAKEMAKE) --dry-run --quiet rules --configfile config/paper.yaml

paper-architectures: $(READY) # the paper's Tables 4 to 10 into docs/results/paper; needs no data
	$(SNAKEMAKE) --configfile config/paper.yaml -- $(foreach n,$(ARCHITECTURES),results/paper/tables/table$(n).csv)
	$(VENV)/bin/python docs/write_documents.py --collect results \
	  $(foreach n,$(ARCHITECTURES),paper/table$(n).md)

documents: $(READY) # every result in README.md and docs/, and docs/configuration.md
	$(VENV)/bin/python docs/write_documents.py

test: $(READY)
	$(VENV)/bin/python -m pytest --numprocesses 2 --dist loadscope

test-fast: $(READY) # without the slow ones
	$(VENV)/bin/python -m pytest --numprocesses 2 --dist loadscope -m "not slow"

bench: $(READY) # speed and memory beside plainer ways: 15 minutes of one core
	@$(BENCH)/timing.py
	@$(BENCH)/sampling.py config/paper.yaml lsun-bedroom-64-8 lsun-bedroom-64-16
	@$(BENCH)/sampling.py config/paper.yaml lsun-bedroom-64-8 lsun-bedroom-64-16 \
	  celeba-128-16-32 celeba-256-32-64 --shrink 8 --batches 16 256
	@$(BENCH)/partial.py config.yaml openmoji-64-8-16 openmoji-128-16-32
	@$(BENCH)/training.py config.yaml openmoji-64-8 openmoji-64-16 openmoji-128-16-32
	@$(BENCH)/distance.py
	@$(BENCH)/workflow.py config.yaml config/paper.yaml

bench-gpu: $(READY) # what only a GPU can show: eight minutes; python benchmarks/gpu.py without an installation
	$(VENV)/bin/python benchmarks/gpu.py

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/snakefmt --check Snakefile workflow
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

environment: $(READY)

# The versions of .venv; what torch brings for a GPU follows from torch's version.
constraints: $(READY)
	@echo '# The versions that the results were made with. Written by `make constraints`.' > $@.txt
	$(VENV)/bin/python -m pip freeze --exclude-editable | grep == | sed 's/+.*//' \
	  | grep -Ev '^(cuda|nvidia|triton)' >> $@.txt

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "rarl needs Python 3.11 or newer, but '$(PYTHON)' is not: try make PYTHON=python3.12" >&2; \
	  exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	@touch $@

clean: # leaves the environment, the results and .snakemake, which holds the results' records
	rm -rf .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache build *.egg-info
