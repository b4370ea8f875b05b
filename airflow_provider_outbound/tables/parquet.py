"""The tables as Parquet files, each whole or not at all.

Importing this module does not load pyarrow; using it does.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from airflow_provider_outbound.errors import ConfigError, printable
from airflow_provider_outbound.model.codec import decode
from airflow_provider_outbound.tables.build import Part
from airflow_provider_outbound.tables.schemas import schema

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from airflow.sdk import ObjectStoragePath

LOCAL = ("", "file", "local")  # the protocols of paths on this machine
# The protocols of S3, Google Cloud Storage and Azure. They replace an object whole when its upload is complete.
_OBJECT_STORES = ("s3", "s3a", "s3n", "gs", "gcs", "abfs", "abfss", "adl")


def source(account_id: str, channels: Sequence[str] | None) -> str:
    """Return the account and channels of an export, for the metadata of its files.

    :param account_id: the account.
    :param channels: the channels; None for all.
    """
    return f"account {account_id}, channel {','.join(sorted(channels)) if channels else 'all'}"


def write(
    parts: Iterable[Part], files: Mapping[str, ObjectStoragePath], source: str = ""
) -> dict[str, dict[str, Any]]:
    """Write tables as Parquet files: a reader sees the old file or the new one, whole.

    :param parts: the tables, part by part; at least one part.
    :param files: where each table goes; its folder is made if it is missing.
    :param source: account and channels, see :func:`source`.
    :returns: ``{"path": str, "rows": int, "bytes": int}`` for each table.
    :raises ConfigError: if a file can't be replaced safely.
    """
    check(files)
    with make(parts, files, source) as folder:
        return put(folder, files)


def check(files: Mapping[str, ObjectStoragePath], parameter: str = "output_path") -> None:
    """Check that files can be replaced safely; call this before reading a long listing.

    :param files: where each file goes.
    :param parameter: the name of the parameter, for errors.
    :raises ConfigError: if a folder has a file's path or a file a folder's, or if storage reads the path as a
        pattern or denies access.
    """
    for path in files.values():
        shown = printable(repr(str(path)))
        # On other than local storage, fsspec reads paths as patterns, which may match others.
        if path.protocol not in LOCAL and set(path.path) & set("*?[]"):
            raise ConfigError(f"{parameter} leads to {shown}: remove *, ?, [ and ] from it")
        try:
            is_folder = path.fs.isdir(path.path)
        except PermissionError as error:  # S3 refuses to list
            raise _no_permission(path, error) from error
        if is_folder:  # mv would put the file into it
            raise ConfigError(f"{parameter} leads to {shown}, which is a folder: remove it or choose another path")
        if path.protocol in LOCAL and any(map(Path.is_file, Path(path.path).parents)):
            raise ConfigError(f"{parameter} leads to {shown}, below a file: choose another path")


@contextmanager
def make(parts: Iterable[Part], names: Collection[str], source: str = "") -> Iterator[Path]:
    """Write ``<name>.parquet`` for each table to a temporary folder on this machine. Callers may add files.

    :param parts: the tables, part by part; at least one part.
    :param names: the tables to make, of those in each part.
    :param source: account and channels, see :func:`source`.
    """
    with TemporaryDirectory(prefix="outbound-") as folder:
        _make(parts, {name: file_in(Path(folder), name) for name in names}, source)
        yield Path(folder)


def file_in(folder: Path, name: str, suffix: str = ".parquet") -> Path:
    """Return the file of a table, or of a catalogue, in a folder of :func:`make`."""
    return folder / f"{name}{suffix}"


def count_rows(folder: Path, name: str) -> int:
    """Return the rows of a table in a folder of :func:`make`."""
    import pyarrow.parquet as pq

    return pq.read_metadata(file_in(folder, name)).num_rows


def get(stored: ObjectStoragePath, file: Path, name: str) -> bool:
    """Copy a file from storage to this machine; tell whether there is one.

    :param stored: where it is.
    :param file: where its copy goes.
    :param name: what messages call it.
    :raises ConfigError: for a file that can't be read.
    """
    try:
        # exists() and get_file() report a file that can't be reached as missing; it would then be replaced. open()
        # of an object store asks for the size first, and reads a mixture if the file is replaced in between.
        file.write_bytes(stored.fs.cat_file(stored.path))
    except FileNotFoundError:
        return False
    except (PermissionError, IsADirectoryError, NotADirectoryError) as error:
        raise ConfigError(f"{name} can't be read: {printable(error)}") from error
    return True


@contextmanager
def reading(file: Path, name: str, wrong: str) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file on this machine. Errors while it is read mean that its content is wrong.

    :param file: the file.
    :param name: what messages call it.
    :param wrong: what it is then, and what to do.
    :raises ConfigError: if it is damaged, or the caller finds something wrong with it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file, page_checksum_verification=True) as opened:
            yield opened
    # Python has no dates after the year 9999, and reads only so many levels of JSON.
    except (pa.ArrowException, ValueError, OSError, OverflowError, RecursionError) as error:
        raise ConfigError(f"{name} {wrong}. Cause: {printable(error)}") from error


def check_rows(count: int, opened: pq.ParquetFile) -> None:
    """Check that a file was read whole. The headers of its pages, which count the rows, have no checksum.

    :param count: the rows that were read.
    :param opened: the file.
    :raises ValueError: if there should be others.
    """
    if count != opened.metadata.num_rows:
        raise ValueError(f"it has {count} rows instead of {opened.metadata.num_rows}")


def raws(column: pa.Array[Any] | pa.ChunkedArray[Any]) -> list[bytes]:
    """Return the JSON of configurations.

    :param column: a column ``raw``.
    :raises ValueError: if it has anything else; or an error of pyarrow.
    """
    import pyarrow as pa

    found: list[bytes | None] = column.cast(pa.binary()).to_pylist()
    read = [raw for raw in found if raw is not None and isinstance(decode(raw), dict)]
    if len(read) < len(found):
        raise ValueError("its raw column has something other than configurations")
    return read


def put(folder: Path, files: Mapping[str, ObjectStoragePath]) -> dict[str, dict[str, Any]]:
    """Copy files from a folder of :func:`make` to storage: a reader sees the old file or the new one, whole.

    :param folder: where they are.
    :param files: where each file goes; the last one is replaced first. Missing folders are made, but no buckets.
    :returns: ``{"path": str, "rows": int, "bytes": int}`` for each file; a catalogue has no ``rows``.
    :raises ConfigError: if a bucket does not exist, or storage denies access.
    """
    made = {name: file_in(folder, name, path.suffix) for name, path in files.items()}
    # Readers of a folder skip names that begin with a dot.
    unfinished = {
        name: path.with_name(f".{name}.{uuid.uuid4().hex}")
        for name, path in files.items()
        if path.protocol not in _OBJECT_STORES
    }
    try:
        for name, path in unfinished.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.fs.put_file(str(made[name]), path.path)
        # The first file is what the next export is compared with. If the process is killed before it is replaced,
        # it is still the old one.
        for name, path in reversed(list(files.items())):
            if name in unfinished:
                path.fs.mv(unfinished[name].path, path.path)
                del unfinished[name]
            else:
                _upload(made[name], path)
    except PermissionError as error:
        raise _no_permission(path, error) from error
    finally:
        for path in unfinished.values():
            with suppress(OSError):  # it must not hide why the file is unfinished
                path.unlink(missing_ok=True)
    return {
        name: {
            "path": str(path),
            **({"rows": count_rows(folder, name)} if path.suffix == ".parquet" else {}),
            "bytes": made[name].stat().st_size,
        }
        for name, path in files.items()
    }


def _no_permission(path: ObjectStoragePath, error: PermissionError) -> ConfigError:
    """Return the error about a path that storage denies access to; that of an object store has no path."""
    return ConfigError(
        f"{printable(path)} can't be written: {printable(error)}. Give the worker, or the path's Connection, "
        "permission to list and write there"
    )


def _upload(file: Path, path: ObjectStoragePath) -> None:
    """Replace an object by an upload. A move copies and deletes, and adlfs does not wait for Azure's copy."""
    try:
        path.fs.put_file(str(file), path.path)
    except FileNotFoundError as error:
        raise ConfigError(
            f"{printable(path)} can't be written, because its bucket does not exist: make it or correct the path"
        ) from error


def read_back(parts: Iterable[Part], names: Collection[str]) -> Iterator[dict[str, pa.Table]]:
    """Yield tables part by part from a temporary folder, once all are made."""
    import pyarrow.parquet as pq

    with make(parts, names) as folder:
        files = {name: pq.ParquetFile(file_in(folder, name)) for name in names}
        for group in range(min(file.num_row_groups for file in files.values())):
            yield {name: file.read_row_group(group).cast(schema(name)) for name, file in files.items()}


def _make(parts: Iterable[Part], files: Mapping[str, Path], source: str) -> None:
    """Write each table to a file on this machine, a row group for each part."""
    import pyarrow.parquet as pq

    schemas = {name: schema(name).with_metadata({**schema(name).metadata, "source": source}) for name in files}
    with ExitStack() as opened:
        for offset, tables in parts:
            if offset == 0:
                opened.close()  # the listing begins again, and so do the files
                writers = {
                    name: pq.ParquetWriter(file, schemas[name], write_page_checksum=True)
                    for name, file in files.items()
                }
                for writer in writers.values():
                    opened.enter_context(writer)
            for name, writer in writers.items():
                writer.write_table(tables[name], row_group_size=max(tables[name].num_rows, 1))
