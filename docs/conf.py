"""Sphinx's settings."""

import os
import sys
import tempfile
from pathlib import Path

from airflow_provider_outbound import __version__

sys.path.insert(0, str(Path(__file__).parent))

# autodoc imports Airflow, which writes a configuration file into its home.
_home = tempfile.TemporaryDirectory(prefix="outbound-docs-")
os.environ["AIRFLOW_HOME"] = _home.name

project = "airflow-provider-outbound"
author = "The authors of airflow-provider-outbound"
copyright = "2026, the authors"  # noqa: A001 - Sphinx's name
version = release = __version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.intersphinx", "sphinx_copybutton", "llms"]
nitpicky = True  # a reference that leads nowhere is an error
nitpick_ignore = [("py:exc", "AirflowFailException")]  # its documentation has no stable address
exclude_patterns = ["_build", "_generated"]
default_role = "literal"  # CHANGELOG.md is included: one backtick is code there
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say it in words
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["docs.css"]
copybutton_prompt_text = "$ "
html_title = f"airflow-provider-outbound {version}"

from generate import write_inventories, write_tables  # noqa: E402

write_tables()
intersphinx_mapping = write_inventories()
