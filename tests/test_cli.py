"""The command line: results on stdout, all else on stderr, an exit code for each end."""

from __future__ import annotations

import io
import json
import math
import os
import re
import shlex
import signal
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from airflow_provider_outbound import commands
from airflow_provider_outbound.cli import ARG_FAIL_ON
from airflow_provider_outbound.model.checks import CODES
from airflow_provider_outbound.model.fingerprints import fingerprint, short
from airflow_provider_outbound.output import print_result
from airflow_provider_outbound.sandbox import Sandbox
from tests.clock import Clock
from tests.versions import since

Run = Callable[..., tuple[int, str, str]]
ODD = "[red]x[/] :smile: \x1b[31m\x9b1m\u202e ñ 你好"


def test_check_says_what_the_test_button_says_and_more(run: Run, outbound_sandbox: Sandbox) -> None:
    code, out, _ = run("check", "-o", "json")
    found = json.loads(out)
    assert code == 0
    assert found.pop("found").startswith("90 configurations on the first page of 127.0.0.1")
    assert found == {
        "connection": "liveperson_outbound_default",
        "account": "12345678",
        "host": outbound_sandbox.url.removeprefix("http://"),
        "login": "sandbox-client",
        "authorization": "app_jwt",
        "token_seconds": 3600,
    }
    assert "\ntoken_seconds | 3600" in run("check")[1]


def test_wrong_secret_exits_with_2_and_says_what_to_change(
    run: Run, outbound_sandbox: Sandbox, connect: Callable[..., str]
) -> None:
    connect({**outbound_sandbox.connection, "password": "wrong-secret"})
    code, out, err = run("check")
    assert (code, out) == (2, "")
    assert "Check the Connection's login (client id), password" in err
    assert err.count("\n") == 1
    assert "wrong-secret" not in err


def test_busy_server_exits_with_1(run: Run, outbound_sandbox: Sandbox) -> None:
    outbound_sandbox.fail_rate = 1
    code, out, err = run("check")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "503" in err


def test_missing_connection_exits_with_2(run: Run) -> None:
    code, out, err = run("list", "--conn-id", "nowhere")
    assert (code, out) == (2, "")
    assert err.startswith("Airflow found no Connection 'nowhere': create it")
    assert err.count("\n") == 1


def test_list_has_a_row_per_configuration(run: Run, outbound_sandbox: Sandbox) -> None:
    code, out, err = run("list", "-o", "json")
    listed = json.loads(out)
    held = outbound_sandbox.configurations()
    assert code == 0
    assert [row["id"] for row in listed] == [item["id"] for item in held]
    assert listed[0] == {
        "id": held[0]["id"],
        "name": held[0]["name"],
        "channels": [channel["type"] for channel in held[0]["channels"]],
        "languages": list(dict.fromkeys(channel["language"] for channel in held[0]["channels"])),
        "variables": listed[0]["variables"],
        "updated": held[0]["updatedAt"],
        "fingerprint": fingerprint(held[0]["channels"]),
    }
    assert err.startswith(f"{len(held)} configurations at 127.0.0.1")


def test_list_keeps_to_channels_and_language(run: Run, outbound_sandbox: Sandbox) -> None:
    outbound_sandbox.publish("here", channel="inapp", language="xx")
    outbound_sandbox.publish("elsewhere", channel="googlercs", language="xx")
    outbound_sandbox.publish("both", channel="wa", language="en")  # in the channel, and in the language elsewhere
    (channel,) = outbound_sandbox.configurations()[-1]["channels"]
    both = [channel, {**channel, "type": "googlercs", "language": "xx"}]
    outbound_sandbox.update("both", channels=both)
    _, out, _ = run("list", "--channel", "wa,inapp", "--language", "xx", "-o", "json")
    assert [row["name"] for row in json.loads(out)] == ["here"]


def test_list_without_result_prints_no_rows(run: Run, outbound_sandbox: Sandbox) -> None:
    assert run("list", "--language", "xx", "-o", "plain")[:2] == (0, "")
    assert run("list", "--language", "xx", "-o", "json")[:2] == (0, "[]\n")


@pytest.mark.parametrize("output", ["table", "plain"])
def test_tables_show_names_as_they_are(run: Run, outbound_sandbox: Sandbox, output: str) -> None:
    outbound_sandbox.publish("2024.10", language="xx")
    assert " 2024.10 " in run("list", "--language", "xx", "-o", output)[1]
    outbound_sandbox.publish(ODD, language="xx")
    _, out, _ = run("list", "--language", "xx", "-o", output)
    assert r"[red]x[/] :smile: \x1b[31m\x9b1m\u202e ñ 你好" in out
    assert all(char.isprintable() or char == "\n" for char in out)


@pytest.mark.parametrize(("output", "load"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_json_and_yaml_are_what_was_sent(
    run: Run, outbound_sandbox: Sandbox, output: str, load: Callable[[str], Any]
) -> None:
    outbound_sandbox.publish(ODD)
    _, out, _ = run("show", ODD, "-o", output)
    (item,) = outbound_sandbox.configurations()[-1:]
    assert load(out) == [{**item, "fingerprint": fingerprint(item["channels"])}]
    assert all(char.isprintable() or char == "\n" for char in out)


def test_yaml_has_what_no_xcom_can_hold(capsys: pytest.CaptureFixture[str]) -> None:
    print_result("yaml", {"__type": "x\0y", "long": 2**70, "nan": math.nan, "half": "\ud83d"}, [])
    read = yaml.safe_load(capsys.readouterr().out)
    assert read == {"__type": "x\0y", "long": 2**70, "nan": "nan", "half": "?"}


def test_json_is_valid_whatever_python_can_read(capsys: pytest.CaptureFixture[str]) -> None:
    odd = {"nan": math.nan, "half": "\ud83d", "long": 2**70}
    for data in (odd, {"half": "\ud83d", "long": 2**70}):
        print_result("json", data, [])
        read = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
        assert read == {**data, **({"nan": "nan"} if "nan" in data else {})}


def test_show_has_a_row_per_component(run: Run, outbound_sandbox: Sandbox) -> None:
    outbound_sandbox.publish("spring_sale", channel="wa", language="es", variables=["1", "2"])
    code, out, _ = run("show", "spring_sale", "--language", "es")
    assert code == 0
    assert re.search(r"\| wa +\| es +\| \w{8} +\| body +\| 1, 2 +\| .*\$\{\{1\}\} \$\{\{2\}\}", out)
    assert out.count("button/quick_reply") == 2


@pytest.mark.parametrize("options", [["nowhere"], ["spring_sale", "--language", "pt"]])
def test_show_exits_with_1_if_nothing_has_the_name(
    run: Run, outbound_sandbox: Sandbox, options: list[str]
) -> None:
    outbound_sandbox.publish("spring_sale", language="es")
    code, out, err = run("show", *options)
    assert (code, out) == (1, "")
    words = rf"No template is named .{options[0]}.: there are \d+ configurations( in pt)?; see airflow"
    assert re.search(words, err)


def test_export_writes_what_the_operator_writes(run: Run, outbound_sandbox: Sandbox, tmp_path: Path) -> None:
    path = f"{tmp_path}/{{conn_id}}/{{channel}}/{{table}}"
    code, out, _ = run("export", path, "--channel", "wa,inapp", "-o", "json")
    written = json.loads(out)
    assert code == 0
    assert [each["table"] for each in written] == ["configurations", "components"]
    folder = tmp_path / "liveperson_outbound_default" / "wa,inapp"
    for each in written:
        assert each["path"] == str(folder / each["table"] / f"{each['table']}.parquet")
        assert pq.read_table(each["path"]).num_rows == each["rows"] > 0


def test_export_to_a_wrong_path_exits_with_2(run: Run, outbound_sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, words in {
        f"{tmp_path}/{{date}}": "output_path has {date}",
        f"{tmp_path}/file/x": "below a file: choose another path",
    }.items():
        code, out, err = run("export", path)
        assert (code, out) == (2, "")
        assert words in err.splitlines()[-1]


def test_unknown_channel_is_warned_about(run: Run, outbound_sandbox: Sandbox) -> None:
    assert "Unknown channel 'whatsapp': check its spelling." in run("list", "--channel", "whatsapp")[2]


def test_wait_prints_what_it_saw_each_time_and_then_the_template(
    outbound_sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if len(clock.waits) == 1:
            outbound_sandbox.fail_rate = 1
        else:
            outbound_sandbox.fail_rate = 0
            outbound_sandbox.publish("spring_sale", language="es")

    commands.wait(waiting(timeout=600.0), clock=clock, sleep=sleep)
    out, err = capsys.readouterr()
    assert clock.waits == [60, 60]
    first, second, last = err.splitlines()
    assert re.fullmatch(r"Not there yet: none of .* Next look in 60 s\.", first)
    assert re.fullmatch(r"Could not look for spring_sale: .*503.* Next look in 60 s\.", second)
    assert last == "Found spring_sale in wa/es"
    assert json.loads(out)["variables"] == ["1", "2"]


def test_wait_looks_a_last_time_when_its_time_is_over(
    outbound_sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()
    with pytest.raises(SystemExit) as end:
        commands.wait(waiting(timeout=90.0), clock=clock, sleep=clock.sleep)
    out, err = capsys.readouterr()
    assert (end.value.code, out, clock.waits) == (1, "", [60, 30])
    assert err.splitlines()[-1].startswith("Timed out after 90 s. Not there yet: none of ")


def test_ctrl_c_during_a_wait_exits_with_130(
    outbound_sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    def sleep(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as end:
        commands.wait(waiting(timeout=90.0), sleep=sleep)
    assert end.value.code == 130
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("words", [["list", "--language", "xx"], ["show", "sale"], ["wait", "sale"]])
def test_tables_show_the_beginning_of_fingerprints(run: Run, outbound_sandbox: Sandbox, words: list[str]) -> None:
    outbound_sandbox.publish("sale", language="xx")
    whole = str(fingerprint(outbound_sandbox.configurations()[-1]["channels"]))
    assert whole in run(*words, "-o", "json")[1]
    for output in ("table", "plain"):
        shown = run(*words, "-o", output)[1]
        assert short(whole) in shown.split()
        assert whole not in shown


def test_wait_for_approved_content_says_what_changed(run: Run, outbound_sandbox: Sandbox) -> None:
    outbound_sandbox.publish("spring_sale", variables=["1"])
    approved = fingerprint(outbound_sandbox.configurations()[-1]["channels"])
    look = ["wait", "spring_sale", "--timeout", "0", "--fingerprint", approved]
    assert run(*look)[0] == 0
    outbound_sandbox.remove("spring_sale")
    outbound_sandbox.publish("spring_sale")
    code, _, err = run(*look)
    assert code == 1
    assert "spring_sale is in wa/en, but its body changed since that fingerprint" in err
    code, _, err = run("wait", "spring_sale", "--fingerprint", short(approved))
    assert (code, err.count("\n")) == (2, 1)
    assert "give a complete one" in err


def test_wait_for_an_update(run: Run, outbound_sandbox: Sandbox) -> None:
    outbound_sandbox.publish("spring_sale")
    look = ["wait", "spring_sale", "--timeout", "0", "--updated-after"]
    assert run(*look, "2026-01-01")[0] == 0
    code, _, err = run(*look, "2999-01-01")
    assert code == 1
    assert re.search(r"spring_sale was last updated \S+Z, not after 2999-01-01T00:00:00Z\n$", err)
    assert run(*look, "tomorrow")[0] == 2


def waiting(**options: object) -> Namespace:
    given = {"conn_id": "liveperson_outbound_default", "name": "spring_sale", "channel": None, "language": None}
    given |= {"fingerprint": None, "updated_after": None}
    return Namespace(**{**given, "variables": None, "interval": 60.0, "output": "json", **options})


def test_wait_for_variables_says_what_they_are_instead(run: Run, outbound_sandbox: Sandbox) -> None:
    outbound_sandbox.publish("spring_sale", variables=["1"])
    code, _, err = run("wait", "spring_sale", "--variables", "1, 2", "--timeout", "0")
    assert code == 1
    assert "has variables ['1'] in wa/en, not ['1', '2']" in err
    assert run("wait", "spring_sale", "--variables", "1", "--timeout", "0")[0] == 0


def test_wait_ends_at_once_on_a_permanent_error(run: Run, connect: Callable[..., str]) -> None:
    connect({"conn_type": "http"})
    code, out, err = run("wait", "spring_sale")
    assert (code, out) == (2, "")
    assert err.endswith("it must be liveperson_outbound\n")


@pytest.mark.parametrize(
    "words",
    [
        ["wait"],
        ["wait", "x", "--timeout", "-1"],
        ["wait", "x", "--interval", "nan"],
        ["list", "-o", "csv"],
        ["list", "--language", " "],
    ],
)
def test_wrong_use_exits_with_2(run: Run, words: list[str]) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert "error: " in err


def test_connection_in_the_metadata_database_is_found(
    run: Run, outbound_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, airflow_db: None
) -> None:
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session

    monkeypatch.delenv("AIRFLOW_CONN_LIVEPERSON_OUTBOUND_DEFAULT")
    assert run("check")[0] == 2
    with create_session() as session:
        session.add(Connection(conn_id="outbound_in_db", **outbound_sandbox.connection))
    try:
        assert run("check", "--conn-id", "outbound_in_db")[0] == 0
    finally:
        with create_session() as session:
            session.query(Connection).filter(Connection.conn_id == "outbound_in_db").delete()


def test_connection_in_a_secrets_backend_is_found(
    run: Run, outbound_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "connections.json"
    file.write_text(json.dumps({"outbound_in_file": outbound_sandbox.connection}))
    backend = "airflow.secrets.local_filesystem.LocalFilesystemBackend"
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", backend)
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND_KWARGS", json.dumps({"connections_file_path": str(file)}))
    assert run("check", "--conn-id", "outbound_in_file")[0] == 0


def test_a_terminal_gets_a_progress_bar_on_stderr(
    run: Run, outbound_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    code, out, _ = run("list", "-o", "json")
    assert code == 0
    assert len(json.loads(out)) == len(outbound_sandbox.configurations())
    shown = sys.stderr.getvalue()  # type: ignore[attr-defined]
    assert "90 configurations so far, channel all" in shown
    assert "configurations at 127.0.0.1" in shown


@since("3.2", "its command line has the commands of providers")
def test_airflow_knows_the_commands() -> None:
    from airflow.cli.cli_parser import get_parser

    args = get_parser().parse_args(["outbound", "wait", "spring_sale", "--variables", "1,2"])
    assert (args.variables, args.timeout, args.interval) == (["1", "2"], 3600, 60)
    assert args.func.__name__ == "wait"


def test_building_the_parser_imports_nothing_heavy() -> None:
    script = (
        "import sys; import airflow_provider_outbound.cli as cli; cli.get_commands();"
        "print(*{'pandas', 'pyarrow', 'requests', 'rich', 'airflow_provider_outbound.hooks'} & sys.modules.keys())"
    )
    before = subprocess.run([sys.executable, "-c", f"import airflow.cli.cli_config; {script}"], **PIPES)
    assert before.returncode == 0, before.stderr
    assert set(before.stdout.split()) <= {"rich", "requests"}  # which Airflow's own modules import


PIPES: dict[str, Any] = {"capture_output": True, "text": True}
COMMANDS = [[sys.executable, "-m", "airflow_provider_outbound"], [sys.executable, "-m", "airflow", "outbound"]]


@pytest.mark.system
@pytest.mark.parametrize("program", COMMANDS)
def test_stdout_is_nothing_but_data(program: list[str], outbound_sandbox: Sandbox) -> None:
    ended = subprocess.run([*program, "list", "-o", "json"], **PIPES)
    assert ended.returncode == 0, ended.stderr
    assert len(json.loads(ended.stdout)) == len(outbound_sandbox.configurations())
    assert "Traceback" not in ended.stderr


@pytest.mark.system
@pytest.mark.parametrize("program", COMMANDS)
def test_a_closed_pipe_is_no_error(program: list[str], outbound_sandbox: Sandbox) -> None:
    with subprocess.Popen([*program, "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout
        assert child.stderr
        child.stdout.close()
        err = child.stderr.read()
    assert child.returncode == 0
    assert not re.search("Traceback|Broken", err)


@pytest.mark.system
@pytest.mark.parametrize(
    ("arguments", "code"), [(["export", "out"], 0), (["wait", "nowhere", "--timeout", "0"], 1)]
)
def test_a_closed_stderr_changes_no_result(
    outbound_sandbox: Sandbox, tmp_path: Path, arguments: list[str], code: int
) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    command = [sys.executable, "-m", "airflow_provider_outbound", *arguments]
    environment = {**os.environ, "PYTHONUNBUFFERED": ""}  # by default, Python keeps a line that it could not write
    done = subprocess.run(command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=writes)
    os.close(writes)
    assert done.returncode == code
    assert len(list(tmp_path.rglob("*.parquet"))) == (2 if code == 0 else 0)


@pytest.mark.system
def test_without_a_stderr_stdout_is_nothing_but_data(outbound_sandbox: Sandbox) -> None:
    command = shlex.join([sys.executable, "-m", "airflow_provider_outbound", "list", "-o", "json"])
    ended = subprocess.run(["sh", "-c", f"exec {command} 2>&-"], stdout=subprocess.PIPE, text=True)
    assert ended.returncode == 0
    assert len(json.loads(ended.stdout)) == len(outbound_sandbox.configurations())


@pytest.mark.system
def test_ctrl_c_during_an_export_leaves_nothing_behind(outbound_sandbox: Sandbox, tmp_path: Path) -> None:
    outbound_sandbox.latency = 0.3
    command = [*COMMANDS[0], "export", str(tmp_path / "out")]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as child:
        while not outbound_sandbox.calls["list"]:
            assert child.poll() is None
        child.send_signal(signal.SIGINT)
        assert child.stderr
        err = child.stderr.read()
    assert (child.returncode, err) == (130, "")
    assert list(tmp_path.iterdir()) == []


def plant(sandbox: Sandbox) -> None:
    """Publish a template that uses a placeholder which it does not declare."""
    sandbox.publish("spring_sale", variables=["1", "2"])
    (channel,) = sandbox.configurations()[-1]["channels"]
    body, *others = channel["messageComponents"]
    parts = [{**body, "variables": ["1"]}, *others]
    sandbox.update("spring_sale", channels=[{**channel, "messageComponents": parts}])


def test_lint_lists_the_problems_of_an_account(run: Run, outbound_sandbox: Sandbox) -> None:
    plant(outbound_sandbox)
    code, out, err = run("lint", "-o", "json")
    found = [row for row in json.loads(out) if row["severity"] == "error"]
    assert code == 1
    assert [(row["code"], row["configuration_name"], row["detail"]) for row in found] == [
        ("undeclared", "spring_sale", "uses {{2}} but declares only 1")
    ]
    place = f"127.0.0.1:{outbound_sandbox.port}, account {outbound_sandbox.account}"
    assert err.endswith(f"The checks found 1 error and 2 warnings at {place}: undeclared 1, gap 2\n")
    code, out, _ = run("lint")
    shown = (
        r"^error +\| undeclared \| H\d+ +\| spring_sale +\| wa/en +\| body +\| uses \{\{2\}\} but declares only 1"
    )
    assert code == 1
    assert re.search(shown, out, re.MULTILINE)


def test_lint_calls_a_template_without_name_by_its_place_in_the_listing(
    run: Run, outbound_sandbox: Sandbox
) -> None:
    outbound_sandbox.publish("spring_sale")
    outbound_sandbox.update("spring_sale", channels=[{"type": "sms-twilio", "language": "en"}])
    outbound_sandbox.shape = "bare"
    number = len(outbound_sandbox.listing("sms-twilio")) - 1
    _, out, _ = run("lint", "-o", "plain", "--channel", "sms-twilio")
    shown = rf"^error +empty +configuration {number} +sms-twilio/en +has no body"
    assert re.search(shown, out, re.MULTILINE)


def test_lint_reads_an_earlier_export(run: Run, outbound_sandbox: Sandbox, tmp_path: Path) -> None:
    plant(outbound_sandbox)
    run("export", f"{tmp_path}/{{table}}")
    outbound_sandbox.remove("spring_sale")
    _, earlier, err = run("lint", f"{tmp_path}/{{table}}", "-o", "json")
    place = f"{tmp_path}/{{table}}, account {outbound_sandbox.account}"
    assert err == f"The checks found 1 error and 2 warnings at {place}: undeclared 1, gap 2\n"
    _, now, _ = run("lint", "-o", "json")
    codes = [[row["code"] for row in json.loads(out)] for out in (earlier, now)]
    assert codes == [["gap", "gap", "undeclared"], ["gap", "gap"]]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--fail-on", "empty,undeclared"], 1),
        (["--fail-on", "gap"], 1),
        (["--fail-on", "empty,long"], 0),
        ([], 1),
        (["--channel", "inapp", "--fail-on", "undeclared"], 0),
    ],
)
def test_lint_exits_with_1_for_the_checks_that_count(
    run: Run, outbound_sandbox: Sandbox, options: list[str], code: int
) -> None:
    plant(outbound_sandbox)
    assert run("lint", *options)[0] == code


def test_lint_without_problems_prints_no_rows(run: Run, outbound_sandbox: Sandbox) -> None:
    code, out, err = run("lint", "--channel", "inapp", "-o", "plain")
    assert (code, out) == (0, "")
    assert err.endswith(f"The checks found no problems at 127.0.0.1:{outbound_sandbox.port}, account 12345678\n")


def test_lints_help_names_all_checks() -> None:
    assert set(CODES) <= set(re.findall(r"\w+", ARG_FAIL_ON.kwargs["help"]))


@pytest.mark.usefixtures("impatient")
def test_lint_exits_with_2_if_it_cannot_check(run: Run, outbound_sandbox: Sandbox, tmp_path: Path) -> None:
    code, out, err = run("lint", "--fail-on", "emtpy")
    assert (code, out) == (2, "")
    assert err.startswith("fail_on has 'emtpy': the checks are undeclared, empty, ")
    code, out, err = run("lint", f"{tmp_path}/nowhere")
    assert (code, out) == (2, "")
    name = f"'{tmp_path}/nowhere/configurations.parquet'"
    assert err == f"path leads to {name}, which does not exist: name the folder of an export\n"
    outbound_sandbox.fail_rate = 1
    assert run("lint")[0] == 2
