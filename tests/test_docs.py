"""The documentation: every code block is run, by ``tests/blocks.py``, and every table agrees with the code."""

from __future__ import annotations

import importlib
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pytest
from sqlglot.errors import ParseError
from sybil import Document
from sybil.example import SybilFailure
from sybil.parsers.rest.lexers import DirectiveLexer
from sybil.typing import Parser

from airflow_provider_outbound import errors
from airflow_provider_outbound.get_provider_info import get_provider_info
from airflow_provider_outbound.hooks import OutboundHook
from airflow_provider_outbound.operators import OutboundConfigurationsOperator
from airflow_provider_outbound.tables import schemas
from conftest import markdown, rest
from docs.generate import elsewhere, fault_rows, fault_tests
from tests.blocks import ROOT, markdown_blocks, rest_blocks, shell, workflow_lines
from tests.warehouses import parse

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.rst"))]
TYPES = {
    "string": pa.string(),
    "int64": pa.int64(),
    "bool": pa.bool_(),
    "timestamp[ms, UTC]": pa.timestamp("ms", tz="UTC"),
    "list<string>": pa.list_(pa.string()),
}


def directives(page: Path) -> Iterator[tuple[str, str, str]]:
    """Yield an rst page's directives: name, argument and body, with its options."""
    document = Document(page.read_text(), str(page))
    for found in DirectiveLexer(directive=r"[\w-]+")(document):
        options = "".join(f":{name}: {value}\n" for name, value in found.lexemes["options"].items())
        yield found.lexemes["directive"], found.lexemes["arguments"] or "", options + found.lexemes["source"]


def test_every_page_is_collected_by_a_plain_pytest(pytestconfig: pytest.Config) -> None:
    roots = [ROOT / path for path in pytestconfig.getini("testpaths")]
    for page in PAGES:
        assert any(page == root or root in page.parents for root in roots)
        assert (markdown if page.suffix == ".md" else rest).should_parse(page)


def test_readme_shows_two_dags() -> None:
    assert sum("@dag" in example.parsed for example in markdown.parse(ROOT / "README.md")) == 2


def test_samples_are_those_that_are_run() -> None:
    included = []
    for path in ROOT.glob("docs/**/*.rst"):
        for name, argument, body in directives(path):
            if name == "literalinclude":
                sample = (path.parent / argument).resolve()
                markers = re.findall(r":(?:start-after|end-before): (\[\w+ \w+\])", body)
                assert [sample.read_text().count(f"# {marker}\n") for marker in markers] == [1, 1]
                included.append(sample)
    assert set(included) == set((ROOT / "dags").glob("*.py"))
    runs = (ROOT / "tests" / "test_dags.py").read_text()
    assert all(f'"{sample.stem}"' in runs for sample in included)


def rows(page: str, header: str) -> list[list[str]]:
    """Return the rows of the first list-table on a page whose first heading is ``header``."""
    for body in list_tables(page):
        table = [re.split(r"\n {2}- ", row) for row in body.removeprefix("* - ").split("\n* - ")]
        if table[0][0] == header:
            return [[cell.strip().replace("``", "") for cell in row] for row in table[1:]]
    raise AssertionError(f"{page} has no table of {header}")


def list_tables(page: str) -> list[str]:
    found = directives(ROOT / "docs" / page)
    return [
        re.sub(r"^:.*\n", "", body, flags=re.MULTILINE).strip() for name, _, body in found if name == "list-table"
    ]


@pytest.mark.parametrize(
    ("page", "number", "table"),
    [
        ("reference/tables.rst", 0, "configurations"),
        ("reference/tables.rst", 1, "components"),
        ("reference/tables.rst", 2, "changes"),
    ],
)
def test_columns(page: str, number: int, table: str) -> None:
    assert pa.schema(columns(page, number)) == schemas.schema(table)


def columns(page: str, number: int) -> list[pa.Field[Any]]:
    """Return the columns that a list-table of a page has, with a meaning each."""
    body = list_tables(page)[number]
    found = re.findall(r"^\* - ``(\w+)``\n  - (\S.*)\n  - \S", body, re.MULTILINE)
    assert body.count("* - ") == len(found) + 1
    return [pa.field(name, TYPES[kind]) for name, kind in found]


def test_columns_of_problems() -> None:
    listed = [(row[0], TYPES[row[1]]) for row in rows("reference/checks.rst", "Column")]
    assert pa.schema(listed) == schemas.schema("problems")


def test_columns_of_a_history() -> None:
    own = columns("reference/tables.rst", 3)
    others = [field for field in schemas.schema("configurations") if field.name != "fetched_at"]
    assert schemas.schema("history") == pa.schema(own + others)


def test_names_of_other_projects_exist() -> None:
    names = [name for _, _, objects in elsewhere() for _, name, _ in objects]
    assert len(names) > 10
    for name in names:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module or "builtins"), attribute), name


def test_connection_fields() -> None:
    (kind,) = get_provider_info()["connection-types"]
    labels = kind["ui-field-behaviour"]["relabeling"]
    assert {row[0]: row[1] for row in rows("reference/connection.rst", "Field")} == labels


def test_errors() -> None:
    classes = {name: value for name, value in vars(errors).items() if isinstance(value, type)}
    listed = {row[0]: row[1] for row in rows("reference/errors.rst", "Class")}
    assert listed.keys() == classes.keys()
    for name, fate in listed.items():
        waits = issubclass(classes[name], errors.TRANSIENT)
        assert fate == ("Retries the task; sensors keep waiting." if waits else "Fails the task at once.")


def test_pages_name_no_place_of_one_machine() -> None:
    for path in [*PAGES, ROOT / "CHANGELOG.md"]:
        assert not re.search(r"/(work|root|home)/", path.read_text()), path.name


def test_links_lead_somewhere() -> None:
    for name in ("README.md", "AGENTS.md", "CONTRIBUTING.md", "SECURITY.md"):
        targets = re.findall(r"\]\(([^)#]+)\)", (ROOT / name).read_text())
        assert all(target.startswith("https://") or (ROOT / target).is_file() for target in targets)


def test_a_shell_line_that_is_not_known_fails(request: pytest.FixtureRequest) -> None:
    for line in ("curl https://example.com", "make nothing", "pip install pandas", "airflow db reset"):
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            shell(shlex.split(line), request)


@pytest.mark.parametrize(
    "text", ["    code\n", "\tcode\n", "```bash\nopen", "```\ncode\n```\n", "~~~ sql\ncode\n~~~\n"]
)
def test_block_that_nothing_runs_fails_in_markdown(text: str) -> None:
    assert fails(Document(f"{text}\n", "page.md"), markdown_blocks)


@pytest.mark.parametrize(
    "text",
    [
        "Thus::\n\n   code\n",
        "::\n\n   code\n",
        ">>> code\n",
        ".. code-block:: sql\n\n   code\n",
        ".. code::\n\n   x\n",
    ],
)
def test_block_that_nothing_runs_fails_in_rst(text: str) -> None:
    assert fails(Document(f"{text}\n", "page.rst"), rest_blocks)


@pytest.mark.parametrize(
    ("database", "sql"),
    [
        ("PostgreSQL", "select from where"),
        ("Snowflake", "copy into ("),
        ("BigQuery", "load data upside down"),
        ("BigQuery", "  "),
    ],
)
def test_sql_that_its_database_does_not_have_fails(database: str, sql: str) -> None:
    with pytest.raises((AssertionError, ParseError)):
        parse(database, sql)


def test_workflow_that_github_does_not_know_fails() -> None:
    job = "jobs: {test: {runs-on: ubuntu-latest, steps: [{run: pytest}, {uses: actions/checkout@v4}]}}"
    assert workflow_lines(f"on: push\n{job}") == "pytest\n"
    with pytest.raises(jsonschema.ValidationError):
        workflow_lines(f"on: push\n{job.replace('runs-on', 'runs_on')}")


def fails(document: Document, parser: Parser) -> bool:
    """Return whether a page has a block, and running it fails."""
    for region in parser(document):
        document.add(region)
    (example,) = document.examples()
    with pytest.raises(SybilFailure):
        example.evaluate()
    return True


def test_every_fault_has_a_test_and_every_test_a_fault() -> None:
    rows = [row for row, _, _ in fault_rows()]
    assert set(rows) == set(fault_tests(ROOT / "tests"))
    assert len(rows) == len(set(rows))


@pytest.mark.parametrize(
    "text",
    ["mark = pytest.mark.fault('R1')", "class TestX:\n    @pytest.mark.fault('R1')\n    def helper(self): pass"],
)
def test_mark_of_a_fault_that_is_on_no_test_fails(tmp_path: Path, text: str) -> None:
    (tmp_path / "test_x.py").write_text(text)
    with pytest.raises(ValueError, match="marks a fault, but no test function"):
        fault_tests(tmp_path)


def test_marks_of_faults_are_found_wherever_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text(
        "@pytest.mark.fault('R1')\n"
        "@pytest.mark.parametrize(\n'x', [pytest.param(1, marks=pytest.mark.fault('R2'))]\n)\n"
        "async def test_y(x): pass\n"
    )
    assert fault_tests(tmp_path) == {"R1": ["test_x::test_y"], "R2": ["test_x::test_y"]}


def test_every_public_method_of_the_hook_says_what_it_takes() -> None:
    own = {name: value for name, value in vars(OutboundHook).items() if not name.startswith("_")}
    methods = {name: value for name, value in own.items() if inspect.isfunction(value)}
    assert {"get_df", "iter_parts", "test_connection"} < set(methods)
    for name, method in methods.items():
        assert method.__doc__, name
        taken = [each for each in inspect.signature(method).parameters if each != "self"]
        assert re.findall(r":param (\w+):", method.__doc__) == taken, name
    assert all(value.__doc__ for value in own.values() if isinstance(value, property))


def test_every_parameter_of_the_operator_says_its_type_and_default() -> None:
    parameters = inspect.signature(OutboundConfigurationsOperator.__init__).parameters.values()
    text = OutboundConfigurationsOperator.__doc__ or ""
    listed = re.findall(r":param (\w+):(.*?)(?=:param|\Z)", text, re.DOTALL)
    named = [each for each in parameters if each.kind is each.KEYWORD_ONLY]
    assert [name for name, _ in listed] == [each.name for each in named]
    for each, (name, told) in zip(named, listed, strict=True):
        assert re.search(rf"\((?:str|int|bool)\b[^()]*; default `*{each.default}\b", " ".join(told.split())), name
        assert ("templated)" in told) == (name in OutboundConfigurationsOperator.template_fields), name
