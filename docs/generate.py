"""Tables that follow from the code, from its tests, and from what was measured."""

from __future__ import annotations

import ast
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from airflow_provider_outbound.cli import COMMANDS
from airflow_provider_outbound.get_provider_info import get_provider_info
from airflow_provider_outbound.model.checks import CHECKS, LIMITS

DOCS = Path(__file__).parent

#: What waits in each scenario of ``benchmarks/triggers.py`` that waits for templates.
WAITS = {
    "triggers": "1,000 gates on one account with 90 configurations",
    "configurations": "10 gates on one account with 20,000 configurations",
    "accounts": "64 gates, each on an account of its own",
}


def write_tables() -> None:
    """Write the generated tables where the pages include them."""
    folder = DOCS / "_generated"
    folder.mkdir(exist_ok=True)
    (folder / "extras.txt").write_text(table([15, 12, 20, 53], extras()))
    (folder / "checks.txt").write_text(table([13, 10, 47, 30], checks()))
    (folder / "limits.txt").write_text(table([18, 18, 18, 16, 30], limits()))
    tested = json.loads((DOCS / "versions.json").read_text())
    (folder / "versions.txt").write_text(table([36, *[16] * len(tested)], versions(tested)))
    (folder / "skips.txt").write_text(table([75, 25], skips(tested)))
    (folder / "waiting.txt").write_text(table([40, 15, 15, 15, 15], waits()))
    (folder / "commands.txt").write_text(table([22, 78], commands()))
    (folder / "reliability.txt").write_text(table([7, 35, 58], faults()))


def write_inventories() -> dict[str, tuple[str, str]]:
    """Write an inventory for each project of ``elsewhere.txt``, and return intersphinx's mapping."""
    folder = DOCS / "_generated"
    folder.mkdir(exist_ok=True)
    mapping = {}
    for project, address, names in elsewhere():
        lines = [f"{name} {role} 1 {place} -\n" for role, name, place in names]
        head = f"# Sphinx inventory version 2\n# Project: {project}\n# Version: \n# zlib from here on\n"
        (folder / f"{project}.inv").write_bytes(head.encode() + zlib.compress("".join(lines).encode()))
        mapping[project] = (address, f"_generated/{project}.inv")
    return mapping


def elsewhere() -> Iterator[tuple[str, str, list[list[str]]]]:
    """Yield the projects of ``elsewhere.txt``: name, address, and the role, name and place of each object."""
    lines = [
        line.split() for line in (DOCS / "elsewhere.txt").read_text().splitlines() if not line.startswith("#")
    ]
    starts = [number for number, words in enumerate(lines) if len(words) == 2]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield lines[start][0], lines[start][1], lines[start + 1 : end]


def table(widths: list[int], rows: Iterator[list[str]]) -> str:
    """Return a list-table in reStructuredText; the first row is its heading."""
    lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {' '.join(map(str, widths))}", ""]
    for first, *rest in rows:
        lines += [f"   * - {first}", *(f"     - {cell}" for cell in rest)]
    return "\n".join(lines) + "\n"


def extras() -> Iterator[list[str]]:
    """Yield the rows of the extras' table, from the connection form."""
    yield ["Extra", "Default", "Values", "Meaning"]
    (kind,) = get_provider_info()["connection-types"]
    for name, field in kind["conn-fields"].items():
        default = field["schema"]["default"]
        shown = "none" if default is None else f"``{default}``"
        yield [f"``{name}``", shown, values(field["schema"]), field["description"]]


def values(schema: dict[str, Any]) -> str:
    """Return what an extra may hold, in words."""
    if "enum" in schema:
        return " or ".join(f"``{each}``" for each in schema["enum"])
    if "maximum" in schema:
        return f"{schema['minimum']} to {schema['maximum']}"
    return "object" if "object" in schema["type"] else "text"


def checks() -> Iterator[list[str]]:
    """Yield the rows of the checks' table."""
    yield ["Code", "Severity", "What it finds", "Source"]
    for check in CHECKS:
        yield [f"``{check.code}``", check.severity, check.meaning, links(check.source)]


def limits() -> Iterator[list[str]]:
    """Yield the rows of the table of limits."""
    yield ["Channel", "Component", "Field", "Characters", "Source"]
    for (channel, component, field), (most, source) in LIMITS.items():
        shown = component if component == "card" else f"``{component}``"
        yield [f"``{channel}``", shown, f"``{field}``", f"{most:,}", links(source)]


def versions(tested: list[dict[str, Any]]) -> Iterator[list[str]]:
    """Yield the rows of the table of tested versions, which has a column for each environment."""
    yield ["", *(f"Airflow {each['airflow']}" for each in tested)]
    yield ["Python", *(each["python"] for each in tested)]
    for name in sorted({name for each in tested for name in each["libraries"]}):
        yield [f"``{name}``", *(each["libraries"].get(name, "") for each in tested)]
    yield ["Tests that passed", *(f"{each['passed']:,}" for each in tested)]
    yield ["Tests that were skipped", *(str(sum(each["skipped"].values())) for each in tested)]
    yield ["Date of the run", *(each["date"] for each in tested)]


def skips(tested: list[dict[str, Any]]) -> Iterator[list[str]]:
    """Yield the rows of the table of tests that some versions can't pass: why, and with which Airflows."""
    yield ["Reason", "Skipped with Airflow"]
    reasons = {reason for each in tested for reason in each["skipped"]}
    for reason in sorted(reason for reason in reasons if reason.startswith("From ")):  # others need tools
        yield [reason, ", ".join(each["airflow"] for each in tested if reason in each["skipped"])]


def commands() -> Iterator[list[str]]:
    """Yield the rows of the table of commands: each command, then its arguments, without those that all have."""
    yield ["Command or argument", "Meaning"]
    (first, *others) = [set(command.args) for command in COMMANDS]
    for command in COMMANDS:
        yield [f"**{command.name}**", command.help]
        for arg in command.args:
            if arg not in first.intersection(*others):
                flag, metavar = arg.flags[-1], arg.kwargs.get("metavar")
                text = arg.kwargs["help"] % {"default": arg.kwargs.get("default")}
                yield [f"``{flag if flag.startswith('-') else metavar or flag}``", text]


def links(text: str) -> str:
    """Return text in which each ``title <URL>`` between semicolons is a link."""
    return re.sub(r"(\w[^;<>]*) <(\S+)>", r"`\1 <\2>`__", text)


def waits() -> Iterator[list[str]]:
    """Yield the rows of the table of waits, from the benchmarks' results."""
    yield ["What waits", "Logins per account", "Polls in 2.5 intervals", "Longest stall", "CPU time in it"]
    results = json.loads((DOCS.parent / "benchmarks" / "results" / "results.json").read_text())
    worst = {each["scenario"]: each["worst"] for each in results["triggers"]}
    for scenario, what in WAITS.items():
        found = worst[scenario]
        stalls = [f"{found[name]:.0f} ms" for name in ("stall_ms", "stall_cpu_ms")]
        yield [what, f"{found['tokens']:g}", f"{found['polls']:g}", *stalls]


def faults() -> Iterator[list[str]]:
    """Yield the rows of the faults' table: number, fault, and what happens, with the tests."""
    yield ["Row", "Fault", "What happens, and the tests that prove it"]
    tests = fault_tests(DOCS.parent / "tests")
    for row, fault, gets in fault_rows():
        listed = [f"\n       - ``{test}``" for test in tests.get(row, [])] or ["\n       - **no test**"]
        yield [row, fault, f"{gets}\n{''.join(listed)}\n"]


def fault_rows() -> list[list[str]]:
    """Return the rows of ``faults.txt``: number, fault, what it gets."""
    return [line.split(" | ") for line in (DOCS / "faults.txt").read_text().splitlines()]


def fault_tests(folder: Path) -> dict[str, list[str]]:
    """Return the tests below a folder by the rows of the faults that they are marked with.

    :param folder: where the test modules are.
    :raises ValueError: for a mark that is not on a test function, or whose row is not written out.
    """
    tests: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        module = ast.parse(path.read_text())
        strays = {call.lineno for call in fault_marks(module)}
        for node in ast.walk(module):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
                for mark in (mark for each in node.decorator_list for mark in fault_marks(each)):
                    strays.discard(mark.lineno)
                    for row in mark.args:
                        tests.setdefault(ast.literal_eval(row), []).append(f"{path.stem}::{node.name}")
        if strays:
            raise ValueError(f"{path.name}:{min(strays)} marks a fault, but no test function")
    return tests


def fault_marks(node: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls ``pytest.mark.fault(...)`` in a part of a module."""
    for each in ast.walk(node):
        if isinstance(each, ast.Call) and ast.unparse(each.func) == "pytest.mark.fault":
            yield each
