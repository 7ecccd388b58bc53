# make demo: the main job on a simulated scan. make test: the whole test suite. Both set up
# everything they need in .venv first. Another Python: make PYTHON=python3.12 test
# make table1: the paper's Table 1 in miniature, on phantoms, in runs/table1.
# make docs: the documentation as a site, in site/; its tools are in .venv-docs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo table1 test test-core test-slicer test-core-slow test-slicer-slow test-fast test-slow lint types docs setup system-packages clean

setup: $(READY)

$(READY): requirements-torch.txt requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' || \
		{ echo "This needs Python 3.10 to 3.12: call make PYTHON=python3.12 (or 3.11, 3.10)."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-torch.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

# The Debian packages that rendering needs; without the right to install them the demo and the
# tests go on without pictures.
system-packages:
	@sh Testing/install_system_packages.sh

demo: $(READY) system-packages
	$(BIN)/python demo/run_demo.py

# All rows but nnU-Net, which needs a package of its own; two processes share the cells.
TABLE1 := runs/table1/cases/datalist.json --output runs/table1/benchmark --simulated \
	--config examples/table1.toml --centers B --seeds 0 --steps 300

table1: $(READY)
	$(BIN)/gsema simulate --phantoms 12 --seed 500 --centers A,B,C --model light \
		--output runs/table1/cases
	$(MAKE) --jobs 2 table1-part-1 table1-part-2
	$(BIN)/gsema benchmark $(TABLE1) --report

table1-part-1 table1-part-2: table1-part-%: $(READY)
	$(BIN)/gsema benchmark $(TABLE1) --share $*/2

# Four parts, two at a time, the long ones first.
test: $(READY) system-packages
	$(MAKE) --jobs 2 test-core test-slicer test-core-slow test-slicer-slow

test-core test-slicer: test-%: $(READY)
	$(BIN)/python -m pytest -m "not slow" Testing/$* $(PYTEST_ARGS)

test-core-slow test-slicer-slow: test-%-slow: $(READY)
	$(BIN)/python -m pytest -m slow Testing/$* $(PYTEST_ARGS)

test-fast: $(READY) system-packages
	$(BIN)/python -m pytest -m "not slow" $(PYTEST_ARGS)

test-slow: $(READY) system-packages
	$(BIN)/python -m pytest -m slow $(PYTEST_ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python Testing/check_extension.py

types: $(READY)
	$(BIN)/mypy

# Without the package and without PyTorch: the API is read from the sources.
docs: .venv-docs/.ready
	NO_MKDOCS_2_WARNING=1 PATH="$(CURDIR)/.venv-docs/bin:$$PATH" .venv-docs/bin/mkdocs build --strict

.venv-docs/.ready: requirements-docs.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "The site needs Python 3.11 or newer: call make PYTHON=python3.12 docs."; exit 1; }
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-docs.txt
	@touch $@

clean:
	rm -rf $(VENV) .venv-docs site demo_output .pytest_cache .mypy_cache .ruff_cache
