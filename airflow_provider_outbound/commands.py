"""The functions behind the commands. Results go to stdout, all else to stderr."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from airflow.sdk import timezone

from airflow_provider_outbound import exports
from airflow_provider_outbound.client.account import host_of
from airflow_provider_outbound.errors import OutboundError, printable
from airflow_provider_outbound.model import items as shapes
from airflow_provider_outbound.model.changes import KINDS
from airflow_provider_outbound.model.checks import Problem, parse_codes, tally
from airflow_provider_outbound.model.fingerprints import fingerprint, short
from airflow_provider_outbound.model.items import Item, parse_channels
from airflow_provider_outbound.model.matching import Criteria, TemplateIndex, names
from airflow_provider_outbound.model.values import distinct_texts, text
from airflow_provider_outbound.output import Row, print_changes, print_result
from airflow_provider_outbound.polling import Gate
from airflow_provider_outbound.shell import ShellHook, command, end, reading, say
from airflow_provider_outbound.sources import live, stored
from airflow_provider_outbound.tables import parquet, problems
from airflow_provider_outbound.tables.changes import compare


@command
def check(args: Namespace) -> None:
    """Log in, read one page, and print what is known about the account.

    :param args: ``conn_id``, ``output``.
    """
    access, found = ShellHook(args.conn_id).check()
    account = access.account
    known = {
        "connection": args.conn_id,
        "account": account.account_id,
        "host": host_of(access.list_url or ""),
        "login": account.client_id or None,
        "authorization": account.auth,
        "token_seconds": round(access.auth.token_life) or None,
        "found": found,
    }
    print_result(args.output, known, [{"field": field, "value": value} for field, value in known.items()])


@command
def list_all(args: Namespace) -> None:
    """Print a row for each configuration.

    :param args: ``conn_id``, ``channel``, ``language``, ``output``.
    """
    rows = [_summary(item) for item in _configurations(args)]
    print_result(args.output, rows, [_shortened(row) for row in rows])


@command
def show(args: Namespace) -> None:
    """Print the templates with a name: as LivePerson sent them, with their fingerprints, or a row per component.

    :param args: ``conn_id``, ``name``, ``channel``, ``language``, ``output``.
    """
    items = _configurations(args)
    place = "" if args.language is None else f" in {printable(args.language)}"
    found = [item for item in items if args.name in names(item)]
    if not found:
        end(
            1,
            f"No template is named {printable(repr(args.name))}: there are {len(items)} configurations{place}; "
            "see airflow outbound list",
        )
    whole = [{**item, "fingerprint": fingerprint(shapes.channels(item))} for item in found]
    print_result(args.output, whole, [row for item in found for row in _contents(item)])


@command
def export(args: Namespace) -> None:
    """Write both tables as Parquet files, and print where they are.

    :param args: ``conn_id``, ``output_path``, ``channel``, ``output``.
    """
    channels = parse_channels(args.channel)
    files = exports.files(args.output_path, channels, args.conn_id)
    with reading(args.conn_id) as hook:
        hook.warn_of_unknown(channels)
        source = parquet.source(hook.account.account_id, channels)
        written = parquet.write(hook.iter_parts(channels), files, source)
    rows = [{"table": table, "path": file["path"], "rows": file["rows"]} for table, file in written.items()]
    print_result(args.output, rows, rows)


@partial(command, transient=2)  # 1 means that something differs
def diff(args: Namespace) -> None:
    """Print what changed from an export to a later one, or to the account now. Exit with 1 if anything changed.

    :param args: ``conn_id``, ``before``, ``after``, ``channel``, ``output``.
    """
    channels = parse_channels(args.channel)
    with TemporaryDirectory(prefix="outbound-") as folder:
        before = stored("A", args.before, channels, args.conn_id, Path(folder, "a.parquet"))
        if args.after is None:
            with live(channels, args.conn_id, before) as (after, _):
                found = compare(before, after)
        else:
            found = compare(before, stored("B", args.after, channels, args.conn_id, Path(folder, "b.parquet")))
    print_changes(args.output, found)
    kinds = Counter(change.kind for change in found)
    say(f"Configurations that differ: {', '.join(f'{kinds[kind]} {kind}' for kind in KINDS)}")
    if found:
        sys.stdout.flush()
        raise SystemExit(1)


@partial(command, transient=2)  # 1 means that there are problems
def lint(args: Namespace) -> None:
    """Print the problems of an export's templates, or of the account's. Exit with 1 if any count.

    :param args: ``conn_id``, ``path``, ``channel``, ``fail_on``, ``output``.
    """
    channels, codes = parse_channels(args.channel), parse_codes(args.fail_on)
    with TemporaryDirectory(prefix="outbound-") as folder:
        if args.path is None:
            with live(channels, args.conn_id) as (export, hook):
                found, place = problems.find(export), hook.place
        else:
            export = stored("path", args.path, channels, args.conn_id, Path(folder, "a.parquet"))
            found = problems.find(export)
            place = printable(
                args.path if export.account_id is None else f"{args.path}, account {export.account_id}"
            )
    data = [{"severity": problem.severity, **problem._asdict()} for problem in found]
    print_result(args.output, data, [_problem(problem) for problem in found])
    say(tally(found, place))
    if any(not codes or problem.code in codes for problem in found):
        sys.stdout.flush()
        raise SystemExit(1)


@command
def catalogue(args: Namespace) -> None:
    """Write the account's templates as a page for people, and print its path and size.

    :param args: ``conn_id``, ``file``, ``compare_with``, ``channel``, ``output``.
    """
    channels = parse_channels(args.channel)
    file = exports.single_file(args.file, ".html", channels, args.conn_id, "FILE")
    parquet.check({"catalogue": file}, "FILE")
    with TemporaryDirectory(prefix="outbound-") as name:
        folder = Path(name)
        before = None
        if args.compare_with is not None:
            file_before = folder / "earlier.parquet"
            before = stored("--compare-with", args.compare_with, channels, args.conn_id, file_before)
        with live(channels, args.conn_id, before) as (export, hook):
            exports.write_catalogue(export, before, hook.list_url, folder)
        written = parquet.put(folder, {"catalogue": file})["catalogue"]
    print_result(args.output, written, [written])


def _problem(problem: Problem) -> Row:
    return {
        "severity": problem.severity,
        "code": problem.code,
        "id": problem.configuration_id,
        "name": problem.template,
        "channel": "/".join(filter(None, (problem.channel_type, problem.language))),
        "component": problem.component_type,
        "detail": problem.detail,
    }


@command
def wait(
    args: Namespace, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], object] = time.sleep
) -> None:
    """Look until a template exists, and print what the sensor would return.

    :param args: ``conn_id``, ``name``, ``channel``, ``language``, ``variables``, ``fingerprint``,
        ``updated_after``, ``timeout``, ``interval``, ``output``.
    :param clock: monotonic seconds.
    :param sleep: waits, in seconds.
    """
    template = (args.name, args.channel, args.language, args.variables)
    gate = Gate(Criteria(*template, args.fingerprint, args.updated_after))
    hook = ShellHook(args.conn_id, retry_waits=())  # no retries: the next look serves as one
    hook.warn_of_unknown(parse_channels(args.channel))
    deadline = clock() + args.timeout
    while True:
        found: TemplateIndex | OutboundError
        try:
            found = hook.index_templates(args.channel)
        except OutboundError as error:
            found = error  # the gate decides
        match = gate.match(found, timezone.utcnow())
        if match.item is not None:
            hook.log.info("%s", match.seen)
            summary = match.summary()
            row = {key: value for key, value in summary.items() if key != "components"}
            return print_result(args.output, summary, [_shortened(row)])
        left = deadline - clock()
        if left <= 0:
            end(1, f"Timed out after {args.timeout:g} s. {match.seen}")
        pause = min(max(args.interval, 1.0), left)
        hook.log.info("%s. Next look in %g s.", match.seen, round(pause, 1))
        sleep(pause)


def _configurations(args: Namespace) -> list[Item]:
    channels = parse_channels(args.channel)
    with reading(args.conn_id) as hook:
        hook.warn_of_unknown(channels)
        items = hook.get_configurations(channels)
    if args.language is None:
        return items
    return [item for item in items if any(_fits(each, channels, args.language) for each in shapes.channels(item))]


def _fits(channel: Any, channels: list[str] | None, language: str) -> bool:
    return (
        isinstance(channel, dict)
        and channel.get("language") == language
        and (channels is None or channel.get("type") in channels)
    )


def _summary(item: Item) -> Row:
    channels = [channel for channel in shapes.channels(item) if isinstance(channel, dict)]
    return {
        "id": text(item.get("id")),
        "name": next(iter(names(item)), None),
        "channels": distinct_texts(channel.get("type") for channel in channels),
        "languages": distinct_texts(channel.get("language") for channel in channels),
        "variables": shapes.variables(*channels),
        "updated": text(item.get("updatedAt")),
        "fingerprint": fingerprint(channels),
    }


def _shortened(row: Row) -> Row:
    """Return a row for a table, with a short fingerprint, because a whole one would take all the width."""
    return {**row, "fingerprint": short(row["fingerprint"])}


def _contents(item: Item) -> Iterator[Row]:
    """Yield a row for each message component."""
    for channel in shapes.channels(item) or [{}]:
        known = channel if isinstance(channel, dict) else {}
        for component in shapes.components(channel) or [{}]:
            part = component if isinstance(component, dict) else {}
            yield {
                "id": text(item.get("id")),
                "channel": text(known.get("type")),
                "language": text(known.get("language")),
                "fingerprint": short(fingerprint([channel])),
                "component": "/".join(filter(None, (text(part.get("type")), text(part.get("sub_type"))))),
                "variables": shapes.takes(part),
                "content": text(part.get("content")),
                "more": _others(part),
            }


def _others(component: Item) -> list[str]:
    shown = ("type", "sub_type", "variables", "Variables", "content")
    return [f"{key}: {value}" for key, value in component.items() if key not in shown]
