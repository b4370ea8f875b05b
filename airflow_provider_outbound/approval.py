"""Approval by a person: what changed since the last approval, as Markdown, and the fingerprint to wait for."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from airflow_provider_outbound import exports
from airflow_provider_outbound.errors import printable
from airflow_provider_outbound.model.changes import fields
from airflow_provider_outbound.model.codec import decode
from airflow_provider_outbound.model.fingerprints import joined

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

#: Characters of one line, and of all changes. Airflow's column for the question holds 64 kB on MySQL.
LONGEST_LINE, MOST = 2000, 30_000

_NAMES = ("id", "name", "channel_types", "languages", "template_names")


def describe(exported: Mapping[str, Any], approved: str, template_name: str) -> dict[str, Any]:
    """Return ``changes`` for a person to approve, and ``fingerprint`` for a sensor to wait for.

    ``changes`` is Markdown; it is empty if nothing but ``updatedAt`` changed. If nothing was approved before, all
    configurations count as created. ``fingerprint`` is None if the export has no such template.

    :param exported: what the operator returned, with ``compare_with`` set to ``approved``.
    :param approved: the folder that :func:`remember` writes to.
    :param template_name: a configuration's name, or a WhatsApp templatename. If several configurations have it,
        the fingerprint includes all of them.
    """
    listed = _read(exported["configurations"]["path"], *_NAMES, "fingerprint", "raw")
    if _approved(approved).exists():
        changes = _read(exported["changes"]["path"], *_NAMES, "kind", "field", "before", "after")
        changes = [row for row in changes if row["field"] != "updatedAt"]
    else:
        changes = [
            {**row, "kind": "created", "field": None, "before": None, "after": row["raw"]} for row in listed
        ]
    named = [row for row in listed if template_name in (row["name"], *(row["template_names"] or ()))]
    return {"changes": as_markdown(changes), "fingerprint": joined(row["fingerprint"] for row in named)}


def remember(exported: Mapping[str, Any], approved: str) -> None:
    """Store an export as the last approved one.

    :param exported: what the operator returned.
    :param approved: the folder that the operator gets as ``compare_with``.
    """
    from airflow.sdk import ObjectStoragePath

    path = _approved(approved)
    unfinished = path.parent / f".configurations.{uuid.uuid4().hex}"
    path.parent.mkdir(parents=True, exist_ok=True)
    ObjectStoragePath(exported["configurations"]["path"]).copy(unfinished)
    path.fs.mv(unfinished.path, path.path)


def as_markdown(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return changes as Markdown, in which template texts are only ever code.

    Each line of a code block begins with ``@@``, ``+`` or ``-``, so that no text can end its block.

    :param rows: the rows of ``changes.parquet``.
    """
    changes = [list(group) for _, group in groupby(rows, lambda row: [row[key] for key in ("kind", *_NAMES)])]
    blocks, size = [], 0
    for change in changes:
        block = "\n".join(["```diff", *_lines(change), "```"])
        size += len(block)
        if size > MOST:
            break
        blocks.append(block)
    if not changes:
        return ""
    cut = f" **Only the first {len(blocks)} are shown here.**" if len(blocks) < len(changes) else ""
    return "\n\n".join([f"Configurations that changed: {len(changes)}.{cut}", *blocks])


def _approved(folder: str) -> ObjectStoragePath:
    return exports.locate(folder, "configurations.parquet", "approved")


def _read(path: str, *columns: str) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq
    from airflow.sdk import ObjectStoragePath

    # read_table, and columns of timestamps, would import pandas.
    with ObjectStoragePath(path).open("rb") as file, pq.ParquetFile(file) as parquet:
        return parquet.read(list(columns)).to_pylist()


def _lines(change: list[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of one configuration's code block."""
    first = change[0]
    names = dict.fromkeys(filter(None, [first["name"], *(first["template_names"] or ())]))
    places = [*(first["channel_types"] or ()), *(first["languages"] or ())]
    whose = f"{', '.join(names) or 'without a name'} ({', '.join(places)}), id {first['id']}"
    yield f"@@ {first['kind']}: {printable(whose)}"
    for row in change:
        if row["field"] is None:  # a whole configuration
            before, after = (
                fields(decode(row[side].encode())) if row[side] else {} for side in ("before", "after")
            )
        else:
            before, after = ({row["field"]: row[side]} for side in ("before", "after"))
        for path in dict.fromkeys([*before, *after]):
            yield f"@@ {printable(path)}"
            yield from _values(before.get(path), after.get(path))


def _values(before: str | None, after: str | None) -> Iterator[str]:
    """Yield the lines of a value, given as JSON. A text is shown as text, any other value as JSON."""
    given = [(mark, text) for mark, text in (("-", before), ("+", after)) if text is not None]
    values = [decode(text.encode()) for _, text in given]
    reads = all(isinstance(value, str) for value in values)
    for (mark, text), value in zip(given, values, strict=True):
        for line in value.split("\n") if reads else [text]:
            yield f"{mark} {printable(line, LONGEST_LINE)}"
