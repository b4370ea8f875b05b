# Every command sets up its environment first; nothing but Python 3.10+ and make is needed. The cluster needs two
# Debian packages more, which it installs if it may.
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8080

.PHONY: demo test airflow cluster events compat bench docs screenshots check workflows release-check format constraints clean

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

# The page with the oldest Airflow in which an API server can look up a Connection; about 5 minutes.
compat: .compat/3.1.1/ready
	.compat/3.1.1/bin/python -m pytest tests/system/test_page.py tests/browser/test_airflow_page.py

check: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) workflows
	$(MAKE) test

# The files that GitHub and pre-commit read.
workflows: .venv/ready
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/idea.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/zizmor --offline --pedantic --quiet .github
	$(BIN)/pre-commit validate-config

# Builds what is released into dist, twice, and installs it where nothing else is; about 2 minutes.
release-check: .venv/ready
	$(BIN)/python -m pytest tests/test_packaging.py

# docs/_build/html/index.html, and the same pages as plain text, for llms.txt.
docs: .venv/ready
	$(BIN)/sphinx-build -W -q -b html -d docs/_build/doctrees docs docs/_build/html
	$(BIN)/sphinx-build -W -q -b text -d docs/_build/doctrees docs docs/_build/html

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
	rm -rf .venv .bench .cluster .compat .demo .airflow .airflow-events dist docs/_build docs/_generated .mypy_cache .ruff_cache .hypothesis .pictures
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/ready: GROUP := dev
.cluster/venv/ready: GROUP := cluster
%/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or later is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv $*
	$*/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	$*/bin/uv pip install --quiet --python $*/bin/python --constraints constraints.txt --editable '.[oauth1,sandbox]' --group $(GROUP)
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
