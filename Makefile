# Every command sets up its environment first; nothing but Python 3.10+ and make is needed. The cluster needs two
# Debian packages more, which it installs if it may.
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8080

.PHONY: demo test airflow cluster events storage compat bench screenshots check format constraints clean

demo: .venv/ready
	$(BIN)/python -m tests.system.demo

test: .venv/ready
	$(BIN)/python -m pytest

airflow: .venv/ready
	$(BIN)/python -m tests.system.airflow_ui $(PORT)

cluster: .cluster/venv/ready
	.cluster/venv/bin/python -m tests.system.cluster

events: .venv/ready
	$(BIN)/python -m tests.system.events

# Stand-ins for S3, Azure, Google Cloud Storage and Snowflake; about 2 minutes. Without npm, Azure is skipped.
storage: .storage/venv/ready
	if command -v npm >/dev/null; then npm install --silent --no-audit --no-fund --prefix .storage azurite@3.37.0; fi
	.storage/venv/bin/python -m pytest tests/system/storage.py docs/guides/warehouses.rst

# The page with the oldest Airflow in which an API server can look up a Connection; about 5 minutes.
compat: .compat/3.1.1/ready
	.compat/3.1.1/bin/python -m pytest tests/system/test_page.py tests/browser/test_airflow_page.py

check: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test
	$(BIN)/sphinx-build -W -q -b html docs docs/_build/html
	$(BIN)/python -m build --outdir dist --installer uv

format: .venv/ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# About 40 minutes, best on an idle machine; QUICK=1 for a look of five, which leaves results and documentation alone.
bench: .venv/ready
	$(BIN)/python -m benchmarks.run

# The pictures of the documentation; needs the packages that .ci/run installs.
screenshots: .venv/ready
	$(BIN)/python -m pytest tests/browser/test_airflow_page.py -k shows_the_templates
	$(BIN)/python -m tests.browser.screenshots

# What the commands above install, for every Python and system at once.
constraints: .venv/ready
	echo 'apache-airflow>=3.3' | $(BIN)/uv pip compile --universal --python-version 3.10 --all-extras --group dev --group cluster \
		--no-header --no-annotate --no-emit-index-url --constraints - --upgrade --output-file constraints.txt pyproject.toml

clean:
	rm -rf .venv .bench .cluster .compat .demo .airflow .airflow-events .storage dist docs/_build docs/_generated .mypy_cache .ruff_cache .hypothesis .pictures
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/ready: GROUP := dev
.cluster/venv/ready: GROUP := cluster
%/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or later is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv $*
	$*/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	$*/bin/uv pip install --quiet --python $*/bin/python --constraints constraints.txt --editable '.[oauth1,sandbox]' --group $(GROUP)
	touch $@

# With versions of one day, because constraints.txt has a dateutil that botocore does not take.
.storage/venv/ready: pyproject.toml
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	$(@D)/bin/uv pip install --quiet --python $(@D)/bin/python --exclude-newer 2026-11-25 \
		--editable '.[sandbox]' --group storage 'apache-airflow>=3.3'
	touch $@

# An older Airflow, with what there was when it came out. Its constraints are not used: they lack newer needs of ours.
# structlog 25.5, of the day before, breaks it.
.compat/%/ready: pyproject.toml
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	$(@D)/bin/uv pip install --quiet --python $(@D)/bin/python --exclude-newer 2025-10-29 \
		--exclude-newer-package apache-airflow-providers-common-compat=2026-02-01 \
		--editable '.[oauth1,sandbox]' apache-airflow==$* 'structlog<25.5' playwright pytest sybil
	AIRFLOW_HOME=$(CURDIR)/$(@D)/home $(@D)/bin/airflow version | grep -qx '$*'
	touch $@
