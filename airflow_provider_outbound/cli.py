"""The commands of ``airflow outbound``, and of ``python -m airflow_provider_outbound`` for Airflow 3.1.

Every ``airflow`` process imports this module. The functions are in ``commands``, which is slower to import.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence

from airflow.cli.cli_config import ARG_OUTPUT, ActionCommand, Arg, CLICommand, GroupCommand, lazy_load_command

from airflow_provider_outbound.connections import DEFAULT_CONN_ID

ABOUT = "Read the message templates of a LivePerson account"
EXIT_CODES = (
    "Exit codes: 0 for success; 1 if the template was not found, or if trying again later may work; 2 if the "
    "command, the Connection or a path is wrong; 130 after Ctrl-C."
)


DIFF_EXIT_CODES = (
    "Exit codes: 0 if nothing differs; 1 if something does; 2 after an error, even if trying again later may "
    "work; 130 after Ctrl-C."
)
LINT_EXIT_CODES = (
    "Exit codes: 0 if there are no such problems; 1 if there are; 2 after an error, even if trying again later "
    "may work; 130 after Ctrl-C."
)

LONGEST = 366 * 86_400.0  # seconds that a command may wait


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _language(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("it is blank: leave the option out for any language")
    return text


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= LONGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to {LONGEST:.0f}")
    return seconds


ARG_CONN_ID = Arg(("--conn-id",), help="The Connection to use (default: %(default)s)", default=DEFAULT_CONN_ID)
ARG_CHANNEL = Arg(("--channel",), help="A channel such as wa, or several such as wa,inapp (default: all)")
ARG_ONE_CHANNEL = Arg(("--channel",), help="The channel that the template must be in, such as wa (default: any)")
ARG_LANGUAGE = Arg(
    ("--language",),
    help="The language that the template must have, such as pt_BR (default: any)",
    type=_language,
)
ARG_NAME = Arg(("name",), help="A configuration's name, or a WhatsApp templatename")
ARG_OUTPUT_PATH = Arg(
    ("output_path",), help="A folder or URL; it may contain {table}, {channel} and {conn_id}, as in the operator"
)
ARG_BEFORE = Arg(("before",), metavar="A", help="The folder or URL of an export")
ARG_AFTER = Arg(
    ("after",),
    metavar="B",
    nargs="?",
    help="The folder or URL of a later export (default: the account as it is now)",
)
ARG_PATH = Arg(("path",), nargs="?", help="The folder or URL of an export (default: the account as it is now)")
ARG_FAIL_ON = Arg(
    ("--fail-on",),
    help="The checks that count for exit code 1, such as empty,undeclared (default: all). They are undeclared, "
    "empty, language, phone, long, malformed, unused, gap, duplicate, buttons and url",
)
ARG_FILE = Arg(
    ("file",),
    metavar="FILE",
    help="A path or URL that ends in .html; it may contain {channel} and {conn_id}",
)
ARG_COMPARE_WITH = Arg(
    ("--compare-with",),
    metavar="FOLDER",
    help="The folder or URL of an earlier export; the page then shows what changed since",
)
ARG_VARIABLES = Arg(
    ("--variables",),
    help="The exact variables that the template must have, such as 1,2 (default: any)",
    type=_names,
)
ARG_FINGERPRINT = Arg(("--fingerprint",), help="The fingerprint that the template must have (default: any)")
ARG_UPDATED_AFTER = Arg(
    ("--updated-after",),
    help="The time after which the template must have been updated, such as 2026-05-03T10:00:00Z; UTC if it has "
    "no zone (default: any)",
)
ARG_TIMEOUT = Arg(
    ("--timeout",), help="Seconds to wait; 0 to look once (default: %(default)s)", type=_seconds, default=3600
)
ARG_INTERVAL = Arg(
    ("--interval",),
    help="Seconds from one look to the next, at least 1 (default: %(default)s)",
    type=_seconds,
    default=60,
)


def _command(name: str, text: str, function: str, *args: Arg, exit_codes: str = EXIT_CODES) -> ActionCommand:
    load = lazy_load_command(f"airflow_provider_outbound.commands.{function}")
    return ActionCommand(name=name, help=text, func=load, args=[ARG_CONN_ID, *args, ARG_OUTPUT], epilog=exit_codes)


COMMANDS = (
    _command("check", "Test the Connection: log in, read one page, and say what to change if that fails", "check"),
    _command("list", "List the templates", "list_all", ARG_CHANNEL, ARG_LANGUAGE),
    _command("show", "Show the templates with a name", "show", ARG_NAME, ARG_CHANNEL, ARG_LANGUAGE),
    _command("export", "Write the templates to two Parquet files", "export", ARG_OUTPUT_PATH, ARG_CHANNEL),
    _command(
        "diff",
        "Show what changed since an export",
        "diff",
        *(ARG_BEFORE, ARG_AFTER, ARG_CHANNEL),
        exit_codes=DIFF_EXIT_CODES,
    ),
    _command(
        "lint",
        "Check the templates, and list their problems",
        "lint",
        *(ARG_PATH, ARG_CHANNEL, ARG_FAIL_ON),
        exit_codes=LINT_EXIT_CODES,
    ),
    _command(
        "catalogue",
        "Write the templates to a page that shows them as customers see them",
        "catalogue",
        *(ARG_FILE, ARG_COMPARE_WITH, ARG_CHANNEL),
    ),
    _command(
        "wait",
        "Wait until a template exists",
        "wait",
        *(ARG_NAME, ARG_ONE_CHANNEL, ARG_LANGUAGE, ARG_VARIABLES, ARG_FINGERPRINT, ARG_UPDATED_AFTER),
        *(ARG_TIMEOUT, ARG_INTERVAL),
    ),
)


def get_commands() -> list[CLICommand]:
    """Return what the provider adds to Airflow's command line."""
    return [GroupCommand(name="outbound", help=ABOUT, subcommands=COMMANDS)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; errors and Ctrl-C raise SystemExit with the exit code.

    :param arguments: the command line; None for the process's own.
    """
    parser = argparse.ArgumentParser(prog="python -m airflow_provider_outbound", description=ABOUT)
    parsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        added = parsers.add_parser(
            command.name, help=command.help, description=command.help, epilog=command.epilog
        )
        for arg in command.args:
            arg.add_to_parser(added)
        added.set_defaults(func=command.func)
    parsed = parser.parse_args(arguments)
    parsed.func(parsed)
