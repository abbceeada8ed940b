# Each target brings the one environment, .venv/, up to what it needs and no further.
# It needs make and Python 3.11 or 3.12, and no root, but for `make test-system`.

usable = import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))
PYTHON ?= $(shell for candidate in python3.11 python3.12 python3; do \
	$$candidate -c '$(usable)' 2>/dev/null && echo $$candidate && break; done)
VENV := .venv
BIN := $(VENV)/bin
# Blender brings a numpy of its own time, which nothing else gets along with.
FOOTAGE_VENV := .venv-footage
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
ARGS ?=
ALLOW_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

.DEFAULT_GOAL := help
.PHONY: help mission up footage picture workshop workshop-check lab labs lint test test-system images locks bench clean

help: ## What can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

mission: $(VENV)/.mission ## Drive every recorded feed and score it; ARGS="--feed track-stop" for one
	@$(BIN)/brakepoint mission $(ARGS)

up: $(VENV)/.live ## Every service of the live train, and the page to watch it; ARGS="--feed track-full"
	@$(BIN)/brakepoint up $(ARGS)

footage: $(FOOTAGE_VENV)/.footage ## Render a feed; ARGS="render my.yaml --out videos"; Blender takes 1 GB
	@$(FOOTAGE_VENV)/bin/brakepoint footage $(ARGS)

picture: $(VENV)/.system ## Take the picture of the README from a real run, in Chromium
	tests/system/require chromium
	@$(BIN)/brakepoint mission --feed track-stop-and-slowdown --out runs/picture
	$(BIN)/python docs/picture.py

workshop: $(VENV)/.workshop ## Install what the workshop needs, and say how to begin
	@$(BIN)/brakepoint progress

lab: $(VENV)/.workshop ## JupyterLab on your language's notebooks and on the labs
	@case "$${BRAKEPOINT_LANG:-$${LC_ALL:-$${LANG:-en}}}" in fr*) lang=fr;; *) lang=en;; esac; \
		BRAKEPOINT_STEPS=labs PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/jupyter lab $(ALLOW_ROOT) $(ARGS) \
		--ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks/$$lang/step1_dataset.ipynb

labs: $(VENV)/.workshop ## Make labs/ and notebooks/ anew from solutions/ and notebooks/source/
	$(BIN)/python -m brakepoint.workshop.labs
	$(BIN)/python -m brakepoint.workshop.notebooks

workshop-check: $(VENV)/.dev ## Solutions, wrong answers and notebooks: does the workshop hold?
	$(BIN)/pytest tests/brakepoint/workshop tests/brakepoint/store

WITH_TORCH := tests/solutions/test_step3_training.py tests/brakepoint/evaluation/test_mean_average_precision.py

lint: $(VENV)/.dev ## Style, formatting and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy brakepoint footage solutions stubs

test: lint ## Everything that needs nothing but pip
	$(BIN)/pytest

test-system: $(VENV)/.system $(FOOTAGE_VENV)/.footage ## What needs Debian packages; as root it installs them
	tests/system/require chromium
	$(BIN)/pytest tests/system $(WITH_TORCH) --override-ini addopts=

images: $(VENV)/.system ## As root: build the services' image here, and drive a mission with it
	tests/system/require buildah debootstrap mosquitto
	$(BIN)/pytest tests/images --override-ini addopts=

locks: $(VENV)/.system ## Write down to the hash what each image holds
	@$(BIN)/python deploy/images/build.py locks

bench: $(VENV)/.live ## How fast the detector, the loop and the live services are
	@$(BIN)/python -m benchmarks.bench $(ARGS)

clean: ## Throw away the environment, the runs and the caches
	rm -rf $(VENV) $(FOOTAGE_VENV) runs .mypy_cache .pytest_cache .ruff_cache .hypothesis

# One stamp for each set of extras: an environment that is up to date is left alone.
$(VENV)/.mission: extras = mission
$(VENV)/.live: extras = mission,live
$(VENV)/.workshop: extras = mission,workshop
$(VENV)/.dev: extras = mission,live,workshop,dev
$(VENV)/.system: extras = mission,live,workshop,dev,system,train,images
$(VENV)/.mission $(VENV)/.live $(VENV)/.workshop $(VENV)/.dev $(VENV)/.system: pyproject.toml | $(BIN)/python
	@echo "Installing what «$(extras)» needs into $(VENV)/ …"
	@$(PIP) install --editable '.[$(extras)]'
	@touch $@

$(FOOTAGE_VENV)/.footage: pyproject.toml | $(BIN)/python
	@echo "Installing Blender into $(FOOTAGE_VENV)/ …"
	@$(BIN)/python -m venv $(FOOTAGE_VENV)
	@$(FOOTAGE_VENV)/bin/python -m pip --quiet --disable-pip-version-check install --editable '.[footage]'
	@touch $@

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Brakepoint needs Python 3.11 or 3.12: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c '$(usable)' || { echo "$(PYTHON) is not Python 3.11 or 3.12"; exit 1; }
	@echo "Making the environment $(VENV)/ with $(PYTHON) …"
	@$(PYTHON) -m venv $(VENV)
