"""A LivePerson account on localhost, over real HTTP: ``Sandbox``, and its command line.

``python -m airflow_provider_outbound.sandbox --help`` tells what it can be told.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shlex
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, NoReturn

from airflow_provider_outbound.sandbox.account import LOOPBACK, Sandbox

__all__ = ["Sandbox", "main"]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")  # one line: no usage before it


def _appearance(text: str) -> tuple[str, float]:
    found = re.fullmatch(r"(.+):(\d+(?:\.\d+)?)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME:SECONDS")
    return found[1], float(found[2])


def _parser() -> _Parser:
    parser = _Parser(
        prog="python -m airflow_provider_outbound.sandbox",
        description="Serve a LivePerson account on localhost.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    meaning = dict(re.findall(r":param (\w+): (.+)", Sandbox.__doc__ or ""))  # none with python -OO
    for field in fields(Sandbox):
        flag, kind = f"--{field.name.replace('_', '-')}", type(field.default)
        if kind in (str, int, float):
            parser.add_argument(flag, type=kind, default=field.default, help=meaning.get(field.name))
    parser.add_argument("--page-cap", type=int, help=meaning.get("page_cap"))
    several: dict[str, Any] = {"action": "append", "default": [], "metavar": "NAME:SECONDS", "type": _appearance}
    parser.add_argument("--appear", help=meaning.get("appear"), **several)
    remote: dict[str, Any] = {"dest": "insecure_bind", "action": "store_true"}
    parser.add_argument("--allow-remote", help=meaning.get("insecure_bind"), **remote)
    parser.set_defaults(port=8765)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM, and return the exit status.

    :param arguments: command line; that of the process if None.
    """
    parser = _parser()
    options = vars(parser.parse_args(arguments))
    appear = options["appear"] = dict(options["appear"])
    try:
        sandbox = Sandbox(**options)
    except ValueError as error:
        parser.error(str(error))
    if sandbox.host not in LOOPBACK:
        print("warning: other machines can get in, with credentials that are no secret", file=sys.stderr)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C
    try:
        with contextlib.suppress(KeyboardInterrupt), sandbox:
            print(f"{sandbox.url} serves account {sandbox.account} with {sandbox.items} configurations")
            print(f"{sandbox.url}/docs describes it")
            for name, seconds in appear.items():
                print(f"{name} appears {seconds:g} seconds from now")
            for name, value in sandbox.env.items():
                print(f"export {name}={shlex.quote(value)}", flush=True)
            threading.Event().wait()
    except OSError as error:
        parser.exit(1, f"{parser.prog}: {error.strerror}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
