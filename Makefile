# make book    everything from nothing: environment, a small study on the synthetic corpus, the book
# make reproduce CORPUS=emodb ROOT=/path/to/emodb    the whole study on a corpus, and the book with its numbers
# make test    environment, unit tests, and every notebook run against its stored outputs
# Needs Python 3.11 to 3.13 and make. Another Python: make book PYTHON=python3.12

PYTHON ?= python3
# Corpora of `make reproduce`, separated by commas; ROOT is the folder of a single one.
CORPUS ?=
ROOT ?=
DEVICE ?= auto
CORES ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2)
# Memory that runs may ask for together, MB; by default that of this machine.
MEMORY ?= $(shell awk '/MemTotal/ {print int($$2 / 1000)}' /proc/meminfo 2>/dev/null || \
	expr $$(sysctl -n hw.memsize) / 1000000)
# Where the runs of `make reproduce` are made; on a cluster: RUN_ON="--profile profiles/slurm"
RUN_ON ?= --cores $(CORES) --resources mem_mb=$(MEMORY)

BIN := .venv/bin
READY := .venv/.ready
# A template stands for many runs, so its outputs are not stored; every other notebook is stored executed.
TEMPLATES := book/fold.ipynb book/ablation.ipynb
READING = $(filter-out $(TEMPLATES),$(wildcard book/*.ipynb))

# One thread per process: these jobs are many and small, and threads of one get in the way of the next.
export OMP_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
# The kernels that notebooks start must be the environment's, whatever else is on the machine.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
comma := ,
.PHONY: book pages results reproduce notebooks test lint benchmarks clean help

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

book: results pages ## run the small study on the synthetic corpus, then build the book

results: $(READY) ## run (or complete) the small study on the synthetic corpus
	$(BIN)/snakemake --cores $(CORES) quick

# Runs that failed, such as those whose loss does not stay finite, leave a book without them, and an exit status.
# The target comes first: behind an option that takes several words it would be one of them. The root is not among
# them: snakemake reads them as YAML, in which not every path is a path.
reproduce: $(READY) ## the whole study: make reproduce CORPUS=iemocap ROOT=/path/to/IEMOCAP_full_release
	@test -n "$(CORPUS)" || { echo "name a corpus: make reproduce CORPUS=emodb ROOT=/path/to/emodb" >&2; exit 2; }
	$(BIN)/python -m ser_lib study $(subst $(comma), ,$(CORPUS)) $(if $(ROOT),--root "$(ROOT)") --cores $(CORES) --device $(DEVICE)
	@failed=0; \
	SER_ROOT="$(ROOT)" $(BIN)/snakemake study $(RUN_ON) --config corpus="$(CORPUS)" device=$(DEVICE) || failed=$$?; \
	$(BIN)/python -m ser_lib collect && $(BIN)/python -m ser_lib readme && $(MAKE) pages || exit; \
	exit $$failed

# Built from nothing each time: neither Sphinx nor the notebooks notice a change in ser_lib or results/.
pages: $(READY) ## build the book from the results that are there
	$(BIN)/jupyter-book clean . --all
	$(BIN)/jupyter-book build . -W -n --keep-going
	@echo && echo "Open file://$(CURDIR)/_build/html/index.html"

# What a page shows is stored with it, and `make test` compares: after `collect` the pages have other numbers.
notebooks: $(READY) ## execute the pages anew, with the results that are there
	$(BIN)/jupyter nbconvert --to notebook --execute --inplace --ExecutePreprocessor.record_timing=False $(READING)

test: $(READY) ## run the unit tests and every notebook
	$(BIN)/python -m pytest tests -n $(CORES) --maxprocesses 8 --dist loadfile
	$(BIN)/python -m pytest --nbval-lax --nbval-current-env $(TEMPLATES)
	$(BIN)/python -m pytest --nbval --nbval-current-env --nbval-sanitize-with tests/nbval_sanitize.cfg $(READING)

lint: $(READY) ## check the style of the code
	$(BIN)/ruff check .

benchmarks: $(READY) ## measure speed (half an hour, an idle machine, Emo-DB in SER_CORPORA), and write benchmarks/*.json
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	$(BIN)/python benchmarks/run.py

clean: ## remove the built book; runs, data and the environment stay
	rm -rf _build

$(READY): requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "Python 3.11 to 3.13 is needed; name one: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt
	@touch $@
