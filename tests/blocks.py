"""Run a code block of the documentation, by its language.

- ``python`` that defines a DAG: by ``dag.test()``, with a sandbox as the default connection, and memory in
  the place of a bucket.
- ``python`` that defines ``test_*``: by calling these, with the fixtures that they ask for.
- other ``python``: as it is, in a namespace of its own. If "It prints:" and a ``text`` block follow, it prints
  that. If it imports pyspark, which the tests do not install, it may be only compiled.
- ``bash``: line by line, see ``shell``.
- ``console``: commands after ``$``, each with its output, in which numbers and widths may differ. A comment stands
  for changes of the account.
- ``json``: read as an Airflow Connection, compared with what an export tells OpenLineage, or with a
  configuration of the sandbox.
- ``yaml``: a workflow of GitHub's: checked against its schema, and its commands are known shell lines.
- ``sql``: its caption is PostgreSQL, which runs it on what a DAG before it has loaded, and prints what follows
  after "It prints:"; Snowflake, which runs on fakesnow in ``make storage``, and is parsed elsewhere; or BigQuery,
  which is parsed.
- ``text``: what one sees, not run.

In ``python`` blocks, the sandbox stands in for LivePerson's hosts. A block that asks gets Enter, and a sandbox
that it starts listens on a free port. A block of another language, and a shell line that is not known here,
fail. In the sandbox, ``spring_sale`` is published beforehand, so that nothing waits. The folder
``/data/outbound`` is replaced by a temporary one. For a block without a DAG, it holds an export of both tables,
or a history if the block names one.
"""

from __future__ import annotations

import inspect
import json
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, suppress
from datetime import datetime, timezone
from importlib.metadata import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow.parquet as pq
import pytest
import yaml
from airflow.models.connection import Connection
from airflow.sdk.io import attach
from check_jsonschema.builtin_schemas import get_builtin_schema
from fsspec.implementations.memory import MemoryFileSystem
from sybil import Document, Example, Region
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer
from sybil.parsers.rest.lexers import DirectiveLexer

from airflow_provider_outbound.cli import main
from airflow_provider_outbound.client.account import Account, Secret
from airflow_provider_outbound.connections import account_of
from airflow_provider_outbound.lineage import operator_lineage
from airflow_provider_outbound.sandbox import Sandbox
from airflow_provider_outbound.sandbox.__main__ import _parser
from airflow_provider_outbound.tables import history, parquet
from airflow_provider_outbound.tables.schemas import TABLES
from tests import warehouses
from tests.fake import configuration
from tests.listed import Built
from tests.versions import AIRFLOW, DagBag, lacks

ROOT = Path(__file__).parent.parent
FIXTURES = ["request"]
# Directives that hold no code; auto* show docstrings, literalinclude a sample that test_dags.py runs.
PROSE = {"autoclass", "autofunction", "automodule", "image", "include", "list-table", "literalinclude", "toctree"}
PRINTED = re.compile(
    r"\s*It prints:\n\n(?:\.\. code-block:: text\n(?P<rest>(?:   .*\n|\n)+)|```text\n(?P<markdown>(?:.*\n)*?)```)"
)
# Known, but not run: a server that does not end, the DAG of the block before it, which has run, and what is in the
# reader's own repository.
NOT_RUN = {
    "airflow dags test export_templates",
    "airflow standalone",
    "export AIRFLOW__CORE__DAGS_FOLDER=dags",
    "export AIRFLOW__CORE__LOAD_EXAMPLES=False",
    "export AIRFLOW__CORE__TEST_CONNECTION=Enabled",
    "pip install -r requirements.txt",
    "pytest",
}
# A line of Airflow's log, which goes to stdout outside of a task.
LOGGED = re.compile(r"^\d{4}-\d\d-\d\dT\S+ .*\n", re.MULTILINE)
# Connections to object storage; tests/system/storage.py has theirs.
STORAGE = ("aws", "google_cloud_platform", "wasb")
# LivePerson's hosts in the examples that don't use the provider.
HOST = re.compile(r"https://va\.\w+\.liveperson\.net")
# What works only from some version of Airflow on.
NEWER = {
    r"retry_policy|RetryPolicy": ("3.3", "tasks have a retry policy"),
    r"airflow pools get": ("3.3", "a pool may belong to a team"),
    r"airflow\.dag_processing\.dagbag": ("3.2", "DagBag is in airflow.dag_processing"),
}
# Whose the credentials in the examples are.
EXAMPLE = Account(account_id="12345678", client_id="client_id", secret=Secret("client_secret"))


def markdown_blocks(document: Document) -> Iterator[Region]:
    """Yield a Markdown page's fenced code blocks."""
    yield from refuse(document, r"^(?: {4}|\t).*", "is an indented code block, which has no language")
    for region in RawFencedCodeBlockLexer(re.compile(r"(?P<language>.*)\n"))(document):
        closed = re.search(r"^ *(```|~~~) *\Z", document.text[region.start : region.end], re.MULTILINE)
        yield block(region, str(region.lexemes["language"]).strip() if closed else "never closed")


def rest_blocks(document: Document) -> Iterator[Region]:
    """Yield an rst page's code blocks, and every directive that is not known to hold none."""
    yield from refuse(document, r"^(?! *\.\. [\w-]+::).*:: *$", "opens a block that has no language")
    yield from refuse(document, r"^ *>>>.*", "is a doctest")
    for region in DirectiveLexer(directive=r"[\w-]+")(document):
        name = region.lexemes["directive"]
        if name not in PROSE:
            yield block(region, str(region.lexemes["arguments"] if name == "code-block" else name).strip())


def refuse(document: Document, line: str, why: str) -> Iterator[Region]:
    """Yield a block that fails for each line that opens one which no other parser sees."""
    fenced = [range(each.start, each.end) for each in RawFencedCodeBlockLexer(re.compile(r".*\n"))(document)]
    for found in re.finditer(line, document.text, re.MULTILINE):
        if not any(found.start() in each for each in fenced):
            yield Region(found.start(), found.end(), found[0], lambda example: f"{example.parsed!r} {why}")


def block(region: Region, language: str) -> Region:
    """Return the region as a block to run."""
    runners = {
        "python": run_python,
        "bash": run_shell,
        "console": run_console,
        "json": run_json,
        "sql": run_sql,
        "yaml": run_workflow,
        "text": lambda _: None,
    }
    region.parsed = region.lexemes["source"]
    region.evaluator = runners.get(language, lambda _: f"no test runs this block: {language or 'no language'}")
    return region


def run_python(example: Example) -> None:
    """Run a DAG, or test functions and plain code."""
    request = example.namespace["request"]
    data: Path = request.getfixturevalue("tmp_path") / "data"
    text = example.parsed.replace("/data/outbound", str(data))
    skip_newer(text)
    if HOST.search(text):
        text = HOST.sub(request.getfixturevalue("outbound_sandbox").url, text)
    if "@dag" in text:
        publish(request)
        run_dag(text, request)
        assert ("/data/outbound" in example.parsed) == data.exists()
    elif "import pyspark" in text and not find_spec("pyspark"):
        compile(text, example.path, "exec")
    else:
        run_code(example, text, data, request)


def skip_newer(text: str) -> None:
    """Skip a block that needs a newer Airflow."""
    for pattern, needed in NEWER.items():
        if re.search(pattern, text) and (reason := lacks(*needed)):
            pytest.skip(reason)


def run_code(example: Example, text: str, data: Path, request: pytest.FixtureRequest) -> None:
    """Run a block's code and its test functions, and compare what it prints."""
    assert "DAG(" not in text, "a DAG that this test would not run: write it with @dag"
    tests = re.findall(r"^def (test_\w+)", text, re.MULTILINE)
    if "dag.test(" in text:
        request.getfixturevalue("airflow_db")
    if not tests:  # those ask for a sandbox themselves
        publish(request)
    if "/data/outbound/history.parquet" in example.parsed:
        write_history(data)
    elif "/data/outbound" in example.parsed:
        export(data, request)
    namespace: dict[str, Any] = {"__name__": "block", "input": lambda prompt: ""}
    text = text.replace("port=8765", "port=0")
    lines = "\n" * (example.line + example.parsed.line_offset)
    printed = request.getfixturevalue("capsys")
    printed.readouterr()
    exec(compile(lines + text, example.path, "exec", dont_inherit=True), namespace)
    if shown := PRINTED.match(example.document.text, example.region.end):
        check_printed(printed.readouterr().out.replace(str(data), "/data/outbound"), shown)
    for name in tests:
        names = inspect.signature(namespace[name]).parameters
        namespace[name](**{each: request.getfixturevalue(each) for each in names})


def check_printed(output: str, shown: re.Match[str]) -> None:
    """Compare what was printed, without lines of a log, with what a page shows; widths may differ."""
    output = LOGGED.sub("", output)
    assert output.split() == (shown["rest"] or shown["markdown"]).split(), output


def run_sql(example: Example) -> str | None:
    """Run SQL, or parse it; return why not."""
    database = (example.region.lexemes or {}).get("options", {}).get("caption")
    if database not in warehouses.DIALECTS:
        return f"no test runs this SQL: its caption is not one of {', '.join(warehouses.DIALECTS)}"
    request = example.namespace["request"]
    data: Path = request.getfixturevalue("tmp_path") / "data"
    if database == "Snowflake":
        publish(request)
        export(data, request)
    printed = warehouses.run(database, example.parsed, request.getfixturevalue("postgres"), data)
    if printed and (shown := PRINTED.match(example.document.text, example.region.end)):
        check_printed(printed, shown)
    return None


def publish(request: pytest.FixtureRequest) -> None:
    """Serve a sandbox in which the examples' template is published already."""
    sandbox = request.getfixturevalue("outbound_sandbox")
    sandbox.publish("spring_sale")
    login = f"{sandbox.client_id}:{sandbox.client_secret}@"
    for name, value in {  # for the examples that don't use the provider
        "LIVEPERSON_CLIENT_ID": sandbox.client_id,
        "LIVEPERSON_CLIENT_SECRET": sandbox.client_secret,
        "AIRFLOW_CONN_LIVEPERSON_LOGIN": sandbox.url.replace("//", f"//{login}"),
        "AIRFLOW_CONN_LIVEPERSON_LIST": sandbox.url,
    }.items():
        request.getfixturevalue("monkeypatch").setenv(name, value)


def export(folder: Path, request: pytest.FixtureRequest) -> None:
    """Write the tables as the documentation's first DAG does."""
    request.getfixturevalue("airflow_db")
    main(["export", str(folder / "{table}" / "date=2026-11-24")])


def write_history(folder: Path) -> None:
    """Write the history of an export at 6:00 on each of the first days of May, as an export makes it."""

    def sale(body: str) -> dict[str, Any]:
        components = [{"type": "body", "content": body, "variables": ["1"]}]
        channel = {"type": "wa", "language": "en", "templatename": "spring_sale", "messageComponents": components}
        return {"id": "H417553292506282", "name": "spring_sale", "channels": [channel]}

    first, second = [sale("${{1}}, 20 % off everything.")], [sale("${{1}}, 30 % off everything.")]
    table = history.begin(parquet.source(EXAMPLE.account_id, None))
    for day, sales in enumerate([first, first, first, second, [], first]):
        now = datetime(2026, 5, 1 + day, 6, tzinfo=timezone.utc)
        listing = Built(configuration(1, name="order_sent"), *sales).configurations
        table = history.update(table, listing, now, "history")
    folder.mkdir(parents=True)
    pq.write_table(table, folder / "history.parquet")


def run_dag(text: str, request: pytest.FixtureRequest, state: str = "success") -> None:
    """Put a DAG into a DAG folder of its own, run it, and compare the run's state."""
    for scheme, conn_id in re.findall(r"(\w+)://(\w+)@", text):
        attach(scheme, conn_id, fs=MemoryFileSystem())
    if "adbc_driver_postgresql" in text:
        url = request.getfixturevalue("postgres") or pytest.skip("PostgreSQL is not installed")
        request.getfixturevalue("monkeypatch").setenv("AIRFLOW_CONN_POSTGRES_DEFAULT", url)
    request.getfixturevalue("airflow_db")
    dags = request.getfixturevalue("tmp_path") / "dags"
    dags.mkdir()
    (dags / "block.py").write_text(text)
    bundle = {"name": "block", "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle"}
    bundles = json.dumps([{**bundle, "kwargs": {"path": str(dags)}}])
    request.getfixturevalue("monkeypatch").setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", bundles)
    bag = DagBag(str(dags))
    assert bag.import_errors == {}
    assert bag.dags
    for dag in bag.dags.values():
        dag.deadline = None  # with one, dag.test() of Airflow 3.3.2 fails at its end: apache/airflow#73428
        assert dag.test().state == state


def run_json(example: Example) -> None:
    """Read a Connection, an event of OpenLineage, or a configuration."""
    if '"eventType"' in example.parsed:
        check_event(json.loads(example.parsed))
    elif '"messageComponents"' in example.parsed:
        assert json.loads(example.parsed) in Sandbox().configurations()
    elif json.loads(example.parsed)["conn_type"] in STORAGE:
        Connection.from_json(example.parsed, "x")
    else:
        check_connection(example.parsed)


def check_event(event: dict[str, Any]) -> None:
    """Compare an event's datasets with those that an export of its size has; it may show fewer columns."""
    files = {}
    for table, output in zip(TABLES, event["outputs"], strict=True):
        counts = output["outputFacets"]["outputStatistics"]
        files[table] = {"path": output["name"], "rows": counts["rowCount"], "bytes": counts["size"]}
    told = operator_lineage(EXAMPLE.account_id, files)
    assert event["inputs"] == [{"namespace": each.namespace, "name": each.name} for each in told.inputs]
    for output, expected in zip(event["outputs"], told.outputs, strict=True):
        assert (output["namespace"], output["name"]) == (expected.namespace, expected.name)
        shown = [(field["name"], field["type"]) for field in output["facets"]["schema"]["fields"]]
        assert shown == [(each.name, each.type) for each in expected.facets["schema"].fields][: len(shown)]


def run_workflow(example: Example) -> None:
    """Run the commands of a workflow of GitHub's."""
    run_lines(workflow_lines(example.parsed), example.namespace["request"])


def workflow_lines(text: str) -> str:
    """Check a workflow of GitHub's, and return the shell lines of its steps."""
    workflow = yaml.safe_load(text)
    workflow["on"] = workflow.pop(True)  # YAML 1.1, which GitHub does not follow here, reads "on" as true
    jsonschema.validate(workflow, get_builtin_schema("vendor.github-workflows"))
    return "\n".join(step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"])


def run_shell(example: Example) -> None:
    """Run each line of a shell block."""
    run_lines(example.parsed, example.namespace["request"])


def run_lines(text: str, request: pytest.FixtureRequest) -> None:
    """Run shell lines, except those that are known not to be run."""
    text = text.replace("/data/outbound", str(request.getfixturevalue("tmp_path")))
    for words in filter(None, (shlex.split(line, comments=True) for line in text.splitlines())):
        if shlex.join(words) not in NOT_RUN:
            shell(words, request)


def run_console(example: Example) -> None:
    """Run the commands of a shell session, and compare what they print."""
    skip_newer(example.parsed)
    request = example.namespace["request"]
    publish(request)
    request.getfixturevalue("monkeypatch").chdir(request.getfixturevalue("tmp_path"))
    printed = request.getfixturevalue("capsys")
    for session in re.split(r"^\$ ", example.parsed, flags=re.MULTILINE)[1:]:
        line, shown = session.split("\n", 1)
        if line.startswith("#"):
            change(request)
            continue
        with suppress(SystemExit), redirect_stderr(sys.stdout):  # as in a terminal
            airflow_command(shlex.split(line), request)
        output = printed.readouterr()
        assert not output.err
        seen = output.out.replace(f"{Path.cwd()}/", "")  # Airflow 3.1 makes relative paths absolute
        assert same_shape(seen) == same_shape(shown), line


def change(request: pytest.FixtureRequest) -> None:
    """Update, create and remove a configuration of the sandbox."""
    sandbox = request.getfixturevalue("outbound_sandbox")
    (channel,) = next(item for item in sandbox.configurations() if item["name"] == "spring_sale")["channels"]
    channel["messageComponents"][0]["content"] = "New for you. ${{1}} ${{2}}"
    sandbox.update("spring_sale", channels=[channel])
    sandbox.publish("summer_sale", channel="inapp", language="es")
    sandbox.remove("trip_0000")


def same_shape(text: str) -> str:
    """Return text without what differs from run to run."""
    return re.sub(r"[=+ ]+", " ", re.sub(r"[\d.]+", "0", text)).replace(" \n", "\n").strip()


def shell(words: list[str], request: pytest.FixtureRequest) -> None:
    """Run a shell line, or as much of it as needs no network and no minutes."""
    match words:
        case ["make", target]:
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        case ["pip", "install", requirement] | ["pip", "install", requirement, "pytest"]:
            extras = metadata("airflow-provider-outbound").get_all("Provides-Extra") or []
            assert requirement in [".", *(f".[{extra}]" for extra in extras)]
        case ["airflow", "db", "migrate"] | ["airflow", "outbound", *_]:
            publish(request)
            airflow_command(words[: words.index(">")] if ">" in words else words, request)
        case ["airflow", "connections", "add", conn_id, *_]:
            airflow_command(words, request)
            stored = connection_in_database(conn_id)
            airflow_command(["airflow", "connections", "delete", conn_id], request)
            if conn_id == "smtp_default":
                assert (stored.conn_type, stored.port) == ("smtp", 587)
                assert stored.extra_dejson == {"disable_ssl": True}, "SmtpHook begins with TLS, not with STARTTLS"
                return
            check_connection(stored.get_uri())
            assert "--conn-port" not in words or stored.port == 0, "the Test button of Airflow 3.3.2 needs a port"
        case ["airflow", "connections", "test", "liveperson_outbound_default"]:
            publish(request)
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
            names = [option for option in options if option.startswith("tests/")]
            assert all((ROOT / name).exists() for name in names)
            assert [option for option in options if option not in names] in ([], ["-m", "not system"])
        case _:
            pytest.fail(f"a shell line that no test knows: {shlex.join(words)}")


def airflow_command(words: list[str], request: pytest.FixtureRequest) -> None:
    """Run a line of Airflow's CLI in this process, on this session's database."""
    from airflow.cli.cli_parser import get_parser

    request.getfixturevalue("airflow_db")
    if words[1] == "outbound" and AIRFLOW.release < (3, 2):
        main(words[2:])  # python -m airflow_provider_outbound
    else:
        arguments = get_parser().parse_args(words[1:])
        arguments.func(arguments)


def connection_in_database(conn_id: str) -> Connection:
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        return session.scalars(select(Connection).where(Connection.conn_id == conn_id)).one()


def check_connection(text: str) -> None:
    """Read a connection as Airflow does, from a URI or JSON, and the account from it."""
    given = Connection.from_json(text, "x") if text.startswith("{") else Connection(conn_id="x", uri=text)
    account = account_of(given)
    assert account.account_id == EXAMPLE.account_id
    if account.auth == "oauth1":  # the example has the fields' names as values
        values = (account.app_key, account.secret, account.access_token, account.access_token_secret)
        assert values == tuple(map(Secret, ("app_key", "app_secret", "access_token", "access_token_secret")))
        return
    known = {EXAMPLE.client_id: EXAMPLE.secret, Sandbox.client_id: Secret(Sandbox.client_secret)}
    assert known[account.client_id] == account.secret
