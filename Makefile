# Each target installs what it needs into the only environment, .venv/, and no more. This needs make and
# Python 3.11, 3.12 or 3.13, and no root, except for `make test-system`.

usable = import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for candidate in python3.11 python3.12 python3.13 python3; do \
	$$candidate -I -c '$(usable)' 2>/dev/null && echo $$candidate && break; done)
VENV := .venv
BIN := $(VENV)/bin
# An environment that is half made, was moved, or has another Python is made again.
ENVIRONMENT := $(shell $(BIN)/python -I locks/environment.py 2>/dev/null || echo environment)
# Blender has a wheel only for Python 3.11, and requires an old numpy, which nothing else is compatible with.
FOOTAGE_VENV := .venv-footage
is_3_11 = import sys; sys.exit(sys.version_info[:2] != (3, 11))
FOOTAGE_PYTHON ?= $(shell for candidate in $(PYTHON) python3.11 python3; do \
	$$candidate -I -c '$(is_3_11)' 2>/dev/null && echo $$candidate && break; done)
NO_PYTHON := Brakepoint needs Python 3.11, 3.12 or 3.13, and finds none here: make PYTHON=/path/to/python3.11
NO_PYTHON_FR := Brakepoint demande Python 3.11, 3.12 ou 3.13, et n’en trouve pas ici : make PYTHON=/chemin/vers/python3.11
NO_BLENDER := Blender needs Python 3.11, and there is none here
# Everything is installed in the versions of locks/, which `make locks` writes, including the build tools.
constrained = PIP_USER=0 PIP_CONSTRAINT=$(1) PIP_BUILD_CONSTRAINT=$(1)
PIP := $(call constrained,locks/constraints.txt) $(BIN)/python -m pip --disable-pip-version-check
# The same, with progress on a terminal; in a log it prints nothing more than pip.
PIP_TOLD := $(call constrained,locks/constraints.txt) $(BIN)/python locks/pip_told.py
# pip would compile every module, which takes longer than unpacking them; Python compiles the few that are
# imported, and must be allowed to keep the result: otherwise each start compiles them again, in twice the time.
unexport PYTHONDONTWRITEBYTECODE
# These replace modules of the environment, or its place, by another's.
unexport PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_ROOT
SAY := $(BIN)/python -m brakepoint.texts
INSTALL = $(PIP_TOLD) --quiet install --no-compile $(FROM) --no-warn-conflicts
# If this folder exists or is named, set-up installs only from it, without a network.
WHEELHOUSE ?= $(wildcard wheelhouse)
FROM_WHEELHOUSE := $(if $(WHEELHOUSE),--no-index --find-links "$(WHEELHOUSE)")
# On Linux the build of PyTorch on PyPI brings CUDA. This names PyTorch's own index of builds without it
# (README.md).
BRAKEPOINT_TORCH_INDEX ?=
FROM_TORCH_INDEX := $(if $(BRAKEPOINT_TORCH_INDEX),--extra-index-url $(BRAKEPOINT_TORCH_INDEX))
FROM := $(or $(FROM_WHEELHOUSE),$(FROM_TORCH_INDEX))
# The targets in the reader's language; without a usable Python, help falls back to the English below.
helped = import re; from brakepoint.texts import text; \
	targets = re.findall(r"(?m)^([a-z-]+):.*\#\# ", open("Makefile").read()); \
	[print("  make %-14s %s" % (name, text("make." + name))) for name in targets]
ARGS ?=
ALLOW_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

.DEFAULT_GOAL := help
.PHONY: help mission up footage picture workshop workshop-check lab labs prove lint types types-of-tests test test-system soak bench networks rehearsal drill hand-ins radio-drill mutants wheelhouse images delivery locks screenshots film docs slides environment clean

help: ## What make can do here
	@$(PYTHON) -c '$(helped)' 2>/dev/null || awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

mission: $(VENV)/.mission ## Drive every recorded feed and score each run; ARGS="--feed track-stop" for one feed
	@$(BIN)/brakepoint mission $(ARGS)

prove: $(VENV)/.mission ## Drive every feed in every weather; ARGS="--steps labs --detector runs/train/model.onnx" for your autopilot and model
	@$(BIN)/brakepoint prove $(ARGS)

up: $(VENV)/.live ## Run every service of the live train, and the page to watch it; ARGS="--feed track-full"
	@$(BIN)/brakepoint up $(ARGS)

footage: $(FOOTAGE_VENV)/.footage ## Render a feed; ARGS="render my.yaml --out videos"; Blender takes 1 GB
	@$(FOOTAGE_VENV)/bin/brakepoint footage $(ARGS)

picture: $(VENV)/.system ## Take the pictures for the README and the docs from real runs, in Chromium
	tests/system/require chromium
	$(BIN)/python docs/picture.py
	$(BIN)/python docs/live_picture.py
	PYTHONPATH=tests $(BIN)/python docs/board_picture.py
	$(BIN)/python docs/show_picture.py
	PYTHONPATH=tests $(BIN)/python docs/race_picture.py
	$(BIN)/python docs/step_pictures.py
	$(BIN)/python docs/card_pictures.py

film: $(VENV)/.system ## Film three missions and three pages for the docs, and make the README’s animated picture
	$(BIN)/python docs/film.py

screenshots: $(VENV)/.system ## Take the docs' pictures of notebooks and checks, in JupyterLab
	tests/system/require chromium
	$(BIN)/python docs/screenshots.py

docs: $(VENV)/.docs ## Build the documentation into site/, in every language; open site/index.html
	@for lang in $$($(BIN)/python -m brakepoint.texts all); do \
		BRAKEPOINT_LANG=$$lang NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict \
		--config-file docs/mkdocs.yml --site-dir "$$PWD/site/$$lang" || exit 1; done
	@echo site/index.html

slides: $(VENV)/.workshop ## Write the instructor's 20 minutes of slides, one page per language, into runs/slides/
	@$(BIN)/python docs/slides.py

workshop: $(VENV)/.workshop ## Install what the workshop needs, and show how to begin
	@$(BIN)/brakepoint progress

# Jupyter must write into the home folder, which some containers refuse.
lab: $(VENV)/.workshop ## Open JupyterLab with the notebooks in your language and the labs
	@test -w "$$HOME" || export HOME="$$PWD/$(VENV)"; \
		lang=$$($(BIN)/python -m brakepoint.texts); \
		BRAKEPOINT_STEPS=labs PATH="$$PWD/$(BIN):$$PATH" JUPYTER_CONFIG_PATH=notebooks/$$lang/.jupyter \
		$(BIN)/jupyter lab $(ALLOW_ROOT) $(ARGS) \
		--ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks/$$lang/step1_dataset.ipynb

labs: $(VENV)/.workshop ## Write labs/, notebooks/ and the pages' tables from solutions/, notebooks/source/ and texts
	$(BIN)/python -m brakepoint.workshop.figures
	$(BIN)/python -m brakepoint.workshop.labs
	$(BIN)/python -m brakepoint.workshop.notebooks

workshop-check: $(VENV)/.system ## Check solutions, wrong answers and notebooks: does the workshop still work?
	$(BIN)/python tests/workshop_check.py
	PYTHONPATH=tests $(BIN)/python -m answers

wheelhouse: $(ENVIRONMENT) ## Pack into wheelhouse/ everything needed to set up a room without internet
	@$(say_what_torch_brings)
	$(PIP) --quiet wheel $(FROM_TORCH_INDEX) --wheel-dir wheelhouse hatchling editables '.[mission,edge,workshop,train,pipeline,live,docs]'
	$(PIP) --quiet wheel --wheel-dir wheelhouse --no-deps --requirement locks/serving.txt
	rm wheelhouse/brakepoint-*.whl

GSTREAMER := gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-libav
DELIVERY := buildah skopeo debootstrap docker-registry apache2-utils openssl libcap2-bin mosquitto git qemu-user-static
EMULATOR := qemu-system-x86 busybox-static bluez dbus kmod cpio
WITH_TORCH := tests/solutions/test_step3_training.py tests/brakepoint/evaluation/test_mean_average_precision.py

SYSTEM_TESTS := tests/radio $(WITH_TORCH) tests/system --override-ini addopts=-rs
WITHOUT_BLENDER = $(if $(FOOTAGE_PYTHON),,NO_BLENDER='$(NO_BLENDER)')

# Each worker takes the next test, those in real time first (tests/conftest.py); the slowest are listed at the
# end.
SHARED_OUT := --no-loadscope-reorder --durations 20

# Many tests wait for something; meanwhile another worker uses the core.
one_more_than_cores = $(BIN)/python -c 'from brakepoint.cores import available_cores as cores; print(cores() + 1)'

lint: $(VENV)/.dev ## Check style, formatting, layers and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo
	@$(MAKE) --no-print-directory --jobs 2 $(addprefix --,$(filter output-sync,$(.FEATURES))) types types-of-tests

types:
	$(BIN)/mypy --strict

types-of-tests:
	$(BIN)/mypy --cache-dir .mypy_cache/tests tests

# A training run otherwise keeps its cores busy while it waits for one of its threads, at the other tests' cost.
test test-system: export OMP_WAIT_POLICY := PASSIVE

test: lint ## Run every test that needs only pip
	$(BIN)/pytest $(SHARED_OUT) --numprocesses $$($(one_more_than_cores))
	@echo "The tests have a budget of 10 minutes on two cores."

test-system: $(VENV)/.system $(if $(FOOTAGE_PYTHON),$(FOOTAGE_VENV)/.footage) ## Run the tests that need Debian packages; as root, make installs them
	tests/system/require chromium $(GSTREAMER) $(EMULATOR) bubblewrap mosquitto openssl
	$(WITHOUT_BLENDER) $(BIN)/pytest $(SYSTEM_TESTS) -m 'not alone' $(SHARED_OUT) --numprocesses $$($(one_more_than_cores))
	$(BIN)/pytest $(SYSTEM_TESTS) -m alone --durations 20
	@echo "Both together have a budget of 20 minutes on two cores."

soak: $(VENV)/.system ## Run the long tests: ten minutes of camera pictures, thousands of files for each reader
	tests/system/require $(GSTREAMER)
	$(BIN)/pytest tests/soak -s --override-ini addopts=
	INTERRUPTIONS=20 $(BIN)/pytest tests/system/test_interrupted.py --override-ini addopts=
	$(BIN)/pytest tests/brakepoint -m readers --hypothesis-profile soak $(SHARED_OUT) --numprocesses logical

images: $(VENV)/.system ## As root: build every image here, try it and drive a mission with it; ARGS="-k edge"
	tests/system/require buildah debootstrap mosquitto
	$(BIN)/pytest tests/images --override-ini addopts= $(ARGS)

delivery: $(VENV)/.system ## As root: test the path from a push to a driving train, and what can go wrong along it
	tests/system/require $(DELIVERY)
	$(BIN)/brakepoint deploy --from-push
	$(BIN)/pytest tests/delivery --override-ini addopts= $(ARGS)

locks: $(ENVIRONMENT) ## Lock the versions of each environment and image; ARGS=--upgrade for newer ones
	@$(PIP) --quiet install uv
	@$(BIN)/python locks/make.py $(ARGS)

bench: $(VENV)/.system ## Measure how fast the detector, the loop and the live services are
	@$(BIN)/python -m benchmarks.bench $(ARGS)

networks: $(VENV)/.system ## Compare the accuracy, training time and latency of the shipped network and its relatives
	@$(BIN)/python -m benchmarks.networks $(ARGS)

rehearsal: $(VENV)/.dev ## Score trains that are faster, or have weaker batteries or different cameras, before and after calibration
	@$(BIN)/python -m hardware.rehearsal $(ARGS)

drill: $(VENV)/.live ## Cause every possible fault, 20 times each: does the train stop? ARGS="--times 2"
	@$(BIN)/python -m benchmarks.drill $(ARGS)

hand-ins: $(VENV)/.dev ## Hand in a whole room's work at once, with five hostile attendees: how long until all are scored? ARGS="--attendees 4"
	@PYTHONPATH=tests $(BIN)/python -m benchmarks.hand_ins $(ARGS)

radio-drill: $(VENV)/.dev ## Cause every possible fault of a train on Bluetooth, on an emulated radio; ARGS="--times 2"
	@PYTHONPATH=tests $(BIN)/python -m benchmarks.radio_drill $(ARGS)

mutants: $(VENV)/.dev ## Introduce 60 small faults into the product: do the tests notice? ARGS="--seed 7 --count 100"
	@PYTHONPATH=tests $(BIN)/python -m mutants $(ARGS)

clean: ## Delete the environment, the runs and the caches
	rm -rf $(VENV) $(FOOTAGE_VENV) runs site .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# One stamp for each set of extras: an up-to-date environment is not touched.
$(VENV)/.mission: extras = mission
$(VENV)/.live: extras = mission,live
$(VENV)/.workshop: extras = mission,live,workshop,train,pipeline
$(VENV)/.docs: extras = mission,live,docs
$(VENV)/.dev: extras = mission,live,hub,workshop,pipeline,room,dev
$(VENV)/.system: extras = mission,live,hub,workshop,pipeline,room,dev,system,docs,train,quantise,images
# The extra `serving` comes last and from a complete list: pyproject.toml explains why.
$(VENV)/.workshop $(VENV)/.dev $(VENV)/.system: serving = locks/serving.txt
$(VENV)/.workshop $(VENV)/.system: before = $(say_what_torch_brings)
$(VENV)/.mission $(VENV)/.live $(VENV)/.workshop $(VENV)/.docs $(VENV)/.dev $(VENV)/.system: pyproject.toml locks/constraints.txt locks/serving.txt $(ENVIRONMENT)
	@$(SAY) setup.installs extras=$(extras) folder=$(VENV)
	@$(before)
	@$(INSTALL) --editable '.[$(extras)]'
	@$(if $(serving),$(INSTALL) --no-deps --requirement $(serving))
	@$(BIN)/python -c 'import cv2' 2>/dev/null || $(take_headless_opencv)
	@touch $@

# Checks what pip would install, since a build without CUDA may be in a folder that pip is configured to use.
define say_what_torch_brings
test "$$(uname)" != Linux || $(if $(FROM),true,false) \
	|| ! $(PIP) install --dry-run --no-deps --ignore-installed torch 2>/dev/null | grep -q 'Would install torch-[0-9.]*$$' \
	|| $(SAY) setup.cuda
endef

# Many servers and containers lack libGL, which OpenCV needs for its windows. The kit opens none.
define take_headless_opencv
{ $(SAY) setup.opencv \
	&& $(PIP) --quiet uninstall --yes opencv-python opencv-python-headless \
	&& $(PIP) --quiet install $(FROM) --no-deps opencv-python-headless; }
endef

$(FOOTAGE_VENV)/.footage: pyproject.toml locks/footage.txt
	@test -n "$(FOOTAGE_PYTHON)" || { echo "$(NO_BLENDER): make footage FOOTAGE_PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Installing Blender into $(FOOTAGE_VENV)/ …"
	@$(FOOTAGE_PYTHON) -m venv $(FOOTAGE_VENV)
	@$(call constrained,locks/footage.txt) $(FOOTAGE_VENV)/bin/python locks/pip_told.py --quiet install --no-compile --editable '.[footage]'
	@touch $@

environment:
	@test -n "$(PYTHON)" && $(PYTHON) -I -c '$(usable)' 2>/dev/null || { echo "$(NO_PYTHON)"; echo "$(NO_PYTHON_FR)"; exit 1; }
	@$(PYTHON) -I locks/environment.py $(VENV)
