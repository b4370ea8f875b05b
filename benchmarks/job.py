"""Run one peer's job in the peer's own environment and print one line of JSON.

``python benchmarks/job.py PEER ORDER``, where ORDER is a JSON object of the fields of ``Order``. The line tells
what the job took, and when it ended by the machine's monotonic clock. Needs Linux and the standard library only.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Order:
    """What to export, and to where.

    :param url: the server: LivePerson's listing and login in one.
    :param account: account id.
    :param client_id: who logs in.
    :param client_secret: and with what.
    :param page_size: configurations to ask for at once.
    :param paced: keep to 10 requests a second, if the peer can; as fast as it can otherwise.
    :param one_file: write no more than the configurations.
    :param folder: where the Parquet file goes; it is empty.
    """

    url: str
    account: str
    client_id: str
    client_secret: str
    page_size: int
    paced: bool
    one_file: bool
    folder: str

    @property
    def token_url(self) -> str:
        """Tell where to log in."""
        return f"{self.url}/sentinel/api/account/{self.account}/app/token?v=1.0"

    @property
    def list_path(self) -> str:
        """Tell the path of the listing, without the slash that it begins with."""
        return f"api/account/{self.account}/app/prmsg/handoffs/list"

    @property
    def file(self) -> str:
        """Tell a name for the Parquet file."""
        return f"{self.folder}/configurations.parquet"


def cpu() -> float:
    """Return the processor seconds of this process and its children."""
    return sum(os.times()[:4])


def peak_rss() -> int:
    """Return the most memory that this process held, in bytes.

    Not by getrusage, which counts what the parent held when it started this process.
    """
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024


def main(peer: str, order: str) -> None:
    """Import the peer, run its job, and print what they took."""
    printed = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the peer prints is no result
    sys.path.insert(0, f"{Path(__file__).parent}/peers/{peer}")
    begun = time.monotonic()
    export = importlib.import_module("export")
    imported, busy = time.monotonic(), cpu()
    export.export(Order(**json.loads(order)))
    took = {"import": imported - begun, "ended": time.monotonic(), "cpu": cpu() - busy}
    print(json.dumps({**took, "peak_rss": peak_rss()}), file=printed, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
