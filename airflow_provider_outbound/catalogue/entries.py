"""What a catalogue has: each template with its problems, and with what changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from airflow_provider_outbound.model.changes import Change, Content, differences
from airflow_provider_outbound.model.checks import Problem
from airflow_provider_outbound.model.codec import decode
from airflow_provider_outbound.model.items import Item
from airflow_provider_outbound.model.problems import find_problems


@dataclass(frozen=True)
class Snapshot:
    """A listing at a point in time.

    :param raws: the JSON of each item.
    :param account_id: the account; None if unknown.
    :param host: its host; None if unknown.
    :param fetched_at: when it was read; None if unknown.
    """

    raws: Sequence[bytes]
    account_id: str | None = None
    host: str | None = None
    fetched_at: datetime | None = None


@dataclass(frozen=True)
class Entry:
    """A configuration, or a bare channel.

    :param item: its content: as it is now, or as it was if it was removed.
    :param raw: the same as JSON, as the server sent it.
    :param problems: what the checks found; empty for a removed one.
    :param change: how it differs from the earlier snapshot; None if it does not, or there is no earlier one.
    """

    item: Item
    raw: bytes
    problems: list[Problem] = field(default_factory=list)
    change: Change[Content] | None = None


def entries(now: Snapshot, before: Snapshot | None = None) -> list[Entry]:
    """Return the entries of a catalogue, in the order of the listing; removed ones come last.

    :param now: the listing to show.
    :param before: an earlier one to compare it with.
    :raises ValueError: for an item that is not a JSON object.
    """
    items = [decode(raw) for raw in now.raws]
    problems: dict[int, list[Problem]] = defaultdict(list)
    for problem in find_problems(items):
        problems[problem.configuration_index].append(problem)
    changes = differences(before.raws, now.raws) if before else []
    changed: dict[bytes, list[Change[Content]]] = defaultdict(list)  # bare channels may be listed twice
    for change in changes:
        if change.after:
            changed[change.after.raw].append(change)
    listed = [
        Entry(item, raw, problems[index], changed[raw].pop() if changed[raw] else None)
        for index, (item, raw) in enumerate(zip(items, now.raws, strict=True))
    ]
    return listed + [
        Entry(decode(each.before.raw), each.before.raw, change=each)
        for each in changes
        if each.before and not each.after
    ]
