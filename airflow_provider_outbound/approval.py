"""Approval by a person: what changed since the last approval, and the fingerprint to wait for."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from airflow_provider_outbound import exports
from airflow_provider_outbound.errors import ConfigError, printable
from airflow_provider_outbound.hooks import airflow_errors
from airflow_provider_outbound.model.changes import differences
from airflow_provider_outbound.model.codec import decode
from airflow_provider_outbound.model.fingerprints import fingerprint, joined
from airflow_provider_outbound.model.items import channels
from airflow_provider_outbound.model.markdown import as_markdown
from airflow_provider_outbound.model.matching import names
from airflow_provider_outbound.tables import changes, earlier, parquet

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath


def describe(exported: Mapping[str, Any], template_name: str) -> dict[str, Any]:
    """Return ``changes`` for a person to approve, ``fingerprint`` for a sensor, and what :func:`remember` needs.

    :param exported: the XCom of the operator, whose ``compare_with`` is the folder of the last approved export.
    :param template_name: a configuration's name, or a WhatsApp templatename. Its changes come first. If several
        configurations have the name, the fingerprint includes all of them.
    :returns: a dict. ``changes`` is Markdown. It is empty if nothing except ``updatedAt`` changed. If nothing was
        approved before, all configurations count as created. ``fingerprint`` is None if the export has no such
        template. ``exported`` and ``digest`` are for :func:`remember`.
    :raises AirflowFailException: if ``exported`` has no changes, or its file is missing or damaged.
    """
    with airflow_errors(), TemporaryDirectory(prefix="outbound-") as folder:
        stored, approved = _paths(exported)
        parquet.check({"configurations": approved}, "compare_with")  # remember replaces it
        export = _fetch(stored, Path(folder))
        # Not changes.parquet: if something was approved since the export, that would not say what changed.
        before = earlier.fetch(approved, Path(folder, "approved.parquet"), "compare_with")
        found = changes.compare(before, export) if before else differences([], export.raws())
        diff = f"airflow outbound diff {shlex.join(str(each.parent) for each in (approved, stored))} -o json"
        items = [item for item in map(decode, export.raws()) if template_name in names(item)]
        return {
            "changes": as_markdown(found, template_name, diff if before else str(stored)),
            "fingerprint": joined(fingerprint(channels(item)) for item in items),
            "exported": exported,
            "digest": _digest(export),
        }


def remember(described: Mapping[str, Any]) -> None:
    """Store the described export as the last approved one. Refuse it if it has been written again since.

    :param described: the dict that :func:`describe` returned.
    :raises AirflowFailException: if the export has been written again since, and so differs from the approved one.
    """
    with airflow_errors(), TemporaryDirectory(prefix="outbound-") as folder:
        try:
            exported, digest = described["exported"], described["digest"]
        except (KeyError, TypeError):
            raise ConfigError("described has no export: give the dict that describe returned") from None
        stored, approved = _paths(exported)
        if _digest(_fetch(stored, Path(folder))) != digest:
            shown = printable(repr(str(stored)))
            raise ConfigError(f"{shown} was written again after its changes were shown: approve them in a new run")
        parquet.put(Path(folder), {"configurations": approved})


def _paths(exported: Mapping[str, Any]) -> tuple[ObjectStoragePath, ObjectStoragePath]:
    """Return the files of the export and of the last approved one."""
    from airflow.sdk import ObjectStoragePath

    try:
        paths = exported["configurations"]["path"], exported["changes"]["compared_with"]
    except (KeyError, TypeError):
        raise ConfigError("exported has no changes: set output_path and compare_with of the operator") from None
    stored, approved = map(ObjectStoragePath, paths)
    if stored.path == approved.path or exports.location(stored) == exports.location(approved):
        raise ConfigError(
            "compare_with and output_path are the same folder, so each export would count as approved: set "
            "another folder"
        )
    return stored, approved


def _fetch(stored: ObjectStoragePath, folder: Path) -> earlier.Export:
    """Copy the export to a folder on this machine."""
    export = earlier.fetch(stored, parquet.file_in(folder, "configurations"), "exported")
    if export is None:
        raise ConfigError(
            f"exported leads to {printable(repr(str(stored)))}, which does not exist: export it again"
        )
    return export


def _digest(export: earlier.Export) -> str:
    return blake2b(export.file.read_bytes(), digest_size=16).hexdigest()
