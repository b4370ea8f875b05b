# Every command sets up its environment first; nothing but Python 3.10+ and make is needed. The cluster needs two
# Debian packages more, which it installs if it may.
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8080

.PHONY: demo test airflow cluster events storage compat compat-oldest bench docs screenshots
.PHONY: check workflows release-check format constraints clean

demo: .venv/ready
	$(BIN)/python -m tests.system.demo

# On as many processes as there are cores.
test: .venv/ready
	$(BIN)/python -m pytest --numprocesses logical

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

# Older versions of Airflow, each with the dependencies of its own days: the environments in tests/compat.py.
compat: .venv/ready
	$(BIN)/python -m tests.compat

compat-oldest: .venv/ready
	$(BIN)/python -m tests.compat oldest

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
