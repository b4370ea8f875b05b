"""The operator that fetches an account's configurations."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator
from airflow.sdk import timezone

from airflow_provider_outbound import exports, lineage
from airflow_provider_outbound.connections import DEFAULT_CONN_ID
from airflow_provider_outbound.errors import ConfigError, printable
from airflow_provider_outbound.hooks import Channels, OutboundHook, airflow_errors
from airflow_provider_outbound.links import TemplatesLink, WebToolLink
from airflow_provider_outbound.model.changes import KINDS
from airflow_provider_outbound.model.checks import (
    Problem,
    count_problems,
    parse_codes,
    parse_min_rows,
    refuse,
    refuse_few,
    summary,
    tally,
)
from airflow_provider_outbound.model.items import parse_channels
from airflow_provider_outbound.model.problems import find_problems
from airflow_provider_outbound.model.values import xcom_safe
from airflow_provider_outbound.tables import changes, earlier, history, parquet, problems
from airflow_provider_outbound.tables.schemas import TABLES

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.sdk import Context, ObjectStoragePath

#: Bytes of an XCom above which a warning suggests files, because XComs are in Airflow's database.
XCOM_LIMIT = 48_000
#: Parameters that mean nothing without ``output_path``.
NEED_FILES = ("compare_with", "history_path", "catalogue")


class OutboundConfigurationsOperator(BaseOperator):
    """Fetch an account's outbound configurations, all or those of some channels.

    Without ``output_path``, the task's XCom is the configurations, as LivePerson sends them, but with text for
    what no XCom can hold, such as NaN. With ``output_path``, the operator writes ``configurations.parquet`` and
    ``components.parquet``, both from one reading of the listing. When the listing is complete, it replaces each
    file in one step, ``configurations.parquet`` as the last one. In between, a reader can see a new file and an
    old one.

    The XCom is then a dict with ``account_id`` and, for each file, ``path`` and ``rows``:

    - ``configurations`` and ``components``;
    - ``changes``, if ``compare_with`` is set. It also has ``compared_with``, the earlier export's file, and
      ``created``, ``updated`` and ``removed``, the numbers of configurations;
    - ``history``, if ``history_path`` is set;
    - ``problems``, if ``problems`` is set. It also has ``error`` and ``warning``, the numbers of problems by
      severity, and ``codes``, the numbers by code;
    - ``catalogue``, if ``catalogue`` is set. It has no ``rows``.

    The events of assets in ``outlets`` have this XCom as their ``extra``. If an asset is one of the files, its
    event has only the account and that file's entry.

    Errors that a retry can't fix raise ``AirflowFailException``. After transient errors, Airflow's retries apply;
    see :class:`~airflow_provider_outbound.errors.OutboundError`.

    :param channel: one channel, such as ``wa``, or several, as a list or as text (``wa,inapp``). Each channel has
        its own listing. If several listings contain a configuration, its channels are merged. An unknown channel
        logs a warning. (str, list or None; default None, all channels; templated)
    :param output_path: a folder, local or in object storage, such as
        ``s3://aws_default@lake/outbound/{table}/date={{ dag_run.run_after | ds }}``. It may contain
        ``{table}``, which gives each table its own folder, ``{channel}`` (several are joined by commas, None is
        ``all``) and ``{conn_id}``. Any other word in braces fails the task, and so does a blank path. ``~`` is the
        home folder. (str, path or None; default None; templated)
    :param compare_with: the folder of an earlier export, in the form of ``output_path``. The operator then writes
        ``changes.parquet``, which says what changed since. The folder may be that of ``output_path``, because its
        files are read before they are replaced. (str, path or None; default None; templated)
    :param history_path: a file that keeps every state of each configuration, and when it was valid. It is a path
        or URL that ends in ``.parquet``, and may contain ``{channel}`` and ``{conn_id}``. (str, path or None;
        default None; templated)
    :param problems: check the templates, and write ``problems.parquet``; without ``output_path``, only log
        their number and the first errors. (bool; default False)
    :param catalogue: write ``catalogue.html``, which shows the templates as customers see them, and with
        ``compare_with`` also what changed. It needs ``output_path``. (bool; default False)
    :param fail_on: codes of checks that fail the task if they find a problem, such as ``["empty",
        "undeclared"]``, or as text (``empty,undeclared``). The task then writes nothing. (str, list or None;
        default None; templated)
    :param min_rows: the smallest number of configurations that the listing must have. If it has fewer, the task
        fails and writes nothing. (int, str or None; default None; templated)
    :param outbound_conn_id: the Connection to use. (str; default ``liveperson_outbound_default``; templated)
    """

    template_fields: Sequence[str] = (
        "channel",
        "output_path",
        "compare_with",
        "history_path",
        "fail_on",
        "min_rows",
        "outbound_conn_id",
    )
    operator_extra_links = (TemplatesLink(), WebToolLink())
    ui_color = "#f4dcc9"

    def __init__(
        self,
        *,
        channel: Channels = None,
        output_path: str | os.PathLike[str] | ObjectStoragePath | None = None,
        compare_with: str | os.PathLike[str] | ObjectStoragePath | None = None,
        history_path: str | os.PathLike[str] | ObjectStoragePath | None = None,
        problems: bool = False,
        catalogue: bool = False,
        fail_on: str | Sequence[str] | None = None,
        min_rows: int | str | None = None,
        outbound_conn_id: str = DEFAULT_CONN_ID,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.channel = channel
        self.output_path = _as_text(output_path)
        self.compare_with = _as_text(compare_with)
        self.history_path = _as_text(history_path)
        self.problems = problems
        self.catalogue = catalogue
        self.fail_on = fail_on
        self.min_rows = min_rows
        self.outbound_conn_id = outbound_conn_id
        # What a run learns: for the link, and for OpenLineage.
        self.list_url: str | None = None
        self._account_id = ""
        self._written: dict[str, dict[str, Any]] = {}
        self._counts: dict[str, dict[str, Any]] = {}  # for the XCom, by table
        self._history: dict[str, Any] = {}  # the history's entry in the XCom

    def execute(self, context: Context) -> Any:
        """Fetch the configurations, and return them or where they were written."""
        hook = OutboundHook(self.outbound_conn_id)
        with airflow_errors():
            channels = parse_channels(self.channel)
            parse_codes(self.fail_on)  # this and the next fail before anything is read
            parse_min_rows(self.min_rows)
            hook.warn_of_unknown(channels)
            if self.output_path is not None:
                self._warn_if_shared(context)
                self._written = self._export(hook, channels)
            elif useless := [name for name in NEED_FILES if getattr(self, name) not in (None, False)]:
                raise ConfigError(f"{useless[0]} needs output_path: set both")
            else:
                items = xcom_safe(hook.get_configurations(channels))
                self._check(len(items), hook.place, lambda: find_problems(items))
            self.list_url, self._account_id = hook.list_url, hook.account.account_id
        if self._written:
            return self._report(hook, context)
        size = len(json.dumps(items))
        if size > XCOM_LIMIT:
            self.log.warning("The XCom has %d kB: set output_path to write Parquet instead", size // 1000)
        return items

    def _export(self, hook: OutboundHook, channels: list[str] | None) -> dict[str, dict[str, Any]]:
        """Write the files; return path, rows and bytes of each."""
        asked = {
            "changes": self.compare_with is not None,
            "problems": self.problems,
            "catalogue": self.catalogue,
        }
        names = [*TABLES, *(name for name in asked if asked[name])]
        files = exports.files(self.output_path, channels, self.outbound_conn_id, names)
        parquet.check(files)
        source = parquet.source(hook.account.account_id, channels)
        before = kept = None
        if self.compare_with is not None:
            before = exports.earlier_file(self.compare_with, channels, self.outbound_conn_id, "compare_with")
        if self.history_path is not None:
            kept = exports.single_file(
                self.history_path, ".parquet", channels, self.outbound_conn_id, "history_path"
            )
            parquet.check({"history": kept}, "history_path")
            if exports.location(kept) in map(exports.location, files.values()):
                raise ConfigError(
                    f"history_path leads to the file of a table, {printable(kept)}: choose another name"
                )
        begun = timezone.utcnow()
        with parquet.make(hook.iter_parts(channels), TABLES, source) as folder:
            export = earlier.read(parquet.file_in(folder, "configurations"), "This export")
            rows = parquet.count_rows(folder, "configurations")
            found = self._check(rows, hook.place, lambda: problems.find(export))
            if self.problems:
                problems.write(found, export, folder)
            then = self._compare(export, before, folder) if before else None
            if self.catalogue:
                exports.write_catalogue(export, then, hook.list_url, folder)
            if kept and self._extend(folder, kept, source, begun):
                # The first file is replaced last. If the one before it fails, the retry finds the same changes.
                files = {"configurations": files["configurations"], "history": kept, **files}
            return parquet.put(folder, files)

    def _check(self, rows: int, place: str, find: Callable[[], list[Problem]]) -> list[Problem]:
        """Return and log the problems, if asked for. Fail if ``fail_on`` or ``min_rows`` says so.

        :param rows: how many configurations there are.
        :param place: host and account.
        :param find: returns their problems.
        """
        refuse_few(rows, parse_min_rows(self.min_rows), place)
        codes = parse_codes(self.fail_on)
        if not self.problems and not codes:
            return []
        found = find()
        errors = [problem for problem in found if problem.severity == "error"]
        self._counts["problems"] = count_problems(found)
        (self.log.warning if errors else self.log.info)("%s", tally(found, place))
        refuse(found, codes, place)
        if errors:
            self.log.warning("%s", summary(errors, place))
        return found

    def _extend(self, folder: Path, path: ObjectStoragePath, source: str, begun: datetime) -> bool:
        """Make the history's file; tell whether it has changed."""
        rows, has_changed = history.extend(folder, path, source, begun)
        self._history = {"path": str(path), "rows": rows}
        if not has_changed:
            self.log.info("History unchanged: %s keeps its %d rows", path, rows)
        return has_changed

    def _compare(self, export: earlier.Export, path: ObjectStoragePath, folder: Path) -> earlier.Export | None:
        """Make ``changes.parquet``, and log what changed; return the earlier export."""
        before = earlier.fetch(path, folder / "earlier.parquet", "compare_with")
        counts = changes.write(before, export, folder)
        self._counts["changes"] = {"compared_with": str(path), **{kind: counts[kind] for kind in KINDS}}
        shown = printable(path)
        if before is None:
            self.log.info("No earlier export at %s: this export is a baseline, without changes", shown)
        else:
            counted = ", ".join(f"{counts[kind]} {kind}" for kind in KINDS)
            self.log.info("Configurations that changed since %s: %s", shown, counted)
        return before

    def get_openlineage_facets_on_complete(self, task_instance: object) -> OperatorLineage[Any, Any]:
        """Return the configurations that the task read and the files that it wrote; OpenLineage calls this.

        :param task_instance: the task instance.
        """
        return lineage.operator_lineage(self._account_id, self._written)

    def _report(self, hook: OutboundHook, context: Context) -> dict[str, Any]:
        """Tell the log, hook lineage and the outlets' events what was written; return the XCom."""
        from airflow.sdk import Asset

        exported: dict[str, Any] = {"account_id": self._account_id}
        for name, file in self._written.items():
            entry = {key: file[key] for key in ("path", "rows") if key in file}
            self.log.info(
                "Wrote %s to %s", f"{file['rows']} rows" if "rows" in file else "a catalogue", file["path"]
            )
            lineage.report_output(hook, file["path"])
            exported[name] = {**entry, **self._counts.get(name, {})}
        if self._history:
            exported["history"] = self._history
        events = context.get("outlet_events")  # missing if a shell or a test calls execute({})
        for outlet in self.outlets:
            if events is not None and isinstance(outlet, Asset):
                events[outlet].extra = lineage.event_extra(exported, outlet.uri)
        return exported

    def _warn_if_shared(self, context: Context) -> None:
        """Warn if mapped tasks share one path: each would replace the others' files."""
        task = self.dag.task_dict[self.task_id] if context.get("ti") else self
        shared = getattr(task, "partial_kwargs", {})
        for path in filter(None, map(shared.get, ("output_path", "history_path"))):
            if not any(part in str(path) for part in ("{channel}", "{conn_id}", "map_index")):
                self.log.warning(
                    "All mapped tasks write to %s and replace each other's files: put {channel} or {conn_id} into "
                    "it",
                    printable(path),
                )


def _as_text(path: Any) -> Any:
    """Return a path as text, because Airflow 3.1 mistakes the methods of a Path for templates."""
    return os.fspath(path) if isinstance(path, os.PathLike) else path
