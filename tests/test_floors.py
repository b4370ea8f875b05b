"""What imports what: a module imports only modules of lower floors."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = "airflow_provider_outbound"
FILES = {path.stem: path for path in (Path(__file__).parent.parent / PACKAGE).glob("*.py")}
FLOORS = {
    "errors": 0,
    "json_text": 0,
    "pacing": 0,
    "sessions": 0,
    "spool": 1,
    "protocol": 1,
    "templates": 1,
    "api": 2,
    "schemas": 1,
    "tables": 2,
    "sender": 2,
    "transport": 3,
    "paging": 3,
    "parquet": 3,
    "connections": 3,
    "configurations": 4,
    "hooks": 5,
    "watches": 5,
    "operators": 6,
    "triggers": 6,
    "sensors": 7,
}
# These stand beside the house, and import nothing of the package but what is named here.
BESIDE: dict[str, set[str]] = {
    "__init__": set(),
    "get_provider_info": set(),
    "sandbox_data": set(),
    "sandbox_http": set(),
    "sandbox_account": {"sandbox_data", "sandbox_http"},
    "sandbox": {"sandbox_account"},
    "testing": {"sandbox"},
}


def imports(name: str) -> set[str]:
    """Return the dotted names that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(FILES[name].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} has a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def siblings(name: str) -> set[str]:
    """Return the modules of the package that a module imports; the package itself counts as ``__init__``."""
    ours = [each.split(".") for each in imports(name) if each.split(".")[0] == PACKAGE]
    return {parts[1] if len(parts) > 1 and parts[1] in FILES else "__init__" for parts in ours}


def test_every_module_has_its_place() -> None:
    assert set(FILES) == set(FLOORS) | set(BESIDE)


@pytest.mark.parametrize("name", FLOORS)
def test_imports_go_down_only(name: str) -> None:
    floors = {**FLOORS, "__init__": 0}
    assert {each for each in siblings(name) if floors.get(each, 99) >= FLOORS[name]} == set()


@pytest.mark.parametrize("name", BESIDE)
def test_what_stands_beside_shares_nothing(name: str) -> None:
    assert siblings(name) == BESIDE[name]


def test_provider_info_imports_nothing() -> None:
    assert {each.split(".")[0] for each in imports("get_provider_info")} <= {"__future__", "typing"}


@pytest.mark.parametrize("name", FILES)
def test_files_are_of_a_size_to_be_read(name: str) -> None:
    assert len(FILES[name].read_text().splitlines()) <= 300


def test_dag_files_load_neither_pandas_nor_pyarrow() -> None:
    modules = ", ".join(f"{PACKAGE}.{name}" for name in ("hooks", "operators", "sensors", "triggers"))
    code = f"import sys, {modules}; print(sorted({{'pandas', 'pyarrow'}} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
