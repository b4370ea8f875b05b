"""The command line of the sandbox: ``python -m airflow_provider_outbound.sandbox --help``."""

from __future__ import annotations

import argparse
import contextlib
import re
import shlex
import signal
import sys
import threading
from collections.abc import Sequence
from typing import NoReturn

from airflow_provider_outbound.sandbox.account import LOOPBACK, Sandbox

__all__ = ["Sandbox", "main"]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")  # one line, without the usage


def _appearance(text: str) -> tuple[str, float]:
    found = re.fullmatch(r"(.+):(\d+(?:\.\d+)?)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME:SECONDS")
    return found[1], float(found[2])


def _parser() -> _Parser:
    parser = _Parser(
        prog="python -m airflow_provider_outbound.sandbox",
        description="Serve a LivePerson account on localhost.",
    )
    parser.add_argument(
        "--host",
        default=Sandbox.host,
        help="address to listen on; others than localhost need --allow-remote (default: %(default)s)",
    )
    parser.add_argument(
        "--port", type=int, default=8765, help="port to listen on, 0 for a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--account", default=Sandbox.account, help="account (site) id, letters and digits (default: %(default)s)"
    )
    parser.add_argument(
        "--items", type=int, default=Sandbox.items, help="number of configurations (default: %(default)s)"
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=Sandbox.seed,
        help="the same seed gives the same configurations and fails the same calls (default: %(default)s)",
    )
    parser.add_argument(
        "--appear",
        action="append",
        default=[],
        type=_appearance,
        metavar="NAME:SECONDS",
        help="publish a template of that name after so many seconds; may be repeated",
    )
    parser.add_argument(
        "--latency",
        type=float,
        default=Sandbox.latency,
        help="seconds before each response (default: %(default)s)",
    )
    parser.add_argument(
        "--page-cap",
        type=int,
        metavar="ITEMS",
        help="most items on a page, whatever limit asks for (default: no cap)",
    )
    parser.add_argument(
        "--requests-per-second",
        type=float,
        default=Sandbox.requests_per_second,
        metavar="CALLS",
        help="token and list calls allowed in any second, 429 beyond; 0 for no limit (default: %(default)s)",
    )
    parser.add_argument(
        "--fail-rate",
        type=float,
        default=Sandbox.fail_rate,
        metavar="SHARE",
        help="share of list calls refused with 503, from 0 to 1 (default: %(default)s)",
    )
    parser.add_argument(
        "--token-ttl",
        type=float,
        default=Sandbox.token_ttl,
        metavar="SECONDS",
        help="seconds until a token expires (default: %(default)s)",
    )
    parser.add_argument(
        "--shape",
        default=Sandbox.shape,
        help="what a listing holds: profile for configurations, bare for channels, wrapped for configurations"
        " in an envelope (default: %(default)s)",
    )
    parser.add_argument(
        "--auth",
        default=Sandbox.auth,
        help="what the printed Connection logs in with: app_jwt or oauth1 (default: %(default)s)",
    )
    parser.add_argument(
        "--allow-remote",
        dest="insecure_bind",
        action="store_true",
        help="allow a --host that other machines can reach",
    )
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
        print("warning: other machines can reach this server, and its credentials are public", file=sys.stderr)
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
