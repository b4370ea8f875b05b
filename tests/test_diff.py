"""``airflow outbound diff``: two exports, or one and the account as it is now."""

from __future__ import annotations

import io
import json
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from airflow_provider_outbound.model.changes import Change, Content, differences
from airflow_provider_outbound.model.codec import encode
from airflow_provider_outbound.output import print_changes
from airflow_provider_outbound.sandbox import Sandbox
from tests.fake import Fake, configuration
from tests.versions import leads_to

Run = Callable[..., tuple[int, str, str]]
BODY = "channels[0].messageComponents[0].content"
ODD = "[red]x[/] :smile: \x1b[31m\x9b1m\u202e ñ 你好\ud83d"


@pytest.fixture
def run(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return the shared function, for an empty folder."""
    monkeypatch.chdir(tmp_path)
    return run


@pytest.fixture
def changed(run: Run, outbound_sandbox: Sandbox) -> Sandbox:
    """Return an account in which three things changed since it was exported to ``out``."""
    outbound_sandbox.publish("spring_sale")
    assert run("export", "out")[0] == 0
    (channel,) = outbound_sandbox.configurations()[-1]["channels"]
    channel["messageComponents"][0]["content"] = "New for you"
    outbound_sandbox.update("spring_sale", channels=[channel])
    outbound_sandbox.remove("trip_0000")
    outbound_sandbox.publish("summer_sale", channel="inapp", language="es")
    return outbound_sandbox


def test_the_account_as_it_is_now_differs_from_an_export(run: Run, changed: Sandbox) -> None:
    code, out, err = run("diff", "out")
    assert code == 1
    assert re.sub(r" H\d+", " H1", re.sub(r'"20.*"', '"now"', out)).splitlines() == [
        "updated spring_sale wa/en H1",
        "  updatedAt",
        '    - "now"',
        '    + "now"',
        f"  {BODY}",
        '    - "News for you. ${{1}} ${{2}}"',
        '    + "New for you"',
        "created summer_sale inapp/es H1",
        "removed trip_0000 wa/nl H1",
    ]
    assert err.splitlines()[-1] == "Configurations that differ: 1 created, 1 updated, 1 removed"


def test_the_same_exits_with_0_and_prints_nothing(run: Run, outbound_sandbox: Sandbox) -> None:
    run("export", "{conn_id}/{table}")
    for paths in (["{conn_id}/{table}"], ["{conn_id}/{table}", "liveperson_outbound_default/configurations"]):
        code, out, err = run("diff", *paths)
        assert (code, out) == (0, "")
        assert err.splitlines()[-1] == "Configurations that differ: 0 created, 0 updated, 0 removed"
    assert run("diff", "{conn_id}/{table}", "-o", "json")[:2] == (0, "[]\n")


def test_two_exports_need_no_connection(run: Run, changed: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    run("export", "later")
    monkeypatch.delenv("AIRFLOW_CONN_LIVEPERSON_OUTBOUND_DEFAULT")
    code, out, err = run("diff", "out", "later", "-o", "json")
    assert code == 1
    assert [(each["kind"], each["name"]) for each in json.loads(out)] == [
        ("updated", "spring_sale"),
        ("created", "summer_sale"),
        ("removed", "trip_0000"),
    ]
    assert err.count("\n") == 1
    _, back, _ = run("diff", "later", "out", "-o", "json")
    assert [each["kind"] for each in json.loads(back)] == ["created", "updated", "removed"]


@pytest.mark.parametrize(("output", "load"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_json_and_yaml_have_all_values(
    run: Run, changed: Sandbox, output: str, load: Callable[[str], Any]
) -> None:
    updated, created, removed = load(run("diff", "out", "-o", output)[1])
    held = changed.configurations()
    assert updated["fields"][1] == {
        "path": BODY,
        "before": "News for you. ${{1}} ${{2}}",
        "after": "New for you",
    }
    assert created == {
        "kind": "created",
        "id": held[-1]["id"],
        "name": "summer_sale",
        "channels": ["inapp/es"],
        "fields": [],
        "after": held[-1],
    }
    assert removed["before"]["name"] == "trip_0000"
    assert "after" not in removed


def test_plain_has_a_row_for_each_field(run: Run, changed: Sandbox) -> None:
    _, out, _ = run("diff", "out", "-o", "plain")
    head, *rows = out.splitlines()
    assert head.split() == ["kind", "id", "name", "channels", "field", "before", "after"]
    assert [row.split()[0] for row in rows] == ["updated", "updated", "created", "removed"]
    assert rows[1].split()[4:] == [BODY, '"News', "for", "you.", "${{1}}", '${{2}}"', '"New', "for", 'you"']


def found(one: dict[str, Any], other: dict[str, Any]) -> list[Change[Content]]:
    return differences([encode(one)], [encode(other)])


@pytest.mark.parametrize("output", ["table", "plain", "json", "yaml"])
def test_outside_text_cannot_control_the_terminal(capsys: pytest.CaptureFixture[str], output: str) -> None:
    one = configuration(1, name=ODD)
    print_changes(output, found(one, {**one, ODD: {ODD: [ODD, math.nan]}, "updatedAt": ODD}))
    out = capsys.readouterr().out
    assert all(char.isprintable() or char == "\n" for char in out)
    assert "[red]x[/] :smile:" in out
    assert "ñ 你好" in out or output == "yaml"


def test_a_long_value_is_shown_from_where_it_differs(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 1000
    print_changes("table", found(configuration(1, y=f"{long}a{long}"), configuration(1, y=f"{long}b{long}")))
    _, _, old, new = capsys.readouterr().out.splitlines()
    assert old.startswith(f"    - …{'x' * 40}ax")
    assert new.startswith(f"    + …{'x' * 40}bx")
    assert len(old) == len(new) < 420
    print_changes("table", found(configuration(1, y=long), configuration(1, y=f"{long}x")))
    _, _, old, new = capsys.readouterr().out.splitlines()
    assert (old[8:], new[8:]) == ("x" * 39 + '"', "x" * 40 + '"')


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("colour", [True, False])
def test_a_terminal_gets_colours(
    run: Run, changed: Sandbox, monkeypatch: pytest.MonkeyPatch, colour: bool
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    if not colour:
        monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("sys.stdout", Terminal())
    assert run("diff", "out")[0] == 1
    out = sys.stdout.getvalue()  # type: ignore[attr-defined]
    assert ("\x1b[32m    + " in out, "\x1b[31m    - " in out, "\x1b[36m  " in out) == (colour,) * 3
    assert "spring_sale wa/en" in out


def test_other_channels_and_accounts_exit_with_2(run: Run, changed: Sandbox, connect: Callable[..., str]) -> None:
    run("export", "wa", "--channel", "wa")
    code, out, err = run("diff", "wa")
    assert (code, out) == (2, "")
    assert leads_to("A leads to 'wa/configurations.parquet', which is of account 12345678, channel wa, but") in err
    assert run("diff", "wa", "--channel", "wa")[:2] == (0, "")
    assert run("diff", "out", "wa")[0] == 2
    with Fake() as other:
        connect(other.connection(schema="777"))
        code, _, err = run("diff", "out")
    assert code == 2
    assert err.startswith(leads_to("A leads to 'out/configurations.parquet', which is of account 12345678, but"))
    assert not other.hits  # accounts are compared before anything is read


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["nowhere"],
            "A leads to 'nowhere/configurations.parquet', which does not exist: name the folder of an export",
        ),
        (
            ["out", "nowhere"],
            "B leads to 'nowhere/configurations.parquet', which does not exist: name the folder of an export",
        ),
        (["out/configurations.parquet"], "A is 'out/configurations.parquet': name the folder, not the file"),
        (["{date}"], "A has {date}: use only {table}, {channel} and {conn_id}"),
        (
            ["foreign", "out"],
            "A leads to 'foreign/configurations.parquet', which is damaged, or not from an export",
        ),
        (
            ["out", "foreign"],
            "B leads to 'foreign/configurations.parquet', which is damaged, or not from an export",
        ),
        (["out", "--conn-id", "nowhere"], "Airflow found no Connection 'nowhere'"),
        ([], "the following arguments are required: A"),
        (["a", "b", "c"], "unrecognized arguments: c"),
    ],
)
def test_wrong_use_exits_with_2_and_says_why(
    run: Run, outbound_sandbox: Sandbox, tmp_path: Path, words: list[str], message: str
) -> None:
    run("export", "out")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "configurations.parquet").write_text("not Parquet")
    code, out, err = run("diff", *words)
    assert (code, out) == (2, "")
    assert leads_to(message) in err.splitlines()[-1]


@pytest.mark.usefixtures("impatient")
def test_a_busy_server_is_not_a_difference(run: Run, outbound_sandbox: Sandbox) -> None:
    run("export", "out")
    outbound_sandbox.fail_rate = 1
    code, out, err = run("diff", "out")
    assert (code, out) == (2, "")
    assert "503" in err
