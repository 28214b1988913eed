PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
COUNTY ?= demo
export PYTHONUTF8 = 1
unexport PYTHONDONTWRITEBYTECODE # pytest keeps the tests as it has rewritten them: else each worker does it anew
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: help install report test test-slow test-equal test-faults outside demo wheelhouse notebooks gallery lab lint lock clean
.DEFAULT_GOAL := help

help: ## show this help
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

$(VENV)/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

install: $(VENV)/installed ## set the environment up in .venv

report: $(VENV)/installed ## check and run every town of COUNTY (default demo), then the brief, sheets, workbook, page and slides in both languages
	$(BIN)/python -m compileall -q src
	$(BIN)/python -m huying check $(COUNTY)
	$(BIN)/python -m huying run $(COUNTY)
	printf "%s\n" sheets page workbook brief slides | xargs -P 2 -I {} $(BIN)/python -m huying {} $(COUNTY) --lang zh en

test: $(VENV)/installed ## run the tests, the notebooks' printed evidence included; test-slow has the whole of some sweeps
	$(BIN)/python -m compileall -q src tests # where Python may write no bytecode, each process would compile the library anew
	$(BIN)/python -m huying run demo --towns county
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder # one more than cores: some tests wait for processes
	$(BIN)/python -m pytest -n 3 --dist loadfile --nbval-lax --nbval-current-env -p no:cacheprovider -W ignore notebooks

test-slow: $(VENV)/installed ## run what is marked slow, of which make test runs a part: every ledger removed, every small county, a worker stopped …
	$(BIN)/python -m huying run demo --towns county
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m slow

test-equal: $(VENV)/installed ## compare every notebook, three places, both languages with stock papermill; make test and test-slow compare a part
	HUYING_WHOLE=1 $(BIN)/python -m pytest tests/end_to_end/test_engine.py -m slow -k every_notebook

test-faults: $(VENV)/installed ## kill, fill the disk and close the folder at every moment, all verbs; make test and test-slow try some moments
	HUYING_FAULTS=all $(BIN)/python -m pytest -n 2 tests/end_to_end/test_faults.py -m "slow or not slow"

outside: $(VENV)/installed ## open what people are given in a browser, LibreOffice and ODK Validate (needs chromium, LibreOffice, poppler, Java, CJK fonts)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-outside.lock
	HUYING_FORMATS=png,svg $(BIN)/python -m huying run demo --towns county --lang zh en
	printf "%s\n" sheets page workbook brief slides | xargs -P 2 -I {} $(BIN)/python -m huying {} demo --lang zh en
	$(BIN)/python -m pytest tests/browser tests/outside

demo: $(VENV)/installed ## write the synthetic demo county and its answer key anew: the same bytes as committed
	OPENPYXL_LXML=False PYTHONPATH=tests $(BIN)/python -m demo_county # lxml writes the same cells in other bytes

wheelhouse: $(VENV)/installed ## fetch every package for Windows into wheelhouse/, for a USB stick and huying.bat --offline
	$(BIN)/python -m pip download --quiet --dest wheelhouse --require-hashes -r requirements.lock --only-binary :all: --platform win_amd64 --python-version 3.11 --implementation cp
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir wheelhouse .

notebooks: $(VENV)/installed ## run the notebooks in place and keep what their evidence cells print
	$(BIN)/jupyter nbconvert --to notebook --execute --inplace notebooks/*.ipynb
	$(BIN)/nbstripout --keep-count --keep-id --extra-keys "metadata.papermill metadata.language_info cell.metadata.execution" notebooks/*.ipynb

gallery: $(VENV)/installed ## draw figures/gallery anew from the notebooks: one town and the county, both languages
	$(BIN)/python -m huying run demo --towns T07 county --wave 2023 --lang zh en
	rm -f figures/gallery/*.png
	for file in figures/demo/*_T07_2023_??.png figures/demo/*_county_2023_??.png; do \
		town=$$(echo "$$file" | sed 's/_county_/_T07_/'); \
		if [ "$$file" = "$$town" ] || [ ! -f "$$town" ]; then cp "$$file" "figures/gallery/$$(basename "$$file" | sed 's/_2023_/_/')"; fi; \
	done
	rm -f figures/gallery/topline_* # a picture a question: any survey has them

lab: $(VENV)/installed ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks

lint: $(VENV)/installed ## style, types and the floors of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m huying dictionary --check

lock: ## make requirements.lock anew from pyproject.toml (needs uv)
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-strip-extras --extra dev --python-version 3.11 --quiet --custom-compile-command "make lock" -o requirements.lock pyproject.toml
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-strip-extras --extra outside --constraint requirements.lock --python-version 3.11 --quiet --custom-compile-command "make lock" -o requirements-outside.lock pyproject.toml

clean: ## remove the environment, results and caches
	rm -rf $(VENV) results build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find figures -mindepth 1 -maxdepth 1 ! -name gallery -exec rm -rf {} +
