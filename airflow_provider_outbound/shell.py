"""What all commands share: the hook in a shell, progress, error messages and exit codes."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, NoReturn, TextIO

from airflow.models.connection import Connection
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.utils.cli import suppress_logs_and_warning

from airflow_provider_outbound.client.listing import Listing
from airflow_provider_outbound.errors import TRANSIENT, printable
from airflow_provider_outbound.hooks import OutboundHook, airflow_errors


class _Lines:
    """A log that prints plain lines on stderr."""

    def info(self, words: str, *values: object) -> None:
        say(words % values if values else words)

    warning = info


class ShellHook(OutboundHook):
    """The hook for a shell: it also finds Connections in the metadata database, and logs to stderr."""

    log: Any = _Lines()
    on_page: Callable[[Listing], None] | None = None

    @classmethod
    def get_connection(cls, conn_id: str) -> Any:
        """Return a Connection, found the way Airflow's own commands find it.

        :param conn_id: its id.
        """
        return Connection.get_connection_from_secrets(conn_id)

    def _progress(self, started: float) -> Callable[[Listing], None]:
        return self.on_page or super()._progress(started)


def command(function: Callable[..., None], transient: int = 1) -> Callable[..., None]:
    """Give a command exit codes, and error messages on stderr instead of tracebacks.

    :param function: takes the parsed arguments.
    :param transient: the exit code of an error for which trying again later may help.
    """

    @wraps(function)
    def run(args: Namespace, **options: Any) -> None:
        args.verbose = False  # Airflow's decorator asks for it, and keeps Airflow's logs out of stdout
        try:
            with airflow_errors():
                suppress_logs_and_warning(function)(args, **options)
                sys.stdout.flush()
        except BrokenPipeError:  # the reader, such as head, has closed the pipe
            _discard(sys.stdout)
        except KeyboardInterrupt:
            raise SystemExit(130) from None
        except TRANSIENT as error:
            end(transient, error)
        except AirflowFailException as error:
            end(2, error)
        except OSError as error:  # from writing to the path
            end(2, printable(error if error.strerror else repr(error)))

    return run


def end(code: int, message: object) -> NoReturn:
    """End a command with an exit code, and a line on stderr."""
    say(message)
    raise SystemExit(code)


def say(message: object) -> None:
    """Print a line on stderr. A closed stderr neither stops the command nor changes its exit code."""
    if sys.stderr is None:  # closed before Python started; print would take stdout
        return
    try:
        print(message, file=sys.stderr, flush=True)
    except OSError:
        _discard(sys.stderr)


def _discard(stream: TextIO) -> None:
    """Throw away what a stream can't write, which Python would flush once more when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextmanager
def reading(conn_id: str) -> Iterator[ShellHook]:
    """Return a hook that shows its progress: as a bar on a terminal, or else as lines."""
    hook = ShellHook(conn_id)
    if not sys.stderr or not sys.stderr.isatty():
        yield hook
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    words = TextColumn("{task.completed} configurations so far, channel {task.description}", markup=False)
    columns = (SpinnerColumn(), words, TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=False, transient=True) as bar:
        task = bar.add_task("all", total=None)

        def update(listing: Listing) -> None:
            bar.update(task, completed=listing.count, description=listing.channel or "all")

        hook.on_page = update
        yield hook
