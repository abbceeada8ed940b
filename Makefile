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
# Set-up installs from this folder alone, and needs no network, if it is there or named.
WHEELHOUSE ?= $(wildcard wheelhouse)
FROM_WHEELHOUSE := $(if $(WHEELHOUSE),--no-index --find-links $(abspath $(WHEELHOUSE)))
ARGS ?=
ALLOW_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

.DEFAULT_GOAL := help
.PHONY: help mission up footage picture workshop workshop-check lab labs lint test test-system soak bench networks drill mutants wheelhouse images locks screenshots film docs clean

help: ## What can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

mission: $(VENV)/.mission ## Drive every recorded feed and score it; ARGS="--feed track-stop" for one
	@$(BIN)/brakepoint mission $(ARGS)

up: $(VENV)/.live ## Every service of the live train, and the page to watch it; ARGS="--feed track-full"
	@$(BIN)/brakepoint up $(ARGS)

footage: $(FOOTAGE_VENV)/.footage ## Render a feed; ARGS="render my.yaml --out videos"; Blender takes 1 GB
	@$(FOOTAGE_VENV)/bin/brakepoint footage $(ARGS)

picture: $(VENV)/.system ## Take the pictures of the README and the docs from real runs, in Chromium
	tests/system/require chromium
	$(BIN)/python docs/picture.py
	$(BIN)/python docs/live_picture.py
	PYTHONPATH=tests $(BIN)/python docs/board_picture.py
	$(BIN)/python docs/step_pictures.py

film: $(VENV)/.system ## Film three missions for the docs, and the moving picture of the README
	$(BIN)/python docs/film.py

screenshots: $(VENV)/.system ## Take the docs' pictures of notebooks and checks, in JupyterLab
	tests/system/require chromium
	$(BIN)/python docs/screenshots.py

docs: $(VENV)/.docs ## Build the documentation into site/, in both languages; open site/index.html
	@for lang in en fr; do NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict --config-file docs/mkdocs.$$lang.yml || exit 1; done
	@echo site/index.html

workshop: $(VENV)/.workshop ## Install what the workshop needs, and say how to begin
	@$(BIN)/brakepoint progress

lab: $(VENV)/.workshop ## JupyterLab on your language's notebooks and on the labs
	@case "$${BRAKEPOINT_LANG:-$${LC_ALL:-$${LANG:-en}}}" in fr*) lang=fr;; *) lang=en;; esac; \
		BRAKEPOINT_STEPS=labs PATH="$(CURDIR)/$(BIN):$$PATH" JUPYTER_CONFIG_PATH=notebooks/$$lang/.jupyter \
		$(BIN)/jupyter lab $(ALLOW_ROOT) $(ARGS) \
		--ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks/$$lang/step1_dataset.ipynb

labs: $(VENV)/.workshop ## Make labs/ and notebooks/ anew from solutions/ and notebooks/source/
	$(BIN)/python -m brakepoint.workshop.labs
	$(BIN)/python -m brakepoint.workshop.notebooks

workshop-check: $(VENV)/.system ## Solutions, wrong answers and notebooks: does the workshop hold?
	$(BIN)/python tests/workshop_check.py

wheelhouse: $(BIN)/python ## Pack all that a room without internet installs from, into wheelhouse/
	$(PIP) wheel --wheel-dir wheelhouse hatchling editables '.[mission,workshop,train,pipeline,live,docs]'
	$(PIP) wheel --wheel-dir wheelhouse '.[serving]'
	rm wheelhouse/brakepoint-*.whl

GSTREAMER := gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-libav
EMULATOR := qemu-system-x86 busybox-static bluez dbus kmod cpio
WITH_TORCH := tests/solutions/test_step3_training.py tests/brakepoint/evaluation/test_mean_average_precision.py

lint: $(VENV)/.dev ## Style, formatting and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy brakepoint benchmarks footage solutions stubs

test: lint ## Everything that needs nothing but pip
	$(BIN)/pytest

test-system: $(VENV)/.system $(FOOTAGE_VENV)/.footage ## What needs Debian packages; as root it installs them
	tests/system/require chromium $(GSTREAMER) $(EMULATOR) bubblewrap mosquitto openssl
	$(BIN)/pytest tests/system tests/radio $(WITH_TORCH) --override-ini addopts=

soak: $(VENV)/.system ## What needs long: ten minutes of camera
	tests/system/require $(GSTREAMER)
	$(BIN)/pytest tests/soak -s --override-ini addopts=

images: $(VENV)/.system ## As root: build every image here, try it, drive a mission with it; ARGS="-k edge"
	tests/system/require buildah debootstrap mosquitto
	$(BIN)/pytest tests/images --override-ini addopts= $(ARGS)

locks: $(VENV)/.system ## Write down to the hash what each image holds
	@$(BIN)/python deploy/images/build.py locks

bench: $(VENV)/.dev ## How fast the detector, the loop and the live services are
	@$(BIN)/python -m benchmarks.bench $(ARGS)

networks: $(VENV)/.system ## Which network? Accuracy, learning time and latency of the shipped one and its relatives
	@$(BIN)/python -m benchmarks.networks $(ARGS)

drill: $(VENV)/.live ## Everything that can go wrong, 20 times each: does the train stop? ARGS="--times 2"
	@$(BIN)/python -m benchmarks.drill $(ARGS)

mutants: $(VENV)/.dev ## Break the product in 60 small ways: do the tests notice? ARGS="--seed 7 --count 100"
	@PYTHONPATH=tests $(BIN)/python -m mutants $(ARGS)

clean: ## Throw away the environment, the runs and the caches
	rm -rf $(VENV) $(FOOTAGE_VENV) runs site .mypy_cache .pytest_cache .ruff_cache .hypothesis

# One stamp for each set of extras: an environment that is up to date is left alone.
$(VENV)/.mission: extras = mission
$(VENV)/.live: extras = mission,live
$(VENV)/.workshop: extras = mission,live,workshop,train,pipeline
$(VENV)/.docs: extras = mission,live,docs
$(VENV)/.dev: extras = mission,live,hub,workshop,pipeline,room,dev
$(VENV)/.system: extras = mission,live,hub,workshop,pipeline,room,dev,system,docs,train,images
# kserve comes last and alone: what it says of psutil does not get along with amqtt and IPython (pyproject.toml).
$(VENV)/.workshop $(VENV)/.dev $(VENV)/.system: last = serving
$(VENV)/.mission $(VENV)/.live $(VENV)/.workshop $(VENV)/.docs $(VENV)/.dev $(VENV)/.system: pyproject.toml | $(BIN)/python
	@echo "Installing what «$(extras)» needs into $(VENV)/ …"
	@$(PIP) install $(FROM_WHEELHOUSE) --no-warn-conflicts --editable '.[$(extras)]'
	@$(if $(last),$(PIP) install $(FROM_WHEELHOUSE) --no-warn-conflicts --editable '.[$(last)]')
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
