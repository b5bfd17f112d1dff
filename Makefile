# make demo: install and run the demo.  make test: install and run the tests.  make check: lint, types, layers, tests.
# make twins: train every arm over three seeds of the world and show what each knows before and after the cutoff.
# make bench-peers: environments for benchmarks/wikitext.py and one run of it (needs DEEPRED_SAMPLES).
# make setup-light: search, filter and extraction without PyTorch.  make sizes: what setup would download.
# ROCm, CUDA or CPU builds of PyTorch: pick the index on PyTorch's "Start Locally" page and give it once:
#   make setup TORCH_INDEX=<that index>
# make pins: write constraints.txt anew from pyproject.toml; pins are kept but for UPGRADE="--upgrade-package NAME".
# make pins-check: resolve every extra with those pins on every system of README's table, and its download.
PYTHON ?= python3
TORCH_INDEX ?=
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSTALLED_LIGHT := $(VENV)/.installed-light
INSTALLED_DEV := $(VENV)/.installed-dev
EXTRAS_LIGHT := serve
EXTRAS := $(EXTRAS_LIGHT),train,gguf,report
EXTRAS_DEV := $(EXTRAS),postgresql,opensearch,tensorboard,hub,harness,dev
WORKERS ?= 2
UPGRADE ?=
UV := uv==0.13.9
INSTALL = @$(PYTHON) tools/install.py $(VENV) --torch-index "$(TORCH_INDEX)"
# a Python asked for by name is the one used, or it is said why not
CHOSEN := $(if $(filter-out file,$(origin PYTHON)),same-python)

.PHONY: setup setup-light setup-dev sizes same-python demo twins test check lint types layers docs pins pins-check bench-peers clean

setup: $(CHOSEN) $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt tools/install.py
	$(INSTALL) $(EXTRAS)
	@touch $@ $(INSTALLED_LIGHT)

setup-light: $(CHOSEN) $(INSTALLED_LIGHT)

$(INSTALLED_LIGHT): pyproject.toml constraints.txt tools/install.py
	$(INSTALL) $(EXTRAS_LIGHT)
	@touch $@

setup-dev: $(CHOSEN) $(INSTALLED_DEV)

$(INSTALLED_DEV): pyproject.toml constraints.txt tools/install.py
	$(INSTALL) $(EXTRAS_DEV)
	@touch $@ $(INSTALLED) $(INSTALLED_LIGHT)

sizes:
	$(INSTALL) --sizes $(EXTRAS)

same-python:
	$(INSTALL) --same $(EXTRAS)

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

pins: $(INSTALLED_LIGHT)
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet "$(UV)"
	@PATH="$(BIN):$$PATH" $(BIN)/python tools/pins.py write $(UPGRADE)

pins-check: $(INSTALLED_LIGHT)
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet "$(UV)"
	@PATH="$(BIN):$$PATH" $(BIN)/python tools/pins.py check

bench-peers: setup-dev
	PYTHON=$(BIN)/python benchmarks/peers.sh .peers
	$(BIN)/python benchmarks/wikitext.py --peers .peers --json build/wikitext.json

clean:
	rm -rf $(VENV) .peers build dist src/*.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
