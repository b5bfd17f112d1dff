# make demo: install and run the demo.  make test: install and run the tests.  make check: lint, types, layers, tests.
# make twins: train every arm over three seeds of the world and show what each knows before and after the cutoff.
# make bench-peers: environments for benchmarks/wikitext.py and one run of it (needs DEEPRED_SAMPLES).
# ROCm, CUDA or CPU builds of PyTorch: pick the index on PyTorch's "Start Locally" page and give it once:
#   make setup TORCH_INDEX=<that index>
PYTHON ?= python3
TORCH_INDEX ?=
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
EXTRAS := train,gguf,chess,report,serve
EXTRAS_DEV := $(EXTRAS),postgresql,opensearch,tensorboard,hub,harness,dev
WORKERS ?= 2
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: setup setup-dev demo twins test check lint types layers docs bench-peers clean

setup: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "Python 3.11 to 3.13 is needed; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 setup"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
		|| { rm -rf $(VENV); echo "no virtual environment could be made: on Debian, apt install python3-venv"; exit 2; }
	@echo "installing into $(VENV) (some minutes, about 2 GB)"
	@# torch first and pinned: another package would pull another build of it, and gigabytes with it
	$(PIP) torch $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX))
	$(PIP) --editable '.[$(EXTRAS)]'
	@touch $@

setup-dev: $(INSTALLED_DEV)

$(INSTALLED_DEV): $(INSTALLED)
	$(PIP) --editable '.[$(EXTRAS_DEV)]'
	@touch $@

demo: setup
	$(BIN)/deepred run runs/demo.toml
	$(BIN)/deepred chat runs/demo.toml --prompt "Who are you?"

twins: setup
	$(BIN)/deepred twins runs/demo.toml

test: setup-dev
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup-dev
	$(BIN)/pyright

layers: setup-dev
	$(BIN)/lint-imports

check: lint types layers test

docs: setup-dev
	$(BIN)/python -m deepred.cli.reference docs

bench-peers: setup-dev
	PYTHON=$(BIN)/python benchmarks/peers.sh .peers
	$(BIN)/python benchmarks/wikitext.py --peers .peers --json build/wikitext.json

clean:
	rm -rf $(VENV) .peers build dist src/*.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
