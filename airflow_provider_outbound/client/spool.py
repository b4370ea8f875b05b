"""The records of a listing, in a temporary file."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterable

from airflow_provider_outbound.model.codec import decode
from airflow_provider_outbound.model.items import Record

IN_MEMORY = 2**19  # bytes: the listing of some hundred configurations


class Spool:
    """Keep records in order, on disk if they are many, so that memory does not hold them.

    It has a part of a list's interface: one record, and replacing all from a number on. The file is deleted when
    it is closed, or when its process ends.

    :param in_memory: bytes up to which no file is written.
    """

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._file = tempfile.SpooledTemporaryFile(in_memory)  # noqa: SIM115 - closed by __exit__
        self._begins = array("Q", [0])  # where each record begins; the last one is the end

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getitem__(self, number: int) -> Record:
        begin, end = self._begins[number], self._begins[number + 1]
        self._file.seek(begin)
        raw = self._file.read(end - begin)
        return Record(raw, decode(raw))

    def __setitem__(self, where: slice, records: Iterable[Record]) -> None:
        del self._begins[where.start + 1 :]
        self._file.seek(self._begins[-1])
        self._file.truncate()
        for record in records:
            self._file.write(record.raw)
            self._begins.append(self._begins[-1] + len(record.raw))
