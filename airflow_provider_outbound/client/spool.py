"""A list of items that lies in a temporary file."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterable
from typing import Any

from airflow_provider_outbound.model.codec import decode, encode


class Spool:
    """Keep items in order, on disk: their number does not matter to memory.

    It goes as far with the list's own language as reading a listing needs: the length, one item, and to put
    others in place of all from some number on. The file is gone when it is closed, or its process ends.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._begins = array("Q", [0])  # where each item begins; the last one is the end

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._begins) - 1

    def __getitem__(self, number: int) -> dict[str, Any]:
        begin, end = self._begins[number], self._begins[number + 1]
        self._file.seek(begin)
        item: dict[str, Any] = decode(self._file.read(end - begin))
        return item

    def __setitem__(self, where: slice, items: Iterable[dict[str, Any]]) -> None:
        del self._begins[where.start + 1 :]
        self._file.seek(self._begins[-1])
        self._file.truncate()
        for text in map(encode, items):
            self._file.write(text)
            self._begins.append(self._begins[-1] + len(text))
