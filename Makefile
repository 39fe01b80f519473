# The two commands of a checkout are `make demo` and `make test`; both set everything up first.
# Users of the plugin need neither: they install it with pip (see README.md).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# Without a display, the tests draw windows on a virtual one; the command finds one by itself.
ifeq ($(shell uname -s),Linux)
ifeq ($(DISPLAY)$(WAYLAND_DISPLAY),)
SCREEN := xvfb-run -a -s "-screen 0 1600x1000x24"
endif
endif

# Two workers with one thread each are faster than threads that fight for two cores. The one that ends first
# takes over half of what the other has left; whole files at a time left it idle for minutes.
# Compiled modules are kept, also those that pytest compiles: else each process of the tests compiles 700 again.
PYTEST := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(SCREEN) $(BIN)/python -m pytest -n 2 --dist worksteal

# Where the lowest versions are tried, beside the demonstration. Warnings count as errors elsewhere; old versions
# have their own.
FLOORS := tests/metrics tests/network/test_parity.py tests/network/test_packed.py tests/export/test_nifti.py \
	tests/export/test_results.py tests/export/dicom/test_objects.py tests/export/pages \
	tests/anatomy/test_head_mr.py tests/anatomy/test_registration.py tests/studies/decoding/test_jpeg.py \
	tests/session/saved/test_old_results.py tests/test_public.py

# What `make model` trains on (TASK/normal folders) and distils from (folded ImageNet ResNet-18 weights).
DATA ?= ../shared/data/images
WEIGHTS ?= ../shared/weights/resnet18_conv1_to_layer3_bnfolded.npz
MODEL := resources/models/compact

.PHONY: help setup demo test lint unit coverage wheel floors sbom docs site model clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /make \1: /p' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## virtual environment in .venv and system libraries
	@.ci/install-packages .ci/packages.txt

$(INSTALLED): pyproject.toml setup.cfg napari_d24fad/version.py .ci/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	@.ci/install-packages .ci/packages.txt $(PYTHON)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c .ci/constraints.txt -e ".[pyqt6,pyqt5,dev]"
	touch $@

demo: setup ## find a known lesion in a sample study; results in demo-output/
	QT_API=pyqt6 $(BIN)/d24fad demo --out demo-output

test: lint wheel site ## everything that CI checks
	$(MAKE) unit D24FAD_DEMO=$(CURDIR)/build/demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/npe2 validate --imports napari-d24fad

# Where the demonstration was run already it is only looked at.
unit: setup ## the tests, under both Qts
	-@.ci/install-packages .ci/test-packages.txt
	QT_API=pyqt6 PYTEST_QT_API=pyqt6 D24FAD_DEMO=$(D24FAD_DEMO) $(PYTEST)
	QT_API=pyqt5 PYTEST_QT_API=pyqt5 $(PYTEST) tests/viewer -m "not one_qt"

coverage: setup ## the lines that no test reaches; a third slower than the tests alone
	QT_API=pyqt6 PYTEST_QT_API=pyqt6 $(PYTEST) --cov=napari_d24fad

# An environment of its own: in that of the developers, a dependency that is not declared would be there.
wheel: setup ## build sdist and wheel, install the wheel with what it declares into an empty environment, and use it there
	rm -rf build dist
	$(BIN)/python -m build --outdir dist . >/dev/null
	$(BIN)/python -m twine check --strict dist/*
	.ci/check-dist dist
	$(PYTHON) -m venv build/env
	build/env/bin/python -m pip install --quiet --disable-pip-version-check -c .ci/constraints.txt \
		"$$(echo dist/*.whl)[pyqt6]"
	cd build && env/bin/python ../.ci/import-all && env/bin/d24fad models verify compact
	cd build && env/bin/d24fad demo --out demo && rm -rf env

# uv finds the lowest versions; wheels only, since that is what users install.
floors: setup ## the lowest versions that are declared, in an environment of their own: demonstration and some tests
	rm -rf build/floors
	$(PYTHON) -m venv build/floors
	build/floors/bin/python -m pip install --quiet --disable-pip-version-check uv
	build/floors/bin/uv pip compile --quiet --no-build --resolution lowest-direct --extra pyqt6 \
		--python build/floors/bin/python --output-file build/floors.txt pyproject.toml
	build/floors/bin/uv pip install --quiet --python build/floors/bin/python \
		-r build/floors.txt . pytest pytest-qt pypdf
	cd build && QT_API=pyqt6 floors/bin/d24fad demo --close --out floors-demo
	QT_API=pyqt6 PYTEST_QT_API=pyqt6 OMP_NUM_THREADS=1 $(SCREEN) build/floors/bin/python -m pytest -W default \
		$(FLOORS)
	rm -rf build/floors

sbom: setup ## what the wheel in dist/ is installed with, as a CycloneDX file: build/sbom.cdx.json
	$(PYTHON) -m venv build/env
	build/env/bin/python -m pip install --quiet --disable-pip-version-check "$$(echo dist/*.whl)[pyqt6]"
	$(PYTHON) -m venv build/tools
	build/tools/bin/python -m pip install --quiet --disable-pip-version-check cyclonedx-bom
	build/tools/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type library \
		--output-reproducible --output-file build/sbom.cdx.json build/env/bin/python
	rm -rf build/env build/tools

docs: setup ## write the tables of docs/ anew that are made of the code
	$(BIN)/python -m tests.tables

# A warning, such as a link that leads nowhere, is an error. Links to other sites are not followed: no network is needed.
site: setup ## these documents as a site, in build/site
	rm -rf build/site
	$(BIN)/python -m sphinx -q -W --keep-going -c docs . build/site
	@echo build/site/index.html

model: setup ## train the embedded model anew by its recipe, from DATA= and WEIGHTS=; goes on if it was stopped
	$(BIN)/d24fad train $(DATA) --recipe $(MODEL).toml --distil-from $(WEIGHTS) --out $(MODEL).safetensors \
		$(if $(wildcard $(MODEL).checkpoint),--resume)

clean: ## remove everything that was made here
	rm -rf $(VENV) build dist demo-output .coverage *.egg-info .mypy_cache .ruff_cache .pytest_cache
