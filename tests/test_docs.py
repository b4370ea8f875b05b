"""The documentation: every code block is run, and every table agrees with the code.

A code block is run by its language; one of another kind, or a shell line that is not known here, fails:

- ``python`` that defines a DAG: by ``dag.test()``, with a sandbox as the default connection.
- ``python`` that defines ``test_*``: by calling these, with the fixtures that they ask for.
- other ``python``: as it is, in a namespace of its own.
- ``bash``: line by line, see ``shell``.
- ``json``: read as an Airflow Connection.

In the sandbox, ``spring_sale`` is published beforehand, so that nothing waits. One thing is changed: the folder
``/data/outbound`` is a temporary one.
"""

from __future__ import annotations

import inspect
import json
import re
import shlex
import textwrap
from collections.abc import Callable, Iterator
from importlib.metadata import metadata
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest

from airflow_provider_outbound import errors
from airflow_provider_outbound.client.account import Account, Secret
from airflow_provider_outbound.connections import account_of
from airflow_provider_outbound.get_provider_info import get_provider_info
from airflow_provider_outbound.sandbox import Sandbox
from airflow_provider_outbound.sandbox.__main__ import _parser
from airflow_provider_outbound.tables import schemas
from airflow_provider_outbound.testing import outbound_sandbox  # noqa: F401

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "AGENTS.md", *sorted((ROOT / "docs").glob("*.rst"))]
# Directives that hold no code; autoclass shows docstrings, literalinclude a sample that test_dags.py runs.
PROSE = {"autoclass", "image", "include", "list-table", "literalinclude", "toctree"}
EXAMPLE = Account(
    account_id="12345678", client_id="client_id", secret=Secret("client_secret")
)  # whose the credentials in the examples are
TYPES = {
    "string": pa.string(),
    "int64": pa.int64(),
    "bool": pa.bool_(),
    "timestamp[ms, UTC]": pa.timestamp("ms", tz="UTC"),
    "list<string>": pa.list_(pa.string()),
}


class Block(NamedTuple):
    """A code block, and where it is."""

    page: str
    line: int
    language: str
    text: str


def fenced(path: Path) -> Iterator[Block]:
    """Yield a Markdown page's code blocks."""
    opened = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.lstrip().startswith(("```", "~~~")):
            if opened is None:
                opened = (number, line.strip()[3:], [])
            else:
                yield Block(path.name, opened[0], opened[1], "\n".join(opened[2]))
                opened = None
        elif opened is not None:
            opened[2].append(line)
        else:
            assert not line.startswith(("    ", "\t")), f"{path.name}:{number} is an indented code block"
    assert opened is None


def directives(path: Path) -> Iterator[tuple[int, str, str, str]]:
    """Yield an rst page's directives: line, name, argument and body."""
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines, 1):
        found = re.fullmatch(r"( *)\.\. ([\w-]+):: *(.*)", line)
        assert found or not line.rstrip().endswith("::"), f"{path.name}:{number} opens a block of no language"
        assert ">>>" not in line, f"{path.name}:{number} is a doctest"
        if found:
            body = []
            for each in lines[number:]:
                if each.strip() and not each.startswith(found[1] + " "):
                    break
                body.append(each)
            yield number, found[2], found[3], textwrap.dedent("\n".join(body)).strip("\n")


def blocks() -> Iterator[Block]:
    """Yield every code block there is."""
    for path in PAGES:
        if path.suffix == ".md":
            yield from fenced(path)
            continue
        for number, name, argument, body in directives(path):
            if name not in PROSE:
                yield Block(path.name, number, argument if name == "code-block" else name, body)


BLOCKS = list(blocks())


def of(*languages: str) -> Any:
    """Return the blocks of some languages as parameters of a test."""
    chosen = [block for block in BLOCKS if block.language in languages]
    return pytest.mark.parametrize("block", chosen, ids=lambda block: f"{block.page}:{block.line}")


@pytest.fixture
def sandbox(outbound_sandbox: Sandbox) -> Sandbox:  # noqa: F811
    outbound_sandbox.publish("spring_sale")
    return outbound_sandbox


def test_every_block_is_of_a_kind_that_is_run() -> None:
    assert {block.language for block in BLOCKS} == {"python", "bash", "json"}
    assert sum("@dag" in block.text for block in BLOCKS if block.page == "README.md") == 3


@of("python")
def test_python(block: Block, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    text = block.text.replace("/data/outbound", str(tmp_path / "data"))
    if "@dag" in text:
        run_dag(text, request, tmp_path)
        assert ("/data/outbound" in block.text) == (tmp_path / "data").exists()
        return
    assert "DAG(" not in text, "a DAG that this test would not run: write it with @dag"
    tests = re.findall(r"^def (test_\w+)", text, re.MULTILINE)
    if not tests:  # those ask for a sandbox themselves
        request.getfixturevalue("sandbox")
    namespace: dict[str, Any] = {"__name__": "block"}
    exec(compile("\n" * block.line + text, block.page, "exec", dont_inherit=True), namespace)
    for name in tests:
        test = namespace[name]
        test(**{argument: fixture(request, argument) for argument in inspect.signature(test).parameters})


def fixture(request: pytest.FixtureRequest, name: str) -> Any:
    if name == "drive":
        from tests.conftest import Driver

        return Driver("run")
    return request.getfixturevalue(name)


def run_dag(text: str, request: pytest.FixtureRequest, folder: Path) -> None:
    """Put a DAG into a DAG folder of its own and run it."""
    from airflow.dag_processing.dagbag import DagBag

    for name in ("sandbox", "airflow_db"):
        request.getfixturevalue(name)
    dags = folder / "dags"
    dags.mkdir()
    (dags / "block.py").write_text(text)
    bundle = {"name": "block", "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle"}
    bundles = json.dumps([{**bundle, "kwargs": {"path": str(dags)}}])
    request.getfixturevalue("monkeypatch").setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", bundles)
    bag = DagBag(str(dags))
    assert bag.import_errors == {}
    (dag,) = bag.dags.values()
    assert dag.test().state == "success"


@of("json")
def test_json(block: Block) -> None:
    check_connection(block.text)


@of("bash")
def test_shell(block: Block, request: pytest.FixtureRequest) -> None:
    lines = [shlex.split(line, comments=True) for line in block.text.splitlines()]
    for words in filter(None, lines):
        shell(words, request)


def shell(words: list[str], request: pytest.FixtureRequest) -> None:
    """Run a shell line, or as much of it as needs no network and no minutes."""
    match words:
        case ["make", target]:
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        case ["pip", "install", requirement]:
            extras = metadata("airflow-provider-outbound").get_all("Provides-Extra") or []
            assert requirement in [".", *(f".[{extra}]" for extra in extras)]
        case ["airflow", "connections", "add", conn_id, *_]:
            airflow_command(words, request)
            stored = connection_in_database(conn_id, request)
            airflow_command(["airflow", "connections", "delete", conn_id], request)
            check_connection(stored)
        case ["airflow", "connections", "test", "liveperson_outbound_default"]:
            request.getfixturevalue("sandbox")
            request.getfixturevalue("monkeypatch").setenv("AIRFLOW__CORE__TEST_CONNECTION", "Enabled")
            printed = request.getfixturevalue("capsys")
            airflow_command(words, request)
            assert "Connection success!" in printed.readouterr().out
        case ["export", assignment] if assignment.startswith("AIRFLOW_CONN_LIVEPERSON_OUTBOUND_DEFAULT="):
            check_connection(assignment.partition("=")[2])
        case ["python", "-m", "airflow_provider_outbound.sandbox", *options]:
            chosen = vars(_parser().parse_args(options))
            Sandbox(**{**chosen, "appear": dict(chosen["appear"])})
        case [".venv/bin/python", "-m", "pytest", *options]:
            names = [option for option in options if option.endswith(".py")]
            assert all((ROOT / name).is_file() for name in names)
            assert [option for option in options if option not in names] in ([], ["-m", "not system"])
        case [".venv/bin/sphinx-build", *_]:
            assert shlex.join(words) in (ROOT / "Makefile").read_text().replace("$(BIN)", ".venv/bin")
        case _:
            pytest.fail(f"a shell line that no test knows: {shlex.join(words)}")


def airflow_command(words: list[str], request: pytest.FixtureRequest) -> None:
    """Run a line of Airflow's CLI in this process, on this session's database."""
    from airflow.cli.cli_parser import get_parser

    request.getfixturevalue("airflow_db")
    arguments = get_parser().parse_args(words[1:])
    arguments.func(arguments)


def connection_in_database(conn_id: str, request: pytest.FixtureRequest) -> str:
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        return session.scalars(select(Connection).where(Connection.conn_id == conn_id)).one().get_uri()


def check_connection(text: str) -> None:
    """Read a connection as Airflow does, from a URI or JSON, and the account from it."""
    from airflow.models.connection import Connection

    given = Connection.from_json(text, "x") if text.startswith("{") else Connection(conn_id="x", uri=text)
    account = account_of(given)
    assert account.account_id == EXAMPLE.account_id
    known = {EXAMPLE.client_id: EXAMPLE.secret, Sandbox.client_id: Secret(Sandbox.client_secret)}
    assert known[account.client_id] == account.secret


def test_samples_are_those_that_are_run() -> None:
    included = []
    for path in ROOT.glob("docs/*.rst"):
        for _, name, argument, body in directives(path):
            if name == "literalinclude":
                sample = (path.parent / argument).resolve()
                markers = re.findall(r":(?:start-after|end-before): (\[\w+ \w+\])", body)
                assert [sample.read_text().count(f"# {marker}\n") for marker in markers] == [1, 1]
                included.append(sample)
    assert set(included) == set((ROOT / "dags").glob("*.py"))
    runs = (ROOT / "tests" / "test_dags.py").read_text()
    assert all(f'"{sample.stem}"' in runs for sample in included)


def rows(page: str, header: str) -> list[list[str]]:
    """Return the rows of the first list-table on a page, or part of one, whose first heading is ``header``."""
    for _, name, _, body in directives_of(page):
        if name == "list-table":
            table = [
                re.split(r"\n {2}- ", row) for row in body.split("\n\n", 1)[1].removeprefix("* - ").split("\n* - ")
            ]
            if table[0][0] == header:
                return [[cell.strip().replace("``", "") for cell in row] for row in table[1:]]
    raise AssertionError(f"{page} has no table of {header}")


def directives_of(page: str) -> list[tuple[int, str, str, str]]:
    return list(directives(ROOT / "docs" / page))


@pytest.mark.parametrize("table", schemas.TABLES)
def test_columns(table: str) -> None:
    written = [body for _, name, _, body in directives_of("tables.rst") if name == "list-table"]
    body = written[schemas.TABLES.index(table)]
    found = re.findall(r"^\* - ``(\w+)``\n  - (\S.*)\n  - \S", body, re.MULTILINE)
    assert pa.schema([(name, TYPES[kind]) for name, kind in found]) == schemas.schema(table)
    assert body.count("* - ") == len(found) + 1


def test_connection_fields() -> None:
    (kind,) = get_provider_info()["connection-types"]
    form = {name: field["schema"]["default"] for name, field in kind["conn-fields"].items()}
    assert {row[0]: row[1] for row in rows("connection.rst", "Extra")} == {
        name: "none" if default is None else str(default) for name, default in form.items()
    }
    labels = kind["ui-field-behaviour"]["relabeling"]
    assert {row[0]: row[1] for row in rows("connection.rst", "Field")} == labels


def test_errors() -> None:
    classes = {name: value for name, value in vars(errors).items() if isinstance(value, type)}
    listed = {row[0]: row[2] for row in rows("errors.rst", "Class")}
    assert listed.keys() == classes.keys()
    for name, fate in listed.items():
        waits = issubclass(classes[name], errors.TRANSIENT)
        assert fate == ("Retries the task; sensors keep waiting." if waits else "Fails the task at once.")


def test_pages_name_no_place_of_one_machine() -> None:
    for path in [*PAGES, ROOT / "CHANGELOG.md"]:
        assert not re.search(r"/(work|root|home)/", path.read_text()), path.name


def test_links_lead_somewhere() -> None:
    for name in ("README.md", "AGENTS.md"):
        targets = re.findall(r"\]\(([^)#]+)\)", (ROOT / name).read_text())
        assert all(target.startswith("https://") or (ROOT / target).is_file() for target in targets)


def test_a_shell_line_that_is_not_known_fails(request: pytest.FixtureRequest) -> None:
    for line in ("curl https://example.com", "make nothing", "pip install pandas", "airflow db reset"):
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            shell(shlex.split(line), request)


@pytest.mark.parametrize("text", ["    code\n", "```bash\nopen"])
def test_a_block_that_is_not_run_is_seen_in_markdown(tmp_path: Path, text: str) -> None:
    check_refused(tmp_path / "page.md", text, fenced)


@pytest.mark.parametrize("text", ["Thus::\n\n   code\n", "::\n\n   code\n", ">>> code\n"])
def test_a_block_that_is_not_run_is_seen_in_rst(tmp_path: Path, text: str) -> None:
    check_refused(tmp_path / "page.rst", text, directives)


def check_refused(page: Path, text: str, read: Callable[[Path], Iterator[Any]]) -> None:
    page.write_text(text)
    with pytest.raises(AssertionError):
        list(read(page))


def test_every_fault_has_a_test_and_every_test_a_fault() -> None:
    rows = [line.split(" | ")[0] for line in (ROOT / "docs" / "faults.txt").read_text().splitlines()]
    files = (ROOT / "tests").rglob("test_*.py")
    tested = {row for file in files for row in re.findall(r'pytest\.mark\.fault\("(\w+)"\)', file.read_text())}
    assert set(rows) == tested
    assert len(rows) == len(set(rows))
